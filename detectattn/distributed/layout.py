"""What the objects of a run on a cluster are called, below its store.

run.json                                what was run, how, and what came of it
manifest/manifest-00000.jsonl           the inputs of a shard, in their order
manifest/manifest.json                  how many there are; written last
model/…                                 the model as every replica runs it
predictions/predictions-00000.jsonl     a shard's records
failures/failures-00000.jsonl           a shard's failures, where it has any
parquet/…-00000.parquet, csv/…, images/…, videos/…
done/00000.json                         that a shard is done; written last of all that belongs to it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

RUN_FILE = "run.json"
MANIFEST_FILE = "manifest/manifest.json"
MODEL_FOLDER = "model"
DONE_FOLDER = "done"

# Those whose file names do not depend on what other shards hold.
SHARDED_FORMATS = ("parquet", "csv")

_OWN_FILES = {
    "predictions.jsonl": ("predictions", "predictions", ".jsonl"),
    "failures.jsonl": ("failures", "failures", ".jsonl"),
    "predictions.csv": ("csv", "predictions", ".csv"),
    "parquet/images.parquet": ("parquet", "images", ".parquet"),
    "parquet/detections.parquet": ("parquet", "detections", ".parquet"),
}
_MARKER = re.compile(rf"{DONE_FOLDER}/(\d{{5,}})\.json")


def to_manifest_name(shard: int) -> str:
    """The object that lists the inputs of a shard."""
    return f"manifest/manifest-{shard:05d}.jsonl"


def to_records_name(shard: int) -> str:
    """A shard's records."""
    return f"predictions/predictions-{shard:05d}.jsonl"


def to_marker_name(shard: int) -> str:
    """The object that says that a shard is done."""
    return f"{DONE_FOLDER}/{shard:05d}.json"


def to_part_name(path: PurePosixPath, shard: int) -> str:
    """Where a file of a shard's own run folder goes: those that every shard has get its number, others keep their name.

    Args:
        path: Relative to the shard's folder.
        shard: Its number.
    """
    own = _OWN_FILES.get(path.as_posix())
    return path.as_posix() if own is None else f"{own[0]}/{own[1]}-{shard:05d}{own[2]}"


def iter_done(names: Iterable[str]) -> Iterator[int]:
    """Yield the numbers of the shards whose markers are among the names of objects."""
    for name in names:
        if found := _MARKER.fullmatch(name):
            yield int(found[1])
