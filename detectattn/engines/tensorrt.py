"""Run an ONNX model with TensorRT on an NVIDIA GPU: ONNX Runtime's provider builds and keeps its engines."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from detectattn.engines.base import EngineOptions, ModelSpec
from detectattn.engines.compiled_cache import open_compiled_cache
from detectattn.engines.onnx import OnnxEngine, import_runtime, make_session_options, open_session
from detectattn.errors import DeviceNotFound, EngineError, MissingExtra
from detectattn.machine import count_usable_cores, find_version
from detectattn.types import WeightsFile

_PROVIDER = "TensorrtExecutionProvider"
_BATCH = 8
_WORKSPACE_BYTES = 4 << 30
_DISTRIBUTIONS = ("tensorrt", "tensorrt-cu12", "tensorrt-cu13")


class TensorRtEngine(OnnxEngine):
    """A session whose graph TensorRT has built for this GPU; what TensorRT does not know runs in CUDA.

    An engine is built for one number of pictures, and for any height and width up to the model's where these are free.
    That takes minutes, so engines are kept in the cache of compiled models, each for its versions and GPU.
    """

    def __init__(self, weights: WeightsFile, options: EngineOptions) -> None:
        runtime = import_runtime()
        device = _find_device(options.device, runtime.get_available_providers())
        # The CPU first: what the file says of itself decides how TensorRT is to build.
        super().__init__(weights, replace(options, device="cpu", precision="auto", hint="latency", streams=None))
        if options.precision not in ("auto", "fp32", "fp16"):
            raise EngineError(
                f"TensorRT does not run {weights.path} in {options.precision.upper()} here",
                hint="Use --precision fp32 or fp16",
            )
        precision = "fp16" if "fp16" in (options.precision, self.spec.precision) else "fp32"
        batch = self.spec.fixed_batch or options.batch or _BATCH
        self.spec = replace(self.spec, engine="tensorrt", device=device, precision=precision, fixed_batch=batch)
        if precision == "fp32":
            # TensorFloat-32 would round single precision to ten bits, unasked; the provider has no option for it.
            os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
        if find_spec("tensorrt") is not None:
            import_module("tensorrt")  # loads its libraries from where pip has put them
        pictures = self._session.get_inputs()[0]
        profile = {} if _is_fixed(pictures.shape) else _make_profile(pictures.name, self.spec, batch)
        settings = {**_make_settings(runtime, weights, self.spec), **profile}
        session_options = make_session_options(runtime, options.threads or count_usable_cores(), streams=1)
        self._session = open_session(runtime, str(weights.path), session_options, device, [(_PROVIDER, settings)])


def require_tensorrt(device: str) -> None:
    """Refuse TensorRT where ONNX Runtime lacks it, before any work is done for it.

    Raises:
        MissingExtra: ONNX Runtime is not installed, or was built without TensorRT.
        DeviceNotFound: It does not run on that device.
    """
    _find_device(device, import_runtime().get_available_providers())


def _find_device(name: str, available: list[str]) -> str:
    if _PROVIDER not in available:
        raise MissingExtra(
            f"this ONNX Runtime was built without TensorRT (it has {', '.join(available)})",
            hint='Install it: pip install "onnxruntime-gpu[cuda,cudnn]" "tensorrt-cu13<11", in place of onnxruntime',
        )
    if name in ("auto", "cuda"):
        return "cuda:0"
    if not (name.startswith("cuda:") and name[5:].isdecimal()):
        raise DeviceNotFound(f"TensorRT does not run on device {name!r}", hint="Pass cuda to --device, or leave it out")
    return name


def _make_settings(runtime: Any, weights: WeightsFile, spec: ModelSpec) -> dict[str, Any]:
    """The provider's options, by its names for them."""
    settings: dict[str, Any] = {
        "device_id": int(spec.device.partition(":")[2]),
        "trt_fp16_enable": spec.precision == "fp16",
        "trt_max_workspace_size": _WORKSPACE_BYTES,
    }
    folder = open_compiled_cache(weights)
    if folder is None:
        return settings
    # TensorRT reads no engine of another version.
    versions = f"ort{runtime.__version__}-trt{find_version(*_DISTRIBUTIONS) or 'other'}"
    return settings | {
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(folder),
        "trt_engine_cache_prefix": f"{versions}-{spec.precision}-{spec.fixed_batch}",
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": str(folder),
    }


def _is_fixed(shape: list[Any]) -> bool:
    return all(isinstance(length, int) for length in shape)


def _make_profile(name: str, spec: ModelSpec, batch: int) -> dict[str, str]:
    """What shapes an engine is built for: without it, each new one would have it built anew."""
    smallest = (spec.stride, spec.stride) if spec.fit == "letterbox_rect" else spec.net_hw
    least, most = (f"{name}:{batch}x3x{height}x{width}" for height, width in (smallest, spec.net_hw))
    return {"trt_profile_min_shapes": least, "trt_profile_opt_shapes": most, "trt_profile_max_shapes": most}
