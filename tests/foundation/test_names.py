"""A name never becomes a path."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.foundation import checked_name


@pytest.mark.parametrize(
    "name", ["sst2", "run-1", "v1.0", "情感", "a b", "gpt_small+lora", "console"]
)
def test_plain_names_are_kept(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../../x", "/etc/x", "a/b", "a\\b", "C:x", "a\0", "a\n", ".hidden", "a.", "a ",
     "nul", "COM1.txt", "x" * 151,
     "\ud800", "a\u202eb", None, 3, True, b"a"],
)  # fmt: skip
def test_paths_and_what_some_system_refuses_are_refused(name):
    with pytest.raises(ValueError, match="^task .* cannot name a file: expected"):
        checked_name(name, "task")


@given(st.text(max_size=20))
def test_what_is_accepted_is_one_part_of_a_path_on_every_system(name):
    try:
        checked_name(name)
    except ValueError:
        return
    for system in (PurePosixPath, PureWindowsPath):
        path = system("folder") / name
        assert path.parent == system("folder") and path.name == name and ".." not in path.parts
