"""Studies of chapter 1: blanks and continuations; specialists and a generalist."""

from course.cloze import english, expectations
from course.finetuning import specialists
from course.lm.language_model import load
from course.models.hub import tier
from course.studies.records import Study


def two_expectations(seed: int) -> dict:
    """GPT and BERT of the same size: blanks with the clue on the left and on the right, and
    continuations.

    In the hub tier the texts are plain English, without the words that a tokenizer splits.
    """
    models = {"gpt": load("gpt-middle"), "bert": load("bert-middle")}
    if tier() == "hub":
        sets = {
            kind: english.one_token(blanks, list(models.values()))
            for kind, blanks in english.blank_sets(40, seed).items()
        }
        begun = english.one_token(english.beginnings(20, seed), list(models.values()))
    else:
        sets = {
            "facts": expectations.fact_blanks(),
            "translations": expectations.translation_blanks(200, seed),
            "sums": expectations.sum_blanks(150, seed),
        }
        begun = expectations.beginnings(60, seed)
    found = {}
    for kind, blanks in sets.items():
        found[kind] = {
            clue: {
                name: 100 * expectations.filled_right(model, [b for b in blanks if b.clue == clue])
                for name, model in models.items()
            }
            for clue in ("left", "right")
        }
    found["continued"] = {
        name: 100 * expectations.continued_right(model, begun) for name, model in models.items()
    }
    return found


#: Numbers of labels at which a specialist is trained for the cost of a new task, and of
#: demonstrations beside them.
LABELS, SHOWN = (8, 32, 128, 512), (1, 2, 4, 8)


def specialist_matrix(seed: int) -> dict:
    """One specialist a task against the prompted generalist, and a specialist's accuracy by its
    number of labels.
    """
    base = load("gpt-middle")
    trained = [specialists.specialise(base, task, seed=seed) for task in specialists.TASKS]
    table = specialists.matrix(base, trained, count=200, seed=seed)
    return {
        "table": {
            row: {column: float(v) for column, v in values.items()}
            for row, values in table.to_dict("index").items()
        },
        "by_labels": {
            task: specialists.by_labels(base, task, LABELS, seed) for task in specialists.TASKS
        },
        "by_shots": {
            task: specialists.by_shots(base, task, SHOWN, seed) for task in specialists.TASKS
        },
    }


STUDIES = (
    Study("two-expectations", 1, ("gpt-middle", "bert-middle"), (0, 1, 2, 3, 4), two_expectations),
    Study("specialists", 2, ("gpt-middle",), (0, 1, 2), specialist_matrix),
)
