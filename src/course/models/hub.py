"""The Hugging Face hub: which tier is in force, which revision of a repository is used, and how its
files are fetched.

Everything that the hub tier loads comes through :func:`fetch`. A repository's newest revision is
looked up once and kept in a lock file. Only data is fetched (weights in safetensors, tokenizers,
tables), neither code nor pickles. What is complete in the cache is used without asking the network,
and every failure is a :class:`HubError` that says what to do.

Time-outs are those of ``huggingface_hub`` (``HF_HUB_ETAG_TIMEOUT``, ``HF_HUB_DOWNLOAD_TIMEOUT``, in
seconds), which also resumes files that were cut off. ``COURSE_HUB_TRIES`` says how often a hub that
does not answer is asked before giving up.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from huggingface_hub import HfApi, constants, get_cached_repo_tree, get_session, snapshot_download
from huggingface_hub.errors import (
    CachedRepoTreeNotFoundError,
    HfHubHTTPError,
    HTTPError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors import SafetensorError

from course.foundation import write_text

if TYPE_CHECKING:
    from httpx import Request

TIERS = ("tiny", "index", "hub")
#: File in which the hub tier records the revision that it first saw of each repository, and which
#: later runs honour.
LOCK_FILE = "course-hub-lock.json"
#: What is fetched of a checkpoint (from its top folder) and of a data set. Neither list has
#: anything that can be executed.
MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
DATA_FILES = ("*.parquet", "README.md", "dataset_infos.json")
#: Seconds before a hub that did not answer is asked a second time; the waits double.
WAIT = 1.0
#: Seconds to wait for another process that writes the lock file.
_LOCK_SECONDS = 60
_COMMIT = re.compile("[0-9a-f]{40}")
#: Answers of a server that may be different the next time.
_PASSING = (408, 429, 500, 502, 503, 504)


class HubError(RuntimeError):
    """A repository of the hub that cannot be found, fetched or loaded, and what to do about it."""


def tier(wanted: str | None = None) -> str:
    """The tier in force: the argument, else ``COURSE_TIER``, else ``"tiny"``.

    Raises:
        ValueError: for another word than those of :data:`TIERS`.
    """
    value = wanted or os.environ.get("COURSE_TIER") or "tiny"
    if value not in TIERS:
        raise ValueError(
            f"tier {value!r}: expected {', '.join(map(repr, TIERS))}; "
            "set COURSE_TIER to one of them or unset it"
        )
    return value


def is_real(wanted_tier: str | None = None) -> bool:
    """Whether the models of a tier are real ones, which read plain English, and not the course's
    own.
    """
    return tier(wanted_tier) != "tiny"


def tries() -> int:
    """How often a hub that does not answer is asked: ``COURSE_HUB_TRIES``, else 3.

    Raises:
        ValueError: for anything but a positive whole number.
    """
    value = os.environ.get("COURSE_HUB_TRIES") or "3"
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(
            f"COURSE_HUB_TRIES is {value!r}: expected a positive whole number; "
            "set it to one or unset it"
        )
    return int(value)


def locked_revision(repository: str, kind: str = "model", lock: Path | None = None) -> str:
    """The revision of a repository: the lock file's, else the newest, which is then recorded there.

    Args:
        repository: its name on the hub.
        kind: ``"model"`` or ``"dataset"``; data sets are recorded as ``datasets/NAME``.
        lock: the lock file (default: :data:`LOCK_FILE` in the working directory).

    Raises:
        HubError: if the lock file is damaged or cannot be written, or if the hub does not name a
            revision.
    """
    path = lock or Path(LOCK_FILE)
    locked = _read_lock(path)
    entry = repository if kind == "model" else f"{kind}s/{repository}"
    if entry not in locked:
        with _clear_errors(repository, None):
            newest = _revision_on_hub(repository, kind, None)
        if newest is None or not _is_commit(newest):
            raise HubError(
                f"{constants.ENDPOINT} names the revision {newest!r} for {repository}: "
                "expected the 40 hexadecimal digits of a "
                "commit; check that HF_ENDPOINT, if it is set, is the address of a hub"
            )
        return _lock_in(path, entry, newest)
    return locked[entry]


def _read_lock(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    again = "delete it, and the next run looks the newest revisions up anew"
    try:
        locked = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HubError(
            f"{path} is damaged ({error}): expected JSON that maps repositories to revisions; "
            f"{again}"
        ) from error
    if not isinstance(locked, dict):
        raise HubError(
            f"{path} is damaged: expected a map of repositories to revisions, found {locked!r}; "
            f"{again}"
        )
    for entry, revision in locked.items():
        if not _is_commit(revision):
            raise HubError(
                f"{path} names the revision {revision!r} for {entry}: "
                "expected the 40 hexadecimal digits of a commit; "
                "delete that entry, and the next run looks the newest revision up anew"
            )
    return locked


def _is_commit(revision: object) -> bool:
    return isinstance(revision, str) and _COMMIT.fullmatch(revision) is not None


def _lock_in(path: Path, entry: str, newest: str) -> str:
    """Record a revision, and return it; one that another process recorded meanwhile counts."""
    try:
        with FileLock(path.absolute().with_name(f".{path.name}.lock"), timeout=_LOCK_SECONDS):
            locked = {entry: newest} | _read_lock(path)
            write_text(path, json.dumps(dict(sorted(locked.items())), indent=1) + "\n")
            return locked[entry]
    except OSError as error:
        raise HubError(
            f"{path.absolute()} cannot be written ({error}), "
            "so no later run would use the same revisions; "
            "run from a folder that you may write to"
        ) from error


def fetch(repository: str, kind: str = "model", without: tuple[str, ...] = ()) -> Path:
    """The folder with a repository's files at the locked revision, from the cache or else from the
    hub.

    Args:
        repository: its name on the hub.
        kind: ``"model"`` or ``"dataset"``.
        without: patterns of files that are not needed.

    Raises:
        HubError: if the hub, the repository or the revision cannot be reached, or a file does not
            arrive whole.
    """
    revision = locked_revision(repository, kind)
    wanted: dict[str, Any] = {
        "repo_id": repository,
        "repo_type": kind,
        "revision": revision,
        "allow_patterns": list(MODEL_FILES if kind == "model" else DATA_FILES),
        # an adapter beside the weights would be loaded with them, without a word
        "ignore_patterns": [*without, *(["*/*", "adapter_*"] if kind == "model" else [])],
    }
    try:
        # without a listing of the repository nobody knows whether the cache has all of it
        get_cached_repo_tree(repository, repo_type=kind, revision=revision)
        return Path(snapshot_download(**wanted, local_files_only=True))
    except (CachedRepoTreeNotFoundError, LocalEntryNotFoundError, IncompleteSnapshotError):
        pass
    with _clear_errors(repository, revision):
        _revision_on_hub(repository, kind, revision)
        _limit_waiting()
        return Path(snapshot_download(**wanted))


def _revision_on_hub(repository: str, kind: str, revision: str | None) -> str | None:
    """The full name of a revision, as the hub gives it (None: the newest); a failure that may pass
    is tried again, :func:`tries` times in all.
    """
    allowed, attempt, timeout = tries(), 0, constants.HF_HUB_ETAG_TIMEOUT
    while True:
        attempt += 1
        try:
            return (
                HfApi()
                .repo_info(repository, repo_type=kind, revision=revision, timeout=timeout)
                .sha
            )
        except HTTPError as error:
            final = isinstance(error, HfHubHTTPError) and error.response.status_code not in _PASSING
            if final or attempt == allowed:
                raise
            time.sleep(WAIT * 2 ** (attempt - 1))


def _limit_waiting() -> None:
    """Give the requests that ``huggingface_hub`` sends without a time-out the one of its other
    requests.
    """
    session = get_session()
    hooks = session.event_hooks
    if _set_limit not in hooks["request"]:
        session.event_hooks = {**hooks, "request": [*hooks["request"], _set_limit]}


def _set_limit(request: "Request") -> None:
    limits = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        k: constants.HF_HUB_DOWNLOAD_TIMEOUT if v is None else v for k, v in limits.items()
    }


@contextmanager
def _clear_errors(repository: str, revision: str | None) -> Iterator[None]:
    """Turn what goes wrong between here and the hub into a :class:`HubError`."""
    try:
        yield
    except (HTTPError, OSError, json.JSONDecodeError) as error:
        raise HubError(_explanation(error, repository, revision)) from error


def _explanation(error: Exception, repository: str, revision: str | None) -> str:
    what = (
        f"{repository} at revision {revision}"
        if revision
        else f"the newest revision of {repository}"
    )
    causes = [error, error.__cause__]
    status = next((e.response.status_code for e in causes if isinstance(e, HfHubHTTPError)), None)
    if isinstance(error, RevisionNotFoundError):
        return (
            f"{repository} has no revision {revision}, which {LOCK_FILE} names; delete that entry, "
            "and the next run looks the newest revision up anew"
        )
    if isinstance(error, RepositoryNotFoundError) or (
        status in (401, 403, 404) and not isinstance(error, RemoteEntryNotFoundError)
    ):
        return (
            f"{what} cannot be read (HTTP {status}): it does not exist, "
            "or it is private or gated; check the name at "
            f"{constants.ENDPOINT}/{repository}, or accept its terms there and log in with 'hf "
            "auth login'"
        )
    if any(isinstance(e, OfflineModeIsEnabled) for e in causes):
        return (
            f"{what} is not complete in the cache, and HF_HUB_OFFLINE forbids fetching it; "
            "unset it for the first run"
        )
    reason = (str(error.__cause__ or error).strip() or type(error).__name__).splitlines()[0]
    return (
        f"{what} did not arrive from {constants.ENDPOINT}: {reason}; "
        f"expected an answer within {constants.HF_HUB_ETAG_TIMEOUT} "
        "seconds and every file whole; check the connection and run again, "
        "what has arrived is kept"
    )


def described(repository: str | None, folder: Path) -> str:
    """A checkpoint or data set in words: from the hub with its revision, or a folder of the user's
    (``repository`` None).
    """
    return (
        f"{repository} at revision {folder.name}" if repository else f"the checkpoint in {folder}"
    )


@contextmanager
def loading(repository: str | None, folder: Path, again: str | None = None) -> Iterator[None]:
    """Turn the errors of files that do not load into a :class:`HubError` that names them.

    Args:
        again: what to do about it (default: fetch a repository anew, save a folder anew).

    The files are a stranger's, and the libraries that read them raise whatever comes up
    (``tokenizers`` a plain ``Exception``).
    """
    try:
        yield
    except (HubError, MemoryError):
        raise
    except Exception as error:
        if again is None and repository is None:
            again = "save it anew with save_pretrained, or choose another folder"
        elif again is None:
            again = f"delete {folder.parents[1]} to fetch it anew, or choose another repository"
        raise HubError(
            f"{described(repository, folder)} does not load: {_in_words(error)}; {again}"
        ) from error


def _in_words(error: Exception) -> str:
    """What an error says, on one line; the libraries' messages can be long, or be a key alone."""
    message = " ".join(str(error).split())[:1000]
    from datasets.exceptions import DatasetsError  # takes half a second to import

    named = isinstance(error, (OSError, ValueError, SafetensorError, DatasetsError)) and message
    return message if named else f"{type(error).__name__} {message}".strip()
