"""COCO's twelve metrics, through faster-coco-eval; equal to pycocotools.

Ids are given anew before evaluating: both libraries mark a detection as matched with the id of what it matched, and 0
means unmatched to them, so that a file whose annotations start at 0 loses a true positive.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from faster_coco_eval.core import mask
from faster_coco_eval.core.coco import COCO
from faster_coco_eval.core.faster_eval_api import COCOeval_faster
from numpy.typing import NDArray

from detectattn.evaluation.align import AlignedDetections, align_predictions
from detectattn.evaluation.exact_boxes import to_exact_ltwh
from detectattn.evaluation.truth import BOOL, GroundTruth, ImageTruth
from detectattn.results import Accuracy, ClassAccuracy
from detectattn.types import Prediction

_AREAS = {"all": 0, "small": 1, "medium": 2, "large": 3}
_AREA_TEXTS = {
    "small": "no object has an area up to 32² pixels",
    "medium": "no object has an area of 32² to 96² pixels",
    "large": "no object has an area from 96² pixels",
}
_METRICS = (
    "ap50_95", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
    "ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large",
)  # fmt: skip
_NO_OBJECTS = "the ground truth has no object to find in these images"


def compute_accuracy(truth: GroundTruth, predictions: Iterable[Prediction]) -> Accuracy:
    """COCO's metrics of one model.

    Args:
        truth: The ground truth; all its images are evaluated, those without a record as ones without detections.
        predictions: The model's records, in any order, with every detection (not only those above ``--conf``).
    """
    return compute_accuracy_of(truth, align_predictions(truth, predictions))


def compute_accuracy_of(truth: GroundTruth, aligned: AlignedDetections) -> Accuracy:
    """COCO's metrics of detections that are set beside the ground truth already."""
    truth_count = truth.count_objects().sum(axis=0)
    values: dict[str, float | None] = dict.fromkeys(_METRICS)
    per_class: dict[str, ClassAccuracy] = {}
    if truth_count.any():
        evaluation = _evaluate(truth, aligned)
        values, per_class = _read_metrics(evaluation), _read_classes(evaluation, truth, truth_count.tolist())
    reason = _AREA_TEXTS if truth_count.any() else dict.fromkeys(_AREA_TEXTS, _NO_OBJECTS)
    return Accuracy(
        **values,
        per_class=per_class,
        undefined={n: reason.get(n[3:], _NO_OBJECTS) for n, value in values.items() if value is None},
        image_count=len(truth.images),
        object_count=int(truth_count.sum()),
        detection_count=len(aligned.score),
        left_out=aligned.left_out,
        missing_count=aligned.missing_count,
        no_truth_count=aligned.no_truth_count,
    )


class _Evaluation(COCOeval_faster):  # type: ignore[misc]  # The library has no type information.
    """Takes objects marked ``difficult`` for ignored ones, without the special overlap that crowds have.

    COCO knows one kind of ignored object, the crowd, whose overlap is measured over the detection's area alone. VOC's
    difficult objects are ordinary boxes: like crowds they may be found any number of times, but by overlap proper.
    """

    def computeIoU(self, imgId: int, catId: int) -> Any:  # noqa: N802, N803  # The library's names.
        objects = self.gt_dataset.get_instances([imgId], [catId], True)[0][0]
        found = self.dt_dataset.get_instances([imgId], [catId], True)[0][0]
        if not objects or not found:
            return []
        order = np.argsort([-d["score"] for d in found], kind="mergesort")[: self.params.maxDets[-1]]
        crowds = [int(o["iscrowd"] and not o["difficult"]) for o in objects]
        return mask.iou([found[i]["bbox"] for i in order], [o["bbox"] for o in objects], crowds)


def _evaluate(truth: GroundTruth, aligned: AlignedDetections) -> _Evaluation:
    images = [{"id": i, "height": t.size_hw[0], "width": t.size_hw[1]} for i, t in enumerate(truth.images.values(), 1)]
    categories = [{"id": i, "name": name} for i, name in enumerate(truth.class_names, 1)]
    objects = [a for i, t in enumerate(truth.images.values(), 1) for a in _iter_annotations(i, t)]
    evaluation = _Evaluation(
        _to_coco(images, categories, objects),
        _to_coco(images, categories, list(_iter_detections(aligned))),
        "bbox",
        print_function=_print_nothing,
    )
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


def _to_coco(images: list[Any], categories: list[Any], annotations: list[dict[str, Any]]) -> COCO:
    coco = COCO(print_function=_print_nothing)
    numbered = [annotation | {"id": number} for number, annotation in enumerate(annotations, 1)]
    coco.dataset = {"images": images, "categories": categories, "annotations": numbered}
    coco.createIndex()
    return coco


def _iter_annotations(image_id: int, image: ImageTruth) -> Iterable[dict[str, Any]]:
    ignored: BOOL = ~image.counts
    rows = zip(
        to_exact_ltwh(image.xyxy).tolist(), image.class_index.tolist(), image.area.tolist(), ignored.tolist(),
        (image.ignored & ~image.crowd).tolist(), strict=True,
    )  # fmt: skip
    for bbox, class_index, area, is_ignored, is_difficult in rows:
        yield {
            "image_id": image_id,
            "category_id": class_index + 1,
            "bbox": bbox,
            "area": area,
            "iscrowd": int(is_ignored),
            "difficult": int(is_difficult),
        }


def _iter_detections(aligned: AlignedDetections) -> Iterable[dict[str, Any]]:
    boxes = to_exact_ltwh(aligned.xyxy).tolist()
    rows = zip(aligned.image.tolist(), aligned.class_index.tolist(), boxes, aligned.score.tolist(), strict=True)
    for image, class_index, bbox, score in rows:
        yield {
            "image_id": image + 1,
            "category_id": class_index + 1,
            "bbox": bbox,
            "area": bbox[2] * bbox[3],
            "score": score,
            "iscrowd": 0,
        }


def _read_metrics(evaluation: _Evaluation) -> dict[str, float | None]:
    # [T, R, K, A, M] and [T, K, A, M]: IoU, recall, class, area, detections an image.
    precision, recall = np.asarray(evaluation.eval["precision"]), np.asarray(evaluation.eval["recall"])
    metrics = {
        "ap50_95": _mean(precision[:, :, :, 0, -1]),
        "ap50": _mean(precision[0, :, :, 0, -1]),
        "ap75": _mean(precision[5, :, :, 0, -1]),
        "ar_1": _mean(recall[:, :, 0, 0]),
        "ar_10": _mean(recall[:, :, 0, 1]),
        "ar_100": _mean(recall[:, :, 0, 2]),
    }
    for name in _AREA_TEXTS:
        metrics[f"ap_{name}"] = _mean(precision[:, :, :, _AREAS[name], -1])
        metrics[f"ar_{name}"] = _mean(recall[:, :, _AREAS[name], -1])
    return {name: metrics[name] for name in _METRICS}


def _read_classes(evaluation: _Evaluation, truth: GroundTruth, counts: list[int]) -> dict[str, ClassAccuracy]:
    precision, recall = np.asarray(evaluation.eval["precision"]), np.asarray(evaluation.eval["recall"])
    return {
        name: ClassAccuracy(
            ap50_95=_mean(precision[:, :, k, 0, -1]),
            ap50=_mean(precision[0, :, k, 0, -1]),
            ap75=_mean(precision[5, :, k, 0, -1]),
            ap_small=_mean(precision[:, :, k, 1, -1]),
            ap_medium=_mean(precision[:, :, k, 2, -1]),
            ap_large=_mean(precision[:, :, k, 3, -1]),
            ar_100=_mean(recall[:, k, 0, -1]),
            object_count=counts[k],
        )
        for k, name in enumerate(truth.class_names)
        if counts[k]
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    """The mean of what is defined; the libraries write -1 where nothing is."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else None


def _print_nothing(*_: object) -> None:
    """The libraries report their progress, which is nobody's concern here."""
