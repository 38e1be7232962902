"""A cut decoder gives what the whole one has after as many layers, and says what cannot be cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.decoder_cut import count_encoder_rows, cut_decoder, find_head
from detectattn.engines.detector import Detector
from detectattn.engines.exported import read_spec
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import ConfigError
from detectattn.types import F32, WeightsFile
from detectattn.weights.embedded import embedded_path
from detectattn.weights.embedded_model import load_embedded_model


def find_demo(name: str) -> Path:
    path = embedded_path(name)
    if path is None:
        pytest.skip(f"{name} is not shipped yet")
    return path


def open_demo(name: str = "demo-rtdetr", **options: Any) -> Detector:
    weights = WeightsFile(find_demo(name), "", "safetensors", "embedded")
    return open_detector(weights, EngineOptions(device="cpu", threads=1, **options))


@pytest.fixture(scope="module")
def pixels(street_images: Path) -> F32:
    """Two street scenes as the model sees them."""
    bgr = [cv2.imread(str(path)) for path in sorted(street_images.iterdir())[:2]]
    detector = open_demo()
    return np.stack([detector.fit(picture)[0] for picture in bgr])


@pytest.fixture(scope="module")
def every_layer(pixels: F32) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Boxes and scores after each layer of the whole model, worked out from what its layers pass on."""
    model = load_embedded_model(find_demo("demo-rtdetr"))
    head = find_head(model)
    passed: list[tuple[torch.Tensor, torch.Tensor]] = []
    for layer in head.decoder.layers:
        layer.register_forward_hook(lambda _, inputs, output: passed.append((inputs[1], output)))
    with torch.inference_mode():
        model(torch.from_numpy(pixels))
        return [
            ((box(output) + torch.logit(reference, eps=1e-5)).sigmoid(), score(output).sigmoid())
            for (reference, output), box, score in zip(passed, head.dec_bbox_head, head.dec_score_head, strict=True)
        ]


def count_parameters(detector: Detector) -> int:
    model: nn.Module = detector.engine.model  # type: ignore[attr-defined]  # of the PyTorch engine
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_a_cut_decoder_is_the_whole_one_after_so_many_layers(
    pixels: F32, every_layer: list[tuple[torch.Tensor, torch.Tensor]], layers: int
) -> None:
    boxes, scores = open_demo(decoder_layers=layers).engine.infer(pixels)
    wanted_boxes, wanted_scores = every_layer[layers - 1]
    np.testing.assert_allclose(boxes, wanted_boxes, atol=1e-4)
    np.testing.assert_allclose(scores, wanted_scores, atol=1e-4)
    if layers > 1:
        assert np.abs(scores - every_layer[layers - 2][1].numpy()).max() > 0.01


def test_each_layer_that_is_cut_off_takes_its_parameters_along() -> None:
    counts = [count_parameters(open_demo(decoder_layers=layers)) for layers in (1, 2, 3, 4)]
    steps = set(np.diff(counts))
    assert len(steps) == 1
    assert steps.pop() > 100_000
    assert counts[3] == count_parameters(open_demo())


def test_fewer_queries_are_the_best_of_the_same(pixels: F32) -> None:
    whole, cut = open_demo(), open_demo(queries=40)
    assert (whole.engine.spec.max_det, cut.engine.spec.max_det) == (150, 40)
    with torch.inference_mode():
        # After the boxes and scores of the last layer come those of the encoder's rows that became queries.
        chosen, fewer = (
            detector.engine.model(torch.from_numpy(pixels))[1][2:4]  # type: ignore[attr-defined]  # PyTorch engine
            for detector in (whole, cut)
        )
    for all_rows, best_rows in zip(chosen, fewer, strict=True):
        torch.testing.assert_close(best_rows, all_rows[:, :40], atol=1e-5, rtol=0)
    boxes, scores = cut.engine.infer(pixels)
    assert (boxes.shape, scores.shape) == ((2, 40, 4), (2, 40, 6))


def test_detections_of_a_cut_model_come_out_whole(street_images: Path, to_frame: Any) -> None:
    bgr = cv2.imread(str(min(street_images.iterdir())))
    found = {}
    for queries in (150, 12):
        detector = open_demo(queries=queries, decoder_layers=2)
        batch = detector.collate([to_frame(bgr)], [detector.fit(bgr)])
        found[queries] = detector.decode(detector.infer(batch), batch.resizes, Thresholds(conf=0.001))[0]
    assert len(found[12]) == 12
    assert found[12].query_id is not None
    assert found[12].query_id.max() < 12
    assert len(found[150]) > 12


def test_learnt_queries_are_cut_too(pixels: F32) -> None:
    model = load_embedded_model(find_demo("demo-rtdetr"))
    head = find_head(model)
    head.learnt_init_query = True
    head.tgt_embed = nn.Embedding(150, 128)
    first = head.tgt_embed.weight[:30].detach().clone()
    cut_decoder(model, EngineOptions(queries=30), (320, 320), "model.pt")
    torch.testing.assert_close(head.tgt_embed.weight, first)
    with torch.inference_mode():
        assert model(torch.from_numpy(pixels))[1][1].shape == (1, 2, 30, 6)


def test_an_image_yields_a_row_for_each_cell_of_each_level() -> None:
    model = load_embedded_model(find_demo("demo-rtdetr"))
    assert count_encoder_rows(model, (320, 320)) == 40 * 40 + 20 * 20 + 10 * 10
    assert count_encoder_rows(model, (96, 64)) == 12 * 8 + 6 * 4 + 3 * 2


@pytest.mark.parametrize(
    ("options", "problem", "hint"),
    [
        ({"decoder_layers": 5}, r"rtdetr\.safetensors cannot be run with 5 decoder layers: it has 4", "Give 1 to 4"),
        ({"decoder_layers": 0}, "cannot be run with 0 decoder layers", "Give 1 to 4 decoder_layers"),
        ({"queries": 0}, "cannot be run with 0 queries: it was trained with 150", "Give 1 to 150 queries"),
        ({"queries": 151}, "151 queries: it was trained with 150 and knows no use for more", "Give 1 to 150 queries"),
        ({"queries": 150, "imgsz_hw": (64, 64)}, "150 queries at 64×64: .* yields no more than 84", "at most 84"),
    ],
)
def test_impossible_cuts_are_refused_by_name(options: dict[str, Any], problem: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        open_demo(**options)
    assert hint in caught.value.hint


@pytest.mark.parametrize("options", [{"decoder_layers": 1}, {"queries": 100}])
def test_a_model_without_a_decoder_refuses_both(options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"demo-yolo\.safetensors has no decoder layers or queries .* Detect"):
        open_demo("demo-yolo", **options)


def test_a_small_image_gives_a_whole_model_fewer_queries() -> None:
    detector = open_demo(imgsz_hw=(64, 64))
    boxes, _ = detector.engine.infer(np.zeros((1, 3, 64, 64), np.float32))
    assert boxes.shape == (1, 84, 4)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (EngineOptions(decoder_layers=3, queries=100), "3 decoder layers and 100 queries"),
        (EngineOptions(queries=0), "0 queries"),
    ],
)
def test_an_export_refuses_cuts(options: EngineOptions, told: str) -> None:
    with pytest.raises(ConfigError, match=f"model.onnx cannot be run with {told}: an export's graph is fixed"):
        read_export(options)


def test_an_export_tells_how_much_it_can_find() -> None:
    assert read_export(EngineOptions()).max_det == 300


def read_export(options: EngineOptions) -> Any:
    return read_spec(
        {"head": "RTDETRDecoder"},
        {0: "car"},
        input_shape=[1, 3, 640, 640],
        output_shape=[1, 300, 6],
        options=options,
        where="model.onnx",
        engine="onnx",
        device="cpu",
        precision="fp32",
    )
