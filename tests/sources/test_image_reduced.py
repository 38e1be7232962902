"""JPEGs that a network is shown at a fraction of their size: which, at what size, and where a point of them lies."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from detectattn.errors import ImageTooLarge, TruncatedImage
from detectattn.sources import jpeg_decoders
from detectattn.sources.base import ReadOptions
from detectattn.sources.image import iter_image_frames
from detectattn.sources.jpeg_decoders import choose_factor, decode_jpeg
from detectattn.types import U8, Frame, Media, Resize

# No side divides by 2, 4 or 8.
SIZE_WH = (405, 307)


def blob(center_xy: tuple[float, float], size_wh: tuple[int, int] = SIZE_WH) -> Image.Image:
    """A bright spot, soft enough for any scale, on grey."""
    x, y = np.arange(size_wh[0]) + 0.5, np.arange(size_wh[1])[:, None] + 0.5
    light = np.exp(-((x - center_xy[0]) ** 2 + (y - center_xy[1]) ** 2) / (2 * 12.0**2))
    return Image.fromarray(np.repeat((40 + 200 * light).round().astype(np.uint8)[..., None], 3, axis=2))


def find_blob(bgr: U8) -> Any:
    """Its centre (x, y), where the left top corner of the picture is (0, 0)."""
    light = np.clip(bgr[..., 1].astype(float) - 60, 0, None)
    return np.array([(light * (np.indices(light.shape)[axis] + 0.5)).sum() for axis in (1, 0)]) / light.sum()


def encode(image: Image.Image, orientation: int = 1, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, exif=exif, **options)
    return buffer.getvalue()


def decode(content: bytes, **options: Any) -> list[Frame]:
    return list(iter_image_frames(Media("x", "image", content, PurePosixPath("x.jpg")), ReadOptions(**options)))


@pytest.mark.parametrize(
    ("size_hw", "at_least_hw", "factor"),
    [
        ((3000, 4000), None, 1),
        ((3000, 4000), (640, 640), 4),
        ((4000, 3000), (640, 640), 4),
        ((3000, 4000), (320, 320), 8),
        ((3000, 4000), (200, 200), 8),
        ((2560, 2560), (640, 640), 4),
        ((2559, 2560), (640, 640), 2),
        ((1279, 5000), (640, 640), 1),
        ((500, 400), (640, 640), 1),
        ((1000, 4000), (250, 1001), 2),
    ],
)
def test_factor_leaves_both_sides_long_enough(
    size_hw: tuple[int, int], at_least_hw: tuple[int, int] | None, factor: int
) -> None:
    assert choose_factor(size_hw, at_least_hw) == factor


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_lie_where_they_lie_in_full(orientation: int, factor: int) -> None:
    """The spot is near the corner where the last pixel stands for less than its share."""
    (frame,) = decode(encode(blob((361.0, 262.0)), orientation), at_least_hw=(300 // factor, 300 // factor))
    assert frame.reduced is not None
    assert frame.reduced.factor == factor
    assert frame.size_hw == frame.bgr.shape[:2] == (SIZE_WH[::-1] if orientation < 5 else SIZE_WH)
    found = find_blob(frame.shown) * factor + frame.reduced.origin_xy
    assert np.abs(found - find_blob(frame.bgr)).max() < 0.2


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_boxes_come_back_in_pixels_of_the_original(orientation: int) -> None:
    (frame,) = decode(encode(blob((361.0, 262.0)), orientation), at_least_hw=(37, 37))
    assert frame.reduced is not None
    small_hw = (frame.shown.shape[0], frame.shown.shape[1])
    fitted = Resize((64 / small_hw[1], 48 / small_hw[0]), (3.0, 5.0), (64, 80), small_hw)
    resize = frame.reduced.to_original(fitted)
    spot = np.tile(find_blob(frame.shown), 2)[None].astype(np.float32)
    np.testing.assert_allclose(resize.to_image(fitted.to_net(spot))[0, :2], find_blob(frame.bgr), atol=0.2)
    assert (resize.image_hw, resize.net_hw) == (frame.size_hw, (64, 80))


def test_what_is_shown_does_not_depend_on_what_else_is_decoded() -> None:
    content = encode(blob((100.0, 80.0)), 6)
    (both,) = decode(content, at_least_hw=(100, 100))
    (alone,) = decode(content, at_least_hw=(100, 100), in_full=False)
    (full,) = decode(content)
    np.testing.assert_array_equal(both.shown, alone.shown)
    np.testing.assert_array_equal(both.bgr, full.bgr)
    assert alone.bgr is alone.shown
    assert alone.size_hw == full.size_hw
    assert full.reduced is None


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"keep_rgb": True}], ids=str)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_decoders_give_the_same_pixels(
    mode: str, options: dict[str, Any], factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("simplejpeg")
    noise = np.random.default_rng(0).integers(0, 256, (31, 41, 3), np.uint8)
    image = Image.fromarray(np.asarray(cv2.resize(noise, SIZE_WH, interpolation=cv2.INTER_CUBIC))).convert(mode)
    content = encode(image, **({} if mode == "L" and "keep_rgb" in options else options))
    first = decode_jpeg(content, SIZE_WH[::-1], factor)
    monkeypatch.setattr(jpeg_decoders, "_load_simplejpeg", lambda: None)
    second = decode_jpeg(content, SIZE_WH[::-1], factor)
    assert first is not None
    np.testing.assert_array_equal(first, second)


def test_picture_of_a_few_pixels_is_decoded_in_full() -> None:
    (frame,) = decode(encode(blob((2.0, 2.0), (7, 5))))
    expected = cv2.imdecode(np.frombuffer(encode(blob((2.0, 2.0), (7, 5))), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(frame.bgr, expected)


def test_faults_that_one_decoder_refuses_do_not_cost_the_picture() -> None:
    content = bytearray(encode(blob((200.0, 150.0))))
    content[len(content) // 2 : len(content) // 2 + 40] = b"\x55" * 40
    expected = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert expected is not None
    (frame,) = decode(bytes(content))
    np.testing.assert_array_equal(frame.bgr, expected)


def test_cmyk_and_cut_pictures_are_decoded_in_full() -> None:
    (cmyk,) = decode(encode(blob((200.0, 150.0)).convert("CMYK")), at_least_hw=(50, 50), in_full=False)
    assert cmyk.reduced is None
    assert cmyk.bgr.shape == (*SIZE_WH[::-1], 3)
    cut = encode(blob((200.0, 150.0)))[:-400]
    with pytest.raises(TruncatedImage):
        decode(cut, at_least_hw=(50, 50), in_full=False)
    (part,) = decode(cut, at_least_hw=(50, 50), in_full=False, allow_truncated=True)
    assert part.reduced is None
    assert part.warnings


def test_limit_counts_the_pixels_of_the_original() -> None:
    with pytest.raises(ImageTooLarge):
        decode(encode(blob((200.0, 150.0))), at_least_hw=(50, 50), in_full=False, max_pixels=405 * 307 - 1)


def test_other_formats_are_not_reduced() -> None:
    buffer = io.BytesIO()
    blob((200.0, 150.0)).save(buffer, "PNG")
    (frame,) = decode(buffer.getvalue(), at_least_hw=(50, 50), in_full=False)
    assert frame.reduced is None
    assert frame.shown is frame.bgr
