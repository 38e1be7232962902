"""Annotated videos are read back with PyAV: codec, colours, times, sound, layout of the file."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detectattn.errors import DiskFull, OutputExists, WriteFailed
from detectattn.sinks import files
from detectattn.sinks.annotated_video import AnnotatedVideoSink
from detectattn.sinks.late import LateSink
from detectattn.sinks.media_files import video_output_name
from detectattn.sinks.mp4 import fit_picture
from detectattn.types import U8, Detections, Frame, Media, MediaKind, Prediction


def predict(frame: Frame) -> Prediction:
    return Prediction(frame.source, frame.index, frame.size_hw, Detections.empty(), "m", {})


def draw_nothing(frame: Frame, prediction: Prediction) -> U8:
    assert prediction.index == frame.index
    return frame.bgr


def media_at(location: Path | str, output: str = "a.mp4", kind: MediaKind = "video") -> Media:
    return Media(output, kind, location, PurePosixPath(output))


def decode(path: Path, kind: str) -> list[Any]:
    with av.open(path) as container:
        return list(container.decode(**{kind: 0}))


def frames_of(path: Path, output: str = "a.mp4", stride: int = 1) -> list[Frame]:
    """The frames of a clip, read without the project's own reader."""
    media = media_at(path, output)
    pictures = decode(path, "video")
    start_s = pictures[0].pts * pictures[0].time_base
    return [
        Frame(media, i, picture.to_ndarray(format="bgr24"), float(picture.pts * picture.time_base - start_s))
        for i, picture in enumerate(pictures)
        if i % stride == 0
    ]


def annotate(folder: Path, frames: list[Frame]) -> Path:
    sink = AnnotatedVideoSink(folder, draw_nothing)
    for frame in frames:
        sink.write(frame, predict(frame))
    sink.close()
    return folder / video_output_name(frames[0].media.output)


def times_s(path: Path, kind: str = "video") -> list[float]:
    return [float(frame.pts * frame.time_base) for frame in decode(path, kind)]


def end_s(path: Path, kind: str) -> float:
    with av.open(path) as container:
        stream = getattr(container.streams, kind)[0]
        return float(stream.duration * stream.time_base)


def tone_onset_s(path: Path) -> float:
    """When the tone begins, in seconds after the first picture."""
    first_picture_s = times_s(path)[0]
    for frame in decode(path, "audio"):
        loud = np.flatnonzero(np.abs(frame.to_ndarray()[0].astype(np.float64)) > 0.05 * level_of(frame))
        if len(loud):
            return float(frame.pts * frame.time_base + int(loud[0]) / frame.sample_rate) - first_picture_s
    raise AssertionError("silence")


def level_of(frame: Any) -> float:
    return 1.0 if frame.format.name.startswith("flt") else 32768.0


def test_the_file_is_h264_for_browsers_with_its_index_in_front(clips: Any, tmp_path: Path) -> None:
    path = annotate(tmp_path / "videos", frames_of(clips.make("a.mp4", audio="aac")))
    with av.open(path) as container:
        video = container.streams.video[0]
        context = video.codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.color_range, context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1, 1)
        assert [stream.type for stream in container.streams] == ["video", "audio"]
    content = path.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")
    assert [clips.read_number(frame.to_ndarray(format="bgr24")) for frame in decode(path, "video")] == list(range(30))
    assert [entry.name for entry in path.parent.iterdir()] == ["a.mp4"]


def test_what_was_drawn_is_what_is_seen_in_its_colours(tmp_path: Path) -> None:
    colours = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255), (0, 0, 0), (200, 100, 50), (30, 180, 220)]
    picture = np.repeat(np.array([colours], np.uint8), 240, 0).repeat(46, 1)[:, :320]
    sink = AnnotatedVideoSink(tmp_path, lambda frame, prediction: picture)
    frame = Frame(media_at("rtsp://cam", kind="stream"), 0, np.zeros((240, 320, 3), np.uint8), 0.0)
    sink.write(frame, predict(frame))
    sink.close()
    (shown,) = decode(tmp_path / "a.mp4", "video")
    assert np.abs(shown.to_ndarray(format="bgr24")[120, 23:320:46].astype(int) - colours).max() <= 6


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_times_are_kept_to_the_millisecond(clips: Any, tmp_path: Path, name: str) -> None:
    stored_s = [0.0, 0.04, 0.1, 0.5, 0.511, 2.0, 2.033]
    path = annotate(tmp_path / "videos", frames_of(clips.make(name, times_s=stored_s), name))
    assert times_s(path) == pytest.approx(stored_s, abs=1e-4)
    assert end_s(path, "video") == pytest.approx(2.033 + 0.033, abs=1e-3)


def test_a_stride_plays_at_real_speed_with_all_of_the_sound(clips: Any, tmp_path: Path) -> None:
    path = annotate(tmp_path / "videos", frames_of(clips.make("a.mp4", frames=50, audio="aac"), stride=5))
    assert times_s(path) == pytest.approx([i / 5 for i in range(10)], abs=1e-4)
    assert end_s(path, "video") == pytest.approx(2.0, abs=1e-3)
    assert end_s(path, "audio") == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize(
    ("name", "codec", "expected"),
    [
        ("s.mp4", "aac", "aac"),
        ("s.ts", "aac", "aac"),
        ("s.mkv", "aac", "aac"),
        ("s.mkv", "libmp3lame", "mp3"),
        ("s.mkv", "libopus", "opus"),
        ("s.mkv", "flac", "flac"),
        ("s.ts", "ac3", "aac"),
        ("s.mov", "pcm_s16le", "aac"),
        ("s.avi", "pcm_s16le", "aac"),
    ],
)
def test_sound_is_brought_along(clips: Any, tmp_path: Path, name: str, codec: str, expected: str) -> None:
    source = clips.make(name, frames=50, audio=codec, codec="mpeg4" if name.endswith("avi") else "libx264")
    path = annotate(tmp_path / "videos", frames_of(source, name))
    with av.open(path) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == expected
    assert end_s(path, "audio") == pytest.approx(2.0, abs=0.07)
    sound = np.concatenate([frame.to_ndarray()[0] / level_of(frame) for frame in decode(path, "audio")])
    middle = sound[24_000:72_000]
    crossings = np.count_nonzero(np.diff(np.signbit(middle)))
    assert crossings == pytest.approx(880, abs=10)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
@pytest.mark.parametrize(
    ("first_picture_s", "sound_from_s"), [(0.0, 0.4), (1.4, 1.4), (1.4, 1.9), (1.0, 0.0)],
    ids=["late sound", "late start", "late start, later sound", "sound first"],
)  # fmt: skip
def test_sound_stays_in_step_with_the_pictures(
    clips: Any, tmp_path: Path, codec: str, first_picture_s: float, sound_from_s: float
) -> None:
    source = clips.make(
        "s.mkv", times_s=[first_picture_s + i / 25 for i in range(50)], audio=codec, audio_start_s=sound_from_s
    )
    path = annotate(tmp_path / "videos", frames_of(source, "s.mkv"))
    assert tone_onset_s(path) == pytest.approx(max(0, tone_onset_s(source)), abs=0.03)
    assert end_s(path, "video") == pytest.approx(2.0, abs=1e-3)


def test_an_interrupted_video_is_whole_up_to_there_and_its_sound_ends_with_it(clips: Any, tmp_path: Path) -> None:
    for codec in ("aac", "pcm_s16le"):
        source = clips.make("long.mkv", frames=200, audio=codec)
        path = annotate(tmp_path / codec, frames_of(source, "long.mkv")[:40])
        assert len(times_s(path)) == 40
        assert end_s(path, "video") == pytest.approx(1.6, abs=1e-3)
        assert end_s(path, "audio") == pytest.approx(1.6, abs=0.03)


def test_sound_is_written_as_the_video_grows_and_not_all_at_the_end(clips: Any, tmp_path: Path) -> None:
    source = clips.make("a.mkv", frames=250, audio="flac")
    path = annotate(tmp_path / "videos", frames_of(source, "a.mkv"))
    with av.open(path) as container:
        order = [
            (packet.stream.type, float(packet.dts * packet.time_base)) for packet in container.demux() if packet.size
        ]
    lead_s, latest = 0.0, {"video": 0.0, "audio": 0.0}
    for kind, time_s in order:
        latest[kind] = time_s
        lead_s = max(lead_s, abs(latest["video"] - latest["audio"]))
    assert lead_s < 1.5


@pytest.mark.parametrize("size_wh", [(321, 241), (320, 241), (1, 1), (33, 2)])
def test_an_odd_side_is_padded_by_one_pixel(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    bgr = np.full((height, width, 3), 90, np.uint8)
    frames = [Frame(media_at("rtsp://cam", kind="stream"), i, bgr, i / 10) for i in range(3)]
    shown = decode(annotate(tmp_path, frames), "video")[0].to_ndarray(format="bgr24")
    assert shown.shape[:2] == (height + height % 2, width + width % 2)
    assert np.abs(shown.astype(int) - 90).max() <= 3


def test_a_frame_of_another_size_is_fitted_into_the_first(tmp_path: Path) -> None:
    tall = np.full((200, 100, 3), 200, np.uint8)
    fitted = fit_picture(tall, (100, 200))
    assert fitted.shape == (100, 200, 3)
    assert (fitted[:, 75:125] == 200).all()
    assert not fitted[:, :74].any()
    assert not fitted[:, 126:].any()
    media = media_at("a.mp4", kind="video")
    frames = [Frame(media, 0, np.full((100, 200, 3), 50, np.uint8), 0.0), Frame(media, 1, tall, 0.1)]
    shown = decode(annotate(tmp_path, frames), "video")
    assert [(picture.height, picture.width) for picture in shown] == [(100, 200)] * 2


def test_non_square_pixels_keep_their_shape_turned_with_the_picture(clips: Any, tmp_path: Path) -> None:
    aspect = Fraction(16, 11)
    source = clips.make("w.mp4", pixel_aspect=aspect)
    assert pixel_aspect_of(annotate(tmp_path / "a", frames_of(source))) == aspect
    one = 1 << 16
    source = clips.make("r.mp4", pixel_aspect=aspect, matrix=(0, one, 0, -one, 0, 0, 0, 0, 1 << 30))
    upright = [replace(frame, bgr=np.ascontiguousarray(np.rot90(frame.bgr, -1))) for frame in frames_of(source)]
    path = annotate(tmp_path / "b", upright)
    assert pixel_aspect_of(path) == 1 / aspect
    assert decode(path, "video")[0].rotation == 0


def pixel_aspect_of(path: Path) -> Fraction | None:
    with av.open(path) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
        return None if aspect is None else Fraction(aspect)


def test_pictures_are_passed_over(tmp_path: Path) -> None:
    sink = AnnotatedVideoSink(tmp_path / "videos", draw_nothing)
    frame = Frame(media_at(tmp_path / "a.jpg", "a.jpg", "image"), 0, np.zeros((4, 4, 3), np.uint8))
    sink.write(frame, predict(frame))
    sink.close()
    assert not (tmp_path / "videos").exists()


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("clip.mp4", "clip.mp4"),
        ("street/clip.mov", "street/clip.mov.mp4"),
        ("clip.MP4", "clip.MP4.mp4"),
        ("clip.mov.mp4", "clip.mov.mp4.mp4"),
        ("camera-0", "camera-0.video.mp4"),
        ("10.0.0.7-554-ch1", "10.0.0.7-554-ch1.video.mp4"),
    ],
)
def test_two_inputs_of_one_stem_have_two_outputs(output: str, expected: str) -> None:
    assert video_output_name(PurePosixPath(output)) == PurePosixPath(expected)


_PIECES = ["x", "a", ".", ".mp4", ".MP4", ".mov", ".mkv", ".video", ".image", ".p0001", f".~{'0' * 20}", "y" * 240]
_names = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=5).map("".join).filter(lambda n: n.strip(".") != "")


@given(_names, _names)
def test_two_videos_never_share_a_name(one: str, other: str) -> None:
    assume(one != other)
    assert video_output_name(PurePosixPath(one)) != video_output_name(PurePosixPath(other))


def test_a_video_is_whole_when_the_next_one_begins(clips: Any, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    sink = AnnotatedVideoSink(videos, draw_nothing)
    first, second = frames_of(clips.make("a.mp4"), "x/a.mp4"), frames_of(clips.make("a.mkv"), "a.mkv")
    for frame in first:
        sink.write(frame, predict(frame))
    assert not (videos / "x" / "a.mp4").exists()
    sink.write(second[0], predict(second[0]))
    assert len(times_s(videos / "x" / "a.mp4")) == 30
    sink.abort()
    assert sorted(entry.name for entry in videos.rglob("*")) == ["a.mp4", "x"]


def test_a_video_is_whole_when_a_picture_comes_after_it(clips: Any, tmp_path: Path) -> None:
    sink = LateSink(("video",), lambda: AnnotatedVideoSink(tmp_path / "videos", draw_nothing))
    picture = Frame(media_at(tmp_path / "b.jpg", "b.jpg", "image"), 0, np.zeros((4, 4, 3), np.uint8))
    for frame in [picture, *frames_of(clips.make("a.mp4"))]:
        sink.write(frame, predict(frame))
    assert not (tmp_path / "videos" / "a.mp4").exists()
    sink.write(picture, predict(picture))
    assert len(times_s(tmp_path / "videos" / "a.mp4")) == 30
    sink.close()


def test_what_an_unfinished_run_has_left_is_replaced(clips: Any, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("half")
    sink = AnnotatedVideoSink(tmp_path, draw_nothing, resume=True)
    for frame in frames_of(clips.make("b.mp4"), "a.mp4"):
        sink.write(frame, predict(frame))
    assert (tmp_path / "a.mp4").read_text() == "half"
    sink.close()
    assert len(times_s(tmp_path / "a.mp4")) == 30


def test_streams_are_written_side_by_side_each_from_its_own_zero(tmp_path: Path) -> None:
    bgr = np.zeros((16, 16, 3), np.uint8)
    sink = AnnotatedVideoSink(tmp_path, draw_nothing)
    for i in range(10):
        for name, start_s in (("one", 0.0), ("two", 3.0)):
            frame = Frame(media_at(f"rtsp://{name}", name, "stream"), i, bgr, start_s + i / 10)
            sink.write(frame, predict(frame))
    sink.close()
    for name in ("one", "two"):
        assert times_s(tmp_path / f"{name}.video.mp4") == pytest.approx([i / 10 for i in range(10)], abs=1e-4)


def test_a_stream_that_changes_its_size_or_was_long_away_goes_on_in_another_file(tmp_path: Path) -> None:
    sink = AnnotatedVideoSink(tmp_path, draw_nothing)
    media = media_at("rtsp://cam", "cam", "stream")
    week_s = 7 * 86400.0
    shots = [(16, 0.0), (16, 0.1), (32, 0.2), (32, 0.3), (16, 0.4), (16, week_s), (16, week_s + 0.1)]
    for index, (side, time_s) in enumerate(shots):
        frame = Frame(media, index, np.zeros((side, 16, 3), np.uint8), time_s)
        sink.write(frame, predict(frame))
    assert (tmp_path / "cam.video-00002.mp4").exists()  # each is whole when the next begins
    sink.close()
    names = ["cam.video.mp4", *(f"cam.video-{number:05d}.mp4" for number in (1, 2, 3))]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert [decode(tmp_path / name, "video")[0].height for name in names] == [16, 32, 16, 16]
    assert times_s(tmp_path / names[3]) == pytest.approx([0, 0.1], abs=1e-4)


def test_nothing_is_overwritten(clips: Any, tmp_path: Path) -> None:
    existing = tmp_path / "videos" / "a.mp4"
    existing.parent.mkdir()
    existing.write_text("mine")
    with pytest.raises(OutputExists):
        annotate(existing.parent, frames_of(clips.make("a.mp4")))
    assert existing.read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
@pytest.mark.parametrize("frames", [3, 120], ids=["at the end", "on the way"])
def test_a_full_disk_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: int
) -> None:
    full = tmp_path / "full.mp4"
    full.symlink_to("/dev/full")
    monkeypatch.setattr(files.PendingFile, "start", lambda path, **_: files.PendingFile(path, full))
    sink = AnnotatedVideoSink(tmp_path / "videos", draw_nothing)
    noise = np.random.default_rng(0)
    with pytest.raises(DiskFull, match="No space left"):  # noqa: PT012 - where it is noticed depends on buffers
        for i in range(frames):
            bgr = noise.integers(0, 255, (240, 320, 3), np.uint8)
            frame = Frame(media_at("rtsp://cam", kind="stream"), i, bgr, i / 25)
            sink.write(frame, predict(frame))
        sink.close()
    sink.abort()
    assert not full.is_symlink()
    assert not (tmp_path / "videos" / "a.mp4").exists()


def test_a_picture_too_wide_for_the_codec_is_told(tmp_path: Path) -> None:
    frame = Frame(media_at("rtsp://cam", kind="stream"), 0, np.zeros((2, 70_000, 3), np.uint8), 0.0)
    with pytest.raises(WriteFailed, match="cannot encode"):
        annotate(tmp_path, [frame])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_told(clips: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    frames = frames_of(clips.make("a.mp4"))
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DiskFull, match="Permission denied"):
        annotate(tmp_path / "videos", frames)


def test_a_source_that_is_gone_leaves_the_pictures_without_sound(clips: Any, tmp_path: Path) -> None:
    source = clips.make("a.mp4", audio="aac")
    frames = frames_of(source)
    source.unlink()
    path = annotate(tmp_path / "videos", frames)
    with av.open(path) as container:
        assert [stream.type for stream in container.streams] == ["video"]
    assert len(times_s(path)) == 30


def test_real_footage(shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "video" / "intel_one-by-one-person-detection.mp4"
    media = media_at(source)
    with av.open(source) as container:
        frames: list[Frame] = []
        for picture in container.decode(video=0):
            frames.append(
                Frame(media, len(frames), picture.to_ndarray(format="bgr24"), float(picture.pts * picture.time_base))
            )
            if len(frames) == 30:
                break
    path = annotate(tmp_path, frames)
    shown = decode(path, "video")
    assert times_s(path) == pytest.approx([i / 10 for i in range(30)], abs=1e-4)
    errors = [
        np.abs(a.to_ndarray(format="bgr24").astype(int) - b.bgr).mean() for a, b in zip(shown, frames, strict=True)
    ]
    assert max(errors) < 3
