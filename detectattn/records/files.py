"""The records of a run: their files, and what they hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from detectattn.errors import NewerSchema, SourceError, SourceNotFound, TornRecord, UnreadableRecord
from detectattn.records.predictions import parse_record
from detectattn.types import Prediction

_MOST_LINE_BYTES = 64_000_000
_MOST_MANIFEST_BYTES = 256_000_000
_TOO_LARGE = "Name a file that a run wrote"


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


def iter_lines(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    """The lines of a file, each with its newline; one that is damaged, or no file of a run, may be without end.

    Args:
        stream: The file, at the start of a line.
        path: What messages call it.

    Raises:
        UnreadableRecord: A line is larger than a record can be.
    """
    number = 0
    while line := stream.readline(_MOST_LINE_BYTES + 1):
        number += 1
        if len(line) > _MOST_LINE_BYTES:
            problem = f"{path}, line {number}: it is longer than {_MOST_LINE_BYTES // 1_000_000} MB, as no record is"
            raise UnreadableRecord(problem, hint=_TOO_LARGE)
        yield line


def read_manifest_bytes(path: Path) -> bytes:
    """The content of a ``run.json``.

    Raises:
        OSError: It cannot be read.
        UnreadableRecord: It is larger than a manifest can be.
    """
    with path.open("rb") as stream:
        if stream.seek(0, os.SEEK_END) > _MOST_MANIFEST_BYTES:
            problem = f"{path} is larger than {_MOST_MANIFEST_BYTES // 1_000_000} MB, as no run leaves it"
            raise UnreadableRecord(problem, hint=_TOO_LARGE)
        stream.seek(0)
        return stream.read()


def _iter_file(path: Path, *, skip_torn: bool) -> Iterator[Prediction]:
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise SourceNotFound(f"no such file: {path}", hint="Name a predictions.jsonl, or its run folder") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", hint="Name a predictions.jsonl") from error
    with stream:
        for number, raw in enumerate(iter_lines(stream, path), start=1):
            if not raw.strip():
                continue
            prediction = _parse_numbered(raw, path, number, skip_torn=skip_torn)
            if prediction is None:
                return
            yield prediction


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
