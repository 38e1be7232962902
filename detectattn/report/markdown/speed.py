"""What each model takes: time, memory, room, energy."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.cells import UNTRUSTED
from detectattn.report.content import Report
from detectattn.report.markdown.text import DECIDED, caveats, escape, table
from detectattn.report.tables.speed import (
    RATIO_CAPTION,
    latency_table,
    ratio_table,
    size_table,
    stages_table,
    tell_published,
    tell_timing,
    throughput_table,
    timed_models,
)


def iter_speed(report: Report) -> Iterator[str]:
    """The section on time."""
    timed = timed_models(report)
    notes = caveats(report, "speed", "pixels")
    if not timed and not notes:
        return
    yield "## Speed"
    yield from notes
    if not timed:
        return
    yield tell_timing(report.conditions)
    yield table(latency_table(timed))
    if not all(speed.noise.trusted for _, speed in timed):
        yield f"{UNTRUSTED} not to be trusted: the reason is above."
    stages = stages_table(timed)
    yield f"{stages.caption}:"
    yield table(stages)
    if throughput := throughput_table(timed):
        yield f"{throughput.caption}:"
        yield table(throughput)
    if ratios := ratio_table(report):
        yield f"{RATIO_CAPTION}; {DECIDED}:"
        yield table(ratios)


def iter_size(report: Report) -> Iterator[str]:
    """The section on memory, size and energy."""
    sizes = size_table(report)
    if sizes is None:
        return
    yield "## Memory and size"
    yield table(sizes)
    if note := tell_published(report):
        yield escape(note)
