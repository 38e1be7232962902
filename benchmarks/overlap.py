"""Stages run at the same time: a run takes less than its stages one after the other."""

from __future__ import annotations

import json

from benchmarks.process import picture_folder, weigh

_IMAGES = 300


def measure(model: str) -> dict[str, float]:
    """Wall time against the sum of the stages, and processor time against wall time."""
    with picture_folder(_IMAGES) as folder:
        whole = weigh("predict", str(folder / "in"), "-m", model, "-o", str(folder / "out"), cwd=folder)
        timing = json.loads((folder / "out" / "run.json").read_text())["timing"]
    stages_s = sum(timing["mean"].values()) * _IMAGES / 1e3
    return {
        "images": _IMAGES,
        "wall_s": timing["wall_s"],
        "stages_summed_s": round(stages_s, 3),
        "stages_over_wall": round(stages_s / timing["wall_s"], 3),
        "cores_in_use": round(whole.cpu_s / whole.wall_s, 2),
        "images_per_s": timing["images_per_s"],
    }
