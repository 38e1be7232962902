"""The ``.npz`` holds what its documentation says, in the frames that it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.attention.arrays import SCHEMA_VERSION, points_to_pixels, to_arrays, write_arrays
from detectattn.attention.capture import capture
from detectattn.engines.postprocess import Thresholds
from detectattn.engines.preprocess import plan_resize
from detectattn.errors import OutputExists
from detectattn.types import U8

EVERYWHERE = {
    "schema_version": (), "xyxy": (3, 4), "score": (3,), "class_id": (3,), "query_id": (3,), "image_hw": (2,),
    "net_hw": (2,), "scale_xy": (2,), "offset_xy": (2,), "grid_hw": (3, 2),
}  # fmt: skip
DEMO_RTDETR = {
    "encoder_self": (4, 60, 60), "encoder_hw": (2,), "decoder_self": (4, 8, 3, 150),
    "cross_points": (4, 3, 8, 3, 4, 2), "cross_weights": (4, 3, 8, 3, 4), "layer_xyxy": (5, 3, 4),
    "layer_score": (4, 3),
}  # fmt: skip
INTEGERS = {"schema_version", "class_id", "query_id", "image_hw", "net_hw", "grid_hw"}


def shapes(arrays: Any) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in arrays.items()}


def test_names_shapes_and_types_of_rtdetr(open_embedded: Any, noon_bgr: U8) -> None:
    captured = capture(open_embedded("demo-rtdetr", imgsz_hw=(192, 320)), noon_bgr, Thresholds())
    arrays = to_arrays(captured, [4, 0, 2])
    assert shapes(arrays) == EVERYWHERE | DEMO_RTDETR
    for name, array in arrays.items():
        assert array.dtype == (np.int32 if name in INTEGERS or name.endswith("_hw") else np.float32), name
    assert arrays["schema_version"] == SCHEMA_VERSION
    assert arrays["encoder_hw"].tolist() == [6, 10]
    assert arrays["grid_hw"].tolist() == [[24, 40], [12, 20], [6, 10]]
    np.testing.assert_array_equal(arrays["score"], captured.detections.score[[4, 0, 2]])


def test_rows_are_those_of_the_chosen_queries(open_embedded: Any, noon_bgr: U8) -> None:
    captured = capture(open_embedded("demo-rtdetr"), noon_bgr, Thresholds())
    arrays = to_arrays(captured, [5, 1])
    first, second = arrays["query_id"]
    queries = [a for a in captured.record.self_attention if a.kind == "query"]
    np.testing.assert_array_equal(arrays["decoder_self"][2, :, 1], queries[2].weights[0, :, second])
    np.testing.assert_array_equal(arrays["cross_weights"][3, 0], captured.record.cross_attention[3].weights[first])
    np.testing.assert_allclose(arrays["decoder_self"].sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(arrays["cross_weights"].sum((-1, -2)), 1, atol=1e-5)
    np.testing.assert_allclose(arrays["encoder_self"].sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(arrays["layer_xyxy"][-1], arrays["xyxy"], atol=0.02)
    np.testing.assert_allclose(arrays["layer_score"][-1], arrays["score"], atol=1e-5)
    # The first layer samples about the proposals: in the box's own pixels, not in shares.
    centre = arrays["cross_points"][0].mean((1, 2, 3))
    proposal = arrays["layer_xyxy"][0]
    assert ((centre > proposal[:, :2] - 20) & (centre < proposal[:, 2:] + 20)).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("yolov8n", {}),
        ("yolo11n", {"psa_self.10.m.0.attn": (2, 12, 12), "psa_hw.10.m.0.attn": (2,)}),
        (
            "yolo26n",
            {
                "psa_self.10.m.0.attn": (2, 12, 12), "psa_hw.10.m.0.attn": (2,),
                "psa_self.22.m.0.1.attn": (2, 12, 12), "psa_hw.22.m.0.1.attn": (2,),
            },
        ),
        (
            "yolo12n",
            {f"area_self.6.m.{i}.{j}.attn": (4, 2, 12, 12) for i in (0, 1) for j in (0, 1)}
            | {f"area_self.8.m.{i}.{j}.attn": (1, 4, 12, 12) for i in (0, 1) for j in (0, 1)}
            | {f"area_hw.{block}.m.{i}.{j}.attn": (2,) for block in (6, 8) for i in (0, 1) for j in (0, 1)},
        ),
    ],
)  # fmt: skip
def test_yolo_kinds_have_names_of_their_own(name: str, expected: Any, open_noisy: Any, noon_bgr: U8) -> None:
    """At 128 px a picture of 960 × 540 becomes 128 × 96."""
    captured = capture(open_noisy(name), noon_bgr, Thresholds(conf=1e-5))
    arrays = to_arrays(captured, range(3))
    assert shapes(arrays) == EVERYWHERE | expected
    assert arrays["net_hw"].tolist() == [96, 128]
    for key in expected:
        if key.startswith("area_hw"):
            assert arrays[key].tolist() == ([6, 8] if ".6." in key else [3, 4])


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "letterbox_rect"])
@pytest.mark.parametrize("image_hw", [(540, 960), (900, 333)])
def test_points_go_to_pixels_of_the_picture(fit: Any, image_hw: tuple[int, int]) -> None:
    """A pixel's place in the network's input, as a share of it, leads back to the pixel."""
    resize = plan_resize(image_hw, (320, 320), fit)
    pixels = np.array([[0.0, 0.0], [image_hw[1], image_hw[0]], [100.5, 7.25]], np.float32)
    net = resize.to_net(np.concatenate([pixels, pixels], 1))[:, :2]
    shares = (net / np.array(resize.net_hw[::-1])).astype(np.float32)
    np.testing.assert_allclose(points_to_pixels(shares[None], resize)[0], pixels, atol=1e-3)


def test_a_picture_without_detections_keeps_what_belongs_to_it(open_embedded: Any, noon_bgr: U8) -> None:
    captured = capture(open_embedded("demo-rtdetr"), noon_bgr, Thresholds(conf=1.0))
    arrays = to_arrays(captured, [])
    assert arrays["cross_points"].shape == (4, 0, 8, 3, 4, 2)
    assert arrays["xyxy"].shape == (0, 4)
    assert arrays["encoder_self"].shape == (4, 100, 100)


def test_the_file_reads_back_without_pickle(open_embedded: Any, noon_bgr: U8, tmp_path: Path) -> None:
    arrays = to_arrays(capture(open_embedded("demo-yolo"), noon_bgr, Thresholds()), range(2))
    paths = [tmp_path / "explain" / name for name in ("a.npz", "b.npz")]
    for path in paths:
        write_arrays(path, arrays)
    with np.load(paths[0], allow_pickle=False) as stored:
        assert sorted(stored.files) == sorted(arrays)
        for name in arrays:
            np.testing.assert_array_equal(stored[name], arrays[name])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(OutputExists):
        write_arrays(paths[0], arrays)
