from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.errors import (
    AccessDenied,
    DetectattnError,
    EmptySource,
    FetchTooLarge,
    ObjectNotFound,
    Offline,
    SourceNotFound,
)
from detectattn.sources import iter_frames, open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.remote import ObjectFolder
from detectattn.sources.remote_names import OutputTree
from detectattn.storage import listing, parse_address
from detectattn.types import FrameFailure, Media
from tests.object_store import Bucket, FailingFront

PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
PNG = cv2.imencode(".png", PICTURE)[1].tobytes()


def _media(*texts: str, **options: Any) -> list[Media]:
    found = list(open_sources(texts, ReadOptions(**options)).iter_media(ReadCounts()))
    assert not [item for item in found if isinstance(item, FrameFailure)]
    return [item for item in found if isinstance(item, Media)]


def _named(*texts: str) -> set[tuple[str, str]]:
    """What media are called in records, and where their outputs go."""
    return {(media.source, str(media.output)) for media in _media(*texts)}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with all that the rules for folders are about."""
    root = tmp_path / "tree"
    names = ["b.png", "a/img2.png", "a/img10.png", "a b/ü.PNG", "no-suffix", ".hidden/x.png", "a/.x.png", "notes.txt"]
    for name in [*names, "run-1/images/b.png", "set/images/c.png", "table.xyz"]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"words" if path.suffix in {".txt", ".xyz"} else PNG)
    for name in ("run.json", "predictions.jsonl"):
        (root / "run-1" / name).write_text("{}")
    return root


def test_a_folder_holds_what_a_local_copy_of_it_does(s3: Bucket, tree: Path) -> None:
    url = s3.put_tree(tree, "data/tree")
    counts, local = ReadCounts(), ReadCounts()
    names = [m.source for m in open_sources([url], ReadOptions()).iter_media(counts) if isinstance(m, Media)]
    list(open_sources([tree], ReadOptions()).iter_media(local))
    assert _named(url) == _named(str(tree))
    assert names == sorted(names)
    assert counts.skipped == local.skipped == {".txt": 1, ".xyz": 1}
    assert _named(url.rstrip("/")) == _named(url)
    assert open_sources([url], ReadOptions()).count() == 8  # as far as names tell


@pytest.mark.parametrize("pattern", ["a/*.png", "*/img*", "a", "**/*.png", "a*", "[ab].png", "set/*", "a/.x*"])
def test_a_pattern_matches_what_it_matches_locally(s3: Bucket, tree: Path, pattern: str) -> None:
    url = s3.put_tree(tree, "data/tree")
    there, here = _named(f"{url}{pattern}", f"{url}b.png"), _named(f"{tree}/{pattern}", f"{tree}/b.png")
    assert {(source.removeprefix(url), output) for source, output in there} == {
        (source.removeprefix(f"{tree}/"), output) for source, output in here
    }


def test_several_sources_are_named_by_their_addresses_and_read_once(s3: Bucket, tree: Path) -> None:
    url = s3.put_tree(tree, "data/tree")
    named = _named(f"{url}a", f"{url}a/img2.png", f"{url}b.png")
    assert named == {
        (f"{url}a/img10.png", "a/img10.png"),
        (f"{url}a/img2.png", "a/img2.png"),
        (f"{url}b.png", "b.png"),
    }


def test_pictures_and_videos_are_those_of_the_files(s3: Bucket, noon: Path, street_clip: Path, tmp_path: Path) -> None:
    pairs = [(noon, s3.put("noon.jpg", noon)), (street_clip, s3.put("clip", street_clip))]
    for path, url in pairs:
        (here,), (there,) = _media(str(path)), _media(url)
        options = ReadOptions(temp_dir=tmp_path, vid_stride=50)
        frames = zip(iter_frames(here, options), iter_frames(there, options), strict=True)
        for own, stored in frames:
            assert np.array_equal(own.bgr, stored.bgr)
            assert (own.index, own.timestamp_s, own.media.kind) == (stored.index, stored.timestamp_s, stored.media.kind)
        del own, stored, frames
    gc.collect()
    assert list(tmp_path.iterdir()) == []  # the copy of a video goes when its last frame does


def test_a_picture_costs_one_request(front: FailingFront, s3: Bucket) -> None:
    (media,) = _media(s3.put("a.png", PNG))
    front.asked.clear()
    (frame,) = iter_frames(media, ReadOptions())
    assert np.array_equal(frame.bgr, PICTURE)
    assert [asked.split(" ")[0] for asked in front.asked] == ["GET"]


def test_a_large_picture_passes_through_the_disk(s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectattn.sources.remote_frames.MEMORY_BYTES", 2000)
    monkeypatch.setattr("detectattn.storage.read.PIECE_BYTES", 1000)
    (media,) = _media(s3.put("a.png", PNG))
    (frame,) = iter_frames(media, ReadOptions(temp_dir=tmp_path))
    assert np.array_equal(frame.bgr, PICTURE)
    with pytest.raises(FetchTooLarge, match=r"a\.png is larger than the limit of 3 kB"):
        list(iter_frames(media, ReadOptions(temp_dir=tmp_path, max_fetch_bytes=3000)))


@pytest.mark.parametrize(("content", "words"), [(b"", "an empty file"), (b"words", "it is text"), (PNG[:99], "cut")])
def test_what_is_no_picture_says_what_the_local_file_would(
    s3: Bucket, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    s3.put("x/a.png", content)
    said = []
    for text in (tmp_path, f"{s3.url}/x/"):
        (media,) = _media(str(text))
        with pytest.raises(DetectattnError, match=words) as caught:
            list(iter_frames(media, ReadOptions()))
        said.append((caught.value.code, str(caught.value)))
    assert said[0] == said[1]


def test_an_object_that_goes_meanwhile_fails_alone(s3: Bucket) -> None:
    for name in ("a.png", "b.png"):
        s3.put(f"x/{name}", PNG)
    first, second = _media(f"{s3.url}/x/")
    s3.delete("x/a.png")
    with pytest.raises(ObjectNotFound, match=r"x/a\.png does not exist"):
        list(iter_frames(first, ReadOptions()))
    assert len(list(iter_frames(second, ReadOptions()))) == 1


def test_a_server_that_goes_midway_ends_the_listing_with_a_reason(
    front: FailingFront, s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell what would have come, so that this is no failure of one input."""
    _small_pages(monkeypatch)
    for index in range(4):
        s3.put(f"x/{index}.png", PNG)
    media = open_sources([f"{s3.url}/x/"], ReadOptions()).iter_media(ReadCounts())
    assert [next(media), next(media)]
    front.always = lambda asked: "gone"
    with pytest.raises(DetectattnError, match="no connection for s3://"):
        list(media)


def test_a_listing_is_read_page_by_page(front: FailingFront, s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    _small_pages(monkeypatch)
    for index in range(5):
        s3.put(f"x/{index}.png", PNG)
    media = ObjectFolder(parse_address(f"{s3.url}/x/")).iter_media(ReadCounts())
    assert isinstance(next(media), Media)
    assert len(front.asked) == 1
    assert len(list(media)) == 4
    assert len(front.asked) == 3


def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = listing._fetch_page
    monkeypatch.setattr(
        listing,
        "_fetch_page",
        lambda folder, prefix, place, offline: whole(folder, prefix, {**place, "MaxKeys": 2}, offline),
    )


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("s3://no-bucket-of-tests/x/", ObjectNotFound, "no bucket no-bucket-of-tests"),
        ("{}/none", SourceNotFound, "neither an object nor a folder"),
        ("{}/none.jpg", SourceNotFound, "neither an object nor a folder"),
        ("{}/none*.jpg", SourceNotFound, "matches no object"),
        ("{}/texts/", EmptySource, "holds neither pictures nor videos: 1 other file"),
        ("s3://key:secret@bucket/x", DetectattnError, "holds credentials"),
    ],
)
def test_what_cannot_be_opened(s3: Bucket, text: str, kind: type[DetectattnError], words: str) -> None:
    s3.put("texts/a.txt", b"words")
    with pytest.raises(kind, match=words) as caught:
        open_sources([text.format(s3.url)], ReadOptions())
    assert "secret" not in str(caught.value)


def test_a_missing_right_to_one_object_fails_alone(front: FailingFront, s3: Bucket) -> None:
    s3.put("x/a.png", PNG)
    (media,) = _media(f"{s3.url}/x/")
    front.always = lambda asked: 403
    with pytest.raises(AccessDenied, match="no right to"):
        list(iter_frames(media, ReadOptions()))


def test_offline_is_refused_before_anything_is_asked(front: FailingFront, s3: Bucket) -> None:
    with pytest.raises(Offline):
        open_sources([f"{s3.url}/x/"], ReadOptions(offline=True))
    assert front.asked == []


def test_a_line_of_a_list_may_be_an_address(s3: Bucket, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{s3.put('x/a.png', PNG)}\n{s3.url}/x/gone.png\n{s3.url}/x/gone\n")
    found = list(open_sources([listed], ReadOptions()).iter_media(ReadCounts()))
    assert [type(item) for item in found] == [Media, Media, FrameFailure]
    assert isinstance(found[2], FrameFailure)
    assert found[2].code == "not-found"


def test_outputs_are_distinct_where_case_is_ignored() -> None:
    tree = OutputTree()
    names = sorted(["BUS.jpg", "bus.jpg", "Bus.jpg", "a/x.jpg", "A/x.jpg", "a/../b.jpg", "z/" + "n" * 300 + ".jpg"])
    outputs = [str(tree.place(tuple(name.split("/")))) for name in names]
    assert len({output.casefold() for output in outputs}) == len(names)
    assert outputs[names.index("BUS.jpg")] == "BUS.jpg"
    assert all(output.endswith(".jpg") and ".." not in output.split("/") for output in outputs)


def test_predict_gives_the_records_of_a_local_copy(
    s3: Bucket, street_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from detectattn.cli.app import app

    copy = tmp_path / "copy"
    (copy / "deep").mkdir(parents=True)
    for name, target in (("noon.jpg", "noon.jpg"), ("avenue.jpg", "deep/avenue.jpg")):
        (copy / target).write_bytes((street_images / name).read_bytes())
    (copy / "broken.png").write_bytes(PNG[:99])
    records, failures = [], []
    for name, source in (("here", str(copy)), ("there", s3.put_tree(copy, "street"))):
        out = tmp_path / name
        ran = CliRunner().invoke(
            app, ["predict", source, "-m", "demo-yolo", "--engine", "torch", "-o", str(out), "--no-images"]
        )
        assert ran.exit_code == 4, ran.output  # an input failed
        lines = map(json.loads, (out / "predictions.jsonl").read_text().splitlines())
        records.append(sorted(({**line, "timing": None} for line in lines), key=lambda line: line["source"]))
        failures.append(json.loads((out / "run.json").read_text())["failures"])
    assert records[0] == records[1]
    assert len(records[0]) == 2
    assert failures[0] == failures[1]
