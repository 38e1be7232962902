from __future__ import annotations

from xml.etree import ElementTree

import pytest

from detectattn.sinks.voc import VocSink


def write(folder, *pairs):
    sink = VocSink(folder)
    for frame, prediction in pairs:
        sink.write(frame, prediction)
    sink.close()


def boxes(root):
    return [tuple(int(edge.text) for edge in item.find("bndbox")) for item in root.iter("object")]


def test_an_annotation_has_what_voc_has(tmp_path, make_frame, make_prediction):
    frame = make_frame("street/bus.jpg")
    write(tmp_path, (frame, make_prediction(frame, ([20, 10, 60, 90], 0.94127, 5), ([0, 0, 200, 100], 0.5, 0))))
    root = ElementTree.parse(tmp_path / "voc/street/bus.xml").getroot()
    assert root.tag == "annotation"
    texts = {"folder": "street", "filename": "bus.jpg", "path": "street/bus.jpg", "size/width": "200",
             "size/height": "100", "size/depth": "3", "segmented": "0", "source/annotation": "demo"}  # fmt: skip
    assert {path: root.findtext(path) for path in texts} == texts
    assert root.find("frame") is None
    first = root.find("object")
    texts = {"name": "bus", "score": "0.94127", "difficult": "0", "truncated": "0", "pose": "Unspecified"}
    assert {path: first.findtext(path) for path in texts} == texts
    assert [edge.tag for edge in first.find("bndbox")] == ["xmin", "ymin", "xmax", "ymax"]
    # Pixels count from 1 and both ends belong to the box: the whole picture is 1, 1, width, height.
    assert boxes(root) == [(21, 11, 60, 90), (1, 1, 200, 100)]


@pytest.mark.parametrize(
    ("xyxy", "expected"),
    [
        ([-20, -10, 100, 50], [(1, 1, 100, 50)]),
        ([150, 80, 260, 130], [(151, 81, 200, 100)]),
        ([199.8, 99.8, 200, 100], [(200, 100, 200, 100)]),
        ([10.4, 10.4, 10.6, 10.6], [(11, 11, 11, 11)]),
        ([10.2, 10.2, 10.4, 10.4], [(11, 11, 11, 11)]),
        ([210, 10, 230, 20], []),
        ([50, 50, 50, 60], []),
    ],
)
def test_boxes_stay_inside_and_hold_at_least_a_pixel(tmp_path, make_frame, make_prediction, xyxy, expected):
    frame = make_frame("x.jpg")
    write(tmp_path, (frame, make_prediction(frame, (xyxy, 0.5, 0))))
    assert boxes(ElementTree.parse(tmp_path / "voc/x.xml").getroot()) == expected


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("<&>\"' ]]>", "<&>\"' ]]>"),
        ("개 🐕", "개 🐕"),
        ("bell\x07 null\x00 escape\x1b", "bell\ufffd null\ufffd escape\ufffd"),
        ("\udcff \ufffe \uffff", "\ufffd \ufffd \ufffd"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_any_name_gives_valid_xml(tmp_path, make_frame, make_prediction, name, read):
    frame = make_frame("x.jpg", source=name)
    write(tmp_path, (frame, make_prediction(frame, ([0, 0, 9, 9], 0.5, 0), class_names={0: name}, model=name)))
    root = ElementTree.parse(tmp_path / "voc/x.xml").getroot()
    assert [root.findtext(path) for path in ("object/name", "source/annotation", "path")] == [read] * 3


def test_pictures_of_one_stem_pages_and_frames_have_files_of_their_own(tmp_path, make_frame, make_prediction):
    frames = {
        "a/x.xml": make_frame("a/x.jpg"),
        "a/x.png.xml": make_frame("a/x.png"),
        "scan.xml": make_frame("scan.tif"),
        "scan.tif.p0001.xml": make_frame("scan.tif", index=1),
        "clip.mp4.p0123.xml": make_frame("clip.mp4", "video", 123),
    }
    write(tmp_path, *((frame, make_prediction(frame)) for frame in frames.values()))
    roots = {
        path.relative_to(tmp_path / "voc").as_posix(): ElementTree.parse(path).getroot()
        for path in (tmp_path / "voc").rglob("*.xml")
    }
    assert sorted(roots) == sorted(frames)
    assert {name: root.findtext("path") for name, root in roots.items()} == {n: f.source for n, f in frames.items()}
    assert [roots[name].findtext("frame") for name in frames] == [None, None, None, "1", "123"]
    assert all(root.find("object") is None for root in roots.values())
