"""Fine-tuning a head on a few labels, on a pretrained body or from scratch: the comparison of
chapter 2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datasets import ClassLabel, Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.foundation.rng import Rng
from course.foundation.validation import check_fields, integer, number
from course.heads.answers import SpanHead
from course.heads.head import Head
from course.heads.sequences import SequenceHead
from course.heads.tags import TokenHead
from course.heads.views import View, view
from course.models.hub import tier
from course.models.loading import load_tokenizer
from course.tasks.registry import Task
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.history import History
from course.world.split import TRAIN, VALIDATION

#: The tasks of the lecture's heads: one text, two texts, every word, a place in a text.
TASKS = ("sentiment", "inference", "entities", "extraction")
#: The body under all heads of the chapter.
BODY = "bert-middle"


@dataclass(frozen=True)
class Effort:
    """Training settings for up to a number of labels, the same for a pretrained body and from
    scratch.

    Few labels want small batches: the noise of their gradients keeps a model from settling on the
    first thing that fits. In small batches a head for texts, which learns from one position a text,
    needs a lower peak rate than a head for words.

    Attributes:
        labels: up to how many.
        steps, batch_size: as in :class:`course.training.FitSettings`.
        text_rate, word_rate: peak learning rates of heads for texts (one or two) and for words
            (tags, answers).
    """

    labels: int
    steps: int
    batch_size: int
    text_rate: float
    word_rate: float = 1e-3

    def __post_init__(self) -> None:
        check_fields(
            self,
            labels=integer(1),
            steps=integer(1),
            batch_size=integer(1),
            text_rate=number(above=0),
            word_rate=number(above=0),
        )

    def learning_rate(self, head: Head) -> float:
        return self.text_rate if isinstance(head, SequenceHead) else self.word_rate


#: In the order of the labels. Rates and batch sizes were chosen on validation items at 100 and 1000
#: labels, out of rates from 1e-4 to 3e-3 and batches of 4, 8 and 32, and suit both ways: what is
#: best for one was about as good as the best for the other.
EFFORTS = (
    Effort(10, 60, 8, 3e-4),
    Effort(30, 120, 8, 3e-4),
    Effort(100, 200, 8, 3e-4),
    Effort(300, 280, 8, 3e-4),
    Effort(1000, 160, 32, 1e-3),
    Effort(3000, 220, 32, 1e-3),
    Effort(10_000, 300, 32, 1e-3),
)
#: Training until the validation score stays where it is, up to twice as many steps as it commonly
#: takes.
UNTIL_LEVEL = (
    Effort(30, 160, 8, 3e-4),
    Effort(300, 300, 8, 3e-4),
    Effort(1000, 600, 16, 5e-4),
    Effort(3000, 800, 32, 1e-3),
)
#: Peak rate by tier of real models, which are larger; chosen for neither on our data.
REAL_RATES = {"index": 1e-4, "hub": 5e-5}


def effort(labels: int, efforts: Sequence[Effort] = EFFORTS) -> Effort:
    """The training settings for a number of labels; beyond those listed, those of the most."""
    return next((entry for entry in efforts if labels <= entry.labels), efforts[-1])


@dataclass(frozen=True)
class Learned:
    """A head that was fine-tuned together with its body, with the history of the training."""

    head: Head
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    history: History

    def predict(self, rows: Sequence[dict]) -> list:
        """One prediction a row: see :meth:`Head.predict`."""
        return self.head.predict(self.model, self.tokenizer, rows)

    def score(self, rows: Sequence[dict]) -> float:
        """The head's own measure, in percent."""
        return self.head.score(self.model, self.tokenizer, rows)

    def view(self, rows: Sequence[dict]) -> View:
        """The predictions in readable form, beside the labels."""
        return view(self.head, self.model, self.tokenizer, rows)


def take(rows: Dataset, count: int, seed: int = 0) -> Dataset:
    """``count`` rows in random order; a smaller count takes the first of a larger one.

    Raises:
        ValueError, TypeError: if there are fewer rows, or the count is no whole number of at least
            0.
    """
    if integer(0)("labels", count) > len(rows):
        raise ValueError(
            f"{count} labels are wanted and {len(rows)} rows are there; load the task with larger "
            "sizes="
        )
    return rows.select(Rng(f"labels/{seed}").sample(range(len(rows)), len(rows))[:count])


def learn(
    task: Task,
    labels: int,
    pretrained: bool = True,
    seed: int = 0,
    validated: bool = False,
    name: str = BODY,
    efforts: Sequence[Effort] = EFFORTS,
    learning_rate: float | None = None,
    steps: int | None = None,
    precision: str = "fp32",
) -> Learned:
    """Fine-tune a fresh head and all of its body on ``labels`` training rows.

    Args:
        pretrained: whether the body is pretrained, or as fresh as the head.
        seed: of the rows, of the fresh weights and of the order.
        validated: whether the weights that are best on the validation rows are kept, and training
            stops when they are not bettered any more; otherwise it ends after the last step.
        name: of the body.
        efforts: the training settings by the number of labels: :data:`EFFORTS`, which are short, or
            :data:`UNTIL_LEVEL`.
        learning_rate: the peak rate (default: that of the effort; of a real
            model that of :data:`REAL_RATES`).
        steps: of training (default: those of the effort).
        precision: of training, see :class:`course.training.FitSettings`.

    Raises:
        ValueError, TypeError: for a number of labels that is none or that the task does not have,
            for a task without the splits that are needed, and for rows that the head cannot read;
            the message names them.
    """
    integer(1)("labels", labels)
    if validated and not len(task.data.get(VALIDATION, ())):
        raise ValueError(
            f"the task {task.name!r} has no rows in the split {VALIDATION!r}: expected some, or "
            "validated=False"
        )
    head, tokenizer = head_for(task), load_tokenizer(name)
    model = head.new_model(name, pretrained, seed)
    spent = effort(labels, efforts)
    usual = REAL_RATES.get(tier(), spent.learning_rate(head))
    steps = spent.steps if steps is None else steps
    settings = FitSettings(
        steps=steps,
        batch_size=spent.batch_size,
        learning_rate=usual if learning_rate is None else learning_rate,
        seed=seed,
        validate_every=max(20, steps // 8),
        patience=4 if validated else None,
        precision=precision,
    )
    rows = list(task.data[VALIDATION]) if validated else []
    validate = (lambda tuned: head.score(tuned, tokenizer, rows)) if validated else None
    history = fit(
        model, head.encode(tokenizer, take(task.data[TRAIN], labels, seed)), settings, validate
    )
    return Learned(head, model, tokenizer, history)


def head_for(task: Task) -> Head:
    """The head for a task, by the columns of its data.

    Args:
        task: in the schema of SST-2, SNLI, CoNLL-2003 or SQuAD (with or without questions that have
            no answer).

    Raises:
        ValueError: for data in another schema, without a training split, or with labels that cannot
            be told or disagree with the task's.
    """
    if TRAIN not in task.data:
        raise ValueError(
            f"the task {task.name!r} has no split {TRAIN!r} but {', '.join(task.data) or 'none'}; "
            "a head learns from one"
        )
    data = task.data[TRAIN]
    columns = set(data.column_names)
    for texts in (("premise", "hypothesis"), ("sentence",)):
        if {*texts, "label"} <= columns:
            return SequenceHead(
                _names(task, data["label"], data.features["label"], "label"), task.read, texts
            )
    if {"tokens", "ner_tags"} <= columns:
        tags = [tag for row in data["ner_tags"] for tag in row or ()]
        return TokenHead(
            _bio(task, _names(task, tags, data.features["ner_tags"].feature, "ner_tags"))
        )
    if {"question", "context", "answers"} <= columns:
        return SpanHead(may_be_absent=any(not answers["text"] for answers in data["answers"]))
    raise ValueError(
        f"no head for the task {task.name!r} with the columns {', '.join(data.column_names)}; "
        "expected those of SST-2 (sentence, label), "
        "SNLI (premise, hypothesis, label), CoNLL-2003 (tokens, ner_tags) or SQuAD (question, "
        "context, answers)"
    )


def _names(task: Task, values: Iterable, feature: object, column: str) -> tuple[str, ...]:
    """The labels of a column in the order of their numbers.

    What the numbers mean is the data's to say, where it does; so the task's labels may come in
    another order, but not be other words.
    """
    names = tuple(feature.names) if isinstance(feature, ClassLabel) else ()
    if not names and not task.labels:
        names = tuple(
            sorted(
                {value for value in values if isinstance(value, str)},
                key=lambda name: (name != "O", name),
            )
        )
    if (
        set(names) & set(task.labels)
        and set(names) != set(task.labels)
        or names
        and task.labels
        and len(names) != len(task.labels)
    ):
        raise ValueError(
            f"the task {task.name!r} has the labels {', '.join(task.labels)}, and its column "
            f"{column!r} {', '.join(names)}"
        )
    # other words for the same numbers: names that a publisher chose, and the words that a model
    # should say
    labels = task.labels if not set(names) & set(task.labels) and task.labels else names
    if len(labels) < 2:
        raise ValueError(
            f"the labels of the task {task.name!r} are {list(labels)}: expected two or more; name "
            "them with labels="
        )
    return labels


def _bio(task: Task, tags: tuple[str, ...]) -> tuple[str, ...]:
    """BIO tags, in which entities can be found."""
    if other := [tag for tag in tags if tag != "O" and tag[:2] not in ("B-", "I-")]:
        raise ValueError(
            f"the task {task.name!r} has the tag {other[0]!r}: expected BIO tags such as O, B-PER "
            "and I-PER"
        )
    return tags
