"""Addresses, versions and references: each stands in one place, and everything else agrees with it."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from course import site
from course.models import HUB
from course.notebooks import paired_pages
from course.tasks import HUB_DATA

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEXTS = [ROOT / "README.md", ROOT / "_config.yml", *sorted((ROOT / "book").glob("*.md")), *sorted((ROOT / "notebooks").glob("*.ipynb"))]


def addresses(text: str) -> set[str]:
    """Every address of a forge, of Colab or of Binder in a text."""
    return set(re.findall(r"https://(?:github\.com|colab\.research\.google\.com/github|mybinder\.org/v2)/[^\s\"'\)\\@]+", text))


def test_every_badge_and_link_is_derived_from_the_one_address():
    repository = PROJECT["urls"]["Repository"]
    assert site.repository() == repository
    name = repository.removeprefix("https://github.com/")
    for path in TEXTS:
        for address in addresses(path.read_text()):
            assert name in address, f"{path.name}: {address}"
    readme = (ROOT / "README.md").read_text()
    for page in paired_pages(ROOT):
        if page[0].isdigit():
            assert site.colab(page) in readme
    assert site.binder() in readme
    assert yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"] == repository


def test_the_check_of_addresses_sees_another_one():
    assert addresses("see [x](https://github.com/somebody/else) and https://mybinder.org/v2/gh/a/b") == {
        "https://github.com/somebody/else",
        "https://mybinder.org/v2/gh/a/b",
    }


@pytest.mark.parametrize("name", paired_pages(ROOT))
def test_colab_installs_this_version(name):
    cells = [c for c in json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"] if c["cell_type"] == "code"]
    assert f'%pip install -q "{site.install_line()}"' in "".join(cells[0]["source"])


def test_environment_has_the_versions_of_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge"]
    wanted = dict(line.split("==") for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["book"])
    conda = {"torch": "pytorch", "jupyter-book": "jupyter-book"}
    found = dict(line.split("=", 1) for line in environment["dependencies"] if isinstance(line, str) and "=" in line)
    found.pop("python")
    assert found == {conda.get(name, name): version for name, version in wanted.items()}


def test_every_dependency_is_pinned():
    for line in PROJECT["dependencies"] + sum(PROJECT["optional-dependencies"].values(), []):
        assert re.fullmatch(r"[\w.-]+==[\w.]+", line), line


def test_the_page_of_real_models_names_what_the_code_loads():
    page = (ROOT / "book" / "real-models.md").read_text()
    for role, checkpoint in HUB.items():
        assert f"| `{role}` | `{checkpoint.repository}` | {checkpoint.parameters} | {checkpoint.licence} |" in page
    for name, data in HUB_DATA.items():
        assert f"| `{name}` | `{data.repository}` | {data.licence or 'not stated'} |" in page


def cited() -> set[str]:
    """The keys that the claims of the chapters name as their source."""
    text = "".join((ROOT / "book" / f"{name}.md").read_text() for name in paired_pages(ROOT))
    return set(re.findall(r'"([a-z]+\d{4}[a-z]+)"', text))


def test_claims_cite_entries_of_the_bibliography():
    keys = set(re.findall(r"@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text()))
    assert cited() and cited() <= keys


def test_authors_named_in_a_text_are_in_the_bibliography():
    """``Somebody et al. 2020`` or ``Somebody and Other 2020`` anywhere in the book or the package has its entry."""
    entries = re.findall(r"author = \{(.+)\},?\n(?:.*\n)*?\s+year = \{(\d+)\}", (ROOT / "book" / "references.bib").read_text())
    known = {(authors.split(",")[0].split()[-1], year) for authors, year in entries}
    texts = [*(ROOT / "book").glob("*.md"), *(ROOT / "src").rglob("*.py")]
    named = {
        pair
        for path in texts
        for pair in re.findall(r"([A-Z][a-z]\w*)(?: et al\.| and\s+(?:De )?[A-Z]\w+)? \(?((?:19|20)\d\d)\b", path.read_text())
        if pair[0] not in ("Learning", "Copyright")
    }
    assert named - known == set()


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", path.read_text())


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
    assert ran.returncode != 0 and f"OutsideConnection: a connection to {target} was tried" in ran.stderr


def test_the_guard_leaves_loopback_open():
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()).close(); print('open')"
    ran = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "tests" / "offline")}, capture_output=True, text=True)
    assert ran.stdout.strip() == "open"


def test_no_pickle_no_remote_code_no_eval():
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        for forbidden in ("import pickle", "torch.load(", "torch.save(", "trust_remote_code=True"):
            assert forbidden not in text, f"{path}: {forbidden}"
        assert not re.search(r"(?<![\w.])eval\(", text), path


def test_the_test_command_puts_the_guard_where_kernels_find_it():
    """A kernel runs in ``notebooks/``, so the folder of the guard must be named by its whole path."""
    commands = subprocess.run(["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    guarded = [line for line in commands.splitlines() if "-m pytest" in line]
    assert len(guarded) == 2 and all(line.startswith(f"PYTHONPATH={ROOT / 'tests' / 'offline'} ") for line in guarded)
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=2)"
    guard = {"PYTHONPATH": guarded[0].split()[0].removeprefix("PYTHONPATH=")}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "notebooks", env=guard, capture_output=True, text=True)
    assert "OutsideConnection" in ran.stderr
