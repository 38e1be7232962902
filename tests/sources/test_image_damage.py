"""Pictures that are cut short, damaged, too large, or no pictures at all."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest
from PIL import Image

from detectattn.errors import ImageTooLarge, LfsPointer, MissingDecoder, TruncatedImage, UndecodableImage
from detectattn.sources.base import ReadOptions
from detectattn.sources.image import iter_image_frames
from detectattn.types import Media
from tests.sources.encoded import LENIENT, STRICT, decode, encode, noisy

pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")  # pytest resets the filters of decode.py


WHOLE = {
    "JPEG": encode(noisy(), "JPEG"),
    "JPEG progressive": encode(noisy(), "JPEG", progressive=True),
    "PNG": encode(noisy(), "PNG"),
    "BMP": encode(noisy(), "BMP"),
    "PPM": encode(noisy(), "PPM"),
    "GIF": encode(noisy(), "GIF", interlace=0),
    "TIFF": encode(noisy(), "TIFF"),
    "TIFF LZW": cv2.imencode(".tiff", np.asarray(noisy()))[1].tobytes(),
    "TIFF floating point": cv2.imencode(".tiff", np.asarray(noisy()).astype(np.float32))[1].tobytes(),
    "TIFF directory last": encode(noisy(), "TIFF", compression="tiff_lzw"),
    "WEBP": encode(noisy(), "WEBP"),
    "AVIF": encode(noisy(), "AVIF"),
    "JPEG2000": encode(noisy(), "JPEG2000"),
    "JPEG2000 codestream": encode(noisy(), "JPEG2000", no_jp2=True),
}


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.995])
@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_cut_short_is_a_failure(name: str, fraction: float) -> None:
    content = WHOLE[name]
    assert len(decode(content)) == 1
    with pytest.raises(TruncatedImage) as caught:
        decode(content[: int(len(content) * fraction)])
    assert caught.value.problem.startswith("picture is cut short")


@pytest.mark.parametrize("name", ["JPEG", "JPEG progressive", "PNG", "PPM", "GIF", "TIFF"])
def test_a_picture_cut_short_is_taken_as_far_as_it_decodes(name: str) -> None:
    content = WHOLE[name]
    (whole,) = decode(content)
    (part,) = decode(content[: int(len(content) * 0.6)], LENIENT)
    assert part.size_hw == whole.size_hw
    assert part.warnings == ("cut short: decoded as far as it goes, the rest is blank",)
    if name != "JPEG progressive":
        np.testing.assert_array_equal(part.bgr[:80], whole.bgr[:80])
    assert not np.array_equal(part.bgr[-40:], whole.bgr[-40:])


def test_a_bitmap_is_stored_from_its_bottom() -> None:
    content = WHOLE["BMP"]
    (part,) = decode(content[: int(len(content) * 0.6)], LENIENT)
    np.testing.assert_array_equal(part.bgr[-80:], decode(content)[0].bgr[-80:])


@pytest.mark.parametrize("name", ["WEBP", "AVIF", "JPEG2000", "TIFF directory last"])
def test_where_nothing_of_a_part_decodes_it_stays_a_failure(name: str) -> None:
    with pytest.raises(TruncatedImage):
        decode(WHOLE[name][: len(WHOLE[name]) // 2], LENIENT)


def test_lenient_reading_leaves_whole_pictures_without_a_warning() -> None:
    for content in WHOLE.values():
        assert [frame.warnings for frame in decode(content, LENIENT)] == [()]


def test_heic_cut_short() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(noisy()).save(buffer)
    with pytest.raises(TruncatedImage):
        decode(buffer.getvalue()[:-200])


def test_a_jpeg_that_lacks_only_its_end_marker_is_whole() -> None:
    content = encode(noisy(), "JPEG")
    assert content.endswith(b"\xff\xd9")
    (frame,) = decode(content[:-2])
    assert frame.warnings == ()
    np.testing.assert_array_equal(frame.bgr, decode(content)[0].bgr)


def test_a_download_padded_with_zeros_is_cut_short() -> None:
    content = encode(noisy(), "JPEG")
    with pytest.raises(TruncatedImage):
        decode(content[: len(content) // 2] + bytes(len(content)))


def test_bytes_after_the_end_do_no_harm() -> None:
    for name in ("JPEG", "PNG", "GIF"):
        assert len(decode(WHOLE[name] + b"trailing" * 10)) == 1


def test_an_embedded_preview_does_not_pass_for_the_picture() -> None:
    preview = encode(noisy((32, 24)), "JPEG")
    content = encode(noisy(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + preview)
    with pytest.raises(TruncatedImage):
        decode(content[: len(content) // 2])


def test_an_animation_cut_between_frames_gives_those_before_then_fails() -> None:
    images = [noisy((64, 48), seed) for seed in range(3)]
    content = encode(images[0], "GIF", save_all=True, append_images=images[1:])
    media = Media("clip.gif", "image", content[:-1], PurePosixPath("clip.gif"))
    frames = iter_image_frames(media, STRICT)
    assert [next(frames).index for _ in range(3)] == [0, 1, 2]
    with pytest.raises(TruncatedImage, match="after frame 2"):
        next(frames)
    lenient = decode(content[:-1], LENIENT)
    assert [len(frame.warnings) for frame in lenient] == [1, 1, 1]


@pytest.mark.parametrize("picture_format", ["GIF", "PNG", "TIFF"])
def test_an_animation_cut_within_a_frame(picture_format: str) -> None:
    images = [noisy((64, 48), seed) for seed in range(3)]
    content = encode(images[0], picture_format, save_all=True, append_images=images[1:])
    frames = decode(content[: int(len(content) * 0.9)], LENIENT)
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert any("blank" in warning for warning in frames[-1].warnings)
    np.testing.assert_array_equal(frames[1].bgr, decode(content)[1].bgr)


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (b"", UndecodableImage, "an empty file"),
        (bytes(500), UndecodableImage, "nothing but zero bytes"),
        (b"just some words\n", UndecodableImage, "it is text"),
        (b"<!DOCTYPE html><html><title>404</title>", UndecodableImage, "an HTML page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', UndecodableImage, "an SVG drawing"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", UndecodableImage, "a PDF document"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", UndecodableImage, "a video"),
        (b"PK\x03\x04" + bytes(40), UndecodableImage, "a ZIP archive"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n",
            LfsPointer,
            "a Git LFS pointer",
        ),
        (b"\xff\xd8\xff", TruncatedImage, "within its header"),
        (b"\x89PNG\r\n\x1a\n", TruncatedImage, "cut short"),
        (WHOLE["PNG"][:3000] + b"spoilt" + WHOLE["PNG"][3006:], UndecodableImage, "damaged PNG"),
        (b"II*\0\x08\0\0\0\0\0\0\0\0\0", UndecodableImage, "damaged TIFF"),
    ],
)
def test_what_is_no_picture_is_named(content: bytes, error: type[UndecodableImage], says: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(UndecodableImage, match=says) as caught:
        decode(path)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_lfs_pointer_says_how_to_fetch() -> None:
    with pytest.raises(LfsPointer) as caught:
        decode(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "git lfs pull" in caught.value.hint


def test_content_is_judged_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(WHOLE["PNG"])
    np.testing.assert_array_equal(decode(path)[0].bgr, decode(WHOLE["PNG"])[0].bgr)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [name for name in WHOLE if "JPEG" not in name])
def test_damage_is_an_expected_error_or_a_picture(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    content = np.frombuffer(WHOLE[name], np.uint8).copy()
    content[rng.integers(12, min(len(content), 4000), 40)] = rng.integers(0, 256, 40)
    try:
        sizes = [frame.size_hw for frame in decode(content.tobytes())]
    except (UndecodableImage, ImageTooLarge, MissingDecoder) as error:
        message = str(error)
    else:
        message = f"picture of {sizes}"
    assert message.startswith("picture")


@pytest.mark.parametrize("name", WHOLE)
def test_the_size_limit_holds_before_decoding(name: str) -> None:
    limit = ReadOptions(max_pixels=320 * 240 - 1)
    with pytest.raises(ImageTooLarge, match=r"320 × 240"):
        decode(WHOLE[name], limit)
    assert len(decode(WHOLE[name], ReadOptions(max_pixels=320 * 240))) == 1


def test_a_bomb_is_refused_by_its_header() -> None:
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header
    crc = zlib.crc32(b"IHDR" + header)
    content = bomb + struct.pack(">I", crc) + struct.pack(">I", 10) + b"IDAT" + bytes(14)
    with pytest.raises(ImageTooLarge, match="60000 × 60000"):
        decode(content)


def test_each_page_counts_on_its_own() -> None:
    pages = [Image.new("L", (100, 100)), Image.new("L", (300, 300))]
    content = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    media = Media("scan.tif", "image", content, PurePosixPath("scan.tif"))
    frames = iter_image_frames(media, ReadOptions(max_pixels=50_000))
    assert next(frames).size_hw == (100, 100)
    with pytest.raises(ImageTooLarge):
        next(frames)


def test_threads_do_not_disturb_each_other() -> None:
    """A lenient reading beside strict ones must not make these lenient, as Pillow's global switch would."""
    cut = WHOLE["PNG"][:-4000]

    def read(n: int) -> str:
        try:
            return decode(cut, LENIENT if n % 2 else STRICT)[0].warnings[0][:9]
        except TruncatedImage:
            return "failure"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(read, range(24)))
    assert outcomes == ["failure", "cut short"] * 12


def test_pillow_stays_silent(tmp_path: Path) -> None:
    """In a process of its own with every warning shown: neither stdout nor stderr hears of odd metadata."""
    path = tmp_path / "odd.tif"
    content = bytearray(WHOLE["TIFF"])
    path.write_bytes(bytes(content[:-5]))
    (tmp_path / "odd.jpg").write_bytes(encode(noisy(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\0\1\0"))
    code = (
        "import sys; from pathlib import Path, PurePosixPath\n"
        "from detectattn.sources import ReadOptions, iter_frames\nfrom detectattn.types import Media\n"
        "from detectattn.errors import TruncatedImage\n"
        "for name in sys.argv[1:]:\n"
        "    try: list(iter_frames(Media('x', 'image', Path(name), PurePosixPath('x')), ReadOptions()))\n"
        "    except TruncatedImage: pass\n"
    )
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "odd.jpg")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
