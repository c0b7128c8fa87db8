"""Build the book: execute the paired notebooks, and write the address of the course into all
that follows from it.
"""

from course.foundation.lazy import lazy_names

_NAMES = {
    "notebooks": ["execute", "fresh_notebook", "paired_pages"],
    "site": ["set_address"],
}
__all__ = ["execute", "fresh_notebook", "paired_pages", "set_address"]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
