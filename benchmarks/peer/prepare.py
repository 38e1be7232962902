"""What must be there before anything is timed: checkpoints, thresholds, the engines of both sides."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peer.engine import OurEngine, make_engine
from benchmarks.peer.pictures import make_folder
from benchmarks.peer.rows import Row, find_work
from benchmarks.peer.sides import export_by_peer, find_conf
from detectattn.errors import DetectattnError
from detectattn.fetch import compute_sha256
from detectattn.weights.locate import locate_weights

_SCENES = 8
_MEGAPIXEL_HW = (864, 1152)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How models are to be prepared.

    Attributes:
        python: Of the peer's environment.
        folder: For what is made.
        weights: Files by model; a model without one comes from the cache.
        noise: Make checkpoints of seeded noise instead.
        conf: Threshold of both sides, or None to find what leaves ``boxes`` a picture.
        boxes: Detections a picture to aim at.
    """

    python: Path
    folder: Path
    weights: Mapping[str, str]
    noise: bool
    conf: float | None
    boxes: float

    @property
    def settings(self) -> Path:
        """Where the peer keeps its settings."""
        return self.folder / "peer-settings"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model, ready on both sides.

    Attributes:
        weights: The checkpoint, under its registry name, in a folder of its own.
        origin: Where it came from.
        conf: The threshold for both sides.
        ours: Our engines, by precision.
        peer_openvino: The peer's own export, or None where no row asks for it.
        failed: Why a side is not to be had, by side.
    """

    weights: Path
    origin: str
    conf: float
    ours: Mapping[str, OurEngine]
    peer_openvino: Path | None
    failed: Mapping[str, str]


def prepare_model(wishes: Wishes, name: str, rows: Sequence[Row]) -> Prepared:
    """Weights, threshold and engines of a model.

    Args:
        wishes: How.
        name: ``rtdetr-l`` or ``yolo11n``.
        rows: Those that will be measured.

    Raises:
        RuntimeError: The weights cannot be had, or a program of the peer failed.
    """
    weights, origin = place_weights(name, wishes)
    own = [row for row in rows if find_work(row.work).model == name]
    engines: dict[str, OurEngine] = {}
    failed: dict[str, str] = {}
    for precision in dict.fromkeys(row.ours for row in own):
        try:
            engines[precision] = make_engine(weights, precision, wishes.folder)
        except RuntimeError as error:
            failed[precision] = str(error)
    exported = None
    if any(row.peer.startswith("openvino") for row in own):
        exported = export_by_peer(wishes.python, weights, wishes.settings)
    return Prepared(
        weights=weights,
        origin=origin,
        conf=_find_conf(weights, wishes) if wishes.conf is None else wishes.conf,
        ours=engines,
        peer_openvino=exported,
        failed=failed,
    )


def describe_model(model: Prepared) -> dict[str, Any]:
    """What the record keeps of it."""
    kept = [precision for precision, engine in model.ours.items() if not engine.passed]
    return {"weights": model.origin, "conf": model.conf, "kept_by_force": kept}


def place_weights(name: str, wishes: Wishes) -> tuple[Path, str]:
    """The checkpoint under the name from which the peer tells its family, and where it came from.

    Raises:
        RuntimeError: There is no such file, or the cache lacks it.
    """
    if wishes.noise:
        return _make_noise(name, wishes.folder), "seeded noise"
    given = wishes.weights.get(name)
    try:
        found = locate_weights(given or name, offline=True, on_notice=lambda _: None)
    except DetectattnError as error:
        raise RuntimeError(
            f"{error.problem}. Name a file with --weights {name}=FILE, or have one of noise made with --noise"
        ) from error
    path = wishes.folder / compute_sha256(found.path)[:12] / f"{name}.pt"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found.path, path)
    return path, found.origin if given is None else Path(given).name


def _make_noise(name: str, folder: Path) -> Path:
    path = folder / "noise" / f"{name}.pt"
    if not path.exists():
        from benchmarks.peer.noise import save_noise  # brings in PyTorch

        path.parent.mkdir(parents=True, exist_ok=True)
        save_noise(name, path, sorted(make_folder(folder, (640, 640), _SCENES).glob("*.jpg")))
    return path


def _find_conf(weights: Path, wishes: Wishes) -> float:
    pictures = make_folder(wishes.folder, _MEGAPIXEL_HW, _SCENES)
    with TemporaryDirectory(dir=wishes.folder) as name:
        return find_conf(("-m", str(weights), "--engine", "torch"), pictures, wishes.boxes, Path(name) / "run")
