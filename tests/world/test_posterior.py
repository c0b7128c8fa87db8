"""The exact posterior against brute force, and against the generator itself."""

from itertools import permutations

import numpy as np
import pytest

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world import lists
from course.world.lists import HASTY_ERROR, HASTY_SHARE, PERMUTED_SHARE, TASK_WEIGHTS, TITLE_SHARE
from course.world.posterior import Posterior

SMALL = ("is_animal", "is_large", "verdict", "colour", "topic")


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
        for profile in task.profiles:
            truth = [task.output(x, profile) for x, _ in items]
            if None in truth:
                continue
            for label_map, map_share in every_map(task, relabel):
                if title is not None and label_map is not None:
                    continue
                for who, who_share in (("careful", 1 - HASTY_SHARE), ("hasty", HASTY_SHARE)):
                    if author is not None and who != author:
                        continue
                    weight = (
                        TASK_WEIGHTS.get(name, 1.0) / len(task.profiles) * map_share * who_share
                    )
                    weight *= 1.0 if label_map or title else 1 - TITLE_SHARE
                    possible_counts = [n for n in range(3, task.most + 1) if n >= len(items)]
                    weight *= len(possible_counts) / (task.most - 2)
                    if task.truth is None:
                        for i in range(len(items)):
                            weight /= len(task.tables[profile]) - i
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
    ([("the plot was dull .", "food")], "the room was great .", {}),
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
        made = lists.write_list(rng, 0.2)
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
