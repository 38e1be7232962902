"""Predictions of any detector take part, as COCO results or as records."""

import json
from pathlib import PurePosixPath

import numpy as np
import pytest

from detectattn.errors import BrokenPredictions, SourceNotFound, UnreadableRecord
from detectattn.evaluation.coco_metrics import compute_accuracy
from detectattn.evaluation.foreign import load_foreign
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_coco import load_coco
from detectattn.records import record_line
from detectattn.sinks.coco import CocoSink
from detectattn.types import Detections, Frame, Media, ModelInfo, Prediction

FRAMES = {("a.jpg", 0): (100, 200), ("b.jpg", 0): (50, 50)}
RESULTS = [
    {"image_id": 1, "category_id": 3, "bbox": [10, 20, 50, 60], "score": 0.5},
    {"image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 0.9},
    {"image_id": 1, "category_id": 3, "bbox": [0, 0, 5, 6], "score": 0.9},
]


def write(path, content):
    path.write_text(json.dumps(content, indent=1))
    return path


@pytest.fixture
def truth_file(tmp_path):
    content = {
        "images": [
            {"id": 1, "file_name": "set/a.jpg", "height": 100, "width": 200},
            {"id": 2, "file_name": "set/b.jpg", "height": 50, "width": 50},
        ],
        "categories": [{"id": 3, "name": "cat"}, {"id": 1, "name": "dog"}],
        "annotations": [{"id": 0, "image_id": 1, "category_id": 3, "bbox": [10, 20, 50, 60]}],
    }
    return load_coco(write(tmp_path / "truth.json", content))


def test_results_get_names_from_the_truth(tmp_path, truth_file):
    found = load_foreign(write(tmp_path / "r.json", RESULTS), "mine", truth_file.coco, FRAMES)
    first, second = found.predictions
    assert (first.source, first.model, first.size_hw) == ("a.jpg", "mine", (100, 200))
    assert first.detections.score.tolist() == pytest.approx([0.9, 0.9, 0.5])
    assert [first.class_name(i) for i in first.detections.class_id] == ["dog", "cat", "cat"]
    assert first.detections.xyxy[2].tolist() == [10, 20, 60, 80]
    # An image without detections is one in which nothing was found.
    assert (second.source, len(second.detections)) == ("b.jpg", 0)
    assert found.class_names == {0: "cat", 1: "dog"}
    assert found.notes == ()


def test_results_and_truth_alone_make_a_study(tmp_path, truth_file):
    truth = place_truth(truth_file)
    perfect = [{"image_id": "1", "category_id": "3", "bbox": [10, 20, 50, 60], "score": 0.5}]
    found = load_foreign(write(tmp_path / "r.json", perfect), "mine", truth_file.coco)
    accuracy = compute_accuracy(truth, found.predictions)
    assert (accuracy.ap50_95, accuracy.missing_count) == (1, 0)


@pytest.mark.parametrize("image_id", ["a", "a.jpg"])
def test_names_may_stand_for_ids(tmp_path, truth_file, image_id):
    rows = [RESULTS[0] | {"image_id": image_id}]
    found = load_foreign(write(tmp_path / "r.json", rows), "mine", truth_file.coco, FRAMES)
    assert len(found.predictions[0].detections) == 1


def test_an_images_json_beside_the_results_says_what_ids_mean(tmp_path):
    write(tmp_path / "r.json", RESULTS)
    images = [{"id": 1, "file_name": "a.jpg", "height": 100, "width": 200}]
    categories = [{"id": 1, "name": "x"}, {"id": 3, "name": "y"}]
    write(tmp_path / "images.json", {"images": images, "categories": categories, "annotations": []})
    found = load_foreign(tmp_path / "r.json", "mine", None, FRAMES)
    assert found.class_names == {0: "x", 1: "y"}
    assert [p.source for p in found.predictions] == ["a.jpg"]


def test_a_whole_data_set_with_scores_speaks_for_itself(tmp_path):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "x"}, {"id": 3, "name": "y"}],
        "annotations": RESULTS,
    }
    found = load_foreign(write(tmp_path / "r.json", content), "mine", None, FRAMES)
    assert len(found.predictions[0].detections) == 3


def test_boxes_follow_a_picture_of_another_size(tmp_path, truth_file):
    frames = {("a.jpg", 0): (200, 400)}
    found = load_foreign(write(tmp_path / "r.json", RESULTS[:1]), "mine", truth_file.coco, frames)
    assert found.predictions[0].detections.xyxy[0].tolist() == [20, 40, 120, 160]


def test_what_is_of_other_images_is_left_out_and_said(tmp_path, truth_file):
    rows = [*RESULTS, RESULTS[0] | {"image_id": 99}, RESULTS[0] | {"image_id": 2}]
    found = load_foreign(write(tmp_path / "r.json", rows), "mine", truth_file.coco, {("a.jpg", 0): (100, 200)})
    assert [p.source for p in found.predictions] == ["a.jpg"]
    assert found.notes == (
        f"left out: 1 detection of images that {truth_file.path} does not list",
        "left out: predictions for 1 image not among these",
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda r: r[1].pop("score"), "line 13: [1].score is missing"),
        (lambda r: r[1].update(score="high"), "[1].score must be a number, got 'high'"),
        (lambda r: r[0].update(bbox=[1, 2]), "[0].bbox must be [left, top, width, height], got [1, 2]"),
        (lambda r: r[0].update(bbox=[1, 2, -1, 2]), "[0].bbox has a negative width or height"),
        (lambda r: r[2].update(category_id=0), "[2].category_id is 0, and"),
        (lambda r: r[2].pop("image_id"), "[2].image_id is missing"),
        (lambda r: [row.update(image_id=77) for row in r], "predictions for other images: it speaks of image_id 77"),
    ],
)
def test_broken_results_name_line_and_key(tmp_path, truth_file, change, problem):
    rows = json.loads(json.dumps(RESULTS))
    change(rows)
    path = write(tmp_path / "r.json", rows)
    with pytest.raises(BrokenPredictions) as caught:
        load_foreign(path, "mine", truth_file.coco, FRAMES)
    assert problem in caught.value.problem
    assert str(path) in caught.value.problem


def test_broken_json_names_the_line(tmp_path, truth_file):
    path = tmp_path / "r.json"
    path.write_text('[\n{"image_id": 1,\n "score": }]')
    with pytest.raises(BrokenPredictions, match='line 3, column 11, after the key "score"'):
        load_foreign(path, "mine", truth_file.coco)


def test_numbers_that_nothing_explains_are_refused(tmp_path):
    path = write(tmp_path / "r.json", RESULTS)
    with pytest.raises(BrokenPredictions, match="nothing says what the numbers mean") as caught:
        load_foreign(path, "mine", None, FRAMES)
    assert "images.json" in caught.value.hint
    for content in ({"a": 1}, "text"):
        with pytest.raises(BrokenPredictions, match="no list of detections"):
            load_foreign(write(path, content), "mine", None, FRAMES)


def test_results_that_carry_names_need_no_explanation(tmp_path):
    rows = [row | {"image_id": "a", "category_name": f"class {row['category_id']}"} for row in RESULTS]
    found = load_foreign(write(tmp_path / "r.json", rows), "mine", None, FRAMES)
    assert found.class_names == {0: "class 1", 1: "class 3"}
    assert [len(p.detections) for p in found.predictions] == [3, 0]


def test_records_of_another_run_are_matched_by_name(tmp_path):
    detections = Detections(np.ones((1, 4), np.float32), np.ones(1, np.float32), np.array([4], np.int32))
    records = [
        Prediction(source, 0, (100, 200), detections, "other", {4: "cat"}) for source in ("old/a.jpg", "old/c.jpg")
    ]
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(map(record_line, records)))
    found = load_foreign(path, "mine", None, FRAMES)
    assert [(p.source, p.model) for p in found.predictions] == [("a.jpg", "mine")]
    assert found.class_names == {4: "cat"}
    assert found.notes == ("left out: predictions for 1 image not among these",)
    with pytest.raises(BrokenPredictions, match="other images"):
        load_foreign(path, "mine", None, {("z.jpg", 0): (1, 1)})


def test_records_that_cannot_be_read(tmp_path):
    with pytest.raises(SourceNotFound):
        load_foreign(tmp_path / "missing.jsonl", "mine")
    (tmp_path / "broken.jsonl").write_text("{}\n")
    with pytest.raises(UnreadableRecord, match="line 1"):
        load_foreign(tmp_path / "broken.jsonl", "mine")


def test_our_own_coco_output_comes_back(tmp_path):
    info = ModelInfo("m", "cnn", {0: "cat", 5: "bus"}, (640, 640), "onnx", "cpu", "fp32")
    sink = CocoSink(tmp_path, info)
    boxes = np.array([[1, 2, 30, 40], [5, 6, 70, 80]], np.float32)
    found = Detections(boxes, np.array([0.75, 0.5], np.float32), np.array([5, 0], np.int32))
    for name in ("street/a.jpg", "b.jpg"):
        media = Media(name, "image", tmp_path / name, PurePosixPath(name))
        frame = Frame(media, 0, np.zeros((100, 200, 3), np.uint8))
        sink.write(frame, Prediction(name, 0, (100, 200), found, "m", info.class_names))
    sink.close()
    back = load_foreign(tmp_path / "coco" / "results.json", "again")
    assert [p.source for p in back.predictions] == ["street/a.jpg", "b.jpg"]
    for prediction in back.predictions:
        assert prediction.detections.xyxy.tolist() == boxes.tolist()
        assert [prediction.class_name(i) for i in prediction.detections.class_id] == ["bus", "cat"]
