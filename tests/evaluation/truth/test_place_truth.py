"""Ground truth set beside records: the same from every form, scaled with the picture, refused where it does not fit."""

import pytest
from PIL import Image

from detectattn.errors import BrokenTruth, TruthMismatch
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_coco import load_coco
from detectattn.evaluation.truth_voc import load_voc
from detectattn.evaluation.truth_yolo import load_yolo


def test_all_formats_say_the_same(picture, tmp_path):
    picture.write_picture(tmp_path / "images" / "bus.jpg")
    no_crowd = picture.coco_content()
    for annotation in no_crowd["annotations"]:
        annotation.pop("area", None)
        annotation.pop("iscrowd", None)
    files = [
        load_coco(picture.write_coco(tmp_path / "t.json", no_crowd)),
        load_yolo(picture.write_yolo(tmp_path, config="val: images\nnames: [cat, dog]")),
        load_voc(picture.write_voc(tmp_path / "xml" / "bus.xml").parent),
    ]
    placed = [place_truth(file, picture.frames) for file in files]
    for truth in placed[1:]:
        assert truth.class_names == placed[0].class_names
        assert truth.images["bus.jpg", 0].xyxy == pytest.approx(placed[0].images["bus.jpg", 0].xyxy, abs=1e-3)
        assert truth.images["bus.jpg", 0].area == pytest.approx(placed[0].images["bus.jpg", 0].area, abs=0.1)


def test_truth_of_other_images_gives_examples_of_both(picture, tmp_path):
    file = load_coco(picture.write_coco(tmp_path / "t.json"))
    with pytest.raises(TruthMismatch) as caught:
        place_truth(file, {("a.jpg", 0): picture.size_hw, ("b.jpg", 0): picture.size_hw})
    assert "it speaks of street/bus.jpg, and the images are a.jpg, b.jpg" in caught.value.problem


def test_boxes_follow_a_picture_that_was_resized(picture, tmp_path):
    truth = place_truth(load_coco(picture.write_coco(tmp_path / "t.json")), {("bus.jpg", 0): (50, 100)})
    assert truth.images["bus.jpg", 0].xyxy[0].tolist() == [5, 10, 30, 40]
    assert truth.images["bus.jpg", 0].area[0] == 1500 / 4
    assert truth.notes == ("boxes scaled in 1 image of another size than when labelled",)


def test_a_picture_turned_since_is_refused(picture, tmp_path):
    file = load_coco(picture.write_coco(tmp_path / "t.json"))
    with pytest.raises(TruthMismatch, match=r"bus.jpg is 100×200, and 200×100 in the ground truth"):
        place_truth(file, {("bus.jpg", 0): (200, 100)})


def test_without_records_the_pictures_tell_their_size_upright(picture, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (100, 200)).save(tmp_path / "images" / "bus.jpg", exif=exif)
    file = load_yolo(picture.write_yolo(tmp_path, config="val: images\nnames: [cat, dog]"))
    truth = place_truth(file)
    assert picture.objects_of(truth, ("images/bus.jpg", 0))[1] == picture.objects[1]
    (tmp_path / "images" / "bus.jpg").unlink()
    with pytest.raises(BrokenTruth, match="does not say how large"):
        place_truth(file)
