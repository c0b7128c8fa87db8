"""The page of the package lists every public name, and each says what it is."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
FOLDERS = sorted(path.parent.name for path in (ROOT / "src" / "course").glob("*/__init__.py"))


def public(folder: str) -> dict[str, object]:
    """Name -> object of what a folder hands on."""
    module = import_module(f"course.{folder}")
    return {name: getattr(module, name) for name in getattr(module, "__all__", ())}


def constant(value: object) -> bool:
    return not callable(value) and not isinstance(value, ModuleType)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_page_has_the_folder_and_its_constants(folder):
    assert f".. automodule:: course.{folder}\n" in PAGE
    listed = re.findall(rf"autodata:: course\.{folder}\.[\w.]*\.(\w+)", PAGE)
    assert sorted(listed) == sorted(n for n, value in public(folder).items() if constant(value))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_public_function_and_class_says_what_it_is(folder):
    silent = [n for n, value in public(folder).items() if callable(value) and not value.__doc__]
    assert not silent and inspect.getdoc(import_module(f"course.{folder}"))
