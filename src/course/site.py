"""Where the course lives. The address stands in the package's metadata (pyproject.toml) and nowhere else in code."""

from importlib.metadata import metadata, version

DISTRIBUTION = "finetuning-vs-prompting"


def repository() -> str:
    """The repository's address, from ``[project.urls]`` of pyproject.toml."""
    entries = metadata(DISTRIBUTION).get_all("Project-URL") or []
    return next(entry.split(", ", 1)[1] for entry in entries if entry.startswith("Repository,"))


def tag() -> str:
    """The tag of this version, which Colab installs."""
    return f"v{version(DISTRIBUTION)}"


def colab(notebook: str) -> str:
    """The address that opens a notebook (``"01-two-expectations"``) in Colab."""
    owner_and_name = repository().removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{owner_and_name}/blob/main/notebooks/{notebook}.ipynb"


def binder() -> str:
    """The address that opens the notebooks in Binder."""
    return f"https://mybinder.org/v2/gh/{repository().removeprefix('https://github.com/')}/main?urlpath=lab/tree/notebooks"


def install_line() -> str:
    """What a notebook in Colab installs."""
    return f"git+{repository()}@{tag()}"
