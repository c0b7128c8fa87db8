"""What is read off the records of instruction tuning, and claimed: means over the right rows."""

import pandas as pd

from course.finetuning.instruction_tuning import BASE, HELD_OUT, TUNED, Control, Tuning
from course.finetuning.release import SHIPPED
from course.studies import instruct, instruct_claims, instruct_tables
from course.studies.records import read_record

REQUESTS = [str(control) for control in Control]
FIRST, NONE = REQUESTS[0], str(Control.NONE)


def rows(part: str, value: float, model: str = BASE, request: str = FIRST, form="after", **more):
    place = {"part": part, "model": model, "request": request, "form": form, **more}
    return [
        place | {"seed": seed, "cluster": cluster, "value": value + 10 * seed + i}
        for seed in range(3)
        for i, cluster in enumerate(HELD_OUT)
    ]


TABLE = pd.DataFrame(
    [
        *(
            row
            for i, request in enumerate(REQUESTS)
            for row in rows(instruct.IN_TURN, 50.0 - i, request=request)
        ),
        *rows(instruct.IN_TURN, 60.0, form="before"),
        *rows(instruct.IN_TURN, 55.0, form="inline"),
        *rows(instruct.BASES, 20.0),
        *rows(instruct.BASES, 35.0, form="before"),
        *rows(instruct.BASES, 25.0, form="inline"),
        *rows(instruct.BASES, 1.0, request=NONE),
        *rows(instruct.BASES, 5.0, "gpt-small"),
        *rows(instruct.BASES, 6.0, "gpt-middle"),
        *rows(instruct.UNTAUGHT, 15.0),
        *rows(instruct.UNTAUGHT, 17.0, request=NONE),
        *rows(instruct.ALONE_IN_KIND, 40.0),
        *rows(instruct.BREADTH, 30.0, "gpt-middle", k=1),
        *rows(instruct.BREADTH, 70.0, "gpt-middle", k=6),
    ]
)


def test_a_part_has_a_row_a_seed_and_a_column_a_cluster():
    tuned = instruct_tables.by_held_out(TABLE, instruct.IN_TURN)
    assert list(tuned.columns) == list(HELD_OUT) and tuned.iloc[1, 2] == 62
    forms = instruct_tables.by_form(TABLE).loc[HELD_OUT[0]]
    assert forms["base", "before"] == 45 and forms["tuned", "inline"] == 65
    assert forms["no siblings", "after"] == 50
    assert instruct_tables.by_form(TABLE)["tuned", "after"].is_monotonic_decreasing


def test_the_base_and_the_untaught_are_taken_at_their_best():
    assert instruct_tables.best_of_base(TABLE)[HELD_OUT[0]].tolist() == [35, 45, 55]
    assert instruct_tables.best_form(TABLE, instruct.IN_TURN)[HELD_OUT[0]].tolist() == [60, 70, 80]
    assert instruct_tables.best_untaught(TABLE)[HELD_OUT[1]].tolist() == [18, 28, 38]


def test_controls_and_sizes_are_means_over_clusters():
    controls = instruct_tables.by_control(TABLE, HELD_OUT[:2])
    best = (instruct_tables.UNTAUGHT_AT_BEST, instruct_tables.BASE_AT_BEST)
    assert [*controls] == [*REQUESTS, *best]
    assert controls[NONE].tolist() == [49.5, 59.5, 69.5]
    assert controls[instruct_tables.BASE_AT_BEST].tolist() == [35.5, 45.5, 55.5]
    assert instruct_tables.by_size(TABLE, instruct.BASES)["gpt-small"].tolist() == [7.5, 17.5, 27.5]
    by_clusters = instruct_tables.by_number(TABLE, instruct.BREADTH)
    assert {n: values[0] for n, values in by_clusters.items()} == {"1": 32.5, "6": 72.5}


def test_claims_are_differences_on_their_own_cluster():
    gains = [claim.values(TABLE).tolist() for claim in instruct_claims.CLAIMS[: 2 * len(HELD_OUT)]]
    assert gains == [[25, 25, 25], [43, 43, 43]] * len(HELD_OUT)
    named = [claim.statement for claim in instruct_claims.CLAIMS]
    assert all(sum(cluster in text for text in named) == 2 for cluster in HELD_OUT)


def test_settings_are_the_best_in_the_mean_over_seeds():
    place = {"tuned": "all", "steps": 60, "rate": 0.1}
    table = pd.DataFrame(
        [
            place | {"seed": 0, "value": 50.0},
            place | {"seed": 1, "value": 52.0},
            place | {"seed": 0, "steps": 120, "value": 60.0},
            place | {"seed": 1, "steps": 120, "value": 40.0},
            place | {"seed": 0, "tuned": "adapter", "rate": 0.3, "value": 99.0},
        ]
    )
    assert instruct_tables.best_settings(table, "all") == (60, 0.1)
    assert instruct_tables.best_settings(table, "adapter") == (60, 0.3)


def test_the_settings_in_use_are_the_best_of_those_that_were_tried():
    tried = read_record(instruct.SETTINGS).table()
    plain = Tuning(("topic",))
    assert instruct_tables.best_settings(tried, "all") == (plain.steps, plain.learning_rate)
    assert instruct_tables.best_settings(tried, "adapter") == (SHIPPED.steps, SHIPPED.learning_rate)


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
                {"seed": 0, "model": model, "request": instruct.READABLE, "value": 70 + gain},
                {"seed": 0, "model": model, "request": instruct.GOLD, "value": 1.5},
            )
        ]
    )
    found = instruct_tables.by_request(table)
    assert list(found.columns) == [
        *instruct.FORMS,
        instruct.SHOWN,
        instruct.READABLE,
        instruct_tables.NO_PERCENTAGE,
    ]
    assert found.loc[BASE, "after"] == 40 and found.loc[TUNED, "after"] == 45
    assert found.loc[TUNED, instruct.SHOWN] == 80 and found.loc[TUNED, instruct.READABLE] == 80
    assert instruct_tables.lost_by_tuning(table).to_dict() == {"capital": 10, "topic": 0}
    kept = [claim.values(table).tolist() for claim in instruct_claims.CLAIMS[-2:]]
    assert kept == [[10], [-5]]
