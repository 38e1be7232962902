"""What a model takes: time, memory, energy and space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detectattn.results import SpeedFigures


@dataclass(frozen=True, slots=True)
class Size:
    """How large a model is.

    Attributes:
        params_m: Millions of parameters, fused; None where the engine cannot tell.
        gflops: Own count for one picture at the input size of this study, a multiplication and an addition counting as
            two; None where the engine cannot tell.
        weights_mb: On disk.
        published_params_m: What its makers publish, for registry models.
        published_gflops: The same, at 640×640.
        published_ap50_95: The same, on COCO val2017, 0 to 1.
    """

    params_m: float | None
    gflops: float | None
    weights_mb: float
    published_params_m: float | None = None
    published_gflops: float | None = None
    published_ap50_95: float | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Peak memory: of the model's process, and on its device where it has one of its own (else None)."""

    peak_rss_mb: float
    peak_device_mb: float | None


@dataclass(frozen=True, slots=True)
class Energy:
    """What the machine's own meters say.

    Attributes:
        joules_per_image: Of the whole package or board, idle draw included.
        meter: ``rapl`` (processor) or ``nvml`` (graphics card).
    """

    joules_per_image: float
    meter: str


@dataclass(frozen=True, slots=True)
class Noise:
    """How steady a model's rounds were: see :func:`detectattn.compare.noise.judge_noise`."""

    spread: float
    trusted: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Speed:
    """What a model takes.

    Attributes:
        figures: Summary.
        p50_low_ms: Lower end of the 95% interval of the median, over rounds; None where rounds are too few.
        p50_high_ms: Upper end.
        total_ms: Every timed picture, from encoded bytes to boxes, in the order of timing.
        load_s: From the start of its process to the model being ready.
        warm_up: Pictures it took to become steady.
        images_per_s_by_batch: Throughput of the forward pass by batch size.
        noise: How far to trust this.
    """

    figures: SpeedFigures
    p50_low_ms: float | None
    p50_high_ms: float | None
    total_ms: tuple[float, ...]
    load_s: float
    warm_up: int
    images_per_s_by_batch: Mapping[int, float]
    noise: Noise
