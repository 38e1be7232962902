"""Make something fail, and look at what a run left that failed by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from detectattn.records import iter_records


def fail_from(number: int, fault: Callable[..., Any], job: Callable[..., Any]) -> Callable[..., Any]:
    """``job``, but ``fault`` in place of its call of that number, from 0, and of those that follow."""
    calls = iter(range(10**9))

    def call(*inputs: Any, **options: Any) -> Any:
        return (fault if next(calls) >= number else job)(*inputs, **options)

    return call


def throw(kind: type[Exception], *text: str, **hint: str) -> Callable[..., Any]:
    def fault(*_: Any, **__: Any) -> Any:
        raise kind(*text, **hint)

    return fault


def require_whole_up_to_there(folder: Path, whole: Path, status: str = "failed") -> None:
    """Whole lines for the first so many inputs, each once, with their pictures; nothing half-written."""
    assert json.loads((folder / "run.json").read_text())["status"] == status
    assert not [path for path in folder.rglob("*") if ".part" in path.name]
    records = (folder / "predictions.jsonl").read_bytes()
    assert not records or records.endswith(b"\n")
    done = [(record.source, record.index) for record in iter_records(folder / "predictions.jsonl")]
    assert done == [(record.source, record.index) for record in iter_records(whole / "predictions.jsonl")][: len(done)]
    for name in {name for name, _ in done if name.endswith(".jpg")}:
        assert (folder / "images" / name).read_bytes() == (whole / "images" / name).read_bytes()


def read_error(text: str) -> str:
    [line] = [line for line in text.splitlines() if line.startswith("error: ")]
    return line
