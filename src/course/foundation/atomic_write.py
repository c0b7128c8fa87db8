"""Atomic writes: files and folders whole or not at all, on Linux, macOS and Windows.

Everything is first written beside its place under a name that no other writer has, and then
renamed. Until the new one stands, the old one is kept; when anything goes wrong, nothing is left
over. A writer that was killed can clear up nothing: what it left is removed by a later one, when it
is a day old.
"""

import errno
import os
import re
import shutil
import stat
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
# writers in other languages (safetensors) wrap the system's error into a text; the numbers are
# those of a full disk, of a quota (Linux), and of a full disk on Windows
_FULL_TEXT = re.compile(r"No space left on device|Disk quota exceeded|os error (28|122|112)\)")
#: A folder that holds something is where another is to be moved to.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
_DAY = 24 * 60 * 60
#: On Windows a virus scanner may hold a file for a moment: seconds to wait before each new try.
_WAITS = (0.05, 0.1, 0.2, 0.4) if os.name == "nt" else ()
#: How often another writer may put its own folder in first before this one gives up.
_RACES = 20


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file in UTF-8, with the line ends that the text has.

    Raises:
        OSError: if it cannot be written; for a full disk the message says what to free.
        UnicodeEncodeError: for half of a surrogate pair; nothing is written then.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Write a file.

    Raises:
        OSError: as :func:`write_text`.
    """
    with _whole_file(_file_place(path), len(data)) as temporary, open(temporary, "xb") as out:
        out.write(data)


@contextmanager
def atomic_path(path: str | os.PathLike, size: int | None = None) -> Iterator[Path]:
    """A path to write a file to, which takes its place when the block ends without an error.

    Args:
        path: where the file should stand; folders above it are created. A symlink is followed, as
            ``open`` would.
        size: bytes that will be written, as far as known, for the message when the disk is full.

    Yields:
        The path of a file beside ``path`` that is not there yet.

    Raises:
        OSError: if it cannot be written; for a full disk the message says what to free.
    """
    place = _file_place(path)
    _clear_leftovers(place)
    with _whole_file(place, size) as temporary:
        yield temporary


@contextmanager
def atomic_folder(
    path: str | os.PathLike,
    may_replace: Callable[[Path], bool] = lambda folder: False,
    expected: str = "what is written here",
    size: int | None = None,
) -> Iterator[Path]:
    """A folder to write to, which takes its place when the block ends without an error.

    Args:
        path: where the folder should stand; folders above it are created.
        may_replace: says of a folder that stands there, and is not empty, whether it may be
            deleted. It is asked before the block and again after it, as somebody may have put
            something into the folder meanwhile.
        expected: what such a folder holds, for the message.
        size: bytes that will be written, as far as known, for the message when the disk is full.

    Yields:
        An empty folder beside ``path``.

    Raises:
        ValueError: for the working directory, a folder above it, or a path that ends in ``..``.
        FileExistsError: for a symlink, a file, or a folder that may not be replaced. It stays as it
            was.
        OSError: if the folder cannot be written; for a full disk the message says what to free.
    """
    place = _folder_place(path)
    _check_replaceable(place, may_replace, expected)
    place.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(place)
    temporary = _beside(place, "part")
    temporary.mkdir()
    try:
        with _clear_when_full(place, temporary, size):
            yield temporary
            for inside in (*temporary.rglob("*"), temporary):
                _sync(inside)
        old = _move_in(temporary, place, may_replace, expected)
    except BaseException:
        _remove(temporary)
        raise
    _sync(place.parent)
    if old is not None and not _remove(old):
        warnings.warn(
            f"{place} was replaced, but what stood there cannot be deleted; delete {old} yourself",
            stacklevel=3,
        )


def _file_place(path: str | os.PathLike) -> Path:
    """Where a file is to stand: behind a symlink, and not where a folder is."""
    place = Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)
    if place.is_dir():
        raise IsADirectoryError(f"{place.absolute()} is a folder: expected the path of a file")
    if place.exists() and not os.access(place, os.W_OK):
        # a rename would get round the protection that opening it would not
        raise PermissionError(
            f"{place.absolute()} is read-only: expected a file to write over, or none yet"
        )
    return place


def _folder_place(path: str | os.PathLike) -> Path:
    """Where a folder is to stand, if that is no place that would take more with it than meant."""
    named, here = Path(path), Path.cwd().resolve()
    if named.name in ("", "..") or named.resolve() in (here, *here.parents):
        raise ValueError(
            f"{os.fspath(path)!r} is the working directory or a folder above it, or does not end "
            "in a name: expected a folder that may be replaced; name one inside, such as "
            f"{os.path.join(os.fspath(path), 'kept')!r}"
        )
    try:
        mode = named.lstat().st_mode  # asked once: another writer may replace it at this moment
    except FileNotFoundError:
        return named
    linked = stat.S_ISLNK(mode) or getattr(os.path, "isjunction", lambda _: False)(named)
    if linked or not stat.S_ISDIR(mode):
        kind = "a link" if linked else "a file"
        raise FileExistsError(
            f"{named.absolute()} is {kind}: expected a folder, or nothing yet; move it away or "
            "name another folder"
        )
    return named


def _check_replaceable(place: Path, may_replace: Callable[[Path], bool], expected: str) -> None:
    """Refuse to replace a folder, unless it is empty or the caller's own."""
    if _may_go(place, may_replace):
        return
    names = sorted(path.name for path in place.iterdir())
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    raise FileExistsError(
        f"{place.absolute()} holds {shown}: expected a new or empty folder, or one with nothing "
        f"but {expected}; it was left as it is, move it away or name another folder"
    )


def _may_go(place: Path, may_replace: Callable[[Path], bool]) -> bool:
    for _ in range(_RACES):
        if not place.exists():
            return True
        with suppress(FileNotFoundError):  # another writer replaces it at this moment
            before = place.stat()
            if not any(place.iterdir()) or may_replace(place):
                return True
            # a folder that was replaced may have been read while it was being deleted
            if os.path.samestat(before, place.stat()):
                return False
    return False


def _beside(place: Path, mark: str) -> Path:
    """A new name beside a place, no longer than a file system takes."""
    return place.with_name(f".{place.name[:40]}.{uuid4().hex}.{mark}")


@contextmanager
def _whole_file(place: Path, size: int | None) -> Iterator[Path]:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(place, "part")
    try:
        with _clear_when_full(place, temporary, size):
            yield temporary
            _sync(temporary)
        if place.exists():
            temporary.chmod(stat.S_IMODE(place.stat().st_mode))
        _rename(temporary, place)
    except BaseException:
        _remove(temporary)
        raise
    _sync(place.parent)


def _move_in(
    new: Path, place: Path, may_replace: Callable[[Path], bool], expected: str
) -> Path | None:
    """Rename a folder to its place; where the one lies that stood there.

    No system replaces a folder that holds something, so the old one is moved aside first, and back
    if the new one cannot be moved in; a writer that is killed between the two leaves it beside its
    place, under a name that ends in ``.old``. When another writer moves its own in at that moment,
    that one is replaced in its turn.
    """
    for _ in range(_RACES):
        _check_replaceable(place, may_replace, expected)
        old = _set_aside(place)
        try:
            _rename(new, place)
        except BaseException as error:
            # another writer's stood there, though it may be on its way out again by now
            if isinstance(error, OSError) and (error.errno in _TAKEN or place.exists()):
                if old is not None:
                    _remove(old)
                continue
            if old is not None and not place.exists():
                _rename(old, place)
            raise
        return old
    raise FileExistsError(
        f"{place.absolute()} is replaced by other writers all the time; name another folder"
    )


def _set_aside(place: Path) -> Path | None:
    old = _beside(place, "old")
    try:
        _rename(place, old)
    except FileNotFoundError:
        return None
    return old


def _rename(source: Path, target: Path) -> None:
    for wait in _WAITS:
        try:
            return os.replace(source, target)
        except PermissionError:
            time.sleep(wait)
    return os.replace(source, target)


def _remove(path: Path) -> bool:
    """Delete a file or folder that this module made or may delete; whether it is gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return not path.exists()


def _sync(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk: a power cut then finds it whole."""
    windows = os.name == "nt"
    if path.is_symlink() or (windows and (path.is_dir() or not os.access(path, os.W_OK))):
        return
    opened = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) if windows else os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        # some file systems (network, FUSE) cannot; the data then goes to the disk when they like
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise
    finally:
        os.close(opened)


@contextmanager
def _clear_when_full(place: Path, temporary: Path, size: int | None) -> Iterator[None]:
    """Say what to free when the disk is full."""
    try:
        yield
    except Exception as error:
        if getattr(error, "errno", None) not in _FULL and not _FULL_TEXT.search(str(error)):
            raise
        _remove(temporary)
        free = shutil.disk_usage(place.absolute().parent).free
        wanted = "it" if size is None else f"{size:,} bytes"
        more = f"at least {size - free:,} bytes" if size is not None and size > free else "space"
        raise OSError(
            errno.ENOSPC,
            f"the disk is full, {wanted} could not be written to {place.absolute()}: {free:,} "
            f"bytes are free there (a quota may allow less); free {more} on that disk, or name a "
            "place on another one, and run again; what stood there is as it was",
        ) from error


def _clear_leftovers(place: Path) -> None:
    """Remove what writers to this place that were killed left behind, once it is a day old."""
    if not place.parent.is_dir():
        return
    ours = re.compile(
        re.escape(f".{place.name[:40]}.")
        + "[0-9a-f]{32}[.]"
        + ("(part|old)" if place.exists() else "part")
    )
    for path in list(place.parent.iterdir()):
        if ours.fullmatch(path.name):
            with suppress(OSError):
                changed = max(p.lstat().st_mtime for p in (path, *path.rglob("*")))
                if time.time() - changed > _DAY:
                    _remove(path)
