"""From the folder that a shard left on its machine into the run's store: its files, and last of all its marker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from detectattn.distributed.counts import Counts
from detectattn.distributed.layout import to_marker_name, to_part_name
from detectattn.errors import UnreadableRecord
from detectattn.fetch import compute_sha256
from detectattn.records import SCHEMA, check_schema
from detectattn.storage.base import Store

_WRITERS = 8
_FAILURES = "failures.jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class DoneShard:
    """What a marker says.

    Attributes:
        shard: Its number.
        counts: What was counted.
        node: Where it was worked on.
        attempt: The how-manieth attempt it was.
        parts: SHA-256 of the shard's own files, by their names in the store.
    """

    shard: int
    counts: Counts
    node: str
    attempt: int
    parts: Mapping[str, str]

    def to_json(self) -> bytes:
        """The content of the marker."""
        fields: dict[str, Any] = {"schema": SCHEMA, "shard": self.shard, "counts": self.counts.to_dict()}
        fields |= {"node": self.node, "attempt": self.attempt, "parts": dict(self.parts)}
        return (json.dumps(fields) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes, where: str) -> DoneShard:
        """The inverse of :meth:`to_json`.

        Raises:
            UnreadableRecord: It is no marker.
        """
        try:
            fields = json.loads(content)
            check_schema(fields)
            counts = Counts.from_dict(fields["counts"])
            return cls(int(fields["shard"]), counts, fields["node"], fields["attempt"], fields["parts"])
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableRecord(
                f"{where} cannot be read ({error})", hint="Delete it, and --resume does that shard again"
            ) from error


def publish_shard(folder: Path, shard: int, store: Store) -> dict[str, str]:
    """Put the files of a shard into the store; the same files in place of what an earlier attempt has left.

    Returns:
        SHA-256 of those that every shard has, by their names in the store.

    Raises:
        OutputError: The store cannot be written.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".detectattn")]
    named = [(path, PurePosixPath(path.relative_to(folder).as_posix())) for path in files]
    with ThreadPoolExecutor(_WRITERS, thread_name_prefix="publish") as pool:
        list(pool.map(lambda pair: store.put(to_part_name(pair[1], shard), pair[0]), named))
    if not (folder / _FAILURES).exists():
        store.delete(to_part_name(PurePosixPath(_FAILURES), shard))  # of an attempt that failed where this one did not
    own = ((path, to_part_name(name, shard)) for path, name in named if to_part_name(name, shard) != name.as_posix())
    return {name: compute_sha256(path) for path, name in own}


def mark_done(done: DoneShard, store: Store) -> None:
    """Write a shard's marker.

    Raises:
        OutputError: The store cannot be written.
    """
    store.put(to_marker_name(done.shard), done.to_json())


def read_marker(shard: int, store: Store) -> DoneShard:
    """What a shard's marker says.

    Raises:
        UnreadableRecord: It is damaged.
        FetchError: It cannot be read.
    """
    name = to_marker_name(shard)
    return DoneShard.from_json(store.get(name), store.describe(name))
