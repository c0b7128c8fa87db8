"""Pretraining loop, from the corpus to weights: ``python -m course.pretraining.train NAME ...`` (or
``accelerate launch -m course.pretraining.train NAME``).

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
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch.nn.functional import cross_entropy
from transformers import PreTrainedConfig, PreTrainedModel

from course.foundation import write_bytes, write_text
from course.foundation.progress import progress_bar
from course.foundation.validation import integer, number, one_of, optional
from course.models.shipped import RECORD
from course.pretraining.packing import masked_share, pack_for_bert, pack_for_gpt
from course.pretraining.recipes import RECIPES, Recipe
from course.pretraining.tokenizer import build_tokenizer
from course.training.checkpoints import RunCheckpoint
from course.training.packing import IGNORED, Batch, attention_mask
from course.training.precision import PRECISIONS, autocast, best_precision
from course.training.processes import accelerator_or_new, data_parallel
from course.training.schedule import rate_at
from course.world.corpus import Corpus

CHECKPOINT = "checkpoint.safetensors"
WEIGHT_DECAY = 0.01


def batch_at(recipe: Recipe, step: int) -> Batch:
    """The whole batch of a step, over all processes."""
    stream = Corpus(recipe.seed, recipe.relabel).stream(step)
    if recipe.kind == "gpt":
        return pack_for_gpt(stream, recipe.rows, recipe.length)
    share = masked_share(step, recipe.steps)
    return pack_for_bert(stream, recipe.rows, recipe.length, share, [recipe.seed, step])


def packed_logits(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """The logits of a batch, (B, T, V), every document read as if it stood alone."""
    device = next(model.parameters()).device
    ids, document, position = (
        torch.from_numpy(part).to(device) for part in (batch.ids, batch.document, batch.position)
    )
    config: PreTrainedConfig = getattr(model, "module", model).config
    causal = config.model_type != "modernbert"
    return model(
        input_ids=ids, attention_mask=attention_mask(document, causal), position_ids=position
    ).logits


def summed_loss(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """The summed cross-entropy (nats) of a batch's labels."""
    logits = packed_logits(model, batch)
    labels = torch.from_numpy(batch.labels).to(logits.device)
    return cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def new_optimizers(model: PreTrainedModel, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between the embeddings and the output, AdamW for everything else."""
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        inner = parameter.ndim == 2 and "embed" not in name and "decoder" not in name
        (matrices if inner else others).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=recipe.muon_rate, weight_decay=WEIGHT_DECAY),
        torch.optim.AdamW(
            others, lr=recipe.adam_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        ),
    ]


@dataclass
class Progress:
    """Where a run stands: steps done, seconds spent, the mean loss (nats a label) of every step so
    far, and its precision.
    """

    step: int
    seconds: float
    losses: list[float]
    precision: str


def resumed(
    checkpoint: RunCheckpoint, recipe: Recipe, model: PreTrainedModel, precision: str | None
) -> Progress:
    """Restore a run from its checkpoint; a fresh :class:`Progress` if there is none.

    A run goes on in the precision in which it began, wherever it goes on.

    Args:
        precision: the one wanted, None for that of the checkpoint or, in a fresh run, the faster
            one.

    Raises:
        ValueError: if the checkpoint is of another recipe, or of another precision than the one
            wanted.
    """
    if (stored := checkpoint.resume()) is None:
        return Progress(0, 0.0, [], precision or best_precision(model, recipe.rows * recipe.length))
    weights, state = stored
    progress = Progress(**state)
    if precision not in (None, progress.precision):
        raise ValueError(
            f"{checkpoint.path} was begun in {progress.precision}, not in {precision}; "
            "delete the folder, or leave the precision open"
        )
    model.load_state_dict(weights["model"])
    return progress


def train(
    recipe: Recipe,
    folder: Path,
    checkpoint_seconds: float = 120.0,
    stop_after: int | None = None,
    bar: bool | None = None,
    precision: str | None = None,
    accelerator: Accelerator | None = None,
) -> Progress:
    """Train a recipe to its end, from its last checkpoint if there is one.

    Args:
        folder: where checkpoints, the log and at the end the weights go.
        checkpoint_seconds: time between checkpoints.
        stop_after: leave after this step (for tests of resuming).
        bar: show a progress bar on the first process (default: if somebody watches, see
            :mod:`course.foundation.progress`).
        precision: one of :data:`course.training.precision.PRECISIONS`, or None for the faster one
            (:func:`course.training.precision.pays_in_bf16`).
        accelerator: the processes that train (default: a new accelerator).

    Returns:
        :class:`Progress` at the end.

    Raises:
        ValueError, TypeError: for impossible arguments, or as :func:`resumed`.
    """
    number(0)("checkpoint_seconds", checkpoint_seconds)
    optional(integer(0))("stop_after", stop_after)
    one_of((None, *PRECISIONS))("precision", precision)
    folder.mkdir(parents=True, exist_ok=True)
    accelerator = accelerator_or_new(accelerator)
    model = recipe.new_model().to(accelerator.device)
    # on a CPU the plain matrix products are a fifth faster than fused attention at a window of 256
    model.set_attn_implementation("eager")
    optimizers = new_optimizers(model, recipe)
    checkpoint = RunCheckpoint(
        folder / CHECKPOINT,
        {"recipe": json.dumps(asdict(recipe))},
        optimizers,
        checkpoint_seconds,
        "delete the folder, or write to another one with --to",
    )
    progress = resumed(checkpoint, recipe, model, precision)
    # one process decides for all: their processors may differ
    (progress.precision,) = broadcast_object_list([progress.precision])
    end = recipe.steps if stop_after is None else min(stop_after, recipe.steps)
    _train(accelerator, recipe, model, checkpoint, progress, end, bar)
    if accelerator.is_main_process and progress.step == recipe.steps:
        export(recipe, model, progress, folder)
    accelerator.wait_for_everyone()
    return progress


def _train(
    accelerator: Accelerator,
    recipe: Recipe,
    model: PreTrainedModel,
    checkpoint: RunCheckpoint,
    progress: Progress,
    end: int,
    bar: bool | None,
) -> None:
    """Train up to step ``end``; ``progress`` is brought up to date."""
    wrapped, main = data_parallel(model, accelerator).train(), accelerator.is_main_process
    started, before = time.monotonic(), progress.seconds
    with progress_bar(recipe.name, progress.step, end, bar if main else False) as shown:
        for step in range(progress.step, end):
            loss = _step(
                accelerator, wrapped, checkpoint.optimizers, recipe, step, progress.precision
            )
            progress.losses.append(loss)
            progress.step, progress.seconds = step + 1, before + time.monotonic() - started
            if main and (progress.step == end or checkpoint.is_due()):
                checkpoint.save({"model": model.state_dict()}, asdict(progress))
            shown.set_postfix(loss=f"{loss:.3f}", refresh=False)
            shown.update()


def _step(
    accelerator: Accelerator,
    model: torch.nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    recipe: Recipe,
    step: int,
    precision: str,
) -> float:
    """One optimiser step; the mean loss over the whole batch, in nats a label."""
    batch, count = batch_at(recipe, step), accelerator.num_processes
    with autocast(accelerator.device, precision):
        loss = summed_loss(model, batch.rows(accelerator.process_index, count))
    # the gradients of the processes are averaged, so each counts its sum times their number over
    # all labels
    (loss * (count / batch.num_targets)).backward()
    share = rate_at(step, recipe.steps)
    for optimizer, peak in zip(optimizers, (recipe.muon_rate, recipe.adam_rate), strict=True):
        optimizer.param_groups[0]["lr"] = peak * share
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return accelerator.reduce(loss.detach(), "sum").item() / batch.num_targets


def export(recipe: Recipe, model: PreTrainedModel, progress: Progress, folder: Path) -> None:
    """Write the finished model in half precision, its tokenizer and the record of its training."""
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
        "device": _device_name(next(model.parameters()).device),
        "losses": [round(sum(part) / len(part), 4) for part in _parts(progress.losses, 100)],
    }
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")


def _device_name(device: torch.device) -> str:
    """What a model is trained on, as its record has it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()


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
    accelerator = accelerator_or_new(None)
    for name in chosen.names or RECIPES:
        if not (chosen.to / name / RECORD).exists():
            train(
                RECIPES[name],
                chosen.to / name,
                bar=True,
                precision=chosen.precision,
                accelerator=accelerator,
            )
    accelerator.end_training()


if __name__ == "__main__":
    main()
