"""What the tests of prompt search share."""

import pytest

from course.lm import load


@pytest.fixture(scope="module")
def model():
    """A small GPT; one a module, so that no test sees what another module's have changed."""
    return load("gpt-small", "tiny")
