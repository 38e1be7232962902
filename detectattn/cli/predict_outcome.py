"""What came of a run of ``predict``: the end of its ``run.json``, and what a person reads of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from detectattn.cli.console import Notices
from detectattn.cli.exit_codes import EXIT_FAILED, EXIT_PARTIAL
from detectattn.cli.predict_model import note_recovered
from detectattn.cli.summary import render_summary
from detectattn.config import PredictConfig
from detectattn.pipeline.live import Live
from detectattn.pipeline.tally import RunTally
from detectattn.sources.base import ReadCounts
from detectattn.types import RunManifest

_ENDED = ("finished", "stopped", "interrupted")


@dataclass(slots=True, eq=False)
class PredictOutcome:
    """What came of a run, kept while it goes on.

    Attributes:
        tally: What was done so far.
        reads: What was read so far, and what was left out.
        live: Its streams, once it is known how they are read.
    """

    tally: RunTally = field(default_factory=RunTally)
    reads: ReadCounts = field(default_factory=ReadCounts)
    live: Live | None = None

    def complete(self, manifest: RunManifest) -> RunManifest:
        """What ``run.json`` says in the end, from what it said at the beginning."""
        tally = self.tally
        status = "failed" if tally.status == "running" else tally.status
        counts = {**self._count(), "skipped": dict(self.reads.skipped)}
        timing = {**manifest.timing, **tally.timing()}
        models = [note_recovered(manifest.models[0], tally)]
        return replace(manifest, status=status, models=models, counts=counts, timing=timing, failures=tally.failures)

    def tell(self, folder: Path, config: PredictConfig, notices: Notices, *, as_json: bool) -> None:
        """Say how the run went, on standard output, and how to go on with it where that is possible.

        Args:
            folder: The run's.
            config: The options that applied.
            notices: Told how to go on; where it is quiet, nothing else is said.
            as_json: Print one JSON object in place of the closing tables.
        """
        status = self.tally.status
        if status in _ENDED and as_json:
            data = {"schema": 1, "command": "predict", "data": self._to_json(folder)}
            print(json.dumps(data, ensure_ascii=False))
        elif status in _ENDED and not notices.quiet:
            print("\n".join(render_summary(self.tally, self.reads, folder, config, self.live)))
        if status != "finished" and not (self.live and self.live.is_begun):
            notices.say(f"`detectattn predict --resume {folder}` goes on from there")

    def to_exit_code(self) -> int:
        """The exit code of a run that came to its end."""
        if not self.tally.failures:
            return 0
        return EXIT_PARTIAL if self.tally.done else EXIT_FAILED

    def _to_json(self, folder: Path) -> Mapping[str, Any]:
        tally = self.tally
        return {
            "run": str(folder),
            "status": tally.status,
            "counts": self._count(),
            "timing": tally.timing(),
            "failures": [asdict(failure) for failure in tally.failures],
        }

    def _count(self) -> dict[str, Any]:
        return {**self.tally.counts(), **(self.live.counts() if self.live else {})}
