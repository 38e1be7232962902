"""Models that answer at once, in place of child processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from detectattn.compare import messages as msg
from detectattn.compare.pictures import open_pictures
from detectattn.conversion.converted import Converted
from detectattn.conversion.gate_figures import GateFigures
from detectattn.conversion.record import ConversionRecord
from detectattn.conversion.settings import ConversionSettings
from detectattn.engines.base import EngineOptions
from detectattn.errors import BadImageSize, EngineError
from detectattn.types import Detections, ModelInfo, WeightsFile

NAMES = {0: "car", 1: "bus"}


def fake_weights(tmp_path: Path, name: str) -> WeightsFile:
    path = tmp_path / f"{name}.pt"
    path.write_bytes(b"weights")
    return WeightsFile(path, "0" * 64, "pt", "local")


def fake_conversion(weights: WeightsFile, own_hw: tuple[int, int] = (64, 64), version: str = "1") -> Converted:
    """INT8 for OpenVINO that passed its gate; another ``version`` has other files."""
    gate = GateFigures(8, 0.25, 100, 101, 1, 100, 0.3, 2.9, 0.012, 0.094, 0.004, 0.07)
    record = ConversionRecord(
        name=weights.path.stem,
        weights_sha256=weights.sha256,
        settings=ConversionSettings("openvino", "int8", (64, 64), calibration="c" * 64),
        own_hw=own_hw,
        conditions={"openvino": "2026.4"},
        model_file="model.xml",
        files={"model.xml": version * 64},
        size_bytes=7,
        convert_s=1.5,
        gate_s=0.5,
        gate=gate.to_dict(),
        pictures="street/images",
        calibration={"pictures": "street/images"},
    )
    return Converted(record.to_weights(weights.path.parent), EngineOptions(), record, "asked for")


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
        self.spec = spec
        self.meter = None
        self._diary = diary
        self._fails_on = fails_on
        self._seen: dict[type, int] = {}
        options: EngineOptions = spec.options
        if fixed and options.imgsz_hw not in (None, own_hw):
            raise BadImageSize(f"{spec.name} takes {own_hw[0]} pixels alone", hint="Leave --imgsz out")
        net_hw = options.imgsz_hw or own_hw
        engine = "torch" if spec.engine == "auto" else spec.engine
        info = ModelInfo(spec.name, "cnn", NAMES, net_hw, engine, "cpu", "fp32")
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
