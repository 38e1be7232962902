"""What ``run.json`` and the markers of a run say, for a resume and for the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from itertools import islice
from typing import Any

from detectattn.distributed.counts import Counts
from detectattn.distributed.layout import DONE_FOLDER, iter_done
from detectattn.distributed.publish import read_marker
from detectattn.distributed.settings import ModelPackage, ModelSetup
from detectattn.engines.base import EngineOptions
from detectattn.errors import UnreadableRecord
from detectattn.records import failure_from_record
from detectattn.storage.base import Store
from detectattn.types import FrameFailure

_READERS = 16


def setup_to_dict(setup: ModelSetup) -> dict[str, Any]:
    """How replicas open the model, as ``run.json`` has it."""
    return asdict(setup)


def setup_from_dict(recorded: Mapping[str, Any]) -> ModelSetup:
    """The inverse of :func:`setup_to_dict`, from what JSON made of it.

    Raises:
        UnreadableRecord: It is none.
    """
    try:
        known = {field.name for field in fields(EngineOptions)}
        options = {name: value for name, value in recorded["options"].items() if name in known}
        options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        package = ModelPackage(**recorded["package"])
        original = ModelPackage(**recorded["original"]) if recorded.get("original") else None
        return ModelSetup(package, recorded["name"], recorded["engine"], EngineOptions(**options), original)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableRecord(
            f"run.json does not say how the model is opened ({error})", hint="Begin a new run"
        ) from error


def list_done(store: Store) -> set[int]:
    """The shards that are done.

    Raises:
        FetchError: The store cannot be listed.
    """
    return set(iter_done(store.iter_names(f"{DONE_FOLDER}/")))


def sum_markers(shards: Collection[int], store: Store, on_read: Callable[[], None] = lambda: None) -> Counts:
    """What shards counted, by their markers.

    Args:
        shards: Shards that are done.
        store: Where the run goes.
        on_read: Called for each.

    Raises:
        UnreadableRecord: A marker is damaged.
        FetchError: The store cannot be read.
    """
    counts = Counts()
    with ThreadPoolExecutor(_READERS, thread_name_prefix="markers") as pool:
        for group in _iter_groups(shards, 64 * _READERS):
            for done in pool.map(lambda shard: read_marker(shard, store), group):
                counts.add(done.counts)
                on_read()
    return counts


def read_failures(store: Store, most: int) -> list[FrameFailure]:
    """The first of the failures of a run, in the order of its inputs.

    Raises:
        FetchError: The store cannot be read.
    """
    return list(islice(_iter_failures(store), most))


def _iter_failures(store: Store) -> Iterator[FrameFailure]:
    for name in store.iter_names("failures/"):
        for line in store.get(name).splitlines():
            yield failure_from_record(json.loads(line))


def _iter_groups(shards: Iterable[int], size: int) -> Iterator[list[int]]:
    waiting = iter(sorted(shards))
    while group := list(islice(waiting, size)):
        yield group
