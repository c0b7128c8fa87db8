"""Studies on repositories that the reader names: what is measured, and in which record."""

import pytest
from hub import tables
from hub.checkpoints import smollm2

from course.lm import load
from course.models.hub import locked_revision
from course.models.roles import HUB, played_by
from course.studies import command, read_record, real_study
from course.studies.on_real_models import in_context
from course.studies.on_real_models.catalogue import REAL_STUDIES, on_repositories
from course.studies.real_study import OPTIONS
from course.tasks import HUB_DATA

LARGER = "somebody/larger-llm"
STUDY = REAL_STUDIES["demonstrations"]


@pytest.fixture
def hub_of_one(hub, client, monkeypatch):
    """A hub with data sets and one LLM, which is not the tier's; its revision."""
    monkeypatch.setenv("COURSE_TIER", "hub")
    monkeypatch.setattr(real_study, "RECORDS", client)
    monkeypatch.setattr(in_context, "ASKED", 2)
    monkeypatch.setattr(in_context, "SHOTS", (0, 1))
    for name, make in tables.TABLES.items():
        hub.add("datasets", name, make())
    return hub.add("models", LARGER, smollm2(3 * ["the film is great : positive"]))


def test_a_study_is_measured_on_the_named_model_in_a_record_of_its_own(hub_of_one):
    for seed in STUDY.seeds:
        command.main(["--tier", "hub", "--model", LARGER, "demonstrations", "--seed", str(seed)])
    study = on_repositories(STUDY, {"model": LARGER})
    assert study.path.name == "demonstrations-hub-somebody--larger-llm.json"
    assert study.command == f"python -m course.studies --tier hub --model {LARGER} demonstrations"
    record = read_record(study)
    assert record.weights["gpt-middle"] == f"{LARGER} {hub_of_one}"
    assert record.weights["data: sentiment"] == HUB_DATA["sentiment"].fingerprint()
    assert not study.accepts(record.weights | {"gpt-middle": f"somebody/else {hub_of_one}"})
    assert HUB["gpt-middle"].repository != LARGER  # the tier is as it was


def test_within_it_another_repository_plays_the_role(hub_of_one):
    with played_by({"gpt-middle": LARGER}):
        assert HUB["gpt-middle"].repository == LARGER
        assert load("gpt-middle").model.config.hidden_size == 32
    assert locked_revision(LARGER) == hub_of_one


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"gpt-middle": "no-owner"}, "'no-owner' as 'gpt-middle': expected a repository"),
        ({"gpt-giant": LARGER}, "no model 'gpt-giant' in the hub tier"),
    ],
)
def test_a_role_is_played_by_a_repository(roles, message):
    with pytest.raises(ValueError, match=message), played_by(roles):
        pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["heads", "--model", LARGER], f"--model {LARGER}: it plays no role in 'heads'"),
        (["requests", "--model", LARGER], "name both, --tuned, too"),
        (["demonstrations", "--model", LARGER, "--tier", "index"], "say --tier hub, too"),
    ],
)
def test_a_model_without_a_part_is_refused(arguments, message, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    with pytest.raises(SystemExit):
        command.main(["--tier", "hub", *arguments])
    assert message in capsys.readouterr().err


def test_every_option_plays_roles_that_the_hub_has():
    assert OPTIONS.keys() == command.MODELS.keys()
    assert {role for roles in OPTIONS.values() for role in roles} == HUB.keys()
