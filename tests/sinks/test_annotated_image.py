from __future__ import annotations

import io
from pathlib import PurePosixPath

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from detectattn.errors import OutputExists
from detectattn.sinks.annotated_image import AnnotatedImageSink, image_output_name
from detectattn.sinks.media_files import encode_image

# Pieces that the naming rule itself uses, so that the search looks where two names could meet.
pieces = st.sampled_from(
    ["x", "a", ".", ".jpg", ".JPG", ".png", ".jpeg", ".tiff", ".gif", ".mp4", ".image", ".p0001", ".p0002", ".p12345",
     f".~{'0' * 20}", "é", "y" * 120, "z" * 240]
)  # fmt: skip
names = st.lists(pieces, min_size=1, max_size=5).map("".join).filter(lambda n: n.strip(".") != "")
places = st.tuples(names, st.sampled_from([0, 1, 2, 9999, 12345]))


@pytest.fixture
def sink(tmp_path):
    def draw(frame, prediction):
        return np.full_like(frame.bgr, 40 * len(prediction.detections))

    return AnnotatedImageSink(tmp_path / "images", draw)


@pytest.mark.parametrize(
    ("output", "index", "expected"),
    [
        ("street/bus.jpg", 0, "street/bus.jpg"),
        ("Bus.JPEG", 0, "Bus.JPEG"),
        ("x.png", 0, "x.png"),
        ("x.tiff", 0, "x.tiff.jpg"),
        ("x.tiff.jpg", 0, "x.tiff.jpg.jpg"),
        ("x.gif", 0, "x.gif.jpg"),
        ("x.gif", 1, "x.gif.p0001.jpg"),
        ("x.gif", 12345, "x.gif.p12345.jpg"),
        ("x.jpg", 2, "x.p0002.jpg"),
        ("x.p0002.jpg", 0, "x.p0002.jpg.jpg"),
        ("v1.2.jpg", 0, "v1.2.jpg"),
        ("photo", 0, "photo.image.jpg"),
        ("photo.image.jpg", 0, "photo.image.jpg.jpg"),
        (".jpg", 0, ".jpg.image.jpg"),
    ],
)
def test_names(output, index, expected):
    assert image_output_name(PurePosixPath(output), index) == PurePosixPath(expected)


@settings(max_examples=500)
@given(places, places)
def test_two_pictures_never_share_a_name(one, other):
    assume(one != other)
    first, second = (image_output_name(PurePosixPath("in", name), index) for name, index in (one, other))
    assert first != second


@settings(max_examples=500)
@given(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=300), st.integers(0, 10**6))
def test_every_name_fits_a_file_system_and_stays_in_its_folder(name, index):
    assume(name.strip(".") != "")
    output = image_output_name(PurePosixPath("a/b", name), index)
    assert output.parent == PurePosixPath("a/b")
    assert output.suffix.lower() in (".jpg", ".jpeg", ".png")
    assert len(output.name.encode("utf-8", "surrogatepass")) <= 230
    assert output == image_output_name(PurePosixPath("a/b", name), index)


def test_long_names_that_differ_late_stay_apart():
    outputs = {image_output_name(PurePosixPath("n" * 245 + f"{i}.jpg"), 0) for i in range(100)}
    assert len(outputs) == 100


@pytest.mark.parametrize(("output", "format_name"), [("a/x.jpg", "JPEG"), ("a/x.png", "PNG"), ("a/x.tif", "JPEG")])
def test_the_drawn_picture_is_written_beside_its_kind(tmp_path, sink, make_frame, make_prediction, output, format_name):
    frame = make_frame(output)
    sink.write(frame, make_prediction(frame, ([0, 0, 9, 9], 0.9, 0), ([0, 0, 9, 9], 0.8, 0)))
    sink.close()
    path = tmp_path / "images" / image_output_name(PurePosixPath(output), 0)
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == (format_name, (200, 100))
        assert picture.convert("RGB").getpixel((50, 50)) == (80, 80, 80)


def test_every_page_is_a_picture(tmp_path, sink, make_frame, make_prediction):
    for index in range(3):
        frame = make_frame("x.gif", index=index)
        sink.write(frame, make_prediction(frame))
    assert sorted(p.name for p in (tmp_path / "images").iterdir()) == [
        "x.gif.jpg",
        "x.gif.p0001.jpg",
        "x.gif.p0002.jpg",
    ]


@pytest.mark.parametrize("kind", ["video", "stream"])
def test_frames_of_videos_are_left_to_another_sink(tmp_path, sink, make_frame, make_prediction, kind):
    frame = make_frame("clip.mp4", kind=kind)
    sink.write(frame, make_prediction(frame))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_is_there_is_not_overwritten(tmp_path, sink, make_frame, make_prediction):
    frame = make_frame("x.jpg")
    sink.write(frame, make_prediction(frame))
    before = (tmp_path / "images/x.jpg").read_bytes()
    with pytest.raises(OutputExists):
        sink.write(frame, make_prediction(frame, ([0, 0, 9, 9], 0.9, 0)))
    sink.abort()
    assert (tmp_path / "images/x.jpg").read_bytes() == before


def test_thin_coloured_lines_survive_jpeg():
    picture = np.full((64, 64, 3), 128, np.uint8)
    picture[:, 31] = (40, 20, 230)
    decoded = cv2.imdecode(np.frombuffer(encode_image(picture, ".jpg", 90), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded[:, 31].astype(int) - (40, 20, 230)).max() < 40


@pytest.mark.parametrize(("height", "factors"), [(1999, (1, 1)), (2000, (2, 2))])
def test_colour_is_halved_in_pictures_that_no_screen_shows_in_full(height, factors):
    content = encode_image(np.full((height, 4000, 3), 90, np.uint8), ".jpg", 90)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.layer[0][1:3] == factors


def test_a_picture_too_wide_for_jpeg_is_shrunk_to_fit():
    picture = np.full((20, 70_000, 3), 90, np.uint8)
    decoded = cv2.imdecode(np.frombuffer(encode_image(picture, ".jpg", 90), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (18, 65_500, 3)
