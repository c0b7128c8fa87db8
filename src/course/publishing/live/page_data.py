"""What the widgets of the page show before anybody touches them, and all that they need beside
weights: sentences, word chips, demonstrations with the exact posterior, problems, recorded figures.

Everything is computed when the book is built, from the shipped models, the micro-world and the
records. A widget's first answers are those of PyTorch; what it shows later is computed in the page
by ``engine.js``, which a test holds to PyTorch.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np

from course.cloze.expectations import Blank
from course.cloze.texts import chapter_data as cloze_data
from course.foundation.intervals import interval
from course.lm.language_model import LanguageModel, load
from course.lm.predictor import Predictor
from course.pretraining.recipes import RECIPES
from course.prompting.prompts import LIST_TEMPLATES
from course.reasoning.problems import problems, wording
from course.reasoning.solving import MAX_TOKENS, make_prompts, solve
from course.reasoning.voting import voted
from course.studies import hard_prompts, in_context, in_context_tables, self_consistency
from course.studies.bodies import GPTS
from course.studies.records import read_record
from course.world.lists import list_tasks
from course.world.posterior import Posterior
from course.world.relations import relations
from course.world.split import TEST

#: The shipped models in the page, by their role there. The chain is written by the GPT, too.
MODELS = {"gpt": "gpt-middle", "bert": "bert-middle"}
#: Relations whose words are chips, and how many pairs of each.
_CHIPS, _PAIRS = ("capital", "opposite", "plural"), 6
#: The task that demonstrations show, and the one with the same inputs and labels that they rule
#: out or do not.
_TASK, _OTHER = "is_even", "is_above_fifty"
#: So many demonstrations lie ready, and so many at most are shown at once.
READY, MOST = 5, 4
#: Word problems: their steps, how many are drawn and shown, and how they are sampled.
_STEPS, _DRAWN, _PROBLEMS, _VOTERS, _TEMPERATURE = 3, 12, 3, 8, 0.7
#: Searches that open the model, and those that ask it; the others are baselines.
_ROLES = {"AutoPrompt": "opened", "PEZ": "opened", "RLPrompt": "prompted"}
#: So many of the likeliest words are shown.
_TOP = 5

Row = list[Any]  # [word, probability]


def page_data() -> dict[str, dict[str, Any]]:
    """Name of a widget (the value of ``data-live`` in a page) -> its data."""
    gpt, bert = load(MODELS["gpt"]), load(MODELS["bert"])
    examples = cloze_data("tiny").examples
    return {
        "front": blank(gpt, bert, examples[1]),
        "cloze": blank(gpt, bert, examples[2]),
        "demonstrations": demonstrations(gpt),
        "chain": chain(gpt),
        "knob": knob(),
        "samples": samples(),
        "budget": budget(),
    }


# ----------------------------------------------------------------------------------------- blanks


def blank(gpt: LanguageModel, bert: Predictor, example: Blank) -> dict[str, Any]:
    """A sentence with one word taken out, word chips, and the models' first answers."""
    before, after = example.before.split(), example.after.split()
    chips = word_chips(gpt, bert)
    words = [word for group in chips for word in group["words"]]
    candidates = list(dict.fromkeys([*words, *before, example.word, *after]))
    return {
        "kind": "blank",
        "models": ["gpt", "bert"],
        "sentence": [*before, example.word, *after],
        "at": len(before),
        "chips": chips,
        "recorded": [
            _column("GPT, left side only", "prompted", _likeliest(gpt, example)),
            _column(
                "GPT, every candidate",
                "prompted",
                _by_reading(gpt, example, candidates),
            ),
            _column("BERT, both sides", "opened", _likeliest(bert, example)),
        ],
    }


def word_chips(*models: Predictor) -> list[dict[str, Any]]:
    """Groups of words that every model knows as one token: the small words of the sentences that
    state the relations, then subjects and objects.
    """
    frames = [relations()[name].sentences[0] for name in _CHIPS]
    small = [w for frame in frames for w in frame.split() if not w.startswith("{")]
    groups = {"small words": list(dict.fromkeys(small))}
    for name in _CHIPS:
        pairs = list(relations()[name].table.items())[:_PAIRS]
        groups[f"words for “{name}”"] = list(dict.fromkeys(w for pair in pairs for w in pair))
    for model in models:
        model.token_ids([word for words in groups.values() for word in words])
    return [{"title": title, "words": words} for title, words in groups.items()]


def _column(title: str, role: str, rows: list[Any]) -> dict[str, Any]:
    return {"title": title, "role": role, "rows": rows}


def _likeliest(model: Predictor, example: Blank) -> list[Row]:
    (row,) = model.word_between([example.before], [example.after]).exp()
    values, ids = row.topk(_TOP)
    words = model.tokenizer.convert_ids_to_tokens(ids.tolist())
    return [[word, round(p, 4)] for word, p in zip(words, values.tolist(), strict=True)]


def _by_reading(gpt: LanguageModel, example: Blank, candidates: Sequence[str]) -> list[Row]:
    texts = [f"{example.before} {word} {example.after}".strip() for word in candidates]
    shares = np.exp(np.asarray(gpt.score([""] * len(texts), texts)))
    best = np.argsort(-shares)[:_TOP]
    return [[candidates[i], round(float(shares[i] / shares.sum()), 4)] for i in best]


# --------------------------------------------------------------------------------- demonstrations


def demonstrations(gpt: LanguageModel) -> dict[str, Any]:
    """Demonstrations to add, flip, delete and reorder, with the exact posterior of every state."""
    task, other = list_tasks()[_TASK], list_tasks()[_OTHER]
    pool = task.inputs(TEST)
    same = [x for x in pool if task.output(x) == other.output(x)]
    differ = [x for x in pool if task.output(x) != other.output(x)]
    query, *rest = differ
    telling = _mixed(rest, task.output)[: READY - 2]
    items = [(x, str(task.output(x))) for x in (*_mixed(same, task.output)[:2], *telling)]
    template = LIST_TEMPLATES["colon"]
    start = [0, 1]
    posterior = posterior_table(items, query, task.labels)
    prompt = " ".join([*(template.shown(*items[i]) for i in start), template.query(query)])
    return {
        "kind": "demonstrations",
        "models": ["gpt"],
        "item": template.item,
        "items": [list(item) for item in items],
        "start": start,
        "most": MOST,
        "query": query,
        "labels": list(task.labels),
        "right": {"task": task.title, "label": task.output(query)},
        "other": {"task": other.title, "label": other.output(query)},
        "recorded": [
            _column("GPT", "prompted", _label_shares(gpt, prompt, task.labels)),
            _column("Best possible", "best", posterior[state_name([(i, False) for i in start])]),
        ],
        "posterior": posterior,
    }


def _mixed(inputs: Sequence[str], label: Callable[[str], str | None]) -> list[str]:
    """The inputs so that two neighbours at the beginning have two labels."""
    first = inputs[0]
    second = next(x for x in inputs if label(x) != label(first))
    return [first, second, *(x for x in inputs if x not in (first, second))]


def _label_shares(gpt: LanguageModel, prompt: str, labels: Sequence[str]) -> list[float]:
    (row,) = gpt.next_word([prompt]).exp()
    return [round(float(row[i]), 4) for i in gpt.token_ids(list(labels))]


def states(count: int = READY, most: int = MOST) -> Iterator[tuple[tuple[int, bool], ...]]:
    """Every list that a reader can build: up to ``most`` of ``count`` demonstrations in any order,
    each as it is or flipped.
    """
    for length in range(most + 1):
        for order in permutations(range(count), length):
            for flips in product((False, True), repeat=length):
                yield tuple(zip(order, flips, strict=True))


def state_name(state: Sequence[tuple[int, bool]]) -> str:
    """A state in a word: ``"0+3-"`` shows the first demonstration, and the fourth flipped."""
    return "".join(f"{number}{'-' if flipped else '+'}" for number, flipped in state)


def posterior_table(
    items: Sequence[tuple[str, str]], query: str, labels: Sequence[str]
) -> dict[str, list[float]]:
    """State -> the posterior probability of each label, by :mod:`course.world.posterior`.

    A table, not the posterior in JavaScript: what the world's generator does stands in one place.
    """
    posterior = Posterior(relabel=RECIPES[MODELS["gpt"]].relabel)
    other = dict(zip(labels, reversed(labels), strict=True))
    table = {}
    for state in states(len(items)):
        shown = [(x, other[y] if flip else y) for (x, y), flip in _picked(items, state)]
        answer = posterior.predict(shown, query)
        table[state_name(state)] = [round(answer.get(label, 0.0), 4) for label in labels]
    return table


def _picked(
    items: Sequence[tuple[str, str]], state: Sequence[tuple[int, bool]]
) -> list[tuple[tuple[str, str], bool]]:
    return [(items[number], flipped) for number, flipped in state]


# ----------------------------------------------------------------------------------------- chains


def chain(gpt: LanguageModel) -> dict[str, Any]:
    """Word problems with a prompt of worked ones, and the likeliest chain of the first.

    Of :data:`_DRAWN` problems they are those on which the model's samples agree least, so that
    there is something to vote on; the page says so.
    """
    drawn = problems("problem", _STEPS, _DRAWN, wanted_tier="tiny")
    sampled = solve(gpt, make_prompts("chain", drawn), n=_VOTERS, temperature=_TEMPERATURE)
    agreement = [voted(attempts).share for attempts in sampled]
    chosen = [drawn[i] for i in np.argsort(agreement, kind="stable")[:_PROBLEMS]]
    prompts = make_prompts("chain", chosen)
    stop, most = prompts[0].stop, MAX_TOKENS["tiny"]
    ((greedy,),) = gpt.generate([prompts[0].text], stop=stop, max_tokens=most)
    return {
        "kind": "chain",
        "models": ["gpt"],
        "problems": [
            {"question": p.question, "prompt": prompt.text, "answer": p.output}
            for p, prompt in zip(chosen, prompts, strict=True)
        ],
        "drawn": len(drawn),
        "voters": _VOTERS,
        "temperature": _TEMPERATURE,
        "stop": stop,
        "announce": wording("problem", "tiny").announce,
        "most": most,
        # words with a space between them, as the corpus and the page write them
        "recorded": " ".join(gpt.tokenizer.tokenize(greedy.text)),
    }


# ---------------------------------------------------------------------------------------- sliders


def knob() -> dict[str, Any]:
    """Right and flipped labels by label knob and by size, beside the best possible reader after
    flipped ones, from the record of chapter 4a; bodies that differ in the seed alone are averaged.
    """
    table = read_record(in_context.FLIPPED).table()
    groups = [("small", share, bodies) for share, bodies in in_context.KNOB.items()]
    groups += [
        (size, RECIPES[bodies[0]].relabel, bodies)
        for size, bodies in (("middle", GPTS), ("large", (in_context.LARGE,)))
    ]
    values = []
    for _, share, bodies in groups:
        own = in_context_tables.after_flipped(table, bodies)
        best = in_context_tables.best_after_flipped(table, share)
        values.append([_interval(v.tolist()) for v in (own.gold, own.flipped, best.flipped)])
    return _slider(
        label="Models and label knob p",
        options=[f"{size}, p = {share:g}" for size, share, _ in groups],
        rows={
            "right labels": "prompted",
            "flipped labels": "opened",
            "flipped labels, best possible": "best",
        },
        values=values,
        chance=50.0,
    )


def samples() -> dict[str, Any]:
    """The vote and the best chooser by number of samples, from the record of chapter 5b."""
    table = read_record(self_consistency.VOTES).table()
    sampled = f"temperature {self_consistency.VOTE_AT}"
    own, large = self_consistency.OWN_DEMONSTRATIONS, self_consistency.LARGE
    settings = {
        "problems, 2 steps": ("several ways", sampled, large),
        "problems, 4 steps": ("errors agree", sampled, self_consistency.BODIES[0]),
        "routes, 4 steps": ("demonstrations decide", own, large),
    }
    rows: dict[str, str] = {}
    runs: list[np.ndarray] = []
    for title, of in settings.items():
        curves = self_consistency.curves(table, *of)
        for chooser, role in (("vote", "prompted"), ("any right", "best")):
            rows[f"{chooser}: {title}"] = role
            runs.append(curves[chooser])
    return _slider(
        label="Samples of each problem",
        options=[str(k) for k in self_consistency.LOOKS],
        rows=rows,
        values=[[_interval(run[:, k].tolist()) for run in runs] for k in range(runs[0].shape[1])],
    )


def budget() -> dict[str, Any]:
    """What each search of prompts has reached by model calls, beside the best of people's words,
    from the record of chapter 6.
    """
    table = read_record(hard_prompts.HARD).table()
    by_hand = _interval(hard_prompts.held_out(table, hard_prompts.BY_HAND).tolist())
    curves = hard_prompts.mean_curves(table)
    return _slider(
        label="Model calls of each search",
        options=[f"{calls:,}" for calls in hard_prompts.CALLS],
        rows={hard_prompts.CALLED[hard_prompts.BY_HAND]: "people"}
        | {title: _ROLES.get(title, "rest") for title in curves},
        values=[
            [by_hand, *(_interval(runs[:, k].tolist()) for runs in curves.values())]
            for k in range(len(hard_prompts.CALLS))
        ],
    )


def _interval(values: Sequence[float]) -> list[float]:
    """[mean, low, high] in percent, within what is possible."""
    found = interval(values)
    return [round(min(max(v, 0.0), 100.0), 1) for v in (found.mean, found.low, found.high)]


def _slider(
    label: str,
    options: list[str],
    rows: dict[str, str],
    values: list[list[list[float]]],
    chance: float | None = None,
) -> dict[str, Any]:
    """The data of a slider.

    Args:
        rows: name of a bar -> its role in the colours of the book.
        values: for each option and each row [mean, low, high].
        chance: where guessing would end.
    """
    return {
        "kind": "slider",
        "models": [],
        "label": label,
        "options": options,
        "rows": [list(row) for row in rows.items()],
        "values": values,
        "chance": chance,
    }
