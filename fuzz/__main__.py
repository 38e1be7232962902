"""Fuzz readers for a while: ``python -m fuzz truth_coco --minutes 10``."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.record import read_record, write_record
from fuzz.replay import CORPUS
from fuzz.targets import NAMES, load_target

# What each format is made of, in libFuzzer's form.
_WORDS = Path(__file__).parent / "words"
_HANG_S = 20
_MEMORY_MB = 2048
_EXIT_CRASH = 1
_KINDS = ("crash", "timeout", "oom")


@dataclass(frozen=True, slots=True)
class Session:
    """How a target fared.

    Attributes:
        seconds: How long it ran.
        runs: Inputs tried.
        coverage: Branches of the reader's modules that inputs reached.
        found: Inputs on which the reader failed.
    """

    seconds: float
    runs: int
    coverage: int
    found: tuple[Path, ...]


def main() -> int:
    """Fuzz what is named, one after the other; 1 where a reader failed."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all when left out: {', '.join(NAMES)}")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each target (default: 10)")
    parser.add_argument("--record", action="store_true", help="keep the figures in benchmarks/results/fuzz.json")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="folder of what is found")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(NAMES)):
        parser.error(f"there is no target {', '.join(unknown)}; targets are {', '.join(NAMES)}")
    if find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install --group fuzz")
    failed = False
    figures: dict[str, Any] = (read_record("fuzz") or {}) if options.record else {}
    for name in options.names or NAMES:
        session = run_session(name, options.minutes, options.keep / name)
        failed |= bool(session.found)
        if options.record:
            seconds, failures = round(session.seconds), len(session.found)
            numbers = {"seconds": seconds, "inputs": session.runs, "branches": session.coverage, "failures": failures}
            figures[name] = numbers
            write_record("fuzz", figures)
        print(
            f"{name}: {session.runs:,} inputs in {session.seconds:,.0f} s, {session.coverage:,} branches, "
            f"{len(session.found)} failures",
            flush=True,
        )
        for path in session.found:
            print(f"  {path}", flush=True)
    return _EXIT_CRASH if failed else 0


def run_session(name: str, minutes: float, keep: Path) -> Session:
    """Fuzz one target in a child process.

    Args:
        name: The target.
        minutes: How long.
        keep: Folder for inputs that reach something new (``inputs``), for those that fail, and for the log.
    """
    inputs, log = keep / "inputs", keep / "log.txt"
    inputs.mkdir(parents=True, exist_ok=True)
    for kind in _KINDS:
        for old in keep.glob(f"{kind}-*"):
            old.rename(keep / f"earlier-{old.name}")
    target = load_target(name)
    command = [
        sys.executable, "-m", "fuzz.child", name, f"-max_total_time={round(60 * minutes)}", f"-timeout={_HANG_S}",
        f"-rss_limit_mb={_MEMORY_MB}", f"-max_len={target.max_bytes}", f"-artifact_prefix={keep}/",
        f"-dict={_WORDS / name}.dict", "-print_final_stats=1", str(inputs), str(CORPUS / name),
    ]  # fmt: skip
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, log.open("wb") as stream:
        environment = {**os.environ, "TMPDIR": scratch, "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, env=environment, check=False)
    seconds = time.monotonic() - started
    found = tuple(sorted(p for kind in _KINDS for p in keep.glob(f"{kind}-*")))
    if done.returncode and not found:
        raise SystemExit(f"{name}: the session itself failed ({done.returncode}), see {log}")
    return Session(seconds, *_read_log(log.read_text(errors="replace")), found)


def _read_log(text: str) -> tuple[int, int]:
    """Inputs tried and branches reached, by libFuzzer's last word on each."""
    runs = re.findall(r"^#(\d+)\s", text, re.MULTILINE)
    coverage = re.findall(r"\bcov: (\d+)", text)
    return int(runs[-1]) if runs else 0, int(coverage[-1]) if coverage else 0


if __name__ == "__main__":
    sys.exit(main())
