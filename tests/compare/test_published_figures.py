"""Published ground truth and detections give the published figures.

Four images of COCO and detections in them, with the twelve figures that pycocotools gives: published with the tests of
torchmetrics (https://github.com/Lightning-AI/torchmetrics, ``tests/unittests/detection/test_map.py``), to three digits.
Written down here as a user would hand them in: COCO's JSON with annotation ids from 0, and COCO results.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from detectattn.cli.app import run

PUBLISHED = {
    "ap50_95": 0.637, "ap50": 0.859, "ap75": 0.761, "ap_small": 0.622, "ap_medium": 0.800, "ap_large": 0.635,
    "ar_1": 0.432, "ar_10": 0.652, "ar_100": 0.652, "ar_small": 0.673, "ar_medium": 0.800, "ar_large": 0.633,
}  # fmt: skip
# Image id, then class and corners of each object.
TRUTH = {
    42: [(4, 214.15, 41.29, 562.41, 285.07)],
    73: [(2, 13.00, 22.75, 548.98, 632.42), (2, 1.66, 3.32, 270.26, 275.23)],
    74: [
        (4, 61.87, 276.25, 358.29, 379.43), (1, 2.75, 3.66, 162.15, 316.06), (0, 295.55, 93.96, 313.97, 152.79),
        (0, 326.94, 97.05, 340.49, 122.98), (0, 356.62, 95.47, 372.33, 147.55), (0, 462.08, 105.09, 493.74, 146.99),
        (0, 277.11, 103.84, 292.44, 150.72),
    ],
    987: [
        (49, 72.92, 45.96, 91.23, 80.57), (49, 50.17, 45.34, 71.28, 79.83), (49, 81.28, 47.04, 98.66, 78.50),
        (49, 63.96, 46.17, 84.35, 80.48), (49, 75.29, 23.01, 91.85, 50.85), (49, 56.39, 21.65, 75.66, 45.54),
        (49, 73.14, 1.10, 98.96, 28.33), (49, 62.34, 55.23, 78.14, 79.57), (49, 44.17, 45.78, 63.99, 78.48),
        (49, 58.18, 44.80, 66.42, 56.25),
    ],
}  # fmt: skip
# Image id, then score, class and corners of each detection.
DETECTIONS = {
    42: [(0.236, 4, 258.15, 41.29, 606.41, 285.07)],
    73: [(0.318, 3, 61.00, 22.75, 565.00, 632.42), (0.726, 2, 12.66, 3.32, 281.26, 275.23)],
    74: [
        (0.546, 4, 87.87, 276.25, 384.29, 379.43), (0.3, 1, 0.00, 3.66, 142.15, 316.06),
        (0.407, 0, 296.55, 93.96, 314.97, 152.79), (0.611, 0, 328.94, 97.05, 342.49, 122.98),
        (0.335, 0, 356.62, 95.47, 372.33, 147.55), (0.805, 0, 464.08, 105.09, 495.74, 146.99),
        (0.953, 0, 276.11, 103.84, 291.44, 150.72),
    ],
    987: [
        (0.532, 49, 72.92, 45.96, 91.23, 80.57), (0.204, 49, 45.17, 45.34, 66.28, 79.83),
        (0.782, 49, 82.28, 47.04, 99.66, 78.50), (0.202, 49, 59.96, 46.17, 80.35, 80.48),
        (0.883, 49, 75.29, 23.01, 91.85, 50.85), (0.271, 49, 71.14, 1.10, 96.96, 28.33),
        (0.561, 49, 61.34, 55.23, 77.14, 79.57), (0.204, 49, 41.17, 45.78, 60.99, 78.48),
        (0.349, 49, 56.18, 44.80, 64.42, 56.25),
    ],
}  # fmt: skip


def to_ltwh(left: float, top: float, right: float, bottom: float) -> list[float]:
    return [left, top, right - left, bottom - top]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    objects = [(image, *row) for image, rows in TRUTH.items() for row in rows]
    truth = {
        "images": [{"id": i, "file_name": f"{i:012d}.jpg", "width": 640, "height": 640} for i in TRUTH],
        "categories": [{"id": c, "name": f"class {c}"} for c in (0, 1, 2, 3, 4, 49)],
        "annotations": [
            {"id": number, "image_id": image, "category_id": c, "bbox": to_ltwh(*corners)}
            for number, (image, c, *corners) in enumerate(objects)
        ],
    }
    results = [
        {"image_id": image, "category_id": c, "score": score, "bbox": to_ltwh(*corners)}
        for image, rows in DETECTIONS.items()
        for score, c, *corners in rows
    ]
    paths = tmp_path / "truth.json", tmp_path / "results.json"
    for path, content in zip(paths, (truth, results), strict=True):
        path.write_text(json.dumps(content))
    return paths


def test_published_figures(files: tuple[Path, Path], tmp_path: Path) -> None:
    truth, results = files
    study = tmp_path / "study"
    assert run(["compare", "-m", f"published={results}", "--truth", str(truth), "-o", str(study), "--quiet"]) == 0
    accuracy = json.loads((study / "report.json").read_text())["models"]["published"]["accuracy"]
    assert {name: accuracy[name] for name in PUBLISHED} == pytest.approx(PUBLISHED, abs=6e-4)
