"""Put finished weights into the package: ``python -m course.shipping FOLDER`` after ``make pretrain``.

Only whole models are shipped, all of :data:`course.recipes.RECIPES` together, so that their hashes always fit one another.
"""

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path

from course.models import HASHES, WEIGHTS
from course.pretrain import RECORD
from course.recipes import RECIPES
from course.tokenizer import build_tokenizer

#: What all shipped files may weigh together, in bytes.
LIMIT = 30_000_000
_FROM_TRAINING = ("config.json", "generation_config.json", "model.safetensors", RECORD)


def ship(source: Path, target: Path = WEIGHTS, hashes: Path = HASHES) -> int:
    """Copy the models of ``source`` into ``target`` and write their hashes; returns the bytes shipped.

    Raises:
        FileNotFoundError: if a model is not finished.
        ValueError: if all together weigh more than :data:`LIMIT`.
    """
    missing = [name for name in RECIPES if not (source / name / RECORD).exists()]
    if missing:
        raise FileNotFoundError(f"not finished in {source}: {', '.join(missing)}; run 'make pretrain' first")
    staged = target.with_name(target.name + ".part")
    shutil.rmtree(staged, ignore_errors=True)
    for name, recipe in RECIPES.items():
        (staged / name).mkdir(parents=True)
        for file in _FROM_TRAINING:
            if (source / name / file).exists():
                shutil.copy(source / name / file, staged / name / file)
        build_tokenizer(recipe.kind).save_pretrained(staged / name)
    files = sorted(path for path in staged.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    if size > LIMIT:
        raise ValueError(f"{size / 1e6:.1f} MB to ship: expected at most {LIMIT / 1e6:.0f} MB; train fewer or smaller models")
    found = {str(path.relative_to(staged)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (staged / hashes.name).write_text(json.dumps(found, indent=1) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    os.replace(staged, target)
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description="Put finished weights into the package.")
    parser.add_argument("source", type=Path, nargs="?", default=Path("pretrained"), help="the folder that 'make pretrain' wrote")
    size = ship(parser.parse_args().source)
    print(f"{len(RECIPES)} models, {size / 1e6:.1f} MB, in {WEIGHTS}")


if __name__ == "__main__":
    main()
