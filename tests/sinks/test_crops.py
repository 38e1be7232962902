from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from detectattn.errors import OutputExists
from detectattn.sinks.crops import CropsSink, class_folder_name


@pytest.fixture
def sink(tmp_path):
    return CropsSink(tmp_path / "crops")


def tree(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def paint(frame, bgr):
    return dataclasses.replace(frame, bgr=bgr)


def test_every_detection_is_a_picture_in_its_classs_folder(tmp_path, sink, make_frame, make_prediction):
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[20:60, 10:40] = (0, 0, 255)
    pixels[30:90, 100:180] = (255, 0, 0)
    frame = paint(make_frame("street/bus.png"), pixels)
    sink.write(frame, make_prediction(frame, ([10, 20, 40, 60], 0.9, 0), ([100, 30, 180, 90], 0.8, 9)))
    sink.close()
    assert tree(tmp_path) == ["crops/person/street/bus.0.png", "crops/traffic light/street/bus.1.png"]
    first, second = (cv2.imread(str(tmp_path / path)) for path in tree(tmp_path))
    assert first.shape == (40, 30, 3)
    assert (first == (0, 0, 255)).all()
    assert second.shape == (60, 80, 3)
    assert (second == (255, 0, 0)).all()


@pytest.mark.parametrize(
    ("box", "size_hw"),
    [
        ([-20, -20, 30, 40], (40, 30)),
        ([150, 50, 900, 900], (50, 50)),
        ([10.6, 10.6, 12.2, 13.0], (3, 3)),
        ([-5, -5, 500, 500], (100, 200)),
    ],
)
def test_boxes_are_clipped_to_the_picture(tmp_path, sink, make_frame, make_prediction, box, size_hw):
    frame = make_frame("x.jpg")
    sink.write(frame, make_prediction(frame, (box, 0.9, 0)))
    assert cv2.imread(str(tmp_path / "crops/person/x.0.jpg")).shape[:2] == size_hw


@pytest.mark.parametrize(
    "box", [[10, 10, 10, 40], [40, 10, 10, 40], [200, 10, 260, 40], [-30, 10, 0, 40], [float("nan"), 1, 2, 3]]
)
def test_a_box_without_pixels_is_skipped_and_the_others_keep_their_numbers(
    tmp_path, sink, make_frame, make_prediction, box
):
    frame = make_frame("x.jpg")
    sink.write(frame, make_prediction(frame, (box, 0.9, 0), ([1, 1, 9, 9], 0.8, 0)))
    assert tree(tmp_path) == ["crops/person/x.1.jpg"]


def test_frames_of_a_video_are_marked(tmp_path, sink, make_frame, make_prediction):
    for index in (0, 120):
        frame = make_frame("a/clip.mp4", kind="video", index=index)
        sink.write(frame, make_prediction(frame, ([1, 1, 9, 9], 0.8, 0)))
    assert tree(tmp_path) == ["crops/person/a/clip.mp4.0.jpg", "crops/person/a/clip.mp4.p0120.0.jpg"]


def test_pictures_of_one_stem_do_not_meet(tmp_path, sink, make_frame, make_prediction):
    for name in ("x.jpg", "x.png", "x.tiff", "x.0.jpg"):
        frame = make_frame(name)
        sink.write(frame, make_prediction(frame, ([1, 1, 9, 9], 0.8, 0), ([1, 1, 9, 9], 0.7, 0)))
    assert len(tree(tmp_path)) == 8


def test_nothing_is_overwritten(sink, make_frame, make_prediction):
    frame = make_frame("x.jpg")
    sink.write(frame, make_prediction(frame, ([1, 1, 9, 9], 0.8, 0)))
    with pytest.raises(OutputExists):
        sink.write(frame, make_prediction(frame, ([1, 1, 9, 9], 0.8, 0)))
    sink.abort()


@pytest.mark.parametrize(
    ("class_name", "folder"),
    [
        ("person", "person"),
        ("traffic light", "traffic light"),
        ("강아지", "강아지"),
        ("a/b\\c", "a_b_c"),
        ("..", "class 7"),
        ("", "class 7"),
        ("  dog. ", "dog"),
        ('<who>:"?', "_who____"),
        ("CON", "CON_"),
        ("lpt1.x", "lpt1.x_"),
        ("tab\there", "tab_here"),
        ("é" * 100, "é" * 60),
    ],
)
def test_class_names_become_safe_folders(tmp_path, class_name, folder):
    assert class_folder_name(class_name, 7) == folder
    (tmp_path / folder).mkdir()
    assert (tmp_path / folder).parent == tmp_path
