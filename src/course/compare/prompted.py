"""Prompting methods: zero-shot, and few-shot with and without calibration; the same with a served
model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from course.compare.base import Cost, Estimate, Method, Predictor, Setting, trial_factor
from course.compare.bodies import Bench, shortened
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.prompt_costs import query_work, room, text_bytes
from course.compare.prompt_predictor import PromptPredictor, PromptState, meter_for, read_state
from course.compare.splits import order
from course.compare.task import Item
from course.lm.openai_api import NoLogProbabilities
from course.prompting.calibration import normalised, recalibrated

#: Numbers of demonstrations to choose from, and draws of them (for a model with a chat template:
#: whether it is spoken to in it), the usual one first.
SHOTS, DRAWS = (8, 16), (0, 1)
#: Unlabelled training texts that a calibration sees.
REFERENCE = 32
#: Why an endpoint cannot be calibrated.
_CALIBRATES = (
    "calibration takes the log-probabilities of labels: ask an endpoint that tells them for plain "
    "completions (--completions), or take served-few-shot"
)
#: Tokens that are kept free for the layout and a chat template.
_FRAME = 64


@dataclass(frozen=True)
class ZeroShot(Method):
    """An instruction, and nothing else."""

    @property
    def cost(self) -> Cost:
        return Cost("nothing", "the instruction", query=1)

    def settings(self, bench: Bench, size: int) -> list[Setting]:
        return [{}]

    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        state = PromptState(bench.task.told, room=self.room(bench, items))
        return self.predictor(bench, state, items)

    def room(self, bench: Bench, items: Sequence[Item]) -> int:
        """Tokens for a written answer."""
        return room(bench, items, self.body == "served")

    def predictor(self, bench: Bench, state: PromptState, items: Sequence[Item]) -> PromptPredictor:
        tokens = None if self.body == "served" else bench.item_tokens(items)
        meter = meter_for(bench, state, self.body == "served")
        return PromptPredictor(bench.task, meter, state, tokens, bench.known, self.name)

    def read(self, bench: Bench, folder: Path, stored: dict[str, Any]) -> Predictor:
        state = read_state(stored)
        meter = meter_for(bench, state, self.body == "served")
        return PromptPredictor(bench.task, meter, state, stored["item_tokens"], method=self.name)

    def obstacle(self, bench: Bench, data: Prepared) -> str | None:
        if self.body == "served":
            if bench.choice.served is None:
                return (
                    "needs a served model: name one with served= (--served URL --served-model NAME)"
                )
            return super().obstacle(bench, data)
        return super().obstacle(bench, data) or causal_obstacle(bench, data)

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        return Estimate(Work(), query_work(self, bench, data), text_bytes(data))


@dataclass(frozen=True)
class FewShot(ZeroShot):
    """An instruction and demonstrations, the same for all items.

    Attributes:
        calibrated: take off the labels' log-probabilities what they are on unlabelled training
            texts (batch calibration, Zhou et al. 2024, with training texts as the batch, so that an
            answer does not depend on what else is asked).
    """

    calibrated: bool = False

    @property
    def cost(self) -> Cost:
        offsets = f"; {REFERENCE} calls to calibrate" if self.calibrated else ""
        shown = f"{' or '.join(map(str, SHOTS))} examples, which every call reads anew"
        return Cost(f"nothing{offsets}", f"the instruction and {shown}", query=1)

    def settings(self, bench: Bench, size: int) -> list[Setting]:
        fitting = [shots for shots in SHOTS if shots <= size] or [size]
        chat = self.body == "causal" and bench.prompted.local.encoder.chat
        ways = [(False, 0), (True, 0)] if chat else [(False, draw) for draw in DRAWS]
        return [{"shots": n, "chat": c, "draw": draw} for n in fitting for c, draw in ways]

    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        shown = self.demonstrations(bench, items, setting, seed)
        state = PromptState(bench.task.told, shown, None, self.room(bench, items), setting["chat"])
        predictor = self.predictor(bench, state, items)
        if self.calibrated:
            others = [item for item in items if item not in shown][:REFERENCE] or list(shown)
            try:
                reference = predictor.label_scores(others)
            except NoLogProbabilities as error:
                raise NoLogProbabilities(f"{_CALIBRATES} ({error})") from error
            zeros = np.zeros((1, len(bench.task.labels)))
            offsets = -(recalibrated(zeros, reference) - normalised(zeros))[0]
            predictor.state = replace(state, offsets=tuple(map(float, offsets)))
        return predictor

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        settings, items = self.settings(bench, size), data.subset(size, 0)
        count, answered = trial_factor(self, len(settings), size)
        settings = settings if count else settings[:1]  # nothing is tried: the usual one is taken
        shown = [self.demonstrations(bench, items, setting, 0) for setting in settings]
        each = [
            query_work(self, bench, data, some, setting["chat"])
            for some, setting in zip(shown, settings, strict=True)
        ]
        mean = sum(each[1:], start=each[0]).times(1 / len(each))
        reference = min(REFERENCE, size) if self.calibrated else 0
        bytes_ = np.mean([text_bytes(data, some) for some in shown])
        # what prompts share is read anew for each trial
        shared = Work(computed=mean.read - mean.computed)
        choosing = mean.times(answered + count * reference) + shared.times(count)
        last = mean.times(reference) + shared.times(bool(reference))
        return Estimate(choosing + last, mean, float(bytes_), choosing)

    def obstacle(self, bench: Bench, data: Prepared) -> str | None:
        served = bench.choice.served
        if self.body == "served" and self.calibrated and served is not None and served.chat:
            return f"{_CALIBRATES}; no endpoint tells them by chat"
        return super().obstacle(bench, data)

    def demonstrations(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int
    ) -> tuple[Item, ...]:
        draw = 1000 * setting["draw"] + seed
        return demonstrations(bench, items, setting["shots"], draw, self.body == "served")


def causal_obstacle(bench: Bench, data: Prepared) -> str | None:
    """Why the prompted model cannot be used on these texts; None if it can."""
    if bench.choice.causal is None:
        return "needs a model that continues texts, and the one that was named does not"
    if unknown := bench.unknown_words("causal", "the model", data.train):
        return unknown
    if data.task.kind != "labels":
        return None
    candidates = data.task.prompt(data.train[0], data.task.told).candidates
    try:
        pairs = bench.prompted.local.encoder.pairs(["a"] * len(candidates), candidates)
    except ValueError as error:
        return f"the model cannot say the labels ({error})"
    if len({tuple(ids) for _, ids in pairs}) < len(pairs):
        return "the model cannot tell two labels apart, as they have the same tokens"
    return None


def demonstrations(
    bench: Bench, items: Sequence[Item], count: int, seed: int, served: bool
) -> tuple[Item, ...]:
    """Training items to show: of each label one before any has two, in random order; as many as the
    window has room for.
    """
    stratified = bench.task.kind == "labels"
    places = order([item.answer for item in items], seed, stratified)
    if stratified:
        places = _in_turn([items[i].answer for i in places], places)
    shown = [items[i] for i in places[:count]]
    shown = [shown[i] for i in order([""] * len(shown), seed + 1, False)]
    if served:
        return tuple(shown)
    model = bench.prompted.local
    most = bench.item_tokens(items)
    told = len(model.tokenizer(bench.task.told).input_ids) + _FRAME
    room_left = model.window - most - told - room(bench, items)
    kept: list[Item] = []
    for item in shown:
        text = shortened(model.tokenizer, item.text, most)
        used = len(
            model.tokenizer(f"Input: {text}\nOutput: {bench.task.write(item)}\n\n").input_ids
        )
        if used > room_left:
            break
        room_left -= used
        kept.append(item)
    return tuple(kept)


def _in_turn(labels: Sequence[str], places: Sequence[int]) -> list[int]:
    """Places so that labels take turns."""
    turn: dict[str, int] = {}
    ranked = []
    for rank, (label, place) in enumerate(zip(labels, places, strict=True)):
        turn[label] = turn.get(label, -1) + 1
        ranked.append((turn[label], rank, place))
    return [place for _, _, place in sorted(ranked)]
