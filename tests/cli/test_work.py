"""How many pictures a run goes through: what decides whether a conversion repays itself."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli import work
from detectattn.cli.work import count_pictures, count_work
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions


def count(vid_stride: int, *sources: Path) -> int | None:
    source = open_sources([str(path) for path in sources], ReadOptions())
    first = next(source.iter_media(ReadCounts()))
    total, unit = count_work(source, first, vid_stride)
    return count_pictures(source, total, unit, vid_stride)


@pytest.fixture
def folder(clips: Any, noon: Path, tmp_path: Path) -> Path:
    """Two pictures, two videos of twelve frames, and one that is broken."""
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name in ("a.jpg", "z.jpg"):
        shutil.copyfile(noon, mixed / name)
    made = clips.make("b.mp4", frames=12, size_wh=(64, 48))
    for name in ("b.mp4", "c.mp4"):
        shutil.copyfile(made, mixed / name)
    (mixed / "d.mp4").write_bytes(made.read_bytes()[:100])
    return mixed


def test_frames_of_videos_count(folder: Path) -> None:
    # The broken one is taken to be as long as the others.
    assert count(1, folder) == 2 + 3 * 12
    assert count(5, folder) == 2 + 3 * 3
    assert count(5, folder / "b.mp4") == 3
    assert count(1, folder / "a.jpg", folder / "b.mp4") == 1 + 12
    assert count(1, folder / "a.jpg", folder / "z.jpg") == 2


def test_of_many_inputs_few_are_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_MOST_PROBED", 1)
    probed: list[Path] = []
    counted = work._count_frames
    monkeypatch.setattr(work, "_count_frames", lambda path, *rest: (probed.append(path), counted(path, *rest))[1])
    assert count(1, folder) == 2 + 3 * 12
    assert [path.name for path in probed] == ["b.mp4"]
    monkeypatch.setattr(work, "_MANY", 5)
    assert count(1, folder) == 5
