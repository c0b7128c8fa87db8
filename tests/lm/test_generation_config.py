"""One configuration for every generating call: defaults, changes by keyword, errors."""

import dataclasses

import pytest

from course.lm.generation_config import GenerationConfig


def test_changes_take_the_place_of_fields_and_leave_the_config_as_it_was():
    config = GenerationConfig(n=3, temperature=0.5)
    changed = GenerationConfig.resolve(config, {"n": 2, "stop": "\n"})
    assert changed == GenerationConfig(n=2, temperature=0.5, stop=("\n",)) and config.n == 3
    assert GenerationConfig.resolve(None, {}) == GenerationConfig()
    assert GenerationConfig.resolve(config, {}) == config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.n = 1


def test_a_single_stop_text_and_a_list_become_a_tuple():
    assert GenerationConfig(stop="a").stop == GenerationConfig(stop=["a"]).stop == ("a",)


@pytest.mark.parametrize("config", [5, {"n": 2}, "greedy"])
def test_what_is_no_config_is_refused_with_the_way_to_pass_single_settings(config):
    with pytest.raises(TypeError, match="expected a GenerationConfig; .* by keyword"):
        GenerationConfig.resolve(config, {})


def test_an_unknown_setting_is_refused_with_those_that_there_are():
    with pytest.raises(TypeError, match="max_new_tokens: no setting .* n, temperature, .*until"):
        GenerationConfig.resolve(None, {"max_new_tokens": 8})


@pytest.mark.parametrize("temperature", [-1.0, 1e-7, float("inf"), float("nan")])
def test_a_temperature_out_of_range_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature="):
        GenerationConfig(temperature=temperature)


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="samples at temperature 0 would all be the same"):
        GenerationConfig(n=2)
    with pytest.raises(ValueError, match="empty stop text"):
        GenerationConfig(stop=["\n", ""])
