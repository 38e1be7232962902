"""Every detection leads back to the query or the anchor that it came from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from detectattn.attention.capture import CapturedPicture, capture
from detectattn.attention.trace import AnchorPlace, check_trace, find_anchor, trace_boxes, trace_scores
from detectattn.boxes import clip_boxes, xywh_to_xyxy
from detectattn.engines.decoder_cut import find_head
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.engines.pytorch import TorchEngine
from detectattn.errors import EngineError
from detectattn.types import I32, U8


def ids(captured: CapturedPicture) -> I32:
    query_id = captured.detections.query_id
    assert query_id is not None
    return query_id


def raw_decoder(detector: Detector, bgr: U8) -> tuple[Any, Any]:
    """Boxes f32[Q, 4] and logits f32[Q, C] as the decoder itself returns them, from a pass without any hook."""
    assert isinstance(detector.engine, TorchEngine)
    with torch.inference_mode():
        pixels = torch.from_numpy(detector.fit(bgr)[0][None]).to(memory_format=torch.channels_last)
        _, (boxes, logits, *_) = detector.engine.model(pixels)
    return boxes[-1, 0].numpy(), logits[-1, 0].numpy()


@pytest.mark.parametrize(
    ("name", "options"), [("demo-rtdetr", {}), ("demo-rtdetr", {"imgsz_hw": (192, 320)}), ("rtdetr-l", {})]
)
def test_a_query_leads_to_its_detection(
    name: str, options: Any, open_embedded: Any, open_noisy: Any, noon_bgr: U8
) -> None:
    """Score and box are recomputed from the decoder's raw output, and from its last layer."""
    detector = (open_embedded if name.startswith("demo") else open_noisy)(name, **options)
    captured = capture(detector, noon_bgr, Thresholds(conf=0.05))
    detections, queries = captured.detections, ids(captured)
    assert len(detections) >= 20
    assert len(set(queries.tolist())) > 10
    boxes, logits = raw_decoder(detector, noon_bgr)
    score = 1 / (1 + np.exp(-logits[queries, detections.class_id]))
    np.testing.assert_allclose(score, detections.score, atol=1e-5)
    xyxy = xywh_to_xyxy(boxes[queries]) * np.array([960, 540, 960, 540], np.float32)
    np.testing.assert_allclose(xyxy, detections.xyxy, atol=0.01)
    assert captured.decoder is not None
    np.testing.assert_allclose(trace_boxes(captured.decoder, queries, captured.resize)[-1], detections.xyxy, atol=0.02)
    np.testing.assert_allclose(
        trace_scores(captured.decoder, queries, detections.class_id)[-1], detections.score, atol=1e-5
    )


def test_layers_are_those_of_a_shorter_decoder(open_embedded: Any, noon_bgr: U8) -> None:
    """What a layer makes of the queries is the output of the same model cut after it."""
    full = capture(open_embedded("demo-rtdetr"), noon_bgr, Thresholds()).decoder
    assert full is not None
    layers = len(full.boxes)
    assert layers == 4
    for kept in range(1, layers):
        cut = capture(open_embedded("demo-rtdetr", decoder_layers=kept), noon_bgr, Thresholds())
        np.testing.assert_allclose(full.boxes[kept - 1], cut.outputs[0], atol=1e-5)
        np.testing.assert_allclose(full.scores[kept - 1], cut.outputs[1], atol=1e-5)
        assert cut.decoder is not None
        np.testing.assert_allclose(full.proposals, cut.decoder.proposals, atol=1e-6)


def test_layers_close_in_on_the_object(open_embedded: Any, noon_bgr: U8) -> None:
    captured = capture(open_embedded("demo-rtdetr"), noon_bgr, Thresholds(conf=0.5))
    assert captured.decoder is not None
    steps = trace_boxes(captured.decoder, ids(captured), captured.resize)
    away = np.abs(steps - steps[-1]).mean((1, 2))
    assert steps.shape == (5, len(captured.detections), 4)
    assert away[0] > away[-2]


def test_another_output_than_the_last_layers_is_refused(open_embedded: Any, noon_bgr: U8) -> None:
    captured = capture(open_embedded("demo-rtdetr"), noon_bgr, Thresholds())
    assert captured.decoder is not None
    check_trace(captured.decoder, *captured.outputs)
    shifted = replace(captured.decoder, boxes=captured.decoder.boxes + np.float32(1e-3))
    with pytest.raises(EngineError, match=r"cannot be traced through the decoder.*1\.0e-03"):
        check_trace(shifted, *captured.outputs)


@pytest.mark.parametrize(("name", "options"), [("demo-yolo", {}), ("demo-yolo", {"square": True}), ("yolo26n", {})])
def test_an_anchor_leads_to_its_detection(
    name: str, options: Any, open_embedded: Any, open_noisy: Any, noon_bgr: U8
) -> None:
    detector = (open_embedded if name.startswith("demo") else open_noisy)(name, **options)
    captured = capture(detector, noon_bgr, Thresholds(conf=1e-5))
    (raw,) = captured.outputs
    table = raw if detector.engine.spec.layout == "yolo_one2one" else raw.T
    rows = table[ids(captured)]
    np.testing.assert_array_equal(
        rows[np.arange(len(rows)), 4 + captured.detections.class_id], captured.detections.score
    )
    boxes = rows[:, :4] if detector.engine.spec.layout == "yolo_one2one" else xywh_to_xyxy(rows[:, :4])
    placed = clip_boxes(captured.resize.to_image(boxes), (540, 960))
    assert len(placed) >= 20
    np.testing.assert_allclose(placed, captured.detections.xyxy, atol=1e-3)


def test_an_anchor_is_a_cell(open_embedded: Any, noon_bgr: U8) -> None:
    """The head's own anchors say where its rows lie."""
    detector = open_embedded("demo-yolo")
    captured = capture(detector, noon_bgr, Thresholds())
    head = find_head(detector.engine.model)
    assert captured.grid_hw == ((24, 40), (12, 20), (6, 10))
    anchors, strides = head.anchors.T.numpy(), head.strides[0].numpy()
    for anchor_id in (0, 39, 40, 959, 960, 1199, 1200, 1259):
        place = find_anchor(anchor_id, captured.grid_hw)
        assert [place.column + 0.5, place.row + 0.5] == anchors[anchor_id].tolist()
        assert strides[anchor_id] == 8 * 2**place.level
    with pytest.raises(IndexError, match="1260"):
        find_anchor(1260, captured.grid_hw)


def test_cells_are_counted_by_rows() -> None:
    assert find_anchor(7, ((2, 3), (1, 2))) == AnchorPlace(1, 0, 1)
    assert find_anchor(5, ((2, 3), (1, 2))) == AnchorPlace(0, 1, 2)
