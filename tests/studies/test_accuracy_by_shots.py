"""Accuracy by number of demonstrations stands beside what can be known."""

from course.lm.language_model import load
from course.studies import accuracy_by_shots
from course.world.lists import STRANGER


def test_in_context_has_the_model_and_the_best_possible_by_number_of_demonstrations():
    model = load("gpt-small")
    rows = accuracy_by_shots.accuracy_by_shots(model, "m", ("verdict",), (0, 4, 99), 30, seed=0)
    assert {row["model"] for row in rows} == {"m"}
    places = [(row["measure"], row["task"], row["k"]) for row in rows]
    both = (accuracy_by_shots.ACCURACY, accuracy_by_shots.BEST)
    assert places == [(measure, "verdict", k) for k in (0, 4) for measure in both]
    assert all(0 <= row["value"] <= 100 for row in rows)


def test_with_a_title_the_best_possible_knows_the_task():
    plain, titled = (
        accuracy_by_shots._asked("dialect", 1, 60, 0, titled=t)[1][accuracy_by_shots.BEST]
        for t in (False, True)
    )
    assert titled >= plain


def test_of_strangers_less_can_be_known_and_recognition_does_not_help():
    known, stranger = (
        accuracy_by_shots._asked(task, 8, 80, 0, True)[1] for task in ("dialect", STRANGER)
    )
    best, recognition = accuracy_by_shots.BEST, accuracy_by_shots.RECOGNITION
    assert known[recognition] == known[best] > stranger[best] + 20
    assert stranger[recognition] < stranger[best]
