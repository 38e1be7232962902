"""Small studies in memory, to be set against one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from detectattn.compare.changes import Side
from detectattn.compare.frames import PictureInfo
from detectattn.compare.judge import StudyRecords, build_report
from detectattn.compare.measured import Measured, Timed
from detectattn.compare.messages import PeakMemory, StageTimes
from detectattn.compare.noise import MachineState
from detectattn.config import CompareConfig
from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.report.json_file import to_json
from detectattn.types import Detections, ModelInfo, Prediction, RunManifest

CLASSES = {0: "car", 1: "bus"}
IMAGES = tuple(f"{i:02}.png" for i in range(12))
MACHINE = {"cpu": "Model X", "logical_cores": 8, "usable_cores": 8}
_BOXES = np.array([[10, 10, 50, 50], [60, 10, 110, 60], [20, 80, 70, 140], [90, 90, 140, 150]], np.float32)
_KINDS = np.array([0, 1, 0, 1], np.int32)


@dataclass(frozen=True)
class Entrant:
    """A model of a study.

    Attributes:
        misses: Objects that it misses in every picture, by place.
        shift: By how many pixels its boxes are off.
        forward_ms: What a picture takes; None for one that is not timed.
        sittings: Of timing.
        sha256: Of its weights.
        info: Changes of what it is.
        variant_of: The model that it is a variant of.
        error: Why it failed.
        memory_mb: At its peak.
    """

    misses: frozenset[int] = frozenset()
    shift: float = 0.0
    forward_ms: float | None = 40.0
    sittings: int = 5
    sha256: str = "a" * 64
    info: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    memory_mb: float = 500.0


def make_records(
    entrants: Mapping[str, Entrant],
    images: Sequence[str] = IMAGES,
    *,
    size_hw: tuple[int, int] = (200, 200),
    truth: bool | float = True,
    machine: Mapping[str, Any] = MACHINE,
    config: CompareConfig | None = None,
    versions: Mapping[str, str] | None = None,
    classes: Mapping[int, str] = CLASSES,
) -> StudyRecords:
    """A study of these models.

    Args:
        entrants: By name.
        images: Names of the pictures.
        size_hw: Of each.
        truth: Whether there is ground truth; a number moves its boxes by so many pixels.
        machine: What it ran on.
        config: Its options.
        versions: Of packages.
        classes: Names of the two classes.
    """
    config = config or CompareConfig(model=tuple(entrants))
    manifest = RunManifest(
        ["detectattn", "compare"],
        {"study": "compare", "created": "2026-01-01T00:00:00+00:00", "sources": ["data"], "options": asdict(config)},
        [],
        versions or {"python": "3.12", "detectattn": "0.2.0"},
        machine,
        status="finished",
    )
    moved = 0.0 if isinstance(truth, bool) else truth
    return StudyRecords(
        config=config,
        sources=("data",),
        manifest=manifest,
        created="2026-01-01T00:00:00+00:00",
        pictures=[PictureInfo(name, 0, size_hw, 2.0) for name in images],
        failures=(),
        truth=_make_truth(images, size_hw, moved, classes) if truth is not False else None,
        truth_named=False,
        measured={name: _make_measured(name, entrant, tuple(entrants), classes) for name, entrant in entrants.items()},
        predictions={
            name: [_predict(name, entrant, image, size_hw, classes) for image in images]
            for name, entrant in entrants.items()
            if entrant.error is None
        },
        drawn={},
    )


def make_side(run: str, entrants: Mapping[str, Entrant], *args: Any, **options: Any) -> Side:
    """A study as its folder gives it."""
    records = make_records(entrants, *args, **options)
    return Side(run, to_json(build_report(records)[0]), records)


def forget_records(side: Side) -> Side:
    """A study of which only ``report.json`` is left."""
    return replace(side, records=None)


def _make_truth(
    images: Sequence[str], size_hw: tuple[int, int], moved: float, classes: Mapping[int, str]
) -> GroundTruth:
    none = np.zeros(len(_KINDS), np.bool_)
    area = np.full(len(_KINDS), 2500.0)
    there = {(name, 0): ImageTruth(size_hw, _BOXES + np.float32(moved), _KINDS, none, none, area) for name in images}
    return GroundTruth(tuple(classes.values()), there, Path("truth.json"), "coco")


def _predict(
    name: str, entrant: Entrant, image: str, size_hw: tuple[int, int], classes: Mapping[int, str]
) -> Prediction:
    kept = [i for i in range(len(_KINDS)) if i not in entrant.misses]
    # Pictures differ, or nothing could be learnt from several.
    shift = np.float32(entrant.shift * (1 + int(image[:2]) % 3 / 4)) if image[:2].isdigit() else np.float32(0)
    found = Detections(
        _BOXES[kept] + shift, np.linspace(0.9, 0.6, len(kept)).astype(np.float32), _KINDS[kept],
        np.arange(len(kept), dtype=np.int32),
    )  # fmt: skip
    return Prediction(image, 0, size_hw, found, name, classes)


def _make_measured(name: str, entrant: Entrant, together: tuple[str, ...], classes: Mapping[int, str]) -> Measured:
    info: dict[str, Any] = {
        "name": name, "family": "cnn", "class_names": classes, "net_hw": (640, 640), "engine": "openvino",
        "device": "cpu", "precision": "fp32", **entrant.info,
    }  # fmt: skip
    return Measured(
        name=name, kind="model", base=name, variant={}, status="failed" if entrant.error else "finished",
        file=f"{name}.pt", sha256=entrant.sha256, class_names=classes, error=entrant.error, info=ModelInfo(**info),
        load_s=0.5, params_m=2.0, gflops=6.0, weights_mb=4.0, net_pixels=409600.0,
        timed=None if entrant.forward_ms is None or entrant.error else _make_timed(entrant, together),
    )  # fmt: skip


def _make_timed(entrant: Entrant, together: tuple[str, ...]) -> Timed:
    forward = entrant.forward_ms or 0.0
    # Rounds of a sitting are alike, sittings differ by a percent.
    rounds = tuple(
        StageTimes((1.0,) * 4, tuple(forward * (1 + 0.005 * (i // 2 % 3) + 0.001 * k) for k in range(4)), (0.5,) * 4)
        for i in range(10)
    )
    quiet = MachineState(0.0, None)
    dealt = tuple(10 // entrant.sittings for _ in range(entrant.sittings))
    memory = PeakMemory(entrant.memory_mb, None)
    return Timed(together, 10, (2.0,) * 4, rounds, dealt, {1: 1000 / forward}, memory, None, None, quiet, quiet)
