"""Ground truth is found beside the images, or named."""

import pytest

from detectattn.errors import AmbiguousTruth, BrokenTruth
from detectattn.evaluation.find_truth import find_truth, load_truth
from detectattn.evaluation.place_truth import place_truth


def test_nothing_is_found_where_there_is_nothing(picture, tmp_path):
    photo = picture.write_picture(tmp_path / "a" / "bus.jpg")
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "a" / "package.json").write_text("{}")
    assert find_truth([tmp_path / "a"]) is None
    assert find_truth([photo]) is None
    assert find_truth([tmp_path / "missing"]) is None


@pytest.mark.parametrize(
    "place", ["set/annotations/instances_val.json", "set/val/_annotations.coco.json", "set/t.json"]
)
def test_coco_is_found_beside_and_above(picture, tmp_path, place):
    picture.write_picture(tmp_path / "set" / "val" / "bus.jpg")
    path = picture.write_coco(tmp_path / place)
    assert find_truth([tmp_path / "set" / "val"]).path == path


def test_of_several_coco_files_the_one_that_speaks_of_these_images(picture, tmp_path):
    picture.write_picture(tmp_path / "val" / "bus.jpg")
    right = picture.write_coco(tmp_path / "annotations" / "instances_val.json")
    picture.write_coco(tmp_path / "annotations" / "instances_train.json", images=[{"id": 7, "file_name": "car.jpg"}])
    picture.write_coco(tmp_path / "annotations" / "person_keypoints_val.json")
    picture.write_coco(tmp_path / "val" / "images.json", annotations=[])
    assert find_truth([tmp_path / "val"]).path == right
    picture.write_coco(tmp_path / "annotations" / "instances_val_2.json")
    with pytest.raises(AmbiguousTruth, match="instances_val_2"):
        find_truth([tmp_path / "val"])


@pytest.mark.parametrize("source", ["", "images", "images/val", "images/val/bus.jpg"])
def test_yolo_labels_are_found_beside_images(picture, tmp_path, source):
    picture.write_picture(tmp_path / "images" / "val" / "bus.jpg")
    picture.write_picture(tmp_path / "images" / "val" / "empty.jpg")
    picture.write_yolo(tmp_path, config="val: images/val\nnames: [cat, dog]", folder="labels/val")
    location = find_truth([tmp_path / source])
    assert location.format == "yolo"
    name = "bus.jpg" if source.startswith("images/val") else f"{('images/' if not source else '')}val/bus.jpg"
    frames = {(name, 0): picture.size_hw, (name.replace("bus", "empty"), 0): picture.size_hw}
    truth = place_truth(load_truth(location), frames, [tmp_path / source])
    assert [len(image.xyxy) for image in truth.images.values()] == [2, 0]


def test_labels_beside_the_images_themselves(picture, tmp_path):
    picture.write_picture(tmp_path / "bus.jpg")
    picture.write_yolo(tmp_path, config="names: [cat, dog]", folder=".")
    location = find_truth([tmp_path])
    assert (location.format, location.path) == ("yolo", tmp_path)
    assert len(place_truth(load_truth(location), picture.frames, [tmp_path]).images["bus.jpg", 0].xyxy) == 2


@pytest.mark.parametrize("place", ["VOC/Annotations/bus.xml", "VOC/JPEGImages/bus.xml"])
def test_voc_is_found_beside(picture, tmp_path, place):
    picture.write_picture(tmp_path / "VOC" / "JPEGImages" / "bus.jpg")
    path = picture.write_voc(tmp_path / place)
    location = find_truth([tmp_path / "VOC" / "JPEGImages"])
    assert (location.format, location.path) == ("voc", path.parent)
    assert picture.objects_of(place_truth(load_truth(location), picture.frames)) == picture.objects


@pytest.mark.parametrize(("suffix", "kind"), [(".json", "coco"), (".yaml", "yolo"), (".xml", "voc")])
def test_what_is_named_is_taken(tmp_path, suffix, kind):
    path = tmp_path / f"t{suffix}"
    path.write_text("anything")
    location = find_truth([], path)
    assert (location.path, location.format, location.named) == (path, kind, True)


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_a_named_folder_is_looked_into(picture, tmp_path, kind):
    if kind == "coco":
        picture.write_coco(tmp_path / "t.json")
    elif kind == "yolo":
        picture.write_yolo(tmp_path, config="names: [cat, dog]\nval: images")
    else:
        picture.write_voc(tmp_path / "deep" / "bus.xml")
    location = find_truth([], tmp_path)
    assert location.format == kind
    assert len(place_truth(load_truth(location), picture.frames).images) == 1


def test_a_named_place_without_truth_is_refused(picture, tmp_path):
    for path in (tmp_path, tmp_path / "missing.json", picture.write_picture(tmp_path / "bus.jpg")):
        with pytest.raises(BrokenTruth):
            find_truth([], path)
