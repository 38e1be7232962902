"""Memory must not depend on how long a video is: a 4K clip, drawn on and encoded again, long and short.

By itself: ``python -m benchmarks.video -m MODEL --seconds 600``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import cos, sin
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import psutil  # type: ignore[import-untyped]

from benchmarks.record import write_record
from samples.scenes import SAMPLE_SEEDS, draw_scene

_SIZE_HW = (2160, 3840)
_FPS = 30
_DRAWN_S = 5
_SHORT_S, _LONG_S = 10, 40
_SAMPLE_S = 0.25


@dataclass(frozen=True, slots=True)
class _Memory:
    """Resident memory of a process over time: seconds since its start, and MB."""

    times_s: list[float]
    rss_mb: list[float]

    def peak_mb(self) -> float:
        return max(self.rss_mb)

    def slope_mb_per_min(self) -> float:
        """Of the straight line through the second half."""
        half = len(self.times_s) // 2
        return float(np.polyfit(self.times_s[half:], self.rss_mb[half:], 1)[0] * 60)


def measure(model: str, long_s: int = _LONG_S) -> dict[str, Any]:
    """``predict`` on a long and a short clip of the same pictures."""
    with TemporaryDirectory(prefix="detectattn-bench-") as name:
        folder = Path(name)
        drawn = _draw(folder / "drawn.mp4")
        short, _ = _run(_repeat(drawn, folder / "short.mp4", _SHORT_S), model, folder / "short")
        long, timing = _run(_repeat(drawn, folder / "long.mp4", long_s), model, folder / "long")
    return {
        "seconds": [_SHORT_S, long_s],
        "short_peak_mb": round(short.peak_mb(), 1),
        "long_peak_mb": round(long.peak_mb(), 1),
        "peak_ratio": round(long.peak_mb() / short.peak_mb(), 3),
        "long_median_mb": round(median(long.rss_mb), 1),
        "long_slope_mb_per_min": round(long.slope_mb_per_min(), 2),
        "frames_per_s": timing["images_per_s"],
        **{f"mean_{stage}": value for stage, value in timing["mean"].items()},
        "slowest": timing.get("slowest"),
    }


def _run(clip: Path, model: str, out: Path) -> tuple[_Memory, dict[str, Any]]:
    words = ["predict", str(clip), "-m", model, "-o", str(out), "--quiet"]
    process = subprocess.Popen([sys.executable, "-m", "detectattn", *words])
    start, memory = time.perf_counter(), _Memory([], [])
    for rss_mb in _iter_rss_mb(process):
        memory.times_s.append(time.perf_counter() - start)
        memory.rss_mb.append(rss_mb)
    if process.returncode:
        raise RuntimeError(f"`detectattn {' '.join(words)}` failed with {process.returncode}")
    return memory, json.loads((out / "run.json").read_text(encoding="utf-8"))["timing"]


def _iter_rss_mb(process: subprocess.Popen[bytes]) -> Iterator[float]:
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            yield watched.memory_info().rss / 2**20
        except psutil.NoSuchProcess:
            break
        time.sleep(_SAMPLE_S)
    process.wait()


def _draw(path: Path) -> Path:
    """A camera that wanders over a large street scene."""
    height, width = _SIZE_HW
    scene = draw_scene(SAMPLE_SEEDS[0], (height + 400, width + 600)).bgr
    with _open_clip(path) as (container, stream):
        for number in range(_DRAWN_S * _FPS):
            turn = 2 * np.pi * number / (_DRAWN_S * _FPS)
            left, top = round(300 + 300 * sin(turn)), round(200 + 200 * cos(turn))
            view = np.ascontiguousarray(scene[top : top + height, left : left + width])
            picture = av.VideoFrame.from_ndarray(view, format="bgr24")
            picture.pts, picture.time_base = number, Fraction(1, _FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@contextmanager
def _open_clip(path: Path) -> Iterator[tuple[Any, Any]]:
    with av.open(str(path), "w") as container:
        # No pictures out of order: the clip is to be repeated packet by packet.
        stream: Any = container.add_stream(
            "libx264", rate=_FPS, options={"preset": "ultrafast", "crf": "23", "bf": "0"}
        )
        stream.height, stream.width = _SIZE_HW
        stream.pix_fmt = "yuv420p"
        yield container, stream


def _repeat(source: Path, path: Path, seconds: int) -> Path:
    """The clip, over and over, as it is encoded."""
    with av.open(str(path), "w") as container:
        stream: Any = None
        for lap in range(-(-seconds // _DRAWN_S)):
            with av.open(str(source)) as drawn:
                video = drawn.streams.video[0]
                assert video.time_base is not None
                stream = stream or container.add_stream_from_template(video)
                shift = round(lap * _DRAWN_S / video.time_base)
                for packet in drawn.demux(video):
                    if packet.pts is not None and packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = stream
                        container.mux(packet)
    return path


def main() -> None:
    """A clip of any length."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.video", description=__doc__)
    parser.add_argument("-m", "--model", required=True, help="the model to run, as `detectattn predict -m` takes it")
    parser.add_argument("--seconds", type=int, default=_LONG_S, help="length of the long clip")
    options = parser.parse_args()
    figures = measure(options.model, options.seconds)
    print("\n".join(f"  {key:<32} {value}" for key, value in figures.items()))
    write_record("video", figures)


if __name__ == "__main__":
    main()
