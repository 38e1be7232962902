"""``heartbeat.json``: how a run on live streams stands, for whoever watches over it and starts it anew."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from detectattn.errors import OutputError
from detectattn.pipeline.live import Live
from detectattn.pipeline.tally import RunTally
from detectattn.records import SCHEMA
from detectattn.sinks.files import replace_file

HEARTBEAT_FILE = "heartbeat.json"
INTERVAL_S = 10.0
_OVER_S = 60.0
_LOOK_S = 1.0


class Heartbeat:
    """Describes a run in a few numbers, those of the last minute among them.

    Args:
        tally: What the run did.
        live: Its streams.
    """

    def __init__(self, tally: RunTally, live: Live) -> None:
        self._tally = tally
        self._live = live
        self._started = time.time()
        self._done: deque[tuple[float, int]] = deque([(time.monotonic(), tally.done)])

    def describe(self, *, ended: bool = False) -> dict[str, Any]:
        """The content of ``heartbeat.json``, now; ``ended`` says that it is the last."""
        tally, state = self._tally, self._live.watch.read()
        return {
            "schema": SCHEMA,
            "time": _to_text(time.time()),
            "pid": os.getpid(),
            "state": "ended" if ended else state.phase,
            "status": "failed" if ended and tally.status == "running" else tally.status,
            "started": _to_text(self._started),
            "interval_s": INTERVAL_S,
            "frames": tally.done,
            "fps": self._compute_rate(),
            "last_frame": None if state.last_frame is None else _to_text(state.last_frame),
            "lag_ms": _describe_ages(self._live.watch.list_ages_s(_OVER_S)),
            "dropped": state.dropped,
            "failures": len(tally.failures),
            "reconnects": state.reconnects,
            "away_s": round(state.away_s, 1),
            "away_since": None if state.away_since is None else _to_text(state.away_since),
            "attempts": state.attempts,
            "reason": state.reason or None,
        }

    def _compute_rate(self) -> float:
        """Frames a second over the last minute, or since the start."""
        now, done = time.monotonic(), self._tally.done
        while len(self._done) > 1 and now - self._done[1][0] >= _OVER_S:
            self._done.popleft()
        self._done.append((now, done))
        then, before = self._done[0]
        return round((done - before) / (now - then), 2) if now > then else 0.0


@contextmanager
def keep_heartbeat(folder: Path, tally: RunTally, live: Live, interval_s: float = INTERVAL_S) -> Iterator[None]:
    """Write ``heartbeat.json`` every ``interval_s`` seconds once a stream was opened, and when the block ends.

    Also within a second of a stream's being lost or coming back.

    Each time a whole file takes the place of the one before. A disk that is full leaves an old one; the run itself ends
    with that error.

    Args:
        folder: The run folder.
        tally: What the run did.
        live: Its streams.
        interval_s: Seconds between two.
    """
    heartbeat = Heartbeat(tally, live)
    ended = threading.Event()
    worker = threading.Thread(
        target=_work, args=(folder, heartbeat, live, interval_s, ended), name="heartbeat", daemon=True
    )
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()
        if live.is_begun:
            _write(folder, heartbeat, ended=True)


def _work(folder: Path, heartbeat: Heartbeat, live: Live, interval_s: float, ended: threading.Event) -> None:
    written_s, phase = float("-inf"), live.watch.read().phase
    while not ended.wait(min(interval_s, _LOOK_S)):
        before, phase = phase, live.watch.read().phase
        if live.is_begun and (phase != before or time.monotonic() - written_s >= interval_s):
            written_s = time.monotonic()
            _write(folder, heartbeat)


def _write(folder: Path, heartbeat: Heartbeat, *, ended: bool = False) -> None:
    if not folder.is_dir():
        return  # it is not made anew: the run itself says that it is gone
    with suppress(OutputError):
        replace_file(folder / HEARTBEAT_FILE, json.dumps(heartbeat.describe(ended=ended), indent=2) + "\n")


def _describe_ages(ages_s: list[float]) -> dict[str, float] | None:
    if not ages_s:
        return None
    median, p99 = np.percentile(ages_s, [50, 99]) * 1e3
    return {"median": round(float(median), 1), "p99": round(float(p99), 1)}


def _to_text(epoch_s: float) -> str:
    """UTC, ISO 8601, to a millisecond."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
