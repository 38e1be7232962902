"""No space left and no permission, in the middle of a run, for every file that it writes."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.resume import compare_runs
from detectattn.sinks.files import PendingFile
from tests.cli.faults.faulty import fail_from, read_error, require_whole_up_to_there

pytestmark = pytest.mark.timeout(30)
Words = list[str]


class FullDisk:
    """A file that takes so many writes, and half of one more."""

    def __init__(self, stream: Any, room: int) -> None:
        self._stream = stream
        self._room = room

    def write(self, content: Any) -> int:
        self._room -= 1
        if self._room >= 0:
            return int(self._stream.write(content))
        self._stream.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def spoil_disk(patch: pytest.MonkeyPatch, part: str, after: int, room: int, number: int) -> None:
    """The ``after``-th file with ``part`` in its path, and those that follow, cannot be opened or take little."""

    def fault(path: Path, *how: Any, **options: Any) -> Any:
        if number == errno.ENOSPC:
            return FullDisk(real(path, *how, **options), room)
        raise OSError(number, os.strerror(number))

    real = Path.open
    spoiled = fail_from(after, fault, real)

    def open_one(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        is_meant = part in path.as_posix() and not mode.startswith("r")
        return (spoiled if is_meant else real)(path, mode, *rest, **options)

    patch.setattr(Path, "open", open_one)


FULL, FORBIDDEN = errno.ENOSPC, errno.EACCES


@pytest.mark.parametrize(
    ("number", "part", "after", "room", "named", "status"),
    [
        (FULL, "/images/", 2, 0, "images/", "failed"),
        (FORBIDDEN, "/images/", 2, 0, "images/", "failed"),
        (FULL, "/crops/", 3, 0, "crops/", "failed"),
        (FORBIDDEN, "/crops/", 3, 0, "crops/", "failed"),
        (FULL, "/yolo/scores/", 2, 0, "yolo/scores/", "failed"),
        (FORBIDDEN, "/yolo/labels/", 7, 0, "yolo/labels/", "failed"),
        (FORBIDDEN, "/yolo/.", 0, 0, "yolo/data.yaml", "failed"),
        (FULL, "/voc/", 3, 0, "voc/", "failed"),
        (FORBIDDEN, "/voc/", 3, 0, "voc/", "failed"),
        (FULL, "/predictions.jsonl", 0, 4, "predictions.jsonl", "failed"),
        (FULL, "/predictions.csv", 0, 4, "predictions.csv", "failed"),
        (FULL, "/coco/", 1, 5, "coco/results.json", "failed"),
        (FULL, "/failures.jsonl", 0, 0, "failures.jsonl", "failed"),
        (FORBIDDEN, "/failures.jsonl", 0, 0, "failures.jsonl", "failed"),
        # run.json is written twice, with the first checkpoint in between.
        (FULL, "/run/.detectattn-", 1, 0, ".detectattn-state.json", "running"),
        (FORBIDDEN, "/run/.detectattn-", 2, 0, "run.json", "running"),
    ],
)
def test_files_that_cannot_be_written(
    detectattn: Any,
    words: Words,
    whole: Path,
    tmp_path: Path,
    number: int,
    part: str,
    after: int,
    room: int,
    named: str,
    status: str,
) -> None:
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        spoil_disk(patch, part, after, room, number)
        done = detectattn(*words, "-o", folder)
    assert done.code == 1
    told = read_error(done.err)
    assert told.startswith(f"error: cannot write {folder}/{named}")
    assert os.strerror(number) in told
    require_whole_up_to_there(folder, whole, status)
    assert detectattn("predict", "--resume", folder, "-q", "--isolate", "none").code == 4
    assert compare_runs(whole, folder).differences == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("name", ["videos/7.mp4", "parquet/images.parquet"])
def test_libraries_that_write_onto_a_full_disk(
    detectattn: Any, words: Words, whole: Path, tmp_path: Path, name: str
) -> None:
    """They open files by name: the name is that of a device that takes nothing."""
    folder, start = tmp_path / "run", PendingFile.start

    def start_on_full_disk(path: Path, *, replace: bool = False) -> PendingFile:
        pending = start(path, replace=replace)
        if path == folder / name:
            pending.temporary.symlink_to("/dev/full")
        return pending

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PendingFile, "start", start_on_full_disk)
        done = detectattn(*words, "-o", folder)
    assert done.code == 1
    assert read_error(done.err).startswith(f"error: cannot write {folder}/{name}: No space left on device")
    require_whole_up_to_there(folder, whole)
    assert detectattn("predict", "--resume", folder, "-q", "--isolate", "none").code == 4
    assert compare_runs(whole, folder).differences == []
