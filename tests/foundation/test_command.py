"""The command ``course`` lists what there is without torch, and hands on to each part."""

import subprocess
import sys

import pytest

from course.__main__ import COMMANDS, main
from course.models import listing
from course.models.index import INDEX
from course.models.roles import HUB
from course.models.shipped import shipped_models, weights_sha256


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_help_lists_every_command_and_loads_no_torch():
    printed = python(
        "import sys\n"
        "from course.__main__ import main\n"
        "try:\n    main(['--help'])\n"
        "finally:\n    print('torch' in sys.modules, 'transformers' in sys.modules)\n"
    )
    assert all(f"\n  {name} " in printed for name in COMMANDS)
    assert printed.endswith("False False\n")


def test_the_module_is_the_command():
    ran = subprocess.run([sys.executable, "-m", "course"], capture_output=True, encoding="utf-8")
    assert ran.returncode == 2 and ran.stderr.startswith("usage: course [-h] COMMAND")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["course", name, "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    usage = capsys.readouterr().out.splitlines()[0]
    assert usage.startswith("usage: ") and name in usage


def test_an_unknown_command_is_told_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        main(["train"])
    error = capsys.readouterr().err
    assert "'train'" in error and all(name in error for name in COMMANDS)


def test_models_are_listed_with_licence_and_checksum(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(listing, "_cached", dict)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    main(["models"])
    table, places = capsys.readouterr().out.split("\n\n")
    rows = [line.split() for line in table.splitlines()[1:]]
    assert [row[1] for row in rows] == [*shipped_models(), *INDEX, *HUB]
    assert str(tmp_path) in places
    assert all(weights_sha256(row[1]) == row[-1] for row in rows if row[0] == "tiny")
    assert {row[0] for row in rows} == {"tiny", "index", "hub"}
    assert all("not cached" in " ".join(row) for row in rows if row[0] != "tiny")
