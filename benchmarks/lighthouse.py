"""The built book by Lighthouse: accessibility, best practices and search engines, of 100.

``make lighthouse`` after ``make book``: the pages are served on this machine, and the pinned npm
package looks at each with the Chromium of the machine. It needs node with npx and, the first time,
the npm registry. Ends with an error if a score is below :data:`LEAST`.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from course.publishing.pdf import BOOK, chromium

PACKAGE = "lighthouse@12.8.2"
PAGES = ("book/index", "notebooks/03-adapters", "notebooks/claims", "notebooks/world")
CATEGORIES = ("accessibility", "best-practices", "seo")
LEAST = 95


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of a folder, on this machine alone."""
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def look(address: str, command: list[str]) -> dict[str, Any]:
    """Lighthouse's report of a page.

    Raises:
        RuntimeError: if Lighthouse did not look at it.
    """
    flags = [
        "--quiet",
        "--output=json",
        f"--only-categories={','.join(CATEGORIES)}",
        "--chrome-flags=--headless=new --no-sandbox",
    ]
    run = subprocess.run(
        [*command, address, *flags],
        env={**os.environ, "CHROME_PATH": chromium()},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)} {address}: {run.stderr.strip()[-500:]}")
    return json.loads(run.stdout)


def scores(report: dict[str, Any]) -> list[int]:
    return [round(100 * report["categories"][name]["score"]) for name in CATEGORIES]


def lost(report: dict[str, Any]) -> list[str]:
    """The audits in which a page lost points."""
    references = (ref for name in CATEGORIES for ref in report["categories"][name]["auditRefs"])
    counted = [report["audits"][ref["id"]] for ref in references if ref["weight"]]
    return [audit["id"] for audit in counted if audit["score"] is not None and audit["score"] < 1]


def main() -> None:
    parser = argparse.ArgumentParser(description="The built book by Lighthouse.")
    parser.add_argument("pages", nargs="*", default=PAGES)
    parser.add_argument("--command", nargs="+", default=["npx", "--yes", PACKAGE])
    chosen = parser.parse_args()
    print(f"{PACKAGE:24}" + "".join(f"{name:>16}" for name in CATEGORIES))
    least = 100
    with served(BOOK) as address:
        for page in chosen.pages:
            report = look(f"{address}/{page}.html", chosen.command)
            least = min(least, *scores(report))
            faults = f"   {', '.join(lost(report))}" if lost(report) else ""
            print(f"{page:24}" + "".join(f"{s:16}" for s in scores(report)) + faults, flush=True)
    if least < LEAST:
        sys.exit(f"a score is below {LEAST}")


if __name__ == "__main__":
    main()
