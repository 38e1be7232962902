"""Run an ONNX model with ONNX Runtime, without importing PyTorch or Ultralytics."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from detectattn.engines.base import EngineOptions
from detectattn.engines.exported import read_spec
from detectattn.engines.first_call import FirstAlone
from detectattn.engines.layout import parse_class_names, parse_metadata, require_detection
from detectattn.errors import CorruptWeights, DeviceNotFound, MissingExtra
from detectattn.machine import count_usable_cores
from detectattn.types import F32, WeightsFile
from detectattn.weights.onnx_data import check_external_data

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}
_MOST_STREAMS = 8
_FIRST_ALONE = FirstAlone()
_INPUT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxEngine:
    """A session of ONNX Runtime on all cores, or on a GPU where its build has one.

    For throughput on the CPU several calls run side by side in the one session, each on its caller's thread.
    """

    def __init__(self, weights: WeightsFile, options: EngineOptions) -> None:
        runtime = _import_runtime()
        where = str(weights.path)
        check_external_data(weights.path)
        device = _find_device(options.device, runtime.get_available_providers())
        threads = options.threads or count_usable_cores()
        streams = count_streams(options, threads) if device == "cpu" else 1
        try:
            self._session = runtime.InferenceSession(
                where, _session_options(runtime, threads, streams), providers=_providers(device)
            )
        except Exception as error:
            # ONNX Runtime's exceptions share no base class of their own.
            raise CorruptWeights(
                f"{where} cannot be read by ONNX Runtime ({str(error).strip().splitlines()[0][:160]})",
                hint="Export it again, or use the .pt file",
            ) from error
        metadata = parse_metadata(self._session.get_modelmeta().custom_metadata_map)
        require_detection(metadata, where)
        pictures = self._session.get_inputs()[0]
        self._input, self._dtype = pictures.name, _INPUT_TYPES.get(pictures.type, np.float32)
        spec = read_spec(
            metadata,
            parse_class_names(metadata, where),
            input_shape=_lengths(pictures.shape),
            output_shape=_lengths(self._session.get_outputs()[0].shape),
            options=options,
            where=where,
            engine="onnx",
            device=device,
            precision="fp16" if self._dtype is np.float16 else "fp32",
        )
        self.spec = replace(spec, streams=streams)

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        """Raw head outputs; see :class:`detectattn.engines.base.Engine`."""
        pixels = {self._input: tensor.astype(self._dtype, copy=False)}
        outputs = _FIRST_ALONE.run(lambda: self._session.run(None, pixels))
        return tuple(np.asarray(output, np.float32) for output in outputs)

    def close(self) -> None:
        """Free the session."""
        del self._session


def _import_runtime() -> Any:
    if find_spec("onnxruntime") is None:
        raise MissingExtra(
            "this model needs ONNX Runtime, which is not installed", hint='Install it: pip install "detectattn[onnx]"'
        )
    # Read at import: without it ONNX Runtime keeps an identifier of the machine in the home folder.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime


def count_streams(options: EngineOptions, threads: int) -> int:
    """Calls side by side: one for latency, else one a thread up to eight, since each takes memory of its own."""
    wanted = options.streams or (1 if options.hint == "latency" else _MOST_STREAMS)
    return max(1, min(wanted, threads))


def _session_options(runtime: Any, threads: int, streams: int) -> Any:
    options = runtime.SessionOptions()
    # A call runs on its caller's thread, with the help of a pool that all calls share: in all as many as asked for.
    options.intra_op_num_threads = threads - streams + 1
    if streams > 1:
        # Threads of the pool that wait by spinning would take the cores that decode and encode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _find_device(name: str, available: list[str]) -> str:
    usable = [device for device, provider in _PROVIDERS.items() if provider in available]
    if name == "auto":
        return "cuda:0" if "cuda" in usable else "cpu"
    if name.split(":")[0] not in usable:
        raise DeviceNotFound(
            f"device {name!r} is not there for an ONNX model (ONNX Runtime sees {', '.join(usable)})",
            hint="Pass one of those to --device; for CUDA install onnxruntime-gpu in place of onnxruntime",
        )
    return name


def _providers(device: str) -> list[Any]:
    kind, _, index = device.partition(":")
    provider = _PROVIDERS[kind]
    first: Any = (provider, {"device_id": int(index or 0)}) if kind == "cuda" else provider
    return [first] if kind == "cpu" else [first, _PROVIDERS["cpu"]]


def _lengths(shape: list[Any]) -> list[int | None]:
    return [d if isinstance(d, int) else None for d in shape]
