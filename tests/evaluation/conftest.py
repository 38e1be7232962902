"""Match tables for tests: from pycocotools' own matching, and drawn from a model of two detectors."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from detectattn.evaluation.truth import GroundTruth, ImageTruth
from detectattn.results import IOU_THRESHOLDS, MatchTable
from detectattn.types import Detections, Prediction


@dataclass(frozen=True)
class CocoScene:
    """Random truths and detections as COCO dictionaries, and what pycocotools makes of them."""

    truth: dict[str, Any]
    detections: list[dict[str, Any]]

    def evaluate(self) -> Any:
        """A COCOeval that has matched and accumulated."""
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO()
            truth.dataset = self.truth
            truth.createIndex()
            evaluation = COCOeval(truth, truth.loadRes(self.detections), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
        return evaluation

    def repeat(self, weights: np.ndarray) -> CocoScene:
        """The scene with every image there as often as its weight says."""
        images, annotations, detections = [], [], []
        for image, weight in zip(self.truth["images"], weights, strict=True):
            for _ in range(int(weight)):
                new = {"image_id": len(images) + 1}
                images.append(image | {"id": len(images) + 1})
                annotations += [a | new for a in self.truth["annotations"] if a["image_id"] == image["id"]]
                detections += [d | new for d in self.detections if d["image_id"] == image["id"]]
        annotations = [a | {"id": i + 1} for i, a in enumerate(annotations)]
        return CocoScene(self.truth | {"images": images, "annotations": annotations}, detections)


def to_match_table(evaluation: Any) -> MatchTable:
    """The match table that pycocotools' own matching gives."""
    params = evaluation.params
    classes = len(params.catIds)
    per_class = len(params.areaRng) * len(params.imgIds)
    truth_count = np.zeros((len(params.imgIds), classes), np.int32)
    image, class_index, score, matched, ignored = [], [], [], [], []
    for c in range(classes):
        for i in range(len(params.imgIds)):
            found = evaluation.evalImgs[c * per_class + i]
            if found is None:
                continue
            truth_count[i, c] = np.count_nonzero(np.asarray(found["gtIgnore"]) == 0)
            image += [i] * len(found["dtScores"])
            class_index += [c] * len(found["dtScores"])
            score += list(found["dtScores"])
            matched.append(np.asarray(found["dtMatches"]) > 0)
            ignored.append(np.asarray(found["dtIgnore"]).astype(bool))
    empty = np.zeros((len(IOU_THRESHOLDS), 0), bool)
    matched_all, ignored_all = np.concatenate([empty, *matched], 1), np.concatenate([empty, *ignored], 1)
    names = tuple(evaluation.cocoGt.cats[i]["name"] for i in params.catIds)
    return MatchTable(
        class_names=names,
        image=np.array(image, np.int32),
        class_index=np.array(class_index, np.int32),
        score=np.array(score, np.float32),
        matched=matched_all & ~ignored_all,
        ignored=ignored_all,
        truth_count=truth_count,
    )


def draw_coco_scene(seed: int, images: int = 12, classes: int = 4, crowds: bool = True) -> CocoScene:
    """Boxes on 200 × 200 pictures: most found a little beside, some twice, some as another class, some not."""
    rng = np.random.default_rng(seed)
    annotations: list[dict[str, Any]] = []
    detections: list[dict[str, Any]] = []
    for image_id in range(1, images + 1):
        for _ in range(int(rng.integers(0, 7))):
            box = [*rng.uniform(0, 130, 2), *rng.uniform(8, 70, 2)]
            category = int(rng.integers(1, classes + 1))
            crowd = int(crowds and rng.random() < 0.1)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image_id, "category_id": category, "bbox": box,
                 "area": box[2] * box[3], "iscrowd": crowd}
            )  # fmt: skip
            for _ in range(int(rng.choice([0, 1, 1, 1, 2]))):
                shifted = [v + rng.normal(0, 0.08) * box[2 + k % 2] for k, v in enumerate(box)]
                guess = category if rng.random() < 0.8 else int(rng.integers(1, classes + 1))
                detections.append(_detection(image_id, guess, shifted, rng))
        for _ in range(int(rng.integers(0, 4))):
            box = [*rng.uniform(0, 130, 2), *rng.uniform(8, 70, 2)]
            detections.append(_detection(image_id, int(rng.integers(1, classes + 1)), box, rng))
    truth = {
        "images": [{"id": i, "width": 200, "height": 200} for i in range(1, images + 1)],
        "categories": [{"id": c, "name": f"class {c}"} for c in range(1, classes + 1)],
        "annotations": annotations,
    }
    return CocoScene(truth, detections)


def _detection(image_id: int, category: int, box: list[float], rng: np.random.Generator) -> dict[str, Any]:
    box = [float(v) for v in (*box[:2], max(box[2], 2), max(box[3], 2))]
    # float32 values, so that no two scores that differ become equal in a match table.
    score = float(np.float32(rng.random()))
    return {"image_id": image_id, "category_id": category, "bbox": box, "score": score}


def draw_tables(
    rng: np.random.Generator,
    images: int,
    *,
    skills: tuple[float, ...] = (0.9, 1.1),
    class_share: tuple[float, ...] = (0.4, 0.25, 0.15, 0.1, 0.06, 0.04),
    objects: float = 6.0,
    false_alarms: float = 4.0,
) -> list[MatchTable]:
    """What models of some skill make of the same pictures: hard pictures and hard objects are hard for all.

    Every object has a visibility, shared by the models; a model that finds it does so with a score and an overlap that
    grow with visibility and skill. False alarms come with low scores, more of them in cluttered pictures.
    """
    classes = len(class_share)
    ease = rng.normal(0, 0.7, images)
    count = rng.poisson(objects * np.exp(rng.normal(-0.2, 0.6, images)))
    image = np.repeat(np.arange(images), count)
    class_index = rng.choice(classes, len(image), p=np.array(class_share) / sum(class_share))
    visible = ease[image] + rng.normal(0, 1.0, len(image)) + np.linspace(0.5, -0.5, classes)[class_index]
    clutter = rng.poisson(false_alarms * np.exp(rng.normal(0, 0.6, images) - 0.3 * ease))
    truth_count = np.zeros((images, classes), np.int32)
    np.add.at(truth_count, (image, class_index), 1)
    return [_draw_table(rng, s, image, class_index, visible, clutter, truth_count) for s in skills]


def _draw_table(
    rng: np.random.Generator, skill: float, image: Any, class_index: Any, visible: Any, clutter: Any, truth_count: Any
) -> MatchTable:
    images, classes = truth_count.shape
    strength = visible + skill + rng.normal(0, 0.7, len(image))
    iou = 1 / (1 + np.exp(-(1.1 + 0.5 * strength + rng.normal(0, 0.6, len(image)))))
    false_image = np.repeat(np.arange(images), rng.poisson(clutter))
    found = strength > -1.0
    score = np.concatenate([strength[found], rng.normal(-0.8, 0.8, len(false_image))])
    overlap = np.concatenate([iou[found], np.zeros(len(false_image))])
    return MatchTable(
        class_names=tuple(f"class {c}" for c in range(classes)),
        image=np.concatenate([image[found], false_image]).astype(np.int32),
        class_index=np.concatenate([class_index[found], rng.integers(0, classes, len(false_image))]).astype(np.int32),
        score=(1 / (1 + np.exp(-score))).astype(np.float32),
        matched=overlap >= IOU_THRESHOLDS[:, None],
        ignored=np.zeros((len(IOU_THRESHOLDS), len(score)), bool),
        truth_count=truth_count,
    )


def take_images(table: MatchTable, images: np.ndarray) -> MatchTable:
    """The table of some of its images, each once."""
    place = np.full(table.image_count, -1, np.int32)
    place[images] = np.arange(len(images))
    rows = place[table.image] >= 0
    return MatchTable(
        class_names=table.class_names,
        image=place[table.image[rows]],
        class_index=table.class_index[rows],
        score=table.score[rows],
        matched=table.matched[:, rows],
        ignored=table.ignored[:, rows],
        truth_count=table.truth_count[images],
    )


@pytest.fixture
def coco_scene() -> Callable[..., CocoScene]:
    """Draws truths and detections that pycocotools can evaluate."""
    return draw_coco_scene


@pytest.fixture
def match_table() -> Callable[[Any], MatchTable]:
    """Makes a match table of what pycocotools matched."""
    return to_match_table


@pytest.fixture
def drawn_tables() -> Callable[..., list[MatchTable]]:
    """Draws match tables of several models on the same pictures."""
    return draw_tables


@pytest.fixture
def taken_images() -> Callable[[MatchTable, np.ndarray], MatchTable]:
    """Takes some images out of a match table."""
    return take_images


@dataclass(frozen=True)
class JudgedScene:
    """Random ground truth and one model's records, with ties, crowds, ignored objects and empty images."""

    truth: GroundTruth
    predictions: list[Prediction]

    def evaluate(self, *, first_annotation_id: int = 1) -> Any:
        """What pycocotools makes of it: a COCOeval that has matched, accumulated and summarised.

        Ignored objects are evaluated as crowds whose overlap is the ordinary one.
        """
        from pycocotools import mask
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        def compute_iou(evaluation: Any, image_id: int, category_id: int) -> Any:
            objects, found = evaluation._gts[image_id, category_id], evaluation._dts[image_id, category_id]
            if not objects or not found:
                return []
            order = np.argsort([-d["score"] for d in found], kind="mergesort")[: evaluation.params.maxDets[-1]]
            crowds = [int(o["iscrowd"] and not o["difficult"]) for o in objects]
            return mask.iou([found[i]["bbox"] for i in order], [o["bbox"] for o in objects], crowds)

        truth, found = COCO(), COCO()
        truth.dataset, found.dataset = self.to_coco(first_annotation_id)
        with contextlib.redirect_stdout(io.StringIO()):
            truth.createIndex()
            found.createIndex()
            evaluation = type("Evaluation", (COCOeval,), {"computeIoU": compute_iou})(truth, found, "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return evaluation

    def to_coco(self, first_annotation_id: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ground truth and detections as COCO data sets."""
        images = [{"id": i, "height": t.size_hw[0], "width": t.size_hw[1]} for i, t in self._numbered()]
        categories = [{"id": i, "name": name} for i, name in enumerate(self.truth.class_names)]
        objects = [
            {"image_id": i, "category_id": c, "bbox": to_ltwh(box), "area": area, "iscrowd": int(crowd or ignored),
             "difficult": int(ignored and not crowd)}
            for i, t in self._numbered()
            for box, c, area, crowd, ignored in zip(
                t.xyxy, t.class_index.tolist(), t.area.tolist(), t.crowd.tolist(), t.ignored.tolist(), strict=True)
        ]  # fmt: skip
        ids = {key: i for i, key in enumerate(self.truth.images)}
        by_name = {name: i for i, name in enumerate(self.truth.class_names)}
        found = [
            {"image_id": ids[p.source, p.index], "category_id": by_name[p.class_name(c).casefold()],
             "bbox": to_ltwh(box), "score": score, "area": float(np.prod(to_ltwh(box)[2:])), "iscrowd": 0, "id": 0}
            for p in self.predictions
            if (p.source, p.index) in ids
            for box, score, c in zip(
                p.detections.xyxy, p.detections.score.tolist(), p.detections.class_id.tolist(), strict=True)
            if p.class_name(c).casefold() in by_name
        ]  # fmt: skip
        for number, row in enumerate(objects, first_annotation_id):
            row["id"] = number
        for number, row in enumerate(found, 1):
            row["id"] = number
        base = {"images": images, "categories": categories}
        return base | {"annotations": objects}, base | {"annotations": found}

    def _numbered(self) -> Any:
        return list(enumerate(self.truth.images.values()))


def to_ltwh(xyxy: np.ndarray) -> list[float]:
    """One box in double precision."""
    left, top, right, bottom = xyxy.astype(np.float64).tolist()
    return [left, top, right - left, bottom - top]


def draw_judged_scene(
    seed: int, images: int = 12, classes: int = 4, *, whole: bool = True, ignore: float = 0.15, density: int = 8
) -> JudgedScene:
    """Boxes of all sizes on 300 × 400 pictures; ``whole`` pixels and few distinct scores make ties."""
    rng = np.random.default_rng(seed)
    names = tuple(f"class {c}" for c in range(classes))
    truths: dict[tuple[str, int], ImageTruth] = {}
    predictions = []
    # Models number their classes otherwise; the last has no object, and one more is unknown to the ground truth.
    model_names = {10 + c: names[classes - 1 - c].upper() for c in range(classes)} | {99: "unknown"}
    for i in range(images):
        count = int(rng.integers(0, density))
        boxes = draw_boxes(rng, count, whole=whole)
        index = rng.integers(0, max(classes - 1, 1), count).astype(np.int32)
        crowd, ignored = rng.random(count) < ignore / 2, rng.random(count) < ignore
        area = np.prod(boxes[:, 2:].astype(np.float64) - boxes[:, :2], axis=1) * rng.uniform(0.6, 1, count)
        truths[f"{i:03d}.jpg", 0] = ImageTruth((300, 400), boxes, index, crowd, ignored, area)
        repeats = rng.integers(0, 3, count)
        near = np.repeat(boxes, repeats, axis=0)
        near = near + rng.normal(0, 4, near.shape).astype(np.float32)
        near = np.round(near) if whole else near
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        exact = boxes[rng.random(count) < 0.2]
        stray = draw_boxes(rng, int(rng.integers(0, 5)), whole=whole)
        xyxy = np.concatenate([near, exact, stray]).astype(np.float32)
        score = np.round(rng.random(len(xyxy)), 1 if whole else 6).astype(np.float32)
        order = np.argsort(-score, kind="stable")
        class_id = rng.choice(list(model_names), len(xyxy)).astype(np.int32)
        right = classes - 1 - np.repeat(index, repeats) + 10
        keep = rng.random(len(right)) < 0.85
        class_id[: len(right)][keep] = right[keep]
        found = Detections(xyxy[order], score[order], class_id[order])
        if i != 1:
            predictions.append(Prediction(f"{i:03d}.jpg", 0, (300, 400), found, "model", model_names))
    return JudgedScene(GroundTruth(names, truths), predictions)


def draw_boxes(rng: np.random.Generator, count: int, *, whole: bool) -> np.ndarray:
    """Boxes f32[N, 4] from a few pixels to most of the picture."""
    sides = np.exp(rng.uniform(np.log(6), np.log(200), (count, 2)))
    corner = rng.uniform(0, 1, (count, 2)) * (np.array([400, 300]) - sides)
    boxes = np.concatenate([corner, corner + sides], axis=1)
    if whole:
        boxes = np.round(boxes / 4) * 4
    return boxes.astype(np.float32)


@pytest.fixture
def judged_scene() -> Callable[..., JudgedScene]:
    """Draws ground truth and records that pycocotools can evaluate too."""
    return draw_judged_scene
