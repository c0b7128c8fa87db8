"""The course's studies: ``python -m course.studies [NAME ...]`` measures and records them; a stopped run goes on.

Each study is a function of a seed. A notebook reads the record and says what is recorded and what is live.
"""

import argparse
import time

from course import english, expectations, quality, specialists
from course.in_context import SHOTS
from course.lm import load
from course.models import shipped_models, tier
from course.records import Study, partial_runs, write_record
from course.world.lists import list_tasks
from course.world.profiles import PROFILED
from course.world.split import TEST, TRAIN


def two_expectations(seed: int) -> dict:
    """GPT and BERT of the same size: blanks with the clue on the left and on the right, and continuations.

    In the hub tier the texts are plain English, without the words that a tokenizer splits.
    """
    models = {"gpt": load("gpt-middle"), "bert": load("bert-middle")}
    if tier() == "hub":
        sets = {kind: english.one_token(blanks, list(models.values())) for kind, blanks in english.blank_sets(40, seed).items()}
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
            clue: {name: 100 * expectations.filled_right(model, [b for b in blanks if b.clue == clue]) for name, model in models.items()}
            for clue in ("left", "right")
        }
    found["continued"] = {name: 100 * expectations.continued_right(model, begun) for name, model in models.items()}
    return found


#: Numbers of labels at which a specialist is trained for the cost of a new task, and of demonstrations beside them.
LABELS, SHOWN = (8, 32, 128, 512), (1, 2, 4, 8)


def specialist_matrix(seed: int) -> dict:
    """One specialist a task against the prompted generalist, and a specialist's accuracy by its number of labels."""
    base = load("gpt-middle")
    trained = [specialists.specialise(base, task, seed=seed) for task in specialists.TASKS]
    table = specialists.matrix(base, trained, count=200, seed=seed)
    return {
        "table": {row: {column: float(v) for column, v in values.items()} for row, values in table.to_dict("index").items()},
        "by_labels": {task: specialists.by_labels(base, task, LABELS, seed) for task in specialists.TASKS},
        "by_shots": {task: specialists.by_shots(base, task, SHOWN, seed) for task in specialists.TASKS},
    }


def model_quality(seed: int) -> dict:
    """The quality gate of every shipped model."""
    found = {}
    for name in shipped_models():
        model = load(name)
        found[name] = {"unseen_loss": quality.unseen_loss(model, seed)}
        if model.masked:
            found[name]["masked_accuracy"] = quality.masked_accuracy(model, seed)
            continue
        found[name] |= {
            "facts": quality.facts(model),
            "sums": {split: quality.arithmetic(model, split) for split in (TRAIN, TEST)},
        }
        if name in ("gpt-small", "gpt-middle", "gpt-large"):
            found[name]["lists"] = quality.list_losses(model, seed)
            found[name]["in_context"] = quality.in_context(model, PROFILED, SHOTS, 150, seed, titled=True)
        if name == "gpt-large":
            others = tuple(task for task in list_tasks() if task not in PROFILED)
            found[name]["in_context"] |= quality.in_context(model, others, SHOTS, 40, seed)
    return found


STUDIES = {
    study.name: study
    for study in (
        Study("two-expectations", 1, ("gpt-middle", "bert-middle"), (0, 1, 2, 3, 4), two_expectations),
        Study("specialists", 2, ("gpt-middle",), (0, 1, 2), specialist_matrix),
        Study("quality", 2, shipped_models(), (0, 1, 2), model_quality),
    )
}


def measure(study: Study) -> None:
    """Run the seeds of a study that its record lacks, and store each as soon as it is measured.

    Raises:
        ValueError: in the hub tier: a record says which shipped weights were measured.
    """
    if tier() != "tiny":
        raise ValueError(f"studies measure the shipped models, and COURSE_TIER is {tier()!r}; unset it")
    runs, seconds = partial_runs(study)
    for seed in study.seeds:
        if str(seed) in runs:
            continue
        started = time.monotonic()
        runs[str(seed)] = study.run(seed)
        seconds += time.monotonic() - started
        write_record(study, runs, seconds)
        print(f"{study.name}: seed {seed} measured, {seconds:.0f} s in all", flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure and record the course's studies; what is recorded already is kept.")
    parser.add_argument("names", nargs="*", help=f"which studies (default: all): {', '.join(STUDIES)}")
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.names if name not in STUDIES]:
        parser.error(f"no such study: {', '.join(unknown)}; choose from {', '.join(STUDIES)}")
    for name in chosen.names or STUDIES:
        measure(STUDIES[name])


if __name__ == "__main__":
    main()
