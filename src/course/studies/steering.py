"""A study of prefixes that steer a dialogue model: learned, random and hand-written, and what a
gameable reward leads to.
"""

from collections.abc import Sequence
from dataclasses import asdict

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.search import (
    Brevity,
    CourteousWords,
    LearnedPrefix,
    Manner,
    Meter,
    Method,
    Policy,
    PolicySettings,
    PolicyTraining,
    RandomSearch,
    Scorer,
    judge,
    learn,
    places,
    plain_tokens,
    search,
    steered,
)
from course.search.steering import looks
from course.studies.records import Study

#: The policy's own language model, and the dialogue model that it steers.
WRITER, STEERED = "gpt-small", "gpt-middle"
#: Manners to steer towards, and what a person who knows the corpus writes for each.
TARGETS = {"kind": "a kind guide \n", "rude": "a rude guide \n"}
#: Model calls of a search.
BUDGET = 4000
#: How the policy learns. A few settings were compared by their reward on training questions.
SETTINGS, LESSONS = PolicySettings(entropy=0.05), PolicyTraining()
#: How often the favourite prefix is looked at, in updates.
EVERY = 5
#: Replies that are kept of each look.
SHOWN = 3
#: Prefixes of random words that are judged to say what a prefix does that means nothing.
RANDOM = 12
#: Model calls for a reward that is easily gamed.
GAMED_BUDGET = 3000
#: It tries more than where the reward is not to be gamed.
GAMED_SETTINGS = PolicySettings(entropy=0.05, temperature=1.5)


def steering(seed: int) -> dict:
    """What replies to held-out questions are like: with each kind of prefix, and along each search."""
    writer, model = load(WRITER), load(STEERED)
    train, test = places(seed)
    method = LearnedPrefix(writer, lessons=LESSONS, settings=SETTINGS, every=EVERY)
    found: dict = {"targets": {}}
    for manner, hand_written in TARGETS.items():
        objective = Manner(train, test, Scorer(manner, seed), seed=seed)
        fixed = {"no prefix": "", "hand-written": hand_written}
        found["targets"][manner] = {
            **{
                name: _judged(model, objective, [prefix] * len(test))
                for name, prefix in fixed.items()
            },
            "random words": [
                _judged(model, objective, [prefix] * len(test))
                for prefix in _random_words(model, seed)
            ],
            "random search": _searched(
                RandomSearch(_words(model), LESSONS.length), model, objective, BUDGET
            ),
            "learned": _searched(method, model, objective, BUDGET),
            "learned, reads": _reading(writer, model, objective),
        }
    counting = LearnedPrefix(writer, lessons=LESSONS, settings=GAMED_SETTINGS, every=EVERY)
    return found | {
        "courteous words": _searched(
            counting, model, Manner(train, test, CourteousWords(), seed=seed), GAMED_BUDGET
        )
    }


def _judged(model: LanguageModel, objective: Manner, prefixes: Sequence[str], **more) -> dict:
    """What the held-out replies are like, with a few of them."""
    found = asdict(
        judge(model, objective.reward, prefixes, objective.test, seed=objective.seed + 1)
    )
    return {**more, "prefix": prefixes[0], **found, "examples": found["examples"][:SHOWN]}


def _words(model: LanguageModel) -> tuple[str, ...]:
    return tuple(model.tokenizer.decode([i]) for i in plain_tokens(model))


def _random_words(model: LanguageModel, seed: int) -> list[str]:
    rng = Rng(f"random words/{seed}")
    return [" ".join(rng.sample(_words(model), LESSONS.length)) for _ in range(RANDOM)]


def _searched(method: Method, model: LanguageModel, objective: Manner, budget: int) -> list[dict]:
    """The best prefixes of a search by the calls that they took, judged; ``score`` is what the
    search thought of them.
    """
    steps, count = (
        search(method, objective, model, budget, objective.seed).steps,
        len(objective.test),
    )
    return [
        _judged(model, objective, [step.prompt] * count, calls=step.calls, score=step.score)
        for step in steps
    ]


def _reading(writer: LanguageModel, model: LanguageModel, objective: Manner) -> list[dict]:
    """The same of a policy that reads each question before it writes a prefix for it."""
    lessons = PolicyTraining(LESSONS.length, LESSONS.prefixes, LESSONS.questions, reads=True)
    policy, meter = (
        Policy(writer, settings=SETTINGS, seed=objective.seed),
        Meter(objective, model, BUDGET),
    )
    return [
        _judged(
            model,
            objective,
            steered(policy, lessons, objective.test),
            calls=meter.calls,
            score=update.reward,
        )
        for update in looks(learn(policy, meter, lessons, objective.seed), EVERY)
    ]


#: A policy that begins with any word as likely as another, and what it is shown.
EVEN_SETTINGS, EVEN_LESSONS = PolicySettings(start="even"), PolicyTraining(prefixes=32, questions=4)


def gamed(seed: int) -> dict:
    """What replies to held-out questions become while a policy learns that they should be short, by
    how the policy starts.

    More seeds than elsewhere: whether the reward is gamed is a matter of luck.
    """
    writer, model = load(WRITER), load(STEERED)
    objective = Manner(*places(seed), Brevity(), seed=seed)
    starts = {"model": (LESSONS, GAMED_SETTINGS), "even": (EVEN_LESSONS, EVEN_SETTINGS)}
    return {
        start: _searched(
            LearnedPrefix(writer, lessons=lessons, settings=settings, every=EVERY),
            model,
            objective,
            GAMED_BUDGET,
        )
        for start, (lessons, settings) in starts.items()
    }


STUDIES = (
    Study("steering", 2, (WRITER, STEERED), (0, 1, 2), steering),
    Study("gamed-reward", 1, (WRITER, STEERED), tuple(range(8)), gamed),
)
