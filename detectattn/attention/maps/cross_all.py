"""Deformable cross-attention of a detection's query in all decoder layers."""

from __future__ import annotations

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.maps.cross_points import compute_density
from detectattn.types import F32


def map_cross_all(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """The mean of what :func:`~detectattn.attention.maps.cross_last.map_cross_last` gives for every layer.

    Each layer refines the query with what it samples and adds it to what the query held before, so all have a part in
    the detection; that their parts are equal is an assumption. See :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    return compute_density(evidence.record.cross_attention, evidence.query_of(detection), choice.head, evidence.frame)
