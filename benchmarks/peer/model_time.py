"""The model alone: our engine against OpenVINO's ``benchmark_app`` on the same file, shape and precision."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from benchmarks.peer.process import plain_environment, run_timed
from benchmarks.peer.sides import SIZE_PX, peer_environment, peer_program

_LIMIT_S = 300
_THROUGHPUT = re.compile(r"Throughput:\s+([\d.]+) FPS")


def time_ours(engine: Path, seconds: float, work: Path) -> float:
    """Seconds an image of our engine, in a process of its own."""
    log = work / "forward.log"
    run_timed(
        [sys.executable, "-m", "benchmarks.peer.forward", str(engine), str(seconds)],
        plain_environment({"PYTHONPATH": str(Path(__file__).resolve().parents[2])}),
        log,
        _LIMIT_S,
    )
    return float(log.read_text(encoding="utf-8").split()[-1])


def time_benchmark_app(python: Path, engine: Path, seconds: float, work: Path) -> float:
    """Seconds an image by the throughput that ``benchmark_app`` reports."""
    log = work / "benchmark-app.log"
    command = [*peer_program(python, "benchmark_app"), *benchmark_words(engine, seconds)]
    run_timed(command, peer_environment(work / "peer-settings"), log, _LIMIT_S)
    return read_an_image_s(log.read_text(encoding="utf-8", errors="replace"))


def benchmark_words(engine: Path, seconds: float) -> list[str]:
    """Options: throughput hint, the same shape and precision as ours."""
    xml = next(engine.glob("*.xml"))
    shape = f"[1,3,{SIZE_PX},{SIZE_PX}]"
    return ["-m", str(xml), "-d", "CPU", "-hint", "throughput", "-infer_precision", "f32", "-shape", shape,
            "-t", str(max(1, round(seconds)))]  # fmt: skip


def read_an_image_s(printed: str) -> float:
    """Seconds an image from what ``benchmark_app`` prints.

    Raises:
        RuntimeError: It names no throughput.
    """
    found = _THROUGHPUT.search(printed)
    if found is None or not float(found[1]):
        raise RuntimeError(f"benchmark_app printed no throughput:\n{printed[-1000:]}")
    return 1 / float(found[1])
