"""Release of the instruction-tuned model: ``python -m course.finetuning.release`` makes the adapter
that the package ships.
"""

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from course.finetuning.instruction_tuning import (
    BASE,
    TUNED,
    Tuning,
    others,
    train_copy,
)
from course.foundation import write_text
from course.lm.language_model import load
from course.models.shipped import ADAPTER, RECORD, weights_sha256
from course.pretraining import release

#: How the shipped model is tuned: on everything, asked in every form. Steps and learning rate are
#: the best of those that the study ``tuning-settings`` tried on validation items of other clusters.
SHIPPED = Tuning(others(), steps=240, learning_rate=3e-3, rank=8)


def ship(tuning: Tuning = SHIPPED, target: Path = release.WEIGHTS) -> int:
    """Tune the model that the package ships and put its adapter, in half precision, beside the
    others; returns the bytes shipped in all.
    """
    model, history = train_copy(load(BASE, "tiny"), tuning)
    model.half()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / TUNED
        model.save_pretrained(folder, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)
        config = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
        # a set in peft, so it would come in another order each time
        config |= {
            "base_model_name_or_path": BASE,
            "target_modules": sorted(config["target_modules"]),
        }
        record = {
            "base": BASE,
            "base_sha256": weights_sha256(BASE),
            "again": "make it again with 'python -m course.finetuning.release'",
            "tuning": asdict(tuning),
            "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "tokens": history.tokens,
            "seconds": round(history.seconds),
            "losses": [round(loss, 4) for loss in history.losses],
        }
        for name, content in ((ADAPTER, config), (RECORD, record)):
            write_text(folder / name, json.dumps(content, indent=1) + "\n")
        return release.add(folder, TUNED, target)


def main(arguments: list[str] | None = None) -> None:
    argparse.ArgumentParser(
        description=f"Tune {BASE} on all instructions and put {TUNED} into the package."
    ).parse_args(arguments)
    print(f"{TUNED} added; {ship() / 1e6:.1f} MB in all")


if __name__ == "__main__":
    main()
