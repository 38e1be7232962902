"""COCO's twelve figures of a model on labelled scenes, by pycocotools, from what this project's engine would detect."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pycocotools.coco import COCO  # type: ignore[import-untyped]  # it has no types
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]  # it has no types
from torch import nn

from detectattn.engines.base import HeadLayout
from detectattn.engines.layout import find_fit
from detectattn.engines.postprocess import Thresholds, decode_detections
from detectattn.engines.preprocess import fit_image, plan_resize
from detectattn.types import Detections
from training.scene_cache import LabelledScene

# The order in which pycocotools gives them.
METRICS = (
    "ap50_95", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
    "ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large",
)  # fmt: skip
# As for published figures: every score counts, a box may carry several classes.
_KEEP = Thresholds(conf=0.001, iou=0.7, max_det=300, multi_label=True)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What pycocotools says, 0 to 1 (−1 where the scenes hold no such object).

    Attributes:
        metrics: COCO's twelve, by the names of :data:`METRICS`.
        per_class: mAP50-95 of each class by name.
    """

    metrics: dict[str, float]
    per_class: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, to four places."""
        return {
            **{key: round(value, 4) for key, value in self.metrics.items()},
            "per_class": {name: round(value, 4) for name, value in self.per_class.items()},
        }


def make_ready(model: nn.Module) -> nn.Module:
    """A copy of a model for inference: evaluation mode, layers fused."""
    copied: Any = copy.deepcopy(model)
    ready: nn.Module = copied.eval().fuse(verbose=False)
    return ready


def compute_accuracy(
    model: nn.Module, scenes: Sequence[LabelledScene], class_names: Sequence[str], size_px: int
) -> Accuracy:
    """How good a model is on labelled scenes.

    Args:
        model: Ready for inference; where it has a top-k of its own, that is replaced by the engine's.
        scenes: What it is tested on, of any size. COCO's small, medium and large mean their pixels.
        class_names: Of its classes.
        size_px: Side of its input.
    """
    truth = _open_truth(scenes, class_names)
    rows = [
        _to_row(index, detections, k)
        for index, detections in enumerate(_iter_detections(model, scenes, size_px))
        for k in range(len(detections))
    ]
    if not rows:
        return Accuracy(dict.fromkeys(METRICS, 0.0), dict.fromkeys(class_names, 0.0))
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    # Precision by IoU, recall, class, area (the first is all), detections an image (the last is 100).
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    known = [precision[:, :, k][precision[:, :, k] > -1] for k in range(len(class_names))]
    return Accuracy(
        metrics=dict(zip(METRICS, (float(value) for value in evaluation.stats), strict=True)),
        per_class={n: float(p.mean()) if p.size else -1.0 for n, p in zip(class_names, known, strict=True)},
    )


def _iter_detections(model: nn.Module, scenes: Sequence[LabelledScene], size_px: int) -> Iterator[Detections]:
    head = list(model.model)[-1]  # type: ignore[arg-type]  # Ultralytics models hold an nn.Sequential
    layout: HeadLayout = "yolo_dense"
    if type(head).__name__ == "RTDETRDecoder":
        layout = "rtdetr_dense"
        head.postprocess = lambda boxes, scores: (boxes, scores)
    fit = find_fit(layout, own_shape_each=True)
    for scene in scenes:
        bgr = np.asarray(scene.bgr)
        resize = plan_resize((bgr.shape[0], bgr.shape[1]), (size_px, size_px), fit)
        with torch.inference_mode():
            raw = model(torch.from_numpy(fit_image(bgr, resize))[None].to(memory_format=torch.channels_last))[0]
        outputs = tuple(r.float().numpy() for r in (raw if isinstance(raw, tuple) else (raw,)))
        yield decode_detections(layout, outputs, (resize,), _KEEP)[0]


def _to_row(image_id: int, detections: Detections, k: int) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(v) for v in detections.xyxy[k])
    return {
        "image_id": image_id + 1,
        "category_id": int(detections.class_id[k]) + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "score": float(detections.score[k]),
    }


def _open_truth(scenes: Sequence[LabelledScene], class_names: Sequence[str]) -> COCO:
    boxes = [
        (image_id, int(class_id) + 1, [float(v) for v in box])
        for image_id, scene in enumerate(scenes, 1)
        for class_id, box in zip(scene.class_id, scene.xyxy, strict=True)
    ]
    # pycocotools takes an annotation whose id is 0 for a miss, so ids start at 1.
    annotations: list[Mapping[str, Any]] = [
        {
            "id": number,
            "image_id": image_id,
            "category_id": category_id,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1),
            "iscrowd": 0,
        }
        for number, (image_id, category_id, (x1, y1, x2, y2)) in enumerate(boxes, 1)
    ]
    truth = COCO()
    truth.dataset = {
        "images": [{"id": image_id} for image_id in range(1, len(scenes) + 1)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(class_names, 1)],
        "annotations": annotations,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth
