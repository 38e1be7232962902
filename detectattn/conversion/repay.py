"""When a conversion repays itself in the run that asks for it.

Measured on two x86 cores (ultralytics 8.4, torch 2.13, OpenVINO 2026.4): converting takes a time that depends on the
architecture, the gate runs both models on a few pictures, and the engine then saves a quarter of PyTorch's time on
each picture at the least (RT-DETR-L 361 ms for 486, YOLO11n 43 ms for 52, and 32 with pictures side by side). PyTorch's
time is measured here, on the model at hand. What later runs gain from the cache is not counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectattn.engines.base import HeadLayout

if TYPE_CHECKING:
    from detectattn.engines.pytorch import TorchEngine

GATE_PICTURES = 8
SAVED_SHARE = 0.25
_TIMED_PASSES = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a conversion would cost a run, and what it would save it, in seconds.

    Attributes:
        pictures: Pictures at hand.
        torch_s: PyTorch's time for one, measured.
        cost_s: Conversion and gate.
        saving_s: What the engine saves on all pictures.
    """

    pictures: int
    torch_s: float
    cost_s: float
    saving_s: float

    @property
    def repays(self) -> bool:
        """Whether the run ends sooner with the conversion than without it."""
        return self.saving_s > self.cost_s

    def describe(self) -> str:
        """The reason in a clause."""
        return (
            f"{self.pictures:,} pictures at {self.torch_s * 1e3:.0f} ms each with PyTorch: "
            f"about {self.saving_s:.3g} s saved for {self.cost_s:.3g} s of conversion"
        )


def can_repay(pictures: int | None) -> bool:
    """Whether so many pictures can repay a conversion at all; cheap, asked before anything is loaded.

    However fast the export, the gate runs both models on :data:`GATE_PICTURES`, which as many more must win back.
    Of a stream the number is not known, and nobody wants to wait for its first picture.
    """
    return pictures is not None and pictures * SAVED_SHARE > GATE_PICTURES * (2 - SAVED_SHARE)


def estimate(pictures: int, torch_s: float, layout: HeadLayout) -> Estimate:
    """Cost and saving of a conversion.

    Args:
        pictures: That the run is to go through.
        torch_s: PyTorch's time for one.
        layout: Of the model's head, which tells the architecture.
    """
    export_s = 12.0 if layout.startswith("rtdetr") else 4.0
    cost_s = export_s + GATE_PICTURES * torch_s * (2 - SAVED_SHARE)
    return Estimate(pictures, torch_s, cost_s, pictures * torch_s * SAVED_SHARE)


def measure_pass(engine: TorchEngine) -> float:
    """Seconds that PyTorch takes for one picture of the full input's size, the better of two after one to warm up."""
    pixels = np.zeros((1, 3, *engine.spec.net_hw), np.float32)
    engine.infer(pixels)
    times = []
    for _ in range(_TIMED_PASSES):
        started = time.perf_counter()
        engine.infer(pixels)
        times.append(time.perf_counter() - started)
    return min(times)
