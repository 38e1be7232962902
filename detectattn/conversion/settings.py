"""What a converted model is, and the key it is kept under."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from detectattn.conversion.device import describe_gpu
from detectattn.engines.base import HeadLayout
from detectattn.errors import ConfigError
from detectattn.machine import collect_machine, find_version

EngineName = Literal["openvino", "onnx", "tensorrt"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]

SHOWN_NAMES: Mapping[EngineName, str] = {"openvino": "OpenVINO", "onnx": "ONNX", "tensorrt": "TensorRT"}

# Of what is written beside a model.
SCHEMA = 1
# Of how models are made, raised when older ones must not be used any more.
_RECIPES: Mapping[Precision, int] = {"fp32": 1, "fp16": 2, "bf16": 1, "int8": 2}

TENSORRT_BATCH = 8
"""Pictures that TensorRT builds for where no number is asked for."""

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
        precision: ``fp32``; ``fp16`` (weights in half precision, and the arithmetic where the device has it); ``bf16``
            (an FP32 model that its engine computes in bfloat16); ``int8`` (OpenVINO only).
        net_hw: Height and width of the network's input, None for the model's own; the bounding square of a model that
            takes any.
        dynamic: Whether height and width stay free, so that each picture can have its own rectangle; None for what
            suits the model (:meth:`resolve`).
        batch: Pictures that always go through together, or None for any number (of INT8 one, of TensorRT, which builds
            for one number, :data:`TENSORRT_BATCH`).
        device: Where it is to run: of a conversion that is looked for or made, as
            :func:`~detectattn.conversion.device.resolve_device` has it.
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
            batch=self.batch or self._own_batch,
        )

    @property
    def _own_batch(self) -> int | None:
        return 1 if self.precision == "int8" else TENSORRT_BATCH if self.engine == "tensorrt" else None

    @property
    def run_precision(self) -> str:
        """What an engine is told when it opens such a conversion, to be judged or to be used."""
        return self.precision if self.precision in ("fp16", "bf16") else "auto"

    def serves(self, wanted: ConversionSettings, own_hw: tuple[int, int]) -> bool:
        """Whether a model converted with these settings, resolved, is what others ask for.

        Args:
            wanted: What is asked for. Shapes and calibration that it leaves open may be anything; a size left open is
                the model's own, a batch left open what :attr:`batch` says.
            own_hw: The size the model was made for, which a wish without a size means.
        """
        return (
            (self.engine, self.precision, self.device) == (wanted.engine, wanted.precision, wanted.device)
            and (self.decoder_layers, self.queries) == (wanted.decoder_layers, wanted.queries)
            and self.net_hw == (wanted.net_hw or own_hw)
            and wanted.dynamic in (None, self.dynamic)
            and wanted.calibration in (None, self.calibration)
            and self.batch == (wanted.batch or self._own_batch)
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
    """What the numbers of a conversion depend on beside weights and settings: versions, the processor, and the GPU.

    Read from the packages' metadata and asked of the GPU's driver: nothing is imported, but OpenVINO for a GPU of its.
    """
    packages = [*_EXPORTERS, *_RUNTIMES[settings.engine], *(["nncf"] if settings.precision == "int8" else [])]
    gpu = describe_gpu(settings.engine, settings.device)
    machine = collect_machine()
    features = " ".join(machine["cpu_features"])
    return {
        "conversion": str(_RECIPES[settings.precision]),
        **{name: _find_build(name) for name in packages},
        # Kernels differ by processor, and a cache may lie in a home folder that machines share.
        "cpu": f"{machine['cpu']} {features}".strip(),
        **({} if gpu is None else {"gpu": gpu}),
    }


def _find_build(package: str) -> str:
    """Its version; with the distribution, where that is not the package's namesake: builds of one version differ."""
    found = {name: find_version(name) for name in _DISTRIBUTIONS.get(package, (package,))}
    builds = [version if name == package else f"{name} {version}" for name, version in found.items() if version]
    return ", ".join(builds) or "none"


def compute_key(weights_sha256: str, settings: ConversionSettings, conditions: Mapping[str, str]) -> str:
    """The key of a conversion, a SHA-256: other weights, settings, versions or processors have another."""
    content = {"weights": weights_sha256, "settings": settings.to_dict(), "conditions": dict(conditions)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
