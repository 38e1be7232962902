"""Run a ``.pt`` model with PyTorch on CPU, CUDA or Apple's MPS."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from detectattn.engines.base import EngineOptions, HeadLayout, ModelSpec
from detectattn.engines.decoder_cut import cut_decoder, find_head
from detectattn.engines.layout import find_fit
from detectattn.engines.runtime_errors import memory_errors, tells_of_memory
from detectattn.errors import BadImageSize, CorruptWeights, DeviceNotFound, EngineError
from detectattn.machine import count_usable_cores
from detectattn.types import F32, Family, WeightsFile
from detectattn.weights.embedded_model import load_embedded_model
from detectattn.weights.safe_load import load_detection_model

if TYPE_CHECKING:
    from torch import nn

_ATTENTION_MODULES = frozenset({"Attention", "AAttn", "MultiheadAttention"})
_OFFICIAL_SIZE = 640
_LARGEST_SIZE = 100_000


class TorchEngine:
    """A model held by PyTorch; float32 with channels-last layout on the CPU, on all its cores."""

    def __init__(self, weights: WeightsFile, options: EngineOptions) -> None:
        self._device = find_device(options.device)
        # Ultralytics' heads keep the anchors of the latest size in themselves, where two calls would mix them up.
        self._one_at_a_time = threading.Lock()
        torch.set_num_threads(options.threads or count_usable_cores())
        # TensorFloat-32 would round single precision to ten bits in convolutions, unasked; products have it off.
        torch.backends.cudnn.allow_tf32 = False
        model = _load(weights, options)
        stride = int(_stride(model))
        net_hw = check_size(options.imgsz_hw or find_own_size(model), stride)
        cut_decoder(model, options, net_hw, str(weights.path))
        head = find_head(model)
        layout = _expose_raw_head(head)
        self._half = _wants_half(options.precision, self._device)
        if self._device.type != "mps":
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack this overload
        self.model = (model.half() if self._half else model).to(self._device)
        self.spec = ModelSpec(
            family=find_family(model),
            class_names={int(k): str(v) for k, v in _names(model).items()},
            layout=layout,
            fit=find_fit(layout, own_shape_each=not options.square),
            net_hw=net_hw,
            stride=stride,
            engine="torch",
            device=str(self._device),
            precision="fp16" if self._half else "fp32",
            max_det=int(head.num_queries) if layout == "rtdetr_dense" else None,
        )

    def infer(self, tensor: F32) -> tuple[F32, ...]:
        """Raw head outputs; see :class:`detectattn.engines.base.Engine`."""
        with memory_errors(str(self._device), tensor), torch.inference_mode():
            pixels = self._place(tensor)
            with self._one_at_a_time:
                outputs = self.model(pixels)[0]
            raw = outputs if isinstance(outputs, tuple) else (outputs,)
            return tuple(np.ascontiguousarray(r.float().cpu().numpy()) for r in raw)

    def _place(self, tensor: F32) -> torch.Tensor:
        """The batch on the device, in the model's precision and memory layout."""
        pixels = torch.from_numpy(tensor)
        if self._device.type == "cuda":
            # From pinned memory the copy runs beside the caller; PyTorch keeps that memory until the copy is done.
            pixels = pixels.pin_memory()
        pixels = pixels.to(self._device, non_blocking=self._device.type == "cuda")
        pixels = pixels.half() if self._half else pixels
        return pixels if self._device.type == "mps" else pixels.to(memory_format=torch.channels_last)

    def close(self) -> None:
        """Free the model."""
        del self.model
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out: on CUDA that is an exception of its own, elsewhere only the text tells."""
    return isinstance(error, torch.OutOfMemoryError) or tells_of_memory(error)


def _load(weights: WeightsFile, options: EngineOptions) -> nn.Module:
    if weights.format == "safetensors":
        return load_embedded_model(weights.path)
    return load_detection_model(weights.path, trusted=options.trust_weights)


def find_device(name: str) -> torch.device:
    """The device of that name; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        DeviceNotFound: It is not there; the message lists what is.
    """
    available = ["cpu"]
    if torch.cuda.is_available():
        available += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        available.append("mps")
    if name == "auto":
        name = "cuda:0" if "cuda:0" in available else available[-1]
    name = f"cuda:{name}" if name.isdigit() else name
    if name not in available:
        raise DeviceNotFound(
            f"device {name!r} is not there (PyTorch {torch.__version__} sees {', '.join(available)})",
            hint="Pass one of those to --device, or run `detectattn doctor` to see what is missing",
        )
    return torch.device("cuda:0" if name == "cuda" else name)


def _wants_half(precision: str, device: torch.device) -> bool:
    if precision in ("auto", "fp32"):
        return False
    if precision == "fp16" and device.type != "cpu":
        return True
    raise EngineError(
        f"PyTorch on {device} does not run detectors at precision {precision!r}",
        hint="Use --precision fp32, or fp16 on a GPU",
    )


def _expose_raw_head(head: Any) -> HeadLayout:
    """Make the head return what it selects from, so that every detection can be traced to its row."""
    if type(head).__name__ == "RTDETRDecoder":
        head.postprocess = _return_pair  # replaces the head's own top-k
        return "rtdetr_dense"
    if getattr(head, "end2end", False):
        head.postprocess = _return_rows  # replaces the head's own top-k
        return "yolo_one2one"
    return "yolo_dense"


def _return_pair(boxes: torch.Tensor, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return boxes, scores


def _return_rows(rows: torch.Tensor) -> torch.Tensor:
    return rows


def find_family(model: nn.Module) -> Family:
    """``attention`` by a transformer decoder, ``hybrid`` by any attention module, else ``cnn``."""
    kinds = {type(module).__name__ for module in model.modules()}
    if "RTDETRDecoder" in kinds:
        return "attention"
    return "hybrid" if kinds & _ATTENTION_MODULES else "cnn"


def _names(model: nn.Module) -> Mapping[Any, Any]:
    names = getattr(model, "names", None)
    return names if isinstance(names, dict) else dict(enumerate(names or []))


def _stride(model: nn.Module) -> float:
    # RT-DETR checkpoints may carry a smaller stride than their backbone's; Ultralytics never goes below 32.
    return max(float(torch.as_tensor(getattr(model, "stride", 32)).max()), 32.0)


def find_own_size(model: nn.Module) -> tuple[int, int]:
    """Height and width that a model was trained for, else those of the official ones.

    Raises:
        CorruptWeights: The checkpoint says something else.
    """
    size = getattr(model, "train_args", {}).get("imgsz", _OFFICIAL_SIZE)
    sides = size if isinstance(size, list | tuple) and size else [size]
    if not all(isinstance(side, int) and 0 < side <= _LARGEST_SIZE for side in sides):
        raise CorruptWeights(f"the checkpoint was trained at an image size of {size!r:.40}", hint="Pass --imgsz")
    height, width = (size, size) if isinstance(size, int) else (int(size[0]), int(size[-1]))
    return height, width


def check_size(net_hw: tuple[int, int], stride: int) -> tuple[int, int]:
    """The size as it is, if a model of that stride can take it.

    Raises:
        BadImageSize: It cannot; the nearest that it can take is named.
    """
    if all(side >= stride and side % stride == 0 for side in net_hw):
        return net_hw
    nearest = "×".join(str(max(stride, round(side / stride) * stride)) for side in net_hw)
    raise BadImageSize(
        f"the model cannot take an image size of {net_hw[0]}×{net_hw[1]}: each side must be a multiple of {stride}",
        hint=f"The nearest that it can take is {nearest}",
    )
