"""One shard through the local pipeline, into a folder of its own; nothing of Ray."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from detectattn.distributed.counts import Counts
from detectattn.distributed.manifest import Item
from detectattn.distributed.settings import RunSettings
from detectattn.errors import WorkerDied
from detectattn.pipeline.recovery import KeptModel
from detectattn.pipeline.run import run_pipeline
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.sinks.base import Sink
from detectattn.sinks.failures import FailureLog
from detectattn.sources import iter_frames
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.types import Frame, FrameFailure, Media, Prediction


@dataclass(frozen=True, slots=True, eq=False)
class ShardWork:
    """The model, and how a shard goes through it.

    Attributes:
        model: The model, as this replica has it for all its shards.
        settings: What all replicas do alike.
        read: How inputs are read for this shard.
    """

    model: KeptModel
    settings: RunSettings
    read: ReadOptions

    def run(self, items: Sequence[Item], folder: Path, tally: RunTally) -> Counts:
        """Run all inputs of a shard at once.

        Args:
            items: The inputs.
            folder: Empty; what is written goes there.
            tally: Counts while it goes on.

        Raises:
            DetectattnError: The engine or a sink failed.
        """
        start_s = time.monotonic()
        counts, reads = Counts(inputs=len(items)), ReadCounts()
        sinks = self.settings.open_sinks(folder, self.model.detector.info)
        with FailureLog(folder / "failures.jsonl") as failures:
            self._run(items, sinks, tally, reads, failures)
        counts.add_tally(tally)
        counts.reduced, counts.work_s = reads.reduced, time.monotonic() - start_s
        return counts

    def run_one_by_one(
        self, items: Sequence[Item], folder: Path, poisoned: Collection[int], on_begin: Callable[[int], None]
    ) -> Counts:
        """Run the inputs of a shard one after another: so that what ends this process is known when it does.

        Args:
            items: The inputs.
            folder: Empty; what is written goes there.
            poisoned: Places of inputs that ended processes before; each becomes a failure.
            on_begin: Told the place of each input before it is opened.

        Raises:
            DetectattnError: The engine or a sink failed.
        """
        start_s = time.monotonic()
        counts, reads = Counts(inputs=len(items)), ReadCounts()
        sinks = self.settings.open_sinks(folder, self.model.detector.info)
        with FailureLog(folder / "failures.jsonl") as failures:
            for place, item in enumerate(items):
                on_begin(place)
                tally = RunTally()
                tried = to_failure(item) if place in poisoned and isinstance(item, Media) else item
                self._run([tried], [_KeptOpen(sink) for sink in sinks], tally, reads, failures)
                counts.add_tally(tally)
        for sink in sinks:
            sink.close()
        counts.reduced, counts.work_s = reads.reduced, time.monotonic() - start_s
        return counts

    def _run(
        self, items: Sequence[Item], sinks: Sequence[Sink], tally: RunTally, reads: ReadCounts, failures: FailureLog
    ) -> None:
        workers = self.settings.workers
        run_pipeline(
            items,
            lambda media: reads.watch(iter_frames(media, self.read)),
            self.model.detector,
            sinks[:-1],
            sinks[-1],
            RunOptions(self.settings.thresholds, read_workers=workers, write_workers=workers),
            tally,
            on_failure=failures.write,
            rescue=self.model.to_rescue(),
        )


def to_failure(media: Media) -> FrameFailure:
    """The failure of an input that ends processes."""
    died = WorkerDied(
        f"{media.source} ended every process that worked on it",
        hint="Look at the file with another program, convert it, or leave it out",
    )
    return FrameFailure(media.source, None, died.code, str(died))


class _KeptOpen:
    """A sink that stays open over several runs of the pipeline."""

    parallel: ClassVar[bool] = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, frame: Frame, prediction: Prediction) -> None:
        self._sink.write(frame, prediction)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        self._sink.recall(frame, prediction)

    def close(self) -> None:
        """It is closed when all inputs are done."""

    def abort(self) -> None:
        self._sink.abort()
