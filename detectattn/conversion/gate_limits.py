"""How far a converted model may differ from the model it was made from, and what is said when it differs more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detectattn.conversion.gate_figures import AccuracyFigures, GateFigures, RawFigures

MIN_PAIRS = 20
"""With fewer pairs than this the raw outputs are judged in place of drift."""
MIN_OBJECTS = 100
"""With fewer objects than this a difference in AP is reported and not judged: one object would decide."""


@dataclass(frozen=True, slots=True)
class GateLimits:
    """The most a converted model may differ.

    Attributes:
        unmatched_share: Detections without a counterpart, of both models' detections.
        box_share_p50: Drift of boxes as a share of their sides, median. Pixels would judge large objects too strictly
            and small ones too mildly.
        box_share_p99: The same, 99 of 100.
        score_p50: Drift of scores, median.
        score_p99: The same, 99 of 100.
        ap_drop: Loss of AP.
        raw_box: :attr:`~detectattn.conversion.gate_figures.RawFigures.box_error`.
        raw_score: :attr:`~detectattn.conversion.gate_figures.RawFigures.score_error`.
    """

    unmatched_share: float
    box_share_p50: float
    box_share_p99: float
    score_p50: float
    score_p99: float
    ap_drop: float
    raw_box: float
    raw_score: float


# INT8's matching, drift and AP lie between what sound and unsound conversions of the embedded pair and of a YOLOv8n
# trained on COCO did (docs/int8.md has the figures). FP16 and BF16 were set by PyTorch's autocast on the CPU, which
# stands in for hardware. What raw outputs may do is a guess: they catch a broken conversion, not a coarse one.
GATE_LIMITS: Mapping[str, GateLimits] = {
    "fp32": GateLimits(0.001, 0.001, 0.01, 1e-4, 1e-3, 0.001, 1e-3, 1e-3),
    "fp16": GateLimits(0.005, 0.01, 0.05, 0.003, 0.03, 0.003, 0.02, 0.02),
    "bf16": GateLimits(0.02, 0.02, 0.1, 0.01, 0.1, 0.01, 0.05, 0.15),
    "int8": GateLimits(0.02, 0.03, 0.2, 0.03, 0.25, 0.01, 0.1, 0.3),
}


def judge_gate(figures: GateFigures, precision: str) -> tuple[str, ...]:
    """What keeps a converted model from passing; empty where it passes.

    Args:
        figures: What was measured.
        precision: Of the converted model: a key of :data:`GATE_LIMITS`.

    Returns:
        Sentences without a final full stop, each with the figure and its limit.
    """
    limits = GATE_LIMITS[precision]
    return tuple(_iter_violations(figures, limits, f"at {precision}"))


def _iter_violations(figures: GateFigures, limits: GateLimits, at: str) -> Iterator[str]:
    if not figures.picture_count:
        yield "no picture was there to compare on"
        return
    yield from _judge_matched(figures, limits, at)
    if figures.pair_count >= MIN_PAIRS:
        yield from _judge_drift(figures, limits, at)
    elif figures.raw is None:
        yield f"only {figures.pair_count} detections could be compared (at least {MIN_PAIRS} are needed)"
    else:
        yield from _judge_raw(figures.raw, limits, at)
    if figures.accuracy is not None:
        yield from _judge_accuracy(figures.accuracy, limits, at)


def _judge_matched(figures: GateFigures, limits: GateLimits, at: str) -> Iterator[str]:
    found = figures.reference_count + figures.candidate_count
    # One is always allowed: of few detections, one that stood at the threshold is no small share.
    if figures.unmatched_count > max(1, limits.unmatched_share * found):
        share = figures.unmatched_count / found
        yield (
            f"{figures.unmatched_count} of {found:,} detections ({share:.2%}) have no counterpart in the other model "
            f"(at most {limits.unmatched_share:.1%} {at})"
        )


def _judge_drift(figures: GateFigures, limits: GateLimits, at: str) -> Iterator[str]:
    for share, px, limit, who in (
        (figures.box_share_p50, figures.box_px_p50, limits.box_share_p50, "boxes moved"),
        (figures.box_share_p99, figures.box_px_p99, limits.box_share_p99, "one box in a hundred moved"),
    ):
        if share is not None and not share <= limit:
            how = "in the median" if who == "boxes moved" else "or more"
            yield f"{who} by {share:.2%} of its side {how} ({px:.3g} px; at most {limit:.2%} {at})"
    for value, limit, what in (
        (figures.score_p50, limits.score_p50, "scores changed by {:.2g} in the median"),
        (figures.score_p99, limits.score_p99, "one score in a hundred changed by {:.2g} or more"),
    ):
        if value is not None and not value <= limit:
            yield f"{what.format(value)} (at most {limit:g} {at})"


def _judge_raw(raw: RawFigures, limits: GateLimits, at: str) -> Iterator[str]:
    """Judged by the limit, or by what rounding alone does to the reference where that is more."""
    for value, floor, limit, what in (
        (raw.box_error, raw.box_floor, limits.raw_box, "boxes"),
        (raw.score_error, raw.score_floor, limits.raw_score, "scores"),
    ):
        allowed = max(limit, 2 * floor)
        if not value <= allowed:
            yield f"the raw outputs' {what} differ by {value:.2%} (at most {allowed:.2%} {at})"


def _judge_accuracy(accuracy: AccuracyFigures, limits: GateLimits, at: str) -> Iterator[str]:
    if accuracy.object_count >= MIN_OBJECTS and not accuracy.drop <= limits.ap_drop:
        yield (
            f"AP fell by {accuracy.drop:.4f}, from {accuracy.reference_ap50_95:.4f} to "
            f"{accuracy.candidate_ap50_95:.4f} (at most {limits.ap_drop:g} {at})"
        )


def compute_burden(figures: GateFigures, precision: str) -> float:
    """One number for how far a model is off: every figure as a share of its limit, added up.

    Args:
        figures: What was measured.
        precision: As in :func:`judge_gate`.
    """
    limits = GATE_LIMITS[precision]
    if figures.raw is not None and figures.pair_count < MIN_PAIRS:
        return figures.raw.box_error / limits.raw_box + figures.raw.score_error / limits.raw_score
    found = max(1, figures.reference_count + figures.candidate_count)
    drift = (
        ((figures.box_share_p50 or 0) / limits.box_share_p50)
        + ((figures.box_share_p99 or 0) / limits.box_share_p99)
        + ((figures.score_p50 or 0) / limits.score_p50)
        + ((figures.score_p99 or 0) / limits.score_p99)
    )
    return drift + figures.unmatched_count / found / limits.unmatched_share


def describe_figures(figures: GateFigures) -> str:
    """What was measured, in a sentence without a final full stop."""
    pictures = f"{figures.picture_count} picture{'' if figures.picture_count == 1 else 's'}"
    accuracy, raw = figures.accuracy, figures.raw
    ap = "" if accuracy is None else f", AP {accuracy.candidate_ap50_95:.3f} for {accuracy.reference_ap50_95:.3f}"
    if raw is not None and figures.pair_count < MIN_PAIRS:
        return (
            f"only {figures.pair_count} detections to compare in {pictures}, so raw outputs were: "
            f"boxes differ by {raw.box_error:.2%}, scores by {raw.score_error:.2%}{ap}"
        )
    if not figures.pair_count:
        return f"no detections to compare in {pictures}{ap}"
    return (
        f"{figures.pair_count:,} detections compared in {pictures}: {figures.matched_share:.2%} found by both, "
        f"boxes within {figures.box_px_p50:.2g} px ({figures.box_share_p50:.2%} of their side) in the median "
        f"and {figures.box_px_p99:.2g} px ({figures.box_share_p99:.1%}) in 99 of 100, "
        f"scores within {figures.score_p50:.1g} and {figures.score_p99:.1g}{ap}"
    )
