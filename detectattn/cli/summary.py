"""The closing tables of a run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from detectattn.cli.console import format_duration, format_rate, format_table
from detectattn.config import PredictConfig
from detectattn.pipeline.live import Live
from detectattn.pipeline.tally import RunTally
from detectattn.pipeline.timeline import Stage
from detectattn.sources.base import ReadCounts
from detectattn.sources.naming import to_one_line

_MOST_CLASSES = 12
_MOST_FAILURES = 5
_SAVED = {"csv": "predictions.csv"}
_ENOUGH_TO_TELL = 8
_WORTH_NAMING = 0.01
_STAGE_NAMES: Mapping[Stage, str] = {
    "decode": "decode",
    "preprocess": "preprocess",
    "infer": "inference",
    "postprocess": "postprocess",
    "write": "write",
}


def render_summary(
    tally: RunTally, counts: ReadCounts, folder: Path, config: PredictConfig, live: Live | None = None
) -> list[str]:
    """Lines for standard output: what was done, found, failed and skipped, and what to open and type next."""
    return [
        _headline(tally),
        *(_streams(live) if live is not None and live.is_begun else _busy(tally)),
        *render_classes(tally.detections, tally.images_with, tally.done, tally.frames > tally.images, config),
        *_failures(tally),
        *render_skipped(counts.skipped),
        "",
        *_next_steps(folder, tally, config),
    ]


def _headline(tally: RunTally) -> str:
    parts = [_count(tally.images, "image"), _count(tally.frames, "frame")]
    done = " and ".join(part for part in parts if part) or "nothing"
    unit = "frames" if tally.frames > tally.images else "images"
    rate = format_rate(tally.rate)
    how = {"interrupted": "interrupted after ", "stopped": "stopped after "}.get(tally.status, "")
    failed = f", {len(tally.failures):,} failed" if tally.failures else ""
    before = f", {tally.done_before:,} of them before, the rest" if tally.done_before else ""
    return f"{how}{done}{before} in {format_duration(tally.elapsed_s)} ({rate} {unit}/s){failed}"


def _busy(tally: RunTally) -> Iterator[str]:
    """What the run was bound by; a few pictures tell nothing, since most of their time is the beginning and the end."""
    busy = tally.busy
    if busy.slowest is None or tally.done < _ENOUGH_TO_TELL:
        return
    others = ", ".join(
        f"{_STAGE_NAMES[stage]} {share:.0%}"
        for stage, share in busy.stages.items()
        if stage != busy.slowest and share >= _WORTH_NAMING
    )
    yield f"{_STAGE_NAMES[busy.slowest]}-bound: {busy.share:.0%} busy{f' ({others})' if others else ''}"


def _streams(live: Live) -> Iterator[str]:
    """What became of streams. They are waited for, so how busy the run was tells nothing."""
    state = live.watch.read()
    if state.dropped:
        yield f"{_count(state.dropped, 'frame')} dropped to keep up"
    if state.reconnects:
        times = "once" if state.reconnects == 1 else f"{state.reconnects:,} times"
        yield f"lost and found again {times}, away for {format_duration(state.away_s)} in all"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else ""


def render_classes(
    detections: Counter[str], images_with: Counter[str], done: int, of_frames: bool, config: PredictConfig
) -> Iterator[str]:
    """Yield the table of what was found.

    Args:
        detections: By class name.
        images_with: Images and frames that hold a class, by its name.
        done: Images and frames.
        of_frames: Whether most of them are frames.
        config: The options that applied.
    """
    if not detections:
        if done:
            yield ""
            yield f"no detections above {config.conf:g}; a lower --conf shows what the model is less sure of"
        return
    yield ""
    seen = "frames" if of_frames else "images"
    most = detections.most_common(_MOST_CLASSES)
    rows = [(to_one_line(name), f"{number:,}", f"{images_with[name]:,}") for name, number in most]
    yield from format_table(("class", "found", f"in {seen}"), rows, numbers=(1, 2))
    if len(detections) > _MOST_CLASSES:
        rest = len(detections) - _MOST_CLASSES
        number = detections.total() - sum(number for _, number in most)
        yield f"and {number:,} of {rest} other class{'' if rest == 1 else 'es'}"


def _failures(tally: RunTally) -> Iterator[str]:
    if not tally.failures:
        return
    by_code: dict[str, list[str]] = {}
    for failure in tally.failures:
        by_code.setdefault(failure.code, []).append(failure.source)
    yield ""
    rows = [(code, f"{len(names):,}") for code, names in sorted(by_code.items(), key=lambda item: -len(item[1]))]
    yield from format_table(("failed", "inputs"), rows, numbers=(1,))
    for failure in tally.failures[:_MOST_FAILURES]:
        yield f"  {to_one_line(failure.message)}"
    if len(tally.failures) > _MOST_FAILURES:
        yield f"  and {len(tally.failures) - _MOST_FAILURES:,} more, in failures.jsonl"


def render_skipped(skipped: Mapping[str, int]) -> Iterator[str]:
    """Yield a line on the files that were passed over, by suffix; none where there were none."""
    if skipped:
        kinds = ", ".join(f"{n:,} {suffix}" for suffix, n in sorted(skipped.items(), key=lambda kv: -kv[1])[:5])
        yield ""
        yield f"skipped files that are neither images nor videos: {to_one_line(kinds)}"


def _next_steps(folder: Path, tally: RunTally, config: PredictConfig) -> Iterator[str]:
    outputs = (
        ("pictures", "images"),
        ("videos", "videos"),
        ("records", "predictions.jsonl"),
        ("records", "predictions"),
        *((name, _SAVED.get(name, name)) for name in dict.fromkeys(config.save)),
        ("failures", "failures.jsonl"),
        ("the run", "run.json"),
    )
    for label, name in outputs:
        if (folder / name).exists():
            path = f"{folder / name}{os.sep if (folder / name).is_dir() else ''}"
            yield f"{label:<9} {to_one_line(path)}"
    if any(failure.code == "truncated-image" for failure in tally.failures):
        yield "next      add --allow-truncated to take cut-short pictures as far as they decode"
    elif not config.save and tally.detections:
        yield "next      add --save csv,coco,yolo,voc,crops,parquet for the formats of other tools"
