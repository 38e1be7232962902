"""What ``run.json`` says of a study: as it begins, and what ran on what once that is known."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from detectattn.cli.compare_start import Start
from detectattn.compare.entrants import Entrant, FileEntrant
from detectattn.compare.study_folder import StudyFolder
from detectattn.fetch import redact_url
from detectattn.machine import collect_machine, collect_versions
from detectattn.types import RunManifest


def make_manifest(start: Start, entrants: Sequence[Entrant], folder: StudyFolder) -> RunManifest:
    """``run.json`` as the study begins; a resumed one keeps its command and date."""
    earlier = folder.read_manifest() if start.resumed else None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    options = asdict(start.config)
    return RunManifest(
        command=[redact_url(word) for word in sys.argv] if earlier is None else earlier.command,
        config={
            "study": "compare",
            "created": now if earlier is None else earlier.config["created"],
            "sources": [redact_url(text) for text in start.sources],
            "entrants": [entrant.name for entrant in entrants],
            "options": {**options, "model": [redact_url(text) for text in start.config.model]},
        },
        models=[_describe_entrant(entrant) for entrant in entrants],
        versions=collect_versions(),
        machine=collect_machine(),
    )


def describe_models(entrants: Sequence[Entrant], folder: StudyFolder) -> list[dict[str, Any]]:
    """What took part and, where it was loaded, on what it ran: a conversion with its parity gate's figures."""
    return [_describe_entrant(entrant) | _describe_run(entrant.name, folder) for entrant in entrants]


def _describe_entrant(entrant: Entrant) -> dict[str, Any]:
    if isinstance(entrant, FileEntrant):
        return {"name": entrant.name, "predictions": str(entrant.path), "sha256": entrant.sha256}
    return {"name": entrant.name, "variant": dict(entrant.variant), "weights": asdict(entrant.weights)}


def _describe_run(name: str, folder: StudyFolder) -> dict[str, Any]:
    measured = folder.read_measured(name)
    if measured is None or measured.kind == "predictions":
        return {}
    info, made = measured.info, measured.conversion
    known = {} if info is None else {key: getattr(info, key) for key in ("engine", "device", "precision", "net_hw")}
    return {**known, "conversion": None if made is None else made.to_dict()}
