"""What a run tells: a line of JSON a report for machines, a row of a table for people."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from training.accuracy import Accuracy


class TrainingLog:
    """Appends to a JSONL file and prints a table.

    Args:
        path: The file; what it holds already stays.
        every: Steps that one report averages over.
    """

    def __init__(self, path: Path, every: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._every = every
        self._sums: dict[str, float] = defaultdict(float)
        self._count = 0
        self._titled = False

    def add_step(self, step: int, epoch: float, parts: dict[str, float]) -> None:
        """Take a step's figures; every so many become a report."""
        self._count += 1
        for key, value in parts.items():
            self._sums[key] += value
        if self._count == self._every:
            means = {key: float(f"{total / self._count:.5g}") for key, total in self._sums.items()}
            self._sums.clear()
            self._count = 0
            self._print_row(step, epoch, means)
            self.write("train", step=step, epoch=round(epoch, 3), **means)

    def add_accuracy(self, step: int, epoch: float, scenes: int, accuracy: Accuracy) -> None:
        """Take the figures of a validation."""
        ap, ap50 = accuracy.metrics["ap50_95"], accuracy.metrics["ap50"]
        classes = ", ".join(f"{name} {value:.3f}" for name, value in accuracy.per_class.items())
        print(f"{epoch:7.2f} {step:7d}  mAP50-95 {ap:.3f}  mAP50 {ap50:.3f}  {scenes} scenes; {classes}", flush=True)
        self.write("accuracy", step=step, epoch=round(epoch, 3), scenes=scenes, **accuracy.to_dict())

    def note(self, text: str) -> None:
        """Say something in words."""
        print(text, flush=True)
        self.write("note", text=text)

    def write(self, event: str, **fields: Any) -> None:
        """One line of JSON."""
        line = json.dumps({"time": round(time.time(), 1), "event": event, **fields})
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def _print_row(self, step: int, epoch: float, means: dict[str, float]) -> None:
        if not self._titled:
            print("  epoch    step " + "".join(f"{key:>13}" for key in means), flush=True)
            self._titled = True
        print(f"{epoch:7.2f} {step:7d} " + "".join(f"{value:13.5g}" for value in means.values()), flush=True)
