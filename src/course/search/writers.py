"""Models that write prompts: from demonstrations, or as variations of a prompt that is good already
(APE, Zhou et al. 2023).

*Forward generation*: a model reads demonstrations and goes on with what the instruction was. A real
model is asked for it in words; the shipped GPTs, which nobody tuned to answer such a request, are
tuned for it on other tasks. *Reverse generation*: the instruction is a gap above the
demonstrations, and a model that fills in blanks sees what stands below.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from course.foundation.rng import Rng
from course.foundation.validation import anything, check_fields, each, instance, integer, number
from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.lm.predictor import MaskedLM
from course.prompting.prompts import PLAIN, Template
from course.tasks.registry import clusters, load_task
from course.training.completion_data import completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.world.example import Example
from course.world.held_out import INSTRUCTION_MARK
from course.world.instructions import INSTRUCTIONS
from course.world.lists import list_tasks
from course.world.profiles import PROFILED
from course.world.split import TRAIN

#: Demonstrations that a writer sees at once, as in APE.
SHOWN = 5
#: The most tokens that a prompt may have, as in APE.
MOST_TOKENS = 50
#: How a real model is asked to write a prompt (a request of APE's code), and to write one
#: differently.
REQUEST = (
    "I gave a friend an instruction. Based on the instruction they produced the following"
    " input-output pairs:\n\n{shown}"
    "The instruction was to"
)
VARIATION = (
    "Generate a variation of the following instruction while keeping the semantic meaning."
    "\n\nInput: {prompt}\n\nOutput:"
)


class Writer(ABC):
    """Something that writes prompts. Every text that is written is one model call.

    Equal examples and seeds give equal texts. Some of the texts may be equal, empty or of no use;
    whoever asked sorts that out.
    """

    @abstractmethod
    def write(self, examples: Sequence[Example], count: int, seed: int) -> list[str]:
        """``count`` prompts for a task with these training examples."""

    @abstractmethod
    def vary(self, prompt: str, examples: Sequence[Example], count: int, seed: int) -> list[str]:
        """``count`` variations of a prompt; one may be the prompt itself."""


def shown(examples: Sequence[Example], template: Template, rng: Rng, count: int = SHOWN) -> str:
    """``count`` of the examples, or all there are, laid out as demonstrations in random order."""
    some = rng.sample(examples, min(count, len(examples)))
    return template.separator.join(
        [template.shown(example.input, example.output) for example in some]
    )


@dataclass(frozen=True)
class AskedWriter(Writer):
    """A model that is asked in words, as in APE; any model that follows requests, served ones
    included.

    Attributes:
        model: who writes.
        temperature: of the samples, 0.9 in APE.
    """

    model: TextModel
    temperature: float = 0.9

    def __post_init__(self) -> None:
        check_fields(self, model=anything(), temperature=number(0))

    def write(self, examples: Sequence[Example], count: int, seed: int) -> list[str]:
        rng = Rng(f"asked/{seed}")
        requests = [REQUEST.format(shown=shown(examples, PLAIN, rng)) for _ in range(count)]
        return [
            samples[0].text.strip()
            for samples in self.model.generate(
                requests, temperature=self.temperature, stop="\n", seed=seed, max_tokens=MOST_TOKENS
            )
        ]

    def vary(self, prompt: str, examples: Sequence[Example], count: int, seed: int) -> list[str]:
        (samples,) = self.model.generate(
            [VARIATION.format(prompt=prompt)],
            n=count,
            temperature=self.temperature,
            stop="\n",
            seed=seed,
            max_tokens=MOST_TOKENS,
        )
        return [sample.text.strip() for sample in samples]


class Continuer(Writer):
    """A writer that goes on with what is begun. A variation keeps the first half of a prompt's
    words and has the rest written anew.
    """

    def write(self, examples: Sequence[Example], count: int, seed: int) -> list[str]:
        return self.continued("", examples, count, seed)

    def vary(self, prompt: str, examples: Sequence[Example], count: int, seed: int) -> list[str]:
        words = prompt.split()
        return self.continued(" ".join(words[: len(words) // 2]), examples, count, seed)

    @abstractmethod
    def continued(
        self, begun: str, examples: Sequence[Example], count: int, seed: int
    ) -> list[str]:
        """``count`` prompts that begin with ``begun``."""


@dataclass(frozen=True)
class TunedWriter(Continuer):
    """A shipped GPT that was tuned to name the task of the list that it has read: see
    :func:`tune_writer`.

    Attributes:
        model: the tuned model.
        temperature: of its samples.
    """

    model: TextModel
    temperature: float = 0.9

    def __post_init__(self) -> None:
        check_fields(self, model=anything(), temperature=number(0))

    def continued(
        self, begun: str, examples: Sequence[Example], count: int, seed: int
    ) -> list[str]:
        rng = Rng(f"tuned/{seed}/{begun}")
        requests = [f"{_named(examples, rng)} {begun}".strip() for _ in range(count)]
        written = self.model.generate(
            requests, temperature=self.temperature, stop="\n", seed=seed, max_tokens=MOST_TOKENS
        )
        return [f"{begun} {samples[0].text}".strip() for samples in written]


def _named(examples: Sequence[Example], rng: Rng) -> str:
    """A list that goes on with the name of its task."""
    return f"{shown(examples, Template(), rng)} {INSTRUCTION_MARK}"


def tune_writer(
    base: LanguageModel,
    held_out: Sequence[str],
    steps: int = 100,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> TunedWriter:
    """Tune a copy of a shipped GPT to name tasks: what it reads are lists, what it shall write are
    their titles and people's instructions.

    Args:
        held_out: clusters of tasks that it is not tuned on.

    Raises:
        ValueError: for a cluster that no task has.
    """
    if unknown := set(held_out) - set(clusters().values()):
        raise ValueError(
            f"no cluster {min(unknown)!r};"
            f" choose from {', '.join(sorted(set(clusters().values())))}"
        )
    rng, pairs = Rng(f"tune writer/{seed}"), []
    names = [
        name for name in list_tasks() if name not in PROFILED and clusters()[name] not in held_out
    ]
    examples = {
        name: load_task(name, seed=seed, wanted_tier="tiny").examples(TRAIN) for name in names
    }
    settings = FitSettings(steps=steps, learning_rate=learning_rate, seed=seed, precision="fp32")
    for _ in range(steps * settings.batch_size):
        name = rng.choice(names)
        words = rng.choice((list_tasks()[name].title, rng.choice(INSTRUCTIONS[name])))
        pairs.append((_named(examples[name], rng), f"{words} \n"))
    model = copy.deepcopy(base.model)
    fit(model, completions(base.tokenizer, pairs), settings)
    return TunedWriter(LanguageModel(model, base.tokenizer, base.batch_tokens))


@dataclass(frozen=True)
class BlankFiller(Writer):
    """A model that fills in blanks writes the line above a list, word by word, the blank that it is
    surest of first.

    A variation blanks about half of a prompt's words and fills them anew.

    Attributes:
        model: a masked model.
        lengths: numbers of words that a prompt may have, in turn.
        temperature: of the words that are drawn.
        demonstrations: how many it sees at once.
        template: how the list is laid out.
    """

    model: MaskedLM
    lengths: tuple[int, ...] = (3, 4, 5, 6)
    temperature: float = 0.7
    demonstrations: int = SHOWN
    template: Template = Template()

    def __post_init__(self) -> None:
        check_fields(
            self,
            model=anything(),
            lengths=each(integer(1), 1),
            temperature=number(above=0),
            demonstrations=integer(0),
            template=instance(Template),
        )
        if not isinstance(self.model, MaskedLM):
            raise ValueError(
                "a causal model cannot fill a blank that stands above what it should see:"
                " use a masked one"
            )

    def write(self, examples: Sequence[Example], count: int, seed: int) -> list[str]:
        blank, rng = self.model.tokenizer.mask_token, Rng(f"blanks/{seed}")
        return [
            self._filled([blank] * self.lengths[i % len(self.lengths)], examples, rng)
            for i in range(count)
        ]

    def vary(self, prompt: str, examples: Sequence[Example], count: int, seed: int) -> list[str]:
        blank, rng, words = (
            self.model.tokenizer.mask_token,
            Rng(f"blanks/{seed}/{prompt}"),
            prompt.split(),
        )
        varied = []
        for _ in range(count):
            sure = rng.randrange(len(words))
            blanked = [
                blank if i == sure or rng.bernoulli(0.5) else word for i, word in enumerate(words)
            ]
            varied.append(self._filled(blanked, examples, rng))
        return varied

    def _filled(self, words: list[str], examples: Sequence[Example], rng: Rng) -> str:
        blank, body = (
            self.model.tokenizer.mask_token,
            shown(examples, self.template, rng, self.demonstrations),
        )
        words = list(words)
        while blank in words:
            rows = (
                self.model.blanks(f"{' '.join(words)} \n {body}").div(self.temperature).softmax(-1)
            )
            row = int(rows.max(1).values.argmax())
            drawn = int(torch.searchsorted(rows[row].cumsum(0), rng.random()))
            place = [i for i, word in enumerate(words) if word == blank][row]
            words[place] = (
                self.model.tokenizer.decode([min(drawn, rows.shape[1] - 1)]).strip() or "."
            )
        return " ".join(words)
