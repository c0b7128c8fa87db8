"""A module that was replaced under a running kernel is named, and nothing else is."""

import sys
from importlib import metadata

import numpy
import pytest
import sklearn

from course.foundation import installed


def test_what_is_loaded_here_is_what_is_installed():
    assert installed.replaced() == {} and installed.check() is None


def test_a_replaced_module_is_named_with_both_versions(monkeypatch):
    monkeypatch.setattr(numpy, "__version__", "1.26.4")
    monkeypatch.setattr(sklearn, "__version__", "1.2.0")
    named = r"restart the kernel .* replaced numpy \(loaded 1.26.4, .*sklearn \(loaded 1.2.0"
    with pytest.raises(RuntimeError, match=named):
        installed.check()


def test_a_build_of_the_same_version_is_the_same(monkeypatch):
    monkeypatch.setattr(numpy, "__version__", metadata.version("numpy") + "+cu130")
    installed.check()


def test_what_is_not_loaded_or_only_optional_is_left_alone(monkeypatch):
    monkeypatch.delitem(sys.modules, "numpy")
    monkeypatch.setattr(pytest, "__version__", "1.0")
    installed.check()
