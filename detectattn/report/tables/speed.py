"""What each model takes: time, memory, room, energy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from detectattn.report.cells import (
    METRIC_NAMES,
    MISSING,
    UNTRUSTED,
    beside,
    count,
    doubt_mark,
    figure,
    figure_interval,
    ratio_row,
    rounds_text,
    size_wh,
)
from detectattn.report.content import Conditions, ModelReport, Ratio, Report, Speed
from detectattn.report.tables.base import DECIDED_WHERE, Name, Table, make_table

_Timed = Sequence[tuple[str, Speed]]

RATIO_CAPTION = (
    "How many times as long the other model takes; with its 95% interval, the faster model first where that is decided"
)
"""What the table of ratios holds."""


def timed_models(report: Report) -> tuple[tuple[str, Speed], ...]:
    """Names and times of the models that were timed."""
    return tuple((model.name, model.speed) for model in report.models if model.speed is not None)


def tell_timing(conditions: Conditions) -> str:
    """What the times are; whole sentences."""
    how = "Milliseconds an image, from its encoded bytes to its boxes"
    if conditions.rounds is not None:
        how += f", over {rounds_text(conditions)}"
    return f"{how}; in brackets the 95% interval. Throughput is that of the forward pass."


def latency_table(timed: _Timed) -> Table:
    """Times from encoded bytes to boxes, and throughput."""
    header = ("model", "median (p50)", "p95", "p99", "mean", "forward pass, p50", "images/s", "at the best batch")
    rows = [
        (
            Name(name),
            *_mark(
                speed,
                figure_interval(speed.figures.p50_ms, speed.p50_low_ms, speed.p50_high_ms),
                figure(speed.figures.p95_ms),
                figure(speed.figures.p99_ms),
                figure(speed.figures.mean_ms),
                figure(speed.figures.forward_p50_ms),
                figure(speed.figures.images_per_s),
                f"{figure(speed.figures.best_images_per_s)} ({speed.figures.best_batch})",
            ),
        )
        for name, speed in timed
    ]
    table = make_table("latency", "Milliseconds an image", header, rows, numbers=range(1, len(header)))
    return replace(table, doubted=_find_doubted(timed))


def stages_table(timed: _Timed) -> Table:
    """Where the time goes, and how it was taken."""
    header = (
        "model", "decode", "preprocess", "forward pass", "postprocess", "times taken", "load (s)",
        "warm-up (pictures)", "spread of rounds",
    )  # fmt: skip
    rows = [
        (
            Name(name),
            *_mark(
                speed,
                figure(speed.figures.decode_ms),
                figure(speed.figures.preprocess_ms),
                figure(speed.figures.forward_ms),
                figure(speed.figures.postprocess_ms),
            ),
            count(speed.figures.timed_images),
            figure(speed.load_s),
            count(speed.warm_up),
            f"{speed.noise.spread:.1%}",
        )
        for name, speed in timed
    ]
    caption = "Where the time goes, mean milliseconds an image"
    table = make_table("stages", caption, header, rows, numbers=range(1, len(header)))
    return replace(table, doubted=_find_doubted(timed))


def throughput_table(timed: _Timed) -> Table | None:
    """Throughput by batch size; None where there is a single one."""
    batches = sorted({batch for _, speed in timed for batch in speed.images_per_s_by_batch})
    if len(batches) < 2:
        return None
    rows = [
        (Name(name), *_mark(speed, *(figure(speed.images_per_s_by_batch.get(batch)) for batch in batches)))
        for name, speed in timed
    ]
    caption = "Images a second of the forward pass, by batch size"
    header = ("model", *map(str, batches))
    table = make_table("throughput", caption, header, rows, numbers=range(1, len(header)))
    return replace(table, doubted=_find_doubted(timed))


def ratio_table(report: Report) -> Table | None:
    """How many times as long the slower model takes, for every pair; None where there is none."""
    if not report.ratios:
        return None
    header = ("median of", "model", "other", "the other takes", "ms of the model", "ms of the other", "decided")
    caption = f"{RATIO_CAPTION}, which is {DECIDED_WHERE}"
    names = {name for name, speed in timed_models(report) if not speed.noise.trusted}
    rows = [_ratio_cells(ratio, names) for ratio in report.ratios]
    table = make_table("ratios", caption, header, rows, numbers=(3, 4, 5))
    return replace(table, doubted=frozenset(i for i, r in enumerate(report.ratios) if names & {r.a, r.b}))


def _ratio_cells(ratio: Ratio, untrusted: Collection[str]) -> tuple[str, ...]:
    row = ratio_row(ratio)
    metric = METRIC_NAMES.get(ratio.figures.metric, ratio.figures.metric)
    marks = [UNTRUSTED if name in untrusted else "" for name in (row.better, row.worse)]
    values = (row.value_better + marks[0], row.value_worse + marks[1])
    factor, gap, interval = row.gain.partition(" (")
    return metric, Name(row.better), Name(row.worse), f"{factor}{max(marks)}{gap}{interval}", *values, row.decided


def size_table(report: Report) -> Table | None:
    """Memory, size and energy; None where nothing of it is known."""
    models = [m for m in report.models if m.memory is not None or m.size is not None or m.energy is not None]
    if not models:
        return None
    header = (
        "model", "peak memory (MB)", "peak on the device (MB)", "weights (MB)", "parameters (M)", "GFLOPs",
        "input (width × height)", "energy an image (J)",
    )  # fmt: skip
    rows = [*map(_size_cells, models)]
    return make_table("size", "Memory and size", header, rows, numbers=range(1, len(header)), sparse=True)


def tell_published(report: Report) -> str | None:
    """What stands in brackets in the table of sizes; None where nothing does."""
    if all(m.size is None or m.size.published_params_m is None for m in report.models):
        return None
    return "In brackets what the makers publish, at 640×640. GFLOPs count a multiplication and an addition as two."


def _size_cells(model: ModelReport) -> tuple[str, ...]:
    memory, size, energy = model.memory, model.size, model.energy
    return (
        Name(model.name),
        MISSING if memory is None else figure(memory.peak_rss_mb),
        MISSING if memory is None else figure(memory.peak_device_mb),
        MISSING if size is None else figure(size.weights_mb),
        MISSING if size is None else beside(size.params_m, size.published_params_m),
        MISSING if size is None else beside(size.gflops, size.published_gflops),
        size_wh(model.net_hw),
        MISSING if energy is None else f"{figure(energy.joules_per_image)} ({energy.meter})",
    )


def _mark(speed: Speed, *cells: str) -> tuple[str, ...]:
    """Figures of a model's times, each marked where they should not be trusted, before what stands in brackets."""
    parts = (cell.partition(" (") for cell in cells)
    return tuple(value if value == MISSING else f"{value}{doubt_mark(speed)}{gap}{rest}" for value, gap, rest in parts)


def _find_doubted(timed: _Timed) -> frozenset[int]:
    return frozenset(i for i, (_, speed) in enumerate(timed) if not speed.noise.trusted)
