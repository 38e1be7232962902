"""Models that answer at once, in place of child processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from detectattn.compare import messages as msg
from detectattn.compare.pictures import open_pictures
from detectattn.engines.base import EngineOptions
from detectattn.errors import BadImageSize, EngineError
from detectattn.types import Detections, ModelInfo, WeightsFile

NAMES = {0: "car", 1: "bus"}


def fake_weights(tmp_path: Path, name: str) -> WeightsFile:
    path = tmp_path / f"{name}.pt"
    path.write_bytes(b"weights")
    return WeightsFile(path, "0" * 64, "pt", "local")


class FakeChild:
    """Finds one car in the middle of every picture.

    Args:
        spec: As for a real child.
        diary: What it was asked, as ``(name, request type)``.
        fails_on: Raises an error where it says so, given a request and how many of its type came before.
        own_hw: Input size of the model when none is asked for.
        fixed: Whether it can run at no other.
        max_det: Objects that it can find in a picture at most.
    """

    def __init__(
        self,
        spec: msg.WorkerSpec,
        diary: list[tuple[str, str]],
        fails_on: Callable[[Any, int], bool] = lambda *_: False,
        own_hw: tuple[int, int] = (64, 64),
        *,
        fixed: bool = False,
        max_det: int | None = None,
    ) -> None:
        self.name = spec.name
        self.meter = None
        self._diary = diary
        self._fails_on = fails_on
        self._seen: dict[type, int] = {}
        options: EngineOptions = spec.options
        if fixed and options.imgsz_hw not in (None, own_hw):
            raise BadImageSize(f"{spec.name} takes {own_hw[0]} pixels alone", hint="Leave --imgsz out")
        net_hw = options.imgsz_hw or own_hw
        info = ModelInfo(spec.name, "cnn", NAMES, net_hw, "torch", "cpu", "fp32")
        self._note("Load")
        if self._fails_on("load", 0):
            raise EngineError(f"{spec.name} cannot be loaded", hint="Try another")
        count = len(open_pictures(spec.pictures))
        self.loaded = msg.Loaded(info, 0.5, 2.0, 4.0, (net_hw[0] * net_hw[1],) * count, max_det)
        self.closed = False

    def ask(self, request: Any, wanted: Any) -> Any:
        self._note(type(request).__name__)
        seen = self._seen.get(type(request), 0)
        self._seen[type(request)] = seen + 1
        if self._fails_on(request, seen):
            raise EngineError(f"{self.name} broke", hint="Try another")
        if isinstance(request, msg.TimePictures):
            n = len(request.indices)
            return msg.StageTimes((1.0,) * n, (10.0,) * n, (0.5,) * n)
        if isinstance(request, msg.TimeBatch):
            return msg.BatchTime((0.01,) * request.repeats if request.batch == 1 else None)
        if isinstance(request, msg.AskMemory):
            return msg.PeakMemory(100.0, None)
        pictures = open_pictures(request.pictures)
        n = len(request.indices)
        found = tuple(_middle(pictures[i].shape[0], pictures[i].shape[1]) for i in request.indices)
        return msg.Detected(found, msg.StageTimes((1.0,) * n, (10.0,) * n, (0.5,) * n))

    def restart(self) -> None:
        self._note("Load")

    def await_restarted(self) -> None:
        if self._fails_on("load", 1):
            raise EngineError(f"{self.name} cannot be loaded again", hint="Try another")

    def close(self) -> None:
        self.closed = True

    def _note(self, what: str) -> None:
        self._diary.append((self.name, what))


def _middle(height: int, width: int) -> Detections:
    xyxy = np.array([[width / 4, height / 4, width * 3 / 4, height * 3 / 4]], np.float32)
    return Detections(xyxy, np.array([0.9], np.float32), np.array([0], np.int32), np.array([7], np.int32))
