"""Put the live models into the built book: a Sphinx extension (``course.publishing.live.build``).

Beside the pages it writes ``_static/live/``: the scripts and the style as they are, a script of
data for each widget, and the weights as scripts of base64, since browsers refuse ``fetch`` on
``file://``. A page that has a widget gets the loader and the style; weights load when a reader asks
for them. In the place of a widget a page has, without JavaScript, what the widget shows at first.
"""

import base64
import html
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.foundation.atomic_write import write_text
from course.models.shipped import checked_folder
from course.publishing.live import FOLDER, SOURCES
from course.publishing.live.page_data import MODELS, page_data

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_SCRIPTS = ("loader.js", "engine.js", "widgets.js")
#: What stands for a widget in a page.
_PLACE = re.compile(r'<div class="live" data-live="(?P<name>[\w-]+)">.*?</div>', re.DOTALL)
#: Stands below the first answers where JavaScript is off.
_WITHOUT = "Computed when the book was built. With JavaScript, the model answers here."


def write_files(folder: Path) -> None:
    """Write scripts, style, data and weights into a folder.

    Raises:
        course.models.shipped.WeightsError: if shipped weights are missing or altered.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _SCRIPTS:
        write_text(folder / name, (SOURCES / name).read_text(encoding="utf-8"))
    write_text(folder / "live.css", style())
    for name, data in _data().items():
        write_text(folder / f"data-{name}.js", _provide(f"data-{name}", data))
    for role, name in MODELS.items():
        write_text(folder / f"weights-{role}.js", _provide(f"weights-{role}", checkpoint(name)))


def style() -> str:
    """The style of the widgets, in the colours of the figures."""
    from course.plots.colours import CEILING, DARK, OPENED, PROMPTED

    colours = {"opened": OPENED, "prompted": PROMPTED, "best": CEILING}
    light = [f"  --live-{role}: {colour};" for role, colour in colours.items()]
    dark = [f"  --live-{role}: {DARK[colour]};" for role, colour in colours.items()]
    rules = (SOURCES / "live.css").read_text(encoding="utf-8")
    return "\n".join([".live {", *light, "}", 'html[data-theme="dark"] .live {', *dark, "}", rules])


def checkpoint(name: str) -> dict[str, Any]:
    """The files of a shipped model as ``engine.js`` reads them, the weights in base64."""
    folder = checked_folder(name)
    settings = _json(folder / "tokenizer_config.json")
    return {
        "name": name,
        "config": _json(folder / "config.json"),
        "tokenizer": _json(folder / "tokenizer.json"),
        "mask": settings.get("mask_token"),
        "weights": base64.b64encode((folder / "model.safetensors").read_bytes()).decode("ascii"),
    }


def with_first_answers(page: str) -> str:
    """A page with, in the place of each widget, what the widget shows at first.

    Raises:
        ValueError: for a widget that has no data.
    """
    return _PLACE.sub(_first_answers, page)


def _first_answers(found: re.Match[str]) -> str:
    if found["name"] not in _data():
        raise ValueError(
            f"data-live={found['name']!r}: no such widget; choose from {', '.join(_data())}"
        )
    data = _data()[found["name"]]
    shown = {"blank": _blank, "demonstrations": _label_shares, "chain": _chain, "slider": _bars}
    first = shown[data["kind"]](data)
    return f'<div class="live" data-live="{found["name"]}">{first}<p>{_WITHOUT}</p></div>'


def _blank(data: dict[str, Any]) -> str:
    words = [
        "____" if number == data["at"] else word for number, word in enumerate(data["sentence"])
    ]
    columns = [_table(c["title"], c["rows"]) for c in data["recorded"]]
    return f'<p class="live-line">{html.escape(" ".join(words))}</p>{_columns(columns)}'


def _label_shares(data: dict[str, Any]) -> str:
    shown = [data["items"][number] for number in data["start"]]
    lines = [f"<li>{html.escape(f'{x} : {y}')}</li>" for x, y in shown]
    columns = [
        _table(c["title"], list(zip(data["labels"], c["rows"], strict=True)))
        for c in data["recorded"]
    ]
    return f"<ol>{''.join(lines)}</ol><p>{html.escape(data['query'])} : ?</p>{_columns(columns)}"


def _chain(data: dict[str, Any]) -> str:
    question = html.escape(data["problems"][0]["question"])
    return f"<p>{question}</p><p>{html.escape(data['recorded'])}</p>"


def _bars(data: dict[str, Any]) -> str:
    rows = [
        [name, mean / 100]
        for (name, _), (mean, _, _) in zip(data["rows"], data["values"][0], strict=True)
    ]
    return _columns([_table(f"{data['label']}: {data['options'][0]}", rows)])


def _columns(tables: list[str]) -> str:
    return f'<div class="live-columns">{"".join(tables)}</div>'


def _table(title: str, rows: list[Any]) -> str:
    lines = [
        f'<tr><th scope="row">{html.escape(word)}</th><td>{100 * share:.0f} %</td></tr>'
        for word, share in rows
    ]
    return (
        f'<table class="live-bars"><caption>{html.escape(title)}</caption>{"".join(lines)}</table>'
    )


def _provide(name: str, value: Any) -> str:
    # "</" may not stand in a script, should somebody put it into a page
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"courseLive.provide({json.dumps(name)},{text});\n"


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def _data() -> dict[str, dict[str, Any]]:
    return page_data()


def _write(app: "Sphinx") -> None:
    if app.builder.format == "html":
        write_files(Path(app.outdir) / FOLDER)


def _outdated(app: "Sphinx", env: "BuildEnvironment", *changes: set[str]) -> list[str]:
    """The pages with widgets, written anew in every build: their first answers may have changed."""
    sources = {name: Path(env.doc2path(name)) for name in env.found_docs}
    return [n for n, path in sources.items() if "data-live=" in path.read_text(encoding="utf-8")]


def _on_page(app: "Sphinx", page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if "data-live=" in context.get("body", ""):
        context["body"] = with_first_answers(context["body"])
        app.add_js_file("live/loader.js", loading_method="defer")
        app.add_css_file("live/live.css")


def setup(app: "Sphinx") -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", _write)
    app.connect("env-get-outdated", _outdated)
    app.connect("html-page-context", _on_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
