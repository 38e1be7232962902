"""What a model takes beside time: parameters, operations, disk, memory."""

from __future__ import annotations

import sys
from pathlib import Path

from detectattn.engines.detector import Detector
from detectattn.types import WeightsFile


def count_parameters_m(detector: Detector) -> float | None:
    """Millions of parameters of a PyTorch model; None for an export, whose graph may hold them in other shapes."""
    model = getattr(detector.engine, "model", None)
    return None if model is None else sum(p.numel() for p in model.parameters()) / 1e6


def compute_gflops(detector: Detector) -> float | None:
    """Billions of operations for one picture of a PyTorch model.

    None for an export, and where they cannot be counted. Counting needs no more memory than the forward pass does.
    """
    model = getattr(detector.engine, "model", None)
    if model is None:
        return None
    from detectattn.engines.flops import count_gflops

    try:
        return count_gflops(model, detector.info.net_hw)
    except Exception:  # noqa: BLE001 - a model that cannot be counted may run all the same
        return None


def compute_weights_mb(weights: WeightsFile) -> float:
    """Size on disk in megabytes: the file, or the ``.xml`` and ``.bin`` of an OpenVINO folder."""
    path = weights.path
    files = [p for p in path.iterdir() if p.suffix in (".xml", ".bin")] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 1e6


def read_peak_rss_mb() -> float:
    """Most resident memory this process held, in megabytes; NaN where the system does not tell."""
    if sys.platform == "win32":
        return float("nan")
    high_water_kb = _read_high_water_kb(Path("/proc/self/status"))
    if high_water_kb is not None:
        return high_water_kb * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def _read_high_water_kb(status: Path) -> int | None:
    """Linux's own figure; what ``getrusage`` tells there is never less than what the parent held at the start."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


def read_peak_device_mb(device: str) -> float | None:
    """Most memory PyTorch held on a CUDA device, in megabytes; None elsewhere."""
    torch = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda"):
        return None
    return float(torch.cuda.max_memory_allocated(device)) / 1e6
