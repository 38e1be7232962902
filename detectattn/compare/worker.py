"""The child process of one model: loads it, answers requests, shares nothing with the other models."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Sequence
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from detectattn.compare import messages as msg
from detectattn.compare.energy import open_meter
from detectattn.compare.footprint import (
    compute_gflops,
    compute_weights_mb,
    count_parameters_m,
    read_peak_device_mb,
    read_peak_rss_mb,
)
from detectattn.compare.pictures import open_pictures
from detectattn.engines import open_detector
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import DetectattnError, EngineError
from detectattn.types import F32, U8, Detections

_TIMED = Thresholds()


def serve(connection: Connection, spec: msg.WorkerSpec, started_s: float) -> None:
    """Load the model and answer requests until told to leave; the target of the child process.

    Args:
        connection: To the study.
        spec: What to load.
        started_s: When the process was started, on the system's clock (``time.time``).
    """
    # Ctrl-C in a terminal reaches every process in it; the study ends its children itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _serve(connection, spec, started_s)
    except (EOFError, OSError):
        return  # The study is no more, so nobody is left to tell.


def _serve(connection: Connection, spec: msg.WorkerSpec, started_s: float) -> None:
    try:
        worker = _Worker(spec, started_s)
    except Exception as error:  # noqa: BLE001 - whatever the model's own code raises
        connection.send(msg.Failed(_explain(error, spec.name)))
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
        load_s = time.time() - started_s
        self._meter = open_meter(self._detector.info.device)
        self._answers: dict[type, Callable[[Any], msg.Reply]] = {
            msg.TimePictures: self._time_pictures,
            msg.TimeBatch: self._time_batch,
            msg.Detect: self._detect,
            msg.AskMemory: self._measure_memory,
        }
        self.loaded = msg.Loaded(
            info=self._detector.info,
            load_s=load_s,
            params_m=count_parameters_m(self._detector),
            weights_mb=compute_weights_mb(spec.weights),
            net_pixels=tuple(_count_net_pixels(self._detector, size_hw) for size_hw in self._pictures.sizes_hw),
            max_det=self._detector.engine.spec.max_det,
            gflops=compute_gflops(self._detector),
            meter=None if self._meter is None else self._meter.name,
        )

    def answer(self, request: msg.Request) -> msg.Reply:
        try:
            return self._answers[type(request)](request)
        except Exception as error:  # noqa: BLE001 - whatever the model's own code raises
            return msg.Failed(_explain(error, self._detector.info.name))

    def close(self) -> None:
        self._detector.close()

    def _time_pictures(self, request: msg.TimePictures) -> msg.StageTimes:
        before = None if self._meter is None else self._meter.read()
        rows = [_detect_one(self._detector, self._pictures[index], _TIMED)[1] for index in request.indices]
        energy_j = None if self._meter is None else self._meter.compute_joules(before, self._meter.read())
        return _to_times(rows, energy_j)

    def _time_batch(self, request: msg.TimeBatch) -> msg.BatchTime:
        fixed = self._detector.engine.spec.fixed_batch
        if fixed is not None and request.batch != fixed:
            return msg.BatchTime(None)
        try:
            tensor = _stack(self._detector, self._pictures, request.batch)
            self._detector.engine.infer(tensor)
            return msg.BatchTime(tuple(_time_forward(self._detector, tensor) for _ in range(request.repeats)))
        except Exception:
            # A batch too large is no failure of the model, whatever it raises: some take a single picture only.
            if request.batch == 1:
                raise
            return msg.BatchTime(None)

    def _detect(self, request: msg.Detect) -> msg.Detected:
        if request.pictures is not None and request.pictures != self._opened:
            self._opened, self._pictures = request.pictures, open_pictures(request.pictures)
        keep = Thresholds(request.conf, request.iou, request.max_det, multi_label=True)
        found = [_detect_one(self._detector, self._pictures[index], keep) for index in request.indices]
        return msg.Detected(tuple(detections for detections, _ in found), _to_times([times for _, times in found]))

    def _measure_memory(self, _: msg.AskMemory) -> msg.PeakMemory:
        return msg.PeakMemory(read_peak_rss_mb(), read_peak_device_mb(self._detector.info.device))


def _explain(error: Exception, name: str) -> DetectattnError:
    """An error that a user can read: the model, and what went wrong where in its code."""
    if isinstance(error, DetectattnError):
        return error
    text = " ".join(str(error).split()).rstrip(".")[:300]
    last = traceback.extract_tb(error.__traceback__)[-1]
    return EngineError(
        f"model {name} failed with {type(error).__name__}{': ' if text else ''}{text} "
        f"({Path(last.filename).name}, line {last.lineno})",
        hint="Run it alone with `detectattn predict`, and try another --imgsz or another form of the model",
    )


def _to_times(rows: Sequence[tuple[float, float, float]], energy_j: float | None = None) -> msg.StageTimes:
    preprocess, forward, postprocess = zip(*rows, strict=True) if rows else ((), (), ())
    return msg.StageTimes(preprocess, forward, postprocess, energy_j)


def _time_forward(detector: Detector, tensor: Any) -> float:
    start = time.perf_counter()
    detector.engine.infer(tensor)
    return time.perf_counter() - start


def _stack(detector: Detector, pictures: Sequence[U8], batch: int) -> Any:
    """A batch of the first pictures that share the first one's input shape, repeated as needed."""
    fitted = [detector.fit(picture)[0] for picture in islice(pictures, batch)]
    alike = [planes for planes in fitted if planes.shape == fitted[0].shape]
    return np.stack([alike[i % len(alike)] for i in range(batch)])


def _detect_one(detector: Detector, bgr: U8, keep: Thresholds) -> tuple[Detections, tuple[float, float, float]]:
    """What is found in a picture, and the milliseconds of each stage."""
    start = time.perf_counter()
    planes, resize = detector.fit(bgr)
    fitted = time.perf_counter()
    outputs = detector.engine.infer(_to_batch(detector, planes))
    inferred = time.perf_counter()
    found = detector.decode(outputs, (resize,), keep)[0]
    decoded = time.perf_counter()
    return found, ((fitted - start) * 1e3, (inferred - fitted) * 1e3, (decoded - inferred) * 1e3)


def _to_batch(detector: Detector, planes: F32) -> F32:
    """A batch of one picture; padded for a model that was exported for several, which takes no fewer."""
    fixed = detector.engine.spec.fixed_batch
    return planes[None] if fixed in (None, 1) else np.stack([planes] + [np.zeros_like(planes)] * (fixed - 1))


def _count_net_pixels(detector: Detector, size_hw: tuple[int, int]) -> int:
    height, width = detector.plan(size_hw).net_hw
    return height * width
