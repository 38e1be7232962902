"""Archives are files like any other: told by their bytes, never opened."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from detectattn.errors import EmptySource, UndecodableImage
from detectattn.sources import ReadCounts, ReadOptions, iter_frames, open_source
from detectattn.types import Media

PICTURE = b"P6 1 1 255\n\1\2\3"


def _zip(content: bytes, name: str = "../../inside.pnm") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _tar(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("../../inside.pnm")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


ARCHIVES = {
    "a.zip": _zip(PICTURE),
    "nested.zip": _zip(_zip(PICTURE), "inner.zip"),
    "b.tar": _tar(PICTURE),
    "c.tgz": gzip.compress(_tar(PICTURE)),
    "d.gz": gzip.compress(PICTURE),
}


def test_a_folder_of_archives_holds_no_pictures(tmp_path: Path) -> None:
    for name, content in ARCHIVES.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EmptySource):
        list(open_source(tmp_path, ReadOptions()).iter_media(ReadCounts()))
    (tmp_path / "one.pnm").write_bytes(PICTURE)
    counts = ReadCounts()
    assert [media.source for media in open_source(tmp_path, ReadOptions()).iter_media(counts)] == ["one.pnm"]
    assert sum(counts.skipped.values()) == len(ARCHIVES)
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted([*ARCHIVES, "one.pnm"])


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("suffix", ["", ".jpg"])
def test_an_archive_that_is_named_is_told_for_what_it_is(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"{name}{suffix}"
    path.write_bytes(ARCHIVES[name])
    [media] = open_source(path, ReadOptions()).iter_media(ReadCounts())
    assert isinstance(media, Media)
    with pytest.raises(UndecodableImage, match=r"is no picture: it is (a ZIP archive|a gzip archive|of no picture)"):
        list(iter_frames(media, ReadOptions()))
    assert [path.name for path in tmp_path.iterdir()] == [path.name]
