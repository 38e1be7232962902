"""Run an OpenVINO model without importing PyTorch or Ultralytics."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from detectattn.engines.base import EngineOptions
from detectattn.engines.exported import read_spec
from detectattn.engines.layout import parse_class_names, parse_metadata, require_detection
from detectattn.errors import CorruptWeights, DeviceNotFound, MissingExtra
from detectattn.types import F32, WeightsFile


class OpenVinoEngine:
    """A model compiled by OpenVINO, in latency mode: one request at a time on all cores."""

    def __init__(self, weights: WeightsFile, options: EngineOptions) -> None:
        core = _open_core()
        device = _find_device(options.device, core.available_devices)
        xml = find_model_file(weights.path)
        metadata = _read_metadata(xml.parent)
        require_detection(metadata, str(xml))
        try:
            model = core.read_model(xml)
        except RuntimeError as error:
            raise CorruptWeights(
                f"{xml} cannot be read by OpenVINO ({_first_line(error)})",
                hint="Export it again, and copy the whole folder: the .xml and .bin belong together",
            ) from error
        shape = [_length(d) for d in model.output(0).partial_shape]
        self.spec = read_spec(
            metadata,
            parse_class_names(metadata, str(xml)),
            input_shape=[_length(d) for d in model.input(0).partial_shape],
            output_shape=shape,
            options=options,
            where=str(xml),
            engine="openvino",
            device=device.lower(),
            precision=_precision(xml),
        )
        # On processors with bfloat16 OpenVINO would compute in it unasked, which moves boxes and scores.
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if device == "CPU" and options.threads:
            settings["INFERENCE_NUM_THREADS"] = options.threads
        self._request = core.compile_model(model, device, settings).create_infer_request()
        self._outputs = len(model.outputs)

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        """Raw head outputs; see :class:`detectattn.engines.base.Engine`."""
        self._request.infer([tensor], share_inputs=True)
        return tuple(self._request.get_output_tensor(i).data.copy() for i in range(self._outputs))

    def close(self) -> None:
        """Free the model."""
        del self._request


def _open_core() -> Any:
    if find_spec("openvino") is None:
        raise MissingExtra(
            "this model needs OpenVINO, which is not installed", hint='Install it: pip install "detectattn[openvino]"'
        )
    # OpenVINO reports usage through this module; without it, it does not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes an import fail
    import openvino

    return openvino.Core()


def _find_device(name: str, available: list[str]) -> str:
    wanted = "CPU" if name in ("auto", "cpu") else name.upper()
    if wanted not in available:
        raise DeviceNotFound(
            f"device {name!r} is not there for an OpenVINO model (OpenVINO sees {', '.join(available)})",
            hint="Pass one of those to --device, or use the model's .pt file on another device",
        )
    return wanted


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
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CorruptWeights(f"{path} is not YAML ({_first_line(error)})", hint="Export the model again") from error
    if not isinstance(raw, Mapping):
        raise CorruptWeights(f"{path} holds no names and values", hint="Export the model again")
    return parse_metadata(raw)


def _precision(xml: Path) -> str:
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
