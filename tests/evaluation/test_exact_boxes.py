"""Figures from files are those of a tool that reads the files, also where overlaps meet a threshold exactly."""

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.evaluation.average_precision import compute_average_precision, mean_ap
from detectattn.evaluation.coco_metrics import compute_accuracy
from detectattn.evaluation.exact_boxes import to_exact_ltwh
from detectattn.evaluation.foreign import load_foreign
from detectattn.evaluation.match_table import build_match_table
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth_coco import load_coco

METRICS = (
    "ap50_95", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
    "ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large",
)  # fmt: skip


@given(st.integers(0, 3), st.lists(st.integers(0, 4_000_000), min_size=4, max_size=4))
def test_short_decimals_survive_single_precision(decimals, units):
    ltwh = [min(unit / 10**decimals, 4000.0) for unit in units]
    ltwh = [round(value, decimals) for value in ltwh]
    xyxy = np.array([[ltwh[0], ltwh[1], ltwh[0] + ltwh[2], ltwh[1] + ltwh[3]]], np.float32)
    assert to_exact_ltwh(xyxy)[0].tolist() == ltwh


@given(st.lists(st.floats(0, 10_000, width=32), min_size=4, max_size=4))
def test_other_numbers_stay_what_they_are_in_single_precision(values):
    xyxy = np.sort(np.array([values], np.float32).reshape(2, 2), axis=0).reshape(1, 4)
    ltwh = to_exact_ltwh(xyxy)
    assert (ltwh[:, :2].astype(np.float32) == xyxy[:, :2]).all()
    assert ltwh[:, :2] + ltwh[:, 2:] == pytest.approx(xyxy[:, 2:].astype(float), rel=2e-7, abs=1e-6)


def draw_files(folder, seed):
    """Ground truth and results whose numbers have few digits, and so many ties."""
    rng = np.random.default_rng(seed)
    decimals = seed % 4
    images = [
        {"id": int(i), "file_name": f"{rng.integers(10**9):012d}.jpg", "height": 480, "width": 640}
        for i in rng.permutation(1000)[:50]
    ]
    annotations, results = [], []
    for image_id in [image["id"] for image in images for _ in range(int(rng.integers(0, 8)))]:
        sides = np.exp(rng.uniform(2, 5.5, 2))
        corner = rng.uniform(0, 1, 2) * (np.array([640, 480]) - sides)
        bbox = np.round([*corner, *sides], decimals).tolist()
        category = int(rng.choice([1, 3, 17, 90]))
        area = round(bbox[2] * bbox[3] * rng.uniform(0.5, 1), 3)
        crowd = int(rng.random() < 0.05)
        base = {"image_id": image_id, "category_id": category}
        annotations.append(base | {"id": len(annotations) + 1, "bbox": bbox, "area": area, "iscrowd": crowd})
        for _ in range(int(rng.integers(0, 4))):
            near = np.round(np.array(bbox) + rng.normal(0, 0.06, 4) * np.tile(bbox[2:], 2), decimals)
            near[2:] = np.maximum(near[2:], 1)
            score = round(float(rng.random()), 1 + seed % 5)
            results.append(base | {"bbox": near.tolist(), "score": score} | ({"category_id": 3} if crowd else {}))
    categories = [{"id": i, "name": f"name {i}"} for i in (90, 1, 3, 17, 44)]
    truth = {"images": images, "annotations": annotations, "categories": categories}
    for name, content in (("truth.json", truth), ("results.json", results)):
        (folder / name).write_text(json.dumps(content))


def draw_threshold_files(folder):
    """One object and one detection an image, of one decimal, whose overlap is exactly one of COCO's IoUs."""
    rng = np.random.default_rng(0)
    count = 200
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 480, "width": 640} for i in range(1, count + 1)]
    annotations, results = [], []
    for i in range(1, count + 1):
        left, top, height = (round(float(v), 1) for v in rng.uniform(10, 300, 3))
        width = float(rng.integers(1, 14) * 20)
        part = round(width * int(rng.integers(10, 20)) / 20, 1)
        base = {"image_id": i, "category_id": 1}
        bbox = [left, top, width, height]
        annotations.append(base | {"id": i, "bbox": bbox, "area": width * height, "iscrowd": 0})
        results.append(base | {"bbox": [left, top, part, height], "score": round(float(rng.random()), 3)})
    truth = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    for name, content in (("truth.json", truth), ("results.json", results)):
        (folder / name).write_text(json.dumps(content))


@pytest.mark.parametrize("seed", range(12))
def test_from_file_to_figure_equal_to_pycocotools(tmp_path, seed):
    draw_files(tmp_path, seed)
    compare_with_pycocotools(tmp_path)


def test_overlaps_that_meet_a_threshold_exactly(tmp_path):
    draw_threshold_files(tmp_path)
    compare_with_pycocotools(tmp_path)


def compare_with_pycocotools(folder):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(folder / "truth.json"))
        reference = COCOeval(coco, coco.loadRes(str(folder / "results.json")), "bbox")
        reference.evaluate()
        reference.accumulate()
        reference.summarize()
    file = load_coco(folder / "truth.json")
    truth = place_truth(file)
    predictions = load_foreign(folder / "results.json", "model", file.coco).predictions
    accuracy = compute_accuracy(truth, predictions)
    figures = [getattr(accuracy, name) for name in METRICS]
    assert [-1 if figure is None else figure for figure in figures] == pytest.approx(reference.stats, abs=1e-6)
    ap = compute_average_precision(build_match_table(truth, predictions))
    assert mean_ap(ap) == pytest.approx(reference.stats[0], abs=1e-6)
