"""Verdicts on accuracy: subsets of scenes whose figures are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.verdicts.count import Count, add_up, count_studies
from benchmarks.verdicts.scenes import BoxList, Entrant
from benchmarks.verdicts.studies import World, run_studies
from benchmarks.verdicts.tables import make_equals, make_table, make_truth, shake
from detectattn.evaluation.average_precision import class_ap, compute_average_precision, mean_ap, mean_ap50
from detectattn.results import MatchTable

RTDETR = Entrant("demo-rtdetr", "demo-rtdetr")
SHORTER = Entrant("3 decoder layers", "demo-rtdetr", decoder_layers=3)
YOLO = Entrant("demo-yolo", "demo-yolo")
ENTRANTS = (RTDETR, SHORTER, YOLO)

_SHAKEN_1, _SHAKEN_2 = "1% shaken", "2% shaken"
_EQUAL_A, _EQUAL_B = "coin", "other side"
# From far apart to hard to tell; the last are about as accurate and yet different.
_PAIRS = (
    (RTDETR.name, YOLO.name),
    (RTDETR.name, SHORTER.name),
    (RTDETR.name, _SHAKEN_2),
    (RTDETR.name, _SHAKEN_1),
    (SHORTER.name, _SHAKEN_2),
    (SHORTER.name, _SHAKEN_1),
)


def make_worlds(objects: BoxList, found: Mapping[str, BoxList]) -> tuple[World, World]:
    """The models and their worsened copies; and two that are exactly equal.

    Args:
        objects: What is in the scenes.
        found: What :data:`ENTRANTS` detect, by name.
    """
    truth = make_truth(objects)
    boxes = {
        **found,
        _SHAKEN_1: shake(found[RTDETR.name], 0.01, seed=1),
        _SHAKEN_2: shake(found[RTDETR.name], 0.02, seed=2),
    }
    tables = {name: make_table(truth, b) for name, b in boxes.items()}
    equals = make_equals(tables[RTDETR.name], tables[SHORTER.name])
    return (
        World("scenes", tables, _PAIRS, most_images=400),
        # What equals are for is seen on few images as well, and 400 take their time.
        World("equals", dict(zip((_EQUAL_A, _EQUAL_B), equals, strict=True)), ((_EQUAL_A, _EQUAL_B),), most_images=100),
    )


def measure_accuracy(
    worlds: Sequence[World], counts: Mapping[int, int], folder: Path, on_progress: Callable[[str, int, int], None]
) -> list[Count]:
    """Count what studies of every size say about every pair and figure.

    Args:
        worlds: As :func:`make_worlds` makes them.
        counts: How many studies, by how many images each looks at.
        folder: Of the cache.
        on_progress: Told what is done, how much of it, of how much.
    """
    found = []
    for world in worlds:
        truth = world.compute_truth()

        def tell(done: int, total: int, name: str = world.name) -> None:
            on_progress(f"studies of {name}", done, total)

        for images, studies in run_studies(world, counts, folder, tell).items():
            found += [
                count_studies(pair, figure, images, float(truth[p, f]), studies[:, p, f])
                for p, pair in enumerate(world.pairs)
                for f, figure in enumerate(world.figures)
            ]
    return found


def describe_models(tables: Mapping[str, MatchTable]) -> dict[str, dict[str, float]]:
    """AP, AP50 and AP by class of every model on all scenes, to four places."""
    described = {}
    for name, table in tables.items():
        ap = compute_average_precision(table)
        values = [float(mean_ap(ap)), float(mean_ap50(ap)), *np.asarray(class_ap(ap)).tolist()]
        keys = ("ap50_95", "ap50", *table.class_names)
        described[name] = {key: round(value, 4) for key, value in zip(keys, values, strict=True)}
    return described


def sum_by_size(counts: Sequence[Count]) -> list[dict[str, Any]]:
    """Over all pairs: how often intervals cover and verdicts are right, by figure and number of images."""
    kinds: dict[str, Callable[[Count], bool]] = {
        "ap50_95": lambda c: c.figure == "ap50_95",
        "ap50": lambda c: c.figure == "ap50",
        "per class": lambda c: c.figure not in ("ap50_95", "ap50"),
    }
    rows = []
    for kind, belongs in kinds.items():
        for images in sorted({c.images for c in counts}):
            studies, covered, decided, wrong = add_up([c for c in counts if belongs(c) and c.images == images])
            row = {"figure": kind, "images": images, "studies": studies, "covered": covered, "decided": decided}
            rows.append(row | {"wrong": wrong})
    return rows
