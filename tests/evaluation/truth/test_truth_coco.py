"""Ground truth in COCO JSON: crowds, masks, frames of videos, and errors that name line and key."""

import pytest

from detectattn.errors import BrokenTruth
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_coco import load_coco


def test_coco_keeps_crowds_areas_and_ids_from_0(picture, tmp_path):
    truth = place_truth(load_coco(picture.write_coco(tmp_path / "t.json")), picture.frames)
    image = truth.images["bus.jpg", 0]
    assert picture.objects_of(truth) == picture.objects
    assert image.crowd.tolist() == [False, True]
    assert image.area.tolist() == [1500, 5000]
    assert truth.count_objects().tolist() == [[1, 0]]


def test_coco_ids_may_be_texts_and_numbers_alike(picture, tmp_path):
    content = picture.coco_content()
    content["images"][0]["id"] = "7"
    content["annotations"][0] |= {"image_id": 7.0, "category_id": "3"}
    del content["annotations"][1]["id"]
    del content["annotations"][1]["iscrowd"]
    truth = place_truth(load_coco(picture.write_coco(tmp_path / "t.json", content)), picture.frames)
    assert picture.objects_of(truth) == picture.objects
    assert not truth.images["bus.jpg", 0].crowd.any()


@pytest.mark.parametrize(
    "segmentation",
    [
        [[10, 20, 60, 20, 60, 80, 10, 80]],
        {"size": [100, 200], "counts": [1020, *[60, 40] * 49, 60, 14020]},
    ],
    ids=["polygon", "run lengths"],
)
def test_coco_without_boxes_takes_those_of_the_masks(picture, tmp_path, segmentation):
    content = picture.coco_content()
    content["annotations"] = [{"image_id": 7, "category_id": 3, "segmentation": segmentation}]
    truth = place_truth(load_coco(picture.write_coco(tmp_path / "t.json", content)), picture.frames)
    assert picture.objects_of(truth) == picture.objects[:1]


def test_coco_images_come_in_the_order_of_their_ids(picture, tmp_path):
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 9, "width": 9} for i in (10, 9, 100)]
    file = load_coco(picture.write_coco(tmp_path / "t.json", images=images, annotations=[]))
    assert [entry.name for entry in file.entries] == ["9.jpg", "10.jpg", "100.jpg"]


def test_coco_notes_what_it_passes_over(picture, tmp_path):
    content = picture.coco_content()
    content["annotations"] += [
        {"image_id": 8, "category_id": 3, "bbox": [0, 0, 1, 1]},
        {"image_id": 7, "category_id": 9, "bbox": [0, 0, 1, 1]},
        {"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1], "ignore": 1},
    ]
    file = load_coco(picture.write_coco(tmp_path / "t.json", content))
    assert len(file.entries[0].xyxy) == 3
    assert file.notes == (
        "left out: 1 annotation of images that the file does not list",
        "left out: 1 annotation of categories that the file does not list",
        "1 annotation marked ignore, which COCO's evaluation passes over: counted",
    )


@pytest.mark.parametrize(
    "name_frame",
    [
        lambda i: {"file_name": f"clip.mp4.p{i:04d}", "source": "clip.mp4", "index": i},
        lambda i: {"file_name": "clip.mp4", "frame_index": i},
        lambda i: {"file_name": f"frames/clip.mp4.p{i:04d}.jpg", "frame_index": 77},
    ],
)
def test_a_file_of_frames_speaks_of_a_video(picture, tmp_path, name_frame):
    images = [{"id": i, **name_frame(i)} for i in (0, 5)]
    annotations = [{"image_id": 5, "category_id": 3, "bbox": [1, 2, 3, 4]}]
    file = load_coco(picture.write_coco(tmp_path / "t.json", images=images, annotations=annotations))
    truth = place_truth(
        file, {("clip.mp4", 0): picture.size_hw, ("clip.mp4", 5): picture.size_hw, ("clip.mp4", 6): picture.size_hw}
    )
    assert [len(image.xyxy) for image in truth.images.values()] == [0, 1]
    assert list(truth.images) == [("clip.mp4", 0), ("clip.mp4", 5)]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda c: c["annotations"][1].pop("image_id"), "line 34: annotations[1].image_id is missing"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, 3]), "line 25: annotations[0].bbox must be [left, top,"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, -3, 4]), "annotations[0].bbox has a negative width"),
        (lambda c: c["annotations"][0].pop("bbox"), "annotations[0].bbox is missing"),
        (lambda c: c.pop("annotations"), "annotations is missing"),
        (lambda c: c.pop("categories"), "categories is missing"),
        (lambda c: c["categories"][1].pop("name"), "line 15: categories[1].name is missing"),
        (lambda c: c["images"].append(c["images"][0]), "line 10: images[1].id is 7, which another image has"),
        (lambda c: c.update(images={}), "line 2: images must be a list of objects"),
    ],
)
def test_coco_names_line_and_key(picture, tmp_path, change, where):
    content = picture.coco_content()
    change(content)
    path = picture.write_coco(tmp_path / "t.json", content)
    with pytest.raises(BrokenTruth) as caught:
        load_coco(path)
    assert where in caught.value.problem
    assert str(path) in caught.value.problem


def test_broken_json_names_line_and_key(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('{"images": [],\n "annotations": [\n  {"id": 1, "bbox": [1, 2,, 3]}\n]}')
    with pytest.raises(BrokenTruth, match=r'line 3, column 27, after the key "bbox"'):
        load_coco(path)


def test_detections_given_as_truth_are_told_apart(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("[]")
    with pytest.raises(BrokenTruth, match="as detections do") as caught:
        load_coco(path)
    assert "-m NAME=" in caught.value.hint
