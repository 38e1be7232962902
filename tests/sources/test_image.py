"""Every format and every kind of damage, on pictures made here, whose pixels are known."""

from __future__ import annotations

import io
import struct
import sys
import tracemalloc
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from detectattn.errors import (
    MissingDecoder,
    SourceNotFound,
)
from detectattn.sources.image import iter_image_frames
from detectattn.types import Frame, Media
from tests.sources.encoded import STRICT, decode, encode, noisy

pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")  # pytest resets the filters of decode.py
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


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
