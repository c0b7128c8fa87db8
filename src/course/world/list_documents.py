"""List documents: inputs beside outputs of one latent task, from which in-context learning can
emerge.

A list has a latent *task* (and, for dialects and critics, whose *profile*), a *format*, an *author*
(careful or hasty), and for tasks with labels a *label map* and an *order*. A title and an author's
line are given in some documents and left out in most; some lists of a dialect or a critic end by
saying whose they were. Some dialects are drawn for one list and never come again: they can be
learned from that list alone. What a reader must infer from the items is exactly what
:mod:`course.world.posterior` computes.

Sources of the ideas: latent tasks, Xie et al. 2022 and Pan et al. 2023; relabelled lists, Chan et
al. 2022 and Wei et al. 2023.
"""

from dataclasses import dataclass
from functools import cache

from course.foundation.rng import Rng, Weighted
from course.world import lexicon as lex
from course.world import profiles
from course.world.held_out import HELD_OUT_COMBINATIONS
from course.world.lists import STRANGER, ListTask, list_tasks
from course.world.orders import PLAIN, Order, draw_order, next_label
from course.world.relations import draw_dialect
from course.world.split import TRAIN

#: The formats of a list item, with their shares. ``{x}`` is the input, ``{y}`` the output.
FORMATS = {
    "colon": "{x} : {y} \n",
    "arrow": "{x} -> {y} \n",
    "equals": "{x} = {y} ;",
    "inout": "input : {x} \n output : {y} \n",
    "qa": "q : {x} \n a : {y} \n",
}
FORMAT_SHARES = {"colon": 40, "arrow": 20, "equals": 10, "inout": 15, "qa": 15}

#: A hasty author writes a wrong output, drawn from the task's other outputs, with this probability.
#: A careful one never does.
HASTY_ERROR = 0.3
HASTY_SHARE = 0.25
AUTHOR_LINES = {"careful": "by a careful clerk \n", "hasty": "by a hasty clerk \n"}
#: Shares of lists that name their author, and that carry a title.
AUTHOR_LINE_SHARE, TITLE_SHARE = 0.4, 0.3
TITLE_FRAMES = Weighted({"{t} \n": 6, "a list : {t} \n": 3, "{t} , one by one \n": 1})
#: Share of the lists of a dialect or a critic that end by naming it.
SIGNED_SHARE = 0.3
#: Share of the lists of a dialect whose dialect is drawn for them alone.
STRANGER_SHARE = 0.15
#: Of the relabelled lists, the share whose labels are swapped among themselves; the others get
#: words without meaning.
PERMUTED_SHARE = 0.5

#: How often each list task occurs; one where not named. Profiles need several demonstrations, so
#: they weigh most.
TASK_WEIGHTS = {"dialect": 14.0, "verdict": 13.0, "add": 2.0, "subtract": 2.0, "sentiment": 3.0, "topic": 1.5,
                "recommend": 2.0, "first_word": 1.5, "second_word": 1.5, "third_word": 1.5}  # fmt: skip


@cache
def _task_draw() -> Weighted:
    return Weighted({task: TASK_WEIGHTS.get(name, 1.0) for name, task in list_tasks().items()})


@cache
def _train_inputs(task: ListTask) -> tuple[str, ...]:
    """The inputs that the corpus may ask; those of a task with profiles are the same for all of
    them.
    """
    return task.inputs(TRAIN, task.profiles[0])


@cache
def format_draw(task_name: str) -> Weighted:
    """The formats that a list of the task may have in the corpus."""
    allowed = {
        f: share
        for f, share in FORMAT_SHARES.items()
        if (task_name, f) not in HELD_OUT_COMBINATIONS
    }
    return Weighted(allowed)


@dataclass(frozen=True)
class ListDocument:
    """A list document with its latents, so that tests and studies can see what a reader cannot.

    ``items`` are (input, output as written) pairs; ``label_map`` is empty unless the list is
    relabelled; ``profile`` is :data:`STRANGER` for a dialect that no other list has.
    """

    text: str
    task: str
    profile: str
    format: str
    author: str
    label_map: tuple[tuple[str, str], ...]
    items: tuple[tuple[str, str], ...]
    order: Order = PLAIN


def draw_label_map(rng: Rng, labels: tuple[str, ...]) -> dict[str, str]:
    """A label map that differs from the identity: the labels swapped among themselves, or words
    without meaning.

    Label sets of more than two are only permuted: the number of ways to rename them would make the
    exact posterior dear.
    """
    if len(labels) > 2 or rng.bernoulli(PERMUTED_SHARE):
        while True:
            permuted = rng.sample(labels, len(labels))
            if tuple(permuted) != labels:
                return dict(zip(labels, permuted, strict=True))
    return dict(zip(labels, rng.sample(lex.NONCE_LABELS, len(labels)), strict=True))


def write_list(rng: Rng, relabel: float) -> ListDocument:
    """A random list document of the corpus.

    Args:
        relabel: the label knob p: the probability that a list of a task with labels gets other
            labels.
    """
    task = _task_draw().draw(rng)
    profile, table = draw_profile(rng, task)
    name = format_draw(task.name).draw(rng)
    order = draw_order(rng, task.labels) if task.labels else PLAIN
    count = 3 + rng.randrange(task.most - 2)
    if task.draw is None:
        pairs = [
            (x, table[x])
            for x in draw_from_table(rng, task, table, _train_inputs(task), order, count)
        ]
    else:
        pairs = [(x, task.truth(x)) for x in _draw_open(rng, task, order, count)]

    label_map = draw_label_map(rng, task.labels) if task.labels and rng.bernoulli(relabel) else {}
    author = "hasty" if rng.bernoulli(HASTY_SHARE) else "careful"
    pairs = as_written(rng, task, pairs, label_map, author)

    head = AUTHOR_LINES[author] + " " if rng.bernoulli(AUTHOR_LINE_SHARE) else ""
    if not label_map and rng.bernoulli(TITLE_SHARE):
        head += TITLE_FRAMES.draw(rng).format(t=task.title) + " "
    frame = FORMATS[name]
    body = " ".join([frame.format(x=x, y=y) for x, y in pairs])
    if profile and profile != STRANGER and not label_map and rng.bernoulli(SIGNED_SHARE):
        body += " " + profiles.sign(rng, task.name, profile)
    return ListDocument(
        head + body, task.name, profile, name, author, tuple(label_map.items()), tuple(pairs), order
    )


def draw_profile(rng: Rng, task: ListTask) -> tuple[str, dict[str, str]]:
    """Whose list it is, and the table of input -> output; the table of an open task is empty."""
    if task.name == "dialect" and rng.bernoulli(STRANGER_SHARE):
        return STRANGER, draw_dialect(rng)
    profile = rng.choice(task.profiles)
    return profile, task.tables.get(profile, {})


def draw_from_table(
    rng: Rng,
    task: ListTask,
    table: dict[str, str],
    inputs: tuple[str, ...],
    order: Order,
    count: int,
) -> list[str]:
    """``count`` different inputs in an order, or as many as there are."""
    if order == PLAIN:
        return rng.sample(inputs, min(count, len(inputs)))
    left: dict[str, list[str]] = {label: [] for label in task.labels}
    for x in rng.sample(inputs, len(inputs)):
        left[table[x]].append(x)
    drawn, before = [], None
    for _ in range(min(count, len(inputs))):
        before = next_label(
            rng, order, task.labels, before, {label: len(part) for label, part in left.items()}
        )
        drawn.append(left[before].pop())
    return drawn


def _draw_open(rng: Rng, task: ListTask, order: Order, count: int) -> list[str]:
    """``count`` inputs of an open task in an order."""
    if order == PLAIN:
        return [task.draw_input(rng, TRAIN) for _ in range(count)]
    drawn, before, endless = [], None, dict.fromkeys(task.labels, 1.0)
    for _ in range(count):
        before = next_label(rng, order, task.labels, before, endless)
        text = task.draw_input(rng, TRAIN)
        while task.output(text, "") != before:
            text = task.draw_input(rng, TRAIN)
        drawn.append(text)
    return drawn


def as_written(
    rng: Rng, task: ListTask, pairs: list[tuple[str, str]], label_map: dict[str, str], author: str
) -> list[tuple[str, str]]:
    """The items as an author writes them: with the labels of the map, and a hasty author's
    mistakes.
    """
    if label_map:
        pairs = [(x, label_map[y]) for x, y in pairs]
    if author == "hasty":
        outputs = tuple(label_map.values()) or task.outputs
        pairs = [
            (x, _mistake(rng, y, outputs) if rng.bernoulli(HASTY_ERROR) else y) for x, y in pairs
        ]
    return pairs


def _mistake(rng: Rng, right: str, outputs: tuple[str, ...]) -> str:
    while True:
        wrong = rng.choice(outputs)
        if wrong != right:
            return wrong


def write_made_up_list(rng: Rng) -> str:
    """A list of facts made up for one document: words without meaning stand for things, and most
    pairs come back.

    Nothing in the weights can know them (Chan et al. 2022: burstiness), so the second mention must
    be read off the first.
    """
    frame = FORMATS[rng.choice(tuple(FORMATS))]
    keys = rng.sample(lex.NONCE_KEYS, 3 + rng.randrange(4))
    values = rng.sample(lex.NOUNS, len(keys))
    pairs = list(zip(keys, values, strict=True))
    order = pairs + rng.sample(pairs, len(pairs))
    return " ".join([frame.format(x=x, y=y) for x, y in order])
