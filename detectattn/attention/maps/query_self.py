"""Which other detections a detection's query attends to: a list of weights, no map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectattn.attention.maps.base import Choice, Evidence
from detectattn.attention.maps.choose import pick_heads, pick_layer
from detectattn.types import F32


@dataclass(frozen=True, slots=True, eq=False)
class QueryWeights:
    """Where a query's attention to queries goes; the three parts sum to 1.

    Attributes:
        others: f32[D], to each detection's query; 0 for detections of the query itself.
        itself: To itself.
        elsewhere: To queries that became no detection.
    """

    others: F32
    itself: float
    elsewhere: float


def weigh_queries(evidence: Evidence, detection: int, choice: Choice | None = None) -> QueryWeights:
    """The query's row of the self-attention among queries, of the last layer (or the one chosen), heads averaged.

    Raises:
        ConfigError: There is no such layer or head.
    """
    choice = choice or Choice()
    layer = pick_layer([b for b in evidence.record.self_attention if b.kind == "query"], choice.layer)
    query = evidence.query_of(detection)
    row: F32 = layer.weights[0, pick_heads(layer.weights.shape[1], choice.head), query].mean(axis=0)
    query_ids = evidence.detections.query_id
    assert query_ids is not None
    others = np.where(query_ids == query, np.float32(0), row[query_ids]).astype(np.float32)
    # One query may stand behind several detections of different classes.
    known = np.unique(np.append(query_ids, query))
    return QueryWeights(others, float(row[query]), float(max(row.sum() - row[known].sum(), 0.0)))
