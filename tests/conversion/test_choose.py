"""Which engine runs a model: what is cached, what is made, what is refused, and what is said of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from detectattn.conversion import choose, failures, make
from detectattn.conversion.choose import choose_target, open_model
from detectattn.conversion.convert import Job
from detectattn.conversion.engine_cache import draft_engine, lock_engines, publish_engine
from detectattn.conversion.record import ConversionRecord, hash_files, load_record, write_record
from detectattn.conversion.repay import can_repay, estimate
from detectattn.conversion.settings import ConversionSettings, collect_conditions
from detectattn.conversion.work import Tell
from detectattn.engines import openvino_runtime
from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError, DiskFull, EngineError, MissingExtra
from detectattn.types import WeightsFile
from tests.compare.tiny_onnx import SIDE, write_tiny_onnx
from tests.conversion.conftest import SIDE_PX, Opener

BOTH = frozenset({"openvino", "onnxruntime", "onnx"})


@pytest.mark.parametrize(
    ("engine", "options", "accelerator", "installed", "expected"),
    [
        ("auto", {}, None, BOTH, ("openvino", "fp32", False)),
        ("auto", {"precision": "fp32"}, None, BOTH, ("openvino", "fp32", False)),
        ("auto", {}, None, {"onnxruntime"}, ("onnx", "fp32", False)),
        ("auto", {}, None, set(), None),
        ("auto", {}, "cuda", BOTH, None),
        ("auto", {"device": "cpu"}, "cuda", BOTH, ("openvino", "fp32", False)),
        ("auto", {"device": "cuda:0"}, "cuda", BOTH, None),
        ("auto", {"precision": "fp16"}, "cuda", BOTH, None),
        ("auto", {"precision": "fp16"}, None, BOTH, ("openvino", "fp16", True)),
        ("auto", {"precision": "int8"}, None, BOTH, ("openvino", "int8", True)),
        ("auto", {"precision": "bf16"}, None, BOTH, ("openvino", "bf16", True)),
        ("torch", {}, None, BOTH, None),
        ("openvino", {}, "cuda", set(), ("openvino", "fp32", True)),
        ("onnx", {"precision": "fp16"}, None, BOTH, ("onnx", "fp16", True)),
    ],
)
def test_target(
    engine: str,
    options: dict[str, Any],
    accelerator: str | None,
    installed: set[str],
    expected: tuple[str, str, bool] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choose, "find_accelerator", lambda: accelerator)
    monkeypatch.setattr(choose, "find_spec", lambda name: name if name in installed else None)
    target = choose_target(EngineOptions(**options), engine)
    found = target and (target.settings.engine, target.settings.precision, target.required)
    assert found == expected


def test_only_tensorrt_is_made_for_so_many_pictures() -> None:
    options = EngineOptions(device="cpu", batch=4)
    batches = {}
    for engine in ("openvino", "onnx", "tensorrt"):
        target = choose_target(options, engine)
        assert target is not None
        batches[engine] = target.settings.batch
    assert batches == {"openvino": None, "onnx": None, "tensorrt": 4}


def test_unknown_engines_and_impossible_precisions_are_refused() -> None:
    with pytest.raises(ConfigError, match="no engine 'tensorflow'"):
        choose_target(EngineOptions(), "tensorflow")
    with pytest.raises(ConfigError, match="not converted to int8"):
        choose_target(EngineOptions(precision="int8"), "onnx")


@pytest.mark.parametrize(
    ("pictures", "torch_s", "layout", "repays"),
    [
        (100, 0.5, "rtdetr_dense", False),
        (200, 0.5, "rtdetr_dense", True),
        (200, 0.05, "yolo_dense", False),
        (1000, 0.05, "yolo_dense", True),
    ],
)
def test_a_conversion_repays_itself_with_enough_pictures(
    pictures: int, torch_s: float, layout: Any, repays: bool
) -> None:
    outlook = estimate(pictures, torch_s, layout)
    assert outlook.repays is repays
    assert f"{pictures:,} pictures at {torch_s * 1e3:.0f} ms" in outlook.describe()


def test_few_pictures_and_streams_can_never_repay_one() -> None:
    assert [can_repay(count) for count in (None, 1, 56, 57)] == [False, False, False, True]
    assert not estimate(56, 1e9, "yolo_dense").repays


_LIST_MODULES = """
import sys
from detectattn.cli.app import run
code = run(sys.argv[1:])
print([name for name in ("torch", "ultralytics", "openvino") if sys.modules.get(name)], file=sys.stderr)
sys.exit(code)
"""


def test_a_run_on_a_cached_engine_imports_neither_torch_nor_ultralytics(
    own_cache: Path, noon: Path, tmp_path: Path
) -> None:
    """Its records speak of the model that was asked for, and ``run.json`` of what ran it."""
    words = ["predict", noon, "-m", "demo-yolo", "--imgsz", SIDE_PX, "--no-images", "-o", tmp_path / "run"]
    done = subprocess.run(
        [sys.executable, "-c", _LIST_MODULES, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "['openvino']"
    [model] = json.loads((tmp_path / "run" / "run.json").read_text())["models"]
    assert (model["name"], model["engine"], model["precision"]) == ("demo-yolo", "openvino", "fp32")
    assert model["weights"]["origin"] == "embedded"
    assert model["conversion"]["passed"] is True
    assert model["conversion"]["gate"]["matched_share"] == 1
    assert model["conversion"]["gate"]["box_px_p99"] < 0.01
    assert "cache" in model["engine_reason"]


def test_a_cached_engine_is_used_however_few_pictures(opener: Opener, own_cache: Path) -> None:
    opened = opener.open()
    assert opened.detector.info.engine == "openvino"
    assert opened.detector.weights == opener.weights
    assert (opener.said, opener.warned) == ([], [])


def test_a_gpu_that_pytorch_cannot_use_does_not_cost_the_cached_engine(
    opener: Opener, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver reports one, and PyTorch is built for the processor, or for a newer driver."""
    monkeypatch.setattr(choose, "find_accelerator", lambda: "cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    opened = opener.open(device="auto")
    assert (opened.detector.info.engine, opened.detector.info.device) == ("openvino", "cpu")


def test_auto_takes_what_is_cached_for_the_second_choice(
    opener: Opener, empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With OpenVINO installed, and too little work to convert for it."""
    monkeypatch.setattr(make.Maker, "make", lambda *_, **__: pytest.fail("converted"))
    settings = ConversionSettings("onnx", net_hw=(SIDE, SIDE)).resolve("yolo_dense", (SIDE, SIDE))
    tiny = write_tiny_onnx(tmp_path)
    store(opener.weights.sha256, settings, tiny.path)
    opened = opener.open(imgsz_hw=(SIDE, SIDE))
    assert opened.detector.info.engine == "onnx"
    assert "in the cache" in opened.reason
    store(opener.weights.sha256, settings, tiny.path, refused=("boxes moved by 9 px",))
    assert opener.open(imgsz_hw=(SIDE, SIDE)).detector.info.engine == "torch"


def store(weights_sha256: str, settings: ConversionSettings, *paths: Path, **known: Any) -> Path:
    """Put a conversion into the cache, of files that are there; its folder."""
    with lock_engines(weights_sha256, lambda: None) as folder, draft_engine(folder) as draft:
        for path in paths:
            shutil.copyfile(path, draft / path.name)
        files, size_bytes = hash_files(draft)
        assert settings.net_hw is not None
        record = ConversionRecord(
            "m", weights_sha256, settings, settings.net_hw, collect_conditions(settings), paths[0].name, files,
            size_bytes, 1.0, 1.0, {}, "",
        )  # fmt: skip
        return publish_engine(draft, replace(record, **known)).folder


def test_int8_from_the_cache_tells_what_it_was_calibrated_on(opener: Opener, own_cache: Path) -> None:
    [made] = own_cache.glob("openvino-*")
    record = load_record(made)
    assert record is not None
    int8 = replace(record.settings, precision="int8", batch=1, calibration="c" * 64)
    paths = [made / record.model_file, *(made / name for name in record.files if name != record.model_file)]
    store(opener.weights.sha256, int8, *paths, calibration={"pictures": "last/week", "digest": "c" * 64})
    assert opener.open(precision="int8").conversion is not None
    assert opener.said == ["demo-yolo was calibrated on last/week, in an earlier run; --calibrate names others"]


def test_half_precision_is_judged_as_it_is_run(
    opener: Opener, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a processor without half arithmetic too, where single precision takes its place."""
    asked = []

    def choose_arithmetic(wanted: str, stored: str, capabilities: list[str], where: str) -> tuple[str, str]:
        asked.append(openvino_runtime.choose_arithmetic(wanted, stored, [*capabilities, "FP16"], where)[0])
        without = [name for name in capabilities if name != "FP16"]
        return openvino_runtime.choose_arithmetic(wanted, stored, without, where)

    monkeypatch.setattr("detectattn.engines.openvino.choose_arithmetic", choose_arithmetic)
    opened = opener.open(precision="fp16")
    assert (opened.detector.info.engine, opened.detector.info.precision) == ("openvino", "fp16")
    assert asked == ["f16", "f16"]
    [folder] = empty_cache.glob("engines/*/openvino-fp16-*")
    opened = open_model(WeightsFile(folder, "", "openvino", "local"), EngineOptions())
    assert asked == ["f16", "f16", "f16"]
    assert opened.conversion is not None
    assert opened.conversion["passed"] is True


def test_another_size_is_another_conversion(opener: Opener, own_cache: Path) -> None:
    assert opener.open(imgsz_hw=(128, 128)).detector.info.engine == "torch"


@pytest.mark.usefixtures("empty_cache")
def test_few_pictures_stay_with_torch(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make.Maker, "make", lambda *_, **__: pytest.fail("converted"))
    opened = opener.open(pictures=10)
    assert (opened.detector.info.engine, opened.conversion) == ("torch", None)
    assert "too few pictures" in opened.reason


class Exporter:
    """Stands in for the conversion: hands out copies of one that was made, and counts."""

    def __init__(self, folder: Path) -> None:
        record = load_record(folder)
        assert record is not None
        self.folder = folder
        self.record = record
        self.count = 0
        self.error: Exception | None = None

    def __call__(self, job: Job, original: object, folder: Path) -> ConversionRecord:
        self.count += 1
        if self.error is not None:
            raise self.error
        for name in self.record.files:
            shutil.copyfile(self.folder / name, folder / name)
        return self.record


@pytest.fixture
def exporter(filled_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Exporter:
    """Conversions that take no time, of a model that takes PyTorch a second a picture."""
    [folder] = filled_cache.glob("engines/*/openvino-*")
    exporter = Exporter(folder)
    original = SimpleNamespace(engine=SimpleNamespace(spec=SimpleNamespace(layout="yolo_dense")))
    monkeypatch.setattr(make, "convert", exporter)
    monkeypatch.setattr(make, "open_original", lambda job: nullcontext(original))
    monkeypatch.setattr(make, "measure_pass", lambda engine: 1.0)
    return exporter


@pytest.mark.usefixtures("empty_cache")
class TestMaking:
    def test_much_work_converts_once(self, opener: Opener, exporter: Exporter) -> None:
        first = opener.open(pictures=1000)
        assert first.detector.info.engine == "openvino"
        assert "1,000 pictures at 1000 ms each" in first.reason
        assert "converting demo-yolo to OpenVINO (fp32) for this machine, once …" in opener.said
        assert any("100.00% found by both" in line for line in opener.said)
        assert opener.open().detector.info.engine == "openvino"
        assert exporter.count == 1

    def test_work_that_does_not_repay_it_stays_with_torch(self, opener: Opener, exporter: Exporter) -> None:
        opened = opener.open(pictures=60)
        assert (opened.detector.info.engine, exporter.count) == ("torch", 0)
        assert "60 pictures" in opened.reason

    def test_an_engine_that_is_asked_for_is_made_for_one_picture(self, opener: Opener, exporter: Exporter) -> None:
        assert opener.open("openvino").reason == "asked for"
        assert exporter.count == 1

    def test_a_refused_conversion_is_not_used_nor_tried_again(
        self, opener: Opener, exporter: Exporter, empty_cache: Path
    ) -> None:
        exporter.record = replace(exporter.record, refused=("boxes moved by 9 px",))
        for _ in range(2):
            opener.said.clear()
            opened = opener.open(pictures=1000)
            assert opened.detector.info.engine == "torch"
            assert "did not pass its gate" in opened.reason
            assert any("boxes moved by 9 px" in line for line in opener.said)
        assert exporter.count == 1
        [folder] = empty_cache.glob("engines/*/openvino-*")
        assert [path.name for path in folder.iterdir()] == ["conversion.json"]
        with pytest.raises(EngineError, match="not the same model, and is not used: boxes moved by 9 px"):
            opener.open("openvino")

    def test_a_failed_conversion_is_told(self, opener: Opener, exporter: Exporter, empty_cache: Path) -> None:
        exporter.error = DiskFull("the disk is full", hint="Free some space")
        assert opener.open(pictures=1000).detector.info.engine == "torch"
        assert opener.warned == ["PyTorch runs demo-yolo: the disk is full"]
        with pytest.raises(DiskFull):
            opener.open("openvino")
        assert list(empty_cache.glob("engines/*/*-*")) == []

    @pytest.mark.parametrize("unknown", [False, True])
    def test_a_model_that_cannot_be_converted_is_not_tried_again_unasked(
        self, opener: Opener, exporter: Exporter, monkeypatch: pytest.MonkeyPatch, unknown: bool
    ) -> None:
        exporter.error = RuntimeError("odd node") if unknown else EngineError("no export of odd node", hint="Try ONNX")
        for _ in range(2):
            opener.said.clear()
            assert opener.open(pictures=1000).detector.info.engine == "torch"
        assert exporter.count == 1
        [warning] = opener.warned
        assert "odd node" in warning
        assert any("odd node; `--engine openvino` tries that again" in line for line in opener.said)
        with pytest.raises(RuntimeError if unknown else EngineError, match="odd node"):
            opener.open("openvino")
        with monkeypatch.context() as newer:
            newer.setattr(failures, "__version__", "99")
            opener.open(pictures=1000)
        assert exporter.count == 3
        exporter.error = None
        assert opener.open("openvino").reason == "asked for"
        assert opener.open().detector.info.engine == "openvino"
        wanted = choose_target(EngineOptions(device="cpu", imgsz_hw=(SIDE_PX, SIDE_PX)), "openvino")
        assert wanted is not None
        assert failures.find_note(opener.weights.sha256, wanted.settings).read() is None

    def test_an_interrupt_ends_the_run(self, opener: Opener, exporter: Exporter, empty_cache: Path) -> None:
        exporter.error = KeyboardInterrupt()  # type: ignore[assignment]  # no Exception, and raised all the same
        with pytest.raises(KeyboardInterrupt):
            opener.open("openvino")
        assert list(empty_cache.glob("engines/*/*-*")) == []


def test_a_damaged_engine_is_made_again(opener: Opener, exporter: Exporter, own_cache: Path) -> None:
    binary = next(own_cache.glob("*/*.bin"))
    binary.write_bytes(binary.read_bytes()[:-1])
    assert opener.open().detector.info.engine == "openvino"
    assert exporter.count == 1
    [warning] = opener.warned
    assert "is damaged (demo-yolo.bin has changed since it was written); it is made again" in warning
    opener.open()
    assert exporter.count == 1


def test_without_a_cache_an_engine_lasts_as_long_as_the_run(
    opener: Opener, exporter: Exporter, empty_cache: Path
) -> None:
    empty_cache.write_text("a file where the folder should be")
    assert opener.open("openvino").detector.info.engine == "openvino"
    [warning] = opener.warned
    assert warning.startswith("what is converted will not be kept: cannot write")


@pytest.mark.usefixtures("empty_cache")
def test_an_engine_that_is_not_installed_is_named(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectattn.conversion.export.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"needs openvino, which is not installed. Install it: pip install"):
        opener.open("openvino")


def test_an_export_tells_what_its_gate_said(filled_cache: Path, tmp_path: Path, opener: Opener) -> None:
    [made] = filled_cache.glob("engines/*/openvino-*")
    folder = tmp_path / "runs" / "export-001"
    shutil.copytree(made, folder)
    record = load_record(folder)
    assert record is not None
    weights = WeightsFile(folder, "", "openvino", "local")
    tell = Tell(warn=opener.warned.append)
    assert open_model(weights, EngineOptions(), tell=tell).conversion == record.to_dict()
    assert opener.warned == []
    write_record(folder, replace(record, refused=("boxes moved by 9 px",)))
    opened = open_model(weights, EngineOptions(), tell=tell)
    assert opened.conversion is not None
    assert opened.conversion["passed"] is False
    assert opener.warned == ["demo-yolo did not pass its gate and was kept with --force: boxes moved by 9 px"]
    assert opened.detector.info.name == "demo-yolo"


@pytest.mark.parametrize(
    ("judged", "said"),
    [
        ({"engine": "onnx"}, "onnx on cpu, fp32"),
        ({"device": "cuda:0"}, "openvino on cuda, fp32"),
        ({"precision": "int8"}, "openvino on cpu, int8"),
    ],
)
def test_an_export_that_runs_otherwise_than_it_was_judged_says_so(
    judged: dict[str, Any], said: str, filled_cache: Path, tmp_path: Path, opener: Opener
) -> None:
    [made] = filled_cache.glob("engines/*/openvino-*")
    folder = tmp_path / "export"
    shutil.copytree(made, folder)
    record = load_record(folder)
    assert record is not None
    write_record(folder, replace(record, settings=replace(record.settings, **judged)))
    weights = WeightsFile(folder, "", "openvino", "local")
    conversion = open_model(weights, EngineOptions(), tell=Tell(warn=opener.warned.append)).conversion
    assert conversion is not None
    sentence = f"it runs as openvino on cpu, fp32, and its parity gate judged it as {said}"
    assert (conversion["passed"], conversion["unjudged"]) == (False, sentence)
    assert opener.warned == [f"nothing is known of how exact demo-yolo is here: {sentence}"]
