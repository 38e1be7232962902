"""Patterns expand to media in natural order, named as they were matched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from detectattn.errors import EmptySource, SourceNotFound
from detectattn.sources import ReadCounts, ReadOptions, open_source
from detectattn.sources.pattern import matches
from detectattn.types import Media

OPTIONS = ReadOptions()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("s/a1.png", "s/a10.png", "s/a2.jpg", "s/deep/er/b.png", "s/.hidden/c.png", "t/a1.png", "top.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(path)
    (tmp_path / "s" / "notes.md").write_text("words")
    (tmp_path / "s" / "loop").symlink_to(tmp_path / "s")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def expand(pattern: str) -> tuple[list[str], list[str], dict[str, int]]:
    counts = ReadCounts()
    source = open_source(pattern, OPTIONS)
    media = [one for one in source.iter_media(counts) if isinstance(one, Media)]
    assert source.count() == len(media)
    return [one.source for one in media], [str(one.output) for one in media], counts.skipped


@pytest.mark.parametrize(
    ("pattern", "sources", "outputs"),
    [
        ("s/*.png", ["s/a1.png", "s/a10.png"], ["a1.png", "a10.png"]),
        ("s/a?.*", ["s/a1.png", "s/a2.jpg"], ["a1.png", "a2.jpg"]),
        ("s/a[12].*", ["s/a1.png", "s/a2.jpg"], ["a1.png", "a2.jpg"]),
        ("*/a1.png", ["s/a1.png", "t/a1.png"], ["s/a1.png", "t/a1.png"]),
        ("s/.hidden/*", ["s/.hidden/c.png"], ["c.png"]),
        ("./s/**/b.png", ["s/deep/er/b.png"], ["deep/er/b.png"]),
        (
            "**/*.png",
            ["s/a1.png", "s/a10.png", "s/deep/er/b.png", "t/a1.png", "top.png"],
            ["s/a1.png", "s/a10.png", "s/deep/er/b.png", "t/a1.png", "top.png"],
        ),
    ],
)
@pytest.mark.usefixtures("tree")
def test_expansion(pattern: str, sources: list[str], outputs: list[str]) -> None:
    assert expand(pattern) == (sources, outputs, {})


@pytest.mark.usefixtures("tree")
def test_other_files_are_counted() -> None:
    sources, _, skipped = expand("s/[an]*")
    assert sources == ["s/a1.png", "s/a2.jpg", "s/a10.png"]
    assert skipped == {".md": 1}


def test_an_absolute_pattern_names_absolute_paths(tree: Path) -> None:
    assert expand(f"{tree}/t/*")[0] == [f"{tree}/t/a1.png"]


@pytest.mark.usefixtures("tree")
def test_matched_folders_are_walked() -> None:
    sources, outputs, _ = expand("[t]*")
    assert sources == ["t/a1.png", "top.png"]
    assert outputs == ["t/a1.png", "top.png"]


def test_a_file_of_that_very_name_comes_first(tree: Path) -> None:
    Image.new("RGB", (2, 2)).save(tree / "a[1].png")
    assert expand("a[1].png")[0] == ["a[1].png"]


@pytest.mark.usefixtures("tree")
def test_nothing_matches() -> None:
    with pytest.raises(SourceNotFound, match="matches no file"):
        open_source("s/*.bmp", OPTIONS)
    with pytest.raises(EmptySource, match="1 other file"):
        open_source("s/*.md", OPTIONS)


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a.png", "**/*.png", True),
        ("x/y/a.png", "**/*.png", True),
        ("x/y/a.png", "x/**/a.png", True),
        ("x/a.png", "x/**/a.png", True),
        ("x/y/a.png", "x/**", True),
        ("x/y/a.png", "*/a.png", False),
        ("x/a.jpg", "**/*.png", False),
        ("x/y/z/a.png", "**/y/**/a.png", True),
    ],
)
def test_double_star(path: str, pattern: str, expected: bool) -> None:
    assert matches(path.split("/"), pattern.split("/")) is expected


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize("pattern", ["*.png", "**/*.png"])
def test_what_is_no_regular_file_fails_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("b.png")
    os.mkfifo("other")
    Path("c.png").symlink_to("/dev/zero")
    Path("a.png").write_bytes(b"not looked at")
    source = open_source(pattern, OPTIONS)
    found = [(one.source, type(one).__name__) for one in source.iter_media(ReadCounts())]
    assert found == [("a.png", "Media"), ("b.png", "FrameFailure"), ("c.png", "FrameFailure")]
    assert source.count() == 1
