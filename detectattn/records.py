"""Records: what a run leaves behind, as JSON, and the way back.

One line of ``predictions.jsonl`` is one picture; ``docs/records.md`` describes every field. This is the only place
where numbers are rounded: boxes to 0.01 px, scores to 1e-5, times to a microsecond.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from detectattn.errors import NewerSchema, SourceError, SourceNotFound, TornRecord, UnreadableRecord
from detectattn.types import F32, Detections, FrameFailure, Prediction, RunManifest, StageTiming

SCHEMA = 1
"""Version of every file described here. Rises when a field changes its meaning or goes; new fields do not raise it."""

_TIMINGS = tuple(stage.name for stage in fields(StageTiming))
# Other fields of a manifest are objects.
_MANIFEST: Mapping[str, type] = {"command": list, "models": list, "failures": list, "status": str}
# Valid JSON either way, but UTF-8 has no lone surrogates (undecodable file names), and str.splitlines breaks lines at
# the others.
_TO_ESCAPE = re.compile("[\ud800-\udfff\u0085\u2028\u2029]")


def to_record(prediction: Prediction) -> dict[str, Any]:
    """One prediction as a record: plain values, keys in the documented order, numbers rounded."""
    record: dict[str, Any] = {"schema": SCHEMA, "source": prediction.source, "index": int(prediction.index)}
    if prediction.timestamp_s is not None:
        record["timestamp_s"] = _round(prediction.timestamp_s, 6)
    record["size_hw"] = [int(side) for side in prediction.size_hw]
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
            source=_text(record["source"]),
            index=_count(record["index"]),
            size_hw=_size(record["size_hw"]),
            detections=_from_rows(rows),
            model=_text(record["model"]),
            class_names={_count(row["class_id"]): _text(row["class_name"]) for row in rows},
            timing=StageTiming(**{name: _number(timing[name]) for name in _TIMINGS if name in timing}),
            timestamp_s=None if record.get("timestamp_s") is None else _number(record["timestamp_s"]),
            warnings=tuple(_text(warning) for warning in record.get("warnings", ())),
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise _unreadable(error) from error


def record_line(prediction: Prediction) -> str:
    """One prediction as a line of ``predictions.jsonl``, with its newline."""
    return _to_line(to_record(prediction))


def parse_record(line: str) -> Prediction:
    """The prediction that a line of ``predictions.jsonl`` holds.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is no JSON, or no record.
    """
    return from_record(_parse_json(line))


def find_record_files(path: Path) -> tuple[Path, ...]:
    """The records files that a path names, in their order.

    Args:
        path: A records file; a run folder, with ``predictions.jsonl`` or with parts in ``predictions/``; or that folder
            of parts.

    Returns:
        None for a folder without records.
    """
    if not path.is_dir():
        return (path,)
    whole = path / "predictions.jsonl"
    if whole.is_file():
        return (whole,)
    parts = [p for folder in (path / "predictions", path) for p in folder.glob("predictions-*.jsonl")]
    return tuple(sorted(parts, key=lambda part: (len(part.name), part.name)))


def iter_records(path: Path, *, skip_torn: bool = False) -> Iterator[Prediction]:
    """The predictions of a run, one after another, in constant memory; parts are read as one.

    Args:
        path: As :func:`find_record_files` takes it; the records may be of an earlier version.
        skip_torn: End silently before a last line that is cut short.

    Raises:
        SourceNotFound: There is no such file, or no records in that folder.
        TornRecord: The last line is cut short; raised after all whole records were yielded.
        NewerSchema: A record was written by a later version.
        UnreadableRecord: A line is no record; the message names file and line.
    """
    files = find_record_files(path)
    if not files:
        raise SourceNotFound(f"no records in {path}", hint="Name a predictions.jsonl, or its run folder")
    for file in files:
        yield from _iter_file(file, skip_torn=skip_torn and file is files[-1])


def _iter_file(path: Path, *, skip_torn: bool) -> Iterator[Prediction]:
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise SourceNotFound(f"no such file: {path}", hint="Name a predictions.jsonl, or its run folder") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", hint="Name a predictions.jsonl") from error
    with stream:
        for number, raw in enumerate(stream, start=1):
            if not raw.strip():
                continue
            prediction = _parse_numbered(raw, path, number, skip_torn=skip_torn)
            if prediction is None:
                return
            yield prediction


def failure_to_record(failure: FrameFailure) -> dict[str, Any]:
    """One failure as a record of ``failures.jsonl``."""
    return {"schema": SCHEMA, **asdict(failure)}


def failure_from_record(record: Mapping[str, Any]) -> FrameFailure:
    """The failure that a record describes; fields that are not known here are passed over.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is no record of a failure.
    """
    try:
        check_schema(record)
        index = None if record["index"] is None else _count(record["index"])
        return FrameFailure(_text(record["source"]), index, _text(record["code"]), _text(record["message"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(error) from error


def failure_line(failure: FrameFailure) -> str:
    """One failure as a line of ``failures.jsonl``, with its newline."""
    return _to_line(failure_to_record(failure))


def manifest_to_json(manifest: RunManifest) -> str:
    """A manifest as the text of ``run.json``. What JSON cannot hold (paths, infinity) becomes its text."""
    record = {
        "schema": SCHEMA,
        "command": manifest.command,
        "status": manifest.status,
        "config": manifest.config,
        "models": manifest.models,
        "versions": manifest.versions,
        "machine": manifest.machine,
        "counts": manifest.counts,
        "timing": manifest.timing,
        "failures": [asdict(failure) for failure in manifest.failures],
    }
    return _escape(json.dumps(_to_plain(record), ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def manifest_from_json(text: str) -> RunManifest:
    """The manifest that the text of a ``run.json`` holds.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is no manifest.
    """
    record = _parse_json(text)
    try:
        check_schema(record)
        known = {field.name: record[field.name] for field in fields(RunManifest) if field.name in record}
        for name, value in known.items():
            if not isinstance(value, _MANIFEST.get(name, dict)):
                raise TypeError(f"{name} is {str(value)[:40]!r}")
        known["command"] = [_text(word) for word in known["command"]]
        failures = [failure_from_record({"schema": SCHEMA, **failure}) for failure in known.pop("failures", ())]
        return RunManifest(**known, failures=failures)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(error) from error


def check_schema(record: Mapping[str, Any]) -> None:
    """Raise unless this version can read ``record``.

    Raises:
        NewerSchema: It was written by a later version.
        ValueError: It names no version.
    """
    schema = record["schema"]
    if not isinstance(schema, int) or schema < 1:
        raise ValueError(f"schema is {schema!r}")
    if schema > SCHEMA:
        raise NewerSchema(
            f"the record has schema {schema}, and this version reads up to {SCHEMA}",
            hint="Read it with a newer detectattn: pip install -U detectattn",
        )


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
        class_id=np.array([_count(row["class_id"]) for row in rows], np.int32),
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


def _number(value: Any) -> float:
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {value!r}")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"expected a number from 0, got {value!r}")
    return value


def _size(value: Sequence[object]) -> tuple[int, int]:
    height, width = value
    return _count(height), _count(width)


def _to_line(record: Mapping[str, Any]) -> str:
    return _escape(json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))) + "\n"


def _escape(text: str) -> str:
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _to_plain(value: object) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_to_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _parse_json(text: str) -> dict[str, Any]:
    try:
        record = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _unreadable(error) from error
    if not isinstance(record, dict):
        raise _unreadable(TypeError(f"expected an object, got {type(record).__name__}"))
    return record


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _parse_numbered(raw: bytes, path: Path, number: int, *, skip_torn: bool) -> Prediction | None:
    """The record in one line of a file, or None where the line is torn and may be."""
    try:
        return parse_record(raw.decode("utf-8"))
    except NewerSchema as error:
        raise NewerSchema(f"{path}, line {number}: {error.problem}", hint=error.hint) from error
    except (UnreadableRecord, UnicodeDecodeError) as error:
        # No proper prefix of an object is an object: a last line without newline that cannot be read is cut short.
        if not raw.endswith(b"\n"):
            if skip_torn:
                return None
            raise TornRecord(
                f"{path}, line {number}: the last record is cut short, as when a run is killed",
                hint="The records before it are whole; complete the run with --resume",
            ) from error
        problem = error.problem if isinstance(error, UnreadableRecord) else f"the record cannot be read ({error})"
        raise UnreadableRecord(
            f"{path}, line {number}: {problem}", hint="Remove that line, or name a predictions.jsonl that a run wrote"
        ) from error


def _unreadable(error: Exception) -> UnreadableRecord:
    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return UnreadableRecord(
        f"the record cannot be read ({reason})", hint="Name a predictions.jsonl or run.json that a run wrote"
    )
