"""Figures go into a file together with the machine and the versions that they were measured with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detectattn.machine import collect_machine, collect_versions

RESULTS = Path(__file__).parent / "results"


def read_record(name: str) -> dict[str, Any] | None:
    """The figures of ``results/NAME.json``; None unless this machine measured them with these versions."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    same = record["machine"] == collect_machine() and record["versions"] == collect_versions()
    figures: dict[str, Any] = record["figures"]
    return figures if same else None


def write_record(name: str, figures: Mapping[str, Any]) -> Path:
    """Write ``results/NAME.json``; returns its path."""
    record = {"figures": figures, "machine": collect_machine(), "versions": collect_versions()}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
