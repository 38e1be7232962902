"""What one command costs before it does anything."""

from __future__ import annotations

from statistics import median

from benchmarks.process import picture_folder, weigh

_ROUNDS = 9


def measure(model: str) -> dict[str, float]:
    """Median wall time of whole processes, in seconds, the two commands interleaved."""
    helps, firsts = [], []
    with picture_folder(1) as folder:
        for number in range(_ROUNDS):
            helps.append(weigh("--help").wall_s)
            out = str(folder / f"out-{number}")
            firsts.append(weigh("predict", str(folder / "in"), "-m", model, "-o", out, cwd=folder).wall_s)
    return {"help_s": round(median(helps), 3), "predict_one_image_s": round(median(firsts), 3)}
