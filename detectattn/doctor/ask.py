"""Asks the probes, several at a time, and survives whatever becomes of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIME_LIMIT_S = 90.0
_PROBES = Path(__file__).with_name("probes.py")
_PEAK = Path(__file__).parents[1] / "engines" / "device_peak.py"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one probe said.

    Attributes:
        facts: What it found; None when it could not finish.
        problem: Why it could not, in a few words; empty when it could.
    """

    facts: Mapping[str, Any] | None
    problem: str = ""

    def __bool__(self) -> bool:
        return self.facts is not None

    def get(self, name: str, default: Any = None) -> Any:
        """One fact, or a default when it, or all, are missing."""
        return default if self.facts is None else self.facts.get(name, default)


def ask_all(names: Iterable[str], time_limit_s: float = TIME_LIMIT_S) -> dict[str, Answer]:
    """The answers of several probes, each from a process of its own."""
    wanted = list(names)
    with ThreadPoolExecutor(max_workers=min(8, 2 * (os.cpu_count() or 1))) as pool:
        return dict(zip(wanted, pool.map(lambda name: ask(name, time_limit_s), wanted), strict=True))


def ask(name: str, time_limit_s: float = TIME_LIMIT_S) -> Answer:
    """The answer of one probe. Never raises for what the probed package does."""
    return _run(_PROBES, [name], time_limit_s)


def ask_peak(
    device: str, threads: int, cache_bytes: int | None, free_bytes: int | None, time_limit_s: float = TIME_LIMIT_S
) -> Answer:
    """What a device reaches in float32, as :class:`detectattn.engines.device_peak.DevicePeak` has it.

    Args:
        device: As PyTorch names it.
        threads: To compute with.
        cache_bytes: Last-level cache of the processor, or None where it is not known.
        free_bytes: Memory that can be taken, or None where it is not known.
        time_limit_s: How long to wait for the answer.
    """
    return _run(_PEAK, [device, *(str(value or 0) for value in (threads, cache_bytes, free_bytes))], time_limit_s)


def _run(script: Path, words: Sequence[str], time_limit_s: float) -> Answer:
    # -P: a file in the working directory that happens to be called torch.py is not what is asked about.
    # -B: asking leaves no compiled files behind.
    command = [sys.executable, "-B", "-P", str(script), *words]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter and a file of ours
            command, capture_output=True, text=True, errors="replace", timeout=time_limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return Answer(None, f"gave no answer within {time_limit_s:g} s")
    except OSError as error:
        return Answer(None, f"could not be asked ({error})")
    if done.returncode != 0:
        return Answer(None, _describe_end(done.returncode, done.stderr))
    return _parse(done.stdout)


def _parse(printed: str) -> Answer:
    lines = printed.strip().splitlines()  # packages may print while they are imported; the answer comes last
    try:
        facts = json.loads(lines[-1])
    except (IndexError, ValueError):
        return Answer(None, "gave an answer that cannot be read")
    return Answer(facts)


def _describe_end(code: int, complaint: str) -> str:
    if code < 0:
        return f"crashed with signal {-code}"
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    return lines[-1][:200] if lines else f"ended with status {code}"
