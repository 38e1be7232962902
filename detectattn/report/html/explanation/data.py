"""What the browser of explained pictures is drawn from, compact."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import cv2
import numpy as np

from detectattn.drawing.families import UNKNOWN_FAMILY_COLOR, to_hex
from detectattn.drawing.heat import LEVEL_COLORS
from detectattn.drawing.palette import casing_color
from detectattn.report.explanation import (
    DetectionExplained,
    Explanation,
    ModelExplained,
    ObjectExplained,
    PictureExplained,
)
from detectattn.report.html.explanation.pack import Pack
from detectattn.report.html.explanation.paths import name_picture, to_url
from detectattn.report.html.marks import Mark
from detectattn.results.explanation import MethodFigures
from detectattn.results.faithfulness import MapScore
from detectattn.sources.naming import to_one_line

_JPEG_STARTS = b"\xff\xd8"


@dataclass(frozen=True, slots=True)
class _Places:
    """Where models and their methods stand in the data.

    Attributes:
        models: By name.
        methods: By model, by key.
    """

    models: Mapping[str, int]
    methods: tuple[Mapping[str, int], ...]


def explanation_data(explanation: Explanation, marks: Mapping[str, Mark]) -> dict[str, Any]:
    """What the scripts show, as plain values without NaN.

    A detection's ``maps`` hold six numbers each: the method's place among its model's, where the map lies in the
    picture's ``pack`` (:class:`~detectattn.report.html.explanation.pack.Pack`), its width and height there, the share
    of its mass inside the box and its faithfulness, null where there is none. ``points`` holds where they lie and how
    many; ``heads`` the module, the number of heads, and where their maps lie, of which width and height.

    Args:
        explanation: The run.
        marks: Of each model.
    """
    models = explanation.models
    places = _Places(
        {model.name: place for place, model in enumerate(models)},
        tuple({f.method: place for place, f in enumerate(model.methods)} for model in models),
    )
    return {
        "models": [_model(model, marks.get(model.name)) for model in models],
        "inferno": _list_inferno(),
        "levels": [[to_hex(color), to_hex(casing_color(color))] for color in LEVEL_COLORS],
        "pictures": [_picture(p, models, places) for p in explanation.pictures if p.jpeg is not None],
    }


def _model(model: ModelExplained, mark: Mark | None) -> dict[str, Any]:
    height, width = model.net_hw
    return {
        "name": to_one_line(model.name),
        "color": to_hex(UNKNOWN_FAMILY_COLOR) if mark is None else mark.color,
        "mark": "" if mark is None else mark.path,
        "input": [width, height],
        "methods": [_method(figures) for figures in model.methods],
        "first": next((i for i, f in enumerate(model.methods) if f.method == model.default_method), 0),
    }


def _method(figures: MethodFigures) -> dict[str, Any]:
    return {"key": figures.method, "title": to_one_line(figures.title), "worth": figures.worth,
            "meaning": to_one_line(figures.meaning)}  # fmt: skip


def _picture(picture: PictureExplained, models: Sequence[ModelExplained], places: _Places) -> dict[str, Any]:
    pack = Pack()
    height, width = picture.size_hw
    objects = [_object(found, places, pack) for found in picture.objects]
    return {
        "name": name_picture(picture),
        "width": width,
        "height": height,
        "image": _data_uri(picture.jpeg or b""),
        "sheet": None if picture.sheet is None else to_url(picture.sheet),
        "arrays": [to_url(picture.arrays[m.name]) if m.name in picture.arrays else None for m in models],
        "below": sorted(places.models[name] for name in picture.below if name in places.models),
        "objects": objects,
        "pack": pack.render(),
    }


def _object(found: ObjectExplained, places: _Places, pack: Pack) -> dict[str, Any]:
    return {
        "name": to_one_line(found.class_name),
        "found": [
            None if d is None else _detection(d, methods, pack)
            for d, methods in zip(found.found, places.methods, strict=True)
        ],
    }


def _detection(detection: DetectionExplained, methods: Mapping[str, int], pack: Pack) -> dict[str, Any]:
    scores = {score.method: score for score in detection.scores}
    return {
        "box": [round(side, 1) for side in detection.xyxy],
        "score": round(detection.score, 5),
        "query": detection.query_id,
        "untold": detection.untold,
        "maps": [
            [methods[m.method], *pack.add_maps(m.grey[None]), *_worth(scores.get(m.method))]
            for m in detection.maps
            if m.method in methods
        ],
        "points": None if detection.points is None else pack.add_points(detection.points),
        "heads": [[to_one_line(h.module), len(h.grey), *pack.add_maps(h.grey)] for h in detection.heads if len(h.grey)],
    }


def _worth(score: MapScore | None) -> tuple[float | None, float | None]:
    """Share of the mass inside the box, and faithfulness."""
    if score is None:
        return None, None
    return _known(score.energy), None if score.curve is None else _known(score.curve.faithfulness)


def _known(value: float) -> float | None:
    return round(value, 4) if isfinite(value) else None


def _list_inferno() -> list[int]:
    """Red, green and blue of every step of the scale, as :func:`detectattn.drawing.heat.draw_heat` has it."""
    steps = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO)
    return [int(value) for value in steps.reshape(-1, 3)[:, ::-1].ravel()]


def _data_uri(jpeg: bytes) -> str:
    if not jpeg.startswith(_JPEG_STARTS):
        raise ValueError("a picture for the page must be a JPEG")
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}"
