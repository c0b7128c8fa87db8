"""The instruction-induction benchmark is read as it is meant: all answers, all instructions, the
benchmark's own metrics.
"""

import os
from pathlib import Path

import pytest
from toy_data import write_induction

from course.prompting.evaluation import questions
from course.prompting.prompts import PLAIN
from course.tasks import DataError
from course.tasks.instruction_induction import FOLDER_VARIABLE, induction_names, load_induction_task
from course.tasks.metrics import best_score
from course.world.split import SPLITS

FOLDER = Path(
    os.environ.get(FOLDER_VARIABLE)
    or Path(__file__).parents[3] / "shared" / "data" / "instruction-induction"
)
real = pytest.mark.skipif(
    not FOLDER.exists(), reason="the instruction-induction data is not at hand"
)


def test_every_answer_that_counts_is_kept(tmp_path):
    rows = [
        {"input": f"word{i}", "output": "eins", "possible_translations": ["eins", "ein", "eine"]}
        for i in range(10)
    ]
    task = load_induction_task(
        "translation_en-de", write_induction(tmp_path, "translation_en-de", rows)
    )
    example = task.examples("test")[0]
    assert (example.output, example.others) == ("eins", ("ein", "eine"))
    assert (
        task.instructions == ("do it", "please do it")
        and task.metric == "instruction_induction.exact"
        and task.labels == ()
    )
    assert {part: len(task.examples(part)) for part in SPLITS} == {
        "train": 3,
        "validation": 2,
        "test": 5,
    }


def test_cause_and_effect_are_asked_in_both_orders_within_one_split(tmp_path):
    rows = [{"cause": f"cause {i}", "effect": f"effect {i}"} for i in range(8)]
    task = load_induction_task(
        "cause_and_effect", write_induction(tmp_path, "cause_and_effect", rows)
    )
    for part in SPLITS:
        examples = task.examples(part)
        inputs = [example.input for example in examples]
        for example in examples:
            number = example.output.split()[-1]
            assert f"Sentence 1: cause {number} Sentence 2: effect {number}" in inputs
            assert f"Sentence 1: effect {number} Sentence 2: cause {number}" in inputs
    assert sum(len(task.examples(part)) for part in SPLITS) == 16


def test_bad_folders_and_files_say_what_to_do(tmp_path, monkeypatch):
    for name in (FOLDER_VARIABLE, "COURSE_DATA"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        DataError,
        match="no folder with the instruction-induction data: pass one, or set COURSE_INDUCTION",
    ):
        induction_names()
    with pytest.raises(DataError, match="expected the folders 'execute' and 'annotations'"):
        load_induction_task("sum", tmp_path)
    write_induction(tmp_path, "sum", [{"input": str(i), "output": "1"} for i in range(5)])
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert induction_names() == ("sum",)
    with pytest.raises(ValueError, match="no task 'product' in .*; choose from sum"):
        load_induction_task("product")
    (tmp_path / "execute" / "sum.json").write_text("{", encoding="utf-8")
    with pytest.raises(
        DataError, match="sum.json is not as expected .*: fetch the benchmark's file again"
    ):
        load_induction_task("sum")


@real
def test_the_benchmark_has_24_tasks_whose_answers_are_right_by_their_own_metric():
    names = induction_names(FOLDER)
    assert len(names) == 24
    for name in names:
        task = load_induction_task(name, FOLDER)
        examples = {part: task.examples(part) for part in SPLITS}
        assert len(task.instructions) >= 3 and all(examples.values()), name
        inputs = {part: {example.input for example in found} for part, found in examples.items()}
        assert not inputs["train"] & inputs["test"] and not inputs["validation"] & inputs["test"], (
            name
        )
        for example in examples["test"]:
            for answer in (example.output, *example.others):
                assert best_score(task.metric, answer, (example.output, *example.others)) == 1.0, (
                    name,
                    answer,
                )


@real
def test_a_task_of_the_benchmark_takes_the_same_road_as_any_other():
    task = load_induction_task("antonyms", FOLDER)
    asked = questions(task, 2, 3, template=PLAIN, instruction=task.instructions[0])
    for question in asked:
        assert question.prompt.text.startswith(
            f"{task.instructions[0]}\n\nInput: "
        ) and question.prompt.text.endswith("\nOutput:")
        assert question.answers[0] in [
            e.output for e in task.examples("test") if e.input == question.prompt.query
        ]
