"""Studies of any size, grown from the small one in which everything occurs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from detectattn.report.content import (
    AgreementReport,
    Difference,
    Frontier,
    FrontierPoint,
    Judgement,
    ModelReport,
    Report,
    Speed,
)
from detectattn.results import (
    Calibration,
    ClassAccuracy,
    ConfusionMatrix,
    ErrorBreakdown,
    ErrorCost,
    PairAgreement,
    PairedDifference,
    PrecisionRecall,
    ReliabilityBin,
)

NAN = math.nan
FAMILIES = ("attention", "cnn", "hybrid")


def grow_study(report: Report, *, models: int, variants: int, classes: int, timings: int, seed: int = 0) -> Report:
    """A study of made-up figures that look like real ones."""
    rng = np.random.default_rng(seed)
    pattern = report.models[0]
    assert pattern.judgement is not None
    names = tuple(f"class {i}" if i % 7 else f"a class with a rather long name {i}" for i in range(classes))
    bases = tuple(_grow_model(pattern, i, names, timings, rng) for i in range(models))
    sizes = (224, 320, 416, 512, 640, 768, 896, 960, 1024, 1280)
    swept = tuple(
        _vary(bases[i % models], "imgsz" if i % 3 else "decoder_layers", sizes[i % 10] if i % 3 else i // 3 + 1, rng)
        for i in range(variants)
    )
    everyone = tuple(m for base in bases for m in (base, *(v for v in swept if v.base == base.name)))
    pairs = [(a.name, b.name) for k, a in enumerate(bases) for b in bases[k + 1 :]]
    return replace(
        report,
        models=everyone,
        differences=tuple(d for a, b in pairs for d in _grow_differences(a, b, names, rng)),
        ratios=(),
        agreement=AgreementReport(
            names, {}, 100, 0, tuple(_grow_agreement(a, b, rng) for a, b in pairs), {m.name: 3 for m in bases}
        )
        if pairs
        else None,
        frontier=_grow_frontier(everyone),
        disputed=(),
        gates=(),
    )


def _grow_model(
    pattern: ModelReport, number: int, names: Sequence[str], timings: int, rng: np.random.Generator
) -> ModelReport:
    name = ("rtdetr-l", "yolo11n", "yolo26x", "rtdetr-x", "hybrid-detector-with-a-long-name", "yolo11m")[number % 6]
    p50, ap = float(40 * 1.6**number), 0.35 + 0.05 * number
    assert pattern.speed is not None
    assert pattern.judgement is not None
    return replace(
        pattern,
        name=name,
        base=name,
        variant={},
        family=FAMILIES[(number if number < 2 else number + 1) % 3],
        speed=_grow_speed(pattern.speed, p50, timings, rng),
        judgement=_grow_judgement(pattern.judgement, ap, names, rng),
    )


def _vary(base: ModelReport, axis: str, value: int, rng: np.random.Generator) -> ModelReport:
    assert base.speed is not None
    assert base.judgement is not None
    share = value / 640 if axis == "imgsz" else 0.6 + value / 12
    ap = (base.judgement.accuracy.ap50_95 or 0) * min(1.05, 0.5 + share / 2)
    judged = replace(
        base.judgement,
        accuracy=replace(base.judgement.accuracy, ap50_95=ap),
        ap50_95_low=ap - 0.04,
        ap50_95_high=ap + 0.05,
    )
    speed = _grow_speed(base.speed, base.speed.figures.p50_ms * max(0.2, share), len(base.speed.total_ms), rng)
    return replace(base, name=f"{base.name} {axis}={value}", variant={axis: value}, judgement=judged, speed=speed)


def _grow_speed(speed: Speed, p50: float, timings: int, rng: np.random.Generator) -> Speed:
    times = p50 * np.exp(rng.normal(0, 0.06, timings) + rng.exponential(0.05, timings))
    q = [float(v) for v in np.quantile(times, [0.5, 0.95, 0.99])]
    figures = replace(
        speed.figures, p50_ms=q[0], p95_ms=q[1], p99_ms=q[2], mean_ms=float(times.mean()), forward_ms=q[0] * 0.8,
        forward_p50_ms=q[0] * 0.8, postprocess_ms=q[0] * 0.02, timed_images=timings,
    )  # fmt: skip
    by_batch = {b: 1000 / q[0] * b**0.25 for b in (1, 2, 4, 8, 16)}
    return replace(
        speed, figures=figures, p50_low_ms=q[0] * 0.97, p50_high_ms=q[0] * 1.03, total_ms=tuple(times.tolist()),
        images_per_s_by_batch=by_batch,
    )  # fmt: skip


def _grow_judgement(own: Judgement, ap: float, names: Sequence[str], rng: np.random.Generator) -> Judgement:
    recall = np.linspace(0, 1, 101)
    count = len(names)
    reach = np.clip(rng.normal(ap + 0.25, 0.12, count), 0.1, 0.98)
    curves = np.array([np.where(recall <= end, 1 - 0.5 * (recall / end) ** 4, 0) for end in reach])
    scores = np.array([np.where(recall <= end, 1 - recall / end, np.nan) for end in reach])
    objects = rng.integers(2, 400, count)
    counts = rng.poisson(1.0, (count + 1, count + 1)) * (rng.random((count + 1, count + 1)) < 0.15)
    counts[np.arange(count), np.arange(count)] = (objects * ap).astype(int)
    counts[:-1, -1], counts[-1, :-1], counts[-1, -1] = objects * 0.2, objects * 0.1, 0
    kinds = [ErrorCost(int(rng.integers(1, 300)), float(rng.random() * 0.1)) for _ in range(8)]
    return replace(
        own,
        accuracy=replace(
            own.accuracy,
            ap50_95=ap, ap50=ap + 0.2, ap_small=ap * 0.5, ap_medium=ap, ap_large=ap + 0.12, ar_small=ap * 0.6,
            per_class={
                n: ClassAccuracy(ap, ap + 0.2, ap, ap * 0.5, ap, ap, ap, int(k))
                for n, k in zip(names, objects, strict=True)
            },
        ),
        ap50_95_low=ap - 0.05,
        ap50_95_high=ap + 0.05,
        at_conf=replace(own.at_conf, score=0.3 + ap / 5, precision=0.95 - ap / 5, recall=ap + 0.15),
        precision_recall=PrecisionRecall(recall, curves.mean(axis=0), tuple(names), curves, scores, 0.5),
        confusion=ConfusionMatrix(tuple(names), counts.astype(np.int64), 0.4, 0.5),
        errors=ErrorBreakdown(ap + 0.2, *kinds),
        calibration=_grow_calibration(ap, rng),
    )  # fmt: skip


def _grow_calibration(ap: float, rng: np.random.Generator) -> Calibration:
    edges = np.linspace(0.25, 1, 11)
    bins = []
    for low, high in pairwise(edges):
        count, middle = int(rng.integers(10, 4000)), float(low + high) / 2
        p = float(np.clip(middle - 0.25 + ap / 2 + rng.normal(0, 0.03), 0.02, 0.98))
        half = 1.96 * math.sqrt(p * (1 - p) / count)
        bins.append(ReliabilityBin(float(low), float(high), count, middle, p, max(0, p - half), min(1, p + half)))
    return Calibration(0.5, 0.25, sum(b.count for b in bins), 0.08, 0.03, 0.05, 0.06, tuple(bins))


def _grow_differences(a: str, b: str, names: Sequence[str], rng: np.random.Generator) -> tuple[Difference, ...]:
    def one(metric: str, class_name: str | None, spread: float) -> Difference:
        d, half = float(rng.normal(0, spread)), float(spread * (0.5 + rng.random()))
        decided = abs(d) > half * 1.2
        needed = None if decided else 4321
        figures = PairedDifference(
            metric, class_name, 0.5 + d, 0.5, d, d - half, d + half, decided, half / 2, 100, needed
        )
        return Difference(a, b, figures)

    overall = (one("ap50_95", None, 0.05), one("ap50", None, 0.06))
    return (*overall, *(one("ap50_95", name, 0.15) for name in names))


def _grow_agreement(a: str, b: str, rng: np.random.Generator) -> PairAgreement:
    both, only_a, only_b = (int(v) for v in rng.integers((300, 1, 1), (900, 200, 120)))
    f1 = 2 * both / (2 * both + only_a + only_b)
    return PairAgreement(a, b, both, only_a, only_b, f1, f1 - 0.03, f1 + 0.02, ())


def _grow_frontier(models: Sequence[ModelReport]) -> Frontier | None:
    points = []
    for m in models:
        assert m.speed is not None
        assert m.judgement is not None
        assert m.memory is not None
        gain = m.judgement.accuracy.ap50_95 or 0.0
        points.append(
            FrontierPoint(m.name, m.base, m.variant, m.speed.figures.p50_ms, m.memory.peak_rss_mb, gain, False)
        )
    points.sort(key=lambda p: p.p50_ms)
    best = [replace(p, pareto=all(q.gain < p.gain for q in points if q.p50_ms < p.p50_ms)) for p in points]
    return Frontier("ap50_95", None, tuple(best)) if len(best) > 1 else None


@pytest.fixture
def grow(study: Report) -> Callable[..., Report]:
    """:func:`grow_study` from the small study."""

    def of_size(models: int = 2, variants: int = 0, classes: int = 3, timings: int = 80) -> Report:
        return grow_study(study, models=models, variants=variants, classes=classes, timings=timings)

    return of_size
