"""``--batch auto`` takes the smallest size that is about as fast as the best, and says why it looked no further."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from detectattn.errors import OutOfMemory, UndecodableImage
from detectattn.pipeline import choose_batch as choosing
from detectattn.pipeline.choose_batch import BatchTrial, choose_batch, fit_first
from detectattn.types import Frame, FrameFailure, Media


@pytest.fixture
def open_model(make_detector: Any) -> Callable[..., Any]:
    def make(**spec: Any) -> Any:
        detector = make_detector(before=spec.pop("before", lambda _: None))
        detector.engine.spec = replace(detector.engine.spec, fixed_batch=None, **spec)
        return detector

    return make


@pytest.fixture(autouse=True)
def little_memory_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of a whole suite holds any amount."""
    monkeypatch.setattr(choosing, "_read_peak_bytes", lambda: 1 << 20)


def pretend(monkeypatch: pytest.MonkeyPatch, times_ms: dict[int, float]) -> None:
    monkeypatch.setattr(choosing, "_try", lambda _, __, batch: BatchTrial(batch, times_ms[batch]))


@pytest.mark.parametrize(
    ("times_ms", "expected", "tried", "reason"),
    [
        ({1: 10, 2: 10, 4: 12}, 1, 3, "larger ones took longer"),
        ({1: 10, 2: 8, 4: 6, 8: 5.9, 16: 6.0, 32: 6.1}, 4, 6, "larger ones took longer"),
        ({1: 10, 2: 20}, 1, 2, "larger ones took longer"),
        ({1 << n: 1 / (1 << n) for n in range(7)}, 64, 7, "more than 64 are not tried"),
    ],
)
def test_smallest_of_the_fast_ones(
    open_model: Any, monkeypatch: pytest.MonkeyPatch,
    times_ms: dict[int, float], expected: int, tried: int, reason: str,
) -> None:  # fmt: skip
    pretend(monkeypatch, times_ms)
    choice = choose_batch(open_model())
    assert (choice.batch, len(choice.trials), choice.reason) == (expected, tried, reason)
    assert choice.describe().startswith(f"batch {expected}, by what an image took at 64×64 (1: ")


def test_memory_is_a_limit(open_model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(tensor: Any) -> None:
        if len(tensor) > 2:
            raise OutOfMemory("too much", hint="Take less")
        # Two at once take less than one twice, on a machine that is busy also.
        time.sleep(0.02 / len(tensor))

    choice = choose_batch(open_model(before=refuse))
    assert [trial.batch for trial in choice.trials] == [1, 2]
    assert choice.reason == "4 take more memory than cpu has"
    monkeypatch.setattr(choosing, "read_memory_bytes", lambda: 1 << 20)
    choice = choose_batch(open_model())
    assert [trial.batch for trial in choice.trials] == [1]
    assert choice.reason == "2 might take more than a quarter of the memory"


def test_one_that_does_not_fit_at_all_is_an_error(open_model: Any) -> None:
    def refuse(_: Any) -> None:
        raise OutOfMemory("too much", hint="Take less")

    with pytest.raises(OutOfMemory):
        choose_batch(open_model(before=refuse))


def test_time_is_a_limit(open_model: Any) -> None:
    choice = choose_batch(open_model(), budget_s=0)
    assert (choice.batch, choice.reason) == (1, "trying 2 would take too long")


def test_fixed_batch_is_kept(make_detector: Any) -> None:
    choice = choose_batch(make_detector(4))
    assert (choice.batch, choice.describe()) == (4, "batch 4: the model was exported for that many")


def test_batches_are_tried_side_by_side_at_the_pictures_shape(open_model: Any) -> None:
    detector = open_model(streams=2)
    choice = choose_batch(detector, np.zeros((3, 32, 64), np.float32), budget_s=0)
    assert choice.net_hw == (32, 64)
    assert detector.engine.shapes == [(1, 3, 32, 64)] * 8


def test_first_frame_gives_the_shape(open_model: Any, tmp_path: Path) -> None:
    def open_wide(media: Media) -> Iterator[Frame]:
        yield Frame(media, 0, np.zeros((100, 200, 3), np.uint8))

    def open_broken(media: Media) -> Iterator[Frame]:
        raise UndecodableImage("no picture", hint="Look at it")
        yield

    detector = open_model()
    file = Media("a.jpg", "image", tmp_path / "a.jpg", PurePosixPath("a.jpg"))
    camera = Media("0", "stream", 0, PurePosixPath("0.mp4"))
    planes = fit_first(detector, file, open_wide)
    assert planes is not None
    assert planes.shape == (3, 32, 64)
    assert fit_first(detector, camera, open_wide) is None
    assert fit_first(detector, file, open_broken) is None
    assert fit_first(detector, FrameFailure("a.jpg", None, "not-found", "gone"), open_wide) is None
