"""Sweeps: from text to axes, from axes to variants, and what cannot be varied."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.sweep import Axis, expand_entrant, expand_variants, name_variant, parse_sweep, select_axes
from detectattn.compare.sweep_engines import settle_engine
from detectattn.compare.sweep_limits import find_fixed_axes, read_own_values
from detectattn.config import split_model_name
from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError
from detectattn.sources.naming import to_output_name
from detectattn.types import WeightsFile
from detectattn.weights.embedded import embedded_path

SIZES = Axis("imgsz", (320, 480))
QUERIES = Axis("queries", (100, 300))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["imgsz=320,480,640"], (Axis("imgsz", (320, 480, 640)),)),
        (["imgsz=480x640, 320×320"], (Axis("imgsz", ("480x640", 320)),)),
        (["imgsz=320..640:64"], (Axis("imgsz", (320, 384, 448, 512, 576, 640)),)),
        (["imgsz=320..384"], (Axis("imgsz", (320, 352, 384)),)),
        (["decoder_layers=2..6"], (Axis("decoder_layers", (2, 3, 4, 5, 6)),)),
        (["decoder-layers=2..6:3"], (Axis("decoder_layers", (2, 5)),)),
        (["queries=100,300", "queries=300,50"], (Axis("queries", (100, 300, 50)),)),
        (["queries=100..300:100,50"], (Axis("queries", (100, 200, 300, 50)),)),
        (["precision=fp32,fp16", "imgsz=64"], (Axis("precision", ("fp32", "fp16")), Axis("imgsz", (64,)))),
        ([], ()),
    ],
)
def test_texts_become_axes(texts: list[str], expected: tuple[Axis, ...]) -> None:
    assert parse_sweep(texts) == expected


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("layers=2", "'layers=2' names no axis", "Did you mean decoder_layers"),
        ("imgsize=320", "'imgsize=320' names no axis", "Did you mean imgsz"),
        ("batch=2", "'batch=2' names no axis", "imgsz=320,480x640"),
        ("imgsz", "'imgsz' names no values", "imgsz=320,480x640"),
        ("queries=", "names no values", "queries=100,300"),
        ("imgsz=325", "imgsz cannot be 325: each side must be a multiple of 32", "The nearest is 320"),
        ("imgsz=0", "imgsz cannot be 0", "The nearest is 32"),
        ("imgsz=480x650", "imgsz cannot be 650", "The nearest is 640"),
        ("imgsz=48o", "imgsz cannot be '48o'", "imgsz=320,480x640"),
        ("queries=-5", "queries cannot be '-5'", "queries=100,300"),
        ("queries=100x200", "queries cannot be '100x200'", "queries=100,300"),
        ("decoder_layers=0", "decoder_layers cannot be 0", "The least is 1"),
        ("decoder_layers=0..3", "decoder_layers cannot be 0", "The least is 1"),
        ("decoder_layers=6..2", "decoder_layers=6..2 runs backwards", "decoder_layers=2..6:1"),
        ("queries=100..300", "queries=100..300 names no step", "queries=100..300:50"),
        ("queries=100..300:0", "names no step", "queries=100..300:50"),
        ("queries=1..90000:1", "has 90,000 values, and 100 is the most", "queries=1..90000:22500"),
        ("precision=fp61", "precision cannot be 'fp61'", "Did you mean fp16"),
        ("precision=int4", "precision cannot be 'int4'", "Did you mean int8? There is fp32, fp16, bf16 and int8"),
        ("engine=openvine", "engine cannot be 'openvine'", "Did you mean openvino? There is torch, openvino and onnx"),
        ("imgsz=320,,640", "imgsz cannot be ''", "imgsz=320,480x640"),
    ],
)
def test_what_cannot_be_swept_is_refused_by_name(text: str, problem: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_sweep([text])
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def changes(*axes: Axis, base: EngineOptions | None = None, **options: Any) -> list[dict[str, Any]]:
    return [dict(variant.values) for variant in expand_variants(base or EngineOptions(), axes, **options)]


def test_one_axis_at_a_time_from_the_default() -> None:
    assert changes(SIZES, QUERIES) == [{"imgsz": 320}, {"imgsz": 480}, {"queries": 100}, {"queries": 300}]


def test_a_product_crosses_the_axes() -> None:
    assert changes(SIZES, QUERIES, product=True) == [
        {"imgsz": 320, "queries": 100},
        {"imgsz": 320, "queries": 300},
        {"imgsz": 480, "queries": 100},
        {"imgsz": 480, "queries": 300},
    ]
    assert changes(product=True) == []


def test_values_of_the_default_are_not_repeated() -> None:
    base = EngineOptions(imgsz_hw=(480, 480), queries=100)
    assert changes(SIZES, QUERIES, base=base) == [{"imgsz": 320}, {"queries": 300}]
    assert changes(SIZES, QUERIES, base=base, product=True) == [
        {"imgsz": 320},
        {"imgsz": 320, "queries": 300},
        {"queries": 300},
    ]
    assert changes(QUERIES, own={"queries": 300}) == [{"queries": 100}]
    # What the options say outweighs what the model would do by itself.
    assert changes(QUERIES, base=base, own={"queries": 300}) == [{"queries": 300}]


def test_variants_carry_their_options_and_nothing_else_changes() -> None:
    base = EngineOptions(device="cpu", threads=3, square=True, precision="fp32", decoder_layers=5)
    axes = (Axis("imgsz", ("480x640", 320)), Axis("decoder_layers", (2,)), Axis("precision", ("fp16",)))
    found = [variant.options for variant in expand_variants(base, axes)]
    common = {"device": "cpu", "threads": 3, "square": True}
    assert found == [
        EngineOptions(**common, precision="fp32", decoder_layers=5, imgsz_hw=(480, 640)),
        EngineOptions(**common, precision="fp32", decoder_layers=5, imgsz_hw=(320, 320)),
        EngineOptions(**common, precision="fp32", decoder_layers=2),
        EngineOptions(**common, precision="fp16", decoder_layers=5),
    ]


def test_names_of_variants_fit_into_file_names_and_options() -> None:
    axes = (Axis("imgsz", ("480x640",)), Axis("decoder_layers", (2,)), Axis("precision", ("fp16",)))
    variant = expand_variants(EngineOptions(), axes, product=True)[0]
    assert name_variant(variant.values) == "@imgsz-480x640+decoder_layers-2+precision-fp16"
    name = f"demo-rtdetr{name_variant(variant.values)}"
    assert to_output_name(name) == name
    assert split_model_name(f"{name}=old.json") == (name, "old.json")


@pytest.mark.parametrize(("product", "count"), [(False, 120), (True, 3_600)])
def test_too_many_variants_are_refused(product: bool, count: int) -> None:
    axes = (Axis("imgsz", tuple(range(32, 32 * 61, 32))), Axis("queries", tuple(range(1, 61))))
    with pytest.raises(ConfigError, match=f"makes {count:,} variants of each model"):
        expand_variants(EngineOptions(), axes, product=product)


def test_axes_that_do_not_apply_are_said() -> None:
    layers = Axis("decoder_layers", (2,))
    fixed = {"decoder_layers": "it has no decoder", "queries": "it has no decoder"}
    applying, notes = select_axes((SIZES, layers, QUERIES), "yolo", fixed)
    assert applying == (SIZES,)
    assert notes == ("yolo is not swept along decoder_layers and queries: it has no decoder",)
    assert select_axes((SIZES,), "yolo", fixed) == ((SIZES,), ())


def to_entrant(name: str) -> ModelEntrant:
    path = embedded_path(name)
    if path is None:
        pytest.skip(f"{name} is not shipped yet")
    weights = WeightsFile(path, "", "safetensors", "embedded")
    return ModelEntrant(name, weights, EngineOptions(device="cpu"), "auto", base=name)


def test_the_embedded_pair_swept() -> None:
    axes = parse_sweep(["decoder_layers=3..4", "queries=100,150", "precision=fp32", "imgsz=256,320"])
    variants, notes = expand_entrant(to_entrant("demo-rtdetr"), axes)
    names = ["decoder_layers-3", "queries-100", "imgsz-256", "imgsz-320"]
    assert [v.name for v in variants] == [f"demo-rtdetr@{name}" for name in names]
    assert {v.base for v in variants} == {"demo-rtdetr"}
    assert (variants[0].variant, variants[0].options.decoder_layers) == ({"decoder_layers": 3}, 3)
    assert notes == ()
    variants, notes = expand_entrant(to_entrant("demo-yolo"), axes, size_hw=(320, 320))
    assert [v.name for v in variants] == ["demo-yolo@imgsz-256"]
    assert notes == ("demo-yolo is not swept along decoder_layers and queries: it has no RT-DETR decoder to cut",)


@pytest.mark.parametrize("product", [False, True])
def test_a_precision_names_the_engine_that_it_brings(product: bool) -> None:
    axes = parse_sweep(["engine=torch,openvino", "precision=fp32,int8"])
    variants, notes = expand_entrant(to_entrant("demo-yolo"), axes, product=product)
    assert {v.name: (settle_engine(v), v.options.precision) for v in variants} == {
        "demo-yolo@engine-openvino": ("openvino", "auto"),
        "demo-yolo@engine-openvino+precision-int8": ("openvino", "int8"),
    }
    assert notes == ()


@pytest.mark.parametrize(
    ("engine", "precision", "text", "names", "note"),
    [
        ("onnx", "auto", "precision=int8", [], "is not swept to precision int8: int8 is for OpenVINO"),
        ("auto", "int8", "engine=torch", [], "is not swept to engine torch: int8 is for OpenVINO"),
        ("auto", "int8", "precision=fp32", ["demo-yolo@engine-torch+precision-fp32"], ""),
        ("openvino", "auto", "engine=openvino,torch", ["demo-yolo@engine-torch"], ""),
    ],
)
def test_engines_and_precisions_that_do_not_go_together_are_said(
    engine: str, precision: str, text: str, names: list[str], note: str
) -> None:
    base = to_entrant("demo-yolo")
    base = replace(base, engine=engine, options=replace(base.options, precision=precision))
    variants, notes = expand_entrant(base, parse_sweep([text]))
    assert [v.name for v in variants] == names
    assert list(notes) == ([f"demo-yolo {note}"] if note else [])


def test_what_the_embedded_files_tell() -> None:
    own = read_own_values(to_entrant("demo-rtdetr").weights)
    assert own == {"precision": "fp32", "imgsz": 320, "queries": 150, "decoder_layers": 4}
    assert read_own_values(to_entrant("demo-yolo").weights) == {"precision": "fp32", "imgsz": 320}


def test_exports_have_a_fixed_graph(tmp_path: Path) -> None:
    for kind in ("onnx", "openvino"):
        weights = WeightsFile(tmp_path / "model", "", kind, "local")  # type: ignore[arg-type]  # a known format
        assert set(find_fixed_axes(weights)) == {"decoder_layers", "queries", "engine", "precision"}
        assert read_own_values(weights) == {}


@pytest.mark.parametrize(("name", "fixed"), [("demo-rtdetr", set()), ("demo-yolo", {"decoder_layers", "queries"})])
def test_a_checkpoint_is_looked_into_and_not_run(save_checkpoint: Any, name: str, fixed: set[str]) -> None:
    weights = WeightsFile(save_checkpoint(name), "", "pt", "local")
    assert set(find_fixed_axes(weights)) == fixed


@pytest.mark.parametrize("damage", ["encrypted", "unknown method", "broken stream", "huge"])
def test_archives_that_cannot_be_read_are_left_to_loading(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "odd.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(17_000_000 if damage == "huge" else 500))
    content = bytearray(path.read_bytes())
    directory = content.find(b"PK\x01\x02")
    if damage == "encrypted":
        content[6] = content[directory + 8] = 1
    elif damage == "unknown method":
        content[8] = content[directory + 10] = 99
    elif damage == "broken stream":
        content[40:43] = b"\xff\xff\xff"
    path.write_bytes(content)
    assert find_fixed_axes(WeightsFile(path, "", "pt", "local")) == {}


@pytest.mark.parametrize(
    "metadata",
    [
        {"imgsz": "9" * 5000},
        {"model_yaml": "head: [[-1, 1, RTDETRDecoder, [2, 256, many, 4, 8, [3]]]]"},
    ],
)
def test_embedded_models_that_say_nonsense_are_left_to_loading(tmp_path: Path, metadata: dict[str, str]) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"a": np.zeros(1, np.float32)}, path, metadata)
    assert read_own_values(WeightsFile(path, "", "safetensors", "local")) == {"precision": "fp32"}


def test_what_cannot_be_seen_is_left_to_loading(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no archive")
    assert find_fixed_axes(WeightsFile(broken, "", "pt", "local")) == {}
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("readme", "nothing")
    assert find_fixed_axes(WeightsFile(tmp_path / "other.pt", "", "pt", "local")) == {}
    assert read_own_values(WeightsFile(broken, "", "safetensors", "embedded")) == {"precision": "fp32"}
