"""The contract of text models: the same signatures everywhere, and an example that works."""

import doctest
import inspect

import pytest

from course.lm import contract, generation_config
from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.lm.openai_api import OpenAIModel

METHODS = ("generate", "score", "score_labels")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [LanguageModel, OpenAIModel])
def test_every_text_model_has_the_signatures_of_the_contract(kind, method):
    assert inspect.signature(getattr(kind, method)) == inspect.signature(getattr(TextModel, method))


def test_the_contract_covers_every_abstract_method():
    assert TextModel.__abstractmethods__ <= set(METHODS)


@pytest.mark.parametrize("module", [contract, generation_config])
def test_the_examples_in_the_docstrings_hold(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted and not outcome.failed
