"""Addresses, versions and references: each stands in one place, and everything else agrees with
it.
"""

import calendar
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from course.models.roles import HUB
from course.publishing import site
from course.publishing.notebooks import paired_pages
from course.studies.catalogue import CLAIMS
from course.studies.real_claims import REAL_CLAIMS
from course.tasks.registry import HUB_DATA

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def addresses(text: str) -> set[str]:
    """Every address of a forge, of Colab or of Binder in a text."""
    return set(
        re.findall(
            r"(?:github\.com|colab\.research\.google\.com/github|mybinder\.org/v2/gh)/([\w.-]+/[\w.-]+)",
            text,
        )
    )


def strangers(root: Path) -> dict[str, set[str]]:
    """Repositories that a text names and that are not the course's: file -> their names."""
    url = site.repository(root)
    ours = (
        set()
        if url is None
        else {
            url.removeprefix("https://github.com/"),
            url.removeprefix("https://github.com/") + ".git",
        }
    )
    texts = [root / name for name in ("README.md", "_config.yml", "CITATION.cff", "pyproject.toml")]
    found = {
        path.name: addresses(path.read_text(encoding="utf-8")) - ours - {"OWNER/NAME"}
        for path in [*texts, *root.glob("book/*.md"), *root.glob("notebooks/*.ipynb")]
    }
    return {name: others for name, others in found.items() if others}


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of every file that may name the address."""
    for name in ("pyproject.toml", "README.md", "_config.yml", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    for folder in ("book", "notebooks"):
        shutil.copytree(
            ROOT / folder,
            tmp_path / folder,
            ignore=shutil.ignore_patterns("images", ".ipynb_checkpoints"),
        )
    return tmp_path


def test_everything_follows_from_the_one_address_and_nothing_names_a_strangers():
    for path, text in site.derived(ROOT).items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path.relative_to(ROOT)}: run 'make address URL=...'"
        )
    assert strangers(ROOT) == {}


def test_an_address_is_written_everywhere_at_once(copy):
    url = "https://github.com/teacher/our-course"
    changed = site.set_address(url + ".git/", copy)
    assert site.repository(copy) == url and set(changed) == {
        copy / "pyproject.toml",
        *site.derived(copy),
    }
    readme = (copy / "README.md").read_text(encoding="utf-8")
    for page in paired_pages(copy):
        for path in (copy / "book" / f"{page}.md", copy / "notebooks" / f"{page}.ipynb"):
            assert f"git+{url}@v{PROJECT['version']}" in path.read_text(encoding="utf-8")
        assert (site.colab(url, page) in readme) == page[0].isdigit()
    assert site.binder(url) in readme and f"{url}/actions/workflows/test.yml/badge.svg" in readme
    settings = yaml.safe_load((copy / "_config.yml").read_text(encoding="utf-8"))
    assert settings["repository"]["url"] == url and settings["launch_buttons"]["colab_url"]
    assert (
        yaml.safe_load((copy / "CITATION.cff").read_text(encoding="utf-8"))["repository-code"]
        == url
    )
    assert f"git clone {url}" in (copy / "book" / "index.md").read_text(encoding="utf-8")
    assert site.set_address(url, copy) == [], "a second time there is nothing to do"


def test_another_address_takes_the_place_of_the_first(copy):
    site.set_address("https://github.com/first/course", copy)
    site.set_address("https://github.com/second/course", copy)
    assert strangers(copy) == {}
    assert all(
        "first/course" not in path.read_text(encoding="utf-8") for path in site.derived(copy)
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "teacher/course",
        "https://github.com/teacher",
        "http://github.com/a/b",
        'https://github.com/a/b"; x',
    ],
)
def test_what_is_no_repository_is_refused(copy, url):
    with pytest.raises(
        ValueError, match=re.escape(f"the address {url!r}: expected https://github.com/OWNER/NAME")
    ):
        site.set_address(url, copy)
    assert site.repository(copy) == site.repository(ROOT)


def test_the_command_says_what_it_changed(copy):
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "course.publishing.site", "https://github.com/teacher/course"]
    ran = subprocess.run(
        command, cwd=copy, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert f"{1 + len(site.derived(copy))} files changed\n  pyproject.toml\n" in ran.stdout


def test_a_file_without_its_place_is_named(copy):
    (copy / "README.md").write_text("no place", encoding="utf-8")
    with pytest.raises(
        ValueError,
        match=(
            "README.md: expected one place that follows from the address of the course .*, found 0"
        ),
    ):
        site.derived(copy)


def test_the_check_of_addresses_sees_another_one(copy):
    assert addresses(
        "see [x](https://github.com/somebody/else) and https://mybinder.org/v2/gh/a/b?x"
    ) == {"somebody/else", "a/b"}
    page = copy / "book" / "index.md"
    page.write_text(
        page.read_text(encoding="utf-8") + "https://github.com/somebody/course", encoding="utf-8"
    )
    assert strangers(copy) == {"index.md": {"somebody/course"}}


def test_the_page_of_real_models_names_what_the_code_loads():
    page = (ROOT / "book" / "real-models.md").read_text(encoding="utf-8")
    for role, checkpoint in HUB.items():
        assert (
            f"| `{role}` | `{checkpoint.repository}` | {checkpoint.parameters} | "
            f"{checkpoint.licence} |"
        ) in page
    for name, data in HUB_DATA.items():
        assert f"| `{name}` | `{data.repository}` | {data.licence or 'not stated'} |" in page


def test_claims_cite_entries_of_the_bibliography():
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"@\w+\{(\w+),", bibliography))
    sources = {claim.source for claim in (*CLAIMS, *REAL_CLAIMS)}
    assert sources and sources <= keys


def test_authors_named_in_a_text_are_in_the_bibliography():
    """``Somebody et al. 2020`` or ``Somebody and Other 2020`` anywhere in the book or the package
    has its entry.
    """
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"author = \{(.+)\},?\n(?:.*\n)*?\s+year = \{(\d+)\}", bibliography)
    known = {(authors.split(",")[0].split()[-1], year) for authors, year in entries}
    texts = [*(ROOT / "book").glob("*.md"), *(ROOT / "src").rglob("*.py")]
    mention = re.compile(
        r"([A-Z][a-z]\w*)(?: et al\.| and\s+(?:De )?[A-Z]\w+)? \(?((?:19|20)\d\d)\b"
    )
    named = {
        pair
        for path in texts
        for pair in mention.findall(path.read_text(encoding="utf-8"))
        if pair[0] not in ("Learning", "Copyright", *calendar.month_name)
    }
    assert named - known == set()


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))


def test_internal_links_lead_somewhere():
    for path in [ROOT / "README.md", *(ROOT / "book").glob("*.md")]:
        # a paired page is read from notebooks/, so its links start there
        base = ROOT / "notebooks" if path.stem in paired_pages(ROOT) else path.parent
        for link in links(path):
            if not link.startswith(("http", "#", "mailto:")):
                assert (base / link.split("#")[0]).exists(), f"{path.name}: {link}"


@pytest.mark.parametrize("target", ["192.0.2.1", "example.org"])
def test_the_guard_refuses_connections_that_leave_the_machine(target):
    code = f"import socket; socket.create_connection(({target!r}, 80), timeout=2)"
    guard = {"PYTHONPATH": str(ROOT / "tests" / "offline")}
    ran = subprocess.run([sys.executable, "-c", code], env=guard, capture_output=True, text=True)
    assert (
        ran.returncode != 0
        and f"OutsideConnection: a connection to {target} was tried" in ran.stderr
    )


def test_the_guard_leaves_loopback_open():
    code = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); "
        "socket.create_connection(s.getsockname()).close(); print('open')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "tests" / "offline")},
        capture_output=True,
        text=True,
    )
    assert ran.stdout.strip() == "open"


def test_no_pickle_no_remote_code_no_eval():
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for forbidden in ("import pickle", "torch.load(", "torch.save(", "trust_remote_code=True"):
            assert forbidden not in text, f"{path}: {forbidden}"
        assert not re.search(r"(?<![\w.])eval\(", text), path


def test_the_test_command_puts_the_guard_where_kernels_find_it():
    """A kernel runs in ``notebooks/``, so the folder of the guard must be named by its whole
    path.
    """
    commands = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    guarded = [line for line in commands.replace("\\\n", "").splitlines() if "-m pytest" in line]
    assert len(guarded) == 2 and all(
        line.startswith(f"PYTHONPATH={ROOT / 'tests' / 'offline'} ") for line in guarded
    )
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)"
    guard = {"PYTHONPATH": guarded[0].split()[0].removeprefix("PYTHONPATH=")}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "notebooks",
        env=guard,
        capture_output=True,
        text=True,
    )
    assert "OutsideConnection" in ran.stderr
