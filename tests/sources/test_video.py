"""Video files are read whole, upright, in their colours and at their times, or it is said where they break off."""

from __future__ import annotations

import gc
import os
import threading
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.errors import DetectattnError, ImageTooLarge, LfsPointer, SourceNotFound, UndecodableVideo
from detectattn.sources.base import ReadOptions
from detectattn.sources.suffixes import VIDEO_SUFFIXES
from detectattn.sources.video import iter_video_frames, probe_video
from detectattn.sources.video_picture import Clock
from detectattn.types import Frame, Media

ONE = 1 << 16
MATRICES = {
    "90 clockwise": ((0, ONE, -ONE, 0), 90, "CADB"),
    "180": ((-ONE, 0, 0, -ONE), 180, "DCBA"),
    "90 anticlockwise": ((0, -ONE, ONE, 0), 270, "BDAC"),
    "mirrored": ((-ONE, 0, 0, ONE), 180, "BADC"),
    "upside down": ((ONE, 0, 0, -ONE), 0, "CDAB"),
    "transposed": ((0, ONE, ONE, 0), 90, "ACBD"),
    "transverse": ((0, -ONE, -ONE, 0), 270, "DBCA"),
}
LEVELS = {"A": 30, "B": 90, "C": 150, "D": 220}
COLOURS_BGR = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255), (0, 0, 0), (200, 100, 50), (30, 180, 220)]


def media_of(path: Path) -> Media:
    return Media(path.name, "video", path, PurePosixPath(path.name))


def read(path: Path, **options: Any) -> list[Frame]:
    return list(iter_video_frames(media_of(path), ReadOptions(**options)))


def read_until_error(path: Path) -> tuple[list[Frame], DetectattnError]:
    frames: list[Frame] = []
    with pytest.raises(DetectattnError) as caught:
        frames.extend(iter_video_frames(media_of(path), ReadOptions()))
    return frames, caught.value


def paint_noise(index: int) -> Any:
    """Pictures that share nothing, so that every packet has some size."""
    return np.random.default_rng(index).integers(0, 255, (30, 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.avi", "mpeg4")]
)
def test_frames_come_in_order_with_times_from_the_first(clips: Any, name: str, codec: str) -> None:
    options = {"bf": "2", "g": "12"} if codec == "libx264" else {}
    frames = read(clips.make(name, codec=codec, options=options))
    assert [clips.read_number(frame.bgr) for frame in frames] == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.timestamp_s for frame in frames] == pytest.approx([i / 25 for i in range(30)], abs=1e-3)
    assert all(frame.bgr.flags.c_contiguous and not frame.warnings for frame in frames)


def test_a_bare_stream_without_times_runs_at_its_rate(clips: Any) -> None:
    frames = read(clips.make("a.h264", options={"bf": "2"}))
    assert [clips.read_number(frame.bgr) for frame in frames] == list(range(30))
    assert frames[-1].timestamp_s == pytest.approx(29 / 25, abs=0.002)


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_a_variable_frame_rate_is_kept(clips: Any, name: str) -> None:
    times_s = [0.0, 0.04, 0.1, 0.5, 0.51, 2.0, 2.033]
    frames = read(clips.make(name, times_s=times_s))
    assert [frame.timestamp_s for frame in frames] == pytest.approx(times_s, abs=1e-6)


def test_a_late_start_counts_as_zero(clips: Any) -> None:
    frames = read(clips.make("late.mkv", times_s=[1.4, 1.44, 1.48]))
    assert [frame.timestamp_s for frame in frames] == pytest.approx([0, 0.04, 0.08], abs=1e-6)


def test_stride_keeps_the_original_indices_and_times(clips: Any) -> None:
    frames = read(clips.make("a.mp4"), vid_stride=7)
    assert [(frame.index, clips.read_number(frame.bgr)) for frame in frames] == [(i, i) for i in range(0, 30, 7)]
    assert frames[-1].timestamp_s == pytest.approx(28 / 25)


@pytest.mark.parametrize("case", MATRICES)
def test_frames_are_upright(clips: Any, case: str) -> None:
    (a, b, c, d), rotation_deg, expected = MATRICES[case]

    def paint(_: int) -> Any:
        quarters = [[np.full((48, 80, 3), LEVELS[letter], np.uint8) for letter in row] for row in ("AB", "CD")]
        return np.block([[[quarters[0][0]], [quarters[0][1]]], [[quarters[1][0]], [quarters[1][1]]]])

    path = clips.make(
        "r.mp4", frames=3, size_wh=(160, 96), paint=paint, matrix=(a, b, 0, c, d, 0, 0, 0, 1 << 30), color_range=1
    )
    bgr = read(path)[0].bgr
    height, width = bgr.shape[:2]
    assert (height, width) == ((160, 96) if rotation_deg in (90, 270) else (96, 160))
    centres = [bgr[y * height // 4, x * width // 4].mean() for y in (1, 3) for x in (1, 3)]
    assert centres == pytest.approx([LEVELS[letter] for letter in expected], abs=4)
    info = probe_video(path)
    assert (info.size_hw, info.rotation_deg) == ((height, width), rotation_deg)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le", "yuv444p"])
@pytest.mark.parametrize("color_range", [1, 2], ids=["limited", "full"])
@pytest.mark.parametrize("colorspace", [1, 6, 9], ids=["bt709", "bt601", "bt2020"])
def test_colours_are_those_that_were_recorded(clips: Any, colorspace: int, color_range: int, pix_fmt: str) -> None:
    path = clips.make(
        "c.mp4", frames=2, paint=paint_colours, colorspace=colorspace, color_range=color_range, pix_fmt=pix_fmt,
        options={"crf": "4"},
    )  # fmt: skip
    assert np.abs(sample_colours(read(path)[0].bgr) - COLOURS_BGR).max() <= 3


def paint_colours(_: int) -> Any:
    return np.repeat(np.array([COLOURS_BGR], np.uint8), 240, 0).repeat(46, 1)[:, :320]


def sample_colours(bgr: Any) -> Any:
    return bgr[120, 23:320:46].astype(int)


def test_untagged_colours_are_bt601_in_standard_definition(clips: Any) -> None:
    path = clips.make("u.mp4", frames=2, paint=paint_colours, options={"crf": "4"})
    assert np.abs(sample_colours(read(path)[0].bgr) - COLOURS_BGR).max() <= 3


def test_odd_sizes_and_non_square_pixels_stay_as_stored(clips: Any) -> None:
    path = clips.make("odd.mkv", size_wh=(321, 241), pix_fmt="yuv444p", pixel_aspect=Fraction(16, 11))
    frames = read(path)
    assert frames[0].size_hw == (241, 321)
    assert [clips.read_number(frame.bgr) for frame in frames] == list(range(30))
    assert probe_video(path).pixel_aspect == pytest.approx(16 / 11)


@pytest.mark.parametrize("name", ["t.mkv", "t.mp4", "t.avi"])
def test_a_file_cut_short_yields_what_it_holds_and_says_where_it_breaks_off(clips: Any, name: str) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    whole = clips.make(
        name, frames=50, paint=paint_noise, codec=codec, audio="aac",
        container_options={"movflags": "faststart"} if name.endswith("mp4") else None,
    )  # fmt: skip
    assert len(read(whole)) == 50
    cut = whole.with_name(f"cut-{name}")
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    frames, error = read_until_error(cut)
    assert 20 <= len(frames) <= 33
    assert error.code == "undecodable-video"
    assert f"'cut-{name}' breaks off after frame {frames[-1].index} at {frames[-1].timestamp_s:.2f} s" in error.problem


def test_an_mp4_whose_index_was_never_written_says_so(clips: Any) -> None:
    whole = clips.make("a.mp4")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    frames, error = read_until_error(whole)
    assert frames == []
    assert "index" in error.problem


@pytest.mark.parametrize(
    ("name", "words"), [("bad.mp4", "could not be decoded"), ("bad.ts", "parts of this frame are damaged")]
)
def test_damage_in_the_middle_is_got_over_and_told(clips: Any, name: str, words: str) -> None:
    path = damage(clips.make(name, frames=60, paint=paint_noise, options={"g": "10"}), 2500)
    frames = read(path)
    warned = {frame.index: frame.warnings for frame in frames if frame.warnings}
    assert 50 <= len(frames) <= 60
    assert warned
    assert all(20 <= index <= 45 for index in warned)
    assert any(words in warning for warnings in warned.values() for warning in warnings)
    assert frames[-1].timestamp_s == pytest.approx(59 / 25, abs=1e-3)
    strided = read(path, vid_stride=20)
    assert any(frame.warnings for frame in strided), "a warning of a frame that is not taken goes to the next one"


def test_pictures_that_are_lost_leave_a_gap_in_time_not_a_shift(clips: Any) -> None:
    frames = read(damage(clips.make("bad.mkv", frames=60, options={"g": "10", "bf": "0", "crf": "1"}), 40))
    numbers = [clips.read_number(frame.bgr) for frame in frames]
    assert 40 <= len(frames) <= 60
    assert numbers[-1] == 59
    assert [frame.timestamp_s for frame in frames] == pytest.approx([number / 25 for number in numbers], abs=1e-3)


def damage(path: Path, length: int) -> Path:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + length] = np.random.default_rng(0).bytes(length)
    path.write_bytes(content)
    return path


def make_sound(folder: Path) -> Path:
    path = folder / "sound.m4a"
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        wave = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), format="fltp", layout="mono")
        wave.sample_rate = 48_000
        container.mux(stream.encode(wave))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (None, SourceNotFound, "there is no video"),
        (b"", UndecodableVideo, "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", LfsPointer, "Git LFS"),
        (b"<!doctype html><html><body>not found</body></html>", UndecodableVideo, "an HTML page"),
        (bytes(range(256)) * 20, UndecodableVideo, "cannot be opened"),
    ],
    ids=["missing", "empty", "lfs", "html", "noise"],
)
def test_what_is_no_video_is_named(
    tmp_path: Path, content: bytes | None, kind: type[DetectattnError], words: str
) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    frames, error = read_until_error(path)
    assert (frames, type(error)) == ([], kind)
    assert words in error.problem
    with pytest.raises(kind):
        probe_video(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    _, error = read_until_error(make_sound(tmp_path))
    assert "has no video in it (it holds sound only)" in error.problem


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_no_video_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    assert "is no regular file" in read_until_error(tmp_path / "a.mp4")[1].problem


CONTAINERS = {
    **dict.fromkeys((".mp4", ".m4v", ".f4v"), ("mp4", "mpeg4")),
    **dict.fromkeys((".mov", ".qt"), ("mov", "mpeg4")),
    ".avi": ("avi", "mpeg4"),
    ".mkv": ("matroska", "mpeg4"),
    ".webm": ("webm", "libvpx"),
    **dict.fromkeys((".mpg", ".mpeg", ".vob"), ("vob", "mpeg2video")),
    ".m2v": ("mpeg2video", "mpeg2video"),
    ".m2ts": ("mpegts", "mpeg2video"),
    **dict.fromkeys((".wmv", ".asf"), ("asf", "wmv2")),
    ".flv": ("flv", "flv"),
    ".ogv": ("ogg", "libvpx"),
    **dict.fromkeys((".3gp", ".3g2"), ("3gp", "mpeg4")),
    **dict.fromkeys((".mjpg", ".mjpeg"), ("mjpeg", "mjpeg")),
    # No suffixes of ours, but what recorders and cameras put behind one.
    "h264 as .mp4": ("h264", "libx264"),
    "h265 as .mp4": ("hevc", "libx265"),
    "y4m as .avi": ("yuv4mpegpipe", "rawvideo"),
    "mxf as .mov": ("mxf", "mpeg2video"),
    "ivf as .avi": ("ivf", "libvpx"),
    "nut as .avi": ("nut", "mpeg4"),
}


def test_every_suffix_is_tried() -> None:
    assert {name for name in CONTAINERS if name.startswith(".")} == VIDEO_SUFFIXES


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_that_people_have_open(tmp_path: Path, name: str) -> None:
    container_format, codec = CONTAINERS[name]
    if codec not in av.codecs_available:
        pytest.skip(f"PyAV has no encoder {codec}")
    path = tmp_path / f"clip.{name.rpartition('.')[2]}"
    with av.open(path, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for index in range(4):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 50 * index, np.uint8), "bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    assert len(read(path)) == 4


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile other.mp4\n",
        "ffconcat version 1.0\nfile FOLDER/other.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:FOLDER/other.ts\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 26\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation>'
        "<BaseURL>other.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>",
    ],
    ids=["concat", "concat, elsewhere", "HLS", "SDP", "DASH"],
)
def test_a_text_that_names_other_files_leads_to_none(clips: Any, name: str, text: str) -> None:
    clips.make("other.mp4", frames=2)
    clips.make("other.ts", frames=2)
    (clips.folder / name).write_text(text.replace("FOLDER", str(clips.folder)))
    frames, error = read_until_error(clips.folder / name)
    assert frames == []
    assert "cannot be opened: it is" in error.problem


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    assert "cannot be read" in read_until_error(tmp_path)[1].problem


def test_pictures_over_the_limit_are_refused_before_decoding(clips: Any) -> None:
    with pytest.raises(ImageTooLarge, match="320×240"):
        read(clips.make("a.mp4"), max_pixels=320 * 240 - 1)


def test_a_name_with_a_colon_is_a_file(clips: Any) -> None:
    assert len(read(clips.make("a.mp4").rename(clips.folder / "http:a.mp4"))) == 30


def test_closing_the_generator_frees_file_and_threads(clips: Any) -> None:
    path = clips.make("a.mp4", frames=60)
    threads, files = threading.active_count(), count_open_files()
    frames = iter_video_frames(media_of(path), ReadOptions())
    assert len(list(islice(frames, 3))) == 3
    frames.close()  # type: ignore[attr-defined]  # a generator, by the protocol's word
    assert (threading.active_count(), count_open_files()) == (threads, files)


def test_pictures_do_not_wait_for_the_garbage_collector(clips: Any) -> None:
    """At 4K each is 12 MB, and the collector comes by after hundreds of them."""
    path = clips.make("a.mp4", frames=60)
    gc.collect()
    gc.disable()
    try:
        assert sum(1 for _ in iter_video_frames(media_of(path), ReadOptions())) == 60
        alive = sum(type(thing) is av.VideoFrame for thing in gc.get_objects())
    finally:
        gc.enable()
    assert alive < 6


def count_open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_probe_tells_what_a_progress_bar_and_a_person_want(clips: Any) -> None:
    info = probe_video(clips.make("a.mp4", audio="aac"))
    assert (info.size_hw, info.frames, info.codec, info.audio_codec) == ((240, 320), 30, "h264", "aac")
    assert info.fps == pytest.approx(25)
    assert info.duration_s == pytest.approx(1.2, abs=0.01)
    silent = probe_video(clips.make("a.mkv"))
    assert (silent.frames, silent.audio_codec) == (30, None)


def test_real_footage(shared: Path) -> None:
    path = shared / "data" / "video" / "intel_one-by-one-person-detection.mp4"
    frames = list(islice(iter_video_frames(media_of(path), ReadOptions()), 30))
    assert [frame.timestamp_s for frame in frames] == pytest.approx([i / 10 for i in range(30)], abs=1e-6)
    assert {frame.size_hw for frame in frames} == {(432, 768)}
    assert probe_video(path).frames == 1394


@given(st.lists(st.none() | st.integers(-10_000, 10_000), min_size=1, max_size=30))
def test_whatever_the_file_says_time_runs_forward_from_zero(ticks: list[int | None]) -> None:
    clock = Clock(Fraction(1, 1000), Fraction(25))
    times_s = [clock.place(tick) for tick in ticks]
    assert times_s[0] == 0
    assert all(later > earlier for earlier, later in pairwise(times_s))


@pytest.mark.parametrize(
    ("ticks", "expected_s"),
    [
        ([0, 40, None, 120], [0, 0.04, 0.08, 0.12]),
        ([0, 40, 40, 80, 120], [0, 0.04, 0.06, 0.08, 0.12]),
        ([0, 40, 80, 20, 160], [0, 0.04, 0.08, 0.1, 0.16]),
        ([5000, 5040, 0, 40], [0, 0.04, 0.08, 0.12]),
        ([None, 1000, 1040], [0, 0.04, 0.08]),
    ],
    ids=["missing", "twice", "one back", "joined recordings", "missing first"],
)
def test_odd_times_are_put_right(ticks: list[int | None], expected_s: list[float]) -> None:
    clock = Clock(Fraction(1, 1000), Fraction(25))
    assert [clock.place(tick) for tick in ticks] == pytest.approx(expected_s)
