"""Where the system's encoding is ASCII: whoever reads or writes a file of the book names the
encoding.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
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
