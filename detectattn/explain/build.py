"""From what was explained in a picture to what a report shows of it; the heavy parts stay behind."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from detectattn.attention.maps import build_map
from detectattn.attention.maps.base import Choice
from detectattn.attention.maps.cross_points import list_cross_points
from detectattn.attention.maps.encoder_rows import grid_attention
from detectattn.drawing.heat import find_top
from detectattn.explain.judge import DetectionScores
from detectattn.explain.objects import FoundObject
from detectattn.explain.picture import ExplainedPicture
from detectattn.report.explanation import DetectionExplained, HeadMaps, ObjectExplained, PointCloud, SmallMap
from detectattn.types import F32, U8

SMALL_MAP_PX = 160


def build_objects(
    objects: Sequence[FoundObject], rows: Sequence[Sequence[int | None]], explained: Sequence[ExplainedPicture]
) -> tuple[ObjectExplained, ...]:
    """What a report shows of a picture's objects.

    Args:
        objects: In the order of the rows.
        rows: By object and model, the row of ``explained``'s detections; None where the model does not find it.
        explained: By model.
    """
    return tuple(
        ObjectExplained(
            found.class_name,
            tuple(None if row is None else build_detection(e, row) for e, row in zip(explained, places, strict=True)),
            found.further,
        )
        for found, places in zip(objects, rows, strict=True)
    )


def build_detection(explained: ExplainedPicture, row: int) -> DetectionExplained:
    """What a report shows of one detection."""
    detections = explained.detections
    assert detections.query_id is not None
    x0, y0, x1, y1 = (float(v) for v in detections.xyxy[row])
    return DetectionExplained(
        xyxy=(x0, y0, x1, y1),
        score=float(detections.score[row]),
        query_id=int(detections.query_id[row]),
        maps=tuple(SmallMap(method, shrink_map(maps[row].values)) for method, maps in explained.maps.items()),
        scores=tuple(scores[row] for scores in explained.scores.values()),
        points=_list_points(explained, row),
        heads=_show_heads(explained, row),
        untold=row in explained.untold,
    )


def collect_scores(picture: tuple[str, int], explained: ExplainedPicture) -> list[DetectionScores]:
    """The scores of a picture's detections, for :func:`detectattn.explain.judge.judge_methods`."""
    return [
        DetectionScores(
            picture,
            {method: scores[row] for method, scores in explained.scores.items()},
            {method: took[row] for method, took in explained.milliseconds.items()},
        )
        for row in range(len(explained.detections))
    ]


def shrink_map(values: F32, top: float | None = None) -> U8:
    """A map f32[h, w] as grey, at most 160 px long: u8[h', w'], 255 for what is drawn brightest."""
    top = find_top(values) if top is None else top
    scale = min(1.0, SMALL_MAP_PX / max(values.shape))
    width, height = max(1, round(values.shape[1] * scale)), max(1, round(values.shape[0] * scale))
    small = np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    share = np.clip(small / top, 0, 1) if top > 0 else np.zeros_like(small)
    return np.asarray((share * 255).round(), np.uint8)


def _list_points(explained: ExplainedPicture, row: int) -> PointCloud | None:
    if not explained.evidence.record.cross_attention:
        return None
    points = list_cross_points(explained.evidence, row)
    return PointCloud(points.xy, points.weight, points.level, points.head, points.layer)


def _show_heads(explained: ExplainedPicture, row: int) -> tuple[HeadMaps, ...]:
    """What the cells in the box attend to, head by head, in each self-attention module over a feature map."""
    shown = []
    for place, block in enumerate(grid_attention(explained.evidence)):
        heads = range(block.weights.shape[1])
        maps = [build_map("encoder_rows", explained.evidence, row, Choice(head=h, layer=place)).values for h in heads]
        shown.append(HeadMaps(block.module, np.stack([shrink_map(values, float(values.max())) for values in maps])))
    return tuple(shown)
