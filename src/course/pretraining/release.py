"""Put finished weights into the package: ``python -m course.pretraining.release FOLDER`` after
``make pretrain``.

Only whole models are shipped, and all that are to be shipped at once, so that the package never
holds models of two worlds. What is tuned from them comes afterwards: see :func:`add`.
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from transformers import AutoTokenizer

from course.foundation import atomic_folder, checked_name, write_text
from course.models.shipped import HASHES, RECORD, WEIGHTS
from course.pretraining.recipes import RECIPES, Recipe
from course.pretraining.tokenizer import build_tokenizer
from course.world.vocabulary import vocabulary

#: What all shipped files may weigh together, in bytes.
LIMIT = 40_000_000
#: What a folder of weights holds, for the message about one that holds more.
_HOLDS = f"the files that its {HASHES.name} lists"
_FROM_TRAINING = ("config.json", "model.safetensors", RECORD)


def ship(source: Path, names: Sequence[str] = tuple(RECIPES), target: Path = WEIGHTS) -> int:
    """Copy the models ``names`` of ``source`` into ``target`` and write their hashes; returns the
    bytes shipped.

    Raises:
        FileNotFoundError: if a model is not finished.
        ValueError: if a model was trained by another recipe or with another vocabulary than the
            package has now, or if all together weigh more than :data:`LIMIT`.
        FileExistsError: if ``target`` holds other files than the weights that it lists.
    """
    missing = [name for name in names if not (source / name / RECORD).exists()]
    if missing:
        raise FileNotFoundError(
            f"not finished in {source}: {', '.join(missing)}; run 'make pretrain' first"
        )
    with atomic_folder(target, _only_weights, _HOLDS) as staged:
        for name in names:
            recipe = RECIPES[name]
            (staged / name).mkdir()
            _check(source / name, recipe)
            for file in _FROM_TRAINING:
                shutil.copy(source / name / file, staged / name / file)
            build_tokenizer(recipe.kind).save_pretrained(staged / name)
        return _list_hashes(staged)


def add(source: Path, name: str, target: Path = WEIGHTS) -> int:
    """Copy one more folder of files, such as an adapter, into ``target`` as ``name``; returns the
    bytes shipped in all.

    :func:`ship` leaves out what was added: it belongs to weights that are replaced, so it has to be
    made again.

    Raises:
        ValueError: for the name of a pretrained model or one that is a path, or if all together
            weigh more than :data:`LIMIT`.
        FileExistsError: if ``target`` holds other files than the weights that it lists.
    """
    checked_name(name, "model")
    if name in RECIPES:
        raise ValueError(f"{name!r} is the name of a pretrained model; choose another one")
    with atomic_folder(target, _only_weights, _HOLDS) as staged:
        replaced = {name, HASHES.name}
        shutil.copytree(
            target,
            staged,
            ignore=lambda folder, _: replaced if Path(folder) == target else (),
            dirs_exist_ok=True,
        )
        shutil.copytree(source, staged / name)
        return _list_hashes(staged)


def _only_weights(folder: Path) -> bool:
    """Whether a folder holds what :func:`ship` and :func:`add` write, and nothing else."""
    if not (folder / HASHES.name).is_file():
        return False
    listed = {HASHES.name, *json.loads((folder / HASHES.name).read_text(encoding="utf-8"))}
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    } <= listed


def _list_hashes(staged: Path) -> int:
    """Write the list of hashes beside what is staged; the bytes shipped."""
    files = sorted(path for path in staged.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    if size > LIMIT:
        raise ValueError(
            f"{size / 1e6:.1f} MB to ship: expected at most {LIMIT / 1e6:.0f} MB; "
            "train fewer or smaller models"
        )
    hashes = {
        path.relative_to(staged).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
    write_text(staged / HASHES.name, json.dumps(hashes, indent=1) + "\n")
    return size


def _check(folder: Path, recipe: Recipe) -> None:
    """Refuse weights whose words would have other numbers, or that another recipe made."""
    if json.loads((folder / RECORD).read_text(encoding="utf-8"))["recipe"] != asdict(recipe):
        raise ValueError(
            f"{folder} was trained by another recipe than {recipe.name} has now; train it again"
        )
    if AutoTokenizer.from_pretrained(folder, local_files_only=True).get_vocab() != vocabulary():
        raise ValueError(
            f"{folder} was trained with another vocabulary than the world has now; train it again"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Put finished weights into the package.")
    parser.add_argument(
        "source",
        type=Path,
        nargs="?",
        default=Path("pretrained"),
        help="the folder that 'make pretrain' wrote",
    )
    parser.add_argument(
        "--names",
        nargs="+",
        default=list(RECIPES),
        choices=list(RECIPES),
        help="which models (default: all)",
    )
    chosen = parser.parse_args()
    size = ship(chosen.source, chosen.names)
    print(f"{len(chosen.names)} models, {size / 1e6:.1f} MB, in {WEIGHTS}")
    print("next: python -m course.finetuning.release, for what is tuned from them")


if __name__ == "__main__":
    main()
