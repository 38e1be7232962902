"""The inputs of a run: shards, and what a line of the list keeps."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from detectattn.distributed.manifest import (
    from_line,
    iter_shards,
    read_manifest,
    read_shard,
    to_line,
    write_manifest,
)
from detectattn.errors import ConfigError, UnreadableRecord
from detectattn.sources.base import ReadCounts
from detectattn.storage import Store
from detectattn.types import FrameFailure, Media


def to_media(name: str, kind: str = "image") -> Media:
    return Media(name, kind, Path("/in") / name, PurePosixPath(name))  # type: ignore[arg-type]


def to_sizes(kinds: str, size: int) -> list[int]:
    items = [to_media(f"{i}.x", "video" if kind == "v" else "image") for i, kind in enumerate(kinds)]
    shards = list(iter_shards(items, size))
    assert [item for shard in shards for item in shard] == items
    return [len(shard) for shard in shards]


@pytest.mark.parametrize(
    ("kinds", "size", "expected"),
    [
        ("", 3, []),
        ("iii", 3, [3]),
        ("iiiiiii", 3, [3, 3, 1]),
        ("v", 3, [1]),
        ("iviiiiv", 3, [1, 1, 3, 1, 1]),
        ("vv", 3, [1, 1]),
    ],
)
def test_shards_keep_order_and_videos_are_alone(kinds: str, size: int, expected: list[int]) -> None:
    assert to_sizes(kinds, size) == expected


def test_video_behind_an_address_is_alone() -> None:
    video = Media("clip.mp4", "url", "s3://b/clip.mp4", PurePosixPath("clip.mp4"))
    assert [len(s) for s in iter_shards([to_media("a.jpg"), video, to_media("b.jpg")], 9)] == [1, 1, 1]


@pytest.mark.parametrize(
    "item",
    [
        to_media("street/bus.jpg"),
        to_media("clip.mp4", "video"),
        Media("\\udcff.jpg", "image", Path("/in/\udcff.jpg"), PurePosixPath("_.jpg")),
        Media("s3://b/x y.png", "url", "s3://b/x y.png", PurePosixPath("x y.png")),
        FrameFailure("gone.jpg", None, "not-found", "gone.jpg does not exist."),
    ],
)
def test_line_round_trip(item: Media | FrameFailure) -> None:
    line = to_line(item)
    assert line.endswith("\n")
    assert line.isascii()
    back = from_line(line)
    assert back == item
    if isinstance(item, Media):
        assert isinstance(back, Media)
        assert back.location == item.location


@pytest.mark.parametrize("location", [0, b"\xff\xd8", "rtsp://camera/1"])
def test_what_exists_here_alone_is_refused(location: int | bytes | str) -> None:
    media = Media("x", "stream" if location != b"\xff\xd8" else "image", location, PurePosixPath("x"))
    with pytest.raises(ConfigError, match="this machine alone"):
        to_line(media)


def test_written_and_read(store: Store) -> None:
    items = [*(to_media(f"{i}.jpg") for i in range(7)), to_media("c.mp4", "video")]
    told: list[int] = []
    written = write_manifest(items, ReadCounts({".md": 2}), store, 3, told.append)
    assert (written.shards, written.inputs, written.videos, written.skipped) == (4, 8, 1, {".md": 2})
    assert read_manifest(store) == written
    assert [read_shard(store, shard) for shard in range(4)] == [items[:3], items[3:6], items[6:7], items[7:]]
    assert told == [3, 6, 7, 8]


def test_digest_tells_inputs_apart(store: Store) -> None:
    first = write_manifest([to_media("a.jpg")], ReadCounts(), store, 3)
    assert write_manifest([to_media("b.jpg")], ReadCounts(), store, 3).sha256 != first.sha256
    assert write_manifest([to_media("a.jpg")], ReadCounts(), store, 3) == first


def test_listing_that_broke_off_is_none(store: Store) -> None:
    def listing() -> list[Media]:
        raise OSError("the disk is gone")

    def walk():  # type: ignore[no-untyped-def]
        yield to_media("a.jpg")
        yield to_media("b.jpg")
        listing()

    with pytest.raises(OSError, match="gone"):
        write_manifest(walk(), ReadCounts(), store, 1)
    assert store.exists("manifest/manifest-00000.jsonl")
    assert read_manifest(store) is None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema": 1, "shards": 1}', b"[]"])
def test_damaged_manifest(store: Store, content: bytes) -> None:
    store.put("manifest/manifest.json", content)
    with pytest.raises(UnreadableRecord, match=r"manifest\.json cannot be read"):
        read_manifest(store)
