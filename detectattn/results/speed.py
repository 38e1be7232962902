"""What a model takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeedFigures:
    """Summary of a model's times over all rounds, milliseconds an image unless named otherwise.

    ``p50_ms`` to ``mean_ms`` run from the encoded picture to its boxes: decode, fit, forward pass, postprocess.

    Attributes:
        p50_ms: Median.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile.
        mean_ms: Mean.
        forward_p50_ms: Median of the forward pass alone.
        decode_ms: Mean of decoding; the same for all models, for it does not depend on them.
        preprocess_ms: Mean of fitting.
        forward_ms: Mean of the forward pass.
        postprocess_ms: Mean of postprocessing.
        images_per_s: Forward throughput at batch 1.
        best_batch: Batch size of the highest forward throughput.
        best_images_per_s: That throughput.
        timed_images: How many times a picture was timed.
    """

    p50_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    forward_p50_ms: float
    decode_ms: float
    preprocess_ms: float
    forward_ms: float
    postprocess_ms: float
    images_per_s: float
    best_batch: int
    best_images_per_s: float
    timed_images: int
