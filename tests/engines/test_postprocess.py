"""Every head layout gives the same detections for the same content, with the row each one came from."""

from __future__ import annotations

import numpy as np
import pytest

from detectattn.engines.base import HeadLayout
from detectattn.engines.postprocess import Thresholds, decode_detections
from detectattn.engines.preprocess import plan_resize
from detectattn.types import F32, Detections

IMAGE_HW = (480, 640)
NET_HW = (640, 640)
CLASSES = 3
# xyxy in image pixels, score, class, raw row: what every layout below encodes.
TRUTH = [
    ((10, 20, 110, 220), 0.9, 2, 4),
    ((300, 50, 500, 450), 0.6, 0, 1),
    ((320, 300, 400, 420), 0.3, 1, 3),
]
ROWS = 7


def encode(layout: HeadLayout) -> tuple[F32, ...]:
    """A batch of one whose output holds TRUTH in that layout."""
    boxes = np.array([t[0] for t in TRUTH], np.float32)
    if layout.startswith("rtdetr"):
        normal = boxes / np.array([640, 480, 640, 480], np.float32)
        return _encode_rows(layout, _to_centres(normal))
    net = plan_resize(IMAGE_HW, NET_HW, "letterbox").to_net(boxes)
    return _encode_rows(layout, _to_centres(net) if layout == "yolo_dense" else net)


def _to_centres(xyxy: F32) -> F32:
    return np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def _encode_rows(layout: HeadLayout, boxes: F32) -> tuple[F32, ...]:
    if layout in ("yolo_end2end", "rtdetr_topk"):
        table = [[*box, score, class_id] for box, (_, score, class_id, _) in zip(boxes, TRUTH, strict=True)]
        return (np.array([table], np.float32),)
    dense = np.zeros((1, ROWS, 4 + CLASSES), np.float32)
    for box, (_, score, class_id, row) in zip(boxes, TRUTH, strict=True):
        dense[0, row, :4] = box
        dense[0, row, 4 + class_id] = score
    if layout == "yolo_dense":
        return (np.ascontiguousarray(dense.transpose(0, 2, 1)),)
    return (dense[..., :4], dense[..., 4:]) if layout == "rtdetr_dense" else (dense,)


def decode(layout: HeadLayout, keep: Thresholds) -> Detections:
    fit = "stretch" if layout.startswith("rtdetr") else "letterbox"
    return decode_detections(layout, encode(layout), (plan_resize(IMAGE_HW, NET_HW, fit),), keep)[0]


LAYOUTS: list[HeadLayout] = ["yolo_dense", "yolo_one2one", "yolo_end2end", "rtdetr_dense", "rtdetr_topk"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_agree(layout: HeadLayout) -> None:
    found = decode(layout, Thresholds(conf=0.25))
    np.testing.assert_allclose(found.xyxy, [t[0] for t in TRUTH], atol=0.01)
    np.testing.assert_allclose(found.score, [t[1] for t in TRUTH])
    assert found.class_id.tolist() == [t[2] for t in TRUTH]
    traceable = layout not in ("yolo_end2end", "rtdetr_topk")
    assert (found.query_id is not None and found.query_id.tolist() == [4, 1, 3]) if traceable else not found.query_id


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("keep", "classes"),
    [
        (Thresholds(conf=0.5), [2, 0]),
        (Thresholds(conf=0.25, max_det=1), [2]),
        (Thresholds(conf=0.25, class_ids=(0, 1)), [0, 1]),
        (Thresholds(conf=0.95), []),
    ],
)
def test_thresholds_apply(layout: HeadLayout, keep: Thresholds, classes: list[int]) -> None:
    assert decode(layout, keep).class_id.tolist() == classes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_score_at_the_threshold_is_dropped(layout: HeadLayout) -> None:
    keep = Thresholds(conf=float(np.float32(0.6)))
    assert len(decode(layout, keep)) == 1


def test_yolo_suppresses_overlap_of_one_class_only() -> None:
    table = np.zeros((1, 4 + 2, 3), np.float32)
    table[0, :4] = np.array([[100, 100, 50, 50], [102, 100, 50, 50], [101, 100, 50, 50]]).T
    table[0, 4:] = [[0.9, 0.8, 0.0], [0.0, 0.0, 0.7]]
    resize = plan_resize((640, 640), NET_HW, "letterbox")
    found = decode_detections("yolo_dense", (table,), (resize,), Thresholds(iou=0.5))[0]
    assert found.query_id is not None
    assert found.query_id.tolist() == [0, 2]


def test_multi_label_keeps_every_class_of_a_box() -> None:
    table = np.zeros((1, 4 + 3, 1), np.float32)
    table[0, :, 0] = [100, 100, 50, 50, 0.9, 0.1, 0.4]
    resize = plan_resize((640, 640), NET_HW, "letterbox")
    found = decode_detections("yolo_dense", (table,), (resize,), Thresholds(conf=0.25, multi_label=True))[0]
    assert found.class_id.tolist() == [0, 2]


def test_yolo_boxes_end_at_the_edge_and_rtdetr_boxes_do_not() -> None:
    """As the peer has it: only letterboxed boxes are clipped to the picture."""
    yolo = np.array([[[-50, -50, 700, 700, 0.9, 0]]], np.float32)
    rtdetr = np.array([[[0.5, 0.5, 1.2, 1.2, 0.9, 0]]], np.float32)
    resize = plan_resize((100, 100), (640, 640), "stretch")
    inside = decode_detections("yolo_end2end", (yolo,), (resize,), Thresholds())[0].xyxy
    beyond = decode_detections("rtdetr_topk", (rtdetr,), (resize,), Thresholds())[0].xyxy
    np.testing.assert_allclose(inside, [[0, 0, 100, 100]])
    np.testing.assert_allclose(beyond, [[-10, -10, 110, 110]], atol=1e-3)


def test_padding_rows_of_a_batch_are_ignored() -> None:
    raw = np.repeat(encode("rtdetr_topk")[0], 4, axis=0)
    resizes = (plan_resize(IMAGE_HW, NET_HW, "stretch"),) * 2
    assert len(decode_detections("rtdetr_topk", (raw,), resizes, Thresholds())) == 2


@pytest.mark.parametrize("wrong", [{"conf": 1.5}, {"iou": -0.1}, {"max_det": 0}])
def test_impossible_thresholds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Thresholds(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", ["yolo_end2end", "rtdetr_topk"])
def test_a_class_number_that_none_can_have_is_no_detection(layout: HeadLayout) -> None:
    """Graphs that write it themselves can write anything; tables by class would be as long."""
    box = [0.1, 0.1, 0.2, 0.2, 0.9]
    table = np.array([[[*box, number] for number in (1e9, -1, np.nan, np.inf, 2)]], np.float32)
    found = decode_detections(layout, (table,), (plan_resize((100, 100), (640, 640), "stretch"),), Thresholds())[0]
    assert found.class_id.tolist() == [2]
