"""Each part of the page changes its text, or what its layout is filled with, through one door."""

from pathlib import Path

from course.publishing import page
from course.publishing.page import hooks


class Events:
    """Stands for Sphinx: keeps who wants to hear of a page, and tells them in order."""

    def __init__(self):
        self.listeners = []

    def connect(self, event, listener, priority):
        self.listeners.append((priority, event, listener))

    def show(self, context):
        for _, event, listener in sorted(self.listeners, key=lambda row: row[0]):
            assert event == "html-page-context"
            listener(self, "a page", "page.html", context, None)
        return context


def test_the_text_of_a_page_is_changed_and_a_page_without_text_is_left_alone():
    app = Events()
    hooks.change_body(app, str.upper)
    assert app.show({"body": "a", "title": "b"}) == {"body": "A", "title": "b"}
    assert app.show({"title": "b"}) == {"title": "b"}


def test_a_later_priority_sees_what_an_earlier_one_left():
    app = Events()
    hooks.change_context(app, lambda context: context["seen"].append("last"), priority=900)
    hooks.change_context(app, lambda context: context["seen"].append("first"))
    assert app.show({"seen": []}) == {"seen": ["first", "last"]}


def test_every_module_of_the_page_that_sets_something_up_is_listed():
    defining = {
        path.stem
        for path in Path(page.__path__[0]).glob("[!_]*.py")
        if "\ndef setup(" in path.read_text(encoding="utf-8")
    }
    assert set(page.PARTS) == defining
