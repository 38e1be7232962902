"""One pass gives detections and attention, or an error that says what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectattn.attention.capture import capture
from detectattn.attention.fitting_size import find_fitting_size
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import EngineError, OutOfMemory
from detectattn.types import F32, U8, Detections


def detect(detector: Detector, bgr: U8) -> Detections:
    fitted, resize = detector.fit(bgr)
    tensor = np.zeros((detector.batch, *fitted.shape), np.float32)
    tensor[0] = fitted
    return detector.decode(detector.engine.infer(tensor), (resize,), Thresholds())[0]


@pytest.mark.parametrize("name", ["demo-rtdetr", "demo-yolo"])
@pytest.mark.parametrize("batch", [1, 3])
def test_detections_are_those_of_a_plain_run(name: str, batch: int, open_embedded: Any, noon_bgr: U8) -> None:
    detector = open_embedded(name, batch=batch)
    plain = detect(detector, noon_bgr)
    captured = capture(detector, noon_bgr, Thresholds())
    assert len(plain) >= 5
    for field in ("xyxy", "score", "class_id", "query_id"):
        np.testing.assert_array_equal(getattr(captured.detections, field), getattr(plain, field))
    assert captured.record.self_attention
    assert {site.module for site in captured.sites} == {
        a.module for a in (*captured.record.self_attention, *captured.record.cross_attention)
    }


def test_the_record_is_in_the_order_of_the_pass(open_embedded: Any, noon_bgr: U8) -> None:
    record = capture(open_embedded("demo-rtdetr"), noon_bgr, Thresholds()).record
    assert [(a.kind, a.layer) for a in record.self_attention] == [
        ("global", 0), ("query", 0), ("query", 1), ("query", 2), ("query", 3)
    ]  # fmt: skip
    assert [a.layer for a in record.cross_attention] == [0, 1, 2, 3]
    assert record.net_hw == (320, 320)


def test_a_trained_model_looks_at_what_it_finds(open_embedded: Any, noon_bgr: U8) -> None:
    """Sampled places of the last layer, weighted, lie about the box of the detection."""
    captured = capture(open_embedded("demo-rtdetr"), noon_bgr, Thresholds(conf=0.5))
    cross = captured.record.cross_attention[-1]
    queries = captured.detections.query_id
    assert queries is not None
    points, weights = cross.points[queries], cross.weights[queries]
    heads = weights.shape[1]
    centre = (points * weights[..., None]).sum((1, 2, 3)) / heads * np.array([960, 540])
    inside = (centre > captured.detections.xyxy[:, :2]).all(1) & (centre < captured.detections.xyxy[:, 2:]).all(1)
    assert inside.mean() > 0.9


def test_a_model_without_attention_gives_detections_and_an_empty_record(open_noisy: Any, noon_bgr: U8) -> None:
    captured = capture(open_noisy("yolov8n"), noon_bgr, Thresholds(conf=1e-5))
    assert captured.sites == ()
    assert (captured.record.self_attention, captured.record.cross_attention) == ((), ())
    assert captured.decoder is None
    assert len(captured.detections) > 0


def test_the_best_are_kept(open_embedded: Any, noon_bgr: U8) -> None:
    captured = capture(open_embedded("demo-rtdetr"), noon_bgr, Thresholds())
    kept = captured.keep_best(3)
    np.testing.assert_array_equal(kept.detections.score, captured.detections.score[:3])
    assert len(captured.keep_best(1000).detections) == len(captured.detections)


def test_another_engine_names_the_weights_that_would_do(open_embedded: Any, noon_bgr: U8) -> None:
    class Foreign:
        def __init__(self, spec: Any) -> None:
            self.spec = spec

        def infer(self, tensor: F32) -> tuple[F32, ...]:
            raise AssertionError("it must not be run")

        def close(self) -> None: ...

    own = open_embedded("demo-rtdetr")
    weights = replace(own.weights, path=own.weights.path.with_name("rtdetr-l_openvino_model"), format="openvino")
    foreign = Detector(Foreign(replace(own.engine.spec, engine="openvino")), "rtdetr-l", weights)
    with pytest.raises(EngineError, match=r"runs on openvino.*rtdetr-l\.pt"):
        capture(foreign, noon_bgr, Thresholds())


def test_half_precision_is_refused(open_embedded: Any, noon_bgr: U8, monkeypatch: pytest.MonkeyPatch) -> None:
    own = open_embedded("demo-rtdetr")
    monkeypatch.setattr(own.engine, "spec", replace(own.engine.spec, precision="fp16"))
    with pytest.raises(EngineError, match="--precision fp32"):
        capture(Detector(own.engine, "demo-rtdetr", own.weights), noon_bgr, Thresholds())


def limit_memory(detector: Detector, pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine run out of memory above so many pixels."""
    infer = detector.engine.infer

    def refuse(tensor: F32) -> tuple[F32, ...]:
        if tensor[0, 0].size > pixels:
            raise OutOfMemory(f"cpu has too little memory at {tensor.shape[2]}×{tensor.shape[3]}", hint="Buy more")
        return infer(tensor)

    monkeypatch.setattr(detector.engine, "infer", refuse)


def test_out_of_memory_names_a_size_that_fits(
    open_embedded: Any, noon_bgr: U8, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = open_embedded("demo-rtdetr", imgsz_hw=(640, 640))
    limit_memory(detector, 352 * 352, monkeypatch)
    with pytest.raises(OutOfMemory, match=r"at 640×640, where attention is captured\. Use --imgsz 352, which fits"):
        capture(detector, noon_bgr, Thresholds())


def test_where_nothing_fits_no_size_is_promised(
    open_embedded: Any, noon_bgr: U8, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = open_embedded("demo-yolo")
    limit_memory(detector, 0, monkeypatch)
    assert find_fitting_size(detector.engine, (192, 320)) is None
    with pytest.raises(OutOfMemory, match="--device cpu"):
        capture(detector, noon_bgr, Thresholds())
