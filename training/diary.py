"""What a run has been through, over all its sessions; it travels in every checkpoint."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Sitting:
    """One session of a run.

    Attributes:
        drawing: Fingerprint of the code that drew the scenes.
        scenes: How many it learnt from.
        epochs: Over which its learning rate fell.
        batch: Pictures a step.
        threads: Of the processor.
        hardware: The processor's name.
        torch: PyTorch's version.
        bf16: Whether it computed in bfloat16.
        images: Pictures it saw.
        train_s: Seconds that its steps took.
        fresh_optimizer: Whether it went on from weights alone.
    """

    drawing: str
    scenes: int
    epochs: int
    batch: int
    threads: int
    hardware: str
    torch: str
    bf16: bool
    images: int = 0
    train_s: float = 0.0
    fresh_optimizer: bool = False


@dataclass(slots=True)
class Diary:
    """Sessions and validations, oldest first.

    Attributes:
        sittings: The sessions, the one under way last.
        history: A validation each: ``epoch``, ``step``, ``scenes``, ``ap50_95``, ``ap50``.
    """

    sittings: list[Sitting] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def train_s(self) -> float:
        """Seconds that all steps took."""
        return sum(sitting.train_s for sitting in self.sittings)

    def add_images(self, count: int, taken_s: float) -> None:
        """Count pictures of the session under way."""
        if self.sittings:
            self.sittings[-1].images += count
            self.sittings[-1].train_s += taken_s

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @staticmethod
    def from_dict(raw: dict[str, Any]) -> Diary:
        """From :meth:`to_dict`."""
        return Diary([Sitting(**sitting) for sitting in raw["sittings"]], list(raw["history"]))


def find_hardware() -> str:
    """The processor's name, as far as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
