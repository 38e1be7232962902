"""Run a command and weigh it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a process took.

    Attributes:
        wall_s: From its start to its end.
        cpu_s: Processor time, user and system, over all cores.
        peak_rss_mb: Most memory it held at once.
    """

    wall_s: float
    cpu_s: float
    peak_rss_mb: float


def weigh(*words: str, cwd: Path | None = None) -> Weighed:
    """Run ``detectattn WORDS`` in a process of its own.

    Raises:
        RuntimeError: It failed.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "detectattn", *words], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(err.decode(errors="replace"))
    return Weighed(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def picture_folder(count: int, height: int = 800, width: int = 1200) -> Iterator[Path]:
    """A folder of ``count`` JPEGs of about a megapixel: 25 different ones, linked under as many names."""
    with TemporaryDirectory(prefix="detectattn-bench-") as name:
        folder = Path(name)
        originals = [_draw(number, height, width) for number in range(min(count, 25))]
        for number in range(count):
            path = folder / "in" / f"{number % 50:02d}" / f"{number:06d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            first = folder / f"original-{number % 25}.jpg"
            if not first.exists():
                first.write_bytes(originals[number % 25])
            os.link(first, path)
        yield folder


def _draw(seed: int, height: int, width: int) -> bytes:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 40, width // 40, 3), np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.integers(0, 24, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.add(picture, grain), [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
