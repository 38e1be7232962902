"""What is decoded in a process of its own is what would be decoded here, and nothing of it is left behind."""

from __future__ import annotations

import io
import os
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from detectattn.errors import DetectattnError, SourceError
from detectattn.sources import decode_process, isolation, iter_frames
from detectattn.sources.base import ReadOptions
from detectattn.sources.doubtful import is_doubtful
from detectattn.sources.isolation import DecodePool, open_isolation
from detectattn.sources.sniff import sniff_picture
from detectattn.sources.video import probe_video
from detectattn.types import Frame, Media


def noisy(seed: int = 0, size_wh: tuple[int, int] = (160, 120)) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 255, (size_wh[1], size_wh[0], 3), np.uint8)
    return Image.fromarray(levels).filter(ImageFilter.GaussianBlur(2))


def encode(picture_format: str, image: Image.Image | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image or noisy()).save(buffer, picture_format, **options)
    return buffer.getvalue()


def make_pictures() -> dict[str, bytes]:
    """Every format, turned, transparent, animated, in odd depths, cut short, damaged, and no picture at all."""
    turned, pages = Image.Exif(), [noisy(seed, (40, 30)) for seed in range(3)]
    turned[0x0112] = 6
    several: dict[str, Any] = {"save_all": True, "append_images": pages[1:]}
    clear = noisy().convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    names = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "JPEG2000", "ICO", "QOI")
    made = {name: encode(name) for name in names}
    made |= {f"{name}, turned": encode(name, exif=turned) for name in ("JPEG", "PNG", "WEBP", "TIFF")}
    made |= {f"{name}, pages": encode(name, pages[0], **several) for name in ("GIF", "PNG", "WEBP", "TIFF")}
    made |= {f"{name}, transparent": encode(name, clear) for name in ("PNG", "WEBP", "TIFF")}
    made |= {f"{name}, 16 bit": encode(name, Image.fromarray(np.arange(4800, dtype=np.uint16).reshape(60, 80) * 13))
             for name in ("PNG", "TIFF", "JPEG2000")}  # fmt: skip
    made["TIFF, floating point"] = encode(
        "TIFF", Image.fromarray(np.linspace(-3, 5, 4800, dtype=np.float32).reshape(60, 80))
    )
    made["JPEG, CMYK"] = encode("JPEG", noisy().convert("CMYK"))
    made["JPEG, with more behind it"] = made["JPEG"] + bytes(5000)
    made |= {f"{name}, cut": made[name][: len(made[name]) * 2 // 3] for name in names}
    made |= {f"{name}, spoilt": made[name][:90] + bytes(40) + made[name][130:] for name in names}
    return made | {
        "nothing": b"",
        "text": b"just some words\n",
        "lfs": b"version https://git-lfs.github.com/spec/v1\noid",
    }


PICTURES = make_pictures()
OPTIONS: dict[str, dict[str, Any]] = {
    "strict": {},
    "lenient": {"allow_truncated": True},
    "reduced": {"at_least_hw": (40, 40)},
    "reduced alone": {"at_least_hw": (40, 40), "in_full": False},
}


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    """Everything through processes, used again from test to test."""
    with open_isolation("all") as pool:
        assert pool is not None
        yield pool


def media_of(location: bytes | Path, kind: Any = "image") -> Media:
    return Media("picture", kind, location, PurePosixPath("picture"))


def read(media: Media, options: ReadOptions) -> tuple[list[Frame], str]:
    """All frames, and what ended them."""
    frames = []
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow's, whose filter pytest resets
            frames += iter_frames(media, options)
    except DetectattnError as error:
        return frames, f"{type(error).__name__}: {error}"
    return frames, ""


def assert_same(ours: tuple[list[Frame], str], theirs: tuple[list[Frame], str]) -> None:
    assert theirs[1] == ours[1]
    assert len(theirs[0]) == len(ours[0])
    for here, there in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_array_equal(there.bgr, here.bgr)
        assert there.bgr.flags.c_contiguous
        assert there.bgr.flags.writeable
        assert (there.media, there.index, there.timestamp_s) == (here.media, here.index, here.timestamp_s)
        assert there.warnings == here.warnings
        assert (there.reduced is None) == (here.reduced is None)
        if here.reduced is not None and there.reduced is not None:
            np.testing.assert_array_equal(there.reduced.bgr, here.reduced.bgr)
            assert (there.reduced.bgr is there.bgr) == (here.reduced.bgr is here.bgr)
            for name in ("factor", "origin_xy", "image_hw"):
                assert getattr(there.reduced, name) == getattr(here.reduced, name)


@pytest.mark.parametrize("how", OPTIONS)
def test_pictures_and_failures_are_the_same(pool: DecodePool, how: str, tmp_path: Path) -> None:
    for name, content in PICTURES.items():
        if how.startswith("reduced") and not name.startswith("JPEG"):
            continue
        path = tmp_path / name
        path.write_bytes(content)
        for location in (content, path) if how == "strict" else (path,):
            ours = read(media_of(location), ReadOptions(**OPTIONS[how]))
            assert_same(ours, read(media_of(location), ReadOptions(**OPTIONS[how], isolation=pool)))


def test_heic_is_the_same(pool: DecodePool) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(noisy()).save(buffer)
    for content in (buffer.getvalue(), buffer.getvalue()[:-600]):
        assert_same(read(media_of(content), ReadOptions()), read(media_of(content), ReadOptions(isolation=pool)))


@pytest.mark.parametrize("stride", [1, 3])
def test_videos_are_the_same(pool: DecodePool, clips: Any, stride: int) -> None:
    path = clips.make("whole.mp4", times_s=[0.0, 0.04, 0.1, 0.5, 0.51, 2.0, 2.033], audio="aac")
    cut = clips.make("cut.mkv", frames=40)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    (path.parent / "bad.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(300))
    for video in (path, cut, path.parent / "bad.mp4", path.parent / "none.mp4"):
        ours = read(media_of(video, "video"), ReadOptions(vid_stride=stride))
        assert_same(ours, read(media_of(video, "video"), ReadOptions(vid_stride=stride, isolation=pool)))
    assert probe_video(path, pool) == probe_video(path)
    with pytest.raises(SourceError):
        probe_video(path.parent / "bad.mp4", pool)


def test_pixels_come_through_the_pipe_where_memory_cannot_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_process, "make_shared_pixels", lambda: None)
    with open_isolation("all") as pool:
        for name in ("GIF, pages", "JPEG"):
            options = {"at_least_hw": (40, 40)}
            ours = read(media_of(PICTURES[name]), ReadOptions(**options))
            assert_same(ours, read(media_of(PICTURES[name]), ReadOptions(**options, isolation=pool)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_what_can_be_read_once_only_is_read_here(pool: DecodePool, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(PICTURES["WEBP"],))
    writer.start()
    [frame] = iter_frames(media_of(path), ReadOptions(isolation=pool))
    writer.join()
    np.testing.assert_array_equal(frame.bgr, read(media_of(PICTURES["WEBP"]), ReadOptions())[0][0].bgr)


SOUND = {"JPEG", "JPEG, turned", "PNG", "PNG, turned", "PNG, transparent", "PNG, 16 bit", "PNG, spoilt"}


def test_sound_jpeg_and_png_stay_here_and_nothing_else() -> None:
    doubtful = {}
    for name, content in PICTURES.items():
        if (picture_format := sniff_picture(content)) is not None:
            file = io.BytesIO(content)
            file.seek(5)
            doubtful[name] = is_doubtful(file, picture_format)
            assert file.tell() == 5
    assert {name for name, doubt in doubtful.items() if not doubt} == SOUND


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ("arithmetically coded", b"\xff\xc0", b"\xff\xc9"),
        ("lossless", b"\xff\xc0", b"\xff\xc3"),
        ("12 bit", b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c"),
        ("no pixels", b"\x08\x00\x78", b"\x08\x00\x00"),
        ("more pixels than its bytes can hold", b"\x08\x00\x78\x00\xa0", b"\x08\xff\xff\xff\xff"),
        ("a segment that Pillow looks into", b"\xff\xdb\x00\x43", b"\xff\xf0\x00\x43"),
        ("a segment without an end", b"\xff\xdb\x00\x43", b"\xff\xdb\xff\xff"),
    ],
)
def test_an_odd_jpeg_is_doubtful(what: str, before: bytes, after: bytes) -> None:
    odd = PICTURES["JPEG"].replace(before, after, 1)
    assert odd != PICTURES["JPEG"]
    assert is_doubtful(io.BytesIO(odd), "JPEG")


def test_a_progressive_jpeg_of_a_thousand_scans_is_doubtful() -> None:
    whole = encode("JPEG", progressive=True)
    assert not is_doubtful(io.BytesIO(whole), "JPEG")
    scan = whole.index(b"\xff\xda")
    assert is_doubtful(io.BytesIO(whole[:scan] + whole[scan : scan + 30] * 1000 + whole[scan:]), "JPEG")


def make_jpeg_of_a_scan_a_channel() -> bytes:
    """A baseline JPEG whose channels are not interleaved, as libjpeg reads to its end before it gives a pixel."""
    grey = encode("JPEG", noisy().convert("L"))
    frame, tables, scan = (grey.index(mark) for mark in (b"\xff\xc0", b"\xff\xc4", b"\xff\xda"))
    height_width, data = grey[frame + 5 : frame + 9], grey[scan + 10 : -2]
    channels = b"".join(bytes([channel, 0x11, 0]) for channel in (1, 2, 3))
    scans = b"".join(b"\xff\xda\0\x08\1%c\0\0\x3f\0" % channel + data for channel in (1, 2, 3))
    return (
        grey[:frame] + b"\xff\xc0\0\x11\x08" + height_width + b"\3" + channels + grey[tables:scan] + scans + b"\xff\xd9"
    )


def test_a_baseline_jpeg_of_a_thousand_scans_is_doubtful() -> None:
    whole = make_jpeg_of_a_scan_a_channel()
    [frame], error = read(media_of(whole), ReadOptions())
    assert (frame.bgr.shape, error) == ((120, 160, 3), "")
    assert not is_doubtful(io.BytesIO(whole), "JPEG")
    assert is_doubtful(io.BytesIO(whole[:-2] + b"\xff\xda\0\x08\1\1\0\0\x3f\0" * 1000 + whole[-2:]), "JPEG")


@pytest.mark.parametrize(("kind", "pages"), [(0x020001, 2), (0x020002, 2), (0x010001, 1), (0, 1)])
def test_a_multi_picture_jpeg_is_doubtful_where_more_than_one_is_decoded(kind: int, pages: int) -> None:
    content = bytearray(encode("MPO", save_all=True, append_images=[noisy(1, (40, 30))]))
    at = content.index(b"MPF\0") + 4 + 50 + 16  # past the index's header, its three tags and the first entry
    content[at : at + 4] = kind.to_bytes(4, "little")
    assert len(read(media_of(bytes(content)), ReadOptions())[0]) == pages
    assert is_doubtful(io.BytesIO(content), "JPEG") == (pages > 1)


def test_a_png_that_has_no_pixels_within_reach_is_doubtful() -> None:
    whole, chunk = encode("PNG"), b"\0\0\0\0teSt" + bytes(4)
    assert not is_doubtful(io.BytesIO(whole[:33] + chunk * 10 + whole[33:]), "PNG")
    assert is_doubtful(io.BytesIO(whole[:33] + chunk * 5000 + whole[33:]), "PNG")


def test_sound_pictures_and_pixels_in_memory_start_no_process() -> None:
    with open_isolation("auto") as pool:
        assert pool is not None
        for location in (PICTURES["JPEG"], PICTURES["PNG"], np.zeros((4, 5, 3), np.uint8)):
            assert len(list(iter_frames(media_of(location), ReadOptions(isolation=pool)))) == 1
        assert pool.pids() == ()


def test_no_isolation_when_none_is_wanted() -> None:
    with open_isolation("none") as pool:
        assert pool is None


def test_one_process_serves_one_picture_after_the_other() -> None:
    with open_isolation("auto") as pool:
        assert pool is not None
        options = ReadOptions(isolation=pool)
        opened = [iter_frames(media_of(PICTURES["WEBP"]), options) for _ in range(4)]
        for frames in opened:
            next(frames)  # and none is read on: a single picture's process is free all the same
        assert len(pool.pids()) == 1


def test_media_that_wait_do_not_keep_processes_from_others() -> None:
    with open_isolation("auto") as pool:
        assert pool is not None
        options = ReadOptions(isolation=pool)
        opened = [iter_frames(media_of(PICTURES["GIF, pages"]), options) for _ in range(2)]
        firsts = [next(frames).index for frames in opened]
        assert [[frame.index for frame in frames] for frames in reversed(opened)] == [[1, 2]] * 2
        assert firsts == [0, 0]


def count_open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_nothing_is_left_behind(clips: Any) -> None:
    threads, files = threading.active_count(), count_open_files()
    with open_isolation("auto") as pool:
        assert pool is not None
        options = ReadOptions(isolation=pool)
        closed = iter_frames(media_of(clips.make("v.mp4"), "video"), options)
        next(closed)
        [busy] = pool.pids()
        closed.close()
        left = iter_frames(media_of(clips.folder / "v.mp4", "video"), options)
        next(left)
        [other] = pool.pids()
        assert other != busy
    for pid in (busy, other):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert threading.active_count() == threads
    assert count_open_files() == files  # memory that is shared among them
    with pytest.raises(RuntimeError):
        next(iter_frames(media_of(PICTURES["WEBP"]), options))


def test_a_process_that_died_in_peace_is_replaced(pool: DecodePool) -> None:
    options = ReadOptions(isolation=pool)
    list(iter_frames(media_of(PICTURES["WEBP"]), options))
    for pid in pool.pids():
        os.kill(pid, 9)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert len(list(iter_frames(media_of(PICTURES["WEBP"]), options))) == 1


def test_processes_that_rest_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_REST_S", 0.15)
    with open_isolation("auto") as pool:
        assert pool is not None
        for _ in range(2):
            assert len(list(iter_frames(media_of(PICTURES["WEBP"]), ReadOptions(isolation=pool)))) == 1
            deadline = time.monotonic() + 30
            while any(thread.name == "decode-watch" for thread in threading.enumerate()):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert pool.pids() == ()


def test_where_no_process_starts_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_process, "WORKER", "no.such.module")
    with (
        open_isolation("auto") as pool,
        pytest.raises(SourceError, match=r"cannot be started \(it ended with exit code 1\).*--isolate none"),
    ):
        list(iter_frames(media_of(PICTURES["WEBP"]), ReadOptions(isolation=pool)))
