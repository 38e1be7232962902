"""``run.json``, and the lines of ``failures.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from detectattn.records.values import (
    SCHEMA,
    check_schema,
    escape,
    make_unreadable,
    parse_json,
    to_count,
    to_line,
    to_plain,
    to_text,
)
from detectattn.types import FrameFailure, RunManifest

# Other fields of a manifest are objects.
_MANIFEST: Mapping[str, type] = {
    "command": list, "models": list, "failures": list, "status": str, "working_directory": str,
}  # fmt: skip


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
        index = None if record["index"] is None else to_count(record["index"])
        return FrameFailure(to_text(record["source"]), index, to_text(record["code"]), to_text(record["message"]))
    except (KeyError, TypeError, ValueError) as error:
        raise make_unreadable(error) from error


def failure_line(failure: FrameFailure) -> str:
    """One failure as a line of ``failures.jsonl``, with its newline."""
    return to_line(failure_to_record(failure))


def manifest_to_json(manifest: RunManifest) -> str:
    """A manifest as the text of ``run.json``. What JSON cannot hold (paths, infinity) becomes its text."""
    record = {
        "schema": SCHEMA,
        "command": manifest.command,
        **({"working_directory": manifest.working_directory} if manifest.working_directory else {}),
        "status": manifest.status,
        "config": manifest.config,
        "models": manifest.models,
        "versions": manifest.versions,
        "machine": manifest.machine,
        "counts": manifest.counts,
        "timing": manifest.timing,
        "failures": [asdict(failure) for failure in manifest.failures],
    }
    return escape(json.dumps(to_plain(record), ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def manifest_from_json(text: str) -> RunManifest:
    """The manifest that the text of a ``run.json`` holds.

    Raises:
        NewerSchema: It was written by a later version.
        UnreadableRecord: It is no manifest.
    """
    record = parse_json(text)
    try:
        check_schema(record)
        known = {field.name: record[field.name] for field in fields(RunManifest) if field.name in record}
        for name, value in known.items():
            if not isinstance(value, _MANIFEST.get(name, dict)):
                raise TypeError(f"{name} is {str(value)[:40]!r}")
        known["command"] = [to_text(word) for word in known["command"]]
        if not all(isinstance(model, dict) for model in known["models"]):
            raise TypeError("models holds something that is no object")
        failures = [failure_from_record({"schema": SCHEMA, **failure}) for failure in known.pop("failures", ())]
        return RunManifest(**known, failures=failures)
    except (KeyError, TypeError, ValueError) as error:
        raise make_unreadable(error) from error
