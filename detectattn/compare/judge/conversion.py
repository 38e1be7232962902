"""What a report says of a conversion that ran in a model's place."""

from __future__ import annotations

from detectattn.compare.measured import Measured
from detectattn.report.content import Conversion


def judge_conversion(measured: Measured) -> Conversion | None:
    """What ran, and what its parity gate measured; None for a model that ran as it is."""
    made, gate = measured.conversion, measured.gate
    if made is None or gate is None:
        return None
    pictures = None if made.calibration is None else made.calibration.get("pictures")
    return Conversion(
        engine=made.settings.engine,
        precision=made.settings.precision,
        sha256=made.compute_digest(),
        compared_on=made.pictures,
        picture_count=gate.picture_count,
        detection_count=gate.reference_count,
        matched_share=gate.matched_share,
        box_px_p50=gate.box_px_p50,
        box_px_p99=gate.box_px_p99,
        box_share_p50=gate.box_share_p50,
        box_share_p99=gate.box_share_p99,
        score_p50=gate.score_p50,
        score_p99=gate.score_p99,
        raw_box_error=None if gate.raw is None else gate.raw.box_error,
        raw_score_error=None if gate.raw is None else gate.raw.score_error,
        calibrated_on=None if pictures is None else str(pictures),
    )
