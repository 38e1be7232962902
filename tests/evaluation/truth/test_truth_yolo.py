"""Ground truth in YOLO labels: every kind of ``data.yaml``, and errors that name the line."""

import numpy as np
import pytest

from detectattn.errors import BrokenTruth
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_yolo import load_yolo


@pytest.mark.parametrize("names", ["[cat, dog]", "{0: cat, 1: dog}", "{1: dog, 0: cat}"])
@pytest.mark.parametrize("layout", ["path: .\nval: images", "val: images/", "path: /not/here\ntrain: ../images"])
def test_yolo_reads_every_kind_of_data_yaml(picture, tmp_path, names, layout):
    picture.write_picture(tmp_path / "images" / "bus.jpg")
    path = picture.write_yolo(tmp_path, config=f"{layout}\nnames: {names}\n")
    truth = place_truth(load_yolo(path), picture.frames)
    assert picture.objects_of(truth) == picture.objects
    assert truth.images["bus.jpg", 0].area == pytest.approx([3000, 5000])


def test_yolo_takes_lists_of_images_and_several_splits(picture, tmp_path):
    for split in ("train", "val"):
        picture.write_picture(tmp_path / split / "images" / f"{split}.jpg")
        picture.write_yolo(tmp_path / split, split)
    picture.write_picture(tmp_path / "val" / "images" / "background.jpg")
    (tmp_path / "train.txt").write_text("./train/images/train.jpg\n")
    (tmp_path / "data.yaml").write_text("train: train.txt\nval: [val/images]\nnames: [cat, dog]\n")
    file = load_yolo(tmp_path / "data.yaml")
    counts = {entry.name: len(entry.xyxy) for entry in file.entries}
    assert counts == {"train/images/train": 2, "val/images/background": 0, "val/images/val": 2}
    assert file.notes == ("1 image without a label file, taken as without objects",)


def test_yolo_takes_polygons_as_boxes_and_repetitions_once(picture, tmp_path):
    lines = ["0 0.05 0.2 0.3 0.2 0.3 0.8 0.05 0.8", "1 0.75 0.25 0.5 0.5", "1 0.75 0.25 0.5 0.5"]
    picture.write_picture(tmp_path / "images" / "bus.jpg")
    file = load_yolo(picture.write_yolo(tmp_path, lines=lines, config="val: images\nnames: [cat, dog]"))
    assert picture.objects_of(place_truth(file, picture.frames)) == picture.objects
    assert file.notes == (
        "1 polygon taken as the box around it",
        "1 label there twice and counted once",
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("0 0.5 0.5 0.2", "line 2: has 4 columns"),
        ("0 0.5 0.5 0.2 0.2 0.9", "line 2: has 6 columns; with a score it is a prediction"),
        ("2 0.5 0.5 0.2 0.2", "line 2: there is no class 2, only 0 to 1"),
        ("0.5 0.5 0.5 0.2 0.2", "there is no class 0.5"),
        ("0 50 50 20 20", "line 2: a value is not between 0 and 1, as if in pixels"),
        ("0 nan 0.5 0.2 0.2", "not between 0 and 1"),
        ("cat 0.5 0.5 0.2 0.2", "not numbers: 'cat 0.5"),
    ],
)
def test_yolo_names_the_line(picture, tmp_path, line, problem):
    picture.write_picture(tmp_path / "images" / "bus.jpg")
    path = picture.write_yolo(tmp_path, lines=["0 0.5 0.5 0.2 0.2", line], config="val: images\nnames: [cat, dog]")
    with pytest.raises(BrokenTruth) as caught:
        load_yolo(path)
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("names: [cat", "broken YAML (line "),
        ("- 1", "is no data.yaml"),
        ("val: images", "has no `names`"),
        ("val: nowhere\nnames: [a]", "names no folder of images that exists (nowhere)"),
        ("names: [a]", "names no folder of images that exists (no train, val or test)"),
        ("val: images\nnames: {x: a}", "a key that is no number"),
    ],
)
def test_a_broken_data_yaml_is_explained(picture, tmp_path, config, problem):
    picture.write_picture(tmp_path / "images" / "bus.jpg")
    with pytest.raises(BrokenTruth) as caught:
        load_yolo(picture.write_yolo(tmp_path, config=config))
    assert problem in caught.value.problem


def test_labels_without_class_names_ask_for_them(picture, tmp_path):
    picture.write_yolo(tmp_path)
    with pytest.raises(BrokenTruth, match=r"no data.yaml in or above"):
        load_yolo(tmp_path / "labels")


def test_the_data_set_of_coco_photographs(shared, tmp_path):
    names = tmp_path / "data.yaml"
    root = shared / "data" / "coco8"
    names.write_text(f"path: {root}\ntrain: images/train\nval: images/val\nnames: {dict.fromkeys(range(80))}\n")
    file = load_yolo(names)
    assert len(file.entries) == 8
    assert sum(len(entry.xyxy) for entry in file.entries) == 30
    truth = place_truth(file)
    for image in truth.images.values():
        height, width = image.size_hw
        assert (image.xyxy >= -0.5).all()
        assert (image.xyxy <= np.array([width, height, width, height]) + 0.5).all()
