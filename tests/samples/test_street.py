"""The shipped street pictures and their ground truth: what the code draws, and the same in every form."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import parse

import cv2
import numpy as np
import pytest
import yaml
from pycocotools.coco import COCO

from samples.make_street import CATEGORIES, PICTURES
from samples.scenes import CLASS_NAMES, SAMPLE_SEEDS, draw_scene

STREET = Path(__file__).resolve().parents[2] / "samples" / "street"
Box = tuple[str, float, float, float, float]


@pytest.fixture(scope="module")
def coco() -> COCO:
    return COCO(str(STREET / "annotations.json"))


def _read_coco(coco: COCO, file: str) -> list[Box]:
    (image_id,) = [key for key, image in coco.imgs.items() if image["file_name"] == file]
    names = {key: category["name"] for key, category in coco.cats.items()}
    boxes = [(names[a["category_id"]], *a["bbox"]) for a in coco.imgToAnns[image_id]]
    return [(name, x, y, x + w, y + h) for name, x, y, w, h in boxes]


def _read_yolo(file: str, size_wh: tuple[int, int]) -> list[Box]:
    names = yaml.safe_load((STREET / "data.yaml").read_text())["names"]
    boxes = []
    for line in (STREET / "labels" / file).with_suffix(".txt").read_text().splitlines():
        class_id, *cxcywh = line.split()
        center, side = np.array([float(v) for v in cxcywh]).reshape(2, 2) * size_wh
        boxes.append((names[int(class_id)], *(center - side / 2), *(center + side / 2)))
    return boxes


def _read_voc(file: str) -> list[Box]:
    boxes = []
    for item in parse((STREET / "voc" / file).with_suffix(".xml")).iter("object"):
        left, top, right, bottom = (int(item.findtext(f"bndbox/{tag}")) for tag in ("xmin", "ymin", "xmax", "ymax"))
        boxes.append((item.findtext("name"), left - 1, top - 1, right, bottom))
    return boxes


@pytest.mark.parametrize(("file", "place", "hw"), PICTURES, ids=[file for file, *_ in PICTURES])
def test_a_picture_is_what_its_seed_draws_and_its_ground_truth_agrees(
    file: str, place: int, hw: tuple[int, int], coco: COCO
) -> None:
    scene, kept = draw_scene(SAMPLE_SEEDS[place], hw), cv2.imread(str(STREET / "images" / file))
    assert kept.shape == scene.bgr.shape
    # JPEG keeps most of the grain; another build of the encoder may round another way.
    assert np.abs(kept.astype(int) - scene.bgr).mean() < 6
    drawn = [(CLASS_NAMES[c], *box) for c, box in zip(scene.class_id, scene.xyxy.tolist(), strict=True)]
    assert _read_coco(coco, file) == drawn
    assert _read_voc(file) == drawn
    yolo = _read_yolo(file, (hw[1], hw[0]))
    assert [name for name, *_ in yolo] == [name for name, *_ in drawn]
    assert np.array([box for _, *box in yolo]) == pytest.approx(np.array([box for _, *box in drawn]), abs=1e-3)


def test_coco_knows_all_pictures_by_coco_s_own_category_ids(coco: COCO) -> None:
    assert sorted(image["file_name"] for image in coco.imgs.values()) == sorted(file for file, *_ in PICTURES)
    assert {key: category["name"] for key, category in coco.cats.items()} == CATEGORIES
    assert CATEGORIES == {1: "person", 2: "bicycle", 3: "car", 6: "bus", 8: "truck", 10: "traffic light"}
    assert min(coco.anns) == min(coco.imgs) == 1
    assert len(coco.anns) > 600
    assert {a["category_id"] for a in coco.anns.values()} == set(CATEGORIES)


def test_there_are_as_many_files_of_each_form_and_no_more() -> None:
    stems = {Path(file).stem for file, *_ in PICTURES}
    assert len(stems) == 24
    for folder in ("images", "labels", "voc"):
        assert {path.stem for path in (STREET / folder).iterdir()} == stems
    sizes = {hw for *_, hw in PICTURES}
    assert len(sizes) >= 5
    assert max(max(hw) for hw in sizes) <= 960
