"""Explanations of made-up figures, which no model has to be run for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detectattn.attention.maps import METHODS
from detectattn.explain.default_map import choose_default
from detectattn.explain.judge import DetectionScores, judge_methods
from detectattn.report.explanation import (
    DetectionExplained,
    Explanation,
    ModelExplained,
    ObjectExplained,
    PictureExplained,
)
from detectattn.results.faithfulness import MapScore, PerturbationCurve, Reach
from detectattn.types import Family

AREA = (0.05, 0.05, 0.1, 0.2, 0.6)


def make_score(method: str, inside: float, faithfulness: float | None) -> MapScore:
    outside = 1 - inside
    reach = Reach((inside, outside / 2, outside / 4, outside / 8, outside / 8), AREA)
    curve = None if faithfulness is None else PerturbationCurve((0.1, 0.5), (0.5 + faithfulness,) * 2, (0.5, 0.5))
    return MapScore(method, inside, inside > 0.5, reach, curve)


def make_pictures(
    models: Mapping[str, Mapping[str, tuple[float, float | None]]], images: int = 6, each: int = 2, noise: float = 0.01
) -> tuple[PictureExplained, ...]:
    """Pictures whose objects every model finds; of each method the share inside the box and the faithfulness."""
    rng = np.random.default_rng(0)

    def find(maps: Mapping[str, tuple[float, float | None]]) -> DetectionExplained | None:
        if not maps:
            return None
        scores = tuple(
            make_score(m, inside + rng.normal(0, noise), None if f is None else f + rng.normal(0, noise))
            for m, (inside, f) in maps.items()
        )
        return DetectionExplained((1.0, 2.0, 30.0, 40.0), 0.9, 7, (), scores, None, ())

    return tuple(
        PictureExplained(
            f"{i}.jpg", 0, (100, 200), f"images/{i}.jpg", {name: f"explain/{name}/{i}.npz" for name in models}, None,
            tuple(ObjectExplained("car", tuple(find(maps) for maps in models.values())) for _ in range(each)), (),
        )
        for i in range(images)
    )  # fmt: skip


def judge(
    pictures: Sequence[PictureExplained], names: Mapping[str, Family], wanted: Sequence[str] = ()
) -> tuple[ModelExplained, ...]:
    models = []
    for place, (name, family) in enumerate(names.items()):
        rows = [
            DetectionScores((p.source, 0), {s.method: s for s in d.scores}, {s.method: 2.0 for s in d.scores})
            for p in pictures
            for o in p.objects
            if (d := o.found[place]) is not None
        ]
        figures = judge_methods(rows, {m: (known.title, known.meaning) for m, known in METHODS.items()})
        methods = tuple(f.method for f in figures) or ("layercam",)
        chosen = choose_default(figures, methods, wanted)
        attention = "" if family == "cnn" else "self-attention"
        models.append(
            ModelExplained(
                name, family, "torch", "cpu", (640, 640), f"{name}.pt", "ab" * 32, attention, figures, chosen.method,
                chosen.reason,
            )
        )  # fmt: skip
    return tuple(models)


def make_explanation(
    models: Sequence[ModelExplained], pictures: Sequence[PictureExplained], sentences: Sequence[str] = ("One.",)
) -> Explanation:
    return Explanation(
        "2026-01-02T03:04:05+00:00", tuple(sentences), ("Beware.",), tuple(models), tuple(pictures), 0.25, 8,
        any(f.faithfulness for m in models for f in m.methods), 1, ("detectattn", "explain"), {"python": "3.12"},
        {"cpu": "a"},
    )  # fmt: skip
