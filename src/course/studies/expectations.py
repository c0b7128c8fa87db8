"""Studies of chapter 1: GPT and BERT on blanks and continuations; specialists and a generalist.

Costs as measured on one core of a busy machine, seeds x seconds: two-expectations 3 x 36,
translation 3 x 295, specialists 3 x 93, cost-of-a-task 2 x 63.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from course.cloze import english, expectations
from course.cloze.expectations import Blank
from course.cloze.texts import chapter_data
from course.finetuning import specialists
from course.finetuning.specialists import (
    GENERALIST,
    LABELLED,
    TASKS,
    TRANSLATIONS,
    WRITING,
)
from course.foundation.intervals import Crossed
from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.lm.predictor import MaskedLM
from course.models.loading import load_model, load_tokenizer
from course.prompting.evaluation import fresh_questions
from course.studies.bodies import BERTS, GPTS, SMALL_GPTS
from course.studies.claims import Claim, Demonstration, MoreThan, Varies, Within, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_body, means, where

#: Kinds of blanks whose texts no document of the pretraining corpus contains.
HELD_OUT = ("translations", "sums")
#: How many blanks of each kind and side a seed draws.
BLANKS_A_SEED = 100
#: The ways to fill a blank.
ONE_PASS, READING, FILLING, AMONG = (
    "GPT, one pass",
    "GPT, reading every candidate",
    "BERT, one pass",
    "BERT, one pass, among the candidates",
)
#: Numbers of labels at which a specialist is trained for the cost of a new task, of demonstrations
#: beside them, and the tasks.
LABELS, SHOTS = (8, 32, 128, 512), (1, 2, 4, 8)
COSTED = ("sentiment", "inference", "third_word")
#: How a writing task is done: prompted with demonstrations, with none, or by a specialist.
PROMPTED, ZERO_SHOT, SPECIALIST = "prompted", "prompted, no demonstration", "specialist"


def fill_blanks(gpt: LanguageModel, bert: MaskedLM, seed: int) -> list[Row]:
    """Blanks with the clue on the left and on the right, filled in every way, and continuations.

    In the hub tier the texts are plain English, without the words that a tokenizer splits.

    Returns:
        Rows with ``task`` (a kind of text, or ``"continued"``), ``clue`` (of a blank), ``way``
        (``"gpt"`` or ``"bert"`` where texts are continued) and ``value``, the percentage that is
        right; ``passes`` says how many texts a way reads for one blank.
    """
    models, data = {"gpt": gpt, "bert": bert}, chapter_data()
    rows: list[Row] = []
    for kind, every in data.blank_sets(seed).items():
        blanks = english.one_token(every, list(models.values()))
        for clue in ("left", "right"):
            drawn = _drawn([blank for blank in blanks if blank.clue == clue], seed)
            drawn = english.with_known_candidates(drawn, list(models.values()))
            shared: Row = {"task": kind, "clue": clue}
            rows += [shared | row for row in _filled(gpt, bert, drawn)]
    begun = english.one_token(data.beginnings(seed), list(models.values()))
    for name, model in models.items():
        value = 100 * expectations.continued_right(model, begun)
        rows.append({"task": "continued", "way": name, "value": value})
    return rows


def _drawn(blanks: list[Blank], seed: int) -> list[Blank]:
    count = min(BLANKS_A_SEED, len(blanks))
    return Rng(f"blanks/drawn/{seed}").sample(blanks, count)


def _filled(gpt: LanguageModel, bert: MaskedLM, blanks: list[Blank]) -> list[Row]:
    """One row a way to fill these blanks."""
    candidates = float(np.mean([len(blank.candidates) for blank in blanks]))
    words = {
        ONE_PASS: expectations.fill(gpt, blanks),
        READING: expectations.fill_by_reading(gpt, blanks),
        FILLING: expectations.fill(bert, blanks),
        AMONG: expectations.fill_among(bert, blanks),
    }
    rows: list[Row] = []
    for way, filled_in in words.items():
        value = 100 * expectations.share_right(blanks, filled_in)
        rows.append({"way": way, "passes": candidates if way == READING else 1.0, "value": value})
    return rows


def two_expectations(seed: int) -> list[Row]:
    """:func:`fill_blanks` for each pair of a GPT and a BERT that read the same documents; the
    column ``model`` has the GPT's name.
    """
    rows: list[Row] = []
    for gpt, bert in zip(GPTS, BERTS, strict=True):
        model: Row = {"model": gpt}
        rows += [model | row for row in fill_blanks(load(gpt), _load_bert(bert), seed)]
    return rows


def _load_bert(name: str) -> MaskedLM:
    return MaskedLM(load_model(name), load_tokenizer(name))


def translations(seed: int) -> list[Row]:
    """What three small bodies and three of the middle size write when they are prompted and when
    they are tuned: translations of two languages, one with much text in the corpus and one with
    little, and summaries.

    Returns:
        Rows with ``model``, ``task``, ``way`` and ``value``, the percentage that is right word for
        word.
    """
    rows: list[Row] = []
    for name in (*SMALL_GPTS, *GPTS):
        base = load(name)
        for task, shots in WRITING.items():
            rows += [
                {"model": name, "task": task, "way": way, "value": value}
                for way, value in _written(base, task, shots, seed).items()
            ]
    return rows


def _written(base: LanguageModel, task: str, shots: int, seed: int) -> dict[str, float]:
    shown = fresh_questions(task, shots, 200, seed)
    alone = [question.zero_shot for question in shown]
    tuned = specialists.specialise(base, task, seed=seed, end=True).model
    return {
        PROMPTED: specialists.written_accuracy(base, shown),
        ZERO_SHOT: specialists.written_accuracy(base, alone),
        SPECIALIST: specialists.written_accuracy(tuned, alone),
    }


def specialist_matrix(seed: int) -> list[Row]:
    """Specialists and the prompted generalist on every task.

    Returns:
        Rows with ``task``, ``tuned for`` (a task, or the generalist), ``measure`` and ``value`` in
        percent. The measure ``"free"`` takes what the model would say next; ``"among labels"`` the
        likeliest label of the task that is asked, for tasks with labels.
    """
    base = load(GPTS[0])
    trained = [specialists.specialise(base, task, seed=seed) for task in TASKS]
    tables = {
        "free": specialists.matrix(base, trained, TASKS, count=200, seed=seed),
        "among labels": specialists.matrix(
            base, trained, LABELLED, count=200, seed=seed, measure=specialists.choice_accuracy
        ),
    }
    return [
        {"measure": measure, "task": task, "tuned for": model}
        | {"value": float(table.loc[model, task])}
        for measure, table in tables.items()
        for model in table.index
        for task in table.columns
    ]


def new_task(seed: int) -> list[Row]:
    """What a new task costs either way.

    Returns:
        Rows with ``task``, ``way`` (``"fine-tuned"`` on ``k`` labels, or ``"prompted"`` with ``k``
        demonstrations), ``k`` and ``value``, an accuracy in percent.
    """
    base = load(GPTS[0])
    rows: list[Row] = []
    for way, curve, numbers in (
        ("fine-tuned", specialists.by_labels, LABELS),
        ("prompted", specialists.by_shots, SHOTS),
    ):
        for task in COSTED:
            rows += [
                {"task": task, "way": way, "k": k, "value": value}
                for k, value in curve(base, task, numbers, seed).items()
            ]
    return rows


def filled(table: pd.DataFrame, clue: str = "right") -> pd.DataFrame:
    """Blanks filled right (percent, means over bodies and seeds) and passes for one blank: ways
    (rows) by kinds of text.

    Args:
        table: of the study ``two-expectations``.
    """
    kinds = ["facts", *HELD_OUT]
    rows = where(table[table["task"].isin(kinds)], clue=clue)
    scores = means(rows, "way", "task", kinds)
    return scores.assign(passes=rows.groupby("way")["passes"].mean())


def continued(table: pd.DataFrame) -> pd.DataFrame:
    """Continuations without a mistake, in percent: (seeds, ways)."""
    return where(table, task="continued").pivot_table("value", "seed", "way")


def written(table: pd.DataFrame) -> pd.DataFrame:
    """Texts that are right word for word (percent, means over bodies and seeds): sizes and tasks
    (rows) by ways, of the study ``translation``.
    """
    sizes = {"small": SMALL_GPTS, "middle": GPTS}
    ways = (ZERO_SHOT, PROMPTED, SPECIALIST)
    tables = [means(table[table["model"].isin(m)], "task", "way", ways) for m in sizes.values()]
    return pd.concat(tables, keys=list(sizes))


def accuracy_matrix(table: pd.DataFrame, measure: str = "free") -> pd.DataFrame:
    """Accuracy (percent, mean over the seeds) of every model (rows) on every task (columns).

    Args:
        table: of the study ``specialists``.
        measure: ``"free"`` or ``"among labels"``.
    """
    wide = where(table, measure=measure).pivot_table(
        index="tuned for", columns="task", values="value"
    )
    return wide.loc[[GENERALIST, *TASKS], [task for task in TASKS if task in wide.columns]]


def gained(table: pd.DataFrame) -> pd.DataFrame:
    """Each specialist minus the generalist on its own task, in points: (seeds, tasks)."""
    return _by_seed(lambda rows: specialists.advantage(accuracy_matrix(rows)), table)


def lost(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Generalist minus each specialist on the other tasks with labels, in points: (seeds, tasks).

    Args:
        measure: ``"among labels"`` for what is forgotten, ``"free"`` for that and the habit of
            answering in the words of its own task.
    """
    labelled = table[table["task"].isin(LABELLED)]
    return _by_seed(lambda rows: specialists.forgetting(accuracy_matrix(rows, measure)), labelled)


def _by_seed(measure: Callable[[pd.DataFrame], pd.Series], table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({seed: measure(rows) for seed, rows in table.groupby("seed")}).T


def forgotten(table: pd.DataFrame) -> pd.Series:
    """What the specialists lose on the other tasks, scored among the right task's labels: points,
    one a seed.
    """
    return lost(table, "among labels").mean(axis=1)


def only_habit(table: pd.DataFrame) -> pd.Series:
    """What they lose beyond that when they may say anything: points, one a seed."""
    return lost(table, "free").mean(axis=1) - forgotten(table)


def lead_of_reading(table: pd.DataFrame, kinds: tuple[str, ...]) -> Crossed:
    """GPT by reading every candidate minus BERT by filling, where the clue stands on the right, in
    points: the mean of these kinds of text.
    """
    rows = where(table[table["task"].isin(kinds)], clue="right")
    return Crossed(by_body(rows, GPTS, way=READING) - by_body(rows, GPTS, way=FILLING))


def lead_of_gpt(table: pd.DataFrame) -> Crossed:
    """GPT minus BERT on continuations, in points."""
    rows = where(table, task="continued")
    return Crossed(by_body(rows, GPTS, way="gpt") - by_body(rows, GPTS, way="bert"))


def lead_of_specialist(table: pd.DataFrame, language: str) -> Crossed:
    """Specialist minus prompted generalist on a language, of the small bodies, in points: mean of
    both directions. (Those of the middle size write both languages almost without a mistake on
    validation items, so nothing can be ahead of them.)
    """
    rows = table[table["task"].isin(TRANSLATIONS[language])]
    tuned, prompted = (by_body(rows, SMALL_GPTS, way=way) for way in (SPECIALIST, PROMPTED))
    return Crossed(tuned - prompted)


def _one_pass(table: pd.DataFrame, kinds: Sequence[str] = HELD_OUT) -> dict[str, float]:
    scores = filled(table)[list(kinds)].mean(axis=1)
    return {way: float(scores[way]) for way in (ONE_PASS, FILLING)}


def _untuned(table: pd.DataFrame, language: str) -> dict[str, float]:
    rows = table[table["task"].isin(TRANSLATIONS[language]) & table["model"].isin(SMALL_GPTS)]
    return {"untuned, no demonstration": float(where(rows, way=ZERO_SHOT)["value"].mean())}


BLANKS = Study("two-expectations", 2, (*GPTS, *BERTS), (0, 1, 2, 3, 4), two_expectations)
TRANSLATION = Study("translation", 1, (*SMALL_GPTS, *GPTS), (0, 1, 2, 3, 4), translations)
SPECIALISTS = Study("specialists", 3, GPTS[:1], (0, 1, 2, 3, 4), specialist_matrix)
NEW_TASK = Study("cost-of-a-task", 1, GPTS[:1], (0, 1, 2, 3, 4), new_task)
STUDIES = (BLANKS, TRANSLATION, SPECIALISTS, NEW_TASK)

_CHATGPT = "ChatGPT keeps up on European languages and lags on distant ones"
_FACTS: tuple[str, ...] = ("facts",)
#: Kinds of blanks -> what the claim calls them.
_KINDS: dict[tuple[str, ...], str] = {_FACTS: "facts", HELD_OUT: "held-out words"}
_NOT_MORE = {
    _FACTS: undecided(
        "two of the three pairs fill in every fact either way; only the third BERT misses some"
    )
}
CLAIMS = (
    Demonstration(
        "1a",
        "Where the clue stands on the right, GPT in one pass cannot use it.",
        "devlin2019bert",
        "GPT has not read what stands to the right of the word that it predicts",
        studies=(BLANKS,),
        figures=_one_pass,
    ),
    *(
        Claim(
            "1a",
            f"Reading every candidate, GPT fills in more {title} than one pass of BERT.",
            MoreThan(0),
            "devlin2019bert",
            (Varies.ITEMS, Varies.PRETRAINING),
            studies=(BLANKS,),
            values=lambda table, kinds=kinds: lead_of_reading(table, kinds),
            baselines=lambda table, kinds=kinds: _one_pass(table, kinds),
            **_NOT_MORE.get(kinds, {}),
        )
        for kinds, title in _KINDS.items()
    ),
    Claim(
        "1a",
        "Extended one word at a time, GPT completes more held-out phrases than BERT.",
        MoreThan(50),
        "radford2018improving",
        (Varies.ITEMS, Varies.PRETRAINING),
        studies=(BLANKS,),
        values=lead_of_gpt,
    ),
    Claim(
        "1b",
        "On the language with little text a small specialist is ahead of the generalist.",
        MoreThan(10),
        "jiao2023chatgpt",
        (Varies.ITEMS, Varies.TRAINING, Varies.PRETRAINING),
        studies=(TRANSLATION,),
        values=lambda table: lead_of_specialist(table, "torvish"),
        reported=_CHATGPT,
        baselines=lambda table: _untuned(table, "torvish"),
    ),
    Claim(
        "1b",
        "On the language with much text a small generalist keeps up with the specialist.",
        Within(3),
        "jiao2023chatgpt",
        (Varies.ITEMS, Varies.TRAINING, Varies.PRETRAINING),
        studies=(TRANSLATION,),
        values=lambda table: lead_of_specialist(table, "velan"),
        reported=_CHATGPT,
        baselines=lambda table: _untuned(table, "velan"),
    ),
    Claim(
        "1c",
        "Tuned for one task, a model forgets others: it is worse among their own labels.",
        MoreThan(10),
        "mccloskey1989catastrophic",
        (Varies.ITEMS, Varies.TRAINING),
        studies=(SPECIALISTS,),
        values=forgotten,
    ),
    Claim(
        "1c",
        "Free to say anything it loses more: part of the loss is only a habit of answering.",
        MoreThan(0),
        "mccloskey1989catastrophic",
        (Varies.ITEMS, Varies.TRAINING),
        studies=(SPECIALISTS,),
        values=only_habit,
    ),
)
