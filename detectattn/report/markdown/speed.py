"""What each model takes: time, memory, room, energy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    size_wh,
)
from detectattn.report.content import Conditions, ModelReport, Report, Speed
from detectattn.report.markdown.text import DECIDED, caveats, escape, table


def iter_speed(report: Report) -> Iterator[str]:
    """The section on time."""
    timed = [(model.name, model.speed) for model in report.models if model.speed is not None]
    notes = caveats(report, "speed", "pixels")
    if not timed and not notes:
        return
    yield "## Speed"
    yield from notes
    if not timed:
        return
    yield _tell_how(report.conditions)
    yield _total_times(timed)
    if not all(speed.noise.trusted for _, speed in timed):
        yield f"{UNTRUSTED} not to be trusted: the reason is above."
    yield "Where the time goes, mean milliseconds an image:"
    yield _stages(timed)
    yield from _throughput(timed)
    yield from _ratios(report)


def _tell_how(conditions: Conditions) -> str:
    how = "Milliseconds an image, from its encoded bytes to its boxes"
    if conditions.rounds is not None and conditions.pictures_a_round is not None:
        rounds, pictures = count(conditions.rounds), count(conditions.pictures_a_round)
        how += f", over {rounds} interleaved rounds of {pictures} pictures"
    return f"{how}; in brackets the 95% interval. Throughput is that of the forward pass."


def _total_times(timed: Sequence[tuple[str, Speed]]) -> str:
    header = ("model", "median (p50)", "p95", "p99", "mean", "forward pass, p50", "images/s", "at the best batch")
    rows = [
        (
            name,
            figure_interval(speed.figures.p50_ms, speed.p50_low_ms, speed.p50_high_ms) + doubt_mark(speed),
            figure(speed.figures.p95_ms),
            figure(speed.figures.p99_ms),
            figure(speed.figures.mean_ms),
            figure(speed.figures.forward_p50_ms),
            figure(speed.figures.images_per_s),
            f"{figure(speed.figures.best_images_per_s)} ({speed.figures.best_batch})",
        )
        for name, speed in timed
    ]
    return table(header, rows, numbers=range(1, len(header)))


def _stages(timed: Sequence[tuple[str, Speed]]) -> str:
    header = (
        "model", "decode", "preprocess", "forward pass", "postprocess", "times taken", "load (s)",
        "warm-up (pictures)", "spread of rounds",
    )  # fmt: skip
    rows = [
        (
            name,
            figure(speed.figures.decode_ms),
            figure(speed.figures.preprocess_ms),
            figure(speed.figures.forward_ms),
            figure(speed.figures.postprocess_ms),
            count(speed.figures.timed_images),
            figure(speed.load_s),
            count(speed.warm_up),
            f"{speed.noise.spread:.1%}",
        )
        for name, speed in timed
    ]
    return table(header, rows, numbers=range(1, len(header)))


def _throughput(timed: Sequence[tuple[str, Speed]]) -> Iterator[str]:
    batches = sorted({batch for _, speed in timed for batch in speed.images_per_s_by_batch})
    if len(batches) < 2:
        return
    yield "Images a second of the forward pass, by batch size:"
    rows = [(name, *(figure(speed.images_per_s_by_batch.get(batch)) for batch in batches)) for name, speed in timed]
    yield table(("model", *map(str, batches)), rows, numbers=range(1, len(batches) + 1))


def _ratios(report: Report) -> Iterator[str]:
    if not report.ratios:
        return
    yield f"How many times faster, with its 95% interval; {DECIDED}:"
    rows = []
    for ratio in report.ratios:
        row = ratio_row(ratio)
        metric = METRIC_NAMES.get(ratio.figures.metric, ratio.figures.metric)
        rows.append((metric, row.better, row.worse, row.gain, row.value_better, row.value_worse, row.decided))
    header = ("median of", "faster", "slower", "times faster", "ms of the faster", "ms of the slower", "decided")
    yield table(header, rows, numbers=(3, 4, 5))


def iter_size(report: Report) -> Iterator[str]:
    """The section on memory, size and energy."""
    models = [m for m in report.models if m.memory is not None or m.size is not None or m.energy is not None]
    if not models:
        return
    yield "## Memory and size"
    header = (
        "model", "peak memory (MB)", "peak on the device (MB)", "weights (MB)", "parameters (M)", "GFLOPs",
        "input (width × height)", "energy an image (J)",
    )  # fmt: skip
    yield table(header, [_size_row(model) for model in models], numbers=range(1, len(header)), sparse=True)
    if any(m.size is not None and m.size.published_params_m is not None for m in models):
        yield escape(
            "In brackets what the makers publish, at 640×640. GFLOPs count a multiplication and an addition as two."
        )


def _size_row(model: ModelReport) -> tuple[str, ...]:
    memory, size, energy = model.memory, model.size, model.energy
    return (
        model.name,
        MISSING if memory is None else figure(memory.peak_rss_mb),
        MISSING if memory is None else figure(memory.peak_device_mb),
        MISSING if size is None else figure(size.weights_mb),
        MISSING if size is None else beside(size.params_m, size.published_params_m),
        MISSING if size is None else beside(size.gflops, size.published_gflops),
        size_wh(model.net_hw),
        MISSING if energy is None else f"{figure(energy.joules_per_image)} ({energy.meter})",
    )
