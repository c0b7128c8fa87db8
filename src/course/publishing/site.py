"""Where the course lives: ``python -m course.publishing.site https://github.com/OWNER/NAME``
(``make address URL=...``).

The address stands in one place, ``[project.urls]`` of pyproject.toml; the badges, the links, the
configuration of the book and the cells that install the course in Colab follow from it. As long as
it stands nowhere, nothing names a repository: a name that is not ours could be registered by
anybody, and notebooks would install what lies there.
"""

import argparse
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from course.foundation.atomic_write import write_text
from course.publishing.notebooks import ROOT, paired_pages

#: What stands between these two lines of a file follows from the address.
_BLOCK = re.compile(
    r"(?P<start>^(?:#|<!--) address\b[^\n]*\n)(?P<body>.*?)(?P<end>^(?:#|<!--) /address\b)",
    re.MULTILINE | re.DOTALL,
)
_GITHUB = re.compile(r"https://github\.com/[A-Za-z0-9-]+/[\w.-]+")
_CELL_STARTS = "# The course must be installed; where it is, this cell does nothing."
_CELL_IN_TEXT = re.compile(rf"^{re.escape(_CELL_STARTS)}\n.*?(?=\n```$)", re.MULTILINE | re.DOTALL)


def repository(root: Path = ROOT) -> str | None:
    """The repository's address, or None as long as the course has none."""
    return _project(root).get("urls", {}).get("Repository")


def tag(root: Path = ROOT) -> str:
    """The tag of this version, which Colab installs."""
    return f"v{_project(root)['version']}"


def install_cell(url: str | None, version_tag: str) -> str:
    """The first code cell of every notebook."""
    if url is None:
        return f"""{_CELL_STARTS}
try:
    import course
except ImportError as missing:
    raise ImportError(
        "The course is not installed. Download its archive from where "
        "you read this page, put it beside this notebook (in Colab: "
        "Files, Upload), and run in a new cell: "
        "%pip install -q ./NAME-OF-THE-ARCHIVE. Then run this cell again."
    ) from missing
from course.foundation import installed

installed.check()"""
    return f"""{_CELL_STARTS}
try:
    import course
except ImportError:
    %pip install -q "git+{url}@{version_tag}"
from course.foundation import installed

installed.check()"""


def derived(root: Path = ROOT) -> dict[Path, str]:
    """Every file that depends on the address, with the text that it must have."""
    url = repository(root)
    cell = install_cell(url, tag(root))
    files = {
        root / name: _with_block(root / name, body(url, root)) for name, body in _BODIES.items()
    }
    for page in paired_pages(root):
        text, notebook = root / "book" / f"{page}.md", root / "notebooks" / f"{page}.ipynb"
        files[text] = _replaced_once(_CELL_IN_TEXT, text, lambda _: cell)
        files[notebook] = _notebook_with(notebook, cell)
    return files


def set_address(url: str, root: Path = ROOT) -> list[Path]:
    """Write the address into pyproject.toml and everything that follows from it; the files that
    changed.

    Raises:
        ValueError: if it is not a repository on GitHub, which alone Colab and Binder open by their
            names.
    """
    url = url.strip().removesuffix("/").removesuffix(".git")
    if not _GITHUB.fullmatch(url):
        raise ValueError(
            f"the address {url!r}: expected https://github.com/OWNER/NAME, the repository that "
            "readers install from"
        )
    project = root / "pyproject.toml"
    changed = _write_if_new(
        project, _with_block(project, f'[project.urls]\nRepository = "{url}"\n')
    )
    return changed + [
        path for file, text in derived(root).items() for path in _write_if_new(file, text)
    ]


def colab(url: str, notebook: str) -> str:
    """The address that opens a notebook (``"01-two-expectations"``) in Colab."""
    return f"https://colab.research.google.com/github/{_name(url)}/blob/main/notebooks/{notebook}.ipynb"


def binder(url: str) -> str:
    """The address that opens the notebooks in Binder."""
    return f"https://mybinder.org/v2/gh/{_name(url)}/main?urlpath=lab/tree/notebooks"


def _name(url: str) -> str:
    return url.removeprefix("https://github.com/")


def _badges(url: str | None, root: Path) -> str:
    if url is None:
        return ""
    workflow = f"{url}/actions/workflows/test.yml"
    lines = [f"[![test]({workflow}/badge.svg)]({workflow})"]
    for page in (page for page in paired_pages(root) if page[0].isdigit()):
        chapter = page.split("-")[0].lstrip("0")
        picture = "https://colab.research.google.com/assets/colab-badge.svg"
        lines.append(f"[![Open chapter {chapter} in Colab]({picture})]({colab(url, page)})")
    return (
        "\n".join([*lines, f"[![Binder](https://mybinder.org/badge_logo.svg)]({binder(url)})"])
        + "\n"
    )


def _how_to_start(url: str | None, _: Path) -> str:
    if url is None:
        return (
            "Read on here, or download the archive of the course from where you read this "
            "page, unpack it, and run in its folder:\n"
        )
    return (
        "Read on here, press the rocket on any chapter to open it in Colab, or `git clone "
        f"{url}` and run in its folder:\n"
    )


def _book_settings(url: str | None, _: Path) -> str:
    if url is None:
        # without a value of its own the book would show the address of Jupyter Book
        return 'repository:\n  url: ""\nhtml:\n  home_page_in_navbar: false\n'
    return (
        f"repository:\n  url: {url}\n  branch: main\n"
        "launch_buttons:\n  colab_url: https://colab.research.google.com\n  binderhub_url: "
        "https://mybinder.org\n"
        "  notebook_interface: jupyterlab\n"
        "html:\n  use_issues_button: true\n  use_repository_button: true\n  home_page_in_navbar: "
        "false\n"
    )


def _citation(url: str | None, _: Path) -> str:
    return "" if url is None else f'repository-code: "{url}"\n'


_BODIES: dict[str, Callable[[str | None, Path], str]] = {
    "README.md": _badges,
    "book/index.md": _how_to_start,
    "_config.yml": _book_settings,
    "CITATION.cff": _citation,
}


def _project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _replaced_once(pattern: re.Pattern, path: Path, new: Callable[[re.Match], str]) -> str:
    text, count = pattern.subn(new, path.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(
            f"{path}: expected one place that follows from the address of the course "
            f"({pattern.pattern!r}), found {count}"
        )
    return text


def _with_block(path: Path, body: str) -> str:
    return _replaced_once(_BLOCK, path, lambda found: found["start"] + body + found["end"])


def _notebook_with(path: Path, cell: str) -> str:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    places = [
        c
        for c in notebook["cells"]
        if c["cell_type"] == "code" and "".join(c["source"]).startswith(_CELL_STARTS)
    ]
    if len(places) != 1:
        raise ValueError(
            f"{path}: expected one cell that begins with {_CELL_STARTS!r}, found {len(places)}"
        )
    places[0]["source"] = cell.splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _write_if_new(path: Path, text: str) -> list[Path]:
    if path.read_text(encoding="utf-8") == text:
        return []
    write_text(path, text)
    return [path]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Say where the course lives, everywhere at once.")
    parser.add_argument("url", help="the repository, as in https://github.com/OWNER/NAME")
    try:
        changed = set_address(parser.parse_args(arguments).url)
    except ValueError as error:
        parser.error(str(error))
    print(
        f"{len(changed)} files changed"
        + "".join(f"\n  {path.relative_to(ROOT)}" for path in changed)
    )


if __name__ == "__main__":
    main()
