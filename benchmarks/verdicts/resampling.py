"""How long 1,000 paired resamples of 5,000 images take."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.verdicts.tables import take_images
from detectattn.evaluation.bootstrap import RESAMPLES, compare_accuracy
from detectattn.results import MatchTable

_IMAGES = 5_000


def time_resampling(table_a: MatchTable, table_b: MatchTable) -> dict[str, Any]:
    """Seconds from two match tables of 5,000 images to every difference and its interval.

    Args:
        table_a: Of one model; its images are repeated until there are 5,000.
        table_b: Of the other, on the same images.
    """
    images = np.arange(_IMAGES) % table_a.image_count
    a, b = take_images(table_a, images), take_images(table_b, images)
    start, start_cpu = time.perf_counter(), time.process_time()
    compare_accuracy(a, b)
    return {
        "images": _IMAGES,
        "resamples": RESAMPLES,
        "detections": len(a.image) + len(b.image),
        "wall_s": round(time.perf_counter() - start, 1),
        "cpu_s": round(time.process_time() - start_cpu, 1),
    }
