"""Prompting methods: zero-shot, few-shot with and without calibration, a searched prompt, and the
same with a served model.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from course.compare.base import Cost, Estimate, Method, Predictor, Setting, trial_factor
from course.compare.bodies import Bench, shortened
from course.compare.metering import CHUNK, Meter, Work
from course.compare.preparation import Prepared
from course.compare.splits import order
from course.compare.task import Item, Prediction, TableTask
from course.lm.language_model import LanguageModel
from course.lm.openai_api import NoLogProbabilities
from course.lm.tokenization import shared_length
from course.prompting.calibration import normalised, recalibrated

#: Numbers of demonstrations to choose from, and draws of them (for a model with a chat template:
#: whether it is spoken to in it), the usual one first.
SHOTS, DRAWS = (8, 16), (0, 1)
#: Unlabelled training texts that a calibration sees.
REFERENCE = 32
#: Room for a written answer: the longest in training and some tokens more, at most so many.
_MORE_TOKENS, _MOST_WRITTEN = 4, 64
#: Tokens that are kept free for the layout and a chat template.
_FRAME = 64
#: What ends a written answer.
LINE = "\n"


@dataclass(frozen=True)
class PromptState:
    """What a prompting method has learned.

    Attributes:
        instruction: what is asked, in words.
        shown: the demonstrations.
        offsets: what is taken off the log-probability of each label (calibration); None for
            nothing.
        room: most tokens of a written answer.
        chat: whether a local model is spoken to in its chat template, if it has one.
    """

    instruction: str
    shown: tuple[Item, ...] = ()
    offsets: tuple[float, ...] | None = None
    room: int = _MOST_WRITTEN
    chat: bool = True


@dataclass
class PromptPredictor(Predictor):
    """A prompted model: it chooses the likeliest label, or writes the answer.

    Attributes:
        meter: the model.
        item_tokens: most tokens of an item; what is longer is cut off. None for a served model.
        known: scores that were computed before, by prompt.
    """

    task: TableTask
    meter: Meter
    state: PromptState
    item_tokens: int | None = None
    known: dict[Any, Any] = field(default_factory=dict)
    method: str = ""

    def predict(self, items: Sequence[Item]) -> list[Prediction]:
        if self.task.kind == "labels":
            try:
                return self._chosen(items)
            except NoLogProbabilities:
                pass
        return self._written(items)

    def label_scores(self, items: Sequence[Item]) -> np.ndarray:
        """Log-probability of every label, (items, labels); what was computed before for the same
        prompt is not computed again, and counts again.
        """
        key = (id(self.meter.model), self.state.instruction, self.state.shown, tuple(items))
        if key not in self.known:
            before, started = self.meter.work, time.perf_counter()
            prompts = [self._prompt(item) for item in items]
            scores = self.meter.score_labels([p.text for p in prompts], prompts[0].candidates)
            self.known[key] = scores, self.meter.work - before, time.perf_counter() - started
        else:
            self.remembered_seconds += self.known[key][2]
        self.work += self.known[key][1]
        return self.known[key][0]

    def _chosen(self, items: Sequence[Item]) -> list[Prediction]:
        scores = self.label_scores(items)
        if self.state.offsets is not None:
            scores = normalised(scores) - np.array(self.state.offsets)
        return [Prediction(self.task.labels[int(i)]) for i in scores.argmax(1)]

    def _written(self, items: Sequence[Item]) -> list[Prediction]:
        before = self.meter.work
        prompts = [self._prompt(item).text for item in items]
        stop = self.task.layout.stop if "\n" in self._shown_answers() else LINE
        samples = self.meter.generate(prompts, stop=stop, max_tokens=self.state.room)
        self.work += self.meter.work - before
        return [self.task.read(s[0].text, item) for s, item in zip(samples, items, strict=True)]

    def _shown_answers(self) -> str:
        return "".join(item.answer for item in self.state.shown)

    def _prompt(self, item: Item) -> Any:
        cut = [self._cut(one) for one in (item, *self.state.shown)]
        return self.task.prompt(cut[0], self.state.instruction, cut[1:])

    def _cut(self, item: Item) -> Item:
        if self.item_tokens is None or not isinstance(self.meter.model, LanguageModel):
            return item
        return with_text(item, shortened(self.meter.model.tokenizer, item.text, self.item_tokens))

    def save(self, folder: Path) -> dict[str, Any]:
        """A prompt is a text: it stands in the file as it is given to the model, too."""
        shown = [{"text": item.text, "answer": item.answer} for item in self.state.shown]
        return {
            "instruction": self.state.instruction,
            "shown": shown,
            "offsets": self.state.offsets,
            "room": self.state.room,
            "chat": self.state.chat,
            "item_tokens": self.item_tokens,
            "prompt": self._prompt(Item("{text}")).text,
        }


def read_state(stored: dict[str, Any]) -> PromptState:
    """What :meth:`PromptPredictor.save` has written."""
    offsets = stored["offsets"]
    return PromptState(
        stored["instruction"],
        tuple(Item(row["text"], row["answer"]) for row in stored["shown"]),
        None if offsets is None else tuple(offsets),
        stored["room"],
        stored["chat"],
    )


def with_text(item: Item, text: str) -> Item:
    """An item with another text; itself if it is the same."""
    return item if text == item.text else Item(text, item.answer, item.others, item.texts, item.row)


def meter_for(bench: Bench, state: PromptState, served: bool) -> Meter:
    """The model that a prompt is for."""
    if served:
        return bench.served
    return bench.prompted if state.chat else bench.plain


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
        state = PromptState(bench.task.told, room=room(bench, items))
        return self.predictor(bench, state, items)

    def predictor(self, bench: Bench, state: PromptState, items: Sequence[Item]) -> PromptPredictor:
        tokens = None if self.body == "served" else bench.item_tokens(items)
        meter = meter_for(bench, state, self.body == "served")
        return PromptPredictor(bench.task, meter, state, tokens, bench.known, self.name)

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
        state = PromptState(bench.task.told, shown, None, room(bench, items), setting["chat"])
        predictor = self.predictor(bench, state, items)
        if self.calibrated:
            others = [item for item in items if item not in shown][:REFERENCE] or list(shown)
            reference = predictor.label_scores(others)
            zeros = np.zeros((1, len(bench.task.labels)))
            offsets = -(recalibrated(zeros, reference) - normalised(zeros))[0]
            predictor.state = replace(state, offsets=tuple(map(float, offsets)))
        return predictor

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        settings, items = self.settings(bench, size), data.subset(size, 0)
        count, answered = trial_factor(self, len(settings), size)
        shown = [self.demonstrations(bench, items, setting, 0) for setting in settings]
        each = [query_work(self, bench, data, some) for some in shown]
        mean = sum(each[1:], start=each[0]).times(1 / len(each))
        reference = min(REFERENCE, size) if self.calibrated else 0
        bytes_ = np.mean([text_bytes(data, some) for some in shown])
        # what prompts share is read anew for each trial
        shared = Work(computed=mean.read - mean.computed)
        choosing = mean.times(answered + count * reference) + shared.times(count)
        last = mean.times(reference) + shared.times(bool(reference))
        return Estimate(choosing + last, mean, float(bytes_), choosing)

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


def room(bench: Bench, items: Sequence[Item]) -> int:
    """Tokens for a written answer, by the longest of the training answers."""
    if bench.task.kind == "labels" or bench.choice.causal is None:
        longest = max([len(word) // 2 + 2 for word in bench.task.words.values()] or [16])
        return min(_MOST_WRITTEN, longest + _MORE_TOKENS + 4)
    texts = [bench.task.write(item) for item in items[:100]] or ["a few words of an answer"]
    longest = max(len(ids) for ids in bench.causal_tokenizer(texts).input_ids)
    return min(_MOST_WRITTEN, longest + _MORE_TOKENS)


def query_work(method: Method, bench: Bench, data: Prepared, shown: Sequence[Item] = ()) -> Work:
    """The work of one answer after demonstrations, by some of the items; what prompts share is
    computed once in a chunk.
    """
    some, task = data.train[:CHUNK], data.task
    written = 0.0 if task.kind == "labels" else mean_written(bench, data)
    if method.body == "served":
        letters = np.mean([len(task.prompt(item, task.told, shown).text) for item in some])
        return Work(1, float(letters) / 4, float(letters) / 4, mean_written(bench, data))
    most, tokenizer = bench.item_tokens(some), bench.causal_tokenizer
    cut = [with_text(i, shortened(tokenizer, i.text, most)) for i in (*some, *shown)]
    prompts = [task.prompt(item, task.told, cut[len(some) :]).text for item in cut[: len(some)]]
    ids = sorted(bench.prompted.local.encoder.prompts(prompts))
    read = sum(map(len, ids))
    shared = sum(shared_length(a, b) for a, b in zip(ids, ids[1:], strict=False))
    computed = (read - shared) / len(ids) + _tail(bench, data)
    return Work(1, read / len(ids), computed, written)


def _tail(bench: Bench, data: Prepared) -> float:
    """Tokens of the labels beyond the first of each."""
    if data.task.kind != "labels":
        return 0.0
    words = [f" {word}" for word in data.task.words.values()]
    return sum(len(row) - 1 for row in bench.causal_tokenizer(words).input_ids)


def mean_written(bench: Bench, data: Prepared) -> float:
    """Tokens of a training answer and its end, on the mean."""
    texts = [data.task.write(item) for item in data.train[:50]]
    if bench.choice.causal is None:
        return float(np.mean([len(text) / 4 + 1 for text in texts]))
    return float(np.mean([len(ids) + 1 for ids in bench.causal_tokenizer(texts).input_ids]))


def text_bytes(data: Prepared, shown: Sequence[Item] = ()) -> float:
    """Bytes of a saved prompt: the demonstrations stand in it twice, as a list and as a prompt."""
    texts = sum(len((item.text + data.task.write(item)).encode()) + 30 for item in shown)
    return 600 + 2 * len(data.task.told) + 2 * texts + 8 * sum(map(len, data.task.labels))
