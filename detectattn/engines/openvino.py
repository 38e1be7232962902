"""Run an OpenVINO model without importing PyTorch or Ultralytics."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from detectattn.engines.base import EngineOptions, ModelSpec
from detectattn.engines.compiled_cache import open_compiled_cache
from detectattn.engines.exported import read_spec
from detectattn.engines.first_call import FirstAlone
from detectattn.engines.layout import parse_class_names, parse_metadata, require_detection
from detectattn.engines.openvino_runtime import choose_arithmetic, find_device, fix_shape, import_openvino
from detectattn.engines.runtime_errors import memory_errors
from detectattn.errors import CorruptWeights
from detectattn.machine import count_usable_cores
from detectattn.types import F32, WeightsFile
from detectattn.weights.content import check_weights_content
from detectattn.yaml_text import BrokenYaml, read_yaml

# Of the thirteen shapes that there may be, since each takes memory of its own.
_MOST_COMPILED = 6
_MOST_STREAMS = 32
_FIRST_ALONE = FirstAlone()


class OpenVinoEngine:
    """A model compiled by OpenVINO: one request on all cores, or for throughput several side by side.

    Requests are plain synchronous ones, one a stream, that callers in several threads share: OpenVINO's own
    ``AsyncInferQueue`` was seen to hang on some processors.

    A model that takes any number of pictures or, quantised, any size is compiled anew for each shape that comes: fixed
    shapes are faster, and quantised models with free ones crash on processors with AMX. A picture's shape alone decides
    what it runs on, so results do not depend on the order of pictures.
    """

    def __init__(self, weights: WeightsFile, options: EngineOptions) -> None:
        self._core = import_openvino().Core()
        self._device = find_device(options.device, self._core.available_devices)
        xml = find_model_file(weights.path)
        check_weights_content(xml, str(xml))  # it would read ONNX under that name too, past what is checked of ONNX
        self._model = _read_model(self._core, xml)
        stored = _stored_precision(xml)
        capabilities = list(self._core.get_property(self._device, "OPTIMIZATION_CAPABILITIES"))
        arithmetic, precision = choose_arithmetic(options.precision, stored, capabilities, str(xml))
        spec = self._read_spec(xml, options, precision)
        # Quantised, or with one shape for all pictures, a model is compiled by shape; else free sizes stay free.
        self._by_shape = self._model.is_dynamic() and (stored == "int8" or spec.fit != "letterbox_rect")
        few_shapes = self._by_shape and spec.fit == "letterbox_rect"
        self._settings = _choose_settings(self._device, arithmetic, options)
        # Where many pictures follow, what compiling one shape takes is little, and the cache would hold a model twice.
        if (options.hint == "latency" or few_shapes) and (folder := open_compiled_cache(weights)):
            self._settings["CACHE_DIR"] = str(folder)
        self._compiling = threading.Lock()
        self._requests: dict[tuple[int, ...], _Requests] = {}
        streams = options.streams or (1 if options.hint == "latency" else min(count_usable_cores(), _MOST_STREAMS))
        if not self._by_shape:
            streams = self._open_requests(()).count
        elif spec.fit != "letterbox_rect":
            streams = self._open_requests((spec.fixed_batch or options.batch or 1, 3, *spec.net_hw)).count
        self.spec = replace(spec, streams=streams, few_shapes=few_shapes)

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        """Raw head outputs; see :class:`detectattn.engines.base.Engine`."""
        shape = tensor.shape if self._by_shape else ()
        with memory_errors(self.spec.device, tensor):
            return _FIRST_ALONE.run(lambda: self._open_requests(shape).infer(tensor))

    def close(self) -> None:
        """Free the model."""
        self._requests.clear()
        del self._model

    def _read_spec(self, xml: Path, options: EngineOptions, precision: str) -> ModelSpec:
        metadata = _read_metadata(xml.parent)
        require_detection(metadata, str(xml))
        return read_spec(
            metadata,
            parse_class_names(metadata, str(xml)),
            input_shape=[_length(d) for d in self._model.input(0).partial_shape],
            output_shape=[_length(d) for d in self._model.output(0).partial_shape],
            options=options,
            where=str(xml),
            engine="openvino",
            device=self._device.lower(),
            precision=precision,
        )

    def _open_requests(self, shape: tuple[int, ...]) -> _Requests:
        """Requests for a shape, or for the model's own shapes where ``shape`` is empty; compiled at the first call."""
        with self._compiling:
            requests = self._requests.pop(shape, None)
            if requests is None:
                # A run keeps to one number of pictures; what was compiled for another is not needed any more.
                kept = [(other, made) for other, made in self._requests.items() if other[:1] == shape[:1]]
                self._requests = dict(kept[1 - _MOST_COMPILED :])
                model = fix_shape(self._model, shape) if shape else self._model
                requests = _Requests(self._core.compile_model(model, self._device, self._settings))
            self._requests[shape] = requests  # the last is the one used last
            return requests


class _Requests:
    """A compiled model with as many requests as it runs side by side."""

    def __init__(self, compiled: Any) -> None:
        self.count = max(1, int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")))
        self._outputs = len(compiled.outputs)
        self._free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.count):
            self._free.put(compiled.create_infer_request())

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        request = self._free.get()
        try:
            request.infer([tensor], share_inputs=True)
            return tuple(request.get_output_tensor(i).data.copy() for i in range(self._outputs))
        finally:
            self._free.put(request)


def _choose_settings(device: str, arithmetic: str, options: EngineOptions) -> dict[str, Any]:
    settings: dict[str, Any] = {"PERFORMANCE_HINT": options.hint.upper(), "INFERENCE_PRECISION_HINT": arithmetic}
    if device == "CPU" and options.threads:
        settings["INFERENCE_NUM_THREADS"] = options.threads
    if device == "CPU" and options.streams:
        settings["NUM_STREAMS"] = options.streams
    return settings


def _read_model(core: Any, xml: Path) -> Any:
    try:
        return core.read_model(xml)
    except RuntimeError as error:
        raise CorruptWeights(
            f"{xml} cannot be read by OpenVINO ({_first_line(error)})",
            hint="Export it again, and copy the whole folder: the .xml and .bin belong together",
        ) from error


def find_model_file(folder: Path) -> Path:
    """The one ``.xml`` in an OpenVINO folder (or the file itself), with its ``.bin`` beside it.

    Raises:
        CorruptWeights: There is none, or several, or the ``.bin`` is missing.
    """
    files = [folder] if folder.suffix == ".xml" else sorted(folder.glob("*.xml"))
    if len(files) == 1 and files[0].with_suffix(".bin").is_file():
        return files[0]
    found = ", ".join(f.name for f in files) or "no .xml"
    raise CorruptWeights(
        f"{folder} is not one OpenVINO model (found {found})", hint="Name a folder with one .xml and its .bin"
    )


def _read_metadata(folder: Path) -> dict[str, Any]:
    path = folder / "metadata.yaml"
    if not path.is_file():
        raise CorruptWeights(
            f"{folder} has no metadata.yaml, so its classes are unknown",
            hint="Export it with Ultralytics (`yolo export format=openvino`), which writes one",
        )
    try:
        raw = read_yaml(path)
    except (OSError, BrokenYaml) as error:
        raise CorruptWeights(f"{path} is not YAML ({_first_line(error)})", hint="Export the model again") from error
    if not isinstance(raw, Mapping):
        raise CorruptWeights(f"{path} holds no names and values", hint="Export the model again")
    return parse_metadata(raw)


def _stored_precision(xml: Path) -> str:
    """Judged by the graph: quantised models hold FakeQuantize nodes, compressed ones half-precision constants."""
    text = xml.read_text(encoding="utf-8", errors="replace")
    if 'type="FakeQuantize"' in text:
        return "int8"
    return "fp16" if 'element_type="f16"' in text else "fp32"


def _length(dimension: Any) -> int | None:
    return None if dimension.is_dynamic else int(dimension.get_length())


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).strip()[:160]
