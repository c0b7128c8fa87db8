"""Best-of-n on a real model by a reward model of real comparisons, with a second judge that shares
neither its comparisons nor its training (chapter 7).

There is no gold reward here, so nothing says what a remark is truly worth; what can be seen is
whether a judge that did not choose agrees with the one that did.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from course.foundation.rng import Rng
from course.heads.learning import REAL_RATES
from course.lm.language_model import load
from course.models.hub import tier
from course.reward.best_of_n import expected_best
from course.reward.preferences import Comparison
from course.reward.reward_model import learn_reward
from course.reward.rollout import Reward
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row
from course.studies.tables import curve, means, where
from course.tasks.registry import load_task
from course.training.fit_settings import FitSettings
from course.world.split import TEST, TRAIN

#: Whose remarks are chosen from, and the body of the reward models.
WRITER, BODY = "gpt-middle", "bert-middle"
#: What every remark of a comparison goes on from, for a reward model.
ASKED = "A remark about a film:"
#: Beginnings that the writer goes on from.
BEGINNINGS = tuple(
    f"{subject} {verb}"
    for subject in (
        *("The film", "The plot", "The acting", "The ending"),
        *("The dialogue", "The music", "The hero", "The last scene"),
    )
    for verb in ("is so", "was", "turned out to be")
)
#: Remarks that are drawn for each beginning, the sizes of the choice, and the most tokens of one.
POOL, SIZES, LONGEST = 32, (1, 2, 4, 8, 16, 32), 16
#: Comparisons of a reward model -> steps of its training, in batches of 16.
STEPS = {50: 20, 1000: 60}
#: Snippets that are drawn to learn from, half of them for the judges, and to test on.
SNIPPETS, HELD_OUT = 6000, 600
#: The two judges: a reward model from the other half, and a classifier of words from there.
JUDGE, WORDS = "a second reward model", "word counts"
#: The reward that chooses, as it sees itself.
PROXY = "the one that chooses"


def film_comparisons(rows: Sequence[dict], count: int, seed: int) -> list[Comparison]:
    """Pairs of a snippet of praise, preferred, and one of blame; each snippet is in one at most.

    Args:
        rows: with ``sentence`` and ``label``, 1 for praise.
        count: the most pairs; there are as many as the rarer label has snippets.
    """
    rng = Rng(f"film comparisons/{seed}")
    praise, blame = (
        rng.sample(texts, len(texts))
        for label in (1, 0)
        for texts in [[row["sentence"].strip() for row in rows if row["label"] == label]]
    )
    pairs = list(zip(praise, blame, strict=False))[:count]
    return [Comparison(ASKED, good, bad) for good, bad in pairs]


def learned_reward(comparisons: Sequence[Comparison], steps: int, seed: int) -> Reward:
    """A reward model on the encoder."""
    settings = FitSettings(steps=steps, batch_size=16, learning_rate=REAL_RATES[tier()], seed=seed)
    return learn_reward(BODY, comparisons, settings, unknown="allow").score


def word_reward(rows: Sequence[dict]) -> Reward:
    """Log-odds of praise by the words and pairs of words alone: a linear classifier."""
    classifier = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10)
    )
    classifier.fit([row["sentence"] for row in rows], [row["label"] for row in rows])
    return lambda prompts, replies: classifier.decision_function(list(replies))


def remarks(seed: int) -> list[list[str]]:
    """What the writer makes of each beginning: :data:`POOL` remarks, up to a full stop."""
    model = load(WRITER, precision="bf16")
    drawn = model.generate(
        BEGINNINGS, n=POOL, temperature=1.0, stop=("\n", "."), max_tokens=LONGEST, seed=seed
    )
    return [
        [(beginning + sample.text).strip() for sample in samples]
        for beginning, samples in zip(BEGINNINGS, drawn, strict=True)
    ]


def standardised(reward: Reward, pool: Sequence[Sequence[str]]) -> np.ndarray:
    """A reward of every remark, (beginnings, remarks), in standard deviations of them all."""
    texts = [text for group in pool for text in group]
    values = np.asarray(reward([ASKED] * len(texts), texts), float).reshape(len(pool), -1)
    return (values - values.mean()) / values.std()


def accuracy(reward: Reward, comparisons: Sequence[Comparison]) -> float:
    """Percent of comparisons whose preferred snippet has the higher reward."""
    asked = [comparison.prompt for comparison in comparisons]
    chosen = reward(asked, [comparison.chosen for comparison in comparisons])
    rejected = reward(asked, [comparison.rejected for comparison in comparisons])
    return 100 * float(np.mean(np.asarray(chosen) > np.asarray(rejected)))


def _named(count: int) -> str:
    return f"{count:,} comparisons"


def real_reward(seed: int) -> list[Row]:
    """Best-of-n over a real model's remarks on films, by reward models from 50 and 1,000 real
    comparisons (praise before blame), and what two judges from other snippets say of the choice.

    Returns:
        Rows with ``chooser`` and ``measure``: ``"accuracy"`` (``value`` in percent, on held-out
        comparisons); :data:`PROXY` and the judges (``value`` of the best of ``n``, in standard
        deviations of all remarks); ``"length"`` (of the best of ``n``, in words); ``"text"`` (the
        best of all remarks on the first beginning).
    """
    task = load_task("sentiment", seed=seed, sizes={TRAIN: SNIPPETS, TEST: HELD_OUT})
    rows = list(task.data[TRAIN])
    mine, others = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    most = max(STEPS)
    compared = film_comparisons(mine, most, seed)
    choosers = {
        _named(count): learned_reward(compared[:count], steps, seed)
        for count, steps in STEPS.items()
    }
    judges = {
        JUDGE: learned_reward(film_comparisons(others, most, seed), STEPS[most], seed + 1),
        WORDS: word_reward(others),
    }
    held_out = film_comparisons(list(task.data[TEST]), HELD_OUT, seed)
    pool = remarks(seed)
    values = {name: standardised(judge, pool) for name, judge in judges.items()}
    found: list[Row] = []
    for name, reward in (choosers | judges).items():
        row: Row = {"chooser": name, "measure": "accuracy", "value": accuracy(reward, held_out)}
        found += [row, *_best(name, standardised(reward, pool), values, pool)]
    return found


def _best(
    name: str,
    proxy: np.ndarray,
    judges: dict[str, np.ndarray],
    pool: Sequence[Sequence[str]],
) -> list[Row]:
    """What the best of n by one reward is worth to itself and to the judges, and how long it is."""
    length = np.array([[float(len(text.split())) for text in group] for group in pool])
    measures = {PROXY: proxy, **judges, "length": length}
    text = pool[0][int(proxy[0].argmax())]
    rows: list[Row] = [{"chooser": name, "measure": "text", "text": text}]
    for measure, values in measures.items():
        by_beginning = [expected_best(p, v, SIZES) for p, v in zip(proxy, values, strict=True)]
        rows += [
            {"chooser": name, "measure": measure, "n": n, "value": float(value)}
            for n, value in zip(SIZES, np.mean(by_beginning, 0), strict=True)
        ]
    return rows


def curves(record: pd.DataFrame, measure: str) -> dict[str, np.ndarray]:
    """Chooser -> a measure of the best of n, (seeds, sizes)."""
    return {
        str(name): curve(record, "n", chooser=name, measure=measure)
        for name in record["chooser"].unique()
    }


def panels(record: pd.DataFrame) -> dict[str, dict[str, np.ndarray]]:
    """Reward model that chooses -> whose reward of the choice -> (seeds, sizes)."""
    judged = {measure: curves(record, measure) for measure in (PROXY, JUDGE, WORDS)}
    return {
        name: {measure: values[name] for measure, values in judged.items()}
        for name in map(_named, STEPS)
    }


def at_the_end(record: pd.DataFrame) -> pd.DataFrame:
    """A row a reward: its accuracy on held-out comparisons, and what the best of all by it is worth
    to itself and to the judges, and its length; means over seeds.
    """
    last = record[(record["measure"] == "accuracy") | (record["n"] == SIZES[-1])]
    return means(last, "chooser", "measure", ("accuracy", PROXY, JUDGE, WORDS, "length"))


def best_texts(record: pd.DataFrame) -> pd.DataFrame:
    """The best remark on the first beginning by each reward, of the first seed."""
    rows = where(record, measure="text", seed=record["seed"].min())
    return rows[["chooser", "text"]]


#: The study of chapter 7.
REWARD = RealStudy("reward", 1, (BODY, WRITER), SEEDS, real_reward, ("sentiment",))
