"""Our converted models: from the cache as ``predict`` keeps them; by ``export`` where the parity gate refuses them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peer.pictures import make_folder
from benchmarks.peer.process import plain_environment, run_timed
from benchmarks.peer.sides import SIZE_PX
from detectattn.conversion.engine_cache import CachedEngine, find_engine
from detectattn.conversion.pictures import sample_calibration
from detectattn.conversion.record import load_record
from detectattn.conversion.settings import ConversionSettings, Precision
from detectattn.fetch import compute_sha256
from detectattn.shipped import shipped_dir

_FIRST_HW = (864, 1152)
_CALIBRATION = shipped_dir("samples") / "street" / "images"


@dataclass(frozen=True, slots=True)
class OurEngine:
    """A converted model.

    Attributes:
        words: What chooses it on the command line.
        folder: Where its OpenVINO files are.
        passed: Whether it passed the parity gate.
    """

    words: tuple[str, ...]
    folder: Path
    passed: bool


def make_engine(weights: Path, precision: Precision, folder: Path) -> OurEngine:
    """A converted model, made unless it is there.

    Args:
        weights: The checkpoint.
        precision: ``fp32`` or ``int8``.
        folder: For what is made.

    Raises:
        RuntimeError: It cannot be made.
    """
    calibrate = ("--calibrate", str(_CALIBRATION)) if precision == "int8" else ()
    words = ("-m", str(weights), "--engine", "openvino", "--precision", precision, *calibrate)
    refused = None
    if (found := _find(weights, precision)) is None:
        try:
            _predict_once(words, folder)
        except RuntimeError as error:
            refused = error
        found = _find(weights, precision)
    if found is None:
        raise refused or RuntimeError(f"predict ran {weights.name}, and no converted model is in the cache")
    if found.record.passed:
        return OurEngine(words, found.folder, passed=True)
    return _export(weights, precision, calibrate, folder)


def _find(weights: Path, precision: Precision) -> CachedEngine | None:
    digest = sample_calibration((str(_CALIBRATION),)).compute_digest() if precision == "int8" else None
    wanted = ConversionSettings("openvino", precision, net_hw=(SIZE_PX, SIZE_PX), calibration=digest)
    return find_engine(compute_sha256(weights), wanted)


def _predict_once(words: tuple[str, ...], folder: Path) -> None:
    """Converts, and keeps what came of it."""
    with TemporaryDirectory(dir=folder) as name:
        out = Path(name) / "run"
        pictures = make_folder(folder, _FIRST_HW, 1)
        _run(["predict", str(pictures), *words, "--imgsz", str(SIZE_PX), "--device", "cpu", "-o", str(out)], out)


def _export(weights: Path, precision: Precision, calibrate: tuple[str, ...], folder: Path) -> OurEngine:
    """Keeps what the gate refuses: with weights of noise the time is all that is asked for."""
    out = folder / "ours" / f"{compute_sha256(weights)[:12]}-{precision}" / weights.stem
    if load_record(out) is None:
        out.parent.mkdir(parents=True, exist_ok=True)
        size = ("--imgsz", str(SIZE_PX))
        words = ["export", str(weights), "--engine", "openvino", "--precision", precision, *size, *calibrate]
        _run([*words, "--force", "-o", str(out)], out)
    return OurEngine(("-m", str(out)), out, passed=False)


def _run(words: list[str], out: Path) -> None:
    command = [sys.executable, "-m", "detectattn", *words, "--offline"]
    run_timed(command, plain_environment({}), out.with_name(f"{out.name}.log"))
