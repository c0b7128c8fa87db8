"""What real models do, a study for each chapter; measured with ``python -m course.studies --tier
index NAME``.

Sizes are such that a seed takes minutes to an hour of two CPU cores with a model of 135 million
parameters. Every study reads the tier from ``COURSE_TIER``, which the command sets, so that the
same runs on larger models of the hub.
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from course.adapters import tuning
from course.adapters.methods import METHODS, adapt
from course.compare.bodies import ENCODER_ROLE, PROMPTED_ROLE
from course.heads import learning
from course.lm.language_model import LanguageModel, load
from course.models.devices import DTYPES
from course.models.hub import tier
from course.prompting.calibration import KINDS, order_effect
from course.prompting.evaluation import MOST_TOKENS, Question, changed, graded, questions, scores
from course.prompting.prompts import PLAIN
from course.prompting.selection import Balanced
from course.reasoning.problems import from_example, problems
from course.reasoning.reduction import least_to_most, reduced_accuracy
from course.reasoning.solving import accuracy, make_prompts, solve
from course.reasoning.voting import vote_accuracy
from course.search import soft
from course.search.base import SearchResult, search
from course.search.baselines import Exhaustive
from course.search.gradient import AutoPrompt
from course.search.objective import answers
from course.search.writers import AskedWriter
from course.search.writing import WrittenPrompts
from course.studies.advice import real_advice
from course.studies.real_choosing import CHOOSING
from course.studies.real_reward import REWARD
from course.studies.real_study import RealStudy
from course.studies.records import Row
from course.studies.tables import rows_of
from course.tasks.instruction_induction import induction_names, load_induction_task
from course.tasks.registry import load_task
from course.tasks.task import Task
from course.training.completion_data import completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.world.split import TEST, TRAIN

#: In which everything is computed, on every machine alike: without instructions for it a CPU is
#: slow, with them it is three to four times as fast as in single precision.
PRECISION = "bf16"
#: Questions of a measurement.
ASKED = 100
#: Labels that a LoRA specialist is trained on.
SPECIALIST_LABELS = (50, 150, 500)
#: Task -> labels that a head is trained on.
HEAD_LABELS = {"sentiment": (10, 30, 100, 300, 1000), "inference": (1000,), "entities": (30, 300)}
#: Demonstrations in a prompt.
SHOTS = (0, 1, 2, 4, 8)
CONDITIONS = ("gold", "random", "flipped", "foreign")
#: Labels and steps of every method under the encoder.
ADAPTED_LABELS, ADAPTED_STEPS = 1000, 100
#: Every third task of instruction induction, by name, is searched for instructions.
SEARCHED = slice(None, None, 3)
#: Problems of GSM8K, and samples of a vote on the first of them.
PROBLEMS, VOTED, SAMPLES = 100, 50, 8
#: Tokens of a solution: most of GSM8K's have fewer.
LONGEST = 200
#: Tokens of a reply to a request, and what is behind the name of a way whose replies only have to
#: contain the answer.
REPLY, IN_IT = 48, ": in it"
STYLES = ("zero-shot", "standard", "chain", "trigger")
#: The greedy chain on the problems that are voted on, beside their vote.
VOTED_ALONE = "chain, where voted"
#: Model calls of AutoPrompt, and of the same swaps without its gradient.
SWAP_CALLS = 750


def with_instruction(
    task: Task, shots: int, count: int, seed: int, **settings: Any
) -> list[Question]:
    """Questions behind the first of the task's instructions: without any, a prompt that has no
    demonstrations would not say what is wanted.
    """
    instruction = task.instructions[0]
    return questions(task, shots, count, seed, template=PLAIN, instruction=instruction, **settings)


def right(model: LanguageModel, asked: Sequence[Question]) -> float:
    """Accuracy in percent."""
    return 100 * float(scores(model, asked).mean())


def lora_specialist(base: LanguageModel, labels: int, seed: int) -> LanguageModel:
    """A copy of the model that LoRA tuned on so many reviews."""
    task = load_task("sentiment", seed=seed)
    model = adapt(copy.deepcopy(base.model).float(), "lora")
    asked = with_instruction(task, 0, labels, seed, split=TRAIN)
    data = completions(base.tokenizer, [question.pair for question in asked])
    settings = FitSettings(
        steps=max(20, labels // 5),
        batch_size=16,
        learning_rate=tuning.RATES[tier()]["lora"],
        seed=seed,
        precision=PRECISION,
    )
    fit(model, data, settings)
    return LanguageModel(model.to(DTYPES[PRECISION]), base.tokenizer, base.batch_tokens)


def nats_of_plain_text(model: LanguageModel, texts: Sequence[str]) -> float:
    """Mean negative log-probability of a token of some texts."""
    values = model.score_tokens([""] * len(texts), list(texts))
    return -float(np.concatenate(values).mean())


def specialist_or_prompt(seed: int) -> list[Row]:
    """Sentiment by a LoRA specialist, by labels, and by the prompted generalist, by demonstrations;
    and what tuning lost: another task, and plain text.

    Returns:
        Rows with ``way``, ``number`` (labels or demonstrations), ``measure`` and ``value``
        (accuracies in percent, plain text in nats a token; the latter and the other task once for
        the model before, which demonstrations do not change).
    """
    base = load("gpt-middle", precision=PRECISION)
    reviews, pairs = (load_task(name, seed=seed) for name in ("sentiment", "inference"))
    plain = [example.input for example in load_task("problem", seed=seed).examples(TEST)[:50]]
    other = with_instruction(pairs, 0, ASKED, seed)

    def sentiment(model: LanguageModel, shots: int) -> dict[str, float]:
        return {"sentiment": right(model, with_instruction(reviews, shots, ASKED, seed))}

    def others(model: LanguageModel) -> dict[str, float]:
        lost = nats_of_plain_text(model, plain)
        return {"inference": right(model, other), "plain text": lost}

    rows = rows_of(sentiment(base, 0) | others(base), way="prompted", number=0)
    for shots in (4, 8):
        rows += rows_of(sentiment(base, shots), way="prompted", number=shots)
    for labels in SPECIALIST_LABELS:
        tuned = lora_specialist(base, labels, seed)
        rows += rows_of(sentiment(tuned, 0) | others(tuned), way="LoRA", number=labels)
    return rows


def real_heads(seed: int) -> list[Row]:
    """Four heads on the pretrained encoder and on the same architecture fresh, by labels.

    Returns:
        Rows with ``task``, ``way``, ``labels`` and ``value`` (the head's measure, percent).
    """
    rows: list[Row] = []
    for name, counts in HEAD_LABELS.items():
        task = load_task(name, seed=seed, sizes={TRAIN: max(counts), TEST: 300})
        for labels in counts:
            for way in ("pretrained", "scratch"):
                learned = learning.learn(
                    task, labels, way == "pretrained", seed, precision=PRECISION
                )
                value = learned.score(list(task.data[TEST]))
                rows.append({"task": name, "way": way, "labels": labels, "value": value})
    return rows


def real_adapters(seed: int) -> list[Row]:
    """All methods on the encoder: the score and what is stored.

    Returns:
        Rows with ``model``, ``task``, ``method``, ``measure`` and ``value``.
    """
    rows: list[Row] = []
    task = load_task("sentiment", seed=seed, sizes={TRAIN: ADAPTED_LABELS, TEST: 300})
    for method in METHODS:
        tuned = tuning.tune(
            "bert-middle", task, method, ADAPTED_STEPS, seed=seed, precision=PRECISION
        )
        measures = {"score": tuned.score(), "bytes": float(tuned.stored())}
        rows += rows_of(measures, model="bert-middle", task="sentiment", method=method)
    return rows


def real_demonstrations(seed: int) -> list[Row]:
    """Sentiment in context: right, random, flipped labels and foreign inputs by demonstrations; and
    orders of four with and without calibration.

    Returns:
        Rows with ``condition`` or ``calibration``, ``shots``, ``measure`` and ``value`` (percent).
    """
    model, task = load("gpt-middle", precision=PRECISION), load_task("sentiment", seed=seed)
    foreign = [example.input for example in load_task("inference", seed=seed).examples(TRAIN)]
    rows: list[Row] = []
    for shots in SHOTS:
        asked = with_instruction(task, shots, ASKED, seed)
        for condition in CONDITIONS if shots else ("none",):
            now = changed(asked, condition, seed, foreign) if shots else asked
            named: Row = {"condition": condition, "shots": shots, "measure": "accuracy"}
            rows.append(named | {"value": right(model, now)})
    some = with_instruction(task, 4, ASKED, seed, selection=Balanced(task.labels))
    effect = order_effect(model, some, seed=seed)
    for kind in KINDS:
        for measure in ("mean", "worst", "spread"):
            value = getattr(effect, measure)(kind)
            rows.append({"calibration": kind, "shots": 4, "measure": measure, "value": value})
    return rows


def replies_to(model: LanguageModel, asked: Sequence[Question]) -> list[str]:
    """What the model writes, :data:`REPLY` tokens at most."""
    written = model.generate([question.prompt.text for question in asked], max_tokens=REPLY)
    return [reply.text for (reply,) in written]


def answered(model: LanguageModel, asked: Sequence[Question], replies: Sequence[str]) -> float:
    """Percent of replies that are a right answer up to where
    :func:`course.prompting.evaluation.scores` stops a model that writes.
    """
    tokens = model.tokenizer([*replies], add_special_tokens=False).input_ids
    texts = [model.tokenizer.decode(ids[:MOST_TOKENS]) for ids in tokens]
    values = [
        graded(question, text.split(question.prompt.template.stop)[0])
        for question, text in zip(asked, texts, strict=True)
    ]
    return 100 * float(np.mean(values))


def contained(asked: Sequence[Question], replies: Sequence[str]) -> float:
    """Percent of replies in which a right answer stands, whatever is written around it; of an
    answer that is a set each member, in any order.
    """
    found = [
        any(
            all(_stands_in(part, reply) for part in _parts(question, words))
            for words in question.words
        )
        for question, reply in zip(asked, replies, strict=True)
    ]
    return 100 * float(np.mean(found))


def _parts(question: Question, answer: str) -> list[str]:
    return answer.split(",") if question.metric == "set" else [answer]


def _stands_in(answer: str, reply: str) -> bool:
    """Whether an answer stands in a reply as whole words, with or without the sign at its end."""
    words = r"\s+".join(map(re.escape, answer.strip(" .?!").split()))
    return re.search(rf"(?<!\w){words}(?!\w)", reply, re.IGNORECASE) is not None


def real_requests(seed: int, count: int = 20) -> list[Row]:
    """Instruction induction's tasks, asked with a person's instruction, of the tuned model with and
    without its chat template: whether the reply is the answer, as the benchmark wants it, and
    whether it has the answer in it.

    Returns:
        Rows with ``task``, ``way`` (with ``": in it"`` behind for the second) and ``value``
        (percent).
    """
    models = {
        "with the template": load("gpt-tuned", precision=PRECISION),
        "without": load("gpt-middle", precision=PRECISION),
    }
    rows: list[Row] = []
    for name in induction_names():
        task = load_induction_task(name)
        wording = task.instructions[seed % len(task.instructions)]
        asked = questions(task, 0, count, seed, template=PLAIN, instruction=wording)
        for way, model in models.items():
            replies = replies_to(model, asked)
            rows.append({"task": name, "way": way, "value": answered(model, asked, replies)})
            rows.append({"task": name, "way": f"{way}{IN_IT}", "value": contained(asked, replies)})
    return rows


def real_chains(seed: int) -> list[Row]:
    """GSM8K and problems of one step by four ways of asking, least-to-most, and a vote.

    Returns:
        Rows with ``task``, ``way`` and ``value`` (percent right).
    """
    model = load("gpt-large", precision=PRECISION)
    school = load_task("problem", seed=seed, sizes={TEST: PROBLEMS}).examples(TEST)
    tasks = {
        "GSM8K": [from_example("problem", example) for example in school],
        "one step": problems("shopping", 1, PROBLEMS, seed),
    }
    rows: list[Row] = []
    for name, asked in tasks.items():
        for style in STYLES:
            solved = solve(model, make_prompts(style, asked, seed), max_tokens=LONGEST)
            rows.append({"task": name, "way": style, "value": accuracy(solved)})
            if (name, style) == ("GSM8K", "chain"):
                alone = accuracy(solved[:VOTED])
                rows.append({"task": name, "way": VOTED_ALONE, "value": alone})
    voters = make_prompts("chain", tasks["GSM8K"][:VOTED], seed)
    sampled = solve(model, voters, n=SAMPLES, temperature=0.7, seed=seed, max_tokens=LONGEST)
    vote = vote_accuracy(sampled)
    rows.append({"task": "GSM8K", "way": f"vote of {SAMPLES}", "value": vote})
    stories = problems("shopping", 4, PROBLEMS // 4, seed)
    reduced = reduced_accuracy(least_to_most(model, stories, seed=seed))
    rows.append({"task": "four steps", "way": "least to most", "value": reduced})
    return rows


def real_prompts(seed: int, budget: int = 160) -> list[Row]:
    """Instructions that the model writes itself against people's, on some of instruction
    induction's tasks; and on sentiment people's words, words that AutoPrompt finds with its
    gradient and without it, and a soft prompt.

    Returns:
        Rows with ``task``, ``way``, ``value`` (percent right on test items) and ``calls``.
    """
    model = load("gpt-middle", precision=PRECISION)
    writer = AskedWriter(load("gpt-tuned", precision=PRECISION))
    rows: list[Row] = []
    for name in induction_names()[SEARCHED]:
        task = load_induction_task(name)
        items = answers(task, 8, 20, seed, template=PLAIN)
        for way, method in {
            "written": WrittenPrompts(writer, count=12),
            "people's": Exhaustive(task.instructions[:8]),
        }.items():
            found = search(method, items, model, budget, seed)
            row: Row = {"task": name, "way": way, "value": found.held_out, "calls": found.calls}
            rows.append(row)
    reviews = load_task("sentiment", seed=seed)
    items = answers(reviews, 64, ASKED, seed, measure="likelihood", template=PLAIN)
    words = search(Exhaustive(reviews.instructions), items, model, 64 * 8, seed)
    swapped = {
        method.title: search(method, items, model, SWAP_CALLS, seed)
        for method in (AutoPrompt(batch=8), AutoPrompt(batch=8, guided=False))
    }
    eight = soft.SoftPromptSettings("prompt", length=8, steps=30)
    vectors: SearchResult = soft.learn(eight, items, model, seed)
    for way, result in {"people's": words, **swapped, "soft prompt": vectors}.items():
        named: Row = {"task": "sentiment", "way": way}
        rows.append(named | {"value": result.held_out, "calls": result.calls})
    return rows


_SEEDS = (0, 1)
#: Every study of real models, by its name.
REAL_STUDIES: dict[str, RealStudy] = {
    study.name: study
    for study in (
        RealStudy(
            "specialist",
            1,
            ("gpt-middle",),
            _SEEDS,
            specialist_or_prompt,
            ("sentiment", "inference", "problem"),
        ),
        RealStudy("heads", 1, ("bert-middle",), _SEEDS, real_heads, tuple(HEAD_LABELS)),
        RealStudy(
            "adapters",
            1,
            ("bert-middle",),
            _SEEDS,
            real_adapters,
            ("sentiment",),
        ),
        RealStudy(
            "demonstrations",
            1,
            ("gpt-middle",),
            _SEEDS,
            real_demonstrations,
            ("sentiment", "inference"),
        ),
        RealStudy("requests", 2, ("gpt-middle", "gpt-tuned"), (0, 1, 2), real_requests),
        RealStudy("chains", 1, ("gpt-large",), _SEEDS, real_chains, ("problem",)),
        RealStudy("prompts", 1, ("gpt-middle", "gpt-tuned"), _SEEDS, real_prompts, ("sentiment",)),
        RealStudy(
            "advice",
            1,
            (PROMPTED_ROLE, ENCODER_ROLE),
            (0, 1, 2, 3, 4),
            real_advice,
            ("sentiment", "inference"),
        ),
        CHOOSING,
        REWARD,
    )
}


def of_tier(study: RealStudy, wanted: str) -> RealStudy:
    """The study on the models of another tier."""
    return replace(study, tier=wanted)
