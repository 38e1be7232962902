"""Our model time alone: ``python -m benchmarks.peer.forward FOLDER SECONDS`` prints seconds an image.

The engine is opened as ``predict`` opens it for a folder, and fed pixels of the full square input from as many threads
as it runs side by side; nothing is read, decoded or written.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.weights.locate import locate_weights


def time_forward(model: Path, seconds: float) -> float:
    """Seconds an image while the engine runs for so long, after a tenth of that as warm-up."""
    weights = locate_weights(str(model), offline=True, on_notice=lambda _: None)
    detector = open_detector(weights, EngineOptions(device="cpu", square=True, hint="throughput"))
    tensor = np.random.default_rng(0).random((detector.batch, 3, *detector.info.net_hw), np.float32)

    def infer_until(end: float) -> int:
        done = 0
        while time.perf_counter() < end:
            detector.engine.infer(tensor)
            done += detector.batch
        return done

    streams = detector.engine.spec.streams
    with ThreadPoolExecutor(streams) as pool:
        for limit_s in (seconds / 10, seconds):
            start = time.perf_counter()
            done = sum(pool.map(infer_until, [start + limit_s] * streams))
            an_image_s = (time.perf_counter() - start) / done
    detector.close()
    return an_image_s


if __name__ == "__main__":
    print(time_forward(Path(sys.argv[1]), float(sys.argv[2])))
