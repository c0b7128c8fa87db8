"""From the corpus to weights: ``python -m course.pretraining.train NAME ...`` (or ``accelerate
launch -m course.pretraining.train NAME``).

Training is a pure function of the recipe: batch ``i`` is stream ``i`` of the corpus. So a run that
was killed goes on from its last checkpoint and ends in the same weights, and several processes
share each batch's rows.

The products are computed in bfloat16 where the processor has instructions for it, else in single
precision; the record says which. Matrices are trained by Muon (Jordan et al. 2024), everything else
by AdamW.
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from course.foundation import write_bytes, write_text
from course.foundation.validation import integer, number, one_of, optional
from course.models.loading import RECORD
from course.pretraining.packing import pack_for_bert, pack_for_gpt
from course.pretraining.recipes import RECIPES, Recipe
from course.pretraining.tokenizer import build_tokenizer
from course.training import checkpoints
from course.training.packing import IGNORED, Batch, attention_mask
from course.training.precision import PRECISIONS, autocast, best_precision, new_accelerator
from course.training.schedule import rate_at
from course.world.corpus import Corpus

CHECKPOINT = "checkpoint.safetensors"
WEIGHT_DECAY = 0.01


def batch_at(recipe: Recipe, step: int) -> Batch:
    """The whole batch of a step, over all processes."""
    stream = Corpus(recipe.seed, recipe.relabel).stream(step)
    if recipe.kind == "gpt":
        return pack_for_gpt(stream, recipe.rows, recipe.length)
    return pack_for_bert(stream, recipe.rows, recipe.length, [recipe.seed, step])


def packed_logits(model, batch: Batch) -> torch.Tensor:
    """The logits of a batch, (B, T, V), every document read as if it stood alone."""
    device = next(model.parameters()).device
    ids, document, position = (
        torch.from_numpy(part).to(device) for part in (batch.ids, batch.document, batch.position)
    )
    causal = getattr(model, "module", model).config.model_type != "bert"
    return model(
        input_ids=ids, attention_mask=attention_mask(document, causal), position_ids=position
    ).logits


def summed_loss(model, batch: Batch) -> torch.Tensor:
    """The summed cross-entropy (nats) of a batch's labels."""
    logits = packed_logits(model, batch)
    labels = torch.from_numpy(batch.labels).to(logits.device)
    return cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def new_optimizers(model, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between the embeddings and the output, AdamW for everything else."""
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        (
            matrices
            if parameter.ndim == 2 and "embed" not in name and "decoder" not in name
            else others
        ).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=recipe.muon_rate, weight_decay=WEIGHT_DECAY),
        torch.optim.AdamW(
            others, lr=recipe.adam_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        ),
    ]


def rate_of(recipe: Recipe, step: int) -> float:
    """The learning rate of a step of a recipe as a share of its peak."""
    if recipe.restart is None:
        return rate_at(step, recipe.steps)
    if step < recipe.restart:
        return rate_at(step, recipe.restart)
    return 0.5 * rate_at(step - recipe.restart, recipe.steps - recipe.restart)


@dataclass
class Progress:
    """Where a run stands: steps done, seconds spent, the mean loss (nats a label) of every step so
    far, and its precision.
    """

    step: int
    seconds: float
    losses: list[float]
    precision: str


def save_checkpoint(folder: Path, recipe: Recipe, model, optimizers, progress: Progress) -> None:
    """Write weights, optimiser state and progress as one file."""
    notes = {"progress": json.dumps(asdict(progress)), "recipe": json.dumps(asdict(recipe))}
    checkpoints.save(folder / CHECKPOINT, {"model": model.state_dict()}, optimizers, notes)


def load_checkpoint(
    folder: Path, recipe: Recipe, model, optimizers, precision: str | None = None
) -> Progress:
    """Restore what :func:`save_checkpoint` wrote; a fresh :class:`Progress` if there is nothing.

    A run goes on in the precision in which it began, wherever it goes on.

    Args:
        precision: the one wanted, None for that of the checkpoint or, in a fresh run, the faster
            one.

    Raises:
        ValueError: if the checkpoint is of another recipe, or of another precision than the one
            wanted.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return Progress(0, 0.0, [], precision or best_precision(model, recipe.rows * recipe.length))
    notes = checkpoints.notes(path)
    if json.loads(notes["recipe"]) != asdict(recipe):
        raise ValueError(
            f"{path} is of another recipe than {recipe}; delete the folder, or write to another one with --to"
        )
    # older checkpoints do not say their precision; there was only one
    progress = Progress(**{"precision": "bf16"} | json.loads(notes["progress"]))
    if precision not in (None, progress.precision):
        raise ValueError(
            f"{path} was begun in {progress.precision}, not in {precision}; delete the folder, or leave the precision open"
        )
    model.load_state_dict(checkpoints.load(path, optimizers)["model"])
    return progress


def train(
    recipe: Recipe, folder: Path, checkpoint_seconds: float = 120.0, stop_after: int | None = None, bar: bool = True,
    precision: str | None = None,
) -> Progress:  # fmt: skip
    """Train a recipe to its end, from its last checkpoint if there is one.

    Args:
        folder: where checkpoints, the log and at the end the weights go.
        checkpoint_seconds: time between checkpoints.
        stop_after: leave after this step (for tests of resuming).
        bar: show a progress bar (on the first process).
        precision: one of :data:`course.training.precision.PRECISIONS`, or None for the faster one
            (:func:`course.training.precision.pays_in_bf16`).

    Returns:
        :class:`Progress` at the end.

    Raises:
        ValueError, TypeError: for impossible arguments, or as :func:`load_checkpoint`.
    """
    number(0)("checkpoint_seconds", checkpoint_seconds)
    optional(integer(0))("stop_after", stop_after)
    one_of((None, *PRECISIONS))("precision", precision)
    folder.mkdir(parents=True, exist_ok=True)
    end = recipe.steps if stop_after is None else min(stop_after, recipe.steps)
    with new_accelerator() as accelerator:
        progress = _train(accelerator, recipe, folder, checkpoint_seconds, end, bar, precision)
        accelerator.wait_for_everyone()
        accelerator.end_training()
    return progress


def _train(
    accelerator: Accelerator,
    recipe: Recipe,
    folder: Path,
    checkpoint_seconds: float,
    end: int,
    bar: bool,
    precision: str | None,
) -> Progress:
    """Train up to step ``end``."""
    plain = recipe.new_model().to(accelerator.device)
    # on a CPU the plain matrix products are a fifth faster than fused attention at a window of 256
    plain.set_attn_implementation("eager")
    optimizers = new_optimizers(plain, recipe)
    progress = load_checkpoint(folder, recipe, plain, optimizers, precision)
    # one process decides for all: their processors may differ
    (progress.precision,) = broadcast_object_list([progress.precision])
    model = accelerator.prepare(plain).train()
    saved = started = time.monotonic()
    before = progress.seconds
    steps = tqdm(range(progress.step, end), recipe.name, end, initial=progress.step, unit="step",
                 disable=not (bar and accelerator.is_main_process), mininterval=5)  # fmt: skip
    for step in steps:
        loss = _step(accelerator, model, optimizers, recipe, step, progress.precision)
        now = time.monotonic()
        progress.losses.append(loss)
        progress.step, progress.seconds = step + 1, before + now - started
        steps.set_postfix(loss=f"{loss:.3f}", refresh=False)
        if accelerator.is_main_process and (
            now - saved > checkpoint_seconds or progress.step == end
        ):
            save_checkpoint(folder, recipe, plain, optimizers, progress)
            saved = now
    if accelerator.is_main_process and progress.step == recipe.steps:
        export(recipe, plain, progress, folder)
    return progress


def _step(
    accelerator: Accelerator, model, optimizers, recipe: Recipe, step: int, precision: str
) -> float:
    """One optimiser step; the mean loss over the whole batch, in nats a label."""
    batch = batch_at(recipe, step)
    with autocast(accelerator.device, precision):
        loss = summed_loss(model, batch.rows(accelerator.process_index, accelerator.num_processes))
    # the gradients of the processes are averaged, so each counts its sum times their number over
    # all labels
    accelerator.backward(loss * (accelerator.num_processes / batch.predicted))
    for optimizer, peak in zip(optimizers, (recipe.muon_rate, recipe.adam_rate), strict=True):
        optimizer.param_groups[0]["lr"] = peak * rate_of(recipe, step)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return accelerator.reduce(loss.detach(), "sum").item() / batch.predicted


def export(recipe: Recipe, model, progress: Progress, folder: Path) -> None:
    """Write the finished model in half precision with its tokenizer and the record of its training."""
    half = recipe.new_model().half()
    half.load_state_dict(model.state_dict())
    with tempfile.TemporaryDirectory() as temporary:
        half.save_pretrained(temporary)
        build_tokenizer(recipe.kind).save_pretrained(temporary)
        # one file after the other, whole: what is there may be shipped while it is written again
        for path in Path(temporary).iterdir():
            write_bytes(folder / path.name, path.read_bytes())
    record = {
        "recipe": asdict(recipe),
        "parameters": sum(p.numel() for p in model.parameters()),
        "tokens": recipe.tokens,
        "seconds": round(progress.seconds),
        "precision": progress.precision,
        "losses": [round(sum(part) / len(part), 4) for part in _parts(progress.losses, 100)],
    }
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")


def _parts(values: list[float], count: int) -> list[list[float]]:
    size = max(1, len(values) // count)
    return [values[i : i + size] for i in range(0, len(values), size)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description="Pretrain the course's models; a stopped run goes on where it was."
    )
    parser.add_argument(
        "names", nargs="*", help=f"which models (default: all): {', '.join(RECIPES)}"
    )
    parser.add_argument(
        "--to", type=Path, default=Path("pretrained"), help="folder for checkpoints and weights"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="number format (default: the faster one on this machine)",
    )
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.names if name not in RECIPES]:
        parser.error(f"no such model: {', '.join(unknown)}; choose from {', '.join(RECIPES)}")
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    for name in chosen.names or RECIPES:
        if not (chosen.to / name / RECORD).exists():
            train(RECIPES[name], chosen.to / name, precision=chosen.precision)


if __name__ == "__main__":
    main()
