"""What the chapter on instruction tuning reads off its records: means over the right rows."""

import pandas as pd

from course.finetuning.instruction_tuning import BASE, HELD_OUT, TUNED, Control
from course.studies import instruct

REQUESTS = [str(control) for control in Control]


def rows(part: str, value: float, model: str = "gpt-large", request: str = REQUESTS[0], **more):
    place = {"part": part, "model": model, "request": request, **more}
    return [
        place | {"seed": seed, "cluster": cluster, "value": value + 10 * seed + i}
        for seed in (0, 1)
        for i, cluster in enumerate(HELD_OUT)
    ]


TABLE = pd.DataFrame(
    [
        *(
            row
            for i, request in enumerate(REQUESTS)
            for row in rows(instruct.IN_TURN, 50.0 - i, request=request)
        ),
        *rows(instruct.IN_TURN, 60.0, request=instruct.REQUEST_FIRST),
        *rows(instruct.BASES, 20.0),
        *rows(instruct.BASES, 5.0, "gpt-small"),
        *rows(instruct.BASES, 6.0, "gpt-middle"),
        *rows(instruct.BASES, 70.0, request=instruct.REQUEST_FIRST),
        *rows(instruct.UNTAUGHT, 15.0),
        *rows(instruct.WORDINGS, 30.0, "gpt-middle", k=1),
        *rows(instruct.WORDINGS, 90.0, "gpt-middle", k=1, wording="last"),
    ]
)


def test_a_part_has_a_row_a_seed_and_a_column_a_cluster():
    tuned = instruct.by_held_out(TABLE, instruct.IN_TURN)
    assert list(tuned.columns) == list(HELD_OUT) and tuned.iloc[1, 2] == 62
    first = instruct.instruction_first(TABLE)
    assert first.loc[HELD_OUT[0]].to_dict() == {"base": 75, "tuned": 65}


def test_controls_and_sizes_are_means_over_clusters():
    controls = instruct.by_control(TABLE, HELD_OUT[:2])
    assert [*controls] == [*REQUESTS, "tuned without instructions", "base"]
    assert controls["no instruction"].tolist() == [49.5, 59.5]
    assert controls["base"].tolist() == [20.5, 30.5]
    assert instruct.by_size(TABLE, instruct.BASES)["gpt-small"].tolist() == [7.5, 17.5]
    by_wordings = instruct.by_number(TABLE, instruct.WORDINGS)
    assert {n: values.tolist() for n, values in by_wordings.items()} == {"1": [32.5, 42.5]}


def test_claims_are_differences_over_their_clusters():
    gains = [claim.values(TABLE).tolist() for claim in instruct.CLAIMS]
    assert gains[:4] == [[30, 30], [35, 35], [1, 1], [1, 1]] and gains[4:] == [[30, 30]] * 6


def test_the_shipped_model_is_a_mean_over_clusters_not_tasks():
    def asked(model: str, request: str, **by_task: float) -> list[dict]:
        place = {"seed": 0, "model": model, "request": request}
        return [place | {"task": task, "value": value} for task, value in by_task.items()]

    table = pd.DataFrame(
        [
            row
            for model, gain in ((BASE, 0.0), (TUNED, 10.0))
            for row in (
                *(
                    row
                    for form in instruct.FORMS
                    for row in asked(model, form, capital=50.0, country=70.0, topic=20.0 + gain)
                ),
                *asked(model, instruct.SHOWN, capital=90.0 - gain, topic=80.0),
            )
        ]
    )
    found = instruct.by_request(table)
    assert list(found.columns) == ["after", "before", "inline", "4 demonstrations"]
    assert found.loc[BASE, "after"] == 40 and found.loc[TUNED, "after"] == 45
    assert found.loc[TUNED, "4 demonstrations"] == 80
    assert instruct.lost_by_tuning(table).to_dict() == {"capital": 10, "topic": 0}
