"""Every format and every kind of damage, on pictures made here, whose pixels are known."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFilter

from detectattn.errors import (
    ImageTooLarge,
    LfsPointer,
    MissingDecoder,
    SourceNotFound,
    TruncatedImage,
    UndecodableImage,
)
from detectattn.sources.base import ReadOptions
from detectattn.sources.decode import iter_image_frames
from detectattn.types import Frame, Media

pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")  # pytest resets the filters of decode.py
STRICT = ReadOptions()
LENIENT = ReadOptions(allow_truncated=True)
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def decode(content: bytes | Path, options: ReadOptions = STRICT) -> list[Frame]:
    media = Media("picture", "image", content, PurePosixPath("picture"))
    return list(iter_image_frames(media, options))


def encode(image: Image.Image, picture_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def quarters(mode: str = "RGB") -> Image.Image:
    """64 × 48: red, green above blue, white."""
    image = Image.new("RGB", (64, 48), WHITE)
    image.paste(RED, (0, 0, 32, 24))
    image.paste(GREEN, (32, 0, 64, 24))
    image.paste(BLUE, (0, 24, 32, 48))
    return image.convert(mode)


def corners_rgb(frame: Frame) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quarters: top left, top right, bottom left, bottom right."""
    height, width = frame.size_hw
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return [tuple(int(level) for level in frame.bgr[y, x, ::-1]) for y in rows for x in columns]


def noisy(size_wh: tuple[int, int] = (320, 240), seed: int = 0) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 255, (size_wh[1], size_wh[0], 3), np.uint8)
    return Image.fromarray(levels).filter(ImageFilter.GaussianBlur(2))


def assert_corners(frame: Frame, expected: list[tuple[int, int, int]], tolerance: int = 0) -> None:
    assert np.abs(np.array(corners_rgb(frame)) - np.array(expected)).max() <= tolerance


@pytest.mark.parametrize(
    ("picture_format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("PPM", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "jpeg"}, 6),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {}, 12),
        ("JPEG2000", {"irreversible": False}, 0),
        ("JPEG2000", {"irreversible": False, "no_jp2": True}, 0),
        ("AVIF", {"quality": 95}, 8),
        ("JPEG", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "progressive": True}, 4),
        ("GIF", {}, 0),
        ("QOI", {}, 0),
    ],
)
def test_formats_give_their_colours(picture_format: str, options: dict[str, object], tolerance: int) -> None:
    (frame,) = decode(encode(quarters(), picture_format, **options))
    assert frame.size_hw == (48, 64)
    assert frame.bgr.flags.c_contiguous
    assert frame.bgr.flags.writeable
    assert_corners(frame, [RED, GREEN, BLUE, WHITE], tolerance)


@pytest.mark.parametrize(
    ("picture_format", "mode"),
    [
        ("PNG", "P"),
        ("PNG", "1"),
        ("PNG", "L"),
        ("TIFF", "1"),
        ("TIFF", "CMYK"),
        ("TIFF", "YCbCr"),
        ("PPM", "1"),
        ("PPM", "L"),
    ],
)
def test_modes_give_what_pillow_shows(picture_format: str, mode: str) -> None:
    image = quarters(mode)
    (frame,) = decode(encode(image, picture_format))
    expected = np.asarray(image.convert("RGB"))[..., ::-1]
    assert np.abs(frame.bgr.astype(int) - expected).max() <= (2 if mode == "YCbCr" else 0)


def test_heic() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(quarters()).save(buffer, quality=95)
    (frame,) = decode(buffer.getvalue())
    assert_corners(frame, [RED, GREEN, BLUE, WHITE], 12)


def test_heic_is_upright_and_gives_every_picture() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x0112] = 6
    heif = pillow_heif.from_bytes("RGB", (64, 48), quarters().tobytes())
    heif[0].info["exif"] = exif.tobytes()
    heif.add_from_pillow(Image.new("RGB", (64, 64), BLUE))
    buffer = io.BytesIO()
    heif.save(buffer, quality=95)
    turned, plain = decode(buffer.getvalue())
    assert (turned.index, plain.index) == (0, 1)
    assert turned.size_hw == (64, 48)
    assert_corners(turned, [BLUE, RED, WHITE, GREEN], 12)
    assert_corners(plain, [BLUE] * 4, 12)


def test_heic_without_its_decoder_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(quarters()).save(buffer)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingDecoder, match="pillow-heif"):
        decode(buffer.getvalue())


def test_avif_without_its_decoder_is_told_apart_from_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode(quarters(), "AVIF")
    monkeypatch.setattr("PIL.AvifImagePlugin.SUPPORTED", False)
    monkeypatch.setattr("PIL.AvifImagePlugin._avif", None, raising=False)
    monkeypatch.setattr("PIL.features.check", lambda feature: feature != "avif")
    with pytest.raises(MissingDecoder, match="AVIF"):
        decode(content)


# Transposed as EXIF says, the four quarters are where a viewer shows them.
ORIENTED = {
    1: [RED, GREEN, BLUE, WHITE],
    2: [GREEN, RED, WHITE, BLUE],
    3: [WHITE, BLUE, GREEN, RED],
    4: [BLUE, WHITE, RED, GREEN],
    5: [RED, BLUE, GREEN, WHITE],
    6: [BLUE, RED, WHITE, GREEN],
    7: [WHITE, GREEN, BLUE, RED],
    8: [GREEN, WHITE, RED, BLUE],
}


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", ORIENTED)
def test_exif_orientation(picture_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if picture_format == "WEBP" else {"quality": 95}
    (frame,) = decode(encode(quarters(), picture_format, exif=exif, **options))
    assert frame.size_hw == ((48, 64) if orientation < 5 else (64, 48))
    assert_corners(frame, ORIENTED[orientation], 12)


def test_orientation_matches_opencv() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(noisy(), "JPEG", exif=exif)
    (frame,) = decode(content)
    np.testing.assert_array_equal(frame.bgr, cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR))


def test_damaged_exif_does_not_cost_the_picture() -> None:
    (frame,) = decode(encode(quarters(), "JPEG", quality=95, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"))
    assert_corners(frame, [RED, GREEN, BLUE, WHITE], 4)


@pytest.mark.parametrize("name", ["bus.jpg", "zidane.jpg"])
@pytest.mark.parametrize("picture_format", ["JPEG", "PNG"])
def test_pixels_equal_opencvs(ultralytics_assets: Path, tmp_path: Path, name: str, picture_format: str) -> None:
    path = ultralytics_assets / name
    if picture_format == "PNG":
        path = tmp_path / "copy.png"
        Image.open(ultralytics_assets / name).save(path, compress_level=1)
    (frame,) = decode(path)
    expected = cv2.imread(str(path))
    assert expected is not None
    np.testing.assert_array_equal(frame.bgr, expected)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pgm", ".jp2"])
def test_16_bit_grey_is_divided_by_257(suffix: str) -> None:
    levels = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    encoded, content = cv2.imencode(suffix, levels)
    assert encoded
    (frame,) = decode(content.tobytes())
    expected = np.rint(levels / 257)
    assert np.abs(frame.bgr - expected[..., None]).max() <= (1 if suffix == ".jp2" else 0)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".ppm"])
def test_16_bit_colour_is_scaled_not_cut(suffix: str) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (40, 50, 3)).astype(np.uint16)
    encoded, content = cv2.imencode(suffix, levels)
    assert encoded
    (frame,) = decode(content.tobytes())
    assert np.abs(frame.bgr - levels / 257).max() < 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, (0, 255)), (0, 200, (0, 200)), (0, 65535, (0, 255)), (-3, 5, (0, 255)), (0, 1e6, (0, 255))],
)
def test_floating_point_tiff(channels: int, low: float, high: float, expected: tuple[int, int]) -> None:
    levels = np.repeat(np.linspace(low, high, 1600, dtype=np.float32).reshape(40, 40, 1), channels, axis=2)
    encoded, content = cv2.imencode(".tiff", levels.squeeze())
    assert encoded
    (frame,) = decode(content.tobytes())
    assert (int(frame.bgr.min()), int(frame.bgr.max())) == expected
    assert (np.diff(frame.bgr[..., 0].ravel().astype(int)) >= 0).all()


def test_floating_point_colour_tiff_gives_every_page_in_order() -> None:
    pages = [np.full((8, 9 + n, 3), (0.2 * n, 0.5, 1), np.float32) for n in range(3)]
    encoded, content = cv2.imencodemulti(".tiff", pages)
    assert encoded
    frames = decode(content.tobytes())
    assert [(f.index, f.size_hw, *map(int, f.bgr[0, 0])) for f in frames] == [
        (0, (8, 9), 0, 128, 255),
        (1, (8, 10), 51, 128, 255),
        (2, (8, 11), 102, 128, 255),
    ]


def test_nan_is_black_and_not_an_error() -> None:
    levels = np.full((8, 8), 0.5, np.float32)
    levels[0, 0], levels[0, 1] = np.nan, 0
    encoded, content = cv2.imencode(".tiff", levels)
    assert encoded
    (frame,) = decode(content.tobytes())
    assert frame.bgr[0, 0].tolist() == [0, 0, 0]
    assert frame.bgr[1, 1].tolist() == [128, 128, 128]


def test_lab_tiff_comes_back_to_its_colours() -> None:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    image = ImageCms.profileToProfile(quarters(), srgb, lab, outputMode="LAB")
    assert image is not None
    (frame,) = decode(encode(image, "TIFF"))
    assert_corners(frame, [RED, GREEN, BLUE, WHITE], 24)  # eight bits hold Lab coarsely


def test_cmyk_jpeg_is_not_inverted() -> None:
    (frame,) = decode(encode(quarters("CMYK"), "JPEG", quality=95))
    assert_corners(frame, [RED, GREEN, BLUE, WHITE], 8)


def test_ycck_jpeg() -> None:
    """What Photoshop writes: inverted CMYK whose first three channels are stored as YCbCr (Adobe transform 2)."""
    inks = np.ascontiguousarray(np.asarray(quarters("CMYK"))[..., :3])
    ycc = np.asarray(Image.fromarray(inks).convert("YCbCr"))  # the standard's conversion inverts, as Photoshop does
    stored = np.dstack([ycc, np.full((48, 64), 255, np.uint8)])  # no black ink, inverted
    content = encode(Image.fromarray(255 - stored, "CMYK"), "JPEG", quality=95)  # which Pillow inverts once more
    transform = content.index(b"Adobe") + 11
    (frame,) = decode(content[:transform] + b"\x02" + content[transform + 1 :])
    assert_corners(frame, [RED, GREEN, BLUE, WHITE], 10)


@pytest.mark.parametrize("picture_format", ["PNG", "WEBP", "TIFF"])
def test_alpha_lies_over_white(picture_format: str) -> None:
    image = Image.new("RGBA", (64, 48), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (32, 0, 64, 24))
    image.paste((0, 0, 255, 128), (0, 24, 32, 48))
    options = {"lossless": True, "exact": True} if picture_format == "WEBP" else {}
    (frame,) = decode(encode(image, picture_format, **options))
    assert_corners(frame, [RED, WHITE, (127, 127, 255), RED], 1)


def test_wholly_transparent_picture_keeps_its_colours() -> None:
    image = quarters("RGBA")
    image.putalpha(0)
    (frame,) = decode(encode(image, "PNG"))
    assert_corners(frame, [RED, GREEN, BLUE, WHITE])


def test_transparent_palette_entry_is_white() -> None:
    image = Image.new("P", (64, 48), 0)
    image.putpalette([10, 20, 30, 255, 0, 0])
    image.paste(1, (0, 0, 32, 24))
    (frame,) = decode(encode(image, "PNG", transparency=0))
    assert_corners(frame, [RED, WHITE, WHITE, WHITE])


FRAME_COLOURS = [RED, GREEN, BLUE, WHITE, BLACK]


@pytest.mark.parametrize("picture_format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_animations_and_pages_give_every_frame(picture_format: str) -> None:
    images = [Image.new("RGB", (64, 48), colour) for colour in FRAME_COLOURS]
    options: dict[str, object] = {"lossless": True} if picture_format == "WEBP" else {}
    content = encode(images[0], picture_format, save_all=True, append_images=images[1:], **options)
    frames = decode(content)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    for frame, colour in zip(frames, FRAME_COLOURS, strict=True):
        assert_corners(frame, [colour] * 4, 8 if picture_format == "AVIF" else 0)


def test_gif_frames_build_on_each_other() -> None:
    first, second = Image.new("RGB", (64, 48), RED), Image.new("RGB", (64, 48), RED)
    second.paste(GREEN, (32, 0, 64, 24))
    _, frame = decode(encode(first, "GIF", save_all=True, append_images=[second]))
    assert_corners(frame, [RED, GREEN, RED, RED])


def test_tiff_pages_have_their_own_sizes_and_previews_are_left_out() -> None:
    first, preview, last = quarters(), quarters().resize((16, 12)), Image.new("RGB", (20, 30), BLUE)
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    frames = decode(encode(first, "TIFF", save_all=True, append_images=[preview, last]))
    assert [(frame.index, frame.size_hw) for frame in frames] == [(0, (48, 64)), (2, (30, 20))]


def test_a_long_tiff_needs_the_memory_of_one_page(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    pages = [Image.new("L", (200, 200), n % 256) for n in range(400)]
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    media = Media("scan", "image", path, PurePosixPath("scan.tif"))
    frames = iter_image_frames(media, STRICT)
    assert int(next(frames).bgr[0, 0, 0]) == 0
    tracemalloc.start()
    levels = [int(frame.bgr[0, 0, 0]) for frame in frames]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert levels == [n % 256 for n in range(1, 400)]
    assert peak < 10 * 200 * 200 * 3


def test_of_a_multi_picture_jpeg_comes_what_a_viewer_shows() -> None:
    content = encode(quarters(), "MPO", quality=95, save_all=True, append_images=[Image.new("RGB", (64, 48), BLACK)])
    (frame,) = decode(content)
    assert_corners(frame, [RED, GREEN, BLUE, WHITE], 4)


def test_both_views_of_a_stereo_jpeg() -> None:
    content = encode(quarters(), "MPO", quality=95, save_all=True, append_images=[Image.new("RGB", (64, 48), BLUE)])
    at = content.index(b"MPF\0") + 4 + 50 + 16  # past the index's header, its three tags and the first entry
    stereo = content[:at] + struct.pack("<L", 0x020002) + content[at + 4 :]
    left, right = decode(stereo)
    assert_corners(left, [RED, GREEN, BLUE, WHITE], 4)
    assert_corners(right, [BLUE] * 4, 4)


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
    path.write_bytes(encode(quarters(), "PNG"))
    assert_corners(decode(path)[0], [RED, GREEN, BLUE, WHITE])


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


def test_camera_raw_is_not_taken_for_its_preview() -> None:
    content = encode(quarters(), "TIFF", tiffinfo={254: 1, 50706: b"\1\4\0\0"})
    with pytest.raises(MissingDecoder, match="raw"):
        decode(content)


def test_pixels_in_memory_become_a_frame() -> None:
    pixels = np.zeros((4, 5, 3), np.uint8)
    media = Media("array", "image", pixels, PurePosixPath("array.png"))
    (frame,) = iter_image_frames(media, STRICT)
    assert frame.bgr is pixels


def test_a_file_that_went_away(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        decode(tmp_path / "gone.jpg")


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
    (tmp_path / "odd.jpg").write_bytes(encode(quarters(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\0\1\0"))
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
