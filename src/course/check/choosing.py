"""Checker of chapter 8: from how many answers on a tuned model is the cheaper one."""

from collections.abc import Callable

from course.check.verdict import Verdict, cases, judge


def break_even(answer: Callable[[int, int, int], int | None]) -> Verdict:
    """Check ``break_even(trained, prompted, tuned)``: the fewest answers after which a prompted
    model, which reads ``prompted`` tokens for each, has read at least as many tokens as a tuned
    one, which was trained on ``trained`` and reads ``tuned`` for each; None if that never happens.
    """
    never = "if the prompt is no longer than the tuned model's, the training never pays off: None"
    return judge(
        "break_even",
        answer,
        [
            *cases(
                _break_even,
                "divide the training by what each answer saves",
                {"trained": 6000, "prompted": 80, "tuned": 20},
                {"trained": 100, "prompted": 12, "tuned": 10},
            ),
            *cases(
                _break_even,
                "a part of an answer is a whole one: round up",
                {"trained": 7, "prompted": 5, "tuned": 2},
            ),
            *cases(
                _break_even,
                never,
                {"trained": 10, "prompted": 5, "tuned": 5},
                {"trained": 10, "prompted": 4, "tuned": 6},
            ),
            *cases(
                _break_even,
                "what costs nothing to train pays off at once: 0 answers",
                {"trained": 0, "prompted": 5, "tuned": 2},
            ),
        ],
    )


def _break_even(trained: int, prompted: int, tuned: int) -> int | None:
    if trained and prompted <= tuned:
        return None
    answers = 0
    while answers * prompted < trained + answers * tuned:
        answers += 1
    return answers
