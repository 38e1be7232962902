"""Text files of sources."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from detectattn.errors import EmptySource, SourceError
from detectattn.sources import ReadCounts, ReadOptions, open_source
from detectattn.types import FrameFailure, Media

OPTIONS = ReadOptions()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b.png", "sub/a.png", "other/sub/c.png", "with blank .png", "#1.png", "-"):
        path = tmp_path / "lists" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(path, "PNG")
    return tmp_path / "lists"


def read(folder: Path, text: str, encoding: str = "utf-8") -> list[Media | FrameFailure]:
    (folder / "list.txt").write_bytes(text.encode(encoding))
    return list(open_source(str(folder / "list.txt"), OPTIONS).iter_media(ReadCounts()))


def test_entries_start_from_the_lists_folder(folder: Path) -> None:
    media = read(folder, f"# photos\n\n  a.png\r\n./sub/b.png\n{folder}/sub/a.png\nwith blank .png\n./#1.png\n./-\n")
    assert [one.source for one in media] == [
        "a.png",
        "./sub/b.png",
        f"{folder}/sub/a.png",
        "with blank .png",
        "./#1.png",
        "./-",
    ]
    assert [str(one.output) for one in media if isinstance(one, Media)] == [
        "a.png",
        "b.png",
        "a-2.png",
        "with blank .png",
        "#1.png",
        "-",
    ]
    assert all(isinstance(one, Media) and Path(str(one.location)).is_file() for one in media)


def test_entries_may_be_anything_that_ends_but_a_list_or_standard_input(folder: Path) -> None:
    (folder / "inner.txt").write_text("a.png\n")
    media = read(
        folder, "sub\nother/sub\n*.png\nhttps://example.org/x/bus.jpg?v=1\nrtsp://cam/1\n0\n-x\ninner.txt\n-\n"
    )
    found = [(one.source, type(one).__name__) for one in media]
    assert found == [
        ("sub/a.png", "Media"),
        ("sub/b.png", "Media"),
        ("other/sub/c.png", "Media"),
        ("#1.png", "Media"),
        ("a.png", "Media"),
        ("with blank .png", "Media"),
        ("https://example.org/x/bus.jpg?v=1", "Media"),
        ("rtsp://cam/1", "FrameFailure"),
        ("0", "FrameFailure"),
        ("-x", "FrameFailure"),
        ("inner.txt", "FrameFailure"),
        ("-", "FrameFailure"),
    ]
    kinds = [one.kind for one in media if isinstance(one, Media)]
    assert kinds[-1] == "url"
    assert "what comes after it would never have its turn" in str(media[-5])
    outputs = [one.output.as_posix() for one in media if isinstance(one, Media)]
    assert outputs[:3] == ["sub/a.png", "sub/b.png", "sub-2/c.png"]
    assert len(set(outputs)) == len(outputs)


def test_a_missing_entry_fails_in_its_place(folder: Path) -> None:
    first, missing, last = read(folder, "a.png\nsub/bb.png\nsub/b.png\n")
    assert isinstance(first, Media)
    assert isinstance(last, Media)
    assert isinstance(missing, FrameFailure)
    assert (missing.source, missing.index, missing.code) == ("sub/bb.png", None, "not-found")
    assert "b.png" in missing.message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_what_is_no_regular_file_fails_in_its_place(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.mp4").symlink_to("/dev/zero")
    found = read(folder, f"pipe.png\nzero.mp4\nfile://{folder}/pipe.png\na.png\n")
    failed = [one for one in found if isinstance(one, FrameFailure)]
    assert [one.source for one in failed] == ["pipe.png", "zero.mp4", f"file://{folder}/pipe.png"]
    assert all("no regular file" in one.message for one in failed)
    assert [one.source for one in found if isinstance(one, Media)] == ["a.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_list_that_can_be_read_once_only_is_refused_with_what_to_do(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.txt")
    with pytest.raises(SourceError, match=r"no regular file.*predict - <"):
        open_source(tmp_path / "list.txt", ReadOptions())


def test_what_is_named_twice_is_read_once(folder: Path) -> None:
    media = read(folder, f"a.png\n{folder}/a.png\na.png\nsub\nsub/a.png\n")
    assert [one.source for one in media] == ["a.png", "sub/a.png", "sub/b.png"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom"])
def test_encodings(folder: Path, encoding: str) -> None:
    text = "\ufeffa.png\nsub/b.png\n" if encoding.endswith("bom") else "a.png\nsub/b.png\n"
    media = read(folder, text, encoding.removesuffix("-bom"))
    assert [one.source for one in media] == ["a.png", "sub/b.png"]
    assert all(isinstance(one, Media) for one in media)


def test_count(folder: Path) -> None:
    (folder / "list.txt").write_text("a.png\nsub\nmissing.png\n")
    assert open_source(str(folder / "list.txt"), OPTIONS).count() == 3


def test_lines_are_opened_as_they_are_reached(folder: Path) -> None:
    (folder / "list.txt").write_text("a.png\nlater.png\n")
    media = open_source(str(folder / "list.txt"), OPTIONS).iter_media(ReadCounts())
    assert isinstance(next(media), Media)
    Image.new("RGB", (2, 2)).save(folder / "later.png")
    assert isinstance(next(media), Media)


def test_a_picture_named_txt_is_a_picture(folder: Path) -> None:
    (folder / "a.png").rename(folder / "photo.txt")
    (media,) = open_source(str(folder / "photo.txt"), OPTIONS).iter_media(ReadCounts())
    assert isinstance(media, Media)
    assert media.kind == "image"


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", EmptySource, "names no source"),
        (b"# only\n\n   \n# comments\n", EmptySource, "names no source"),
        (b"%PDF-1.7\n\xe2\xe3", SourceError, "it is a PDF document"),
        (b"\x01\x02\x03\x04\x05" * 30, SourceError, "is no list"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", SourceError, "Git LFS pointer"),
    ],
)
def test_what_is_no_list(tmp_path: Path, content: bytes, error: type[SourceError], says: str) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(error, match=says):
        open_source(str(tmp_path / "list.txt"), OPTIONS)
