"""Opening the model: its parameters are changed by examples.

One function, :func:`fit`, for everything that the course trains: heads, adapters, soft prompts,
instruction tuning, reward models. What is trained on, and with which loss, is an object of
:mod:`course.training.batches`.
"""

import hashlib
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from transformers import PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer, number, one_of, optional, share
from course.models.loading import get_base_model
from course.training import checkpoints
from course.training.batches import BatchingPlan, Data, Encoded, layout_for
from course.training.precision import PRECISIONS, autocast, best_precision, new_accelerator
from course.training.progress import progress_bar
from course.training.schedule import rate_at

#: Up to this many tokens a row, plain attention is the fastest on a CPU; above, its memory is.
_PLAIN_ATTENTION = 512


class TrainingDiverged(RuntimeError):
    """The loss or the gradient is not finite any more."""


@dataclass(frozen=True)
class FitSettings:
    """How to train.

    Attributes:
        steps: optimiser steps.
        batch_size: examples in each step, over all processes.
        learning_rate: the peak learning rate of AdamW (Loshchilov and Hutter 2019).
        warmup_ratio: share of the steps over which the rate rises; then it falls to zero in a
            straight line.
        weight_decay: of AdamW.
        max_grad_norm: longest gradient; a longer one is shortened to it.
        seed: of the order of the examples and of dropout.
        validate_every: steps between validations; there is one before the first step and one after
            the last, too.
        patience: how many validations in a row may bring no better score before training stops
            (default: it never stops early).
        precision: ``"fp32"``, ``"bf16"`` (autocast), or None for bf16 where it pays: see
            :func:`course.training.precision.pays_in_bf16`.
        max_tokens_per_batch: most tokens in one forward pass, padding included; the gradients of a
            step's passes add up.
    """

    steps: int = 60
    batch_size: int = 32
    learning_rate: float = 1e-3
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    seed: int = 0
    validate_every: int = 20
    patience: int | None = None
    precision: str | None = None
    max_tokens_per_batch: int = 16_384

    def __post_init__(self):
        check_fields(
            self, steps=integer(1), batch_size=integer(1), learning_rate=number(above=0), warmup_ratio=share(), weight_decay=number(0),
            max_grad_norm=number(above=0), seed=integer(), validate_every=integer(1), patience=optional(integer(1)),
            precision=one_of((None, *PRECISIONS)), max_tokens_per_batch=integer(1),
        )  # fmt: skip


@dataclass(frozen=True)
class History:
    """What happened in training; :func:`course.plots.learning_curve` draws it.

    Attributes:
        losses: of every step, in nats a predicted token (or a label).
        scores: (steps done, score) of every validation.
        best_step: the steps after which the model had the best score; it holds those weights. None
            without validation.
        stopped_early: whether patience ran out.
        seconds, tokens: how long it took, and the tokens that were read, padding not included.
    """

    losses: tuple[float, ...]
    scores: tuple[tuple[int, float], ...]
    best_step: int | None
    stopped_early: bool
    seconds: float
    tokens: int


@dataclass
class _Progress:
    """Where a run stands; what becomes its :class:`History`."""

    losses: list[float] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    best_step: int | None = None
    stopped_early: bool = False
    seconds: float = 0.0
    tokens: int = 0

    @property
    def step(self) -> int:
        return len(self.losses)

    def history(self) -> History:
        return History(
            **{
                **vars(self),
                "losses": tuple(self.losses),
                "scores": tuple((s, v) for s, v in self.scores),
            }
        )


#: What tells how good a model is: held-out data, whose mean loss should fall, or a function whose
#: value (accuracy, F1) should rise.
Validation = Data | Callable[[PreTrainedModel], float]


def fit(
    model: PreTrainedModel,
    data: Data,
    settings: FitSettings | None = None,
    validate: Validation | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 120.0,
    stop_after: int | None = None,
    bar: bool | None = None,
) -> History:
    """Train a model's trainable parameters in place, where the model stands.

    The same model, data, settings and machine give the same weights. Under ``accelerate launch``
    the processes share each step's examples. Afterwards the model is in evaluation mode; with
    validation it holds its best weights.

    Args:
        model: of ``transformers`` or ``peft``.
        data: e.g. of :func:`course.training.completions` or :func:`course.training.encoded`.
        validate: held-out data, whose mean loss should fall, or a function of the model whose value
            should rise.
        checkpoint: file from which the run goes on if it exists, and which is written while it
            runs. The run must be given the model as it was at the start.
        checkpoint_seconds: time between checkpoints.
        stop_after: leave after this step (as if the run had been stopped there).
        bar: show a progress bar (default: if somebody watches, see
            :mod:`course.training.progress`).

    Returns:
        The :class:`History`.

    Raises:
        ValueError: for no data, no trainable parameters, half-precision (float16) weights, patience
            without validation, fewer examples a step than processes, or a checkpoint of another run
            or damaged.
        TrainingDiverged: if the loss or the gradient stops being finite. The model then holds its
            best weights so far, without validation those from before that step.
    """
    settings = _with_precision(settings or FitSettings(), model)
    number(0)("checkpoint_seconds", checkpoint_seconds)
    optional(integer(0))("stop_after", stop_after)
    _check(model, data, settings, validate)
    with new_accelerator(device_placement=False) as accelerator, torch.random.fork_rng():
        if accelerator.num_processes > 1:
            model.to(accelerator.device)
        with _made_ready(model, data, settings):
            run = _Run(accelerator, model, data, settings, validate)
            if checkpoint is not None:
                run.resume(checkpoint)
            run.train(
                checkpoint,
                checkpoint_seconds,
                settings.steps if stop_after is None else min(stop_after, settings.steps),
                bar,
            )
    return run.progress.history()


def mean_loss(model: PreTrainedModel, data: Data, settings: FitSettings | None = None) -> float:
    """The mean loss of a model on data, in nats a predicted token (or a label); the model is put in
    evaluation mode.
    """
    settings = _with_precision(settings or FitSettings(), model)
    layout, device, total = layout_for(model, settings.max_tokens_per_batch), _device(model), 0.0
    model.eval()
    with torch.inference_mode(), autocast(device, settings.precision):
        for start in range(0, len(data.tokens), 256):
            for batch in data.passes(range(start, min(start + 256, len(data.tokens))), layout):
                total += data.summed_loss(model, batch.to(device), layout).item()
    return total / sum(data.num_targets)


def _device(model: PreTrainedModel) -> torch.device:
    return next(model.parameters()).device


def _with_precision(settings: FitSettings, model: PreTrainedModel) -> FitSettings:
    return settings if settings.precision else replace(settings, precision=best_precision(model))


def _check(
    model: PreTrainedModel, data: Data, settings: FitSettings, validate: Validation | None
) -> None:
    if not len(data.tokens):
        raise ValueError("no data to train on: expected at least one example")
    trainable = [p for p in model.parameters() if p.requires_grad]
    if not trainable:
        raise ValueError(
            "the model has no trainable parameters: set requires_grad on some, or add an adapter"
        )
    if any(p.dtype == torch.float16 for p in model.parameters()):
        raise ValueError(
            "the model is in float16, in which small gradients vanish; load it in float32 or bfloat16"
        )
    # its own loss leaves out the first label of each row, so terms would be counted wrong
    if (
        isinstance(data, Encoded)
        and type(get_base_model(model)).__name__ in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    ):
        raise ValueError(
            "a causal language model is trained on completions: expected data of completions(), not of encoded()"
        )
    if settings.patience is not None and validate is None:
        raise ValueError(
            f"patience={settings.patience} needs something to validate with: pass validate=, held-out data or a function"
        )
    if validate is not None and not callable(validate) and not len(validate.tokens):
        raise ValueError("no data to validate with: expected at least one held-out example")


@contextmanager
def _made_ready(model: PreTrainedModel, data: Data, settings: FitSettings) -> Iterator[None]:
    """Trainable parameters in float32, plain attention where it is fastest; afterwards as it was,
    in evaluation mode.
    """
    plain = get_base_model(model)
    attention = plain.config._attn_implementation
    faster_plain = (
        attention == "sdpa"
        and _device(model).type == "cpu"
        and max(data.tokens) <= _PLAIN_ATTENTION
    )
    if faster_plain:
        plain.set_attn_implementation("eager")
    half = [p for p in model.parameters() if p.requires_grad and p.dtype == torch.bfloat16]
    for parameter in half:  # steps of the optimiser are too small for bfloat16
        parameter.data = parameter.data.float()
    try:
        yield
    finally:
        for parameter in half:
            parameter.data = parameter.data.bfloat16()
        if faster_plain:
            plain.set_attn_implementation(attention)
        model.eval()


class _Run:
    """One training run: what it needs at every step, and where it stands."""

    def __init__(
        self,
        accelerator: Accelerator,
        model: PreTrainedModel,
        data: Data,
        settings: FitSettings,
        validate: Validation | None,
    ):
        self.accelerator, self.model, self.data, self.settings, self.validate = (
            accelerator,
            model,
            data,
            settings,
            validate,
        )
        if settings.batch_size < accelerator.num_processes:
            raise ValueError(
                f"batch_size={settings.batch_size} for {accelerator.num_processes} processes: expected one example for each"
            )
        self.trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.trainable.values(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.layout: BatchingPlan = layout_for(model, settings.max_tokens_per_batch)
        self.device, self.tokens, self.num_targets = _device(model), data.tokens, data.num_targets
        self.validations = {*range(0, settings.steps, settings.validate_every), settings.steps}
        self.progress, self.best = _Progress(), {}
        self.identity: dict[str, str] = {}

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, if there is one.

        Raises:
            ValueError: if it is of another run, or damaged.
        """
        self.identity = self._identity()
        if not path.exists():
            return
        notes = checkpoints.notes(path)
        other = [part for part, value in self.identity.items() if notes.get(part) != value]
        if other:
            raise ValueError(
                f"{path} is of a run with other {', '.join(other)}; delete it, or name another file with checkpoint="
            )
        weights = checkpoints.load(path, [self.optimizer])
        self._put(weights["model"])
        self.best = weights.get("best", {})
        self.progress = _Progress(**json.loads(notes["progress"]))

    def _identity(self) -> dict[str, str]:
        """What must not change between the parts of a run."""
        measure = (
            "none"
            if self.validate is None
            else "a function"
            if callable(self.validate)
            else self.validate.fingerprint
        )
        found = hashlib.sha256()
        for name, parameter in self.model.named_parameters():
            found.update(f"{name} {parameter.requires_grad}".encode())
            found.update(parameter.detach().cpu().flatten().view(torch.uint8).numpy())
        settings = json.dumps(asdict(self.settings))
        return {
            "settings": settings,
            "data": self.data.fingerprint,
            "validation": measure,
            "starting weights": found.hexdigest(),
        }

    def _save(self, path: Path) -> None:
        weights = {"model": self.trainable, "best": self.best}
        checkpoints.save(
            path,
            weights,
            [self.optimizer],
            self.identity | {"progress": json.dumps(asdict(self.progress))},
        )

    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, value in weights.items():
                self.trainable[name].copy_(value)

    def train(
        self, checkpoint: Path | None, checkpoint_seconds: float, end: int, bar: bool | None
    ) -> None:
        """Train up to step ``end``, validating and saving on the way; at the end the model gets its
        best weights.
        """
        progress, main = self.progress, self.accelerator.is_main_process
        # alone, a model needs no wrapping, and accelerate's mark on it would keep others from
        # wrapping it later
        wrapped = (
            self.accelerator.prepare_model(self.model)
            if self.accelerator.num_processes > 1
            else self.model
        )
        order = itertools.islice(self._order(), progress.step * self.settings.batch_size, None)
        saved = started = time.monotonic()
        before = progress.seconds
        if self.validate is not None and not progress.scores:
            self._validate()
        self.model.train()
        with progress_bar("fit", progress.step, end, bar if main else False) as shown:
            while progress.step < end and not progress.stopped_early:
                self._step(wrapped, list(itertools.islice(order, self.settings.batch_size)))
                if self.validate is not None and progress.step in self.validations:
                    self._validate()
                now = time.monotonic()
                progress.seconds = before + now - started
                last = progress.step == end or progress.stopped_early
                if checkpoint is not None and main and (last or now - saved > checkpoint_seconds):
                    self._save(checkpoint)
                    saved = now
                shown.set_postfix(loss=f"{progress.losses[-1]:.3f}", refresh=False)
                shown.update()
        self._put(self.best)
        self.accelerator.wait_for_everyone()

    def _order(self) -> Iterator[int]:
        """Positions of examples in random order, pass after pass over the data."""
        rng, count = Rng(f"fit/{self.settings.seed}"), len(self.tokens)
        while True:
            yield from rng.sample(range(count), count)

    def _step(self, wrapped: torch.nn.Module, chosen: list[int]) -> None:
        """One optimiser step on the examples ``chosen``; the processes share them, longest first."""
        accelerator, settings, step = self.accelerator, self.settings, self.progress.step
        # dropout depends on the step alone, so that a resumed run draws what the whole one did
        torch.manual_seed(
            int(Rng(f"dropout/{settings.seed}/{step}/{accelerator.process_index}").random() * 2**53)
        )
        mine = sorted(chosen, key=lambda i: -self.tokens[i])[
            accelerator.process_index :: accelerator.num_processes
        ]
        num_targets = sum(self.num_targets[i] for i in chosen)
        batches, total = self.data.passes(mine, self.layout), 0.0
        for left, batch in zip(reversed(range(len(batches))), batches, strict=True):
            # the processes exchange their gradients once, in the last pass
            with accelerator.no_sync(wrapped) if left else nullcontext():
                with autocast(self.device, settings.precision):
                    loss = self.data.summed_loss(wrapped, batch.to(self.device), self.layout)
                # the gradients of the processes are averaged, so each counts its sum times their
                # number over all terms
                accelerator.backward(loss * (accelerator.num_processes / num_targets))
            total += loss.detach()
        loss = accelerator.reduce(total, "sum").item() / num_targets
        learning_rate = settings.learning_rate * rate_at(
            step, settings.steps, settings.warmup_ratio
        )
        length = torch.nn.utils.clip_grad_norm_(
            self.trainable.values(), settings.max_grad_norm
        ).item()
        if not math.isfinite(loss) or not math.isfinite(length):
            self._diverged(loss, length, learning_rate)
        self.optimizer.param_groups[0]["lr"] = learning_rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.losses.append(loss)
        self.progress.tokens += sum(self.tokens[i] for i in chosen)

    def _diverged(self, loss: float, length: float, learning_rate: float) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self._put(self.best)
        held = (
            f"its best weights, of step {self.progress.best_step}"
            if self.best
            else "its weights from before this step"
        )
        raise TrainingDiverged(
            f"at step {self.progress.step + 1} the loss is {loss} and its gradient {length} long, with a learning rate of {learning_rate:.2g}; "
            f"the model holds {held}. Lower the rate, lengthen the warm-up, or look for broken examples"
        )

    def _validate(self) -> None:
        """Score the model; a better score than any before makes its weights the best, too many
        others in a row stop the training.
        """
        progress, falls = self.progress, not callable(self.validate)
        if falls:
            score = mean_loss(self.model, self.validate, self.settings)
        else:
            self.model.eval()
            with autocast(self.device, self.settings.precision):
                score = float(self.validate(self.model))
        # one process decides for all, or they could part over the last digit
        score = broadcast_object_list([score])[0]
        if not math.isfinite(score):
            self._put(self.best)
            raise TrainingDiverged(
                f"the validation after step {progress.step} gives {score}; lower the rate, or look for broken examples"
            )
        earlier = [value for _, value in progress.scores]
        progress.scores.append((progress.step, score))
        if not earlier or (score < min(earlier) if falls else score > max(earlier)):
            progress.best_step = progress.step
            self.best = {name: p.detach().cpu().clone() for name, p in self.trainable.items()}
        since = sum(step > progress.best_step for step, _ in progress.scores)
        progress.stopped_early = (
            self.settings.patience is not None and since >= self.settings.patience
        )
        self.model.train()
