"""What is written is whole or not there, and what stood there before is kept until it is."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from course.foundation import atomic_folder, atomic_path, atomic_write, write_bytes, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def anything(_: Path) -> bool:
    return True


def test_text_is_utf8_with_its_own_line_ends_on_every_system(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "是的\nno\r\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "是的\nno\r\n".encode()
    code = "import sys; from course.foundation import write_text as w; w(sys.argv[1], '\\u00e9\\n')"
    latin = {**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "b.txt")], env=latin, check=True)
    assert (tmp_path / "b.txt").read_bytes() == "é\n".encode()


def test_half_a_surrogate_pair_writes_nothing(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a", "\ud800")
    assert (tmp_path / "a").read_text("utf-8") == "old" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("open_one", [atomic_path, lambda path: atomic_folder(path, anything)])
def test_an_interrupted_writer_leaves_what_was_there(tmp_path, error, open_one):
    for there in ([], ["kept"]):
        if there and open_one is atomic_path:
            write_bytes(tmp_path / "kept", b"old")
        elif there:
            write_bytes(tmp_path / "kept" / "a", b"old")
        with pytest.raises(error), open_one(tmp_path / "kept") as temporary:
            write_bytes(temporary / "a" if temporary.is_dir() else temporary, b"half")
            raise error
        assert names(tmp_path) == there
    kept = tmp_path / "kept"
    assert (kept if kept.is_file() else kept / "a").read_bytes() == b"old"


def test_a_file_keeps_its_mode_and_a_new_one_has_the_usual_one(tmp_path):
    write_bytes(tmp_path / "a", b"1")
    (tmp_path / "plain").write_bytes(b"1")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "a").chmod(0o600)
    kept = (tmp_path / "a").stat().st_mode
    write_bytes(tmp_path / "a", b"2")
    assert (tmp_path / "a").stat().st_mode == kept


def test_a_link_to_a_file_stays_a_link(tmp_path):
    write_bytes(tmp_path / "real" / "a", b"1")
    (tmp_path / "a").symlink_to(tmp_path / "real" / "a")
    write_bytes(tmp_path / "a", b"2")
    assert (tmp_path / "a").is_symlink() and (tmp_path / "real" / "a").read_bytes() == b"2"


def test_a_read_only_file_is_left_as_it_is(tmp_path, monkeypatch):
    write_bytes(tmp_path / "a", b"old")
    monkeypatch.setattr(atomic_write.os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="a is read-only: expected a file to write over"):
        write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old" and names(tmp_path) == ["a"]


def test_a_file_does_not_replace_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError, match="a is a folder: expected the path of a file"):
        write_bytes(tmp_path / "a", b"1")
    assert names(tmp_path) == ["a"]


def test_a_full_disk_says_what_to_free_and_leaves_nothing(tmp_path, monkeypatch):
    write_bytes(tmp_path / "a", b"old")
    with monkeypatch.context() as broken:
        broken.setattr(atomic_write.os, "fsync", full)
        with pytest.raises(
            OSError,
            match=r"the disk is full, 3,000 bytes could not be written to .*a: .* free space on",
        ) as told:
            write_bytes(tmp_path / "a", b"x" * 3000)
    assert told.value.errno == errno.ENOSPC
    assert (tmp_path / "a").read_bytes() == b"old" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("open_one", [atomic_path, atomic_folder])
def test_a_writer_in_another_language_tells_of_a_full_disk_in_words(tmp_path, open_one):
    with (
        pytest.raises(OSError, match="the disk is full, 7 bytes could not be written"),
        open_one(tmp_path / "a", size=7) as t,
    ):
        write_bytes(t / "b" if t.is_dir() else t, b"half")
        raise RuntimeError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        )
    assert names(tmp_path) == []


def test_other_errors_are_not_taken_for_a_full_disk(tmp_path):
    with pytest.raises(OSError, match="bad sector"), atomic_path(tmp_path / "a"):
        raise OSError(errno.EIO, "bad sector")


@pytest.mark.parametrize("path", [".", "..", "", "x/..", "../..", "/"])
def test_the_working_directory_and_those_above_are_never_replaced(tmp_path, monkeypatch, path):
    (tmp_path / "a" / "x").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    with (
        pytest.raises(ValueError, match="working directory or a folder above it"),
        atomic_folder(path, anything),
    ):
        pytest.fail("entered")
    with pytest.raises(ValueError, match="working directory"), atomic_folder(tmp_path, anything):
        pytest.fail("entered")
    assert names(tmp_path) == ["a"] and names(tmp_path / "a") == ["x"]


def test_links_files_and_folders_of_others_are_left_as_they_are(tmp_path):
    write_bytes(tmp_path / "real" / "thesis.txt", b"1")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "gone").symlink_to("nowhere")
    write_bytes(tmp_path / "file", b"1")
    for name, message in [
        ("link", "is a link"),
        ("gone", "is a link"),
        ("file", "is a file"),
        ("real", "holds thesis.txt: expected"),
    ]:
        with pytest.raises(FileExistsError, match=message), atomic_folder(tmp_path / name):
            pytest.fail("entered")
    assert (
        names(tmp_path) == ["file", "gone", "link", "real"]
        and (tmp_path / "real" / "thesis.txt").exists()
    )


def test_what_somebody_puts_there_meanwhile_is_kept(tmp_path):
    def ours(folder):
        return names(folder) == ["a"]

    write_bytes(tmp_path / "kept" / "a", b"old")
    with (
        pytest.raises(FileExistsError, match="holds a, notes"),
        atomic_folder(tmp_path / "kept", ours) as temporary,
    ):
        write_bytes(temporary / "a", b"new")
        write_bytes(tmp_path / "kept" / "notes", b"mine")
    assert names(tmp_path) == ["kept"] and names(tmp_path / "kept") == ["a", "notes"]
    assert (tmp_path / "kept" / "a").read_bytes() == b"old"


def test_the_old_folder_comes_back_when_the_new_one_cannot_be_moved_in(tmp_path, monkeypatch):
    write_bytes(tmp_path / "kept" / "a", b"old")
    replace = os.replace

    def refusing(source, target):
        if Path(target).name == "kept" and Path(source).suffix == ".part":
            raise PermissionError(errno.EACCES, "in use")
        replace(source, target)

    with pytest.raises(PermissionError), atomic_folder(tmp_path / "kept", anything) as temporary:
        write_bytes(temporary / "a", b"new")
        monkeypatch.setattr(atomic_write.os, "replace", refusing)
    assert names(tmp_path) == ["kept"] and (tmp_path / "kept" / "a").read_bytes() == b"old"


def test_a_file_that_is_held_for_a_moment_is_tried_again(tmp_path, monkeypatch):
    replace, held = os.replace, [PermissionError, PermissionError]

    def busy(source, target):
        if held:
            raise held.pop()
        replace(source, target)

    monkeypatch.setattr(atomic_write, "_WAITS", (0, 0))
    monkeypatch.setattr(atomic_write.os, "replace", busy)
    write_bytes(tmp_path / "a", b"1")
    assert names(tmp_path) == ["a"]


def test_savers_at_once_leave_one_whole_folder(tmp_path):
    failed = []

    def save(number):
        try:
            for _ in range(10):
                with atomic_folder(
                    tmp_path / "kept", lambda folder: names(folder) == ["a", "b"]
                ) as temporary:
                    for name in ("a", "b"):
                        write_text(temporary / name, str(number))
        except BaseException as error:
            failed.append(error)

    savers = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    assert not failed and names(tmp_path) == ["kept"]
    assert (tmp_path / "kept" / "a").read_bytes() == (tmp_path / "kept" / "b").read_bytes()


def test_a_folder_that_leaves_while_it_is_looked_at_is_no_file(tmp_path, monkeypatch):
    """Another writer sets the folder aside between two looks at it."""
    folder = tmp_path / "kept"
    folder.mkdir()
    exists = Path.exists

    def exists_and_leaves(path, **settings):
        there = exists(path, **settings)
        if path == folder and there:
            folder.rmdir()
        return there

    monkeypatch.setattr(Path, "exists", exists_and_leaves)
    with atomic_folder(folder) as temporary:
        write_text(temporary / "a", "1")
    monkeypatch.undo()
    assert names(folder) == ["a"]


def test_a_folder_that_stood_there_and_is_gone_again_is_no_error(tmp_path, monkeypatch):
    """The new one cannot be moved in since another stands there, and a third writer sets that one
    aside before anybody looks.
    """
    folder, replace = tmp_path / "kept", os.replace
    refused = iter([errno.ENOTEMPTY, errno.EEXIST])

    def taken_twice(source, target):
        if target == folder and (number := next(refused, None)) is not None:
            raise OSError(number, os.strerror(number))
        return replace(source, target)

    monkeypatch.setattr(os, "replace", taken_twice)
    with atomic_folder(folder) as temporary:
        write_text(temporary / "a", "1")
    assert names(folder) == ["a"] and names(tmp_path) == ["kept"]


def test_a_folder_that_is_deleted_while_it_is_read_is_looked_at_again(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    write_text(folder / "a", "old")

    def replaced_by_another(path):
        """The first look falls into the moment in which another writer replaces the folder."""
        if (path / "a").read_text(encoding="utf-8") == "old":
            path.rename(tmp_path / "aside")
            path.mkdir()
            write_text(path / "a", "theirs")
            return False
        return True

    with atomic_folder(folder, replaced_by_another) as temporary:
        write_text(temporary / "a", "ours")
    assert (folder / "a").read_text(encoding="utf-8") == "ours"


def test_what_a_killed_writer_left_goes_when_it_is_a_day_old(tmp_path):
    ours, young, foreign = f".a.{'0' * 32}.part", f".a.{'1' * 32}.part", ".a.thesis.part"
    for name in (ours, young, foreign):
        write_bytes(tmp_path / name, b"1")
        os.utime(tmp_path / name, (0, time.time() if name == young else 0))
    with atomic_path(tmp_path / "a") as temporary:
        temporary.write_bytes(b"1")
    assert names(tmp_path) == sorted([young, foreign, "a"])


def test_a_name_as_long_as_the_system_allows(tmp_path):
    write_bytes(tmp_path / ("字" * 80), b"1")
    with atomic_folder(tmp_path / ("x" * 250)):
        pass
    assert len(names(tmp_path)) == 2
