"""Progress bars, over steps and over bytes: shown to somebody who watches, never in a stored
output.
"""

import os
import sys
from typing import Any

from tqdm import tqdm
from tqdm.auto import tqdm as live_tqdm

#: Environment variable that shows (``1``) or hides (``0``) every bar, whatever else is known.
SWITCH = "COURSE_PROGRESS"
#: Set by those who run a notebook for a reader in front of it: Jupyter's server, VS Code, Colab.
#: Whoever executes a notebook to store or to test it (nbclient, nbval, papermill) sets none.
_LIVE = ("JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG")


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    interactive = sys.modules.get("IPython")
    return (
        interactive is not None
        and type(interactive.get_ipython()).__name__ == "ZMQInteractiveShell"
    )


def is_watched() -> bool:
    """Whether somebody sees a bar move: in a terminal, or in a notebook that is open.

    Raises:
        ValueError: if :data:`SWITCH` is neither ``0`` nor ``1``.
    """
    wanted = os.environ.get(SWITCH, "")
    if wanted not in ("", "0", "1"):
        raise ValueError(
            f"{SWITCH}={wanted!r}: expected 0 (no progress bars), 1 (always), or nothing"
        )
    if wanted:
        return wanted == "1"
    if in_notebook():
        return any(name in os.environ for name in _LIVE)
    # a bar goes to stderr; where stdout is redirected the run is a batch job, whose log it would
    # fill
    return sys.stdout.isatty() and sys.stderr.isatty()


def progress_bar(
    name: str, done: int, total: int, shown: bool | None = None, unit: str = "step", **more: Any
) -> tqdm:
    """A bar that leaves nothing behind.

    Args:
        done, total: steps done before, and in all.
        shown: show it or not (default: if somebody watches).
        unit: what is counted.
        more: further settings of ``tqdm``, such as ``delay``, seconds before a bar appears.
    """
    shown = is_watched() if shown is None else shown
    kind = live_tqdm if shown and in_notebook() else tqdm
    return kind(
        desc=name, initial=done, total=total, unit=unit, disable=not shown, leave=False, **more
    )


def bytes_bar(name: str, total: int) -> tqdm:
    """A bar over bytes, in megabytes, for somebody who watches."""
    return progress_bar(name, 0, total, unit="B", unit_scale=True)
