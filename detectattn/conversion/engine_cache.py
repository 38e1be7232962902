"""Where converted models are kept: a folder each, whole or not there at all, made by one process at a time.

CACHE/engines/<weights>/<engine>-<precision>-<size>-<key>/   the model, metadata.yaml, conversion.json
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from detectattn.conversion.record import ConversionRecord, find_damage, load_record, write_record
from detectattn.conversion.settings import ConversionSettings, collect_conditions, compute_key
from detectattn.sinks.files import output_errors
from detectattn.weights.cache import cache_dir

_LOCK_FILE = ".lock"
_DRAFT = ".making-"


@dataclass(frozen=True, slots=True)
class CachedEngine:
    """A conversion in the cache.

    Attributes:
        folder: Where it lies.
        record: What is known of it.
        damage: What is wrong with its files, in words; None where they are as they were written.
    """

    folder: Path
    record: ConversionRecord
    damage: str | None = None


def engines_dir(weights_sha256: str) -> Path:
    """The folder of all conversions of some weights. Not created."""
    return cache_dir() / "engines" / weights_sha256[:16]


def find_engine(weights_sha256: str, wanted: ConversionSettings) -> CachedEngine | None:
    """The latest conversion that does what is wanted, made with the versions and on the processor at hand.

    Neither PyTorch nor an engine is imported. One that the gate refused is found too, by its record.

    Args:
        weights_sha256: Of the weights.
        wanted: What it is to be; see :meth:`~detectattn.conversion.settings.ConversionSettings.serves`.
    """
    folders = list(engines_dir(weights_sha256).glob(f"{wanted.engine}-{wanted.precision}-*"))
    conditions = collect_conditions(wanted) if folders else {}
    for folder in sorted(folders, key=_find_age, reverse=True):
        record = load_record(folder)
        if (
            record is not None
            and record.weights_sha256 == weights_sha256
            and dict(record.conditions) == conditions
            and record.settings.serves(wanted, record.own_hw)
        ):
            return CachedEngine(folder, record, find_damage(folder, record))
    return None


def _find_age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0  # another process has just replaced it


@contextmanager
def lock_engines(weights_sha256: str, on_wait: Callable[[], None]) -> Iterator[Path]:
    """Keep other processes from converting the same weights while the block goes on.

    Args:
        weights_sha256: Of the weights.
        on_wait: Called once if another process is at it, which is then waited for.

    Yields:
        The folder of the conversions of these weights.

    Raises:
        OutputError: The cache cannot be written.
    """
    from filelock import FileLock, Timeout

    folder = engines_dir(weights_sha256)
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK_FILE)
    with output_errors(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            lock.acquire()
    try:
        yield folder
    finally:
        lock.release()


@contextmanager
def draft_engine(folder: Path) -> Iterator[Path]:
    """An empty folder to convert into, gone when the block ends unless it was published.

    Args:
        folder: Of :func:`lock_engines`, held: what a killed process left in it is removed.

    Raises:
        OutputError: The cache cannot be written.
    """
    draft = folder / f"{_DRAFT}{uuid.uuid4().hex}"
    with output_errors(draft):
        for left in folder.glob(f"{_DRAFT}*"):
            shutil.rmtree(left, ignore_errors=True)
        draft.mkdir()
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def publish_engine(draft: Path, record: ConversionRecord) -> CachedEngine:
    """Give a finished conversion its place, in one step, instead of a damaged one.

    Args:
        draft: Of :func:`draft_engine`, with the model in it.
        record: What is known of it; written beside it.

    Raises:
        OutputError: The cache cannot be written.
    """
    settings = record.settings
    key = compute_key(record.weights_sha256, settings, record.conditions)
    size = "x".join(str(side) for side in settings.net_hw or record.own_hw)
    target = draft.with_name(f"{settings.engine}-{settings.precision}-{size}-{key[:16]}")
    with output_errors(target):
        write_record(draft, record)
        if target.exists():
            shutil.rmtree(target.rename(draft.with_name(f"{_DRAFT}{uuid.uuid4().hex}")), ignore_errors=True)
        draft.rename(target)
    return CachedEngine(target, record)
