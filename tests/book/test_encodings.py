"""Where the system's encoding is ASCII: whoever reads or writes a file of the book names the
encoding.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# coercion to C.UTF-8 and UTF-8 mode are what hides a missing name on Linux; Windows has neither
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


def test_notebooks_and_site_pass_where_the_encoding_is_ascii():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--override-ini",
        "addopts=-q",
    ]
    files = [str(HERE / name) for name in ("test_notebooks.py", "test_site.py")]
    ran = subprocess.run(
        [*command, *files],
        cwd=HERE.parents[1],
        env=os.environ | ASCII,
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]


def test_the_check_sees_a_missing_name():
    code = f"open({str(HERE.parents[1] / 'book' / 'index.md')!r}).read()"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | ASCII, capture_output=True, text=True
    )
    assert "UnicodeDecodeError" in ran.stderr


def _mode(call: ast.Call) -> str:
    """The mode in which a call of ``open`` or ``Path.open`` opens; "b" where it is computed."""
    place = 0 if isinstance(call.func, ast.Attribute) else 1
    given = [k.value for k in call.keywords if k.arg == "mode"] or call.args[place : place + 1]
    if not given:
        return "r"
    return given[0].value if isinstance(given[0], ast.Constant) else "b"


def _leaves_the_encoding_open(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    method = isinstance(call.func, ast.Attribute)
    if any(k.arg == "encoding" for k in call.keywords):
        return False
    if name == "read_text" and method:
        return not call.args
    if name == "write_text" and method:
        return len(call.args) == 1
    low_level = method and isinstance(call.func.value, ast.Name) and call.func.value.id == "os"
    return name == "open" and not low_level and "b" not in str(_mode(call))


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_every_reader_and_writer_of_text_names_its_encoding(folder):
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _leaves_the_encoding_open(node)
    ]
    assert not found, "name the encoding"
