"""Lists and addresses that try to reach elsewhere: nothing of it is told, and no output leaves its folder."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectattn.errors import DetectattnError, ForbiddenAddress, SourceError
from detectattn.evaluation.agreement import compute_agreement
from detectattn.evaluation.disputes import write_disputes
from detectattn.fetch import redact_url
from detectattn.sources import ReadCounts, ReadOptions, iter_frames, open_source
from detectattn.sources.naming import to_output_name, to_url_output_name
from detectattn.sources.pattern import matches
from detectattn.sources.recognise import recognise
from detectattn.sources.url import UrlSource
from detectattn.types import Detections, FrameFailure, Media, Prediction
from detectattn.weights.locate import locate_weights
from fuzz.contract import read_or_refuse

SECRET = "root:x:0:0:the line that must not be told"


def _read(media: Media | FrameFailure) -> str:
    """The message of a medium that cannot be read."""
    if isinstance(media, FrameFailure):
        return media.message
    with pytest.raises(DetectattnError) as caught:
        list(iter_frames(media, ReadOptions(offline=True)))
    return str(caught.value)


def test_a_list_may_name_any_file_and_tells_nothing_of_it(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "lists"
    secret.write_text(SECRET)
    folder.mkdir()
    entries = ["../secret", str(secret), f"file://{secret}", f"file://localhost{secret}", "..%2fsecret", "/dev/null"]
    (folder / "list.txt").write_text("\n".join(entries))
    found = list(open_source(folder / "list.txt", ReadOptions()).iter_media(ReadCounts()))
    for media in found:
        message = _read(media)
        assert SECRET not in message
        assert message.isprintable()
        if isinstance(media, Media):
            assert ".." not in media.output.parts
            assert not media.output.is_absolute()


@pytest.mark.usefixtures("limited")
@pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/full"])
def test_a_device_without_end_is_read_as_far_as_it_takes_to_tell(tmp_path: Path, device: str) -> None:
    (tmp_path / "list.txt").write_text(f"{device}\n")
    (tmp_path / "link.jpg").symlink_to(device)
    for source in (tmp_path / "list.txt", tmp_path / "link.jpg"):
        [media] = open_source(source, ReadOptions()).iter_media(ReadCounts())
        assert _read(media).isprintable()


def test_a_link_to_itself_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "b.jpg")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "list.txt").write_text("a.jpg\nb.jpg/c.jpg\n")
    found = list(open_source(tmp_path / "list.txt", ReadOptions()).iter_media(ReadCounts()))
    assert len(found) == 2
    for media in found:
        assert "a.jpg" in _read(media) or "b.jpg" in _read(media)
    [media] = open_source(tmp_path / "a.jpg", ReadOptions()).iter_media(ReadCounts())
    with pytest.raises(SourceError, match="symbolic links"):
        list(iter_frames(media, ReadOptions()))


@pytest.mark.parametrize(
    "url",
    [
        "http://host/../../etc/passwd",
        "http://host/..%2f..%2fetc%2fpasswd",
        "http://host/%2e%2e",
        "http://host/a%00b.jpg",
        "http://host/..\\..\\windows.jpg",
        "http://../a.jpg",
        "http://host/" + "a" * 400 + ".jpg",
        "http://host/%0d%0aname.jpg",
    ],
)
def test_an_address_never_leads_an_output_elsewhere(url: str, tmp_path: Path) -> None:
    [media] = UrlSource(url).iter_media(ReadCounts())
    if isinstance(media, Media):
        inside = os.path.normpath(tmp_path / media.output)
        assert Path(inside).parent == tmp_path
        assert len(media.output.name.encode()) <= 255


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_name_leaves_its_folder(name: str) -> None:
    output = to_output_name(name)
    assert PurePosixPath(output).parts == (output,)
    assert output not in {"", ".", ".."}
    assert len(output.encode()) <= 200


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_address_leaves_its_folder(path: str) -> None:
    try:
        output = to_url_output_name(f"http://host/{path}")
    except ValueError:
        return  # an address that is none, which its source tells
    assert PurePosixPath(output).parts == (output,)


@settings(deadline=None)
@given(st.text(max_size=80) | st.from_regex(r"(file|rtsp|ftp|http)://[\[\]\w%@:./\\-]{0,30}", fullmatch=True))
def test_whatever_is_written_names_something_or_nothing(text: str) -> None:
    read_or_refuse(recognise, text, Path("/nowhere"))


ODD_SOURCES = [
    "",
    ".",
    "..",
    "/",
    "//",
    "../../etc/passwd",
    "/etc/passwd",
    "http://[",
    "a://b",
    "\x00",
    "=1+1",
    "\ud800",
    "é" * 300,
]


def test_labels_and_lists_of_disputed_pictures_stay_in_their_folder(tmp_path: Path) -> None:
    """A run folder from elsewhere may call its pictures anything."""
    found = Detections(np.array([[1, 1, 9, 9]], np.float32), np.array([0.9], np.float32), np.array([0], np.int32))
    records = {
        model: [Prediction(name, 0, (10, 10), shown, model, {0: "=cmd"}) for name in ODD_SOURCES]
        for model, shown in (("a", found), ("b", Detections.empty()))
    }
    folder = tmp_path / "in" / "disputed"
    write_disputes(folder, compute_agreement(records))
    assert len(list((folder / "yolo" / "labels").rglob("*.txt"))) == len(ODD_SOURCES)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["disputed"]
    with (folder / "disputed.csv").open(newline="") as stream:
        sources = {row["source"] for row in csv.DictReader(stream)}
    assert "'=1+1" in sources
    assert not any(source.startswith(("=", "+", "-", "@", "\t", "\r")) for source in sources)


@pytest.mark.parametrize(
    "url", ["http://[", "http://[::1/m.pt", "https://a\udcff/m.pt", "file:///etc/passwd", "http:///m.pt"]
)
def test_a_model_behind_no_address_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        locate_weights(url, offline=True, on_notice=print)


def _match_slowly(names: Sequence[str], patterns: Sequence[str]) -> bool:
    """The definition: ``**`` tries every length."""
    if not patterns:
        return not names
    if patterns[0] == "**":
        rest = patterns[1:] or ("*",)
        return any(_match_slowly(names[start:], rest) for start in range(len(names)))
    return bool(names) and fnmatchcase(names[0], patterns[0]) and _match_slowly(names[1:], patterns[1:])


@settings(deadline=None)
@given(st.lists(st.sampled_from("ab"), max_size=5), st.lists(st.sampled_from(["**", "a", "*", "b*"]), max_size=5))
def test_a_pattern_matches_what_its_definition_says(names: list[str], patterns: list[str]) -> None:
    assert matches(names, patterns) == _match_slowly(names, patterns)


@pytest.mark.usefixtures("limited")
def test_a_pattern_of_many_stars_on_a_deep_path_is_done_in_time() -> None:
    assert not matches(["a"] * 500, [*["**", "a"] * 50, "x"])
    assert matches(["a"] * 500, [*["**", "a"] * 50, "*"])


@pytest.mark.usefixtures("limited")
def test_a_long_address_is_shown_in_time() -> None:
    for text in ("token" * 60_000, "?token" * 60_000, "&key=" * 60_000, "@:" * 60_000):
        assert redact_url(f"http://host/?{text}").startswith("http://")
