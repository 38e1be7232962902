"""Large JPEGs in full and at a fraction of their size: what decoding takes, and what becomes of the detections."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from detectattn.conversion.gate_pairs import PairTally
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.evaluation.coco_metrics import compute_accuracy
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.sources.base import ReadOptions
from detectattn.sources.image import iter_image_frames
from detectattn.sources.jpeg_decoders import FACTORS
from detectattn.types import Detections, Frame, Media, Prediction, Resize
from detectattn.weights.locate import locate_weights
from samples.scenes import CLASS_NAMES, SAMPLE_SEEDS, Scene, draw_scene

_MODELS = ("demo-rtdetr", "demo-yolo")
_SIZES_HW = ((3000, 4000), (4000, 3000))
_SCENES = 24
_ROUNDS = 7
_CONF, _ACCURACY_CONF = 0.25, 0.001


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    path: Path
    truth: ImageTruth

    def read(self, factor: int) -> Frame:
        """As ``--decode reduced`` reads it for a network whose input is a ``factor``-th of it; 1 for in full."""
        height, width = self.truth.size_hw
        least_hw = None if factor == 1 else (height // factor, width // factor)
        media = Media(self.path.name, "image", self.path, PurePosixPath(self.path.name))
        [frame] = iter_image_frames(media, ReadOptions(at_least_hw=least_hw, in_full=False))
        return frame


def measure() -> dict[str, Any]:
    """Draw scenes of twelve megapixels; time decoding, interleaved, and detect in every size of them."""
    with TemporaryDirectory(prefix="detectattn-bench-") as name:
        pictures = list(_draw(Path(name)))
        return {
            "pictures": len(pictures),
            "megapixels": _SIZES_HW[0][0] * _SIZES_HW[0][1] / 1e6,
            "mean_mb": round(sum(picture.path.stat().st_size for picture in pictures) / len(pictures) / 1e6, 2),
            "decoding": _time_decoding(pictures[:4]),
            "detecting": {model: _detect_all(model, pictures) for model in _MODELS},
        }


def render(figures: Mapping[str, Any]) -> str:
    """A table of times, and one a model of what it finds."""
    lines = ["| decoded | ms | of full |", "|---|---:|---:|"]
    lines += [f"| {name} | {row['ms']:.1f} | {row['ratio']:.2f} |" for name, row in figures["decoding"].items()]
    for model, rows in figures["detecting"].items():
        lines += [f"\n{model}", "| shown | AP | AP50 | matched | box px | p99 | score | p99 |"]
        lines += ["|---|---:|---:|---:|---:|---:|---:|---:|"]
        lines += [f"| {_name(int(factor))} | {_render_row(row)} |" for factor, row in rows.items()]
    return "\n".join(lines)


def _render_row(row: Mapping[str, Any]) -> str:
    cells = [f"{row['ap50_95']:.3f}", f"{row['ap50']:.3f}"]
    if "matched" in row:
        cells += [f"{row['matched']:.3f}", f"{row['box_px_p50']:.1f}", f"{row['box_px_p99']:.1f}"]
        cells += [f"{row['score_p50']:.3f}", f"{row['score_p99']:.3f}"]
    return " | ".join(cells)


def _name(factor: int) -> str:
    return "in full" if factor == 1 else f"at 1/{factor}"


def _draw(folder: Path) -> Iterator[_Picture]:
    for number in range(_SCENES):
        print(f"\rscene {number + 1} of {_SCENES}", end="", file=sys.stderr, flush=True)
        scene = draw_scene(SAMPLE_SEEDS[number], _SIZES_HW[number % 2])
        path = folder / f"{number:02d}.jpg"
        path.write_bytes(cv2.imencode(".jpg", scene.bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
        yield _Picture(path, _to_truth(scene))
    print(file=sys.stderr)


def _to_truth(scene: Scene) -> ImageTruth:
    none = np.zeros(len(scene.class_id), np.bool_)
    area = np.prod(scene.xyxy[:, 2:].astype(np.float64) - scene.xyxy[:, :2], axis=1)
    return ImageTruth((scene.bgr.shape[0], scene.bgr.shape[1]), scene.xyxy, scene.class_id, none, none, area)


def _time_decoding(pictures: list[_Picture]) -> dict[str, dict[str, float]]:
    """Milliseconds of processor time a picture, and the median over rounds of the ratio to decoding it in full."""
    ways: dict[str, Callable[[_Picture], object]] = {
        _name(factor): lambda picture, factor=factor: picture.read(factor)  # type: ignore[misc]
        for factor in FACTORS
    }
    ways["in full, by OpenCV alone"] = lambda picture: cv2.imread(str(picture.path))
    rounds = [{name: _time(read, pictures) for name, read in ways.items()} for _ in range(_ROUNDS + 1)][1:]
    full = _name(1)
    return {
        name: {
            "ms": round(median(taken[name] for taken in rounds), 2),
            "ratio": round(median(taken[name] / taken[full] for taken in rounds), 3),
        }
        for name in ways
    }


def _time(read: Callable[[_Picture], object], pictures: list[_Picture]) -> float:
    # Decoders stay in the thread that calls them.
    start = time.thread_time()
    for picture in pictures:
        read(picture)
    return (time.thread_time() - start) * 1e3 / len(pictures)


def _detect_all(model: str, pictures: list[_Picture]) -> dict[str, dict[str, float | None]]:
    weights = locate_weights(model, offline=True, on_notice=lambda _: None)
    detector = open_detector(weights, EngineOptions(batch=1), name=model, engine="torch")
    truth = GroundTruth(CLASS_NAMES, {(picture.path.name, 0): picture.truth for picture in pictures})
    try:
        found = {factor: [_detect(detector, picture.read(factor)) for picture in pictures] for factor in FACTORS}
    finally:
        detector.close()
    rows: dict[str, dict[str, float | None]] = {}
    for factor in FACTORS:
        accuracy = compute_accuracy(truth, [prediction for prediction, _ in found[factor]])
        rows[str(factor)] = {"ap50_95": accuracy.ap50_95, "ap50": accuracy.ap50}
        if factor > 1:
            rows[str(factor)] |= _compare(found[1], found[factor])
    return rows


def _detect(detector: Detector, frame: Frame) -> tuple[Prediction, Resize]:
    planes, resize = detector.fit(frame.shown)
    if frame.reduced is not None:
        resize = frame.reduced.to_original(resize)
    batch = detector.collate([frame], [(planes, resize)])
    [detections] = detector.decode(detector.infer(batch), batch.resizes, Thresholds(conf=_ACCURACY_CONF))
    info = detector.info
    return Prediction(frame.source, 0, frame.size_hw, detections, info.name, info.class_names), resize


def _compare(
    full: list[tuple[Prediction, Resize]], reduced: list[tuple[Prediction, Resize]]
) -> dict[str, float | None]:
    """How far detections move, boxes in pixels of the network's input."""
    tally = PairTally(_CONF)
    for (reference, resize), (candidate, _) in zip(full, reduced, strict=True):
        ours, theirs = (_above(p.detections, tally.partner_conf) for p in (reference, candidate))
        tally.add(ours, theirs, resize)
    drift = tally.to_figures()
    return {
        "matched": 1 - drift.unmatched_count / (drift.reference_count + drift.candidate_count),
        "box_px_p50": drift.box_px_p50,
        "box_px_p99": drift.box_px_p99,
        "score_p50": drift.score_p50,
        "score_p99": drift.score_p99,
    }


def _above(detections: Detections, conf: float) -> Detections:
    return detections.take(detections.score > conf)
