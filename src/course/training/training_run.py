"""Optimiser steps of a training run: gradients of micro-batches, clipping, learning rate, early
stopping, checkpoints; in one process or several.
"""

import hashlib
import itertools
import json
import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from transformers import PreTrainedModel

from course.foundation.progress import progress_bar
from course.foundation.rng import Rng
from course.training.batches import Data, batching_plan
from course.training.checkpoints import RunCheckpoint
from course.training.fit_settings import FitSettings
from course.training.history import Progress
from course.training.precision import autocast, best_precision
from course.training.processes import data_parallel
from course.training.schedule import rate_at
from course.training.validation import Validation, mean_loss


class TrainingDiverged(RuntimeError):
    """The loss or the gradient is not finite any more."""


class TrainingRun:
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
        self.device, self.tokens, self.num_targets = model.device, data.tokens, data.num_targets
        self.precision = settings.precision or best_precision(model)
        self.progress = Progress()
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
            self.progress = Progress(**progress)
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
