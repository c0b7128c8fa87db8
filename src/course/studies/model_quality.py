"""How good pretrained models are: what they know, compute and pick up from context, beside what is
possible.

Costs as measured on one core of a busy machine, seeds x seconds: quality 3 x 173.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product

import numpy as np
import pandas as pd
import torch

from course.cloze.expectations import fact_blanks, filled_right
from course.foundation.rng import Rng
from course.lm.contract import TextModel
from course.lm.language_model import load
from course.lm.predictor import CausalLM, MaskedLM, Predictor, PretrainedLM
from course.pretraining.packing import MASKED_SHARES, pack_for_bert
from course.pretraining.recipes import RECIPES
from course.pretraining.train import batch_at, packed_logits, summed_loss
from course.prompting.evaluation import (
    SHOTS,
    Question,
    all_profiles,
    best_possible,
    fresh_questions,
    questions,
    recognised,
    scores,
    stranger_questions,
    usual_template,
)
from course.prompting.prompts import LIST_TEMPLATES, Prompt
from course.studies.records import Row, Study
from course.studies.tables import rows_of, where
from course.training.packing import IGNORED, Batch
from course.world import inference, lists, maps, sums
from course.world.corpus import Corpus
from course.world.example import Example
from course.world.lexicon import ROOMS
from course.world.lists import STRANGER, list_tasks
from course.world.posterior import Posterior
from course.world.profiles import PROFILED
from course.world.relations import critic_verdicts, dialect_forms, relations
from course.world.split import TEST, TRAIN, split_of

#: Streams of the corpus from this one on are seen by no training run (each uses fewer steps than
#: this).
UNSEEN_STREAMS = 1_000_000
#: The three sizes of GPT, trained on the same kind of text, and the middle ones of three seeds.
LADDER = ("gpt-small", "gpt-middle", "gpt-large")
MIDDLES = ("gpt-middle", "gpt-middle-seed1", "gpt-middle-seed2")
#: What is measured in context, and of BERT.
ACCURACY, BEST, MASKED = "accuracy", "best possible", "masked words"
#: What a reader reaches who knows the world's dialects and takes every dialect for one of them.
RECOGNITION = "recognition alone"
#: BERT's answers in blanks of documents, and what a reader of one part of the document would reach.
IN_BLANKS, ONE_SIDED = "words in blanks", "best one-sided guess"
#: How many numbers a model has for each token: what tells the sizes apart.
WIDTH = "width"
#: A fact of the world: the sentence up to one word, the word, and what follows it.
Fact = tuple[str, str, str]


def fact_sentences() -> dict[str, list[Fact]]:
    """Every fact of the world by family, in a sentence that the corpus has."""
    ordinary = []
    for relation in relations().values():
        before, after = relation.sentences[0].split(" {o}")
        ordinary += [(before.format(s=s), o, after.strip()) for s, o in relation.table.items()]
    dialects = [
        (f"in {d} the {n} is called", form, ".")
        for d, table in dialect_forms().items()
        for n, form in table.items()
    ]
    critics = [
        (f"{c} thinks that {dish} is", v, ".")
        for c, table in critic_verdicts().items()
        for dish, v in table.items()
    ]
    hops = [
        (f"{way} of {place} is", target, ".") for (place, way), target in maps.neighbours().items()
    ]
    return {"relations": ordinary, "dialects": dialects, "critics": critics, "map": hops}


def completed(model: Predictor, sentences: Sequence[Fact]) -> float:
    """Share of the sentences whose word the model fills in right: from what stands before it (GPT),
    or from both sides (BERT).
    """
    before, words, after = zip(*sentences, strict=True)
    answers = model.likeliest(model.word_between(before, after))
    return sum(map(str.__eq__, answers, words)) / len(sentences)


def facts(model: Predictor) -> dict[str, float]:
    """Accuracy on every fact of the world by family, and over all of them (``"all"``)."""
    families = fact_sentences()
    found = {family: completed(model, sentences) for family, sentences in families.items()}
    counts = {family: len(sentences) for family, sentences in families.items()}
    found["all"] = sum(found[f] * counts[f] for f in counts) / sum(counts.values())
    return found


def arithmetic(model: Predictor, split: str) -> float:
    """Accuracy on all single sums of one split."""
    return completed(
        model,
        [
            (f"{s} =", r, ".")
            for s, r in sums.all_steps().items()
            if split_of(sums.SPLIT_KEY, s) == split
        ],
    )


def unseen_loss(model: PretrainedLM, seed: int, batches: int = 4) -> float:
    """Mean loss (nats a label) on documents of unseen streams: next words for GPT, masked ones for
    BERT.
    """
    total, labels = 0.0, 0
    for batch in _unseen(model, seed, batches):
        with torch.inference_mode():
            total += summed_loss(model.model, batch).item()
        labels += batch.num_targets
    return total / labels


def masked_accuracy(model: MaskedLM, seed: int, batches: int = 4) -> float:
    """Share of the masked words of unseen documents that BERT fills in right."""
    mask = model.tokenizer.mask_token_id
    right = count = 0
    for batch in _unseen(model, seed, batches):
        ids, labels = torch.from_numpy(batch.ids), torch.from_numpy(batch.labels)
        with torch.inference_mode():
            guessed = packed_logits(model.model, batch).argmax(-1)
        wanted = (labels != IGNORED) & (ids == mask)
        right += int((guessed == labels)[wanted].sum())
        count += int(wanted.sum())
    return right / count


def _unseen(model: PretrainedLM, seed: int, batches: int) -> list[Batch]:
    """Batches of unseen documents; for BERT with as many words to fill in as at the end of its
    training.
    """
    steps = [UNSEEN_STREAMS + 1000 * seed + i for i in range(batches)]
    if not isinstance(model, MaskedLM):
        return [batch_at(RECIPES["gpt-middle"], step) for step in steps]
    recipe, share = RECIPES["bert-middle"], MASKED_SHARES[1]
    corpus = Corpus(recipe.seed, recipe.relabel)
    return [
        pack_for_bert(corpus.stream(step), recipe.rows, recipe.length, share, [recipe.seed, step])
        for step in steps
    ]


def list_losses(
    model: CausalLM, seed: int, count: int = 300, relabel: float = 0.2
) -> dict[str, float]:
    """Loss on the output of generated lists (nats), the model's beside the generator's own.

    The generator's is that of the exact posterior on the same items, so no reader of the items can
    do better on average. Titles and authors' lines are left out, and so are other formats than the
    most frequent one: what a format rules out the posterior does not use.
    """
    rng, posterior = Rng(f"list losses/{seed}"), Posterior(relabel)
    prompts: list[str] = []
    outputs: list[str] = []
    best = 0.0
    while len(prompts) < count:
        drawn = lists.write_list(rng, relabel)
        frame = lists.FORMATS["colon"]
        if not drawn.text.startswith(frame.format(x=drawn.items[0][0], y=drawn.items[0][1])):
            continue
        k = rng.randrange(min(len(drawn.items), 12))
        shown, (query, output) = drawn.items[:k], drawn.items[k]
        best -= math.log(posterior.predict(tuple(shown), query)[output])
        examples = tuple(Example(x, y) for x, y in shown)
        prompts.append(Prompt(query, examples, template=LIST_TEMPLATES["colon"]).text)
        outputs.append(output)
    scores = model.next_word(prompts)
    own = -scores[torch.arange(count), model.token_ids(outputs)].mean().item()
    return {"model": own, "generator": best / count}


def in_context(
    model: TextModel,
    name: str,
    tasks: Sequence[str],
    shots: Sequence[int],
    count: int,
    seed: int,
    titled: bool = False,
) -> list[Row]:
    """Accuracy (percent) of written answers by task and number of demonstrations, and that of the
    exact posterior on the same questions.

    Args:
        name: of the model, for the rows.
        tasks: lists of the world, or :data:`course.world.lists.STRANGER`, dialects that were never
            heard before.
        shots: numbers of demonstrations; those that no document of a task has are left out.
        titled: whether a title says what is asked; then the posterior knows it, too, and that no
            label is renamed.
    """
    rows: list[Row] = []
    for task, k in product(tasks, shots):
        if k < _list_task(task).most:
            asked, best = _asked(task, k, count, seed, titled)
            own = 100 * float(scores(model, asked, written=True, max_tokens=1).mean())
            rows += rows_of({ACCURACY: own, **best}, model=name, task=task, k=k)
    return rows


def _list_task(name: str) -> lists.ListTask:
    return list_tasks()["dialect" if name == STRANGER else name]


@lru_cache(maxsize=512)
def _asked(
    name: str, shots: int, count: int, seed: int, titled: bool
) -> tuple[tuple[Question, ...], dict[str, float]]:
    """Questions with the accuracy (percent) of the best possible answers and, for dialects, of
    recognition alone; the same for every model.
    """
    task = _list_task(name)
    title = task.title if titled else ""
    if name == STRANGER:
        asked = stranger_questions(shots, count, seed, instruction=title)
    else:
        template = usual_template(name, "tiny")
        tasks = all_profiles(name, "tiny")
        asked = questions(tasks, shots, count, seed, template=template, instruction=title)
    posterior = Posterior(0.0, [task.name]) if titled else Posterior()
    figures = {BEST: 100 * float(best_possible(asked, posterior).mean())}
    if task.name == "dialect":
        figures[RECOGNITION] = 100 * float(recognised(asked).mean())
    return tuple(asked), figures


def words_in_blanks(model: MaskedLM, seed: int, count: int = 200) -> dict[str, float]:
    """Share of held-out items of which BERT fills in the answer right, each a document with that
    one item: the sentiment of a review, the verdict on a pair of sentences, the room somebody is
    in. It chooses among the task's words.
    """
    found = {}
    for name, among in _BLANK_WORDS.items():
        asked = fresh_questions(name, 0, count, seed)
        before = [question.prompt.text for question in asked]
        chosen = model.likeliest(model.word_between(before, [""] * count), among)
        right = sum(word == q.answers[0] for word, q in zip(chosen, asked, strict=True))
        found[name] = right / count
    return found


#: Task -> the words that BERT chooses among.
_BLANK_WORDS = {
    "sentiment": ("positive", "negative"),
    "inference": inference.LABELS,
    "where": tuple(ROOMS),
}


def one_sided(seed: int, count: int = 2000) -> dict[str, float]:
    """What the best guess from a part of the document reaches, as a share: any label of a review
    (its labels are balanced), the form of a premise without its claim, any room of a story.
    """
    stories = [
        question.prompt.query.split() for question in fresh_questions("where", 0, count, seed)
    ]
    rooms = [len(set(words) & set(ROOMS)) for words in stories]
    guess = max(inference.baselines().values())
    return {"sentiment": 0.5, "inference": guess, "where": sum(1 / n for n in rooms) / count}


def quality_of(model: PretrainedLM, name: str, seed: int) -> list[Row]:
    """The quality of one pretrained model; shares in percent, losses in nats a label.

    What is counted completely (facts, sums) is the same for every seed.
    """
    found: dict[tuple[str, str | None], float] = {
        (WIDTH, None): float(model.model.config.hidden_size),
        ("unseen loss", None): unseen_loss(model, seed),
    }
    found |= {("facts", kind): 100 * share for kind, share in facts(model).items()}
    found |= {("sums", split): 100 * arithmetic(model, split) for split in (TRAIN, TEST)}
    if isinstance(model, MaskedLM):
        found[MASKED, None] = 100 * masked_accuracy(model, seed)
        for clue in ("left", "right"):
            blanks = [blank for blank in fact_blanks() if blank.clue == clue]
            found["facts by clue", clue] = 100 * filled_right(model, blanks)
        for measure, shares in (
            (IN_BLANKS, words_in_blanks(model, seed)),
            (ONE_SIDED, one_sided(seed)),
        ):
            found |= {(measure, task): 100 * share for task, share in shares.items()}
    return [_row(name, measure, part, value) for (measure, part), value in found.items()]


def from_context(model: TextModel, name: str, seed: int, count: int = 150) -> list[Row]:
    """Whose words and whose taste: known profiles beside dialects that were never heard, behind a
    title that says what is asked.
    """
    return in_context(model, name, (*PROFILED, STRANGER), SHOTS, count, seed, titled=True)


def model_quality(seed: int) -> list[Row]:
    """The quality of every pretrained model, and how far the three sizes and the middle ones of
    other seeds learn from context.
    """
    rows: list[Row] = []
    for name in sorted(RECIPES):
        model = load(name)
        rows += quality_of(model, name, seed)
        if name in LADDER:
            losses = list_losses(model, seed)
            rows += [_row(name, "loss on lists", of, loss) for of, loss in losses.items()]
        if name in (*LADDER, *MIDDLES):
            rows += from_context(model, name, seed)
        if name == "gpt-large":
            others = tuple(task for task in list_tasks() if task not in PROFILED)
            rows += in_context(model, name, others, SHOTS, 40, seed)
    return rows


def _row(model: str, measure: str, part: str | None, value: float) -> Row:
    place: Row = {"measure": measure, "model": model, "value": value}
    return place if part is None else place | {"part": part}


def knowledge(table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """What the models know, mean over seeds: a row a model; facts and sums in percent."""
    columns = {
        ("facts", "all"): "all facts",
        ("facts", "critics"): "critics",
        ("sums", TRAIN): "sums",
        ("sums", TEST): "held out",
    }
    wide = table.pivot_table("value", "model", ["measure", "part"])
    return wide.loc[list(models), list(columns)].set_axis([*columns.values()], axis=1)


def losses(table: pd.DataFrame) -> pd.DataFrame:
    """Loss (nats a label), mean over seeds, of the three sizes: on the outputs of lists beside the
    best possible, and on all unseen text.
    """
    lists_ = table[table.measure == "loss on lists"].pivot_table("value", "model", "part")
    unseen = table[table.measure == "unseen loss"].groupby("model").value.mean()
    columns = {
        "outputs of lists": lists_["model"],
        "best possible": lists_["generator"],
        "all unseen text": unseen,
    }
    return pd.DataFrame(columns).loc[list(LADDER)]


def of_bert(table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """What the BERTs know and can judge, in percent, mean over seeds: a row a model, and last what
    the best guess from one part of a document reaches.
    """
    columns = {
        ("facts", "all"): "all facts",
        ("facts by clue", "left"): "clue left",
        ("facts by clue", "right"): "clue right",
        ("sums", TEST): "sums held out",
        **{(IN_BLANKS, task): task for task in _BLANK_WORDS},
    }
    wide = table.pivot_table("value", "model", ["measure", "part"])
    shown = wide.loc[list(models), list(columns)].set_axis([*columns.values()], axis=1)
    masked = where(table, measure=MASKED).groupby("model").value.mean()
    shown.insert(0, "masked words", masked[list(models)])
    guesses = where(table, measure=ONE_SIDED).groupby("part").value.mean()
    return pd.concat([shown, guesses.to_frame(ONE_SIDED).T]).rename_axis(index=None, columns=None)


def by_shots(table: pd.DataFrame, model: str, task: str, measure: str) -> pd.DataFrame:
    """Accuracy (percent) on one task: a row a seed, a column a number of demonstrations.

    Args:
        measure: :data:`ACCURACY` or :data:`BEST`.
    """
    rows = table[(table.model == model) & (table.task == task) & (table.measure == measure)]
    return rows.pivot(index="seed", columns="k", values="value").rename(columns=int)


def curves_by_shots(
    table: pd.DataFrame, models: Mapping[str, str], tasks: Mapping[str, str]
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """Accuracy (percent) by number of demonstrations, as :func:`course.plots.shots_and_ceiling`
    takes it: title -> name -> (seeds, shots), and of the exact posterior title -> (seeds, shots).

    Args:
        models: model -> what it is called.
        tasks: task -> title.
    """
    curves = {
        title: {name: by_shots(table, m, task, ACCURACY).to_numpy() for m, name in models.items()}
        for task, title in tasks.items()
    }
    any_model = next(iter(models))  # all were asked the same questions
    best = {
        title: by_shots(table, any_model, task, BEST).to_numpy() for task, title in tasks.items()
    }
    return curves, best


def below_the_best(table: pd.DataFrame, model: str, task: str) -> pd.Series:
    """Points by which a model lies under the exact posterior, mean over seeds, by number of
    demonstrations.
    """
    best, own = (by_shots(table, model, task, measure) for measure in (BEST, ACCURACY))
    return (best - own).mean()


def every_task(table: pd.DataFrame, model: str = "gpt-large") -> pd.DataFrame:
    """Accuracy (percent), mean over seeds: a row a task, a column a number of demonstrations. The
    last column is the exact posterior with the most demonstrations that fit.
    """
    rows = table[(table.model == model) & table.k.notna()]
    means = rows.pivot_table("value", ["task", "k"], "measure").reset_index("k")
    wide = means.pivot(columns="k", values=ACCURACY).rename(columns=lambda k: f"k = {k:.0f}")
    wide["best"] = means.groupby("task")[BEST].last()
    return wide.sort_values("k = 8", ascending=False, kind="stable").rename_axis(columns=None)


QUALITY = Study("quality", 4, tuple(sorted(RECIPES)), (0, 1, 2), model_quality)
STUDIES = (QUALITY,)
