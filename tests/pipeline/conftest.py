"""A detector without a network, and sinks that remember."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from detectattn.engines.base import ModelSpec
from detectattn.engines.detector import Detector
from detectattn.types import F32, Frame, Media, Prediction, WeightsFile


class BrightnessEngine:
    """Finds one box whose score is the picture's mean brightness: enough to tell results apart."""

    def __init__(
        self,
        batch: int | None,
        fail_on: Callable[[F32], bool] = lambda _: False,
        streams: int = 1,
        before: Callable[[F32], None] = lambda _: None,
    ) -> None:
        self.spec = ModelSpec(
            family="cnn",
            class_names={0: "thing"},
            layout="yolo_end2end",
            fit="letterbox_rect",
            net_hw=(64, 64),
            stride=32,
            engine="fake",
            device="cpu",
            precision="fp32",
            fixed_batch=batch,
            streams=streams,
        )
        self.closed = False
        self._before = before
        self.shapes: list[tuple[int, ...]] = []
        self._fail_on = fail_on

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        self.shapes.append(tensor.shape)
        self._before(tensor)
        if self._fail_on(tensor):
            raise RuntimeError("the engine broke")
        score = tensor.mean(axis=(1, 2, 3))
        rows = np.zeros((len(tensor), 1, 6), np.float32)
        rows[:, 0, 2:4] = 32
        rows[:, 0, 4] = score
        return (rows,)

    def close(self) -> None:
        self.closed = True


@dataclass
class MemorySink:
    """Remembers what it was given."""

    parallel: bool = False
    delay_s: float = 0.0
    fail_at: str | None = None
    fail_on_close: bool = False
    written: list[tuple[str, int]] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def write(self, frame: Frame, prediction: Prediction) -> None:
        time.sleep(self.delay_s)
        if prediction.source == self.fail_at:
            raise OSError(28, "No space left on device")
        self.written.append((prediction.source, prediction.index))
        self.predictions.append(prediction)

    def close(self) -> None:
        self.ended.append("close")
        if self.fail_on_close:
            raise OSError(28, "No space left on device")

    def abort(self) -> None:
        self.ended.append("abort")


@pytest.fixture
def memory_sink() -> type[MemorySink]:
    return MemorySink


@pytest.fixture
def make_detector() -> Callable[..., Detector]:
    def make(batch: int | None = 1, **options: Any) -> Detector:
        weights = WeightsFile(Path("fake"), "", "pt", "local")
        return Detector(BrightnessEngine(batch, **options), "fake", weights, batch or 1)

    return make


@pytest.fixture
def make_media() -> Callable[..., list[Media]]:
    def make(count: int, kind: Any = "image") -> list[Media]:
        return [Media(f"{i:04d}.jpg", kind, i, PurePosixPath(f"{i:04d}.jpg")) for i in range(count)]

    return make


@pytest.fixture
def open_grey() -> Callable[[Media], Iterator[Frame]]:
    """Opens media number n as one grey picture of brightness n, every third of them upright, the others wide."""

    def open_frames(media: Media) -> Iterator[Frame]:
        number = int(media.source[:4])
        shape = (64, 32, 3) if number % 3 == 0 else (32, 64, 3)
        yield Frame(media, 0, np.full(shape, number % 200 + 50, np.uint8))

    return open_frames


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"threads left behind: {left}"
