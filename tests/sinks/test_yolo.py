from __future__ import annotations

import cv2
import numpy as np
import pytest
import yaml

from detectattn.errors import OutputExists
from detectattn.sinks.yolo import YoloSink


@pytest.fixture
def ultralytics_data(monkeypatch, tmp_path_factory):
    """Ultralytics' own readers, without a network and with their settings out of the way."""
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path_factory.mktemp("ultralytics")))
    monkeypatch.setenv("YOLO_OFFLINE", "1")
    import ultralytics.data.dataset
    import ultralytics.data.utils

    monkeypatch.setattr(ultralytics.data.utils, "check_font", lambda font: None)  # it would download one
    return ultralytics.data


def paths(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def save_picture(folder, frame, name):
    path = folder / "yolo" / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(len(name))
    cv2.imwrite(str(path), random.integers(0, 255, frame.bgr.shape, np.uint8))


def test_ultralytics_loads_it_as_a_data_set(tmp_path, make_frame, make_prediction, make_model_info, ultralytics_data):
    rows = {
        "street/bus.jpg": [([20, 10, 60, 90], 0.94127, 5), ([0, 0, 200, 100], 0.5, 0)],
        "street/empty.png": [],
        "clip.mp4": [([50, 25, 150, 75], 0.3, 79)],
    }
    sink = YoloSink(tmp_path, make_model_info())
    for name, found in rows.items():
        frame = make_frame(name, "video", 123) if name == "clip.mp4" else make_frame(name)
        sink.write(frame, make_prediction(frame, *found))
        save_picture(tmp_path, frame, "clip.mp4.p0123.jpg" if name == "clip.mp4" else name)
    sink.close()

    data = ultralytics_data.utils.check_det_dataset(tmp_path / "yolo" / "data.yaml")
    assert (data["nc"], data["names"][5]) == (80, "bus")
    dataset = ultralytics_data.dataset.YOLODataset(img_path=data["train"], data=data, task="detect", augment=False)
    read = {
        label["im_file"].rpartition("/images/")[2]: np.hstack([label["cls"], label["bboxes"]]).tolist()
        for label in dataset.labels
    }
    assert sorted(read["street/bus.jpg"]) == pytest.approx(np.array([[0, 0.5, 0.5, 1, 1], [5, 0.2, 0.5, 0.2, 0.8]]))
    assert read["street/empty.png"] == []
    assert read["clip.mp4.p0123.jpg"] == pytest.approx(np.array([[79, 0.5, 0.5, 0.5, 0.5]]))


def test_labels_have_five_columns_and_scores_their_own_files(tmp_path, make_frame, make_prediction, make_model_info):
    frame = make_frame("a/x.jpg")
    sink = YoloSink(tmp_path, make_model_info())
    sink.write(frame, make_prediction(frame, ([20, 10, 60, 90], 0.94127, 5), ([0, 0, 1, 1], 0.5, 0)))
    sink.close()
    assert (tmp_path / "yolo/labels/a/x.txt").read_text() == (
        "5 0.200000 0.500000 0.200000 0.800000\n0 0.002500 0.005000 0.005000 0.010000\n"
    )
    assert (tmp_path / "yolo/scores/a/x.txt").read_text() == "0.94127\n0.50000\n"


def test_boxes_are_cut_at_the_edges(tmp_path, make_frame, make_prediction, make_model_info, ultralytics_data):
    frame = make_frame("x.jpg")
    outside = ([210, 10, 230, 20], 0.8, 1)
    sink = YoloSink(tmp_path, make_model_info())
    sink.write(frame, make_prediction(frame, ([-20, -10, 100, 50], 0.9, 5), outside, ([150, 80, 260, 130], 0.7, 2)))
    sink.close()
    save_picture(tmp_path, frame, "x.jpg")
    task = (str(tmp_path / "yolo/images/x.jpg"), str(tmp_path / "yolo/labels/x.txt"), "", False, 80, 0, 0, False)
    _, labels, shape, _, _, missing, found, empty, corrupt, message = ultralytics_data.utils.verify_image_label(task)
    assert (missing, found, empty, corrupt, message) == (0, 1, 0, 0, "")
    assert shape == (100, 200)
    assert labels == pytest.approx(np.array([[5, 0.25, 0.25, 0.5, 0.5], [2, 0.875, 0.9, 0.25, 0.2]]))
    assert (tmp_path / "yolo/scores/x.txt").read_text() == "0.90000\n0.70000\n"


def test_every_picture_page_and_frame_has_files_of_its_own(tmp_path, make_frame, make_prediction, make_model_info):
    frames = [
        make_frame("a/x.jpg"),
        make_frame("a/x.png"),
        make_frame("b/x.jpg"),
        make_frame("noext"),
        make_frame("noext.jpg"),
        make_frame("scan.tif"),
        make_frame("scan.tif", index=1),
        make_frame("clip.mp4", "video", 0),
        make_frame("clip.mp4.p0000.jpg"),
        make_frame("cam", "stream", 7),
    ]
    sink = YoloSink(tmp_path, make_model_info())
    for i, frame in enumerate(frames):
        sink.write(frame, make_prediction(frame, ([0, 0, 10, 10], 0.5, i)))
    sink.close()
    names = [
        "a/x", "a/x.png", "b/x", "noext", "noext.jpg", "scan", "scan.tif.p0001", "clip.mp4.p0000",
        "clip.mp4.p0000.jpg", "cam.p0007",
    ]  # fmt: skip
    found = {name: int((tmp_path / "yolo/labels" / f"{name}.txt").read_text().split()[0]) for name in names}
    assert found == {name: i for i, name in enumerate(names)}
    expected = ["data.yaml", *(f"{kind}/{name}.txt" for kind in ("labels", "scores") for name in names)]
    assert paths(tmp_path / "yolo") == sorted(expected)


def test_a_name_that_is_taken_twice_is_numbered(tmp_path, make_frame, make_prediction, make_model_info):
    sink = YoloSink(tmp_path, make_model_info())
    for name in ("x.png.jpg", "x.jpg", "x.png"):  # their labels: x.png, x, then neither x nor x.png
        frame = make_frame(name)
        sink.write(frame, make_prediction(frame))
    assert paths(tmp_path / "yolo/labels") == ["x.png.txt", "x.png_2.txt", "x.txt"]


def test_names_too_long_for_a_file_system_are_cut(tmp_path, make_frame, make_prediction, make_model_info):
    outputs = ["가" * 83 + ".jpeg", "가" * 83 + ".png", "x" * 251 + ".mp4", "x" * 251 + ".avi"]
    sink = YoloSink(tmp_path, make_model_info())
    for output in outputs:
        frame = make_frame(output, "video" if output.startswith("x") else "image", 5)
        sink.write(frame, make_prediction(frame))
    names = paths(tmp_path / "yolo/labels")
    assert len(set(names)) == len(outputs)
    assert max(len(name.encode()) for name in names) <= 255


@pytest.mark.parametrize(
    ("class_names", "expected"),
    [
        ({0: "yes", 1: "개 🐕", 2: "a: b\n"}, {0: "yes", 1: "개 🐕", 2: "a: b\n"}),
        ({1: "one"}, {0: "class 0", 1: "one"}),
        ({}, {0: "class 0", 1: "class 1"}),
    ],
)
def test_data_yaml_names_every_class_without_a_gap(
    tmp_path, make_frame, make_prediction, make_model_info, ultralytics_data, class_names, expected
):
    frame = make_frame("x.jpg")
    sink = YoloSink(tmp_path, make_model_info(class_names))
    sink.write(frame, make_prediction(frame, ([0, 0, 10, 10], 0.5, 1), class_names=class_names))
    sink.close()
    assert yaml.safe_load((tmp_path / "yolo/data.yaml").read_text(encoding="utf-8"))["names"] == expected
    save_picture(tmp_path, frame, "x.jpg")
    assert ultralytics_data.utils.check_det_dataset(tmp_path / "yolo/data.yaml")["nc"] == len(expected)


def test_labels_stay_after_an_error(tmp_path, make_frame, make_prediction, make_model_info):
    frame = make_frame("x.jpg")
    sink = YoloSink(tmp_path, make_model_info())
    sink.write(frame, make_prediction(frame))
    sink.abort()
    assert paths(tmp_path) == ["yolo/labels/x.txt", "yolo/scores/x.txt"]


def test_a_file_in_place_of_the_folder_is_said(tmp_path, make_frame, make_prediction, make_model_info):
    (tmp_path / "yolo").write_text("mine")
    frame = make_frame("x.jpg")
    sink = YoloSink(tmp_path, make_model_info())
    with pytest.raises(OutputExists, match="is a file, not a folder"):
        sink.write(frame, make_prediction(frame))
