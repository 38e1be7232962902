"""The child process of one model: loads it, answers requests, shares nothing with the other models."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from detectattn.compare import messages as msg
from detectattn.compare.pictures import open_pictures
from detectattn.engines import open_detector
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import DetectattnError, OutOfMemory
from detectattn.types import U8, Detections, WeightsFile

_TIMED = Thresholds()


def serve(connection: Connection, spec: msg.WorkerSpec, started_s: float) -> None:
    """Load the model and answer requests until told to leave; the target of the child process.

    Args:
        connection: To the study.
        spec: What to load.
        started_s: When the process was started, on the system's clock (``time.time``).
    """
    try:
        worker = _Worker(spec, started_s)
    except DetectattnError as error:
        connection.send(msg.Failed(error))
        return
    connection.send(worker.loaded)
    while not isinstance(request := connection.recv(), msg.Leave):
        connection.send(worker.answer(request))
    worker.close()


class _Worker:
    def __init__(self, spec: msg.WorkerSpec, started_s: float) -> None:
        self._opened = spec.pictures
        self._pictures = open_pictures(spec.pictures)
        self._detector = open_detector(spec.weights, spec.options, name=spec.name, engine=spec.engine)
        self._answers: dict[type, Callable[[Any], msg.Reply]] = {
            msg.TimePictures: self._time_pictures,
            msg.TimeBatch: self._time_batch,
            msg.Detect: self._detect,
            msg.AskMemory: self._measure_memory,
        }
        self.loaded = msg.Loaded(
            info=self._detector.info,
            load_s=time.time() - started_s,
            params_m=count_parameters_m(self._detector),
            weights_mb=compute_weights_mb(spec.weights),
            net_pixels=tuple(_count_net_pixels(self._detector, picture) for picture in self._pictures),
            max_det=self._detector.engine.spec.max_det,
        )

    def answer(self, request: msg.Request) -> msg.Reply:
        try:
            return self._answers[type(request)](request)
        except DetectattnError as error:
            return msg.Failed(error)

    def close(self) -> None:
        self._detector.close()

    def _time_pictures(self, request: msg.TimePictures) -> msg.StageTimes:
        rows = [_detect_one(self._detector, self._pictures[index], _TIMED)[1] for index in request.indices]
        preprocess, forward, postprocess = zip(*rows, strict=True) if rows else ((), (), ())
        return msg.StageTimes(preprocess, forward, postprocess)

    def _time_batch(self, request: msg.TimeBatch) -> msg.BatchTime:
        fixed = self._detector.engine.spec.fixed_batch
        if fixed is not None and request.batch != fixed:
            return msg.BatchTime(None)
        tensor = _stack(self._detector, self._pictures, request.batch)
        try:
            self._detector.engine.infer(tensor)
            return msg.BatchTime(tuple(_time_forward(self._detector, tensor) for _ in range(request.repeats)))
        except OutOfMemory:
            return msg.BatchTime(None)

    def _detect(self, request: msg.Detect) -> msg.Detected:
        if request.pictures is not None and request.pictures != self._opened:
            self._opened, self._pictures = request.pictures, open_pictures(request.pictures)
        keep = Thresholds(request.conf, request.iou, request.max_det, multi_label=True)
        found, rows = zip(*(_detect_one(self._detector, self._pictures[i], keep) for i in request.indices), strict=True)
        return msg.Detected(tuple(found), msg.StageTimes(*zip(*rows, strict=True)))

    def _measure_memory(self, _: msg.AskMemory) -> msg.PeakMemory:
        return msg.PeakMemory(read_peak_rss_mb(), read_peak_device_mb(self._detector.info.device))


def _time_forward(detector: Detector, tensor: Any) -> float:
    start = time.perf_counter()
    detector.engine.infer(tensor)
    return time.perf_counter() - start


def _stack(detector: Detector, pictures: Sequence[U8], batch: int) -> Any:
    """A batch of the first pictures that share the first one's input shape, repeated as needed."""
    fitted = [detector.fit(picture)[0] for picture in pictures[:batch]]
    alike = [planes for planes in fitted if planes.shape == fitted[0].shape]
    return np.stack([alike[i % len(alike)] for i in range(batch)])


def _detect_one(detector: Detector, bgr: U8, keep: Thresholds) -> tuple[Detections, tuple[float, float, float]]:
    """What is found in a picture, and the milliseconds of each stage."""
    start = time.perf_counter()
    planes, resize = detector.fit(bgr)
    fitted = time.perf_counter()
    outputs = detector.engine.infer(planes[None])
    inferred = time.perf_counter()
    found = detector.decode(outputs, (resize,), keep)[0]
    decoded = time.perf_counter()
    return found, ((fitted - start) * 1e3, (inferred - fitted) * 1e3, (decoded - inferred) * 1e3)


def _count_net_pixels(detector: Detector, bgr: U8) -> int:
    height, width = detector.plan((bgr.shape[0], bgr.shape[1])).net_hw
    return height * width


def count_parameters_m(detector: Detector) -> float | None:
    """Millions of parameters of a PyTorch model; None for an export, whose graph may hold them in other shapes."""
    model = getattr(detector.engine, "model", None)
    return None if model is None else sum(p.numel() for p in model.parameters()) / 1e6


def compute_weights_mb(weights: WeightsFile) -> float:
    """Size on disk in megabytes: the file, or the ``.xml`` and ``.bin`` of an OpenVINO folder."""
    path = weights.path
    files = [p for p in path.iterdir() if p.suffix in (".xml", ".bin")] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 1e6


def read_peak_rss_mb() -> float:
    """Most resident memory this process held, in megabytes; NaN where the system does not tell."""
    if sys.platform == "win32":
        return float("nan")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def read_peak_device_mb(device: str) -> float | None:
    """Most memory PyTorch held on a CUDA device, in megabytes; None elsewhere."""
    torch = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda"):
        return None
    return float(torch.cuda.max_memory_allocated(device)) / 1e6
