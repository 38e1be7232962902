"""Folders are walked by content, in a fixed order, and survive whatever lies in them."""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from detectattn.errors import EmptySource
from detectattn.sources import ReadCounts, ReadOptions, iter_frames, open_source, open_sources
from detectattn.sources.folder import natural_key
from detectattn.types import FrameFailure, Media

OPTIONS = ReadOptions()
MP4_HEAD = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()


@pytest.fixture
def fill(tmp_path: Path) -> Callable[..., Path]:
    """Writes files into a folder: a picture each, unless content is given."""

    def write(*names: str, **contents: bytes) -> Path:
        for name in names:
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(PNG)
        for name, content in contents.items():
            (tmp_path / "in" / name.replace("_DOT_", ".")).write_bytes(content)
        return tmp_path / "in"

    return write


def walk(folder: Path) -> tuple[list[Media | FrameFailure], ReadCounts]:
    counts = ReadCounts()
    return list(open_source(str(folder), OPTIONS).iter_media(counts)), counts


def names(media: list[Media | FrameFailure]) -> list[str]:
    return [one.source for one in media]


def test_names_are_relative_in_natural_order(fill: Callable[..., Path]) -> None:
    folder = fill("img10.png", "img2.png", "IMG3.png", "day2/b.png", "day10/a.png", "day2/deep/er/c.png")
    media, _ = walk(folder)
    assert names(media) == [
        "IMG3.png",
        "day2/b.png",
        "day2/deep/er/c.png",
        "day10/a.png",
        "img2.png",
        "img10.png",
    ]
    assert [str(one.output) for one in media if isinstance(one, Media)] == names(media)
    assert all(isinstance(one, Media) and one.location == folder / one.source for one in media)


def test_content_decides_and_the_rest_is_counted(fill: Callable[..., Path]) -> None:
    folder = fill(
        "photo.png",
        "no_suffix",
        "odd.dat",
        clip_DOT_mp4=MP4_HEAD,
        film_DOT_xyz=MP4_HEAD,
        picture_DOT_mp4=PNG,
        broken_DOT_jpg=b"nonsense",
        notes_DOT_txt=b"hello",
        labels_DOT_json=b"{}",
        more_DOT_json=b"{}",
        LICENSE=b"words",
        component_DOT_ts=b"export const x = 1;",
    )
    media, counts = walk(folder)
    kinds = {one.source: one.kind for one in media if isinstance(one, Media)}
    assert kinds == {
        "photo.png": "image",
        "no_suffix": "image",
        "odd.dat": "image",
        "clip.mp4": "video",
        "film.xyz": "video",
        "picture.mp4": "image",
        "broken.jpg": "image",
    }
    assert counts.skipped == {".txt": 1, ".json": 2, "(no suffix)": 1, ".ts": 1}
    assert open_source(str(folder), OPTIONS).count() == 7


def test_hidden_entries_and_run_folders_are_left_out(fill: Callable[..., Path]) -> None:
    folder = fill("a.png", ".hidden.png", ".git/b.png", "runs/predict-001/images/a.png", "runs/other/c.png")
    run = folder / "runs/predict-001"
    (run / "run.json").write_text(json.dumps({}))
    (run / "predictions.jsonl").write_text("")
    assert names(walk(folder)[0]) == ["a.png", "runs/other/c.png"]
    assert names(walk(run / "images")[0]) == ["a.png"]
    assert names(walk(run)[0]) == ["images/a.png"]


def test_a_link_to_a_folder_above_does_not_lead_back(tmp_path: Path) -> None:
    folder = tmp_path / "parent" / "given"
    folder.mkdir(parents=True)
    for path in (folder / "a.png", folder.parent / "beside.png"):
        Image.new("RGB", (4, 4)).save(path)
    (folder / "up").symlink_to("..")
    media = list(open_source(folder, ReadOptions()).iter_media(ReadCounts()))
    assert [m.source for m in media] == ["a.png", "up/beside.png"]


def test_links_that_form_a_loop_end(fill: Callable[..., Path]) -> None:
    folder = fill("a.png", "sub/b.png")
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "sub" / "self").symlink_to(folder / "sub")
    (folder / "alias").symlink_to(folder / "sub")
    assert names(walk(folder)[0]) == ["a.png", "sub/b.png"]


def test_links_to_elsewhere_are_followed_once(fill: Callable[..., Path], tmp_path: Path) -> None:
    folder = fill("a.png", ".cache/c.png")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.png").write_bytes(PNG)
    (outside / "back").symlink_to(folder)
    (folder / "first").symlink_to(outside)
    (folder / "second").symlink_to(outside)
    (folder / "unhidden").symlink_to(folder / ".cache")
    (folder / "file-link.png").symlink_to(outside / "b.png")
    assert names(walk(folder)[0]) == ["a.png", "file-link.png", "first/b.png", "unhidden/c.png"]


def test_a_broken_link_and_a_pipe_are_failures_in_their_place(fill: Callable[..., Path]) -> None:
    folder = fill("a.png", "z.png")
    (folder / "gone.png").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.png")
    (folder / "gone-notes").symlink_to(folder / "nowhere")
    media, counts = walk(folder)
    assert names(media) == ["a.png", "gone.png", "pipe.png", "z.png"]
    assert [type(one) for one in media] == [Media, FrameFailure, FrameFailure, Media]
    assert counts.skipped == {"(no suffix)": 1}
    assert open_source(str(folder), OPTIONS).count() == 2


@pytest.mark.parametrize(
    "name",
    [
        "--conf.png",
        "-",
        "new\nline.png",
        "emoji 🐈.png",
        " blanks .png",
        "*.png",
        "a[1].png",
        "ütf-8.png",
        "quote'\".png",
        "x" * 251 + ".png",
        "🐈" * 62 + ".png",
    ],
)
def test_any_name_works(fill: Callable[..., Path], name: str) -> None:
    folder = fill(name)
    (media,), _ = walk(folder)
    assert isinstance(media, Media)
    assert media.source == name
    assert len(media.output.name.encode()) <= 200
    assert media.output.suffix == Path(name).suffix
    (frame,) = iter_frames(media, OPTIONS)
    assert frame.size_hw == (3, 4)
    (alone,) = open_source(str(folder / name), OPTIONS).iter_media(ReadCounts())
    assert isinstance(alone, Media)
    assert alone.location == folder / name


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows any bytes in a name")
def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    for name in (b"caf\xe9.png", b"caf\xe8.png"):
        with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:  # noqa: PTH123 - a path of bytes
            file.write(PNG)
    media, _ = walk(tmp_path)
    assert names(media) == ["caf\\xe8.png", "caf\\xe9.png"]
    for one in media:
        assert isinstance(one, Media)
        assert one.output.name.encode("utf-8").endswith(b".png")
        assert len(list(iter_frames(one, OPTIONS))) == 1


def test_outputs_differ_also_where_case_does_not_count(fill: Callable[..., Path]) -> None:
    folder = fill("bus.png", "BUS.png", "bus-2.png", "Day/a.png", "day/a.png")
    if len(list(folder.iterdir())) < 5:
        pytest.skip("this file system ignores case")
    outputs = [str(one.output) for one in walk(folder)[0] if isinstance(one, Media)]
    assert len({output.casefold() for output in outputs}) == 5
    assert "BUS.png" in outputs
    assert "bus-3.png" in outputs


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_directory_is_a_failure_by_permission(fill: Callable[..., Path]) -> None:
    folder = fill("a.png", "locked/b.png")
    (folder / "locked").chmod(0)
    try:
        media, _ = walk(folder)
    finally:
        (folder / "locked").chmod(0o755)
    assert [type(one) for one in media] == [Media, FrameFailure]


def test_an_unreadable_directory_is_a_failure(fill: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill("a.png", "locked/b.png", "z.png")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    media, _ = walk(folder)
    assert names(media) == ["a.png", "locked", "z.png"]
    failure = media[1]
    assert isinstance(failure, FrameFailure)
    assert (failure.index, failure.code) == (None, "source")
    assert "Permission denied" in failure.message


@pytest.mark.parametrize(
    ("files", "says"), [((), "neither pictures nor videos"), (("a.txt", "b.txt"), "2 other files")]
)
def test_a_folder_without_media(tmp_path: Path, files: tuple[str, ...], says: str) -> None:
    for name in files:
        (tmp_path / name).write_text("words")
    with pytest.raises(EmptySource, match=says):
        open_source(str(tmp_path), OPTIONS)


@pytest.fixture
def deep_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A picture 1,100 folders down, the working directory at their top; gives the depth, and clears up bottom first."""
    depth = 1100
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")  # noqa: PTH102 - relative, for the whole path would be too long
        os.chdir("d")
    Path("x.png").write_bytes(PNG)
    os.chdir(tmp_path)
    yield depth
    os.chdir("d/" * depth)
    Path("x.png").unlink()
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("d")  # noqa: PTH106 - as above


def test_depth_beyond_pythons_recursion(deep_folder: int) -> None:
    (media,) = open_sources(["."], OPTIONS).iter_media(ReadCounts())
    assert media.source == "d/" * deep_folder + "x.png"


def test_memory_is_that_of_one_directory(tmp_path: Path) -> None:
    for day in range(40):
        folder = tmp_path / f"day{day}"
        folder.mkdir()
        for n in range(25):
            (folder / f"{n}.png").touch()
    source = open_source(str(tmp_path), OPTIONS)
    for _ in source.iter_media(ReadCounts()):
        pass  # once before, so that what is cached on the way is not counted
    media = source.iter_media(ReadCounts())
    next(media)
    gc.collect()
    tracemalloc.start()
    count = 1 + sum(1 for _ in media)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1000
    assert peak < 150_000


@given(st.lists(st.text(min_size=1, max_size=8)), st.randoms())
def test_natural_order_does_not_depend_on_the_listing(words: list[str], random: Random) -> None:
    shuffled = list(words)
    random.shuffle(shuffled)
    assert sorted(shuffled, key=natural_key) == sorted(words, key=natural_key)
