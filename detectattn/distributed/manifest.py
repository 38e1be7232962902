"""The inputs of a run, listed once: shards with boundaries that stay, in the order of the local run.

The listing is walked once and written as it goes, so memory does not grow with it. Only when all of it is written does
``manifest.json`` appear; without that, nothing was worked on, and the inputs are listed again.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from detectattn.distributed.layout import MANIFEST_FILE, to_manifest_name
from detectattn.errors import ConfigError, UnreadableRecord
from detectattn.records import SCHEMA, check_schema, failure_from_record, failure_to_record
from detectattn.sources.base import ReadCounts
from detectattn.sources.suffixes import VIDEO_SUFFIXES
from detectattn.storage.base import Store
from detectattn.types import FrameFailure, Media

Item = Media | FrameFailure

_WRITERS = 8
_MOST_UNDER_WAY = 32


@dataclass(frozen=True, slots=True)
class Manifest:
    """All inputs of a run.

    Attributes:
        shards: How many shards there are, numbered from 0.
        inputs: How many inputs, those among them that are failures already included.
        videos: How many of them are videos.
        shard_size: Inputs a shard, at most.
        skipped: Files that are neither pictures nor videos, by suffix.
        sha256: Of the digests of all shards, one after another.
    """

    shards: int
    inputs: int
    videos: int
    shard_size: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    sha256: str = ""


def iter_shards(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Group inputs, in their order, into shards of ``size``; a video is a shard of its own.

    Args:
        items: The inputs.
        size: Inputs a shard, at most.
    """
    shard: list[Item] = []
    for item in items:
        is_video = _is_video(item)
        if shard and (is_video or len(shard) == size):
            yield shard
            shard = []
        if is_video:
            yield [item]
        else:
            shard.append(item)
    if shard:
        yield shard


def write_manifest(
    items: Iterable[Item],
    counts: ReadCounts,
    store: Store,
    size: int,
    on_listed: Callable[[int], None] = lambda _: None,
) -> Manifest:
    """List inputs into a store.

    Args:
        items: The inputs.
        counts: What walking them fills in.
        store: Where the run goes.
        size: Inputs a shard, at most.
        on_listed: Told how many inputs are listed.

    Raises:
        ConfigError: An input that exists on this machine alone: a camera, a stream, a picture from standard input.
        OutputError: The store cannot be written.
    """
    digest, inputs, videos, number = hashlib.sha256(), 0, 0, 0
    pending: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_WRITERS, thread_name_prefix="manifest") as pool:
        for number, shard in enumerate(iter_shards(items, size), start=1):
            content = "".join(map(to_line, shard)).encode("ascii")
            digest.update(hashlib.sha256(content).digest())
            pending.append(pool.submit(store.put, to_manifest_name(number - 1), content))
            inputs += len(shard)
            videos += sum(map(_is_video, shard))
            on_listed(inputs)
            while len(pending) > _MOST_UNDER_WAY:
                pending.popleft().result()
        while pending:
            pending.popleft().result()
    manifest = Manifest(number, inputs, videos, size, dict(counts.skipped), digest.hexdigest())
    store.put(MANIFEST_FILE, (json.dumps({"schema": SCHEMA, **asdict(manifest)}) + "\n").encode())
    return manifest


def read_manifest(store: Store) -> Manifest | None:
    """The manifest of a run; None where the listing did not come to its end.

    Raises:
        UnreadableRecord: It is damaged, or was written by a later version.
        FetchError: The store cannot be read.
    """
    if not store.exists(MANIFEST_FILE):
        return None
    try:
        fields = json.loads(store.get(MANIFEST_FILE))
        check_schema(fields)
        return Manifest(**{name: value for name, value in fields.items() if name != "schema"})
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(store.describe(MANIFEST_FILE), error) from error


def read_shard(store: Store, shard: int) -> list[Item]:
    """The inputs of a shard.

    Raises:
        UnreadableRecord: The list is damaged.
        FetchError: The store cannot be read.
    """
    name = to_manifest_name(shard)
    try:
        return [from_line(line) for line in store.get(name).decode("ascii").splitlines()]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(store.describe(name), error) from error


def to_line(item: Item) -> str:
    """One input as a line, in ASCII: names that are no text keep their bytes as escapes.

    Raises:
        ConfigError: It exists on this machine alone.
    """
    if isinstance(item, FrameFailure):
        return json.dumps({"failure": failure_to_record(item)}) + "\n"
    entry: dict[str, Any] = {"source": item.source, "kind": item.kind, "output": item.output.as_posix()}
    if isinstance(item.location, Path):
        entry["path"] = str(item.location.absolute())
    elif isinstance(item.location, str) and item.kind != "stream":
        entry["url"] = item.location
    else:
        raise ConfigError(
            f"{item.source} is there on this machine alone, and cannot be worked on by a cluster",
            hint="Name files, folders or addresses, or run without --cluster",
        )
    return json.dumps(entry) + "\n"


def from_line(line: str) -> Item:
    """The inverse of :func:`to_line`.

    Raises:
        ValueError, KeyError, TypeError: It is no input.
    """
    entry = json.loads(line)
    if "failure" in entry:
        return failure_from_record(entry["failure"])
    location = Path(entry["path"]) if "path" in entry else entry["url"]
    return Media(entry["source"], entry["kind"], location, PurePosixPath(entry["output"]))


def _is_video(item: Item) -> bool:
    """Whether it is a video, or by its name promises to be one where it lies behind an address."""
    if isinstance(item, FrameFailure):
        return False
    return item.kind == "video" or (item.kind == "url" and item.output.suffix.lower() in VIDEO_SUFFIXES)


def _damaged(where: str, error: Exception) -> UnreadableRecord:
    return UnreadableRecord(f"{where} cannot be read ({error})", hint="Begin a new run; what this one wrote stays")
