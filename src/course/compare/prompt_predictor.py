"""A prompted model that answers items: by the likeliest label, or in words."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from course.compare.base import Predictor
from course.compare.bodies import Bench, shortened
from course.compare.metering import Meter
from course.compare.task import Item, Prediction, TableTask
from course.lm.language_model import LanguageModel
from course.lm.openai_api import NoLogProbabilities
from course.prompting.calibration import normalised

#: What ends a written answer.
LINE = "\n"
#: Most tokens of a written answer.
MOST_WRITTEN = 64


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
    room: int = MOST_WRITTEN
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
            "words": {label: f" {word}" for label, word in self.task.words.items()},
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
