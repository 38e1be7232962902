"""Memory must depend on the queues and not on how many images there are."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from benchmarks.process import picture_folder, weigh

_FEW, _MANY = 500, 5_000
_ROUNDS = 3


def measure(model: str) -> dict[str, float]:
    """Peak resident memory of ``predict`` with annotated pictures on few and on many images: medians, interleaved."""
    few_mb, many_mb = [], []
    with picture_folder(_FEW) as few, picture_folder(_MANY) as many:
        for number in range(_ROUNDS):
            few_mb.append(_peak(few, model, number))
            many_mb.append(_peak(many, model, number))
    small, large = median(few_mb), median(many_mb)
    return {f"rss_{_FEW}_mb": round(small, 1), f"rss_{_MANY}_mb": round(large, 1), "ratio": round(large / small, 4)}


def _peak(folder: Path, model: str, number: int) -> float:
    out = str(folder / f"out-{number}")
    return weigh("predict", str(folder / "in"), "-m", model, "-o", out, cwd=folder).peak_rss_mb
