"""Raw head outputs of two models set against each other: for pictures in which nothing is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectattn.boxes import xywh_to_xyxy
from detectattn.conversion.gate_figures import RawFigures
from detectattn.engines.base import HeadLayout
from detectattn.types import F32

TOP_ROWS = 100
"""Rows of a picture that are compared, those that the reference scores highest: the rest is background."""
_LEAST_SCORE = 0.01
"""A score below this is as good as none, and half of it no great error."""

Outputs = tuple[F32, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RawRows:
    """The rows of one picture: boxes f32[R, 4] (xyxy, network pixels) and scores f32[R, C]."""

    xyxy: F32
    scores: F32


def read_rows(layout: HeadLayout, outputs: Outputs, net_hw: tuple[int, int]) -> RawRows | None:
    """The rows of the first picture of a batch; None for a head that has selected among them already."""
    if layout == "yolo_dense":
        table = outputs[0][0].T
        return RawRows(xywh_to_xyxy(np.ascontiguousarray(table[:, :4])), table[:, 4:])
    if layout == "yolo_one2one":
        return RawRows(outputs[0][0, :, :4], outputs[0][0, :, 4:])
    if layout == "rtdetr_dense":
        table = np.concatenate([output[0] for output in outputs], axis=1)
        size = np.array([net_hw[1], net_hw[0]] * 2, np.float32)
        return RawRows(xywh_to_xyxy(table[:, :4]) * size, table[:, 4:])
    return None


def compare_raw(
    layout: HeadLayout, triples: Sequence[tuple[RawRows, RawRows, RawRows]], net_hw: tuple[int, int]
) -> RawFigures:
    """Set raw outputs against each other.

    Args:
        layout: Of both models.
        triples: A picture's rows of the reference, of the candidate, and of the reference on the same picture with
            noise of a millionth. Where the latter two are equally far off, the outputs hang on rounding: an untrained
            RT-DETR gives all places the same score and picks its queries by accident.
        net_hw: Height and width of the input.
    """
    errors = np.array([_compare(layout, a, b, net_hw) for a, b, _ in triples])
    floors = np.array([_compare(layout, a, noisy, net_hw) for a, _, noisy in triples])
    box, score, rows = errors.mean(axis=0).tolist()
    box_floor, score_floor, _ = floors.mean(axis=0).tolist()
    return RawFigures(
        picture_count=len(triples),
        row_count=round(rows * len(triples)),
        box_error=box,
        score_error=score,
        box_floor=box_floor,
        score_floor=score_floor,
    )


def _compare(layout: HeadLayout, a: RawRows, b: RawRows, net_hw: tuple[int, int]) -> tuple[float, float, int]:
    """Error of boxes, error of scores, rows compared."""
    top = np.argsort(-a.scores.max(axis=1), kind="stable")[:TOP_ROWS]
    a = RawRows(a.xyxy[top], a.scores[top])
    # A YOLO's row is a place in the picture. An RT-DETR's is a query, and two that score alike swap places.
    partner = _find_nearest(a, b, net_hw) if layout == "rtdetr_dense" else top
    b = RawRows(b.xyxy[partner], b.scores[partner])
    sides = np.maximum(a.xyxy[:, 2:] - a.xyxy[:, :2], 1)
    box = np.abs(a.xyxy - b.xyxy).mean() / sides.mean()
    score = np.abs(a.scores - b.scores).sum() / max(a.scores.sum(), _LEAST_SCORE * len(top))
    return float(box), float(score), len(top)


def _find_nearest(a: RawRows, b: RawRows, net_hw: tuple[int, int]) -> NDArray[np.intp]:
    """For each row of ``a`` the one of ``b`` that is most like it, in box (as a share of the input) and scores."""
    box = np.abs(a.xyxy[:, None] - b.xyxy).max(axis=2) / max(net_hw)
    score = np.abs(a.scores[:, None] - b.scores).max(axis=2)
    nearest: NDArray[np.intp] = (box + score).argmin(axis=1)
    return nearest
