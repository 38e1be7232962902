"""``explain.json``: every figure of an explanation, unrounded.

``docs/explain.md`` describes every key.
"""

from __future__ import annotations

from typing import Any

from detectattn.report.explanation import SCHEMA, DetectionExplained, Explanation, ModelExplained, PictureExplained
from detectattn.report.plain import render_plain, to_plain
from detectattn.results.faithfulness import REACH_BANDS, MapScore


def to_json(explanation: Explanation) -> dict[str, Any]:
    """The content of ``explain.json``: plain values, keys in the documented order, nothing rounded, NaN as None."""
    names = [model.name for model in explanation.models]
    return {
        "schema": SCHEMA,
        "kind": "explanation",
        "created": explanation.created,
        "sentences": to_plain(explanation.sentences),
        "caveats": to_plain(explanation.caveats),
        "conf": to_plain(explanation.conf),
        "top": explanation.top,
        "scored": explanation.scored,
        "image_failures": explanation.image_failures,
        "reach_bands": to_plain(REACH_BANDS),
        "fractions": _list_fractions(explanation),
        "models": {model.name: _model(model) for model in explanation.models},
        "pictures": [_picture(picture, names) for picture in explanation.pictures],
        "command": to_plain(explanation.command),
        "versions": to_plain(explanation.versions),
        "machine": to_plain(explanation.machine),
    }


def render_json(explanation: Explanation) -> str:
    """The text of ``explain.json``."""
    return render_plain(to_json(explanation))


def _model(model: ModelExplained) -> dict[str, Any]:
    own: dict[str, Any] = to_plain(model)
    del own["name"]
    own["methods"] = {figures.pop("method"): figures for figures in own["methods"]}
    return own


def _picture(picture: PictureExplained, names: list[str]) -> dict[str, Any]:
    objects = [
        {
            "class_name": found.class_name,
            "found": {name: None if d is None else _detection(d) for name, d in zip(names, found.found, strict=True)},
            "further": dict(zip(names, found.further or (0,) * len(names), strict=True)),
        }
        for found in picture.objects
    ]
    return {
        "source": picture.source,
        "index": picture.index,
        "size_hw": to_plain(picture.size_hw),
        "sheet": picture.sheet,
        "arrays": to_plain(picture.arrays),
        "below": to_plain(picture.below),
        "objects": objects,
    }


def _detection(detection: DetectionExplained) -> dict[str, Any]:
    return {
        "xyxy": to_plain(detection.xyxy),
        "score": to_plain(detection.score),
        "query_id": detection.query_id,
        "untold": detection.untold,
        "maps": {score.method: _map(score) for score in detection.scores},
    }


def _map(score: MapScore) -> dict[str, Any]:
    curve = score.curve
    return {
        "energy": to_plain(score.energy),
        "pointing": score.pointing,
        "reach": to_plain(score.reach.shares),
        "area": to_plain(score.reach.area),
        "faithfulness": None if curve is None else to_plain(curve.faithfulness),
        "insertion": None if curve is None else to_plain(curve.insertion),
        "deletion": None if curve is None else to_plain(curve.deletion),
    }


def _list_fractions(explanation: Explanation) -> list[float] | None:
    """Shares of the picture that curves were computed at; the same for all."""
    for picture in explanation.pictures:
        for found in picture.objects:
            for detection in found.found:
                for score in () if detection is None else detection.scores:
                    if score.curve is not None:
                        return list(score.curve.fractions)
    return None
