"""Claims: three kinds, three verdicts, targets that can be missed; every stored verdict is the one
that is expected.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.foundation.intervals import Crossed, Independent, Nested, RatioOfMeans, interval
from course.studies import CLAIMS, catalogue, claim_counts, claims_table, records
from course.studies.claims import Claim, Demonstration, Varies
from course.studies.judgement import Judged, corrected_verdicts
from course.studies.records import RecordError, Study, write_record
from course.studies.table_of_claims import ClaimsTable
from course.studies.verdicts import LEVEL, MoreThan, NoWorse, Region, Verdict, Within


def claim(kind=None, values=(20, 21, 22), **more) -> Claim:
    settings = {"varies": (Varies.TRAINING,), **more}
    settings["values"] = values if callable(values) else lambda *_: values
    statement = settings.pop("statement", "It is so.")
    return Claim(
        settings.pop("number", "0x"), statement, kind or MoreThan(10), "lee2023", **settings
    )


@pytest.mark.parametrize(
    ("kind", "values", "verdict"),
    [
        (MoreThan(10), [20, 21, 22], "holds"),
        (MoreThan(10), [8, 9, 9.5], "undecided"),
        (MoreThan(10), [-40, 30, 60], "undecided"),
        (MoreThan(10), [1, 2, 3], "fails"),
        (MoreThan(0), [-20, -21, -22], "fails"),
        (NoWorse(2), [0, 0, 0], "holds"),
        (NoWorse(2), [-2, 0, 0], "undecided"),
        (NoWorse(2), [-3, -3.1, -2.9], "fails"),
        (NoWorse(2), [-0.5, -0.6, -0.7], "holds"),  # the mean may be anything
        (Within(2), [0.5, -0.5, 0], "holds"),
        (Within(2), [3, 4, 5], "undecided"),
        (Within(2), [30, 31, 32], "fails"),
        (Within(2), [-30, -31, -32], "fails"),
        (Within(2), [-3, 3, 0], "undecided"),
    ],
)
def test_the_interval_decides(kind, values, verdict):
    found = claim(kind, values).measure()
    assert found.verdict == verdict and found.units == "3 seeds"
    assert (found.p_value < 0.05) is (verdict != "undecided")


@pytest.mark.parametrize(
    ("kind", "values", "verdict"),
    [
        (MoreThan(8), [12, 15, 13], "holds"),
        (MoreThan(8), [4, 15, 13], "undecided"),
        (MoreThan(8), [2, 2.5, 3], "fails"),
        (NoWorse(1.25), [0.9, 0.92, 0.91], "holds"),
        (NoWorse(1.25), [0.5, 0.52, 0.51], "fails"),
        (Within(1.25), [0.98, 1.05, 1.02], "holds"),
        (Within(1.25), [2, 2.1, 2.2], "fails"),
        (Within(1.25), [0.5, 2, 1], "undecided"),
    ],
)
def test_a_ratio_is_compared_on_the_log_scale(kind, values, verdict):
    assert claim(kind, values, ratio=True, unit="times").measure().verdict == verdict


@given(
    st.sampled_from([MoreThan(5), NoWorse(2), Within(3)]),
    st.lists(st.floats(-30, 30), min_size=3, max_size=6),
)
def test_verdict_and_p_value_agree(kind, values):
    """What is significant is decided, and the other way round."""
    found = claim(kind, values).measure()
    if abs(found.p_value - 0.05) > 1e-6:
        assert (found.p_value < 0.05) is (found.verdict != "undecided")


@pytest.mark.parametrize(("units", "verdict"), [(2, Verdict.UNDECIDED), (3, Verdict.HOLDS)])
def test_two_equal_units_decide_nothing(units, verdict):
    interval = Independent([6.0] * units).interval()
    region = MoreThan(5).region(ratio=False)
    assert region.verdict(interval) == verdict
    assert (region.p_value(interval) < LEVEL) == (verdict is Verdict.HOLDS)


def test_an_interval_that_ends_at_a_threshold_decides_nothing():
    found = interval([1.0, 2.0, 3.0])
    assert Region(found.low, np.inf).verdict(found) == "undecided"
    assert Region(found.high, np.inf).verdict(found) == "undecided"


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        (Within(100), {}, "it cannot fail"),
        (NoWorse(100), {}, "it cannot fail"),
        (Within(1), {"bounds": (0, 1)}, "it cannot fail"),
        (MoreThan(0), {"bounds": (0, 50), "unit": "items"}, "it cannot fail"),
        (MoreThan(0), {"ratio": True}, "it cannot fail"),
        (MoreThan(100), {}, "true of no value from -100.0 to 100.0"),
        (Within(0.5), {"ratio": True}, "expected a margin above 1"),
        (MoreThan(1), {"expected": "fails"}, "expected a cause for every claim that does not hold"),
        (MoreThan(1), {"because": "so"}, "expected a cause for every claim that does not hold"),
        (MoreThan(1), {"varies": ()}, "varies.*: expected at least 1 parts"),
        (MoreThan(1), {"expected": "perhaps"}, "expected='perhaps': expected one of 'holds'"),
    ],
)
def test_a_claim_that_says_nothing_is_refused(kind, more, message):
    with pytest.raises(ValueError, match=message):
        claim(kind, **more)


@pytest.mark.parametrize("kind", [MoreThan, NoWorse, Within])
def test_a_threshold_below_zero_is_refused(kind):
    with pytest.raises(ValueError, match=r"=-5: expected a finite number"):
        kind(-5)


def test_what_cannot_be_left_is_not_left():
    found = claim(MoreThan(10), [99, 60, 100]).measure()
    assert found.interval.high == 100
    found = claim(MoreThan(10), [99, 60, 100], unit="nats").measure()
    assert found.interval.high > 100


@pytest.mark.parametrize(
    ("values", "units"),
    [
        (Crossed(np.arange(12.0).reshape(3, 4)), "3 bodies x 4 seeds"),
        (Nested([[1, 2], [3, 4], [5, 6]]), "3 bodies with 2 seeds each"),
    ],
)
def test_a_claim_takes_other_designs(values, units):
    found = claim(MoreThan(1), values, varies=(Varies.ITEMS, Varies.PRETRAINING)).measure()
    assert found.interval == values.interval() and found.units == units


def test_a_ratio_of_means_needs_a_claim_about_a_ratio():
    values = RatioOfMeans([4.0, 4.5, 4.2], [2.0, 2.2, 2.1])
    assert claim(MoreThan(1.5), values, ratio=True, unit="times").measure().verdict == "holds"
    with pytest.raises(ValueError, match="set ratio=True"):
        claim(MoreThan(2), values).measure()


def test_a_claim_that_says_not_how_it_is_measured_has_no_figures():
    with pytest.raises(ValueError, match=r"claim 0x \('It is so.'\): expected a function"):
        Claim("0x", "It is so.", MoreThan(1), "lee2023", (Varies.ITEMS,)).measure()


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    study = Study("demo", 2, ("gpt-small",), (0, 1, 2), lambda seed: [])
    runs = {
        str(s): [{"way": "new", "value": 10.0 + s}, {"way": "old", "value": 2.0}]
        for s in study.seeds
    }
    write_record(study, runs, 1.0)
    return study


def gain(table):
    wide = table.pivot(index="seed", columns="way", values="value")
    return wide.new - wide.old


def test_claims_and_demonstrations_are_measured_from_records(study):
    found = claim(
        MoreThan(5), studies=(study,), values=gain, baselines=lambda table: {"chance": 3.0}
    ).measure()
    assert found.interval == interval([8.0, 9.0, 10.0])
    assert found.verdict == "holds" and found.baselines == {"chance": 3.0}
    shown = Demonstration(
        "0y",
        "New is new.",
        "lee2023",
        "it is",
        (study,),
        lambda table: {"gain": gain(table).mean()},
    )
    assert shown.measure() == {"gain": 9.0}


# all claims together


def test_every_verdict_is_the_one_that_is_expected():
    """No line can change unseen: neither one that holds nor one that does not."""
    found = {line.claim.statement: line.finding.verdict for line in measured_lines()}
    assert found == {c.statement: c.expected for c in CLAIMS if isinstance(c, Claim)}
    assert len({c.statement for c in CLAIMS}) == len(CLAIMS)


def measured_lines() -> list[Judged]:
    return [line for line in claims_table().lines if isinstance(line, Judged)]


def test_holm_only_takes_verdicts_away():
    for line in measured_lines():
        assert line.corrected in (line.finding.verdict, "undecided")
    verdicts = [Verdict.HOLDS, Verdict.FAILS, Verdict.HOLDS, Verdict.UNDECIDED]
    assert corrected_verdicts(verdicts, [0.001, 0.01, 0.03, 0.5]) == [
        "holds",
        "fails",
        "undecided",
        "undecided",
    ]


@pytest.fixture
def few(monkeypatch, study):
    """Four lines: a claim that holds, one that fails, a demonstration, and an unmeasured claim."""
    lines = (
        claim(number="0a", statement="One <b>."),
        claim(number="0b", statement="Two.", values=[1, 1.1, 0.9], expected="fails", because="x"),
        Demonstration("0a", "Three.", "lee2023", "it must", figures=lambda: {"points": 3.0}),
        claim(number="0c", statement="Four.", studies=(replace(study, name="lost"),)),
    )
    monkeypatch.setattr(catalogue, "CLAIMS", lines)
    return lines


def test_the_text_has_the_claims_in_order(few):
    lines = [line for line in repr(claims_table("0b", "0a")).splitlines() if line[0] != " "]
    assert lines == ["0b fails: Two.", "0a holds: One <b>.", "0a shown: Three."]
    with pytest.raises(ValueError, match="no claim 9z; choose from 0a, 0b, 0c"):
        claims_table("0a", "9z")


def test_the_text_says_what_one_must_know(few):
    told = claim(
        Within(2),
        [0.5, -0.5, 0],
        varies=(Varies.ITEMS,),
        exploratory=True,
        baselines=lambda: {"majority": 50},
        reported="the same",
    )
    line = Judged(told, told.measure(), Verdict.HOLDS)
    assert repr(ClaimsTable((line,))).splitlines() == [
        "0x holds: It is so.",
        "   measured +0.0 [-1.2, +1.2] points, 3 seeds; wanted equal: -2.0 to +2.0",
        "   after Holm: holds",
        "   varies test items, not training or pretraining",
        "   exploratory: the question came up after the figures were seen",
        "   few seeds: 5 are wanted",
        "   a cheat reaches: majority 50.0",
        "   source lee2023: the same",
    ]


@pytest.mark.parametrize(
    ("varies", "values", "shortage"),
    [
        (Varies.TRAINING, [20, 21, 22], "few seeds: 5 are wanted"),
        (Varies.TRAINING, [20, 21, 22, 20, 21], ""),
        (Varies.PRETRAINING, Crossed(np.array([[20, 21], [22, 21.5], [20, 20.5]])), ""),
        (Varies.PRETRAINING, [20, 21], "few bodies: 3 are wanted"),
    ],
)
def test_the_text_says_what_a_claim_lacks(varies, values, shortage):
    told = claim(MoreThan(10), lambda *_: values, varies=(varies,))
    text = repr(ClaimsTable((Judged(told, told.measure(), Verdict.HOLDS),)))
    assert [line.strip() for line in text.splitlines() if "few" in line] == [shortage][
        : bool(shortage)
    ]


def test_the_page_has_what_the_text_has(few):
    page = claims_table("0a", "0b")._repr_html_()
    assert page.count("<tr>") == 4 and page.count("<svg") == 2, "a head, three lines, two bars"
    assert "One &lt;b&gt;." in page and "<b>" not in page
    assert 'aria-label="measured +21.0 [' in page and "<strong>fails</strong>" in page
    assert "By construction: it must." in page and "points 3.0" in page


def test_an_unmeasured_claim_counts_and_cannot_be_shown(few):
    """Two claims of three are measured, and corrected for three."""
    with pytest.raises(RecordError, match="lost.json does not exist"):
        claims_table("0c")
    line = claims_table("0a").lines[0]
    assert line.finding.p_value * 3 > 0.003 and line.corrected == "holds"


def test_verdicts_are_counted_by_chapter():
    counts, lines = claim_counts(), claims_table().lines
    total = counts.loc["all"]
    assert total["claims"] == len(measured_lines()) == total[["holds", "fails", "undecided"]].sum()
    assert total["claims"] + total["shown"] == len(CLAIMS) == len(lines)
    assert total["claims"] == sum(total[f"{verdict} after Holm"] for verdict in Verdict)
    assert total["holds"] == sum(line.finding.verdict == "holds" for line in measured_lines())
    assert counts.loc["3", "shown"] == sum(
        isinstance(c, Demonstration) and c.number[0] == "3" for c in CLAIMS
    )
