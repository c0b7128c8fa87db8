"""Training loop: AdamW, gradient accumulation, validation, early stopping, checkpoints.

One function, :func:`fit`, for everything that the course fine-tunes: heads, adapters, soft prompts,
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
from typing import NoReturn

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from transformers import PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from course.foundation.progress import progress_bar
from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer, number, one_of, optional, share
from course.models.peft_wrapper import get_base_model
from course.training.batches import Data, Encoded, batching_plan
from course.training.checkpoints import RunCheckpoint
from course.training.precision import PRECISIONS, autocast, best_precision
from course.training.processes import accelerator_or_new, data_parallel
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
        max_grad_norm: largest norm of the gradient; a larger one is scaled down to it.
        seed: of the order of the examples and of dropout.
        validate_every: steps between validations; there is one before the first step and one after
            the last, too.
        patience: how many validations in a row may bring no better score before training stops
            (default: it never stops early).
        precision: ``"fp32"``, ``"bf16"`` (autocast), or None for bf16 where it pays: see
            :func:`course.training.precision.pays_in_bf16`.
        max_tokens_per_batch: most tokens of a micro-batch, padding included; the gradients of a
            step's micro-batches add up.
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

    def __post_init__(self) -> None:
        check_fields(
            self,
            steps=integer(1),
            batch_size=integer(1),
            learning_rate=number(above=0),
            warmup_ratio=share(),
            weight_decay=number(0),
            max_grad_norm=number(above=0),
            seed=integer(),
            validate_every=integer(1),
            patience=optional(integer(1)),
            precision=one_of((None, *PRECISIONS)),
            max_tokens_per_batch=integer(1),
        )


@dataclass(frozen=True)
class History:
    """The course of a training run; :func:`course.plots.learning_curve` draws it.

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
        scores = tuple((step, value) for step, value in self.scores)
        return History(**{**vars(self), "losses": tuple(self.losses), "scores": scores})


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
    accelerator: Accelerator | None = None,
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
            :mod:`course.foundation.progress`).
        accelerator: the processes that train (default: a new accelerator). Its mixed precision
            counts for nothing, see ``settings.precision``. ``accelerate`` keeps one mixed precision
            for a whole Python process: whoever wants another one afterwards makes an accelerator
            with it first.

    Returns:
        The :class:`History`.

    Raises:
        ValueError: for no data, no trainable parameters, half-precision (float16) weights, patience
            without validation, fewer examples a step than processes, several processes with a mixed
            precision of accelerate's, or a checkpoint of another run or damaged.
        TrainingDiverged: if the loss or the gradient stops being finite. The model then holds its
            best weights so far, without validation those from before that step.
    """
    settings = _with_precision(settings or FitSettings(), model)
    number(0)("checkpoint_seconds", checkpoint_seconds)
    optional(integer(0))("stop_after", stop_after)
    _check(model, data, settings, validate)
    end = settings.steps if stop_after is None else min(stop_after, settings.steps)
    accelerator = accelerator_or_new(accelerator)
    if accelerator.num_processes > 1:
        model.to(accelerator.device)
    with torch.random.fork_rng(), _made_ready(model, data):
        run = _Run(accelerator, model, data, settings, validate)
        run.train(end, run.resumed(checkpoint, checkpoint_seconds) if checkpoint else None, bar)
    return run.progress.history()


def mean_loss(model: PreTrainedModel, data: Data, settings: FitSettings | None = None) -> float:
    """The mean loss of a model on data, in nats a predicted token (or a label); the model is put in
    evaluation mode.
    """
    settings = settings or FitSettings()
    precision = settings.precision or best_precision(model)
    plan, device, total = batching_plan(model, settings.max_tokens_per_batch), _device(model), 0.0
    model.eval()
    with torch.inference_mode(), autocast(device, precision):
        for start in range(0, len(data.tokens), 256):
            chosen = range(start, min(start + 256, len(data.tokens)))
            for batch in data.micro_batches(chosen, plan):
                total += data.summed_loss(model, batch.to(device), plan).item()
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
            "the model is in float16, in which small gradients vanish; "
            "load it in float32 or bfloat16"
        )
    # its own loss leaves out the first label of each row, so targets would be counted wrong
    if (
        isinstance(data, Encoded)
        and type(get_base_model(model)).__name__ in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()
    ):
        raise ValueError(
            "a causal language model is trained on completions: "
            "expected data of completions(), not of encoded()"
        )
    if settings.patience is not None and validate is None:
        raise ValueError(
            f"patience={settings.patience} needs something to validate with: "
            "pass validate=, held-out data or a function"
        )
    if validate is not None and not callable(validate) and not len(validate.tokens):
        raise ValueError("no data to validate with: expected at least one held-out example")


@contextmanager
def _made_ready(model: PreTrainedModel, data: Data) -> Iterator[None]:
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
    ) -> None:
        self.accelerator, self.model, self.data = accelerator, model, data
        self.settings, self.validate = settings, validate
        if settings.batch_size < accelerator.num_processes:
            raise ValueError(
                f"batch_size={settings.batch_size} for {accelerator.num_processes} processes: "
                "expected one example for each"
            )
        self.wrapped = data_parallel(model, accelerator)
        self.trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.trainable.values(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.plan = batching_plan(model, settings.max_tokens_per_batch)
        self.device, self.tokens, self.num_targets = _device(model), data.tokens, data.num_targets
        self.precision = settings.precision or best_precision(model)
        self.progress = _Progress()
        self.best: dict[str, torch.Tensor] = {}

    def resumed(self, path: Path, seconds: float) -> RunCheckpoint:
        """The run's checkpoint, after going on from it if there is one.

        Raises:
            ValueError: if it is of another run, or damaged.
        """
        remedy = "delete it, or name another file with checkpoint="
        checkpoint = RunCheckpoint(path, self._identity(), [self.optimizer], seconds, remedy)
        if (stored := checkpoint.resume()) is not None:
            weights, progress = stored
            self._put(weights["model"])
            self.best = weights.get("best", {})
            self.progress = _Progress(**progress)
        return checkpoint

    def _identity(self) -> dict[str, str]:
        """What must not change between the parts of a run."""
        if self.validate is None:
            measure = "none"
        else:
            measure = "a function" if callable(self.validate) else self.validate.fingerprint
        weights = hashlib.sha256()
        for name, parameter in self.model.named_parameters():
            weights.update(f"{name} {parameter.requires_grad}".encode())
            weights.update(parameter.detach().cpu().flatten().view(torch.uint8).numpy().data)
        return {
            "settings": json.dumps(asdict(self.settings)),
            "data": self.data.fingerprint,
            "validation": measure,
            "starting weights": weights.hexdigest(),
        }

    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, value in weights.items():
                self.trainable[name].copy_(value)

    def train(self, end: int, checkpoint: RunCheckpoint | None, bar: bool | None) -> None:
        """Train up to step ``end``, validating and saving on the way; at the end the model gets its
        best weights.
        """
        progress, main = self.progress, self.accelerator.is_main_process
        order = itertools.islice(self._order(), progress.step * self.settings.batch_size, None)
        started, before = time.monotonic(), progress.seconds
        if self.validate is not None and not progress.scores:
            self._validate(self.validate)
        self.model.train()
        with progress_bar("fit", progress.step, end, bar if main else False) as shown:
            while progress.step < end and not progress.stopped_early:
                self._step(list(itertools.islice(order, self.settings.batch_size)))
                if self.validate is not None and self._is_validated():
                    self._validate(self.validate)
                progress.seconds = before + time.monotonic() - started
                last = progress.step == end or progress.stopped_early
                if checkpoint is not None and main and (last or checkpoint.is_due()):
                    weights = {"model": self.trainable, "best": self.best}
                    checkpoint.save(weights, asdict(progress))
                shown.set_postfix(loss=f"{progress.losses[-1]:.3f}", refresh=False)
                shown.update()
        self._put(self.best)
        self.accelerator.wait_for_everyone()

    def _order(self) -> Iterator[int]:
        """Positions of examples in random order, epoch after epoch."""
        rng, count = Rng(f"fit/{self.settings.seed}"), len(self.tokens)
        while True:
            yield from rng.sample(range(count), count)

    def _step(self, chosen: list[int]) -> None:
        """One optimiser step on the examples ``chosen``."""
        settings, step = self.settings, self.progress.step
        loss = self._backward(chosen)
        rate = settings.learning_rate * rate_at(step, settings.steps, settings.warmup_ratio)
        norm = torch.nn.utils.clip_grad_norm_(
            self.trainable.values(), settings.max_grad_norm
        ).item()
        if not math.isfinite(loss) or not math.isfinite(norm):
            self._diverged(loss, norm, rate)
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.progress.losses.append(loss)
        self.progress.tokens += sum(self.tokens[i] for i in chosen)

    def _backward(self, chosen: list[int]) -> float:
        """Leaves the gradient of the mean loss over the targets of ``chosen``, and returns that
        loss; the processes share the examples, longest first.
        """
        index, count = self.accelerator.process_index, self.accelerator.num_processes
        # dropout depends on the step alone, so that a resumed run draws what the whole one did
        dropout = Rng(f"dropout/{self.settings.seed}/{self.progress.step}/{index}")
        torch.manual_seed(int(dropout.random() * 2**53))
        mine = sorted(chosen, key=lambda i: -self.tokens[i])[index::count]
        num_targets = sum(self.num_targets[i] for i in chosen)
        batches, losses = self.data.micro_batches(mine, self.plan), []
        for left, batch in zip(reversed(range(len(batches))), batches, strict=True):
            # the processes exchange their gradients once, at the last micro-batch
            with self.accelerator.no_sync(self.wrapped) if left else nullcontext():
                with autocast(self.device, self.precision):
                    loss = self.data.summed_loss(self.wrapped, batch.to(self.device), self.plan)
                # the gradients of the processes are averaged, so each counts its sum times their
                # number over all targets
                (loss * (count / num_targets)).backward()
            losses.append(loss.detach())
        total = sum(losses[1:], start=losses[0])
        return self.accelerator.reduce(total, "sum").item() / num_targets

    def _diverged(self, loss: float, norm: float, rate: float) -> NoReturn:
        self.optimizer.zero_grad(set_to_none=True)
        self._put(self.best)
        held = (
            f"its best weights, of step {self.progress.best_step}"
            if self.best
            else "its weights from before this step"
        )
        raise TrainingDiverged(
            f"at step {self.progress.step + 1} the loss is {loss} and its gradient {norm} long, "
            f"with a learning rate of {rate:.2g}; the model holds {held}. "
            "Lower the rate, lengthen the warm-up, or look for broken examples"
        )

    def _is_validated(self) -> bool:
        """Whether the steps done so far are followed by a validation."""
        step, settings = self.progress.step, self.settings
        return step % settings.validate_every == 0 or step == settings.steps

    def _validate(self, validate: Validation) -> None:
        """Score the model; a better score than any before makes its weights the best, too many
        others in a row stop the training.
        """
        progress, earlier = self.progress, [value for _, value in self.progress.scores]
        score = self._score(validate)
        progress.scores.append((progress.step, score))
        falls = not callable(validate)
        if not earlier or (score < min(earlier) if falls else score > max(earlier)):
            progress.best_step = progress.step
            self.best = {name: p.detach().cpu().clone() for name, p in self.trainable.items()}
        since = sum(step > (progress.best_step or 0) for step, _ in progress.scores)
        progress.stopped_early = (
            self.settings.patience is not None and since >= self.settings.patience
        )
        self.model.train()

    def _score(self, validate: Validation) -> float:
        """The held-out loss, or the value of the function that validates.

        Raises:
            TrainingDiverged: if it is not finite.
        """
        if callable(validate):
            self.model.eval()
            with autocast(self.device, self.precision):
                score = float(validate(self.model))
        else:
            score = mean_loss(self.model, validate, self.settings)
        # one process decides for all, or they could part over the last digit
        score = broadcast_object_list([score])[0]
        if not math.isfinite(score):
            self._put(self.best)
            raise TrainingDiverged(
                f"the validation after step {self.progress.step} gives {score}; "
                "lower the rate, or look for broken examples"
            )
        return score
