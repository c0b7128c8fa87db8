"""The texts of chapter 1 by tier: the micro-world's for the shipped models, plain English for real
ones, which have never heard of *dorland*. In the tier ``index``, whose encoder fills in no blanks,
the blanks are those of the shipped models, and the tasks those of the real one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from course.cloze import english, expectations
from course.cloze.expectations import Beginning, Blank
from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.lm.predictor import MaskedLM
from course.models.hub import tier
from course.world.exercises import EXERCISES
from course.world.lexicon import COUNTRIES
from course.world.split import TEST

#: Tasks of the micro-world that chapter 1 tunes while one reads.
_TASKS = ("sentiment", "topic", "inference", "third_word")
_EXAMPLES = (
    Blank("the capital of dorland is", ".", "rosken", "left"),
    Blank("the capital of", "is rosken .", "dorland", "right", tuple(COUNTRIES)),
    Blank("the opposite of", "is cold .", "hot", "right"),
)
_TITLES = {
    "facts": "facts (stated)",
    "translations": "translations (held out)",
    "sums": "sums (held out)",
}
_PROMPTS = (
    "hot : cold \n young : old \n fast :",
    "dorland : rosken \n belmar : jasper \n tavria :",
    "soup : good \n tea : good \n stew :",
)


@dataclass(frozen=True)
class ClozeData:
    """Blanks, beginnings and prompts whose words the models of one tier know.

    Attributes:
        examples: three sentences with a blank: the clue on the left, and twice on the right.
        samples: one pair of blanks of each kind that is drawn.
        titles: kind of blanks -> its title in a figure.
        blank_sets: seed -> the blanks of each kind.
        begun: two beginnings to look at.
        beginnings: seed -> beginnings to measure with.
        tasks: list tasks for specialists.
        prompts: demonstrations of three tasks, each with one input to answer.
        phrase: a beginning whose end may have one word or more.
        requests: what a generalist is asked to do with a text -> a prompt that shows it once.
        fillers: the tier of the two models that fill in blanks.
        generalist: the tier of the model that is prompted, and tuned for the tasks.
    """

    examples: tuple[Blank, ...]
    samples: tuple[Blank, ...]
    titles: dict[str, str]
    blank_sets: Callable[[int], dict[str, list[Blank]]]
    begun: tuple[Beginning, ...]
    beginnings: Callable[[int], list[Beginning]]
    tasks: tuple[str, ...]
    prompts: tuple[str, ...]
    phrase: str
    requests: dict[str, Beginning]
    fillers: str
    generalist: str

    def load_fillers(self) -> tuple[LanguageModel, MaskedLM]:
        """GPT and BERT, which fill in the same blanks; prints where they are from, if that is not
        the tier in force.
        """
        if self.fillers != self.generalist:
            print(
                f"The encoder of the tier {self.generalist!r} has no head for masked words, so the "
                "shipped models fill in the blanks; the tier 'hub' has a real BERT that can."
            )
        return load("gpt-middle", self.fillers), load("bert-middle", self.fillers)

    def load_generalist(self) -> LanguageModel:
        """The model that is prompted, and tuned for the tasks."""
        return load("gpt-middle", self.generalist)


def chapter_data(wanted_tier: str | None = None) -> ClozeData:
    """The texts of chapter 1 for the tier.

    Args:
        wanted_tier: overrides ``COURSE_TIER``.

    Raises:
        ValueError: for an unknown tier.
    """
    chosen = tier(wanted_tier)
    if chosen == "hub":
        return _plain_english()
    if chosen == "index":
        return replace(
            _micro_world(), tasks=english.TASKS, prompts=english.PROMPTS, generalist=chosen
        )
    return _micro_world()


def _plain_english() -> ClozeData:
    return ClozeData(
        examples=english.EXAMPLES,
        samples=tuple(english.samples(seed=3)),
        titles=english.TITLES,
        blank_sets=lambda seed: english.blank_sets(40, seed),
        begun=tuple(english.beginnings(2, seed=5)),
        beginnings=lambda seed: english.beginnings(20, seed),
        tasks=english.TASKS,
        prompts=english.PROMPTS,
        phrase=english.PHRASE,
        requests=english.WRITING,
        fillers="hub",
        generalist="hub",
    )


def _micro_world() -> ClozeData:
    return ClozeData(
        examples=_EXAMPLES,
        samples=(
            *expectations.translation_blanks(1, seed=3),
            *expectations.sum_blanks(1, seed=3),
        ),
        titles=_TITLES,
        blank_sets=_world_blanks,
        begun=tuple(expectations.beginnings(2, seed=5)),
        beginnings=lambda seed: expectations.beginnings(60, seed),
        tasks=_TASKS,
        prompts=_PROMPTS,
        phrase="english : the red dog \n velan :",
        requests={"translate": _shown_once("to_velan"), "summarise": _shown_once("summary")},
        fillers="tiny",
        generalist="tiny",
    )


def _shown_once(name: str) -> Beginning:
    """A held-out item of an exercise behind one that the corpus may contain."""
    kind, rng = EXERCISES[name], Rng(f"shown once/{name}")
    shown, query = kind.write(rng, True), kind.write(rng, False)
    while kind.split(query) != TEST:
        query = kind.write(rng, False)
    before, _ = kind.frame.format(x=query.input, y="{y}").split(" {y}")
    return Beginning(f"{kind.frame.format(x=shown.input, y=shown.output)} {before}", query.output)


def _world_blanks(seed: int) -> dict[str, list[Blank]]:
    """The kinds of blanks of the micro-world; the facts are always the same."""
    return {
        "facts": expectations.fact_blanks(),
        "translations": expectations.translation_blanks(200, seed),
        "sums": expectations.sum_blanks(150, seed),
    }
