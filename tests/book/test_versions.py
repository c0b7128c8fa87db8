"""What the package accepts (pyproject.toml), what it is tested with (constraints.txt), and what
conda installs (environment.yml).
"""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RANGES = {
    r.name: r.specifier
    for r in map(Requirement, PROJECT["dependencies"] + sum(EXTRAS.values(), []))
}
LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
PINS = dict(line.split("==") for line in LINES)
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
#: The names that conda-forge gives to packages.
CONDA = {"torch": "pytorch"}


def verified_python() -> str:
    """The version of Python that the workflow's own job runs on."""
    (version,) = (
        step["with"]["python-version"]
        for step in WORKFLOW["jobs"]["test"]["steps"]
        if "with" in step
    )
    return version


def test_every_dependency_has_a_pin_in_its_range_and_nothing_else_is_pinned():
    assert set(PINS) == set(RANGES) and list(PINS) == sorted(PINS) and len(PINS) == len(LINES)
    outside = {
        name: version for name, version in PINS.items() if not RANGES[name].contains(version)
    }
    assert not outside


@pytest.mark.parametrize("name", RANGES)
def test_a_range_has_two_ends(name):
    """A lower end, since something must be there, and an upper one, since the next major version
    may be another program.
    """
    assert {part.operator for part in RANGES[name]} == {">=", "<"}


def test_environment_has_the_pins():
    assert ENVIRONMENT["channels"] == ["conda-forge"]
    wanted = [Requirement(line).name for line in PROJECT["dependencies"] + EXTRAS["book"]]
    found = dict(
        line.split("=", 1)
        for line in ENVIRONMENT["dependencies"]
        if isinstance(line, str) and "=" in line
    )
    assert found.pop("python") == verified_python()
    assert found == {CONDA.get(name, name): PINS[name] for name in wanted}
    assert ENVIRONMENT["dependencies"][-1] == {
        "pip": ["--constraint constraints.txt", "--editable ."]
    }


def test_make_and_ci_install_the_pins(tmp_path):
    """``make`` is how CI installs, too; the cluster's part joins it where it fits."""
    made = subprocess.run(
        ["make", "--dry-run", "test", f"VENV={tmp_path}", "EXTRAS=book,test,cluster"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (install,) = [line for line in made.stdout.splitlines() if "--editable" in line]
    assert "--constraint constraints.txt" in install and "'.[book,test,cluster]'" in install
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in script and "cluster" in script
    for job in WORKFLOW["jobs"].values():
        assert job["steps"][-1]["run"] == "bash .ci/run"


def test_what_is_not_tested_is_named():
    """The range of Python begins with what is tested; everything else in it stands in the matrix,
    under its name.
    """
    allowed = SpecifierSet(PROJECT["requires-python"])
    minors = [f"3.{minor}" for minor in range(8, 30) if allowed.contains(f"3.{minor}.0")]
    assert minors[0] == verified_python()
    job = WORKFLOW["jobs"]["other-systems"]
    assert job["name"].startswith("written for, not verified: ") and job["continue-on-error"]
    matrix = job["strategy"]["matrix"]["include"]
    assert {entry["python"] for entry in matrix} == set(minors)
    assert {entry["system"].split("-")[0] for entry in matrix} == {"ubuntu", "windows", "macos"}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(
        rf"Python\s{verified_python()}\s.*\sPython\s{minors[1]}\sto\s{minors[-1]},\sWindows\sand\smacOS\s",
        readme,
        re.DOTALL,
    )
    assert "*written for, not verified*" in readme


@pytest.mark.parametrize(
    "there",
    [
        {"torch": "2.9.0+cu126", "numpy": "2.1.3", "pandas": "2.2.3"},
        {"torch": "2.14.1", "numpy": "2.4.0", "pandas": "3.0.0"},
    ],
)
def test_what_a_running_kernel_has_loaded_is_left_in_place(there):
    assert all(RANGES[name].contains(version) for name, version in there.items())
