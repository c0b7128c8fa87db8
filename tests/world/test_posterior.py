"""The exact posterior against brute force, and against the generator itself."""

from collections import Counter
from functools import partial
from itertools import permutations, product

import numpy as np
import pytest

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world import list_documents, lists, orders
from course.world.list_documents import (
    HASTY_ERROR,
    HASTY_SHARE,
    PERMUTED_SHARE,
    STRANGER_SHARE,
    TASK_WEIGHTS,
    TITLE_SHARE,
)
from course.world.posterior import Posterior
from course.world.relations import draw_dialect

SMALL = ("is_animal", "is_large", "verdict", "colour", "topic", "dialect")


def brute_force(demonstrations, query, relabel, author=None, title=None):
    """The same distribution by plain loops over every latent: slow, and written from the
    generator's description alone.
    """
    answers = {}
    items = [*demonstrations, (query, None)]
    for name in SMALL:
        task = lists.list_tasks()[name]
        if title is not None and name != title:
            continue
        for truth, inputs_share in every_truth(task, [x for x, _ in items]):
            for label_map, map_share in every_map(task, relabel):
                if title is not None and label_map is not None:
                    continue
                for who, who_share in (("careful", 1 - HASTY_SHARE), ("hasty", HASTY_SHARE)):
                    if author is not None and who != author:
                        continue
                    weight = TASK_WEIGHTS.get(name, 1.0) * inputs_share * map_share * who_share
                    weight *= 1.0 if label_map or title else 1 - TITLE_SHARE
                    possible_counts = [n for n in range(3, task.most + 1) if n >= len(items)]
                    weight *= len(possible_counts) / (task.most - 2)
                    words = [label_map[t] if label_map else t for t in truth]
                    outputs = list(label_map.values()) if label_map else list(task.outputs)

                    def probability(written, right, outputs=outputs, who=who):
                        if written not in outputs:
                            return 0.0
                        error = HASTY_ERROR if who == "hasty" else 0.0
                        return 1 - error if written == right else error / (len(outputs) - 1)

                    for (_, written), right in zip(demonstrations, words, strict=False):
                        weight *= probability(written, right)
                    for word in outputs:
                        answers[word] = answers.get(word, 0.0) + weight * probability(
                            word, words[-1]
                        )
    total = sum(answers.values())
    return {word: p / total for word, p in answers.items() if p > 0}


def every_truth(task, inputs):
    """(right outputs, their share of the task's lists times the probability of the inputs) of every
    profile and stranger.
    """
    if task.output(inputs[0], task.profiles[0]) is None or None in [
        task.output(x, task.profiles[0]) for x in inputs
    ]:
        return
    known = 1 - STRANGER_SHARE if task.name == "dialect" else 1.0
    for profile in task.profiles:
        truth = [task.output(x, profile) for x in inputs]
        yield truth, known / len(task.profiles) * probability_of_inputs(task, profile, truth)
    if task.name == "dialect":
        drawn = probability_of_inputs(task, task.profiles[0], inputs)
        kinds = sorted({lex.CATEGORY_OF[x] for x in inputs})
        for favourites in product(range(3), repeat=len(kinds)):
            for endings in product(range(3), repeat=len(inputs)):
                share = STRANGER_SHARE * drawn / 3 ** len(kinds)
                for x, ending in zip(inputs, endings, strict=True):
                    share *= 0.7 if ending == favourites[kinds.index(lex.CATEGORY_OF[x])] else 0.15
                yield [lex.VELAN_NOUNS[x][e] for x, e in zip(inputs, endings, strict=True)], share


def probability_of_inputs(task, profile, truth):
    """The probability of the inputs, in a plain list or in any of the three orders."""
    if task.truth is None:
        left = Counter(task.tables[profile].values())
        plain = np.prod([1 / (sum(left.values()) - i) for i in range(len(truth))])
    else:
        left, plain = Counter({label: 1 / len(task.labels) for label in task.labels}), 1.0
    if not task.labels:
        return plain
    n, ways = len(task.labels), list(permutations(task.labels))

    def sorted_like(way, label, before):
        # the same label again, or, one time in four, the next one
        if before is None:
            return float(label == way[0])
        if before == way[-1]:
            return float(label == before)
        return {before: 0.75, way[way.index(before) + 1]: 0.25}.get(label, 0.0)

    def skewed_to(favourite, label, _):
        return 0.8 if label == favourite else 0.2 / (n - 1)

    def in_runs(label, before):
        if before is None:
            return 1 / n
        return 0.85 if label == before else 0.15 / (n - 1)

    total = 0.6 * plain + 0.16 * by_label(truth, left, task, in_runs)
    for way in ways:
        total += 0.12 / len(ways) * by_label(truth, left, task, partial(sorted_like, way))
    for favourite in task.labels:
        total += 0.12 / n * by_label(truth, left, task, partial(skewed_to, favourite))
    return total


def by_label(truth, left, task, share):
    left, probability, before = dict(left), 1.0, None
    for label in truth:
        shares = {other: share(other, before) * (left[other] > 0) for other in task.labels}
        if not any(shares.values()):
            shares = {other: float(left[other] > 0) for other in task.labels}
        probability *= shares[label] / sum(shares.values()) / left[label]
        left[label] -= task.truth is None
        before = label
    return probability


def every_map(task, relabel):
    if not task.labels:
        return [(None, 1.0)]
    swaps = [
        dict(zip(task.labels, p, strict=True))
        for p in permutations(task.labels)
        if p != task.labels
    ]
    if len(task.labels) > 2:
        return [(None, 1 - relabel)] + [(m, relabel / len(swaps)) for m in swaps]
    made_up = [dict(zip(task.labels, p, strict=True)) for p in permutations(lex.NONCE_LABELS, 2)]
    return (
        [(None, 1 - relabel)]
        + [(m, relabel * PERMUTED_SHARE / len(swaps)) for m in swaps]
        + [(m, relabel * (1 - PERMUTED_SHARE) / len(made_up)) for m in made_up]
    )


CASES = [
    ([], "dog", {}),
    ([("cat", "yes")], "dog", {}),
    ([("cat", "yes"), ("apple", "no")], "horse", {}),
    ([("cat", "no"), ("apple", "yes")], "horse", {}),
    ([("cat", "zup"), ("apple", "fep"), ("bear", "zup")], "horse", {}),
    ([("soup", "good"), ("stew", "bad"), ("bread", "good"), ("tea", "good")], "pie", {}),
    ([("soup", "good"), ("stew", "bad")], "pie", {"author": "careful"}),
    ([("soup", "good"), ("stew", "bad")], "pie", {"author": "hasty"}),
    ([("cat", "red")], "dog", {"author": "hasty"}),
    ([("cat", "no")], "dog", {"title": "is_animal"}),
    (
        [("the plot was dull .", "film"), ("the actor was fine .", "film")],
        "the room was great .",
        {},
    ),
    ([("the plot was dull .", "food")], "the room was great .", {}),
    ([("cat", "yes"), ("dog", "yes"), ("apple", "no"), ("pear", "no")], "plum", {}),
    ([("soup", "good"), ("stew", "good"), ("bread", "good")], "pie", {}),
    ([("cat", lex.VELAN_NOUNS["cat"][0])], "dog", {}),
    (
        [("cat", lex.VELAN_NOUNS["cat"][0]), ("pear", lex.VELAN_NOUNS["pear"][2])],
        "plum",
        {"author": "careful"},
    ),
    (
        [("cat", lex.VELAN_NOUNS["cat"][0]), ("pear", lex.VELAN_NOUNS["pear"][2])],
        "fox",
        {"title": "dialect"},
    ),
]


@pytest.mark.parametrize("relabel", [0.0, 0.2, 1.0])
@pytest.mark.parametrize(("demonstrations", "query", "given"), CASES)
def test_equals_brute_force(demonstrations, query, given, relabel):
    expected_error = not brute_force_possible(demonstrations, query, relabel, given)
    if expected_error:
        with pytest.raises(ValueError, match="no list of the corpus holds"):
            Posterior(relabel, SMALL).predict(demonstrations, query, **given)
        return
    found = Posterior(relabel, SMALL).predict(demonstrations, query, **given)
    expected = brute_force(demonstrations, query, relabel, **given)
    assert sum(found.values()) == pytest.approx(1)
    assert {w: pytest.approx(p, abs=1e-9) for w, p in expected.items()} == {
        w: p for w, p in found.items() if p > 0
    }


def brute_force_possible(demonstrations, query, relabel, given) -> bool:
    try:
        return bool(brute_force(demonstrations, query, relabel, **given))
    except ZeroDivisionError:
        return False


def test_is_calibrated_on_what_the_generator_writes():
    """Among generated lists, answers that get probability p are right with frequency p."""
    rng, posterior = Rng("calibration"), Posterior(0.2)
    stated, right = [], []
    while len(stated) < 600:
        made = list_documents.write_list(rng, 0.2)
        k = min(4, len(made.items) - 1)
        if (
            made.task in ("add", "subtract")
            or made.text.count(" clerk")
            or any(t.title in made.text for t in lists.list_tasks().values())
        ):
            continue
        answers = posterior.predict(made.items[:k], made.items[k][0])
        best = max(answers, key=answers.get)
        stated.append(answers[best])
        right.append(best == made.items[k][1])
    stated, right = np.array(stated), np.array(right)
    assert (
        abs(stated.mean() - right.mean())
        < 3 * np.sqrt((stated * (1 - stated)).sum()) / len(stated) + 0.01
    )
    assert 0.3 < stated.mean() < 0.99


def test_orders_are_drawn_as_their_probabilities_say():
    """The first four labels of lists of a task with few inputs of one label, against the
    probability of the inputs.
    """
    task, rng, count = lists.list_tasks()["is_large"], Rng("orders"), 60_000
    table = task.tables[""]
    inputs = tuple(table)
    found = Counter()
    for _ in range(count):
        order = orders.draw_order(rng, task.labels)
        found[
            tuple(
                table[x] for x in list_documents.draw_from_table(rng, task, table, inputs, order, 4)
            )
        ] += 1
    sizes = Counter(table.values())
    for labels in product(task.labels, repeat=4):
        plain, left = 0.0, Counter(sizes)
        ways = 1
        for i, label in enumerate(labels):
            plain -= np.log(len(table) - i)
            ways *= left[label]
            left[label] -= 1
        expected = np.exp(orders.log_mixture(task.labels, labels, sizes, plain)) * ways
        assert abs(found[labels] / count - expected) < 4 * np.sqrt(expected / count) + 1e-3


def test_an_order_runs_out_of_labels_as_its_probability_says():
    """A list as long as its table has inputs: whatever the order, all inputs come, so the
    probabilities of all ways add up to 1.
    """
    labels, sizes = ("yes", "no"), {"yes": 2, "no": 3}
    for order, _ in orders.orders(labels)[1:]:
        total = 0.0
        for way in set(permutations(["yes"] * 2 + ["no"] * 3)):
            ways = 2 * 6  # the inputs of each label in any order
            total += np.exp(orders.log_probability(order, labels, way, sizes)) * ways
        assert total == pytest.approx(1)


def test_who_knows_of_orders_predicts_verdicts_better(monkeypatch):
    """Monte Carlo over lists of critics with all dishes: the posterior is calibrated, and loses
    when it forgets the orders.
    """
    task, rng, asked = lists.list_tasks()["verdict"], Rng("verdicts"), []
    while len(asked) < 1200:
        profile, table = list_documents.draw_profile(rng, task)
        order = orders.draw_order(rng, task.labels)
        k = 2 + rng.randrange(6)
        drawn = list_documents.draw_from_table(rng, task, table, tuple(table), order, k + 1)
        author = "hasty" if rng.bernoulli(HASTY_SHARE) else "careful"
        items = list_documents.as_written(rng, task, [(x, table[x]) for x in drawn], {}, author)
        asked.append((items[:-1], *items[-1]))

    def stated():
        posterior = Posterior(0.0, ["verdict"])
        return np.array([posterior.predict(shown, x)["good"] for shown, x, _ in asked])

    good, knowing = np.array([y == "good" for _, _, y in asked]), stated()
    for low, high in ((0.0, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 1.0)):
        here = (low <= knowing) & (knowing < high)
        assert here.sum() > 50 and abs(knowing[here].mean() - good[here].mean()) < 4 * np.sqrt(
            0.25 / here.sum()
        )
    monkeypatch.setattr(orders, "orders", lambda labels: ((orders.PLAIN, 1.0),))
    loss = [-np.log(np.where(good, p, 1 - p)).mean() for p in (knowing, stated())]
    assert loss[0] < loss[1] - 0.005


def test_a_stranger_is_learned_from_its_recipe():
    """The best answer about a dialect that no other list has is its favourite ending for that kind
    of thing.
    """
    posterior, rng, stated, right = Posterior(tasks=["dialect"]), Rng("stranger"), [], []
    for _ in range(100):
        table = draw_dialect(rng)
        nouns = rng.sample(lex.NOUNS, 17)
        answers = posterior.predict(
            [(n, table[n]) for n in nouns[:-1]], nouns[-1], author="careful"
        )
        stated.append(max(answers.values()))
        right.append(max(answers, key=answers.get) == table[nouns[-1]])
    assert 0.55 < np.mean(stated) < 0.75 and abs(np.mean(stated) - np.mean(right)) < 0.15


def test_more_demonstrations_narrow_the_dialect():
    task, rng, posterior = lists.list_tasks()["dialect"], Rng("narrow"), Posterior()
    means = []
    for k in (0, 2, 8):
        best = []
        for _ in range(40):
            table = task.tables[rng.choice(task.profiles)]
            words = rng.sample(tuple(table), k + 1)
            best.append(
                max(posterior.predict([(w, table[w]) for w in words[:-1]], words[-1]).values())
            )
        means.append(np.mean(best))
    assert means[0] < means[1] - 0.1 < means[2] - 0.2


def test_impossible_items_are_named():
    with pytest.raises(ValueError, match="no list of the corpus holds the items .*'dorland'"):
        Posterior().predict([("dorland", "banana")], "dog")
    with pytest.raises(ValueError, match="relabel=1.5: expected a probability"):
        Posterior(1.5)
    with pytest.raises(ValueError, match="author='kind': expected one of careful, hasty"):
        Posterior().predict([], "dog", author="kind")
    with pytest.raises(ValueError, match="title='sudoku': expected the name of one of the tasks"):
        Posterior().predict([], "dog", title="sudoku")
    with pytest.raises(ValueError, match="no such list tasks: sudoku"):
        Posterior(tasks=["sudoku"])
