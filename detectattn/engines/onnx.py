"""Run an ONNX model with ONNX Runtime, without importing PyTorch or Ultralytics."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from detectattn.engines.base import EngineOptions, ModelSpec
from detectattn.engines.exported import read_spec
from detectattn.engines.first_call import FirstAlone
from detectattn.engines.layout import parse_class_names, parse_metadata, require_detection
from detectattn.engines.runtime_errors import memory_errors, tells_of_memory
from detectattn.errors import CorruptWeights, DeviceNotFound, EngineError, MissingExtra
from detectattn.machine import count_usable_cores
from detectattn.types import F32, WeightsFile
from detectattn.weights.onnx_data import check_external_data

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}
_MOST_STREAMS = 8
_FIRST_ALONE = FirstAlone()
_NO_PROVIDER = (
    'Install what it needs (`pip install "onnxruntime-gpu[cuda,cudnn]"`, and "tensorrt-cu13<11" for TensorRT) in the '
    "versions that ONNX Runtime names, or use --engine torch"
)
# What ONNX Runtime raises for a file that it cannot read, whatever is to run it.
_OF_THE_FILE = frozenset({"InvalidProtobuf", "InvalidGraph", "ModelRequiresCompilation", "NoSuchFile", "NoModel"})
_INPUT_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxEngine:
    """A session of ONNX Runtime on all cores, or on a GPU where its build has one.

    For throughput on the CPU several calls run side by side in the one session, each on its caller's thread.

    Raises:
        EngineError: The file does not hold the precision that was asked for, or its device cannot be used.
    """

    spec: ModelSpec

    def __init__(self, weights: WeightsFile, options: EngineOptions) -> None:
        runtime = import_runtime()
        where = str(weights.path)
        check_external_data(weights.path)
        devices = _find_devices(options.device, runtime.get_available_providers())
        self._session, device, streams = _open_on_first(runtime, where, devices, options)
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
        _require_precision(options.precision, spec.precision, where)
        self.spec = replace(spec, streams=streams)

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        """Raw head outputs; see :class:`detectattn.engines.base.Engine`."""
        pixels = {self._input: tensor.astype(self._dtype, copy=False)}
        with memory_errors(self.spec.device, tensor):
            outputs = _FIRST_ALONE.run(lambda: self._session.run(None, pixels))
        return tuple(np.asarray(output, np.float32) for output in outputs)

    def close(self) -> None:
        """Free the session."""
        del self._session


def _open_on_first(runtime: Any, where: str, devices: Sequence[str], options: EngineOptions) -> tuple[Any, str, int]:
    """A session on the first device that can start, with that device and the calls side by side."""
    threads = options.threads or count_usable_cores()
    for device in devices:
        streams = count_streams(options, threads) if device == "cpu" else 1
        try:
            session = open_session(runtime, where, make_session_options(runtime, threads, streams), device)
        except EngineError:
            if device == devices[-1]:
                raise
            continue  # what a build has a provider for, the machine need not have
        return session, device, streams
    raise AssertionError("no device to open a session on")


def import_runtime() -> Any:
    """The package ``onnxruntime``, without telemetry.

    Raises:
        MissingExtra: It is not installed.
    """
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


def open_session(
    runtime: Any, where: str, session_options: Any, device: str, before: Sequence[tuple[str, dict[str, Any]]] = ()
) -> Any:
    """A session on a device. ONNX Runtime would go on without a provider that cannot start; this does not.

    Args:
        runtime: The package.
        where: The file.
        session_options: ONNX Runtime's.
        device: As in :class:`~detectattn.engines.base.ModelSpec`.
        before: Providers that come before the device's own, with their options.

    Raises:
        CorruptWeights: The file cannot be read.
        EngineError: The first provider cannot start: a library that it needs is not there.
    """
    if device.startswith("cuda"):
        _load_cuda(runtime)
    providers = [*before, *_providers(device)]
    first = providers[0] if isinstance(providers[0], str) else providers[0][0]
    try:
        session = runtime.InferenceSession(where, session_options, providers=providers, enable_fallback=0)
    except Exception as error:
        # ONNX Runtime's exceptions share no base class of their own.
        why = str(error).strip().splitlines()[0][:160]
        if tells_of_memory(error):
            raise
        if device != "cpu" and type(error).__name__ not in _OF_THE_FILE:
            raise EngineError(f"{first} cannot run {where} ({why})", hint=_NO_PROVIDER) from error
        raise CorruptWeights(
            f"{where} cannot be read by ONNX Runtime ({why})", hint="Export it again, or use the .pt file"
        ) from error
    if first not in session.get_providers():
        raise EngineError(f"ONNX Runtime cannot start its {first} on {device}", hint=_NO_PROVIDER)
    return session


def _load_cuda(runtime: Any) -> None:
    """Load CUDA's libraries where pip has put them; what is missing is told when the provider starts."""
    if hasattr(runtime, "preload_dlls"):
        with redirect_stdout(io.StringIO()):  # where results are
            runtime.preload_dlls()


def _require_precision(wanted: str, stored: str, where: str) -> None:
    # In FP32 a file of rounded weights is computed, if that is what was asked for.
    if wanted not in ("auto", "fp32", stored):
        raise EngineError(
            f"{where} holds {stored.upper()} weights and cannot run in {wanted.upper()}",
            hint="Leave --precision out, or use the .pt file that it was made from",
        )


def make_session_options(runtime: Any, threads: int, streams: int) -> Any:
    """ONNX Runtime's options for so many threads and calls side by side."""
    options = runtime.SessionOptions()
    # A call runs on its caller's thread, with the help of a pool that all calls share: in all as many as asked for.
    options.intra_op_num_threads = threads - streams + 1
    if streams > 1:
        # Threads of the pool that wait by spinning would take the cores that decode and encode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _find_devices(name: str, available: list[str]) -> list[str]:
    """The device of that name; for ``auto`` those to try in turn."""
    usable = [device for device, provider in _PROVIDERS.items() if provider in available]
    if name == "auto":
        return ["cuda:0", "cpu"] if "cuda" in usable else ["cpu"]
    kind, colon, index = name.partition(":")
    if kind not in usable or (colon and not index.isdecimal()):
        raise DeviceNotFound(
            f"device {name!r} is not there for an ONNX model (ONNX Runtime sees {', '.join(usable)})",
            hint="Pass one of those to --device; for CUDA install onnxruntime-gpu in place of onnxruntime",
        )
    return [name]


def _providers(device: str) -> list[Any]:
    kind, _, index = device.partition(":")
    provider = _PROVIDERS[kind]
    # TensorFloat-32 would round single precision to ten bits, unasked.
    first: Any = (provider, {"device_id": int(index or 0), "use_tf32": 0}) if kind == "cuda" else provider
    return [first] if kind == "cpu" else [first, _PROVIDERS["cpu"]]


def _lengths(shape: list[Any]) -> list[int | None]:
    return [d if isinstance(d, int) else None for d in shape]
