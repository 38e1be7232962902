"""Export a PyTorch model to OpenVINO or ONNX: boxes and class scores, with top-k and NMS left to numpy.

So every detection can be traced to its row, and the graph ends where PyTorch's does.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detectattn.conversion.metadata import build_metadata, write_metadata
from detectattn.conversion.settings import ConversionSettings
from detectattn.engines.base import HeadLayout
from detectattn.engines.openvino_runtime import choose_arithmetic, find_device, import_openvino
from detectattn.engines.tensorrt import require_tensorrt
from detectattn.errors import DiskFull, EngineError, MissingExtra
from detectattn.fetch import format_bytes

if TYPE_CHECKING:
    import torch

    from detectattn.engines.pytorch import TorchEngine

# The first that has bilinear sampling, which deformable attention needs, is 16.
_ONNX_OPSET = 17
# From half precision to single, and once more while it is written.
_BYTES_A_WEIGHT = 4
_INPUT = "images"
_OUTPUTS: dict[HeadLayout, list[str]] = {"rtdetr_dense": ["boxes", "scores"]}
_ONE_OUTPUT = ["output"]


def require_exporter(engine: str) -> None:
    """Refuse an export whose packages are not installed, before any work is done for it.

    Raises:
        MissingExtra: They are not.
    """
    for package in ("openvino",) if engine == "openvino" else ("onnx", "onnxruntime"):
        if find_spec(package) is None:
            install = 'pip install "detectattn[openvino]"' if engine == "openvino" else "pip install onnx onnxruntime"
            raise MissingExtra(
                f"converting to {engine} needs {package}, which is not installed", hint=f"Install it: {install}"
            )


def require_device(settings: ConversionSettings) -> None:
    """Refuse a device or a precision that an engine does not have here, before a conversion that could not run.

    Raises:
        DeviceNotFound: The device is not there.
        EngineError: It does not compute in that precision.
        MissingExtra: TensorRT is not there.
    """
    if settings.engine == "tensorrt":
        require_tensorrt(settings.device)
    if settings.engine != "openvino":
        return  # what ONNX Runtime has is told when it opens a model
    core = import_openvino().Core()
    device = find_device(settings.device, core.available_devices)
    if settings.precision == "bf16":
        capabilities = list(core.get_property(device, "OPTIMIZATION_CAPABILITIES"))
        choose_arithmetic("bf16", "fp32", capabilities, "the model")


def require_space(folder: Path, weights_bytes: int) -> None:
    """Refuse an export that the disk has no room for: exporters leave half a file and say little.

    Args:
        folder: Where it is to go.
        weights_bytes: Size of the weights, which may be in half precision.

    Raises:
        DiskFull: There is too little space.
    """
    needed = _BYTES_A_WEIGHT * weights_bytes
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"{folder} has {format_bytes(free)} of free space, and converting takes about {format_bytes(needed)}",
            hint="Free some space, or point DETECTATTN_CACHE, or -o, at another disk",
        )


def export_model(
    engine: TorchEngine, settings: ConversionSettings, folder: Path, name: str, weights_sha256: str
) -> Path:
    """Write a converted model with its metadata; INT8 is written in FP32, for what quantises it.

    Args:
        engine: The model: on the CPU, in FP32.
        settings: Resolved.
        folder: Exists; is written into.
        name: The model's name, which becomes that of its files.
        weights_sha256: Of the weights it was made from.

    Returns:
        The ``.xml`` or ``.onnx`` file.

    Raises:
        MissingExtra: A package that is needed is not installed.
        EngineError: The exporter does not know something in the model.
        OSError: The files cannot be written.
    """
    require_exporter(settings.engine)
    from detectattn.conversion.traceable import traceable

    metadata = build_metadata(engine.spec, settings, name, weights_sha256)
    write = _write_openvino if settings.engine == "openvino" else _write_onnx
    try:
        with _quiet_exporters(), traceable(engine, settings) as (module, example):
            path = write(module, example, settings, folder / name, metadata, engine.spec.layout)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        # Neither exporter has one base class for what it does not know.
        raise EngineError(
            f"{name} cannot be converted to {settings.engine}: {_shorten(error)}",
            hint="Use --engine torch, or try the other of --engine openvino and --engine onnx",
        ) from error
    write_metadata(folder, metadata)
    return path


def _write_openvino(
    module: Any,
    example: torch.Tensor,
    settings: ConversionSettings,
    stem: Path,
    metadata: dict[str, Any],
    layout: HeadLayout,
) -> Path:
    import torch

    openvino = import_openvino()
    with torch.no_grad():
        traced: Any = torch.jit.trace(module, example, strict=False, check_trace=False)  # type: ignore[no-untyped-call]
    height, width = (-1, -1) if settings.dynamic else example.shape[2:]
    shape = openvino.PartialShape([settings.batch or -1, 3, height, width])
    model = openvino.convert_model(traced, example_input=example, input=[shape])
    model.input(0).set_names({_INPUT})
    for output, text in zip(model.outputs, _OUTPUTS.get(layout, _ONE_OUTPUT), strict=True):
        output.set_names({text})
    path = stem.with_name(f"{stem.name}.xml")
    openvino.save_model(model, path, compress_to_fp16=settings.precision == "fp16")
    return path


def _write_onnx(
    module: Any,
    example: torch.Tensor,
    settings: ConversionSettings,
    stem: Path,
    metadata: dict[str, Any],
    layout: HeadLayout,
) -> Path:
    import onnx
    import torch

    path = stem.with_name(f"{stem.name}.onnx")
    outputs = _OUTPUTS.get(layout, _ONE_OUTPUT)
    with torch.no_grad():
        torch.onnx.export(
            module,
            (example,),
            path,
            dynamo=False,  # the newer exporter needs a package more, and takes longer
            opset_version=_ONNX_OPSET,
            input_names=[_INPUT],
            output_names=outputs,
            dynamic_axes=_free_axes(settings, outputs, layout),
        )
    model = onnx.load(path)
    if settings.precision == "fp16":
        model = _halve(model)
    onnx.helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.save(model, path)
    return path


def _free_axes(settings: ConversionSettings, outputs: list[str], layout: HeadLayout) -> dict[str, dict[int, str]]:
    free: dict[str, dict[int, str]] = {name: {} for name in (_INPUT, *outputs)}
    if settings.batch is None:
        for axes in free.values():
            axes[0] = "batch"
    if settings.dynamic:
        free[_INPUT] |= {2: "height", 3: "width"}
        for name in outputs:
            free[name][2 if layout == "yolo_dense" else 1] = "anchors"
    return free


def _halve(model: Any) -> Any:
    """Weights and arithmetic in half precision; pictures, boxes and scores stay in single."""
    # Read at import: without it ONNX Runtime keeps an identifier of the machine in the home folder.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, keep_io_types=True)


@contextmanager
def _quiet_exporters() -> Iterator[None]:
    """Tracing warns of every shape that it turns into a number, which is what an export wants."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _shorten(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200].rstrip(".")
