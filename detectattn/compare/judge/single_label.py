"""One class a box, as ``predict`` gives them: records for accuracy hold a box once for every class that it may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detectattn.types import Prediction


def keep_best_label(prediction: Prediction) -> Prediction:
    """The record with the surest class of every query or anchor; unchanged where detections cannot be traced."""
    found = prediction.detections
    if found.query_id is None:
        return prediction
    # Detections stand best first, so the first of a query is its best.
    _, first = np.unique(found.query_id, return_index=True)
    return replace(prediction, detections=found.take(np.sort(first)))
