"""How much memory a larger picture will want, and how much there is."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from detectattn.results.inspection import SizeInspection

# Kernels want some for themselves, which is not seen: packed weights, workspaces.
_MARGIN = 1.5
# A matrix of weights is there before and after its softmax, and once more where it is scaled or averaged.
_COPIES_OF_WEIGHTS = 3


def predict_peak_mb(known: SizeInspection, net_hw: tuple[int, int]) -> float:
    """About how much activations will take at another size.

    Feature maps grow as the area, matrices of weights as its square.

    Args:
        known: A size that was looked at.
        net_hw: Height and width of the other.
    """
    area = math.prod(net_hw) / math.prod(known.net_hw)
    matrix = max((b.matrix_mb for b in known.attention if b.site.kind in ("global", "area")), default=0.0)
    return _MARGIN * (known.peak_mb * area + _COPIES_OF_WEIGHTS * matrix * area**2)


def read_free_mb(device: torch.device) -> float | None:
    """Megabytes that can still be taken on a device; None where the system does not tell."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return float(free + held) / 1e6
    if device.type != "cpu":
        return None
    known = [size for size in (_read_available_bytes(), _read_container_room_bytes()) if size is not None]
    return min(known) / 1e6 if known else None


def _read_available_bytes() -> int | None:
    """Linux's own estimate of what can be taken without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _read_container_room_bytes() -> int | None:
    """What a container may take beyond what it holds; files that are only cached give way."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        held = int((folder / "memory.current").read_text(encoding="ascii"))
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    cached = next((int(line.split()[1]) for line in lines if line.startswith("inactive_file ")), 0)
    return max(0, int(limit) - held + cached) if limit.isdigit() else None
