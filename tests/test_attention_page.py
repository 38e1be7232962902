"""What ``docs/attention.md`` says of the embedded models is so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectattn import Model
from detectattn.attention.arrays import to_arrays
from detectattn.cli.app import run
from detectattn.explain.picture import ExplainedPicture

F64 = NDArray[np.float64]

BUS = 3
PAGE = (Path(__file__).resolve().parents[1] / "docs" / "attention.md").read_text()
# Of the 100 cells of the encoder's grid, those at its border.
BORDER = np.pad(np.zeros((8, 8), bool), 1, constant_values=True).ravel()


@pytest.fixture(scope="module")
def rtdetr(street_images: Path) -> Iterator[ExplainedPicture]:
    """The page's picture as ``demo-rtdetr`` sees it."""
    with Model("demo-rtdetr", engine="torch") as model:
        yield model.explain(street_images / "boulevard.jpg", maps=["encoder_rows", "layercam", "input_gradient"])


@pytest.fixture(scope="module")
def yolo(street_images: Path) -> Iterator[ExplainedPicture]:
    """The same as ``demo-yolo`` sees it."""
    with Model("demo-yolo", engine="torch") as model:
        yield model.explain(street_images / "boulevard.jpg", maps=["layercam", "input_gradient"])


@pytest.fixture(scope="module")
def looked(rtdetr: ExplainedPicture) -> dict[str, NDArray[Any]]:
    """The arrays of the two surest buses."""
    buses = np.flatnonzero(rtdetr.captured.detections.class_id == BUS)[:2]
    return to_arrays(rtdetr.captured, buses)


@pytest.fixture(scope="module")
def weights(looked: dict[str, NDArray[Any]]) -> F64:
    """The encoder's attention, heads × tokens × tokens."""
    return np.asarray(looked["encoder_self"], np.float64)


def softmax(scores: F64) -> F64:
    powers: F64 = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: F64 = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def count_tokens(weights: F64) -> float:
    return float(np.exp(-(weights * np.log(weights)).sum(axis=-1)).mean())


def share_points_inside(looked: dict[str, NDArray[Any]], layer: int) -> F64:
    low, high = (looked["xyxy"][:, None, None, None, side] for side in (slice(0, 2), slice(2, 4)))
    points = looked["cross_points"][layer]
    inside: F64 = ((points >= low) & (points <= high)).all(axis=-1).mean(axis=(1, 2, 3))
    return inside


def count_points(looked: dict[str, NDArray[Any]], detection: int) -> F64:
    """Weight of a detection's sampling points by cells of the encoder's grid: f64[100]."""
    height, width = looked["image_hw"]
    points, shares = looked["cross_points"][-1, detection], looked["cross_weights"][-1, detection]
    sides = ((0, height), (0, width))
    counts: F64 = np.histogram2d(points[..., 1].ravel(), points[..., 0].ravel(), 10, sides, weights=shares.ravel())[0]
    return counts.ravel()


def correlate(rows: Sequence[NDArray[Any]]) -> F64:
    """Of every two rows."""
    correlation: F64 = np.asarray(np.corrcoef(rows))[np.triu_indices(len(rows), 1)]
    return correlation


def test_shapes_and_rows(looked: dict[str, NDArray[Any]], weights: F64) -> None:
    assert weights.shape == (4, 100, 100)
    assert looked["cross_points"].shape[1:] == (2, 8, 3, 4, 2)
    assert looked["decoder_self"].shape[-1] == 150
    assert np.allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert np.allclose(looked["cross_weights"].sum(axis=(-2, -1)), 1, atol=1e-5)


def test_without_the_root_few_tokens_take_all(weights: F64) -> None:
    assert np.allclose(softmax(np.log(weights)), weights)
    unscaled = softmax(np.log(weights) * np.sqrt(24))
    assert count_tokens(weights) == pytest.approx(70.0, abs=0.5)
    assert count_tokens(unscaled) == pytest.approx(15.8, abs=0.5)
    assert weights.max(axis=-1).mean() == pytest.approx(0.046, abs=0.003)
    assert unscaled.max(axis=-1).mean() == pytest.approx(0.349, abs=0.01)


def test_heads_differ(weights: F64) -> None:
    border = weights[:, :, BORDER].sum(axis=-1).mean(axis=-1)
    assert border == pytest.approx([0.18, 0.33, 0.69, 0.81], abs=0.02)
    assert correlate(weights.mean(axis=1)[[0, 3]])[0] == pytest.approx(-0.6, abs=0.05)


def test_encoder_rows_are_alike_and_sampling_points_are_not(
    rtdetr: ExplainedPicture, looked: dict[str, NDArray[Any]]
) -> None:
    rows = [shown.values.ravel() for shown in rtdetr.maps["encoder_rows"]]
    pairs = correlate(rows)
    assert len(rows) == 8
    assert pairs.mean() > 0.85
    assert pairs.min() > 0.6
    assert correlate([count_points(looked, 0), count_points(looked, 1)])[0] < 0.1
    # No more of it lies in the boxes than of the picture's area.
    scores = rtdetr.scores["encoder_rows"]
    assert np.mean([s.energy for s in scores]) < 1.5 * np.mean([s.reach.area[0] for s in scores])
    assert not any(s.pointing for s in scores)


def test_sampling_points_lie_in_the_box(looked: dict[str, NDArray[Any]]) -> None:
    assert share_points_inside(looked, -1) == pytest.approx([0.84, 0.82], abs=0.02)
    assert share_points_inside(looked, 0) == pytest.approx([0.93, 0.86], abs=0.02)


def test_both_models_look_beyond_their_boxes(rtdetr: ExplainedPicture, yolo: ExplainedPicture) -> None:
    for explained in (rtdetr, yolo):
        assert np.mean([s.reach.outside for s in explained.scores["input_gradient"]]) > 0.4
    # LayerCAM begins at the head, where a YOLO's reach ends after two cells and a decoder's does not.
    far = [np.mean([s.reach.shares[-1] for s in e.scores["layercam"]]) for e in (rtdetr, yolo)]
    assert far[0] > 0.1
    assert far[1] < 0.05


def test_what_attention_costs(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--imgsz", "320,640", "--no-time", "--json", "-q"]
    assert run(["inspect", "demo-rtdetr", "demo-yolo", *sizes]) == 0
    models = json.loads(capsys.readouterr().out)["data"]["models"]
    found = {name: [_attention_share(size) for size in model["sizes"]] for name, model in models.items()}
    assert found["demo-rtdetr"] == pytest.approx([0.27, 0.23], abs=0.005)
    assert found["demo-yolo"] == pytest.approx([0.0088, 0.016], abs=0.0005)


def _attention_share(size: dict[str, Any]) -> float:
    attention: float = sum(module["cost"]["gflops"] for module in size["attention"])
    whole: float = size["whole"]["gflops"]
    return attention / whole


def test_the_page_quotes_what_inspect_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "demo-rtdetr", "--imgsz", "320,640", "--no-time"]) == 0
    printed = capsys.readouterr().out.splitlines()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    quoted = [line for language, block in blocks if not language for line in block.splitlines()]
    assert len(quoted) > 10
    assert [line for line in quoted if line not in ("", "demo-rtdetr", *printed)] == []
