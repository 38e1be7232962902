"""Large pictures: their bytes bound how many are under way, whatever their shapes, and the run never stands still."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest

from detectattn.engines.postprocess import Thresholds
from detectattn.pipeline import stages
from detectattn.pipeline.budget import Ahead, Budget
from detectattn.pipeline.channel import Stopped, StopSignal
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.types import Frame, Media

pytestmark = pytest.mark.timeout(30)
OPTIONS = RunOptions(Thresholds(conf=0.0), read_workers=2, write_workers=2)
SHAPES = [(32, 64), (64, 32), (64, 64), (32, 32)]


def test_few_may_be_under_way_however_large_they_are() -> None:
    stop = StopSignal()
    budget = Budget(stop, most_bytes=100, least=2, most=3)
    budget.acquire(500)
    budget.acquire(500)
    stop.set()
    with pytest.raises(Stopped):
        budget.acquire(1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("batch", "streams"), [(1, 1), (4, 1), (8, 1), (4, 2)])
def test_a_run_of_all_sizes_ends_within_its_budget(
    make_detector: Any, memory_sink: Any, monkeypatch: pytest.MonkeyPatch, batch: int, streams: int, seed: int
) -> None:
    """Pictures of four shapes from tiny to larger than the whole budget, and videos, in any order."""
    dice, most = random.Random(seed), 40_000
    monkeypatch.setattr(stages, "UNDER_WAY_BYTES", most)
    monkeypatch.setattr(stages, "Ahead", lambda stop, least: Ahead(stop, least, most))
    sizes = [(dice.choice([8, 32, 64, 128]), dice.choice([8, 32, 64, 128])) for _ in range(60)]
    media = [Media(f"{i:04d}.jpg", "image", i, PurePosixPath(f"{i:04d}.jpg")) for i in range(60)]

    def open_some(one: Media) -> Iterator[Frame]:
        number = int(one.source[:4])
        for index in range(6 if number % 10 == 3 else 1):
            yield Frame(one, index, np.full((*sizes[number], 3), number + 50, np.uint8))

    records = memory_sink(delay_s=0.0002)
    detector = make_detector(batch, streams=streams)
    run_pipeline(media, open_some, detector, [], records, OPTIONS, RunTally(), on_failure=pytest.fail)
    assert records.written == [(f"{i:04d}.jpg", k) for i in range(60) for k in range(6 if i % 10 == 3 else 1)]


def test_large_frames_are_fewer_at_once(
    make_media: Any, make_detector: Any, memory_sink: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read, detected and being written: with a slow sink, no more of them than the budgets hold."""
    size = 64 * 64 * 3
    monkeypatch.setattr(stages, "UNDER_WAY_BYTES", 4 * size)
    monkeypatch.setattr(stages, "Ahead", lambda stop, least: Ahead(stop, least, size))
    monkeypatch.setattr("detectattn.pipeline.writing.WRITING_BYTES", size)
    records, ahead = memory_sink(delay_s=0.001), []

    def open_video(media: Media) -> Iterator[Frame]:
        for index in range(120):
            ahead.append(index - len(records.written))
            yield Frame(media, index, np.full((64, 64, 3), 90, np.uint8))

    run_pipeline(
        make_media(1, "video"), open_video, make_detector(), [], records, OPTIONS, RunTally(), on_failure=pytest.fail
    )
    assert len(records.written) == 120
    # Four under way, two being written, one in the hands of the reader, one of the writer.
    assert max(ahead) <= 8
