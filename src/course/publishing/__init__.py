"""Build the book: execute the paired notebooks, and write the address of the course into all
that follows from it.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "notebooks": ["execute", "fresh_notebook", "paired_pages"],
        "site": ["set_address"],
    },
)
