"""The closing tables of a run on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from detectattn.cli.console import format_duration, format_rate, format_table
from detectattn.cli.summary import render_classes, render_skipped
from detectattn.config import PredictConfig
from detectattn.distributed.board import Progress
from detectattn.distributed.counts import Counts
from detectattn.distributed.recorded import list_done, sum_markers
from detectattn.sources.naming import to_one_line
from detectattn.storage import Store
from detectattn.types import FrameFailure

_MOST_FAILURES = 5


@dataclass(slots=True, eq=False)
class ClusterOutcome:
    """What came of a run, kept while it goes on.

    Attributes:
        store: Where it is; None before that is known.
        status: As in ``run.json``.
        counts: Of the whole run, earlier sittings included.
        counted: Shards that are among them.
        done_before: Pictures that earlier sittings did.
        inputs_before: Inputs that they did.
        failed_before: Inputs of them that failed.
        begun: Whether this sitting's work has begun.
        wall_s: How long it took, once it has ended; starting up, until the first replica is ready, is not part of it.
        progress: What each machine did in it.
        labels: What machines are called, by Ray's names for them.
        skipped: Files that are neither pictures nor videos, by suffix.
        failures: Some of those that failed, in their order.
    """

    store: Store | None = None
    status: str = "failed"
    counts: Counts = field(default_factory=Counts)
    counted: set[int] = field(default_factory=set)
    done_before: int = 0
    inputs_before: int = 0
    failed_before: int = 0
    begun: bool = False
    wall_s: float = 0.0
    progress: Progress = field(default_factory=Progress)
    labels: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    failures: Sequence[FrameFailure] = ()

    @property
    def place(self) -> str:
        """Where it is."""
        return "" if self.store is None else self.store.url

    @property
    def rate(self) -> float:
        """Pictures a second in this sitting."""
        return (self.counts.pictures - self.done_before) / self.wall_s if self.wall_s else 0.0

    def begin(self) -> None:
        """What is counted so far was done before."""
        self.done_before, self.inputs_before = self.counts.pictures, self.counts.inputs
        self.failed_before = self.counts.failures.total()
        self.begun = True

    def add(self, shard: int, counts: Counts) -> None:
        """Count a shard that is done."""
        if shard not in self.counted:
            self.counted.add(shard)
            self.counts.add(counts)

    def catch_up(self) -> None:
        """Count the shards whose markers are there and who were not heard of, and note the time.

        Raises:
            FetchError: The store cannot be read.
        """
        assert self.store is not None
        self.wall_s = self.progress.worked_s
        unheard = list_done(self.store) - self.counted
        self.counts.add(sum_markers(unheard, self.store))
        self.counted |= unheard


def render_cluster_summary(outcome: ClusterOutcome, config: PredictConfig) -> list[str]:
    """Lines for standard output: what was done, where, found, failed and skipped, and where it is."""
    counts = outcome.counts
    return [
        _headline(outcome),
        *_machines(outcome),
        *render_classes(counts.detections, counts.images_with, counts.pictures, counts.frames > counts.images, config),
        *_failures(outcome),
        *render_skipped(outcome.skipped),
        "",
        *_places(outcome, config),
    ]


def _headline(outcome: ClusterOutcome) -> str:
    counts = outcome.counts
    parts = [f"{number:,} {noun}{'' if number == 1 else 's'}" for number, noun in _numbers(counts) if number]
    unit = "frames" if counts.frames > counts.images else "images"
    how = {"interrupted": "interrupted after ", "stopped": "stopped after "}.get(outcome.status, "")
    before = f", {outcome.done_before:,} of them before, the rest" if outcome.done_before else ""
    failed = f", {counts.failures.total():,} failed" if counts.failures else ""
    took = f"{format_duration(outcome.wall_s)} ({format_rate(outcome.rate)} {unit}/s)"
    return f"{how}{' and '.join(parts) or 'nothing'}{before} in {took}{failed}"


def _numbers(counts: Counts) -> tuple[tuple[int, str], ...]:
    return (counts.images, "image"), (counts.frames, "frame")


def _machines(outcome: ClusterOutcome) -> Iterator[str]:
    nodes = outcome.progress.nodes
    if len(nodes) > 1:
        yield ""
        rows = [
            (outcome.labels.get(name, name[:12]), f"{node.replicas:,}", f"{node.pictures:,}")
            for name, node in nodes.items()
        ]
        yield from format_table(("machine", "replicas", "images"), rows, numbers=(1, 2))
    if outcome.progress.redone:
        yield f"{outcome.progress.redone:,} shards were begun again: a replica or a machine had died"


def _failures(outcome: ClusterOutcome) -> Iterator[str]:
    codes = outcome.counts.failures
    if not codes:
        return
    yield ""
    yield from format_table(("failed", "inputs"), [(code, f"{n:,}") for code, n in codes.most_common()], numbers=(1,))
    for failure in outcome.failures[:_MOST_FAILURES]:
        yield f"  {to_one_line(failure.message)}"
    if codes.total() > _MOST_FAILURES:
        yield f"  and {codes.total() - _MOST_FAILURES:,} more, in failures/"


def _places(outcome: ClusterOutcome, config: PredictConfig) -> Iterator[str]:
    pictures = (("pictures", "images/"),) if config.images and outcome.counts.images else ()
    videos = (("videos", "videos/"),) if config.images and outcome.counts.frames else ()
    failures = (("failures", "failures/"),) if outcome.counts.failures else ()
    saved = tuple((name, f"{name}/") for name in dict.fromkeys(config.save))
    records = (("records", "predictions/"),)
    for label, name in (*pictures, *videos, *records, *saved, *failures, ("the run", "run.json")):
        yield f"{label:<9} {to_one_line(f'{outcome.place}/{name}')}"
