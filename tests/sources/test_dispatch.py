"""What a text is taken for, what media are called, and who decodes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from detectattn.errors import EmptySource, SourceNotFound
from detectattn.sources import ReadCounts, ReadOptions, Source, iter_frames, open_source, open_sources
from detectattn.sources.naming import OutputNames, to_one_line, to_output_name, to_record_name, to_url_output_name
from detectattn.sources.recognise import recognise
from detectattn.sources.sniff import sniff_media
from detectattn.types import FrameFailure, Media

OPTIONS = ReadOptions()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("street/bus.jpg", "street/day/bus.jpg", "other/street/bus.jpg", "bus.jpg", "x/bus.jpg", "5/a.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(path)
    (tmp_path / "list.txt").write_text("bus.jpg\n")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def media_of(source: Source) -> list[tuple[str, str]]:
    found = list(source.iter_media(ReadCounts()))
    assert all(isinstance(one, Media) for one in found)
    return [(one.source, one.output.as_posix()) for one in found if isinstance(one, Media)]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("bus.jpg", "file"),
        ("street", "folder"),
        ("street/", "folder"),
        (".", "folder"),
        ("street/*.jpg", "pattern"),
        ("list.txt", "list"),
        ("http://example.org/a.jpg", "url"),
        ("HTTPS://example.org", "url"),
        ("rtsp://user:pass@cam/stream", "stream"),
        ("udp://@239.0.0.1:1234", "stream"),
        ("0", "camera"),
        ("12", "camera"),
        ("5", "folder"),
        ("-", "stdin"),
    ],
)
def test_recognise(text: str, kind: str) -> None:
    assert recognise(text, Path())[0] == kind


def test_file_urls_are_paths(here: Path) -> None:
    assert recognise(f"file://{here}/bus.jpg", Path()) == ("file", here / "bus.jpg")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bsu.jpg", r"Did you mean bus.jpg\?$"),
        ("STREET", "Did you mean street"),
        ("stret/bus.jpg", "there is no folder stret"),
        ("street/buss.jpg", "Did you mean bus.jpg"),
        ("quite-different", "Check the path"),
        ("hdfs://host/a.jpg", "has the scheme hdfs"),
        ("new\nline.jpg", r"new\\nline.jpg does not exist"),
        ("x" * 300, "does not exist"),
        ("²", "does not exist"),
    ],
)
def test_what_does_not_exist(text: str, says: str) -> None:
    with pytest.raises(SourceNotFound, match=says) as caught:
        open_source(text, OPTIONS)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("here")
def test_one_folder_names_media_relative_to_it() -> None:
    for text in ("street", "./street/", "street/../street"):
        assert media_of(open_sources([text], OPTIONS)) == [("bus.jpg", "bus.jpg"), ("day/bus.jpg", "day/bus.jpg")]


@pytest.mark.usefixtures("here")
def test_several_sources_stay_apart() -> None:
    assert media_of(open_sources(["street/", "other/street", "bus.jpg", "x/bus.jpg", "*/bus.jpg"], OPTIONS)) == [
        ("street/bus.jpg", "street/bus.jpg"),
        ("street/day/bus.jpg", "street/day/bus.jpg"),
        ("other/street/bus.jpg", "street-2/bus.jpg"),
        ("bus.jpg", "bus.jpg"),
        ("x/bus.jpg", "bus-2.jpg"),
    ]


@pytest.mark.usefixtures("here")
def test_the_same_source_twice_is_read_once() -> None:
    assert media_of(open_sources(["bus.jpg", "./bus.jpg", "list.txt", "bus.jpg"], OPTIONS)) == [("bus.jpg", "bus.jpg")]
    both = media_of(open_sources(["street/day", "street"], OPTIONS))
    assert [source for source, _ in both] == ["street/day/bus.jpg", "street/bus.jpg"]
    assert media_of(open_sources(["street", "street"], OPTIONS)) == media_of(open_sources(["street"], OPTIONS))


@pytest.mark.usefixtures("here")
def test_a_pattern_does_not_write_into_a_folders_outputs() -> None:
    found = media_of(open_sources(["other/street", "street/../*/bus.jpg"], OPTIONS))
    assert len({output for _, output in found}) == len(found) == 3
    assert [output for _, output in found if output.startswith("street/")] == ["street/bus.jpg"]


@pytest.mark.usefixtures("here")
def test_an_empty_folder_among_others_is_a_failure_in_its_place() -> None:
    first, empty, last = open_sources(["bus.jpg", "empty", "x"], OPTIONS).iter_media(ReadCounts())
    assert isinstance(first, Media)
    assert isinstance(empty, FrameFailure)
    assert (empty.source, empty.code) == ("empty", "empty")
    assert isinstance(last, Media)


@pytest.mark.usefixtures("here")
def test_a_missing_name_is_told_before_anything_is_read() -> None:
    with pytest.raises(SourceNotFound):
        open_sources(["bus.jpg", "missing.jpg"], OPTIONS)


def test_no_source() -> None:
    with pytest.raises(EmptySource):
        open_sources([], OPTIONS)


@pytest.mark.usefixtures("here")
def test_counts_add_up() -> None:
    assert open_sources(["street", "bus.jpg", "list.txt", "http://example.org/a.jpg"], OPTIONS).count() == 5


def test_paths_are_taken_as_well(here: Path) -> None:
    assert media_of(open_sources([here / "bus.jpg"], OPTIONS)) == [(str(here / "bus.jpg"), "bus.jpg")]


@pytest.mark.parametrize(
    ("url", "output"),
    [
        ("https://ultralytics.com/images/bus.jpg", "bus.jpg"),
        ("https://example.org/a%20b.png?size=2#top", "a b.png"),
        ("https://example.org", "example.org"),
        ("https://example.org/", "example.org"),
        ("https://example.org/..%2F..%2Fetc%2Fpasswd", ".._.._etc_passwd"),
        ("https://example.org/%2e%2e", "_"),
    ],
)
def test_url_outputs(url: str, output: str) -> None:
    assert to_url_output_name(url) == output


def test_media_of_a_url_and_of_a_camera() -> None:
    assert media_of(open_source("https://example.org/images/bus.jpg", OPTIONS)) == [
        ("https://example.org/images/bus.jpg", "bus.jpg")
    ]
    (camera,) = open_source("0", OPTIONS).iter_media(ReadCounts())
    assert isinstance(camera, Media)
    assert (camera.source, camera.kind, camera.location, str(camera.output)) == ("0", "stream", 0, "camera-0")


@pytest.mark.parametrize(("kind", "module"), [("video", "video"), ("stream", "stream"), ("url", "url")])
def test_each_kind_has_its_decoder(kind: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Media, ReadOptions]] = []

    def opener(media: Media, options: ReadOptions) -> list[object]:
        seen.append((media, options))
        return []

    monkeypatch.setattr(f"detectattn.sources.{module}.iter_{module}_frames", opener)
    media = Media("x", kind, "x", PurePosixPath("x"))  # type: ignore[arg-type]
    list(iter_frames(media, OPTIONS))
    assert seen == [(media, OPTIONS)]


def test_naming_sources_imports_no_decoder() -> None:
    code = "import sys, detectattn.sources; print([m for m in ('cv2', 'PIL', 'av', 'httpx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(st.lists(st.text("ab/A.-2", min_size=1, max_size=6), max_size=30))
def test_output_paths_are_unique_and_never_inside_a_file(words: list[str]) -> None:
    names, claimed = OutputNames(), list[PurePosixPath]()
    for n, word in enumerate(words):
        path = PurePosixPath(*map(to_output_name, word.split("/")))
        claimed.append(names.claim_folder(path.name) / "x" if n % 5 == 0 else names.claim(path))
    folded = [path.as_posix().casefold() for path in claimed]
    assert len(set(folded)) == len(folded)
    tops = {path.parts[0].casefold() for path in claimed if len(path.parts) > 1}
    assert not tops & {path for path in folded if "/" not in path}


@given(st.binary(min_size=1, max_size=300).filter(lambda name: b"/" not in name and b"\0" not in name))
def test_names_are_valid_utf8_and_fit(name: bytes) -> None:
    text = name.decode("utf-8", "surrogateescape")
    to_record_name(text).encode("utf-8")
    output = to_output_name(text)
    assert 0 < len(output.encode("utf-8")) <= 200
    assert PurePosixPath(output).parts == (output,)
    assert output not in {".", ".."}
    assert to_one_line(text).isprintable()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "image"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "video"),
        (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "video"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42", None),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video"),
        (b"\x1aE\xdf\xa3\x01\0\0\0", "video"),
        (b"RIFF\x24\0\0\0AVI LIST", "video"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image"),
        (b"RIFF\x24\0\0\0WAVEfmt ", None),
        ((b"G" + bytes(187)) * 4, "video"),
        ((bytes(4) + b"G" + bytes(187)) * 4, "video"),
        (b"G" * 4 + b"ood morning" * 60, None),
        (b"\0\0\x01\xba\x44\0\x04\0", "video"),
        (b"FLV\x01\x05\0\0\0\x09", "video"),
        (b"OggS\0\x02" + bytes(22) + b"\x80theora", "video"),
        (b"OggS\0\x02" + bytes(22) + b"\x01vorbis", None),
        (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9", "video"),
        (b"BM stands for bitmap, says this text", None),
        (b"P6 is a road", None),
        (b"P5\n# made by hand\n4 4\n255\n", "image"),
        (b"", None),
    ],
)
def test_sniff_media(head: bytes, kind: str | None) -> None:
    assert sniff_media(head) == kind
