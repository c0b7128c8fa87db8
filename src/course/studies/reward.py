"""Over-optimisation of a learned reward: best-of-n by reward models on more and fewer comparisons,
and beside what they score the gold reward (chapter 7).

Seeds x seconds of a busy core: 5 x 430, for five reward models on one pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.reward.best_of_n import best_of_n_kl, expected_best
from course.reward.guides import gold_rewards, is_true, question_of, rated_replies, read, sampling
from course.reward.overoptimisation import fit_curve
from course.reward.preferences import Comparison, RatedReplies, draw_comparisons
from course.reward.reward_model import RewardModel, learn_reward
from course.reward.rollout import Reward
from course.search.dialogue_reward import apart, dialogue, visitor_questions
from course.studies.claims import Claim, Demonstration, MoreThan, Varies, fails, undecided
from course.studies.records import Row, Study
from course.studies.tables import means, rows_of, where
from course.training.fit_settings import FitSettings
from course.world.conduct import kind_of

#: Whose replies are compared and chosen from, and whose body the reward models have.
BODY = "gpt-middle"
#: Questions whose replies are compared, and how many replies each has; questions of the test.
COMPARED, ON_POLICY, TESTED = 300, 8, 48
#: Replies to each question that there are to choose from, written so many at a time; the sizes of
#: the choice.
POOL, AT_ONCE = 512, 64
SIZES = tuple(2**i for i in range(10))
#: The divergence of each size, in nats.
DIVERGENCE = np.array([best_of_n_kl(n) for n in SIZES])
#: Comparisons of a reward model -> steps of its training, so that small sets are not learned by
#: heart.
STEPS = {50: 15, 200: 30, 1000: 60, 5000: 120}
#: Where comparisons come from: questions of every kind, as visitors ask them, or the easy kind
#: alone, which whoever compares can judge. Each as many.
EVERY_KIND, EASY = "every kind", "places alone"
EASY_COMPARISONS = 200
#: Choices that need no reward model, the last of which is the best possible.
AT_RANDOM, SHORTEST, COURTEOUS, GOLD = (
    "at random",
    "the shortest",
    "the most courteous words",
    "by gold",
)
#: Comparisons that no reward model has seen, to judge it by.
HELD_OUT = 300


@dataclass(frozen=True)
class Pool:
    """The replies that are chosen from, the same number to each question.

    Attributes:
        prompts: a prompt for each question.
        replies: to each prompt.
        gold: their gold rewards, (prompts, replies).
    """

    prompts: tuple[str, ...]
    replies: tuple[tuple[str, ...], ...]
    gold: np.ndarray

    def values(self, reward: Reward) -> np.ndarray:
        """A reward of every reply, (prompts, replies)."""
        size = len(self.replies[0])
        prompts = [prompt for prompt in self.prompts for _ in range(size)]
        flat = [reply for replies in self.replies for reply in replies]
        return np.asarray(reward(prompts, flat), float).reshape(len(self.prompts), size)


def draw_pool(model: LanguageModel, prompts: Sequence[str], size: int, seed: int) -> Pool:
    """``size`` replies of a model to each prompt; some at a time, since each reads the others that
    are written with it.
    """
    replies: list[list[str]] = [[] for _ in prompts]
    rng = Rng(f"pool/{seed}")
    for start in range(0, size, AT_ONCE):
        some = sampling(min(AT_ONCE, size - start), rng.randrange(2**31))
        for kept, group in zip(replies, model.generate(prompts, some), strict=True):
            kept += [sample.text.strip() for sample in group]
    return rated_pool(prompts, replies)


def rated_pool(prompts: Sequence[str], replies: Sequence[Sequence[str]]) -> Pool:
    """As many replies to each prompt, with their gold rewards."""
    pairs = zip(prompts, replies, strict=True)
    gold = [gold_rewards([prompt] * len(group), group) for prompt, group in pairs]
    return Pool(tuple(prompts), tuple(map(tuple, replies)), np.array(gold))


def shortest(prompts: Sequence[str], replies: Sequence[str]) -> np.ndarray:
    """A reward that a cheat maximises without reading: few words and signs."""
    return np.array([-float(len(apart(reply).split())) for reply in replies])


def courteous_words(prompts: Sequence[str], replies: Sequence[str]) -> np.ndarray:
    """Another one: many courteous words."""
    pairs = zip(prompts, replies, strict=True)
    return np.array([float(read(*pair).courtesies) for pair in pairs])


def overoptimised(seed: int) -> list[Row]:
    """What best-of-n by each reward model, and by rules that read nothing, brings in gold.

    Returns:
        Columns source, comparisons, part, value. The part ``"best of n"`` has ``n``, ``measure``
        (proxy, in standard deviations of the pool; gold; true, in percent; length, in words;
        courteous words) and ``half`` (of the test questions); ``"reward model"`` has ``measure``
        (accuracy in percent on held-out comparisons, and how its reward goes with gold, length and
        courteous words: the mean correlation among the replies to a question).
    """
    model = load(BODY)
    train, test = visitor_questions(seed, COMPARED, TESTED)
    pool = draw_pool(model, [dialogue(question) for question in test], POOL, seed)
    held_out = draw_comparisons(_first(pool), HELD_OUT, seed=seed)
    rows: list[Row] = []
    prompts = [dialogue(question) for question in train]
    for source, count, comparisons in comparison_sets(model, prompts, seed):
        learned = reward_model_of(comparisons, seed)
        proxy = pool.values(learned.score)
        found = _judged(learned, held_out, pool, proxy) + _best(pool, proxy)
        rows += [{"source": source, "comparisons": count, **row} for row in found]
    for rule, reward in rules(seed).items():
        rows += [{"source": rule, **row} for row in _best(pool, pool.values(reward))]
    return rows


def rules(seed: int) -> dict[str, Reward]:
    """Choices that need no reward model, by name."""
    draws = np.random.default_rng(seed)
    return {
        AT_RANDOM: lambda prompts, replies: draws.random(len(replies)),
        SHORTEST: shortest,
        COURTEOUS: courteous_words,
        GOLD: gold_rewards,
    }


def comparison_sets(
    model: LanguageModel, prompts: Sequence[str], seed: int
) -> list[tuple[str, int, list[Comparison]]]:
    """(source, number, comparisons of the model's own replies) of each reward model."""
    rated = rated_replies(model, prompts, ON_POLICY, seed)
    # there are few such questions, so each has more replies
    questions = [p for p in prompts if kind_of(question_of(p)) == "place"]
    easy = rated_replies(model, questions, 2 * ON_POLICY, seed)
    sets = [(EVERY_KIND, m, draw_comparisons(rated, m, seed=seed)) for m in STEPS]
    return [*sets, (EASY, EASY_COMPARISONS, draw_comparisons(easy, EASY_COMPARISONS, seed=seed))]


def reward_model_of(comparisons: Sequence[Comparison], seed: int) -> RewardModel:
    """The reward model of a set of comparisons, trained as long as their number allows."""
    settings = FitSettings(steps=STEPS[len(comparisons)], seed=seed, precision="fp32")
    return learn_reward(BODY, comparisons, settings, unknown="allow")


def set_name(source: str, comparisons: int) -> str:
    """What a reward model is called in tables and figures, by what it has learned from."""
    return f"{comparisons} comparisons" if source == EVERY_KIND else source


def _first(pool: Pool) -> list[RatedReplies]:
    """The first replies of the pool to each question, rated."""
    rows = zip(pool.prompts, pool.replies, pool.gold, strict=True)
    return [RatedReplies(p, r[:ON_POLICY], tuple(g[:ON_POLICY])) for p, r, g in rows]


def _judged(
    learned: RewardModel, held_out: Sequence[Comparison], pool: Pool, proxy: np.ndarray
) -> list[Row]:
    goes_with = {"gold": pool.gold, "length": -pool.values(shortest)} | {
        COURTEOUS: pool.values(courteous_words)
    }
    measures = {"accuracy": 100 * learned.accuracy(held_out)} | {
        f"r with {name}": correlation(proxy, values) for name, values in goes_with.items()
    }
    return rows_of(measures, part="reward model")


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """The correlation among the replies to a prompt, the mean over prompts where both vary."""
    varied = [(x, y) for x, y in zip(a, b, strict=True) if x.std() > 0 and y.std() > 0]
    return float(np.mean([np.corrcoef(x, y)[0, 1] for x, y in varied])) if varied else 0.0


def standardised(reward: Reward, pool: Pool) -> Reward:
    """A reward in standard deviations of the replies of a pool, 0 at their mean."""
    values = pool.values(reward)
    centre, scale = values.mean(), values.std() or 1.0
    return lambda prompts, replies: (np.asarray(reward(prompts, replies)) - centre) / scale


def worth_of(pool: Pool, proxy: np.ndarray) -> dict[str, np.ndarray]:
    """What each reply is like, by measure, (prompts, replies) as ``proxy``: a reward that is
    standardised, gold, true (percent), length (words), courteous words.
    """
    true = pool.values(lambda p, r: np.array([is_true(*pair) for pair in zip(p, r, strict=True)]))
    return {
        "proxy": proxy,
        "gold": pool.gold,
        "true": 100 * true,
        "length": -pool.values(shortest),
        COURTEOUS: pool.values(courteous_words),
    }


def _best(pool: Pool, proxy: np.ndarray) -> list[Row]:
    """What the best of n by a proxy is worth, by half of the questions."""
    worth = worth_of(pool, (proxy - proxy.mean()) / (proxy.std() or 1.0))
    rows: list[Row] = []
    for half in (0, 1):
        for measure, values in worth.items():
            pairs = zip(proxy[half::2], values[half::2], strict=True)  # every second question
            chosen = [expected_best(chooser, value, SIZES) for chooser, value in pairs]
            rows += [
                {"part": "best of n", "half": half, "measure": measure, "n": n, "value": value}
                for n, value in zip(SIZES, np.mean(chosen, axis=0).tolist(), strict=True)
            ]
    return rows


def _curves(
    table: pd.DataFrame, measure: str, source: str, comparisons: int | None = None
) -> np.ndarray:
    """A measure by size of the choice, (seeds, halves, sizes)."""
    rows = where(table, part="best of n", measure=measure, source=source)
    rows = rows if comparisons is None else where(rows, comparisons=comparisons)
    wide = rows.pivot_table("value", ["seed", "half"], "n")[list(SIZES)]
    return wide.to_numpy().reshape(-1, 2, len(SIZES))


def curve_of(
    table: pd.DataFrame, measure: str, source: str, comparisons: int | None = None
) -> np.ndarray:
    """A measure by size of the choice, (seeds, sizes)."""
    return _curves(table, measure, source, comparisons).mean(1)


def gold_in_deviations(table: pd.DataFrame, comparisons: int) -> np.ndarray:
    """Gold of what a reward model chooses by size of the choice, (seeds, sizes), in standard
    deviations of all replies, 0 at their mean, as its own reward is given.

    The choice by gold has both: its gold, and gold as its own reward.
    """
    gold, own = (curve_of(table, measure, GOLD) for measure in ("gold", "proxy"))
    deviation = (np.ptp(gold, 1) / np.ptp(own, 1))[:, None]
    mean = gold[:, :1] - deviation * own[:, :1]
    return (curve_of(table, "gold", EVERY_KIND, comparisons) - mean) / deviation


def lost_after_the_peak(
    table: pd.DataFrame, source: str, comparisons: int | None = None
) -> np.ndarray:
    """Gold at the best size minus gold at the largest, (seeds,). The best size is looked up on one
    half of the questions and the loss taken on the other, both ways: a peak of its own would be
    above the end by chance alone.
    """
    return cross_fitted_loss(_curves(table, "gold", source, comparisons))


def cross_fitted_loss(gold: np.ndarray) -> np.ndarray:
    """What is lost from the peak of a curve to its end, (seeds,), where the place of the peak is
    looked up on the other half of the questions.

    Args:
        gold: (seeds, 2 halves, points).
    """
    peaks = gold.argmax(2)[:, ::-1, None]  # of the other half
    at_peak = np.take_along_axis(gold, peaks, axis=2)[..., 0]
    return (at_peak - gold[..., -1]).mean(1)


def peaks(table: pd.DataFrame, source: str, comparisons: int) -> np.ndarray:
    """Where the fitted curve of gold has its peak, within what was measured: the square root of the
    divergence, (seeds,).
    """
    curves = curve_of(table, "gold", source, comparisons)
    return np.array([fitted_peak("best-of-n", DIVERGENCE, gold) for gold in curves])


def fitted_peak(method: str, divergence: np.ndarray, gold: np.ndarray) -> float:
    """Where the curve that is fitted to gold has its peak, within what was measured: the square
    root of the divergence.

    Args:
        method: a key of :data:`course.reward.overoptimisation.BENDS`.
        divergence: in nats, and
        gold: there, the first of the model before.
    """
    grid = np.linspace(0, np.sqrt(divergence.max()), 500)
    fit = fit_curve(method, divergence, gold - gold[0])
    return float(grid[fit.gain(grid**2).argmax()])


def gold_curves(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Name of a choice -> gold by size of the choice, (seeds, sizes)."""
    rules_alone = {rule: curve_of(table, "gold", rule) for rule in (GOLD, AT_RANDOM)}
    return _learned_curves(table, "gold") | rules_alone


def proxy_curves(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Name of a reward model -> its own reward by size of the choice, (seeds, sizes), in standard
    deviations of all replies.
    """
    return _learned_curves(table, "proxy")


def _learned_curves(table: pd.DataFrame, measure: str) -> dict[str, np.ndarray]:
    """The same of every reward model, that of the easy questions last."""
    curves = {set_name(EVERY_KIND, m): curve_of(table, measure, EVERY_KIND, m) for m in STEPS}
    return curves | {EASY: curve_of(table, measure, EASY)}


def reward_models(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on held-out comparisons, and what the reward goes with; means over seeds."""
    rows = where(table, part="reward model").copy()
    counts = rows["comparisons"].astype(int).astype(str)
    rows["learned from"] = counts + ", " + rows["source"]
    return means(rows, "learned from", "measure", rows["measure"].unique())


def chosen(table: pd.DataFrame, comparisons: int) -> pd.DataFrame:
    """What the chosen replies are like, by size of the choice; means over seeds."""
    rows = where(table, part="best of n", source=EVERY_KIND, comparisons=comparisons)
    wide = rows.pivot_table("value", "n", "measure").rename(index=int)
    return wide[["proxy", "gold", "true", "length", COURTEOUS]]


def _lost_by_rules(table: pd.DataFrame) -> dict[str, float]:
    """What is lost after its peak by choices that read nothing, in gold."""
    names = (AT_RANDOM, SHORTEST, COURTEOUS)
    return {rule: float(lost_after_the_peak(table, rule).mean()) for rule in names}


def _at_the_end(table: pd.DataFrame, source: str, comparisons: int | None = None) -> np.ndarray:
    return curve_of(table, "gold", source, comparisons)[:, -1]


STUDY = Study("overoptimisation", 1, (BODY,), (0, 1, 2, 3, 4), overoptimised)
STUDIES = (STUDY,)

_VARIES = (Varies.ITEMS, Varies.TRAINING)
_LEVELS_OFF = "gold levels off and does not fall"
#: Comparisons -> why their claim does not hold.
_NOTHING_LOST = {
    50: fails("gold is no lower at 512 replies than where it is best"),
    200: fails(_LEVELS_OFF),
    1000: undecided(f"{_LEVELS_OFF} on the mean; seeds differ by about the margin"),
    5000: fails(_LEVELS_OFF),
}
CLAIMS = (
    *(
        Claim(
            "7a",
            f"Best-of-n by a reward model on {m} comparisons loses gold after its peak.",
            MoreThan(0.2),
            "gao2022scaling",
            varies=_VARIES,
            unit="points of gold",
            studies=(STUDY,),
            values=lambda table, m=m: lost_after_the_peak(table, EVERY_KIND, m),
            baselines=_lost_by_rules,
            **_NOTHING_LOST[m],
        )
        for m in STEPS
    ),
    Claim(
        "7a",
        f"On {EASY_COMPARISONS} comparisons of easy questions alone it does lose gold after its"
        " peak.",
        MoreThan(0.2),
        "gao2022scaling",
        varies=_VARIES,
        unit="points of gold",
        studies=(STUDY,),
        values=lambda table: lost_after_the_peak(table, EASY),
        baselines=_lost_by_rules,
        exploratory=True,
    ),
    Claim(
        "7a",
        "The peak comes later with 1,000 comparisons than with 50.",
        MoreThan(0),
        "gao2022scaling",
        varies=_VARIES,
        unit="of the square root of the divergence (nats)",
        studies=(STUDY,),
        values=lambda table: peaks(table, EVERY_KIND, 1000) - peaks(table, EVERY_KIND, 50),
        **undecided("gold levels off, and the fitted peaks are at about the same place"),
    ),
    Claim(
        "7a",
        "Comparisons of easy questions leave less gold at n = 512 than a random choice of as many.",
        MoreThan(0),
        "gao2022scaling",
        varies=_VARIES,
        unit="points of gold",
        studies=(STUDY,),
        values=lambda table: (
            _at_the_end(table, EVERY_KIND, EASY_COMPARISONS)
            - _at_the_end(table, EASY, EASY_COMPARISONS)
        ),
        baselines=lambda table: {
            rule: float((_at_the_end(table, rule) - _at_the_end(table, EASY)).mean())
            for rule in (AT_RANDOM, SHORTEST, COURTEOUS)
        },
    ),
    Demonstration(
        "7a",
        "The reward that chooses rises with n throughout.",
        "gao2022scaling",
        why="the best of more replies is no worse by the reward that chooses it",
        studies=(STUDY,),
        figures=lambda table: {
            f"from n = 1 to 512, {name}, standard deviations": float(
                (curve[:, -1] - curve[:, 0]).mean()
            )
            for name, curve in proxy_curves(table).items()
        },
    ),
)
