"""Which maps are true: every method on the embedded pair and the shipped scenes, against both baselines."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from detectattn.attention.maps import METHODS
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.explain.build import collect_scores
from detectattn.explain.judge import DetectionScores, judge_methods
from detectattn.explain.objects import choose_objects
from detectattn.explain.picture import ExplainOptions, explain_look, look_at
from detectattn.types import U8
from detectattn.weights.locate import locate_weights

_MODELS = ("demo-rtdetr", "demo-yolo")
_STREET = Path(__file__).resolve().parents[1] / "samples" / "street" / "images"
_PICTURES = 12
_OBJECTS = 4


def measure() -> dict[str, Any]:
    """Explain the surest objects of each scene and score every map of them."""
    found = {name: list(_score_scenes(name)) for name in _MODELS}
    titles = {name: (method.title, method.meaning) for name, method in METHODS.items()}
    return {
        "pictures": _PICTURES,
        "objects_a_picture": _OBJECTS,
        "models": {name: [asdict(figures) for figures in judge_methods(rows, titles)] for name, rows in found.items()},
    }


def render(figures: Mapping[str, Any]) -> str:
    """A table a model."""
    lines = []
    for model, methods in figures["models"].items():
        lines += [
            f"\n{model}",
            "| method | faithfulness | over random | over the box | inside | pointing | outside |  |",
        ]
        lines.append("|---|---:|---:|---:|---:|---:|---:|---|")
        lines += [_render_row(m) for m in methods]
    return "\n".join(lines)


def _render_row(method: Mapping[str, Any]) -> str:
    cells = [
        method["method"],
        *(_show(method[key]) for key in ("faithfulness", "over_random", "over_box")),
        f"{method['energy']['value']:.2f}",
        f"{method['pointing']['value']:.2f}",
        f"{1 - method['reach'][0]:.2f}",
        method["worth"],
    ]
    return f"| {' | '.join(cells)} |"


def _show(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return ""
    return f"{figure['value']:+.3f} ({figure['low']:+.3f} to {figure['high']:+.3f})"


def _score_scenes(name: str) -> Iterator[DetectionScores]:
    weights = locate_weights(name, offline=True, on_notice=lambda _: None)
    detector = open_detector(weights, EngineOptions(batch=1), name=name, engine="torch")
    try:
        for done, path in enumerate(sorted(_STREET.glob("*.jpg"))[:_PICTURES]):
            print(f"\r{name}: picture {done + 1} of {_PICTURES}", end="", file=sys.stderr, flush=True)
            bgr = cv2.imread(str(path))
            assert bgr is not None, path
            yield from _score_scene(detector, bgr.astype(np.uint8), path.name)
    finally:
        detector.close()
        print(file=sys.stderr)


def _score_scene(detector: Detector, bgr: U8, name: str) -> list[DetectionScores]:
    options = ExplainOptions(methods=tuple(METHODS), score=True)
    look = look_at(detector, bgr, options)
    objects = choose_objects([look.captured.detections], [detector.info.class_names], _OBJECTS)
    rows = [row for found in objects for row in found.rows if row is not None]
    return collect_scores((name, 0), explain_look(detector, bgr, look, rows, options))
