"""Ground truth in every form says the same, whatever it is called and wherever it lies."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from detectattn.errors import AmbiguousTruth, BrokenTruth, EvaluationError, TruthMismatch
from detectattn.evaluation.find_truth import find_truth, load_truth
from detectattn.evaluation.image_names import ImageName, match_images
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_coco import load_coco
from detectattn.evaluation.truth_json import find_line, load_json
from detectattn.evaluation.truth_voc import load_voc
from detectattn.evaluation.truth_yolo import load_yolo

# One picture of 200 × 100 with a cat and a crowd of dogs, as (class, left, top, right, bottom).
SIZE_HW = (100, 200)
OBJECTS = [("cat", 10.0, 20.0, 60.0, 80.0), ("dog", 100.0, 0.0, 200.0, 50.0)]


def coco_content(**changes):
    content = {
        "images": [{"id": 7, "file_name": "street/bus.jpg", "height": 100, "width": 200}],
        "categories": [{"id": 3, "name": "cat"}, {"id": 1, "name": "dog"}],
        "annotations": [
            {"id": 0, "image_id": 7, "category_id": 3, "bbox": [10, 20, 50, 60], "area": 1500, "iscrowd": 0},
            {"id": 1, "image_id": 7, "category_id": 1, "bbox": [100, 0, 100, 50], "iscrowd": 1},
        ],
    }
    return content | changes


def write_coco(path, content=None, **changes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(coco_content(**changes) if content is None else content, indent=1))
    return path


def write_yolo(root, name="bus", lines=("0 0.175 0.5 0.25 0.6", "1 0.75 0.25 0.5 0.5"), config=None, folder="labels"):
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    if config is not None:
        (root / "data.yaml").write_text(config)
    return root / "data.yaml"


def write_voc(path, objects=OBJECTS, difficult=(), size=True, extra=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(
        f"<object><name>{name}</name><difficult>{int(name in difficult)}</difficult><bndbox><xmin>{x1 + 1:g}</xmin>"
        f"<ymin>{y1 + 1:g}</ymin><xmax>{x2:g}</xmax><ymax>{y2:g}</ymax></bndbox></object>"
        for name, x1, y1, x2, y2 in objects
    )
    sizes = "<size><width>200</width><height>100</height></size>" if size else "<size><width>0</width></size>"
    path.write_text(f"<annotation><filename>old name.jpg</filename>{sizes}{body}{extra}</annotation>")
    return path


def write_picture(path, size_hw=SIZE_HW):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size_hw[1], size_hw[0])).save(path)
    return path


def objects_of(truth, key=("bus.jpg", 0)):
    image = truth.images[key]
    # Labels of YOLO have few digits.
    boxes = np.round(image.xyxy.astype(float), 3).tolist()
    return [(truth.class_names[c], *box) for c, box in zip(image.class_index.tolist(), boxes, strict=True)]


FRAMES = {("bus.jpg", 0): SIZE_HW}


# Readers


def test_coco_keeps_crowds_areas_and_ids_from_0(tmp_path):
    truth = place_truth(load_coco(write_coco(tmp_path / "t.json")), FRAMES)
    image = truth.images["bus.jpg", 0]
    assert objects_of(truth) == OBJECTS
    assert image.crowd.tolist() == [False, True]
    assert image.area.tolist() == [1500, 5000]
    assert truth.count_objects().tolist() == [[1, 0]]


def test_coco_ids_may_be_texts_and_numbers_alike(tmp_path):
    content = coco_content()
    content["images"][0]["id"] = "7"
    content["annotations"][0] |= {"image_id": 7.0, "category_id": "3"}
    del content["annotations"][1]["id"]
    del content["annotations"][1]["iscrowd"]
    truth = place_truth(load_coco(write_coco(tmp_path / "t.json", content)), FRAMES)
    assert objects_of(truth) == OBJECTS
    assert not truth.images["bus.jpg", 0].crowd.any()


@pytest.mark.parametrize(
    "segmentation",
    [
        [[10, 20, 60, 20, 60, 80, 10, 80]],
        {"size": [100, 200], "counts": [1020, *[60, 40] * 49, 60, 14020]},
    ],
    ids=["polygon", "run lengths"],
)
def test_coco_without_boxes_takes_those_of_the_masks(tmp_path, segmentation):
    content = coco_content()
    content["annotations"] = [{"image_id": 7, "category_id": 3, "segmentation": segmentation}]
    truth = place_truth(load_coco(write_coco(tmp_path / "t.json", content)), FRAMES)
    assert objects_of(truth) == OBJECTS[:1]


def test_coco_images_come_in_the_order_of_their_ids(tmp_path):
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 9, "width": 9} for i in (10, 9, 100)]
    file = load_coco(write_coco(tmp_path / "t.json", images=images, annotations=[]))
    assert [entry.name for entry in file.entries] == ["9.jpg", "10.jpg", "100.jpg"]


def test_coco_notes_what_it_passes_over(tmp_path):
    content = coco_content()
    content["annotations"] += [
        {"image_id": 8, "category_id": 3, "bbox": [0, 0, 1, 1]},
        {"image_id": 7, "category_id": 9, "bbox": [0, 0, 1, 1]},
        {"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1], "ignore": 1},
    ]
    file = load_coco(write_coco(tmp_path / "t.json", content))
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
def test_a_file_of_frames_speaks_of_a_video(tmp_path, name_frame):
    images = [{"id": i, **name_frame(i)} for i in (0, 5)]
    annotations = [{"image_id": 5, "category_id": 3, "bbox": [1, 2, 3, 4]}]
    file = load_coco(write_coco(tmp_path / "t.json", images=images, annotations=annotations))
    truth = place_truth(file, {("clip.mp4", 0): SIZE_HW, ("clip.mp4", 5): SIZE_HW, ("clip.mp4", 6): SIZE_HW})
    assert [len(image.xyxy) for image in truth.images.values()] == [0, 1]
    assert list(truth.images) == [("clip.mp4", 0), ("clip.mp4", 5)]


@pytest.mark.parametrize("names", ["[cat, dog]", "{0: cat, 1: dog}", "{1: dog, 0: cat}"])
@pytest.mark.parametrize("layout", ["path: .\nval: images", "val: images/", "path: /not/here\ntrain: ../images"])
def test_yolo_reads_every_kind_of_data_yaml(tmp_path, names, layout):
    write_picture(tmp_path / "images" / "bus.jpg")
    path = write_yolo(tmp_path, config=f"{layout}\nnames: {names}\n")
    truth = place_truth(load_yolo(path), FRAMES)
    assert objects_of(truth) == OBJECTS
    assert truth.images["bus.jpg", 0].area == pytest.approx([3000, 5000])


def test_yolo_takes_lists_of_images_and_several_splits(tmp_path):
    for split in ("train", "val"):
        write_picture(tmp_path / split / "images" / f"{split}.jpg")
        write_yolo(tmp_path / split, split)
    write_picture(tmp_path / "val" / "images" / "background.jpg")
    (tmp_path / "train.txt").write_text("./train/images/train.jpg\n")
    (tmp_path / "data.yaml").write_text("train: train.txt\nval: [val/images]\nnames: [cat, dog]\n")
    file = load_yolo(tmp_path / "data.yaml")
    counts = {entry.name: len(entry.xyxy) for entry in file.entries}
    assert counts == {"train/images/train": 2, "val/images/background": 0, "val/images/val": 2}
    assert file.notes == ("1 image without a label file, taken as without objects",)


def test_yolo_takes_polygons_as_boxes_and_repetitions_once(tmp_path):
    lines = ["0 0.05 0.2 0.3 0.2 0.3 0.8 0.05 0.8", "1 0.75 0.25 0.5 0.5", "1 0.75 0.25 0.5 0.5"]
    write_picture(tmp_path / "images" / "bus.jpg")
    file = load_yolo(write_yolo(tmp_path, lines=lines, config="val: images\nnames: [cat, dog]"))
    assert objects_of(place_truth(file, FRAMES)) == OBJECTS
    assert file.notes == (
        "1 polygon taken as the box around it",
        "1 label there twice and counted once",
    )


def test_voc_counts_pixels_from_1_and_ignores_difficult_objects(tmp_path):
    write_voc(tmp_path / "Annotations" / "bus.xml", difficult={"dog"})
    truth = place_truth(load_voc(tmp_path / "Annotations"), FRAMES)
    assert objects_of(truth) == OBJECTS
    assert truth.images["bus.jpg", 0].ignored.tolist() == [False, True]
    counted = load_voc(tmp_path / "Annotations", "count")
    assert not counted.entries[0].ignored.any()
    assert counted.notes == ("1 object marked difficult: counted",)


def test_voc_with_coordinates_from_0_is_taken_as_it_is(tmp_path):
    write_voc(tmp_path / "bus.xml", [("cat", -1.0, -1.0, 60.0, 80.0)], size=False)
    file = load_voc(tmp_path / "bus.xml")
    assert objects_of(place_truth(file, FRAMES)) == [("cat", 0, 0, 60, 80)]
    assert "plain coordinates" in file.notes[0]


def test_all_formats_say_the_same(tmp_path):
    write_picture(tmp_path / "images" / "bus.jpg")
    no_crowd = coco_content()
    for annotation in no_crowd["annotations"]:
        annotation.pop("area", None)
        annotation.pop("iscrowd", None)
    files = [
        load_coco(write_coco(tmp_path / "t.json", no_crowd)),
        load_yolo(write_yolo(tmp_path, config="val: images\nnames: [cat, dog]")),
        load_voc(write_voc(tmp_path / "xml" / "bus.xml").parent),
    ]
    placed = [place_truth(file, FRAMES) for file in files]
    for truth in placed[1:]:
        assert truth.class_names == placed[0].class_names
        assert truth.images["bus.jpg", 0].xyxy == pytest.approx(placed[0].images["bus.jpg", 0].xyxy, abs=1e-3)
        assert truth.images["bus.jpg", 0].area == pytest.approx(placed[0].images["bus.jpg", 0].area, abs=0.1)


# Errors


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
def test_coco_names_line_and_key(tmp_path, change, where):
    content = coco_content()
    change(content)
    path = write_coco(tmp_path / "t.json", content)
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
def test_yolo_names_the_line(tmp_path, line, problem):
    write_picture(tmp_path / "images" / "bus.jpg")
    path = write_yolo(tmp_path, lines=["0 0.5 0.5 0.2 0.2", line], config="val: images\nnames: [cat, dog]")
    with pytest.raises(BrokenTruth) as caught:
        load_yolo(path)
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("names: [cat", "broken YAML at line"),
        ("- 1", "is no data.yaml"),
        ("val: images", "has no `names`"),
        ("val: nowhere\nnames: [a]", "names no folder of images that exists (nowhere)"),
        ("names: [a]", "names no folder of images that exists (no train, val or test)"),
        ("val: images\nnames: {x: a}", "a key that is no number"),
    ],
)
def test_a_broken_data_yaml_is_explained(tmp_path, config, problem):
    write_picture(tmp_path / "images" / "bus.jpg")
    with pytest.raises(BrokenTruth) as caught:
        load_yolo(write_yolo(tmp_path, config=config))
    assert problem in caught.value.problem


def test_labels_without_class_names_ask_for_them(tmp_path):
    write_yolo(tmp_path)
    with pytest.raises(BrokenTruth, match=r"no data.yaml in or above"):
        load_yolo(tmp_path / "labels")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<annotation><object>", "broken XML: no element found: line 1"),
        ("<annotation><object><name>cat</name></object></annotation>", "object 1 (cat): <bndbox><xmin> is missing"),
        ("<annotation><object/></annotation>", "object 1: <name> is missing"),
        ("<other/>", "holds no VOC annotation"),
    ],
)
def test_voc_names_what_is_missing(tmp_path, text, problem):
    (tmp_path / "bus.xml").write_text(text)
    with pytest.raises(BrokenTruth) as caught:
        load_voc(tmp_path)
    assert problem in caught.value.problem


def test_truth_of_other_images_gives_examples_of_both(tmp_path):
    file = load_coco(write_coco(tmp_path / "t.json"))
    with pytest.raises(TruthMismatch) as caught:
        place_truth(file, {("a.jpg", 0): SIZE_HW, ("b.jpg", 0): SIZE_HW})
    assert "it speaks of street/bus.jpg, and the images are a.jpg, b.jpg" in caught.value.problem


def test_boxes_follow_a_picture_that_was_resized(tmp_path):
    truth = place_truth(load_coco(write_coco(tmp_path / "t.json")), {("bus.jpg", 0): (50, 100)})
    assert truth.images["bus.jpg", 0].xyxy[0].tolist() == [5, 10, 30, 40]
    assert truth.images["bus.jpg", 0].area[0] == 1500 / 4
    assert truth.notes == ("boxes scaled in 1 image of another size than when labelled",)


def test_a_picture_turned_since_is_refused(tmp_path):
    file = load_coco(write_coco(tmp_path / "t.json"))
    with pytest.raises(TruthMismatch, match=r"bus.jpg is 100×200, and 200×100 in the ground truth"):
        place_truth(file, {("bus.jpg", 0): (200, 100)})


def test_without_records_the_pictures_tell_their_size_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (100, 200)).save(tmp_path / "images" / "bus.jpg", exif=exif)
    file = load_yolo(write_yolo(tmp_path, config="val: images\nnames: [cat, dog]"))
    truth = place_truth(file)
    assert objects_of(truth, ("images/bus.jpg", 0))[1] == OBJECTS[1]
    (tmp_path / "images" / "bus.jpg").unlink()
    with pytest.raises(BrokenTruth, match="does not say how large"):
        place_truth(file)


# Which image is which


@pytest.mark.parametrize(
    ("names", "sources", "expected"),
    [
        (["val2017/000139.jpg"], ["000139.jpg"], {0: "000139.jpg"}),
        (["a/1.jpg", "b/1.jpg"], ["b/1.jpg", "a/1.jpg"], {0: "a/1.jpg", 1: "b/1.jpg"}),
        (["a/1", "b/1"], ["set/b/1.png", "set/a/1.png"], {0: "set/a/1.png", 1: "set/b/1.png"}),
        (["x.jpg", "x.png"], ["x.png", "x.jpg"], {0: "x.jpg", 1: "x.png"}),
        (["BUS.JPG"], ["bus.jpg"], {0: "bus.jpg"}),
        (["a/1.jpg"], ["a/1.jpg", "b/1.jpg"], {0: "a/1.jpg"}),
        (["a/1.jpg", "c/1.jpg"], ["a/1.jpg", "b/1.jpg"], {0: "a/1.jpg"}),
        (["C:\\data\\bus.jpg"], ["bus.jpg"], {0: "bus.jpg"}),
        (["bus.jpg"], ["https://host/a%20b/bus.jpg?size=2"], {0: "https://host/a%20b/bus.jpg?size=2"}),
        (["frame.001", "frame.002"], ["frame.001.jpg", "frame.002.jpg"], {0: "frame.001.jpg", 1: "frame.002.jpg"}),
        (["Cafe\u0301.jpg"], ["Caf\u00e9.jpg"], {0: "Caf\u00e9.jpg"}),
        (["other.jpg"], ["bus.jpg"], {}),
    ],
)
def test_names_are_matched_from_their_ends(names, sources, expected):
    matched = match_images([ImageName(name) for name in names], [(source, 0) for source in sources])
    assert {i: key[0] for i, key in matched.items()} == expected


def test_labels_of_frames_are_matched_by_their_number():
    names = [ImageName("clip.mp4.p0003"), ImageName("clip.mp4.p0004")]
    assert match_images(names, [("v/clip.mp4", 4), ("v/clip.mp4", 3)]) == {0: ("v/clip.mp4", 3), 1: ("v/clip.mp4", 4)}


@pytest.mark.parametrize(
    ("names", "sources"), [(["a/1.jpg", "b/1.jpg"], ["1.jpg"]), (["1.jpg"], ["a/1.jpg", "b/1.jpg"])]
)
def test_names_that_do_not_tell_images_apart_are_refused(names, sources):
    with pytest.raises(AmbiguousTruth, match=r"1.jpg") as caught:
        match_images([ImageName(name) for name in names], [(source, 0) for source in sources])
    assert "folder" in caught.value.hint


def test_places_tell_apart_what_names_do_not(tmp_path):
    names = [ImageName(f"{split}/1", 0, tmp_path / split / "1") for split in ("train", "val")]
    (tmp_path / "val").mkdir()
    assert match_images(names, [("1.jpg", 0)], [tmp_path / "val"]) == {1: ("1.jpg", 0)}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), unique_by=tuple, max_size=12), st.randoms())
def test_a_prefix_on_either_side_changes_nothing(paths, random):
    names = ["/".join(path) + ".jpg" for path in paths]
    sources = [(f"root/{name}", 0) for name in names]
    random.shuffle(sources)
    matched = match_images([ImageName(f"other/place/{name}") for name in names], sources)
    assert matched == {i: (f"root/{name}", 0) for i, name in enumerate(names)}


# Finding it


def test_nothing_is_found_where_there_is_nothing(tmp_path):
    picture = write_picture(tmp_path / "a" / "bus.jpg")
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "a" / "package.json").write_text("{}")
    assert find_truth([tmp_path / "a"]) is None
    assert find_truth([picture]) is None
    assert find_truth([tmp_path / "missing"]) is None


@pytest.mark.parametrize(
    "place", ["set/annotations/instances_val.json", "set/val/_annotations.coco.json", "set/t.json"]
)
def test_coco_is_found_beside_and_above(tmp_path, place):
    write_picture(tmp_path / "set" / "val" / "bus.jpg")
    path = write_coco(tmp_path / place)
    assert find_truth([tmp_path / "set" / "val"]).path == path


def test_of_several_coco_files_the_one_that_speaks_of_these_images(tmp_path):
    write_picture(tmp_path / "val" / "bus.jpg")
    right = write_coco(tmp_path / "annotations" / "instances_val.json")
    write_coco(tmp_path / "annotations" / "instances_train.json", images=[{"id": 7, "file_name": "car.jpg"}])
    write_coco(tmp_path / "annotations" / "person_keypoints_val.json")
    write_coco(tmp_path / "val" / "images.json", annotations=[])
    assert find_truth([tmp_path / "val"]).path == right
    write_coco(tmp_path / "annotations" / "instances_val_2.json")
    with pytest.raises(AmbiguousTruth, match="instances_val_2"):
        find_truth([tmp_path / "val"])


@pytest.mark.parametrize("source", ["", "images", "images/val", "images/val/bus.jpg"])
def test_yolo_labels_are_found_beside_images(tmp_path, source):
    write_picture(tmp_path / "images" / "val" / "bus.jpg")
    write_picture(tmp_path / "images" / "val" / "empty.jpg")
    write_yolo(tmp_path, config="val: images/val\nnames: [cat, dog]", folder="labels/val")
    location = find_truth([tmp_path / source])
    assert location.format == "yolo"
    name = "bus.jpg" if source.startswith("images/val") else f"{('images/' if not source else '')}val/bus.jpg"
    frames = {(name, 0): SIZE_HW, (name.replace("bus", "empty"), 0): SIZE_HW}
    truth = place_truth(load_truth(location), frames, [tmp_path / source])
    assert [len(image.xyxy) for image in truth.images.values()] == [2, 0]


def test_labels_beside_the_images_themselves(tmp_path):
    write_picture(tmp_path / "bus.jpg")
    write_yolo(tmp_path, config="names: [cat, dog]", folder=".")
    location = find_truth([tmp_path])
    assert (location.format, location.path) == ("yolo", tmp_path)
    assert len(place_truth(load_truth(location), FRAMES, [tmp_path]).images["bus.jpg", 0].xyxy) == 2


@pytest.mark.parametrize("place", ["VOC/Annotations/bus.xml", "VOC/JPEGImages/bus.xml"])
def test_voc_is_found_beside(tmp_path, place):
    write_picture(tmp_path / "VOC" / "JPEGImages" / "bus.jpg")
    path = write_voc(tmp_path / place)
    location = find_truth([tmp_path / "VOC" / "JPEGImages"])
    assert (location.format, location.path) == ("voc", path.parent)
    assert objects_of(place_truth(load_truth(location), FRAMES)) == OBJECTS


@pytest.mark.parametrize(("suffix", "kind"), [(".json", "coco"), (".yaml", "yolo"), (".xml", "voc")])
def test_what_is_named_is_taken(tmp_path, suffix, kind):
    path = tmp_path / f"t{suffix}"
    path.write_text("anything")
    location = find_truth([], path)
    assert (location.path, location.format, location.named) == (path, kind, True)


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_a_named_folder_is_looked_into(tmp_path, kind):
    if kind == "coco":
        write_coco(tmp_path / "t.json")
    elif kind == "yolo":
        write_yolo(tmp_path, config="names: [cat, dog]\nval: images")
    else:
        write_voc(tmp_path / "deep" / "bus.xml")
    location = find_truth([], tmp_path)
    assert location.format == kind
    assert len(place_truth(load_truth(location), FRAMES).images) == 1


def test_a_named_place_without_truth_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing.json", write_picture(tmp_path / "bus.jpg")):
        with pytest.raises(BrokenTruth):
            find_truth([], path)


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


# Where things are in a JSON file

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, max_examples=60)
@given(JSON, st.data())
def test_lines_are_those_of_the_value(tmp_path_factory, value, data):
    path = tmp_path_factory.getbasetemp() / "lines.json"
    keys, inner = [], value
    while isinstance(inner, list | dict) and inner and data.draw(st.booleans()):
        keys.append(data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner)))))
        inner = inner[keys[-1]]
    mark = "the one that is sought"
    holder = marked = json.loads(json.dumps({"top": value}))
    for key in ["top", *keys][:-1]:
        holder = holder[key]
    holder[["top", *keys][-1]] = mark
    path.write_text(json.dumps(marked, indent=1, ensure_ascii=False))
    lines = path.read_text().split("\n")
    assert mark in lines[find_line(path, ["top", *keys]) - 1]


def test_json_that_is_no_text_is_refused(tmp_path):
    for name, content in (("a.json", b"\xff\xfe\x00"), ("b.json", b"[" * 100_000)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(EvaluationError):
            load_json(tmp_path / name, BrokenTruth, "Try another")
    with pytest.raises(BrokenTruth, match="No such file"):
        load_json(tmp_path / "c.json", BrokenTruth, "Try another")
