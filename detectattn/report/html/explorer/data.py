"""The data of the picture browser, compact."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from markupsafe import Markup

from detectattn.drawing.families import TRUTH_COLOR, UNKNOWN_FAMILY_COLOR, WRONG_COLOR, to_hex
from detectattn.drawing.marked_boxes import UNCOUNTED_COLOR
from detectattn.report.gallery import Gallery, GalleryBox, GalleryPicture, GalleryTruth, Outcome
from detectattn.report.html.embed import embed_json
from detectattn.report.html.marks import Mark, make_marks
from detectattn.report.looks import Look

_OUTCOMES: Mapping[Outcome, int] = {"unknown": 0, "right": 1, "wrong": 2, "uncounted": 3}


@dataclass(frozen=True, slots=True)
class _Sets:
    """Sets of models in the order in which they are met."""

    places: dict[tuple[int, ...], int] = field(default_factory=dict)

    def find(self, models: tuple[int, ...]) -> int:
        return self.places.setdefault(models, len(self.places))


def explorer_data(gallery: Gallery, looks: Mapping[str, Look]) -> dict[str, Any]:
    """What the scripts show, as plain values without NaN.

    A picture is ``[source, index, width, height, path, disagreement, found, truth, overlays]``. In ``found``, each
    model has null or a flat list of nine numbers a box: class, score in thousandths, outcome (0 unknown, 1 right, 2
    wrong, 3 uncounted), object (-1 for none), place in ``finders``, left, top, right, bottom in pixels. ``truth`` is
    null or such a list of seven a box: class, counts, place in ``finders``, and the sides. ``finders`` lists each set
    of models once. Pictures inside the page are data URIs by place in ``pictures``.

    Args:
        gallery: The pictures.
        looks: Of each model; one without is grey.
    """
    marks = make_marks(looks)
    finders = _Sets()
    pictures = [_picture(picture, finders) for picture in gallery.pictures]
    inside = {str(n): _data_uri(p.jpeg) for n, p in enumerate(gallery.pictures) if p.jpeg is not None}
    return {
        "models": [_model(name, gallery.conf.get(name), marks.get(name)) for name in gallery.models],
        "classes": list(gallery.class_names),
        "colors": {
            "truth": to_hex(TRUTH_COLOR),
            "wrong": to_hex(WRONG_COLOR),
            "uncounted": to_hex(UNCOUNTED_COLOR),
        },
        "pictures": pictures,
        "finders": [list(models) for models in finders.places],
        "inside": inside,
        "leftOut": gallery.left_out,
    }


def render_explorer_json(data: Mapping[str, Any]) -> Markup:
    """The data as it may stand in a ``<script type="application/json">``.

    Raises:
        ValueError: A number is not finite.
    """
    return embed_json(data)


def _model(name: str, conf: float | None, mark: Mark | None) -> dict[str, Any]:
    return {
        "name": name,
        "color": to_hex(UNKNOWN_FAMILY_COLOR) if mark is None else mark.color,
        "mark": None if mark is None else mark.path,
        "conf": None if conf is None or not isfinite(conf) else round(conf, 3),
    }


def _picture(picture: GalleryPicture, finders: _Sets) -> list[Any]:
    height, width = picture.size_hw
    disagreement = picture.disagreement
    known = disagreement is not None and isfinite(disagreement)
    return [
        picture.source,
        picture.index,
        width,
        height,
        picture.path,
        round(disagreement or 0.0, 4) if known else None,
        [None if boxes is None else _flatten(boxes, finders) for boxes in picture.found],
        None if picture.truth is None else _flatten_truth(picture.truth, finders),
        [[overlay.model, overlay.title, overlay.path] for overlay in picture.overlays],
    ]


def _flatten(boxes: Iterable[GalleryBox], finders: _Sets) -> list[float]:
    flat: list[float] = []
    for box in boxes:
        if _is_finite(box.xyxy) and isfinite(box.score):
            number = -1 if box.object_index is None else box.object_index
            flat += [box.class_index, round(box.score * 1000), _OUTCOMES[box.outcome], number]
            flat += [finders.find(box.finders), *_round(box.xyxy)]
    return flat


def _flatten_truth(objects: Iterable[GalleryTruth], finders: _Sets) -> list[float]:
    flat: list[float] = []
    for there in objects:
        if _is_finite(there.xyxy):
            flat += [there.class_index, int(there.counts), finders.find(there.finders), *_round(there.xyxy)]
    return flat


def _is_finite(xyxy: tuple[float, float, float, float]) -> bool:
    return all(map(isfinite, xyxy))


def _round(xyxy: tuple[float, float, float, float]) -> list[float]:
    """Tenths of pixels; whole numbers without a point."""
    return [int(v) if (v := round(side, 1)) == int(v) else v for side in xyxy]


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}"
