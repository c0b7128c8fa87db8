"""The data of chapters 4 and 4a are of models, tasks and layouts that its tier has."""

import pytest

from course.lm.language_model import LanguageModel, load
from course.models.roles import HUB
from course.models.shipped import shipped_models
from course.prompting.chapter import chapter_data
from course.prompting.evaluation import all_profiles, usual_template
from course.tasks.registry import HUB_DATA, task_names


def test_the_small_models_are_asked_about_their_world():
    data = chapter_data("tiny")
    tasks = {data.labelled, *data.compared, *data.written, data.judged}
    assert tasks <= set(task_names()) and data.other_model in shipped_models()
    assert data.layout == usual_template(data.labelled, "tiny")
    assert all(all_profiles(name, "tiny")[0].labels for name in (data.labelled, data.judged))
    assert isinstance(load(data.other_model), LanguageModel)


def test_real_models_are_asked_about_data_sets_of_the_hub():
    data = chapter_data("hub")
    tasks = {data.labelled, *data.compared, *data.written, data.judged}
    assert tasks <= set(HUB_DATA) and data.other_model in HUB
    assert data.layout == usual_template(data.labelled, "hub")
    assert len(set(data.foreign)) >= 8, "enough for eight demonstrations"


def test_an_unknown_tier_is_refused():
    with pytest.raises(ValueError, match="middle"):
        chapter_data("middle")
