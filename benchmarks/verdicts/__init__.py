"""Verdicts must hold: counted on thousands of scenes whose truth is known, and on many short studies of speed."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.verdicts.accuracy import (
    ENTRANTS,
    RTDETR,
    YOLO,
    describe_models,
    make_worlds,
    measure_accuracy,
    sum_by_size,
)
from benchmarks.verdicts.latency import count_ratios, time_models
from benchmarks.verdicts.render import render
from benchmarks.verdicts.resampling import time_resampling
from benchmarks.verdicts.scenes import load_boxes
from benchmarks.verdicts.studies import World
from detectattn.weights.cache import cache_dir

__all__ = ["PARTS", "Plan", "measure", "render"]

PARTS = ("accuracy", "resampling", "latency")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is run.

    Attributes:
        parts: Of :data:`PARTS`.
        scenes: How many are the whole.
        studies: Of accuracy, by how many images each looks at. Fewer of the largest, which take longest.
        speed_studies: Of latency.
        folder: Of the cache.
    """

    parts: tuple[str, ...] = PARTS
    scenes: int = 3000
    studies: Mapping[int, int] = field(default_factory=lambda: {25: 400, 100: 200, 400: 40})
    speed_studies: int = 40
    folder: Path = field(default_factory=lambda: cache_dir() / "benchmarks" / "verdicts")


def measure(plan: Plan | None = None) -> dict[str, Any]:
    """Run what was planned; what an earlier call left in the cache is not run again."""
    plan = plan or Plan()
    figures: dict[str, Any] = {"models": {e.name: e.locate().sha256 for e in ENTRANTS if e.decoder_layers is None}}
    started_s = time.monotonic()
    if {"accuracy", "resampling"} & set(plan.parts):
        objects, found = load_boxes(ENTRANTS, plan.scenes, plan.folder, lambda *done: _tell("scenes", *done))
        worlds = make_worlds(objects, found)
        if "accuracy" in plan.parts:
            figures["accuracy"] = _measure_accuracy(plan, worlds)
        if "resampling" in plan.parts:
            tables = worlds[0].tables
            figures["resampling"] = time_resampling(tables[RTDETR.name], tables[YOLO.name])
    if "latency" in plan.parts:
        figures["latency"] = _measure_latency(plan)
    figures["took_s"] = round(time.monotonic() - started_s)
    return figures


def _measure_accuracy(plan: Plan, worlds: tuple[World, World]) -> dict[str, Any]:
    counts = measure_accuracy(worlds, plan.studies, plan.folder, _tell)
    return {
        "scenes": plan.scenes,
        "known": describe_models(worlds[0].tables),
        "counts": [count.to_dict() for count in counts],
        "totals": sum_by_size(counts),
    }


def _measure_latency(plan: Plan) -> dict[str, Any]:
    again = f"{YOLO.name} again"
    models = {RTDETR.name: RTDETR.model, YOLO.name: YOLO.model, again: YOLO.model}
    timings = time_models(models, plan.speed_studies, lambda *done: _tell("studies of speed", *done))
    counts = [
        count_ratios(timings, (RTDETR.name, YOLO.name)),
        count_ratios(timings, (YOLO.name, again), same_model=True),
    ]
    return {
        "studies": len(timings.rounds),
        "trusted": sum(timings.trusted),
        "counts": [count.to_dict() for count in counts],
    }


def _tell(what: str, done: int, total: int) -> None:
    print(f"\r{what}: {done:,} of {total:,}", end="\n" if done == total else "", file=sys.stderr, flush=True)
