"""A study of prefixes that steer a dialogue model: learned, random and hand-written, and what a gameable reward leads to."""

from collections.abc import Sequence
from dataclasses import asdict

from course.lm import LanguageModel, load
from course.records import Study
from course.search import (
    CourteousWords,
    LearnedPrefix,
    Lessons,
    Manner,
    Meter,
    Policy,
    PolicySettings,
    RandomSearch,
    Reward,
    Scorer,
    judge,
    learn,
    places,
    plain_tokens,
    search,
    steered,
)
from course.world.chance import Chance

#: The policy's own language model, and the dialogue model that it steers.
WRITER, STEERED = "gpt-small", "gpt-middle"
#: Manners to steer towards, and what a person who knows the corpus writes for each.
TARGETS = {"kind": "a kind guide \n", "rude": "a rude guide \n"}
#: Model calls of a search.
BUDGET = 4000
#: How the policy learns; chosen on training questions.
SETTINGS = PolicySettings(entropy=0.01)
#: Prefixes of random words that are judged to say what a prefix does that means nothing.
RANDOM = 12
#: The gameable reward: model calls, tokens of a prefix, and weights of the penalty for leaving the start.
GAMED_BUDGET, GAMED_LENGTH, PENALTIES = 8000, 8, (0.0, 0.3)


def steering(seed: int) -> dict:
    """What replies to held-out questions are like: with each kind of prefix, and along each search."""
    writer, model = load(WRITER), load(STEERED)
    train, test = places(seed)
    found = {"targets": {}, "gamed": {}}
    for manner, hand_written in TARGETS.items():
        reward = Scorer(manner, seed)
        fixed = {"no prefix": "", "hand-written": hand_written}
        found["targets"][manner] = {
            **{name: _judged(model, reward, [prefix] * len(test), test, seed) for name, prefix in fixed.items()},
            "random words": _random_words(model, reward, test, seed),
            **_searched(writer, model, Manner(train, test, reward, seed=seed), seed),
        }
    for penalty in PENALTIES:
        settings = PolicySettings(entropy=SETTINGS.entropy, kl=penalty)
        meter = Meter(Manner(train, test, CourteousWords(), seed=seed), model, GAMED_BUDGET)
        found["gamed"][str(penalty)] = _learning(writer, meter, Lessons(GAMED_LENGTH), settings, seed)
    return found


def _judged(model: LanguageModel, reward: Reward, prefixes: Sequence[str], questions: Sequence[str], seed: int, **more) -> dict:
    return {**more, "prefix": prefixes[0], **asdict(judge(model, reward, prefixes, questions, seed=seed))}


def _random_words(model: LanguageModel, reward: Reward, test: Sequence[str], seed: int) -> list[dict]:
    chance, words = Chance(f"random words/{seed}"), _words(model)
    drawn = [" ".join(chance.some(words, Lessons().length)) for _ in range(RANDOM)]
    return [_judged(model, reward, [prefix] * len(test), test, seed) for prefix in drawn]


def _words(model: LanguageModel) -> tuple[str, ...]:
    return tuple(model.tokenizer.decode([i]) for i in plain_tokens(model))


def _searched(writer: LanguageModel, model: LanguageModel, objective: Manner, seed: int) -> dict[str, list[dict]]:
    """The best prefixes of each search by the calls that they took, judged."""
    methods = {
        "random search": RandomSearch(_words(model), Lessons().length),
        "learned": LearnedPrefix(writer, settings=SETTINGS),
    }
    traces = {}
    for name, method in methods.items():
        steps = search(method, objective, model, BUDGET, seed).steps
        test = objective.test
        traces[name] = [_judged(model, objective.reward, [step.prompt] * len(test), test, seed, calls=step.calls) for step in steps]
    traces["learned, reads"] = _learning(writer, Meter(objective, model, BUDGET), Lessons(reads=True), SETTINGS, seed)
    return traces


def _learning(writer: LanguageModel, meter: Meter, lessons: Lessons, settings: PolicySettings, seed: int) -> list[dict]:
    """What a policy likes best, judged as it learns: before it does, after every fifth update, and in the end."""
    policy, objective, updates = Policy(writer, settings=settings, seed=seed), meter.objective, []

    def look() -> dict:
        prefixes = steered(policy, lessons, objective.test)
        return _judged(meter.model, objective.reward, prefixes, objective.test, seed, calls=meter.calls)

    trace = [look()]
    for update in learn(policy, meter, lessons, seed):
        updates.append(update)
        if len(updates) % 5 == 0:
            trace.append(look())
    return trace if len(updates) % 5 == 0 else [*trace, look()]


STUDIES = (Study("steering", 1, (WRITER, STEERED), (0, 1, 2), steering),)
