"""What is known of an unfinished run beside its records: how far they are whole, and how far certainly on the disk.

A process that is killed loses nothing that it has handed to the system; a machine that loses power loses what the
system had not written yet. So everything is written out now and then, and how far the records were by then is noted,
together with the boot of the machine: within the same boot all records count, after another one those that were noted.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from detectattn.errors import OutputError
from detectattn.sinks.files import replace_file

STATE_FILE = ".detectattn-state.json"
_INTERVAL_S = 30.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class RunState:
    """What a sitting leaves for the next one.

    Attributes:
        whole_bytes: So much of ``predictions.jsonl`` is of inputs that have all their records.
        durable_bytes: So much of it was on the disk, with all files that belong to it, when that was last made sure.
        boot_id: The boot of the machine; None where it cannot be told from another.
    """

    whole_bytes: int = 0
    durable_bytes: int = 0
    boot_id: str | None = None

    @property
    def trusted_bytes(self) -> int | None:
        """How much of the records can be trusted; None for all."""
        now = read_boot_id()
        return self.durable_bytes if None not in (self.boot_id, now) and self.boot_id != now else None


def read_boot_id() -> str | None:
    """What tells this boot of the machine from another; None where the system has no such thing."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def read_state(folder: Path) -> RunState:
    """The state of a run; nothing is known where there is none that can be read."""
    try:
        state = RunState(**json.loads((folder / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return RunState()
    return state if _is_sound(state) else RunState()


def _is_sound(state: RunState) -> bool:
    are_counts = all(type(size) is int and size >= 0 for size in (state.whole_bytes, state.durable_bytes))
    return are_counts and isinstance(state.boot_id, str | None)


def write_state(folder: Path, state: RunState) -> None:
    """Write the state of a run in place of an earlier one.

    Raises:
        OutputError: It cannot be written.
    """
    replace_file(folder / STATE_FILE, json.dumps(asdict(state)) + "\n")


@contextmanager
def keep_checkpoints(folder: Path, interval_s: float = _INTERVAL_S) -> Iterator[None]:
    """Write everything out every ``interval_s`` seconds while the block goes on, and when it ends after that long.

    Args:
        folder: The run folder, with nothing in its records that is done again.
        interval_s: How much work a loss of power may cost, in seconds.

    Raises:
        OutputError: The state cannot be written.
    """
    boot_id = read_boot_id()
    if boot_id is None or not hasattr(os, "sync"):
        yield
        return
    state = read_state(folder)
    state = replace(state, boot_id=boot_id, durable_bytes=min(state.durable_bytes, _measure_records(folder)))
    write_state(folder, state)
    ended = threading.Event()
    worker = threading.Thread(target=_work, args=(folder, state, interval_s, ended), name="checkpoint", daemon=True)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()


def _work(folder: Path, state: RunState, interval_s: float, ended: threading.Event) -> None:
    is_long = False
    while not ended.wait(interval_s):
        is_long = True
        _save(folder, state)
    if is_long:
        _save(folder, state)


def _save(folder: Path, state: RunState) -> None:
    # Where the disk is full or the folder not there, the run itself says so; the state before stays true.
    with suppress(OutputError, OSError):
        if not folder.is_dir():
            return
        durable_bytes = _measure_records(folder)
        os.sync()
        write_state(folder, replace(state, durable_bytes=durable_bytes))


def _measure_records(folder: Path) -> int:
    records = folder / "predictions.jsonl"
    return records.stat().st_size if records.exists() else 0
