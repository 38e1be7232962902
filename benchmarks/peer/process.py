"""Run the programs of both sides in processes of their own, and time them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# What a shell may have set for other work, and what would decide how many cores a program takes.
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "KMP_BLOCKTIME")
_LIMIT_S = 1800


def plain_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of threads, so that each program takes what it takes by itself."""
    kept = {name: value for name, value in os.environ.items() if name not in _THREAD_SETTINGS}
    return {**kept, **extra}


def run_timed(command: Sequence[str], environment: Mapping[str, str], log: Path, limit_s: float = _LIMIT_S) -> float:
    """Seconds that a command takes from its start to its end; what it prints goes to ``log``.

    Raises:
        RuntimeError: It failed, or took longer than ``limit_s``.
    """
    with log.open("wb") as out:
        start = time.perf_counter()
        try:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                cwd=log.parent, timeout=limit_s, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(f"{' '.join(command)} is not done after {limit_s:.0f} s; see {log}") from error
        wall_s = time.perf_counter() - start
    if done.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-1500:]
        raise RuntimeError(f"{' '.join(command)} failed with {done.returncode}:\n{tail}")
    return wall_s
