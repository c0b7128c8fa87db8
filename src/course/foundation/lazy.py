"""Lazy imports of a package: its public names load on first use, so that importing it is cheap."""

from collections.abc import Callable
from importlib import import_module


def lazy_names(
    package: str, names: dict[str, list[str]]
) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """``__all__``, ``__getattr__`` and ``__dir__`` of a package (PEP 562).

    Args:
        package: its ``__name__``.
        names: module of the package -> the names of it that the package hands on.
    """
    homes = {name: module for module, listed in names.items() for name in listed}
    public = sorted(homes)

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}; choose from {', '.join(public)}"
            )
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return public, load, lambda: public
