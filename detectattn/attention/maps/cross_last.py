"""Deformable cross-attention of a detection's query in one decoder layer."""

from __future__ import annotations

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.maps.choose import pick_layer
from detectattn.attention.maps.cross_points import compute_density
from detectattn.types import F32


def map_cross_last(evidence: Evidence, detection: int, choice: Choice) -> F32:
    """The density of what the query samples in the last layer (or the layer chosen), heads averaged.

    ``sum over heads h, levels l, points p of A[h, l, p] / heads · G_l(x - x[h, l, p])``, with the attention weights A
    and places x of Deformable DETR (https://arxiv.org/abs/2010.04159, equation 3) and a Gaussian G_l of the spread of
    one cell's bilinear kernel. See :class:`~detectattn.attention.maps.base.MapBuilder`.
    """
    layer = pick_layer(evidence.record.cross_attention, choice.layer)
    return compute_density((layer,), evidence.query_of(detection), choice.head, evidence.frame)
