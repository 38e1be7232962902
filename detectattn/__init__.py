"""Run, compare and understand object detectors: attention (RT-DETR) and convolution (YOLO), on your own images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from detectattn.api import Model, Shot
    from detectattn.errors import DetectattnError

__all__ = ["DetectattnError", "Model", "Shot", "__version__"]


def __getattr__(name: str) -> Any:
    # Lazy, so that `import detectattn` (and `detectattn --help`) costs nothing.
    from importlib import import_module

    if name in ("Model", "Shot"):
        return getattr(import_module("detectattn.api"), name)
    if name == "DetectattnError":
        return import_module("detectattn.errors").DetectattnError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
