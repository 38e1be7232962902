"""Records: ``predictions.jsonl``, failures and the manifest of a run."""

from __future__ import annotations

from pathlib import Path

from detectattn.records import (
    failure_line,
    iter_records,
    manifest_from_json,
    manifest_to_json,
    parse_record,
    record_line,
)
from detectattn.types import Prediction
from fuzz.contract import read_or_refuse
from fuzz.target import Target


def run(content: bytes, folder: Path) -> None:
    """Read as each of the three; what is read can be written, and read again."""
    path = folder / "predictions.jsonl"
    path.write_bytes(content)
    for skip_torn in (False, True):
        predictions = read_or_refuse(_read_all, path, skip_torn)
        for prediction in predictions or ():
            line = record_line(prediction)
            assert record_line(parse_record(line)) == line
    text = content.decode("utf-8", "replace")
    manifest = read_or_refuse(manifest_from_json, text)
    if manifest is not None:
        manifest_from_json(manifest_to_json(manifest))
        for failure in manifest.failures:
            failure_line(failure)


def _read_all(path: Path, skip_torn: bool) -> list[Prediction]:
    return list(iter_records(path, skip_torn=skip_torn))


TARGET = Target(
    reads="predictions.jsonl, failures and run.json",
    modules=("detectattn.records", "detectattn.types"),
    run=run,
    is_json=True,
)
