"""What each model takes, and how many times what another takes."""

from __future__ import annotations

import math

import numpy as np

from detectattn.compare.judge.accuracy import iter_pairs
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.compare.measured import Measured, Timed
from detectattn.compare.noise import NoiseReport, judge_noise
from detectattn.compare.speed import summarise
from detectattn.evaluation.intervals import average_sittings, compare_latency, compute_t_quantile
from detectattn.report.content import Energy, Memory, Noise, Ratio, Size, Speed
from detectattn.weights.registry import find_model

_MIN_ROUNDS = 4


def judge_speed(measured: Measured) -> Speed | None:
    """Every figure of one model's times; None where it was not timed."""
    timed = measured.timed
    if timed is None or measured.load_s is None:
        return None
    low, high = _find_interval(timed)
    noise = find_noise(timed)
    return Speed(
        figures=summarise(timed.rounds, timed.decode_ms, timed.images_per_s),
        p50_low_ms=low,
        p50_high_ms=high,
        total_ms=tuple(value for turn in timed.rounds_ms for value in turn),
        load_s=measured.load_s,
        warm_up=timed.warm_up,
        images_per_s_by_batch=timed.images_per_s,
        noise=Noise(noise.spread, noise.trusted, noise.reasons),
    )


def find_noise(timed: Timed) -> NoiseReport:
    """How steady a model's rounds were."""
    return judge_noise(timed.rounds_ms, timed.before, timed.after)


def _find_interval(timed: Timed) -> tuple[float | None, float | None]:
    """The 95% interval of the median time: Student's t on the logarithm of the medians, over sittings or rounds."""
    logs = average_sittings(np.log([np.median(turn) for turn in timed.rounds_ms]), timed.sittings)
    if len(logs) < _MIN_ROUNDS:
        return None, None
    reach = compute_t_quantile(0.975, len(logs) - 1) * float(logs.std(ddof=1)) / math.sqrt(len(logs))
    mean = float(logs.mean())
    return math.exp(mean - reach), math.exp(mean + reach)


def judge_size(measured: Measured) -> Size | None:
    """How large a model is, beside what its makers publish; None for predictions."""
    if measured.weights_mb is None:
        return None
    published = find_model(measured.published) if measured.published else None
    return Size(
        params_m=measured.params_m,
        gflops=measured.gflops,
        weights_mb=measured.weights_mb,
        published_params_m=None if published is None else published.params_m,
        published_gflops=None if published is None else published.gflops,
        published_ap50_95=None if published is None else published.ap50_95 / 100,
    )


def judge_memory(measured: Measured) -> Memory | None:
    """Peak memory of a model that was timed."""
    timed = measured.timed
    return None if timed is None else Memory(timed.memory.rss_mb, timed.memory.device_mb)


def judge_energy(measured: Measured) -> Energy | None:
    """Energy an image, where a meter could be read."""
    timed = measured.timed
    if timed is None or timed.energy_j is None or timed.meter is None:
        return None
    return Energy(timed.energy_j, timed.meter)


def compare_times(records: StudyRecords) -> tuple[Ratio, ...]:
    """Ratios of median times, from encoded bytes to boxes and of the forward pass alone, of models timed together."""
    ratios = []
    for a, b in iter_pairs(records):
        one, other = records.measured[a].timed, records.measured[b].timed
        if one is None or other is None or b not in one.together or len(one.rounds) != len(other.rounds):
            continue
        sittings = one.sittings
        ratios.append(Ratio(a, b, compare_latency(one.rounds_ms, other.rounds_ms, "p50_ms", sittings=sittings)))
        forward = [[turn.forward_ms for turn in timed.rounds] for timed in (one, other)]
        ratios.append(Ratio(a, b, compare_latency(forward[0], forward[1], "forward_p50_ms", sittings=sittings)))
    return tuple(ratios)
