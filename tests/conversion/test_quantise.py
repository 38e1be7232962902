"""INT8 of a network small enough to quantise in a second, whose last arithmetic is what rounding harms."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from detectattn.conversion import quantise_nncf
from detectattn.conversion.gate_figures import GateFigures
from detectattn.conversion.quantise import QuantiseReport, quantise_openvino
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.openvino_runtime import import_openvino
from detectattn.errors import EngineError, MissingExtra
from detectattn.types import F32, WeightsFile

openvino = import_openvino()

SIDE = 64
CELLS = (SIDE // 8) ** 2
_PATH = "__module.model"


def build(detour: float = 20.0, free: bool = False, batch: int = 1) -> Any:
    """Two convolutions, then a box at each cell of 8 px and the score of one class: a YOLO's head in small.

    A box's place is reached by a detour through numbers so many times larger, whose rounding to 8 bits moves it by
    pixels. With height and width free, the cells are counted as it runs.
    """
    from openvino import opset13 as ops

    random = np.random.default_rng(5)
    pixels = ops.parameter([batch, 3, -1, -1] if free else [batch, 3, SIDE, SIDE], np.float32, name="images")

    def conv(value: Any, channels: tuple[int, int], step: int, name: str) -> Any:
        weights = ops.constant(random.normal(0, 0.3, (channels[1], channels[0], 3, 3)).astype(np.float32))
        bias = ops.constant(random.normal(0, 0.1, (1, channels[1], 1, 1)).astype(np.float32))
        product = ops.convolution(
            value, weights, [step] * 2, [1, 1], [1, 1], [1, 1], name=f"{_PATH}.{name}/Convolution"
        )
        return ops.add(product, bias, name=f"{_PATH}.{name}/Add")

    seen = ops.relu(conv(pixels, (3, 16), 4, "0.conv"))
    grid = conv(seen, (16, 5), 2, "1.cv2")
    told = ops.reshape(grid, ops.constant([1, 5, -1]), special_zero=False)
    parts = ops.split(told, ops.constant(1), 5).outputs()
    centre = count_cells(ops, grid) if free else ops.constant(place_cells())
    far = ops.multiply(centre, np.float32(detour))
    low = ops.subtract(far, ops.concat(parts[:2], 1), name=f"{_PATH}.1/aten::sub/Subtract")
    high = ops.add(far, ops.concat(parts[2:4], 1), name=f"{_PATH}.1/aten::add/Add")
    middle = ops.multiply(ops.add(low, high, name=f"{_PATH}.1/aten::add/Add_1"), np.float32(0.5))
    place = ops.subtract(middle, ops.multiply(centre, np.float32(detour - 1)))
    size = ops.add(ops.abs(ops.concat(parts[2:4], 1)), np.float32(6))
    return openvino.Model([ops.concat([place, size, ops.sigmoid(parts[4])], 1)], [pixels], "tiny")


def place_cells() -> F32:
    y, x = np.divmod(np.arange(CELLS), SIDE // 8)
    return np.stack([x, y])[None].astype(np.float32) * 8 + 4


def count_cells(ops: Any, grid: Any) -> Any:
    shape = ops.shape_of(grid)
    height, width = (ops.gather(shape, ops.constant(axis), ops.constant(0)) for axis in (2, 3))
    y, x = (ops.range(ops.constant(0), count, ops.constant(1), "f32") for count in (height, width))
    area = ops.concat([ops.unsqueeze(side, ops.constant(0)) for side in (height, width)], 0)
    rows = [
        ops.reshape(ops.broadcast(ops.unsqueeze(values, ops.constant(axis)), area), ops.constant([1, 1, -1]), False)
        for values, axis in ((x, 0), (y, 1))
    ]
    return ops.add(ops.multiply(ops.concat(rows, 1), np.float32(8)), np.float32(4))


def rounds_a_value(node: Any) -> bool:
    """Other than a weight, which is folded when the model is compiled."""
    if node.get_type_name() != "FakeQuantize":
        return False
    return bool(node.input_value(0).get_node().get_type_name() not in ("Constant", "Convert", "Multiply"))


def write(folder: Path, model: Any) -> Path:
    openvino.save_model(model, folder / "tiny.xml", compress_to_fp16=False)
    metadata = {
        "task": "detect", "stride": 8, "imgsz": [SIDE, SIDE], "names": {0: "thing"}, "description": "yolo",
        "detectattn": {"layout": "yolo_dense", "family": "cnn", "precision": "int8"},
    }  # fmt: skip
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata), encoding="utf-8")
    return folder / "tiny.xml"


def inputs(count: int = 8, height: int = SIDE, width: int = SIDE) -> list[F32]:
    random = np.random.default_rng(1)
    coarse = random.random((count, 1, 3, height // 8, width // 8), np.float32)
    return [planes.repeat(8, axis=2).repeat(8, axis=3) for planes in coarse]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("float"), build())


@pytest.fixture(scope="module")
def steps() -> list[str]:
    return []


@pytest.fixture(scope="module")
def report(tiny: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> QuantiseReport:
    return quantise_openvino(tiny, tmp_path_factory.mktemp("int8"), inputs(), family="cnn", on_step=steps.append)


def test_what_rounding_harms_is_found_and_stays_in_float(report: QuantiseReport) -> None:
    assert report.float_groups == ("layer 1 arithmetic",)
    assert report.float_work == 0
    # It costs no time in float, and is enough: the others are not measured.
    assert [gain.name for gain in report.gains] == ["layer 1 arithmetic"]
    assert report.gains[0].gain > 0.5
    assert report.violations == ()
    assert report.figures.pair_count > 100
    assert report.input_count == 8


def test_the_rest_is_int8_and_runs(tiny: Path, report: QuantiseReport) -> None:
    model = openvino.Core().read_model(report.xml)
    kinds = {operation.get_friendly_name(): operation for operation in model.get_ops()}
    convolution = kinds[f"{_PATH}.0.conv/Convolution"]
    assert convolution.input_value(0).get_node().get_type_name() == "FakeQuantize"
    assert any(output.get_element_type() == openvino.Type.i8 for node in model.get_ops() for output in node.outputs())
    far = kinds[f"{_PATH}.1/aten::add/Add"]
    assert all(reader.get_node().get_type_name() != "FakeQuantize" for reader in far.output(0).get_target_inputs())
    assert (report.xml.parent / "metadata.yaml").read_bytes() == (tiny.parent / "metadata.yaml").read_bytes()
    detector = open_detector(WeightsFile(report.xml.parent, "", "openvino", "local"), EngineOptions(device="cpu"))
    assert (detector.info.precision, detector.engine.spec.fixed_batch) == ("int8", 1)


def test_what_is_done_is_told(report: QuantiseReport, steps: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert steps[0] == "quantising on 8 pictures"
    assert [step for step in steps if step.startswith("measuring")] == [
        "measuring what layer 1 arithmetic costs (1 of 3)"
    ]
    assert steps[-2:] == [
        "quantising on 8 pictures, with layer 1 arithmetic in float",
        "comparing the INT8 model with the float one",
    ]
    told = report.to_dict()
    assert (told["xml"], told["float_groups"]) == ("tiny.xml", ("layer 1 arithmetic",))
    assert told["figures"]["matched_share"] == report.figures.matched_share


def test_a_gate_of_the_callers_decides(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It sees each model that is made; the network that bears rounding passes at once, if the gate says so."""
    xml = write(tmp_path, build(detour=1.0))
    seen: list[Path] = []

    def passes(folder: Path) -> GateFigures:
        seen.append(folder)
        assert (folder / "tiny.xml").is_file()
        return GateFigures(1, 0.25, 100, 100, 0, 100, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    report = quantise_openvino(xml, tmp_path / "int8", inputs(2), family="cnn", gate=passes)
    assert (report.float_groups, report.gains, report.violations) == ((), (), ())
    assert seen == [tmp_path / "int8"]
    # NNCF's progress bars are not a user's standard output.
    assert capfd.readouterr().out == ""


def test_a_model_that_cannot_pass_is_written_with_what_is_wrong(tiny: Path, tmp_path: Path) -> None:
    def refuses(_: Path) -> GateFigures:
        return GateFigures(1, 0.25, 100, 100, 50, 100, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    report = quantise_openvino(tiny, tmp_path / "int8", inputs(2), family="cnn", gate=refuses, budget_s=0)
    assert report.xml.is_file()
    assert report.gains == ()
    assert len(report.violations) == 1


def test_rectangles_are_quantised_once_and_run_at_fixed_shapes(tmp_path: Path, monkeypatch: Any) -> None:
    """Height and width stay free in the file; what is compiled has none free, in the search for what to leave too."""
    xml = write(tmp_path, build(free=True))
    compile_model = openvino.Core.compile_model
    quantised: list[tuple[int, ...]] = []

    def watch(core: Any, model: Any, *rest: Any, **options: Any) -> Any:
        if any(map(rounds_a_value, model.get_ops())):
            assert not model.is_dynamic()
            quantised.append(tuple(model.input(0).shape))
        return compile_model(core, model, *rest, **options)

    monkeypatch.setattr(openvino.Core, "compile_model", watch)
    shown = [*inputs(5), *inputs(4, 48, 64), *inputs(1, 32, 64)]
    report = quantise_openvino(xml, tmp_path / "int8", shown, family="cnn")
    assert (report.float_groups, report.violations) == (("layer 1 arithmetic",), ())
    assert report.input_count == 10
    # The search looks at the commonest shapes only.
    assert set(quantised) == {(1, 3, 64, 64), (1, 3, 48, 64)}
    found, exact = (
        open_detector(WeightsFile(path, "", "openvino", "local"), EngineOptions(device="cpu"))
        for path in (report.xml.parent, xml.parent)
    )
    assert found.plan((480, 640)).net_hw == exact.plan((480, 640)).net_hw == (48, 64)
    for tensor in shown[4:]:
        boxes, expected = (detector.engine.infer(tensor)[0] for detector in (found, exact))
        assert boxes.shape == expected.shape == (1, 5, tensor.shape[2] * tensor.shape[3] // 64)
        assert 0 < np.abs(boxes - expected).max() < 1
    assert (1, 3, 32, 64) in quantised


def test_what_costs_time_is_measured_where_the_rest_is_not_enough(tiny: Path, tmp_path: Path) -> None:
    """A gate that never passes; what gains nothing in float stays in INT8 all the same."""

    def refuses(_: Path) -> GateFigures:
        return GateFigures(1, 0.25, 100, 100, 50, 100, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    report = quantise_openvino(tiny, tmp_path / "int8", inputs(4), family="cnn", gate=refuses)
    assert {gain.name for gain in report.gains} == {"layer 0", "layer 1 cv2", "layer 1 arithmetic"}
    assert report.gains[0].name == "layer 1 arithmetic"
    assert "layer 1 arithmetic" in report.float_groups
    assert len(report.violations) == 1


def test_any_number_of_pictures_is_refused(tmp_path: Path) -> None:
    xml = write(tmp_path, build(free=True, batch=-1))
    with pytest.raises(EngineError, match="takes any number of pictures"):
        quantise_openvino(xml, tmp_path / "int8", inputs(1), family="cnn")


def test_mistakes_of_the_caller(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there are none"):
        quantise_openvino(tiny, tmp_path, [], family="cnn")
    with pytest.raises(ValueError, match="holds the float model"):
        quantise_openvino(tiny, tiny.parent, inputs(1), family="cnn")


def test_without_nncf_the_extra_is_named(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantise_nncf, "find_spec", lambda name: None if name == "nncf" else object())
    with pytest.raises(MissingExtra, match=r"NNCF, which is not installed\. .*detectattn\[int8\]"):
        quantise_openvino(tiny, tmp_path, inputs(1), family="cnn")


def test_importing_the_module_imports_neither_nncf_nor_torch() -> None:
    code = (
        "import sys; import detectattn.conversion.quantise; print([m for m in ('nncf', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nncf_sends_nothing(tiny: Path, tmp_path: Path) -> None:
    """Outside pytest, which NNCF recognises and is silent under; the first packet would be an error."""
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('the network was used')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from detectattn.conversion.quantise_nncf import quantise_model\n"
        "from detectattn.engines.openvino_runtime import import_openvino\n"
        f"model = import_openvino().Core().read_model({str(tiny)!r})\n"
        f"quantise_model(model, [np.zeros((1, 3, {SIDE}, {SIDE}), np.float32)], 'cnn')\n"
        "import nncf.telemetry.wrapper as wrapper\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
        "assert 'pytest' not in sys.modules\n"
        "assert not isinstance(wrapper.telemetry, wrapper.NNCFTelemetry)\n"
        "print('done')\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "NNCF"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=False, env={**environment, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert not any("intel" in path.name or "nncf" in path.name for path in tmp_path.rglob("*"))
