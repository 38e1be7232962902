"""What a person reads of an export: the figures of the gate beside their limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detectattn.cli.console import format_duration, format_table
from detectattn.conversion.gate_figures import GateFigures
from detectattn.conversion.gate_limits import GATE_LIMITS, MIN_OBJECTS, MIN_PAIRS, GateLimits
from detectattn.conversion.record import ConversionRecord
from detectattn.conversion.settings import SHOWN_NAMES
from detectattn.fetch import format_bytes
from detectattn.sources.naming import to_one_line

_HEADER = ("against PyTorch", "measured", "limit")


def render_export(record: ConversionRecord, folder: Path | None) -> list[str]:
    """Lines for standard output.

    Args:
        record: Of the conversion.
        folder: Where it is; None where it was refused and nothing was kept.
    """
    figures = GateFigures.from_dict(record.gate)
    limits = GATE_LIMITS[record.settings.precision]
    return [
        *_headline(record),
        "",
        f"compared on {_count(figures.picture_count, 'image')} of {to_one_line(record.pictures)}, "
        f"{figures.reference_count:,} detections above {figures.conf:g}",
        "",
        *format_table(_HEADER, list(_iter_rows(figures, limits)), numbers=(1, 2)),
        "",
        *_verdict(record, folder),
    ]


def _headline(record: ConversionRecord) -> Iterator[str]:
    settings = record.settings
    height, width = settings.net_hw or record.own_hw
    shape = f"any shape within {height}×{width}" if settings.dynamic else f"{height}×{width}"
    batch = "any batch" if settings.batch is None else f"batch {settings.batch}"
    yield f"{record.name} for {SHOWN_NAMES[settings.engine]}: {settings.precision}, {shape}, {batch}"
    size = format_bytes(record.size_bytes)
    yield f"{size}, converted in {format_duration(record.convert_s)}, compared in {format_duration(record.gate_s)}"


def _iter_rows(figures: GateFigures, limits: GateLimits) -> Iterator[tuple[str, str, str]]:
    if figures.matched_share is not None:
        limit = f"≥ {1 - limits.unmatched_share:.1%}"
        yield "detections found by both", f"{figures.matched_share:.2%}", limit
    if figures.pair_count >= MIN_PAIRS or figures.raw is None:
        yield from _drift_rows(figures, limits)
    else:
        yield "raw boxes", f"{figures.raw.box_error:.2%}", f"≤ {max(limits.raw_box, 2 * figures.raw.box_floor):.2%}"
        score_limit = max(limits.raw_score, 2 * figures.raw.score_floor)
        yield "raw scores", f"{figures.raw.score_error:.2%}", f"≤ {score_limit:.2%}"
    if figures.accuracy is not None:
        accuracy = figures.accuracy
        yield "AP50-95 of the original", f"{accuracy.reference_ap50_95:.4f}", ""
        judged = accuracy.object_count >= MIN_OBJECTS
        limit = f"≥ {accuracy.reference_ap50_95 - limits.ap_drop:.4f}" if judged else "too few objects"
        yield "AP50-95 of the conversion", f"{accuracy.candidate_ap50_95:.4f}", limit


def _drift_rows(figures: GateFigures, limits: GateLimits) -> Iterator[tuple[str, str, str]]:
    for label, px, share, limit in (
        ("box drift, median", figures.box_px_p50, figures.box_share_p50, limits.box_share_p50),
        ("box drift, 99 of 100", figures.box_px_p99, figures.box_share_p99, limits.box_share_p99),
    ):
        if px is not None and share is not None:
            yield label, f"{_round(px)} px, {share:.3%} of a side", f"≤ {100 * limit:g}%"
    for label, score, limit in (
        ("score drift, median", figures.score_p50, limits.score_p50),
        ("score drift, 99 of 100", figures.score_p99, limits.score_p99),
    ):
        if score is not None:
            yield label, _round(score), f"≤ {limit:g}"


def _round(value: float) -> str:
    return "0" if value == 0 else "< 0.00001" if value < 1e-5 else f"{value:.5f}" if value < 0.01 else f"{value:.3f}"


def _verdict(record: ConversionRecord, folder: Path | None) -> Iterator[str]:
    if record.passed:
        exact = record.settings.precision == "fp32"
        yield f"passed: {'it is the same model' if exact else 'within all limits for ' + record.settings.precision}"
    else:
        yield "refused:" if folder is None else "refused, and kept with --force:"
        yield from (f"  {sentence}" for sentence in record.refused)
    if folder is not None:
        shown = to_one_line(str(folder))
        yield ""
        yield f"model     {shown}/"
        yield f"figures   {shown}/conversion.json"
        yield f"next      detectattn predict SOURCE -m {shown}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
