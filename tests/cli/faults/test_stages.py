"""Faults in every stage of a run: the right exit code, one line that says where, nothing left behind, a whole folder.

What can go on from there does, to the very bytes of a run in which nothing failed.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.resume import compare_runs
from detectattn.cli import leaving, predict_streams
from detectattn.conversion.fallback import open_fallback
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.errors import EngineError, SourceError
from detectattn.pipeline import stages
from detectattn.pipeline.recovery import require_alike
from detectattn.pipeline.stages import RunOptions
from detectattn.types import WeightsFile
from detectattn.weights.embedded import embedded_path
from tests.cli.faults.faulty import fail_from, read_error, require_whole_up_to_there, throw

pytestmark = pytest.mark.timeout(30)
Words = list[str]


@pytest.mark.parametrize(
    ("target", "after", "fault", "code", "told"),
    [
        ("detectattn.pipeline.stages.feed_media", 0, throw(SourceError, "it breaks off", hint="Look"), 1, "breaks off"),
        ("detectattn.engines.detector.Detector.fit", 3, throw(ValueError, "odd"), 3, r"ValueError: odd, on \d\.jpg\)"),
        ("detectattn.engines.onnx.OnnxEngine.infer", 3, throw(RuntimeError, "odd"), 1, r"tiny broke on \d\.jpg: Runt"),
        ("detectattn.engines.onnx.OnnxEngine.infer", 3, throw(MemoryError), 1, r"too little memory for \d\.jpg"),
        ("detectattn.engines.detector.decode_detections", 3, throw(ValueError, "odd"), 3, r"odd, on \d\.jpg\)"),
        ("detectattn.cli.predict_sinks.draw_detections", 3, throw(ValueError, "odd"), 3, r"odd, on \d\.jpg\)"),
        ("detectattn.sinks.annotated_image.encode_image", 3, throw(MemoryError), 1, r"too little memory, on \d\.jpg\."),
    ],
)
def test_stages_that_fail(
    detectattn: Any,
    words: Words,
    whole: Path,
    tmp_path: Path,
    target: str,
    after: int,
    fault: Callable[..., Any],
    code: int,
    told: str,
) -> None:
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, fail_from(after, fault, resolve_name(target)))
        done = detectattn(*words, "-o", folder)
    assert done.code == code
    assert re.search(told, read_error(done.err))
    assert f"`detectattn predict --resume {folder}` goes on from there" in done.err
    require_whole_up_to_there(folder, whole)
    assert detectattn("predict", "--resume", folder, "-q", "--isolate", "none").code == 4
    assert compare_runs(whole, folder).differences == []


def test_a_smaller_batch_outlives_the_run(detectattn: Any, words: Words, whole: Path, tmp_path: Path) -> None:
    """Memory runs out, then the run breaks off: it goes on with the batch that fitted."""
    from detectattn.engines.onnx import OnnxEngine

    folder, infer = tmp_path / "run", OnnxEngine.infer
    rows: list[int] = []

    def refuse(engine: Any, tensor: Any) -> Any:
        rows.append(len(tensor))
        if len(tensor) > 2:
            raise MemoryError
        return infer(engine, tensor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnnxEngine, "infer", refuse)
        patch.setattr("detectattn.cli.predict_sinks.draw_detections", throw(ValueError, "odd"))
        done = detectattn(*words, "-o", folder, "--batch", "4")
        assert (done.code, done.err.count("warning: there is too little memory")) == (3, 1)
        model = json.loads((folder / "run.json").read_text())["models"][0]
        assert (model["batch"], [(r["what"], r["was"], r["now"]) for r in model["recovered"]]) == (
            2,
            [("batch", "4", "2")],
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnnxEngine, "infer", refuse)
        rows.clear()
        assert detectattn("predict", "--resume", folder, "-q", "--isolate", "none").code == 4
    assert set(rows) == {2}
    assert compare_runs(whole, folder).differences == ["run.json"]
    assert len(json.loads((folder / "run.json").read_text())["models"][0]["recovered"]) == 1


@pytest.mark.parametrize("engines_that_hang", [1, 2])
def test_an_engine_that_hangs(
    detectattn: Any, words: Words, whole: Path, tmp_path: Path, engines_that_hang: int
) -> None:
    from detectattn.engines.onnx import OnnxEngine

    folder, infer, released = tmp_path / "run", OnnxEngine.infer, threading.Event()
    seen: dict[int, int] = {}

    def hang(engine: Any, tensor: Any) -> Any:
        seen[id(engine)] = calls = seen.get(id(engine), 0) + 1
        if list(seen).index(id(engine)) < engines_that_hang and calls > 2:
            released.wait(20)
        return infer(engine, tensor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnnxEngine, "infer", hang)
        patch.setattr(predict_streams, "RunOptions", partial(RunOptions, first_answer_s=0.4))
        patch.setattr(stages, "_JOIN_S", 0.2)
        patch.setattr(leaving, "_stalled", [])
        done = detectattn(*words, "-o", folder)
        assert len(leaving._stalled) == 1
    released.set()
    if engines_that_hang == 1:
        assert done.code == 4
        assert done.err.count("warning: tiny did not answer for") == 1
        [recovery] = json.loads((folder / "run.json").read_text())["models"][0]["recovered"]
        assert (recovery["what"], recovery["now"]) == ("engine", "onnx on cpu, fp32")
        assert recovery["after"] >= 2
        assert compare_runs(whole, folder).differences == ["run.json"]
    else:
        assert done.code == 1
        assert "its engine, onnx on cpu, hangs" in read_error(done.err)
        require_whole_up_to_there(folder, whole)
        assert detectattn("predict", "--resume", folder, "-q", "--isolate", "none").code == 4
        # Which tells that another engine had taken over.
        assert compare_runs(whole, folder).differences == ["run.json"]


def test_pytorch_takes_over_from_what_was_made_of_its_model() -> None:
    """Whatever precision that had, at the size and in the batch that it had."""
    path = embedded_path("demo-yolo")
    assert path is not None
    weights = WeightsFile(path, "", "safetensors", "embedded")
    reference = open_detector(weights, EngineOptions())
    spec = replace(reference.engine.spec, engine="openvino", precision="int8", net_hw=(256, 256))
    converted = Detector(SimpleNamespace(spec=spec), "demo", weights, 4)
    fallback = open_fallback(converted, EngineOptions(precision="int8", hint="throughput"))
    info = fallback.info
    assert (info.engine, info.precision, info.name, info.net_hw, fallback.batch) == (
        "torch",
        "fp32",
        "demo",
        (256, 256),
        4,
    )
    require_alike(fallback, converted)
    with pytest.raises(EngineError, match="holds another model"):
        require_alike(reference, converted)
