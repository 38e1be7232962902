from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from detectattn.errors import DiskFull, OutputExists, WriteFailed
from detectattn.sinks import files
from detectattn.sinks.files import PendingFile, new_file_path, open_new_file, output_errors, write_new_file


def tree(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def fail_with(code):
    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    return fail


def test_a_file_is_written_whole_with_its_folders(tmp_path):
    write_new_file(tmp_path / "a/b/c.bin", b"content")
    assert tree(tmp_path) == ["a/b/c.bin"]
    assert (tmp_path / "a/b/c.bin").read_bytes() == b"content"


def test_the_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    write_new_file(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize(
    "make", [lambda p: p.write_bytes(b"old"), lambda p: p.mkdir(), lambda p: p.symlink_to("nowhere")]
)
def test_what_is_there_is_not_overwritten(tmp_path, make):
    path = tmp_path / "x.jpg"
    make(path)
    before = path.lstat()
    with pytest.raises(OutputExists, match=r"x\.jpg exists already"):
        write_new_file(path, b"new")
    assert path.lstat() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.jpg"]


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_file_made_in_the_meantime_is_not_overwritten(tmp_path, monkeypatch, hard_links):
    if not hard_links:
        monkeypatch.setattr(files.os, "link", fail_with(errno.EPERM))
    path = tmp_path / "x.jpg"
    pending = PendingFile.start(path)
    pending.temporary.write_bytes(b"new")
    path.write_bytes(b"theirs")
    with pytest.raises(OutputExists):
        pending.publish()
    assert path.read_bytes() == b"theirs"
    assert tree(tmp_path) == ["x.jpg"]


def test_of_many_writers_one_wins(tmp_path):
    def write(i):
        try:
            write_new_file(tmp_path / "x", bytes([i]) * 1000)
        except OutputExists:
            return None
        return i

    with ThreadPoolExecutor(8) as pool:
        winners = [i for i in pool.map(write, range(32)) if i is not None]
    assert len(winners) == 1
    assert (tmp_path / "x").read_bytes() == bytes(winners) * 1000
    assert tree(tmp_path) == ["x"]


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "link", fail_with(errno.EPERM))
    write_new_file(tmp_path / "x", b"content")
    assert (tmp_path / "x").read_bytes() == b"content"
    assert tree(tmp_path) == ["x"]


def write_half(path, error):
    with open_new_file(path) as stream:
        stream.write(b"half")
        stream.flush()
        assert tree(path.parent) != []
        raise error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError(), RuntimeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(errno.ENOSPC, "No space left on device"), DiskFull),
    ],
)
def test_nothing_is_left_when_the_block_raises(tmp_path, error, expected):
    with pytest.raises(expected):
        write_half(tmp_path / "x", error)
    assert tree(tmp_path) == []


def test_the_temporary_path_has_the_suffix_and_is_hidden(tmp_path):
    with new_file_path(tmp_path / "clip.mp4") as temporary:
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".mp4")
        assert temporary.name.startswith(".detectattn-")
        temporary.write_bytes(b"film")
    assert (tmp_path / "clip.mp4").read_bytes() == b"film"
    assert tree(tmp_path) == ["clip.mp4"]


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    name = "x" * 251 + ".jpg"
    write_new_file(tmp_path / name, b"")
    assert tree(tmp_path) == [name]


def test_pending_files_are_published_or_discarded(tmp_path):
    kept, dropped = PendingFile.start(tmp_path / "kept"), PendingFile.start(tmp_path / "dropped")
    kept.temporary.write_bytes(b"1")
    dropped.temporary.write_bytes(b"2")
    kept.publish()
    dropped.discard()
    assert tree(tmp_path) == ["kept"]


@pytest.mark.parametrize(
    ("code", "expected", "hint"),
    [
        (errno.ENOSPC, DiskFull, "Free some space"),
        (errno.EDQUOT, DiskFull, "Free some space"),
        (errno.EACCES, DiskFull, "Allow writing"),
        (errno.EROFS, DiskFull, "Allow writing"),
        (errno.EIO, WriteFailed, "Check the disk"),
        (errno.ENAMETOOLONG, WriteFailed, "Check the disk"),
    ],
)
def test_what_the_system_refuses_is_said_with_what_to_do(tmp_path, code, expected, hint):
    with pytest.raises(expected, match=r"cannot write .*x\.jpg: ") as caught, output_errors(tmp_path / "x.jpg"):
        raise OSError(code, os.strerror(code))
    assert caught.value.hint.startswith(hint)
    assert os.strerror(code) in caught.value.problem


@pytest.mark.parametrize("path", ["blocker/x.jpg", "blocker/deep/x.jpg"])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path, path):
    (tmp_path / "blocker").write_bytes(b"")
    with pytest.raises(OutputExists, match="blocker is a file, not a folder"):
        write_new_file(tmp_path / path, b"")
