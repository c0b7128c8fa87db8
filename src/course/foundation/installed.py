"""Stale modules in a notebook kernel: loaded in one version, installed in another.

``pip`` may replace a package whose old version is loaded already: the first cell of a notebook
installs the course in a kernel that was started before. Old and new modules then mix, with errors
that name neither.
"""

import re
import sys
from importlib import metadata

DISTRIBUTION = "finetuning-vs-prompting"
#: Distributions whose module has another name.
_MODULES = {"scikit-learn": "sklearn"}


def replaced() -> dict[str, tuple[str, str]]:
    """Dependencies of the course that were loaded in one version and are installed in another.

    Returns:
        Module -> (the version that is loaded, the version that is installed).
    """
    pairs = {}
    for requirement in metadata.requires(DISTRIBUTION) or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        module = _MODULES.get(name, name)
        loaded = getattr(sys.modules.get(module), "__version__", None)
        # what an extra asks for need not be installed
        if loaded is not None and ";" not in requirement:
            pairs[module] = (loaded, metadata.version(name))
    # torch says "2.13.0+cpu" where its metadata says "2.13.0"
    return {
        module: (a, b) for module, (a, b) in pairs.items() if a.split("+")[0] != b.split("+")[0]
    }


def check() -> None:
    """Do nothing if what is loaded is what is installed.

    Raises:
        RuntimeError: if an installation replaced a module that was loaded.
    """
    if changed := replaced():
        each = [
            f"{module} (loaded {old}, installed {new})" for module, (old, new) in changed.items()
        ]
        raise RuntimeError(
            "restart the kernel (in Colab: Runtime, Restart session), then run all cells: the "
            f"installation replaced {', '.join(sorted(each))}"
        )
