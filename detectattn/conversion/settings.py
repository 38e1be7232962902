"""What a converted model is, and the key it is kept under."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from detectattn.engines.base import HeadLayout
from detectattn.errors import ConfigError
from detectattn.machine import collect_machine, find_version

EngineName = Literal["openvino", "onnx", "tensorrt"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]

SHOWN_NAMES: Mapping[EngineName, str] = {"openvino": "OpenVINO", "onnx": "ONNX", "tensorrt": "TensorRT"}

# Of what is written beside a model.
SCHEMA = 1
# Of how models are made, raised when older ones must not be used any more.
_RECIPES: Mapping[Precision, int] = {"fp32": 1, "fp16": 1, "bf16": 1, "int8": 2}

# What has a say in the numbers that a conversion computes, beside the weights.
_EXPORTERS = ("torch", "ultralytics")
_RUNTIMES: Mapping[EngineName, tuple[str, ...]] = {
    "openvino": ("openvino",),
    "onnx": ("onnxruntime",),
    "tensorrt": ("onnxruntime", "tensorrt"),
}
# What is installed under another name than that of its package.
_DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml"),
    "tensorrt": ("tensorrt", "tensorrt-cu12", "tensorrt-cu13"),
}


@dataclass(frozen=True, slots=True)
class ConversionSettings:
    """What a model is converted to.

    Attributes:
        engine: What will run it; TensorRT takes an ONNX model.
        precision: ``fp32``; ``fp16`` (weights in half precision); ``bf16`` (an FP32 model that its engine computes in
            bfloat16); ``int8`` (OpenVINO only).
        net_hw: Height and width of the network's input, None for the model's own; the bounding square of a model that
            takes any.
        dynamic: Whether height and width stay free, so that each picture can have its own rectangle; None for what
            suits the model (:meth:`resolve`).
        batch: Pictures that always go through together, or None for any number.
        device: Where it is to run, as in :class:`~detectattn.engines.base.EngineOptions`.
        decoder_layers: As in :class:`~detectattn.engines.base.EngineOptions`.
        queries: As in :class:`~detectattn.engines.base.EngineOptions`.
        calibration: Of INT8: which pictures it is calibrated on
            (:meth:`~detectattn.conversion.pictures.PictureSample.compute_digest`), or None for whichever.
    """

    engine: EngineName
    precision: Precision = "fp32"
    net_hw: tuple[int, int] | None = None
    dynamic: bool | None = None
    batch: int | None = None
    device: str = "cpu"
    decoder_layers: int | None = None
    queries: int | None = None
    calibration: str | None = None

    def __post_init__(self) -> None:
        if self.engine != "openvino" and self.precision in ("int8", "bf16"):
            shown = SHOWN_NAMES[self.engine]
            raise ConfigError(
                f"{shown} models are not converted to {self.precision} here",
                hint=f"Use --engine openvino for that precision, or --precision fp32 or fp16 with {shown}",
            )
        if self.precision == "int8" and self.batch not in (None, 1):
            raise ConfigError("an INT8 model takes one picture at a time", hint="Leave --batch out")

    def resolve(self, layout: HeadLayout, own_hw: tuple[int, int]) -> ConversionSettings:
        """The same with nothing left open.

        YOLO keeps height and width free, which rectangular inputs need; in INT8 too, though its engine gives it fixed
        ones as pictures come, since with free ones OpenVINO crashes on processors with AMX. RT-DETR was trained on
        its square.

        Args:
            layout: How the model's head writes its output.
            own_hw: The size the model was made for.
        """
        fixed = layout.startswith("rtdetr")
        return replace(
            self,
            net_hw=self.net_hw or own_hw,
            dynamic=not fixed if self.dynamic is None else self.dynamic and not fixed,
            batch=1 if self.precision == "int8" else self.batch,
        )

    def serves(self, wanted: ConversionSettings, own_hw: tuple[int, int]) -> bool:
        """Whether a model converted with these settings, resolved, is what others ask for.

        Args:
            wanted: What is asked for. Shapes and calibration that it leaves open may be anything; a size left open is
                the model's own, a batch left open any number (of INT8, which has no other, one).
            own_hw: The size the model was made for, which a wish without a size means.
        """
        return (
            (self.engine, self.precision, self.device) == (wanted.engine, wanted.precision, wanted.device)
            and (self.decoder_layers, self.queries) == (wanted.decoder_layers, wanted.queries)
            and self.net_hw == (wanted.net_hw or own_hw)
            and wanted.dynamic in (None, self.dynamic)
            and wanted.calibration in (None, self.calibration)
            and (self.batch == wanted.batch or (wanted.batch is None and self.precision == "int8"))
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ConversionSettings:
        """The inverse of :meth:`to_dict`.

        Raises:
            TypeError: A field is missing or unknown.
        """
        size = fields.get("net_hw")
        return cls(**{**fields, "net_hw": None if size is None else (int(size[0]), int(size[1]))})


def collect_conditions(settings: ConversionSettings) -> dict[str, str]:
    """What the numbers of a conversion depend on beside weights and settings: versions, and the processor.

    Read from the packages' metadata: nothing is imported.
    """
    packages = [*_EXPORTERS, *_RUNTIMES[settings.engine], *(["nncf"] if settings.precision == "int8" else [])]
    found = {name: find_version(*_DISTRIBUTIONS.get(name, (name,))) for name in packages}
    machine = collect_machine()
    features = " ".join(machine["cpu_features"])
    return {
        "conversion": str(_RECIPES[settings.precision]),
        **{name: version or "none" for name, version in found.items()},
        # Kernels differ by processor, and a cache may lie in a home folder that machines share.
        "cpu": f"{machine['cpu']} {features}".strip(),
    }


def compute_key(weights_sha256: str, settings: ConversionSettings, conditions: Mapping[str, str]) -> str:
    """The key of a conversion, a SHA-256: other weights, settings, versions or processors have another."""
    content = {"weights": weights_sha256, "settings": settings.to_dict(), "conditions": dict(conditions)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
