"""Safe file names: a name that becomes a part of a path and never leads out of its folder."""

import re

#: Longest name in bytes of UTF-8; file systems take 255, and writers put marks of their own behind.
LONGEST = 150
# what separates folders, names a drive or a stream, or is refused by Windows
_NO_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def checked_name(name: str, what: str = "name") -> str:
    """The name itself, if it can be the name of a file on Linux, macOS and Windows.

    Args:
        what: what the name is of, for the message, e.g. ``"study"``.

    Raises:
        ValueError: for a name that is empty, too long, a path, hidden, or that some system refuses.
    """
    good = (
        isinstance(name, str)
        and 0 < len(name.encode("utf-8", "replace")) <= LONGEST
        and not _NO_NAME.search(name)
        and not _DEVICE.fullmatch(name)
        and not name.startswith(".")
        and not name.endswith((".", " "))
        and name.isprintable()
    )
    if not good:
        raise ValueError(
            f"{what} {name!r} cannot name a file: expected 1 to {LONGEST} bytes of text without "
            '/ \\ : * ? " < > | and with no dot in front; choose a plain name such as "run-1"'
        )
    return name
