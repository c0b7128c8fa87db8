"""Over-optimisation of a learned reward: best-of-n by reward models on more and fewer comparisons,
and beside what they score the gold reward (chapter 7).

Seeds x seconds of a busy core: 5 x 430, for five reward models on one pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.reward.best_of_n import best_of_n_kl, expected_best
from course.reward.guides import gold_rewards, is_true, question_of, rated_replies, read, sampling
from course.reward.preferences import Comparison, RatedReplies, draw_comparisons
from course.reward.reward_model import RewardModel, learn_reward
from course.reward.rollout import Reward
from course.search.dialogue_reward import apart, dialogue, visitor_questions
from course.studies.records import Row, Study
from course.studies.tables import rows_of
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


STUDY = Study("overoptimisation", 1, (BODY,), (0, 1, 2, 3, 4), overoptimised)
STUDIES = (STUDY,)
