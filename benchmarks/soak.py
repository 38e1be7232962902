"""Two hours of ``predict`` on a bad camera: does it come back, keep up, and hold its memory?

By itself: ``python -m benchmarks.soak --minutes 5`` for a short one, whose interval is wide.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.record import write_record
from benchmarks.soak_camera import BadCamera
from benchmarks.soak_process import Sample, Slope, fit_slope, take_sample
from benchmarks.soak_records import RecordTail, check_parts
from detectattn.shipped import shipped_dir

_MINUTES = 120.0
_FPS = 3.0
_SIZE_WH = (640, 360)
_PICTURES = 40
_SAMPLE_S = 5.0
_LOOK_S = 0.05
# Allocators, compiled shapes and files in parts settle within some forty minutes of two hours.
_WARM_UP = 0.375
_LEAST_WARM_UP_S = 60.0
_MISCHIEFS = 24
_PARTS = 24
_END_S = 60.0


def measure(minutes: float = _MINUTES, fps: float = _FPS, folder: Path | None = None) -> dict[str, Any]:
    """Run ``predict`` for so long and describe how it went.

    Args:
        minutes: How long.
        fps: Pictures a second of the camera.
        folder: Where the run folder is kept; None for nowhere.

    Raises:
        RuntimeError: It ended by itself.
    """
    with (
        TemporaryDirectory(prefix="detectattn-bench-") as name,
        BadCamera(_make_pictures(), fps, minutes * 60 / _MISCHIEFS) as camera,
    ):
        run = (folder or Path(name)) / "run"
        with (run.with_name("predict.log")).open("wb") as log:
            process = _start(camera.url, run, f"{max(2, round(minutes * 60 / _PARTS))}s", log)
            try:
                samples, beats, tail = _watch(process, run, minutes * 60)
                ended = _end(process)
            finally:
                process.kill()
        tail.read()
        figures = _describe(samples, beats, tail, minutes)
        manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
        return {
            **figures,
            "frames_sent": camera.sent,
            "connections": camera.connections,
            "mischief": camera.done,
            "counts": {k: manifest["counts"][k] for k in ("frames", "dropped", "reconnects", "away_s", "failures")},
            **check_parts(run),
            **ended,
            "status": manifest["status"],
            "engine": f"{manifest['models'][0]['engine']}, {manifest['models'][0]['precision']}",
        }


def _make_pictures() -> list[bytes]:
    """JPEGs of the sample clip."""
    pictures = []
    with av.open(str(shipped_dir("samples") / "street.mp4")) as container:
        for picture in islice(container.decode(video=0), _PICTURES):
            small = cv2.resize(picture.to_ndarray(format="bgr24"), _SIZE_WH, interpolation=cv2.INTER_AREA)
            pictures.append(cv2.imencode(".jpg", small)[1].tobytes())
    return pictures


def _start(url: str, run: Path, rotate: str, log: Any) -> subprocess.Popen[bytes]:
    words = ["predict", url, "-m", "demo-yolo", "--imgsz", "320", "--save", "csv,parquet", "--rotate", rotate]
    return subprocess.Popen(
        [sys.executable, "-m", "detectattn", *words, "-o", str(run)], stdout=subprocess.DEVNULL, stderr=log
    )


def _watch(
    process: subprocess.Popen[bytes], run: Path, duration_s: float
) -> tuple[list[Sample], list[dict[str, Any]], RecordTail]:
    samples: list[Sample] = []
    beats: list[dict[str, Any]] = []
    tail = RecordTail(run)
    while not (run / "heartbeat.json").exists() and process.poll() is None:
        time.sleep(_LOOK_S)
    start_s = time.monotonic()
    due_s = start_s
    while (now := time.monotonic()) < start_s + duration_s:
        if process.poll() is not None:
            raise RuntimeError(f"predict ended after {now - start_s:.0f} s with exit code {process.returncode}")
        tail.read()
        if now >= due_s:
            due_s += _SAMPLE_S
            if (sample := take_sample(process.pid, now - start_s)) is not None:
                samples.append(sample)
            with suppress(OSError):
                beat = json.loads((run / "heartbeat.json").read_text(encoding="utf-8"))
                if not beats or beat["time"] != beats[-1]["time"]:
                    beats.append({**beat, "seen_s": time.time()})
        time.sleep(_LOOK_S)
    return samples, beats, tail


def _end(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    start_s = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(_END_S)
    return {"sigterm_to_end_s": round(time.monotonic() - start_s, 2), "exit_code": code}


def _describe(
    samples: Sequence[Sample], beats: Sequence[Mapping[str, Any]], tail: RecordTail, minutes: float
) -> dict[str, Any]:
    warm_s = max(_LEAST_WARM_UP_S, minutes * 60 * _WARM_UP)
    warm = [sample for sample in samples if sample.at_s >= warm_s]
    times_s = [sample.at_s for sample in warm]
    delays_s = np.array(tail.delays_s)
    median, p99, most = np.percentile(delays_s - delays_s.min(), [50, 99, 100])
    own = [beat["lag_ms"] for beat in beats if beat["lag_ms"]]
    return {
        "minutes": minutes,
        "warm_up_minutes": round(warm_s / 60, 2),
        "rss_slope_mb_per_h": _to_plain(fit_slope(times_s, [sample.rss_mb for sample in warm])),
        "anonymous_slope_mb_per_h": _to_plain(fit_slope(times_s, [sample.anonymous_mb for sample in warm])),
        "rss_mb": _range([sample.rss_mb for sample in warm]),
        "descriptors": _range([sample.descriptors for sample in warm]),
        "threads": _range([sample.threads for sample in warm]),
        "children": _range([sample.children for sample in warm]),
        "warned": tail.warned,
        "lag_s_beyond_the_fastest": {
            "median": round(float(median), 3),
            "p99": round(float(p99), 3),
            "most": round(float(most), 3),
        },
        "lag_ms_by_heartbeat": {
            "median": round(float(np.median([one["median"] for one in own])), 1),
            "p99_worst_minute": max(one["p99"] for one in own),
        },
        "heartbeats": len(beats),
        "states": sorted({beat["state"] for beat in beats}),
        "indices_rise": all(a < b for a, b in zip(tail.indices, tail.indices[1:], strict=False)),
        "rss_mb_by_minute": _by_minute(samples),
    }


def _to_plain(slope: Slope | None) -> dict[str, float] | None:
    if slope is None:
        return None
    return {"per_hour": round(slope.per_hour, 3), "low": round(slope.low, 3), "high": round(slope.high, 3)}


def _range(values: Sequence[float]) -> dict[str, float]:
    return {"first": round(values[0], 2), "last": round(values[-1], 2), "least": round(min(values), 2),
            "most": round(max(values), 2)}  # fmt: skip


def _by_minute(samples: Sequence[Sample]) -> list[float]:
    minutes: dict[int, list[float]] = {}
    for sample in samples:
        minutes.setdefault(int(sample.at_s // 60), []).append(sample.rss_mb)
    return [round(sum(values) / len(values), 2) for _, values in sorted(minutes.items())]


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=_MINUTES)
    parser.add_argument("--fps", type=float, default=_FPS, help="pictures a second of the camera")
    parser.add_argument("--keep", type=Path, help="keep the run folder here")
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    figures = measure(options.minutes, options.fps, options.keep)
    print("\n".join(f"  {key:<28} {value}" for key, value in figures.items()))
    if options.minutes >= _MINUTES:
        write_record("soak", figures)  # a short run's figures are for the eye alone


if __name__ == "__main__":
    main()
