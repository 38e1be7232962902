"""Records: what a run leaves behind, as JSON, and the way back.

One line of ``predictions.jsonl`` is one picture; ``docs/records.md`` describes every field. This is the only place
where numbers are rounded: boxes to 0.01 px, scores to 1e-5, times to a microsecond.
"""

from detectattn.records.files import find_record_files, iter_lines, iter_records, read_manifest_bytes
from detectattn.records.predictions import from_record, parse_record, record_line, to_record
from detectattn.records.run import (
    failure_from_record,
    failure_line,
    failure_to_record,
    manifest_from_json,
    manifest_to_json,
)
from detectattn.records.values import SCHEMA, check_schema

__all__ = [
    "SCHEMA",
    "check_schema",
    "failure_from_record",
    "failure_line",
    "failure_to_record",
    "find_record_files",
    "from_record",
    "iter_lines",
    "iter_records",
    "manifest_from_json",
    "manifest_to_json",
    "parse_record",
    "read_manifest_bytes",
    "record_line",
    "to_record",
]
