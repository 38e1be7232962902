"""Gradients are those of the very detection, and the model does not notice that they were taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from detectattn.attention.capture import capture
from detectattn.attention.gradient import compute_gradients
from detectattn.attention.maps import build_map, list_methods
from detectattn.attention.maps.base import Evidence
from detectattn.boxes import compute_iou
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.decoder_cut import find_head
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import EngineError, OutOfMemory
from detectattn.types import F32, U8, Detections, WeightsFile
from tests.attention.noisy_models import build_noisy

PAIR = ["demo-rtdetr", "demo-yolo"]
NOISY = ["rtdetr-l", "yolov8n", "yolo11n", "yolo12n", "yolo26n"]


def detect(detector: Detector, bgr: U8, count: int = 3) -> Detections:
    fitted, resize = detector.fit(bgr)
    found = detector.decode(detector.engine.infer(fitted[None]), (resize,), Thresholds(conf=0.001))[0]
    return found.take(np.arange(min(count, len(found))))


def read_state(model: Any) -> Mapping[str, Any]:
    """Everything about a model that a pass could leave behind; arrays by their bytes."""
    head = find_head(model)
    kept = {name: value for name, value in vars(head).items() if not name.startswith("_")}
    return {
        "mode": [module.training for module in model.modules()],
        "hooks": [
            len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
            for module in model.modules()
        ],
        "wants": [parameter.requires_grad for parameter in model.parameters()],
        "gradients": [parameter.grad is None for parameter in model.parameters()],
        "weights": [value.numpy().tobytes() for value in model.state_dict().values()],
        "head": {name: id(value) for name, value in kept.items()},
        "grad_mode": torch.is_grad_enabled(),
    }


def compute_logits(outputs: tuple[F32, ...], layout: str) -> F32:
    """Logits f32[rows, classes] of a picture from what an engine gives."""
    scores = {
        "rtdetr_dense": lambda: outputs[1][0],
        "yolo_dense": lambda: outputs[0][0, 4:].T,
        "yolo_one2one": lambda: outputs[0][0, :, 4:],
    }[layout]()
    clipped = np.clip(scores.astype(np.float64), 1e-12, 1 - 1e-12)
    logits: F32 = np.log(clipped / (1 - clipped)).astype(np.float32)
    return logits


@pytest.mark.parametrize("name", PAIR)
@pytest.mark.parametrize("pixels", [False, True], ids=["head", "pixels"])
def test_nothing_of_it_stays(name: str, pixels: bool, open_embedded: Any, noon_bgr: U8) -> None:
    detector = open_embedded(name)
    fitted, _ = detector.fit(noon_bgr)
    before = detector.engine.infer(fitted[None])
    state = read_state(detector.engine.model)
    compute_gradients(detector, noon_bgr, detect(detector, noon_bgr), pixels=pixels, hold_others=True)
    assert read_state(detector.engine.model) == state
    for one, other in zip(before, detector.engine.infer(fitted[None]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_of_it_stays_before_the_first_pass(open_embedded: Any, noon_bgr: U8) -> None:
    found = detect(open_embedded("demo-rtdetr"), noon_bgr)
    fresh = open_embedded("demo-rtdetr")
    state = read_state(fresh.engine.model)
    compute_gradients(fresh, noon_bgr, found)
    assert read_state(fresh.engine.model) == state


def test_nothing_of_it_stays_after_a_failure(open_embedded: Any, noon_bgr: U8, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = open_embedded("demo-rtdetr")
    found = detect(detector, noon_bgr)
    state = read_state(detector.engine.model)
    for error, expected in ((RuntimeError("can't allocate memory"), OutOfMemory), (RuntimeError("odd"), RuntimeError)):
        with monkeypatch.context() as patch:
            patch.setattr(torch.autograd, "grad", lambda *_, error=error, **__: (_ for _ in ()).throw(error))
            with pytest.raises(expected):
                compute_gradients(detector, noon_bgr, found)
        assert read_state(detector.engine.model) == state


@pytest.mark.parametrize("name", PAIR)
def test_gradients_foretell_how_the_score_changes(name: str, open_embedded: Any, noon_bgr: U8) -> None:
    """A small step along the gradient by pixels raises the detection's own logit by as much as the gradient says."""
    detector = open_embedded(name)
    found = detect(detector, noon_bgr)
    fitted, _ = detector.fit(noon_bgr)
    record = compute_gradients(detector, noon_bgr, found, pixels=True)
    assert record.pixels is not None
    np.testing.assert_array_equal(record.pixels.activation, fitted)
    layout = detector.engine.spec.layout
    assert found.query_id is not None
    for row in range(len(found)):
        gradient = record.pixels.gradient[row]
        step = gradient * np.float32(0.02 / np.square(gradient).sum())
        up, down = (compute_logits(detector.engine.infer((fitted + sign * step)[None]), layout) for sign in (1, -1))
        cell = int(found.query_id[row]), int(found.class_id[row])
        assert float(up[cell] - down[cell]) == pytest.approx(0.04, rel=0.25)


@pytest.mark.parametrize("name", PAIR)
def test_gradients_end_at_the_head_unless_pixels_are_wanted(name: str, open_embedded: Any, noon_bgr: U8) -> None:
    detector = open_embedded(name)
    found = detect(detector, noon_bgr)
    near = compute_gradients(detector, noon_bgr, found)
    far = compute_gradients(detector, noon_bgr, found, pixels=True)
    assert near.pixels is None
    assert [level.activation.shape[1:] for level in near.head] == [level.activation.shape[1:] for level in far.head]
    for one, other in zip(near.head, far.head, strict=True):
        np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-3, atol=1e-5)
        assert one.gradient.shape == (len(found), *one.activation.shape)


@pytest.mark.parametrize("name", PAIR)
def test_the_head_alone_gives_the_same(name: str, open_embedded: Any, noon_bgr: U8) -> None:
    detector = open_embedded(name)
    captured = capture(detector, noon_bgr, Thresholds(conf=0.5)).keep_best(3)
    whole = compute_gradients(detector, noon_bgr, captured.detections)
    state = read_state(detector.engine.model)
    alone = compute_gradients(detector, noon_bgr, captured.detections, levels=captured.levels)
    assert read_state(detector.engine.model) == state
    for one, other in zip(whole.head, alone.head, strict=True):
        np.testing.assert_array_equal(one.activation, other.activation)
        np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-4, atol=1e-6)


def test_other_queries_can_be_held(open_embedded: Any, noon_bgr: U8) -> None:
    """Held, the gradient lies at what the query itself reads: far more of it in the box, and never the same."""
    detector = open_embedded("demo-rtdetr")
    captured = capture(detector, noon_bgr, Thresholds(conf=0.5)).keep_best(4)
    energies = []
    for hold in (False, True):
        gradients = compute_gradients(detector, noon_bgr, captured.detections, hold_others=hold)
        evidence = Evidence(captured.detections, captured.record, captured.resize, gradients)
        energies.append([energy_in_box(evidence, "layercam", row) for row in range(4)])
    assert np.mean(energies[1]) > np.mean(energies[0]) + 0.1


def energy_in_box(evidence: Evidence, method: str, row: int) -> float:
    values = build_map(method, evidence, row).values
    scale = values.shape[1] / evidence.resize.image_hw[1]
    left, top, right, bottom = np.clip((evidence.detections.xyxy[row] * scale).round().astype(int), 0, None)
    return float(values[top:bottom, left:right].sum())


@pytest.mark.parametrize("name", PAIR)
def test_maps_of_a_trained_model_lie_on_its_detections(name: str, open_embedded: Any, noon_bgr: U8) -> None:
    """Each lights up its own box more than that of any other detection that it does not touch."""
    detector = open_embedded(name)
    captured = capture(detector, noon_bgr, Thresholds(conf=0.5)).keep_best(5)
    found = captured.detections
    gradients = compute_gradients(detector, noon_bgr, found, pixels=True)
    evidence = Evidence(found, captured.record, captured.resize, gradients)
    apart = compute_iou(found.xyxy, found.xyxy) == 0
    for method in set(list_methods(captured.record)) - {"encoder_rows", "random"}:
        own = [energy_in_box(evidence, method, row) for row in range(len(found))]
        other = [
            energy_in_box(Evidence(moved(found, row, column), captured.record, captured.resize, gradients), method, row)
            for row, column in zip(range(len(found)), apart.argmax(axis=1), strict=True)
        ]
        if method != "box_blob":
            assert np.mean(own) > 2 * np.mean(other), method


def moved(found: Detections, row: int, column: int) -> Detections:
    """The same detections, one with the box of another."""
    xyxy = found.xyxy.copy()
    xyxy[row] = xyxy[column]
    return Detections(xyxy, found.score, found.class_id, found.query_id)


@pytest.mark.parametrize("name", NOISY)
def test_every_architecture_can_be_drawn(name: str, open_noisy: Any, noon_bgr: U8) -> None:
    detector = open_noisy(name, imgsz_hw=(128, 128))
    captured = capture(detector, noon_bgr, Thresholds(conf=1e-6)).keep_best(2)
    found = captured.detections
    assert len(found) == 2
    fitted, _ = detector.fit(noon_bgr)
    before = detector.engine.infer(fitted[None])
    gradients = compute_gradients(detector, noon_bgr, found, pixels=True)
    evidence = Evidence(found, captured.record, captured.resize, gradients)
    for method in list_methods(captured.record):
        values = build_map(method, evidence, 1).values
        assert values.shape == (72, 128)
        assert np.isfinite(values).all()
        if method not in ("layercam", "hirescam"):  # of seeded noise nothing need speak for the class
            assert values.sum() == pytest.approx(1, abs=1e-3)
    assert any(np.abs(level.gradient[1]).max() > 0 for level in gradients.head)
    for one, other in zip(before, detector.engine.infer(fitted[None]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_end_to_end_head_is_differentiated_where_it_detects(tmp_path: Path, noon_bgr: U8) -> None:
    """YOLO26 has a second set of classifiers; the gradient must be that of the ones whose scores are detections."""
    model = build_noisy("yolo26n")
    model.end2end = True
    for classifier in find_head(model).one2one_cv3:  # noise says 1.0 of everything, of which there is no logit
        torch.nn.init.normal_(classifier[-1].weight, std=1e-4)
        torch.nn.init.zeros_(classifier[-1].bias)
    torch.save({"model": model, "train_args": {"task": "detect", "imgsz": 128}}, tmp_path / "yolo26n.pt")
    weights = WeightsFile(tmp_path / "yolo26n.pt", "", "pt", "local")
    detector = open_detector(weights, EngineOptions(device="cpu", imgsz_hw=(128, 128)))
    assert detector.engine.spec.layout == "yolo_one2one"
    found = detect(detector, noon_bgr, 1)
    assert 0 < found.score[0] < 0.99
    record = compute_gradients(detector, noon_bgr, found, pixels=True)
    assert record.pixels is not None
    assert found.query_id is not None
    find_head(detector.engine.model).shape = None
    leaf = torch.from_numpy(record.pixels.activation[None]).requires_grad_()
    score = detector.engine.model(leaf)[0][0, int(found.query_id[0]), 4 + int(found.class_id[0])]
    assert float(score.detach()) == pytest.approx(float(found.score[0]), rel=1e-4)
    expected = torch.autograd.grad(score.logit(), leaf)[0][0].numpy()
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(record.pixels.gradient[0], expected, rtol=0.01, atol=0.001 * np.abs(expected).max())


def test_no_detections_give_no_gradients(open_embedded: Any, noon_bgr: U8) -> None:
    record = compute_gradients(open_embedded("demo-yolo"), noon_bgr, Detections.empty())
    assert [level.gradient.shape[0] for level in record.head] == [0, 0, 0]


def test_an_engine_without_gradients_says_so(open_embedded: Any, noon_bgr: U8, monkeypatch: Any) -> None:
    detector = open_embedded("demo-yolo")
    monkeypatch.setattr(detector, "engine", object())
    with pytest.raises(EngineError, match="does not let anyone see"):
        compute_gradients(detector, noon_bgr, Detections.empty())
