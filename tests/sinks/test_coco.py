from __future__ import annotations

import json
from pathlib import PurePosixPath

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detectattn.errors import OutputExists, WriteFailed
from detectattn.sinks.coco import CocoSink, compute_image_id
from detectattn.types import Detections


def load(folder):
    images = COCO(str(folder / "coco" / "images.json"))
    return images, images.loadRes(str(folder / "coco" / "results.json"))


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_pycocotools_reads_boxes_scores_and_coco_s_categories(tmp_path, make_frame, make_prediction, make_model_info):
    picture, empty, video = make_frame("a/x.jpg"), make_frame("000139.jpg"), make_frame("clip.mp4", "video", 25)
    sink = CocoSink(tmp_path, make_model_info())
    sink.write(picture, make_prediction(picture, ([1.25, 2, 30.126, 40], 0.94127, 79), ([-3, 0, 5, 5], 0.5, 0)))
    sink.write(empty, make_prediction(empty))
    sink.write(video, make_prediction(video, ([1, 1, 9, 9], 0.25, 11)))
    sink.close()

    images, found = load(tmp_path)
    by_name = {image["file_name"]: image for image in images.dataset["images"]}
    assert list(by_name) == ["a/x.jpg", "000139.jpg", "clip.mp4.p0025"]
    assert {k: by_name["clip.mp4.p0025"][k] for k in ("source", "index")} == {"source": "clip.mp4", "index": 25}
    assert by_name["000139.jpg"]["id"] == 139
    assert all((image["height"], image["width"]) == (100, 200) for image in by_name.values())

    in_picture = found.loadAnns(found.getAnnIds(imgIds=by_name["a/x.jpg"]["id"]))
    assert [(a["bbox"], a["score"], a["category_id"]) for a in in_picture] == [
        ([1.25, 2.0, 28.88, 38.0], 0.94127, 90),
        ([-3.0, 0.0, 8.0, 5.0], 0.5, 1),
    ]
    assert found.getAnnIds(imgIds=139) == []
    (in_video,) = found.loadAnns(found.getAnnIds(imgIds=by_name["clip.mp4.p0025"]["id"]))
    assert images.loadCats(in_video["category_id"])[0]["name"] == "stop sign"
    assert in_video["category_id"] == 13
    assert len(images.getCatIds()) == 80


def test_results_score_against_ground_truth(tmp_path, make_frame, make_prediction, make_model_info):
    # Named as COCO names its pictures, the results fit annotations that know nothing of this run.
    frames = [make_frame(f"val/{number:012d}.jpg") for number in (139, 285)]
    sink = CocoSink(tmp_path, make_model_info())
    for frame in frames:
        sink.write(frame, make_prediction(frame, ([10, 10, 60, 90], 0.9, 5)))
    sink.close()
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": number, "width": 200, "height": 100} for number in (139, 285)],
        "annotations": [
            {"id": i, "image_id": number, "category_id": 6, "bbox": [10, 10, 50, 80], "area": 4000, "iscrowd": 0}
            for i, number in enumerate((139, 285), start=1)
        ],
        "categories": [{"id": 6, "name": "bus"}],
    }
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(str(tmp_path / "coco" / "results.json")), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("class_names", "expected"),
    [
        ({0: "cat", 1: "개"}, {1: "cat", 2: "개", 8: "class 7"}),
        ({}, {8: "class 7"}),
        ({3: "x"}, {4: "x", 8: "class 7"}),
    ],
)
def test_other_models_number_from_one(tmp_path, make_frame, make_prediction, make_model_info, class_names, expected):
    frame = make_frame("x.jpg")
    sink = CocoSink(tmp_path, make_model_info(class_names))
    sink.write(frame, make_prediction(frame, ([1, 1, 9, 9], 0.25, 7), class_names=class_names))
    sink.close()
    images, found = load(tmp_path)
    assert {i: images.cats[i]["name"] for i in images.getCatIds()} == expected
    assert found.dataset["annotations"][0]["category_id"] == 8


def test_ids_are_unique_and_the_same_in_every_run(tmp_path, make_frame, make_prediction, make_model_info):
    names = ["a/7.jpg", "b/7.jpg", "x.jpg", "0.png", "9" * 30 + ".jpg", "²³.jpg"]
    frames = [make_frame(name) for name in names]
    frames += [make_frame("scan.tif", index=i) for i in range(3)] + [make_frame("8.mp4", "video", i) for i in range(3)]
    ids = []
    for run, order in enumerate((frames, [frames[0], *frames[:0:-1]])):
        sink = CocoSink(tmp_path / str(run), make_model_info())
        for frame in order:
            sink.write(frame, make_prediction(frame))
        sink.close()
        images = json.loads((tmp_path / str(run) / "coco" / "images.json").read_text(encoding="utf-8"))["images"]
        ids.append({image["file_name"]: image["id"] for image in images})
    assert ids[0] == ids[1]
    assert len(set(ids[0].values())) == len(frames)
    assert (ids[0]["a/7.jpg"], ids[0]["0.png"]) == (7, 0)
    assert ids[0]["b/7.jpg"] == compute_image_id(PurePosixPath("b/7.jpg"), 0)
    assert all(2**52 <= ids[0][name] < 2**53 for name in ids[0] if name not in ("a/7.jpg", "0.png"))
    # Published in COCO files: may not change.
    assert compute_image_id(PurePosixPath("street/bus.jpg"), 0) == 8_409_065_381_482_583


def test_names_of_any_kind_are_valid_json(tmp_path, make_frame, make_prediction, make_model_info):
    frame = make_frame('\udcff "가\u2028\n".jpg')
    sink = CocoSink(tmp_path, make_model_info())
    sink.write(frame, make_prediction(frame, ([1, 1, 9, 9], 0.25, 7)))
    sink.close()
    images, _ = load(tmp_path)
    assert images.dataset["images"][0]["file_name"] == '\udcff "가\u2028\n".jpg'


def test_a_run_without_a_frame_is_valid_json(tmp_path, make_model_info):
    CocoSink(tmp_path, make_model_info()).close()
    assert json.loads((tmp_path / "coco" / "results.json").read_text()) == []
    images = json.loads((tmp_path / "coco" / "images.json").read_text())
    assert images["images"] == images["annotations"] == []
    assert len(images["categories"]) == 80


def test_nothing_is_left_after_an_error(tmp_path, make_frame, make_prediction, make_model_info):
    frame = make_frame("x.jpg")
    sink = CocoSink(tmp_path, make_model_info())
    sink.write(frame, make_prediction(frame, ([1, 1, 9, 9], 0.25, 7)))
    assert not any(name.endswith("results.json") for name in files(tmp_path))
    sink.abort()
    assert files(tmp_path) == []


def test_files_that_are_there_are_refused(tmp_path, make_model_info):
    (tmp_path / "coco").mkdir()
    (tmp_path / "coco" / "results.json").write_text("mine")
    with pytest.raises(OutputExists):
        CocoSink(tmp_path, make_model_info())
    assert files(tmp_path) == ["results.json"]


def test_a_disk_that_fills_up_is_said_and_leaves_nothing(
    tmp_path, make_frame, make_prediction, make_model_info, limit_file_size
):
    frame = make_frame("x.jpg")
    n = 20_000
    many = Detections(np.ones((n, 4), np.float32), np.ones(n, np.float32), np.zeros(n, np.int32))
    sink = CocoSink(tmp_path, make_model_info())
    with limit_file_size(1 << 20), pytest.raises(WriteFailed, match=r"results\.json: File too large"):
        sink.write(frame, make_prediction(frame, detections=many))
    sink.abort()
    assert files(tmp_path) == []
