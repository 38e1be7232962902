"""Predictions as records, and back: one line of ``predictions.jsonl`` is one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from detectattn.records.values import (
    SCHEMA,
    check_schema,
    make_unreadable,
    parse_json,
    to_count,
    to_line,
    to_number,
    to_size,
    to_text,
)
from detectattn.types import F32, Detections, Prediction, StageTiming

_TIMINGS = tuple(stage.name for stage in fields(StageTiming))


def to_record(prediction: Prediction) -> dict[str, Any]:
    """One prediction as a record: plain values, keys in the documented order, numbers rounded."""
    record: dict[str, Any] = {"schema": SCHEMA, "source": prediction.source, "index": int(prediction.index)}
    if prediction.timestamp_s is not None:
        record["timestamp_s"] = _round(prediction.timestamp_s, 6)
    record["size_hw"] = [int(side) for side in prediction.size_hw]
    if prediction.reduced is not None:
        record["reduced"] = int(prediction.reduced)
    record["model"] = prediction.model
    record["detections"] = _to_rows(prediction)
    record["timing"] = {name: _round(getattr(prediction.timing, name), 3) for name in _TIMINGS}
    if prediction.warnings:
        record["warnings"] = list(prediction.warnings)
    return record


def from_record(record: Mapping[str, Any]) -> Prediction:
    """The prediction that a record describes; fields that are not known here are passed over.

    Its ``class_names`` holds the classes that occur. A ``query_id`` counts only where every detection has one.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is no record.
    """
    try:
        check_schema(record)
        rows = record["detections"]
        timing = record.get("timing", {})
        return Prediction(
            source=to_text(record["source"]),
            index=to_count(record["index"]),
            size_hw=to_size(record["size_hw"]),
            detections=_from_rows(rows),
            model=to_text(record["model"]),
            class_names={to_count(row["class_id"]): to_text(row["class_name"]) for row in rows},
            timing=StageTiming(**{name: to_number(timing[name]) for name in _TIMINGS if name in timing}),
            timestamp_s=None if record.get("timestamp_s") is None else to_number(record["timestamp_s"]),
            warnings=tuple(to_text(warning) for warning in record.get("warnings", ())),
            reduced=None if record.get("reduced") is None else to_count(record["reduced"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise make_unreadable(error) from error


def record_line(prediction: Prediction) -> str:
    """One prediction as a line of ``predictions.jsonl``, with its newline."""
    return to_line(to_record(prediction))


def parse_record(line: str) -> Prediction:
    """The prediction that a line of ``predictions.jsonl`` holds.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is no JSON, or no record.
    """
    return from_record(parse_json(line))


def _to_rows(prediction: Prediction) -> list[dict[str, Any]]:
    found = prediction.detections
    # Adding zero turns -0.0 into 0.0.
    boxes = (np.round(found.xyxy.astype(np.float64), 2) + 0.0).tolist()
    scores = (np.round(found.score.astype(np.float64), 5) + 0.0).tolist()
    class_ids = found.class_id.tolist()
    rows = [
        {"xyxy": xyxy, "score": score, "class_id": class_id, "class_name": prediction.class_name(class_id)}
        for xyxy, score, class_id in zip(boxes, scores, class_ids, strict=True)
    ]
    if found.query_id is not None:
        for row, query_id in zip(rows, found.query_id.tolist(), strict=True):
            row["query_id"] = query_id
    return rows


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> Detections:
    if len(rows) == 0:
        return Detections.empty()
    query_ids = [row.get("query_id") for row in rows]
    return Detections(
        xyxy=_floats([row["xyxy"] for row in rows]),
        score=_floats([row["score"] for row in rows]),
        class_id=np.array([to_count(row["class_id"]) for row in rows], np.int32),
        query_id=None if None in query_ids else np.array(query_ids, np.int32),
    )


def _round(value: float, digits: int) -> float:
    return round(float(value), digits) + 0.0


def _floats(values: list[Any]) -> F32:
    with np.errstate(over="ignore"):
        array = np.array(values, np.float32)
    if not np.isfinite(array).all():
        raise ValueError("a box or score is not finite")
    return array
