"""The commands of both sides, and how many detections they wrote."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.peer.process import plain_environment, run_timed

SIZE_PX = 640


class Side(Protocol):
    """A program that detects on a picture or a folder and writes annotated pictures."""

    def run(self, source: Path, out: Path) -> float:
        """Seconds of the whole process; ``out`` is a folder that does not exist yet."""
        ...

    def command(self) -> list[str]:
        """The words of the command, without source and output."""
        ...

    def list_pictures(self, out: Path) -> list[Path]:
        """The annotated pictures of a run."""
        ...


@dataclass(frozen=True, slots=True)
class Ours:
    """``detectattn predict``.

    Attributes:
        model: The words that choose the model and its engine.
        conf: Threshold of the scores.
    """

    model: tuple[str, ...]
    conf: float

    def run(self, source: Path, out: Path) -> float:
        """See :class:`Side`."""
        command = [*self.command(), str(source), "-o", str(out)]
        return run_timed(command, plain_environment({}), out.with_suffix(".log"))

    def command(self) -> list[str]:
        """See :class:`Side`."""
        words = ["-m", "detectattn", "predict", *self.model, "--conf", str(self.conf), "--device", "cpu"]
        return [sys.executable, *words, "--imgsz", str(SIZE_PX), "--offline"]

    def list_pictures(self, out: Path) -> list[Path]:
        """See :class:`Side`."""
        return sorted((out / "images").rglob("*.jpg"))


@dataclass(frozen=True, slots=True)
class Peer:
    """``yolo predict``.

    Attributes:
        python: Of the peer's environment.
        model: The checkpoint, or the folder of its own export.
        conf: Threshold of the scores.
        jpeg_quality: Of the pictures it writes.
        settings: Folder for what it keeps from run to run.
        precision: That OpenVINO is held to, or empty to leave it alone.
        options: More of its options.
    """

    python: Path
    model: Path
    conf: float
    jpeg_quality: int
    settings: Path
    precision: str = ""
    options: tuple[str, ...] = ()

    def run(self, source: Path, out: Path) -> float:
        """See :class:`Side`."""
        command = [*self.command(), f"source={source}", f"project={out.parent}", f"name={out.name}"]
        environment = peer_environment(self.settings, self.jpeg_quality, self.precision)
        return run_timed(command, environment, out.with_suffix(".log"))

    def command(self) -> list[str]:
        """See :class:`Side`."""
        words = ["predict", f"model={self.model}", f"imgsz={SIZE_PX}", f"conf={self.conf}", "device=cpu", *self.options]
        return [*peer_program(self.python, "yolo"), *words]

    def list_pictures(self, out: Path) -> list[Path]:
        """See :class:`Side`."""
        return sorted(out.glob("*.jpg"))


def peer_program(python: Path, program: str) -> list[str]:
    """The words that start ``yolo`` or ``benchmark_app`` of the peer's environment."""
    return [str(python), str(Path(__file__).with_name("in_peer.py")), program]


def peer_environment(settings: Path, jpeg_quality: int = 95, precision: str = "") -> dict[str, str]:
    """Keeps the peer from the network, from installing, and from the user's settings."""
    own = {
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_CONFIG_DIR": str(settings),
        "MPLCONFIGDIR": str(settings),
        "PEER_JPEG_QUALITY": str(jpeg_quality),
        "PEER_PRECISION": precision,
    }
    settings.mkdir(parents=True, exist_ok=True)
    return plain_environment(own)


def export_by_peer(python: Path, weights: Path, settings: Path) -> Path:
    """The peer's own OpenVINO export of a checkpoint, with its own defaults; made beside it unless it is there."""
    folder = weights.with_name(f"{weights.stem}_openvino_model")
    if not (folder / "metadata.yaml").is_file():
        words = ["export", f"model={weights}", "format=openvino", f"imgsz={SIZE_PX}", "device=cpu"]
        run_timed(
            [*peer_program(python, "yolo"), *words], peer_environment(settings), weights.with_suffix(".export.log")
        )
    return folder


def count_ours(out: Path) -> int:
    """Detections in the records of our run."""
    with (out / "predictions.jsonl").open(encoding="utf-8") as lines:
        return sum(len(json.loads(line)["detections"]) for line in lines)


def count_peers(out: Path) -> int:
    """Detections of a run of the peer with ``save_txt``."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (out / "labels").glob("*.txt"))


def find_conf(model: Sequence[str], folder: Path, boxes: float, out: Path) -> float:
    """The threshold that leaves about so many boxes a picture, from a run of ours that keeps nearly all."""
    loose = Ours(tuple(model), 0.001)
    run_timed(
        [*loose.command(), str(folder), "-o", str(out), "--no-images"], plain_environment({}), out.with_suffix(".log")
    )
    with (out / "predictions.jsonl").open(encoding="utf-8") as lines:
        found = [[row["score"] for row in json.loads(line)["detections"]] for line in lines]
    return choose_threshold(found, boxes)


def choose_threshold(scores: Sequence[Sequence[float]], boxes: float) -> float:
    """The threshold in the middle between the last score kept and the first left out.

    Args:
        scores: Of each picture.
        boxes: How many to keep of a picture, on average.
    """
    falling = sorted((score for picture in scores for score in picture), reverse=True)
    keep = round(boxes * len(scores))
    if len(falling) <= keep:
        return 0.001
    return round((falling[keep - 1] + falling[keep]) / 2, 5)
