"""How fast a device computes and how fast it moves memory at best, as PyTorch runs it.

    python device_peak.py DEVICE THREADS CACHE_BYTES FREE_BYTES

prints one line of JSON for float32. This file imports nothing of the project, so that it can be run by its path in a
process of its own, as the probes of ``doctor`` are.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch

_BUDGET_S = 0.5
_FEWEST, _MOST = 5, 60
# A timing shorter than this is mostly that of the clock and the call; a much longer one seldom stays undisturbed.
_LEAST_S = 4e-3
_SMALLEST_SIDE, _LARGEST_SIDE = 512, 8192
# The rule of STREAM: an array is at least four times the caches.
_TIMES_CACHE = 4
_SMALLEST_ARRAY, _USUAL_ARRAY, _LARGEST_ARRAY = 64 * 2**20, 128 * 2**20, 512 * 2**20
_SHARE_OF_FREE = 8
_MB = 1e6


@dataclass(frozen=True, slots=True)
class DevicePeak:
    """What was measured of a device, a timing each; best is what its peak is.

    Attributes:
        gflop_s: Rates of a matrix product, in billions of operations a second, a multiplication and an addition
            counting as two.
        gbyte_s: Rates at which a triad ``a = b + s·c`` moves its three arrays, in billions of bytes a second.
        matrix_side: Rows and columns of each matrix.
        array_mb: Of one array.
        cache_mb: Last-level cache of the device, or None where it is not known.
    """

    gflop_s: tuple[float, ...]
    gbyte_s: tuple[float, ...]
    matrix_side: int
    array_mb: float
    cache_mb: float | None


def measure_peak(
    device: torch.device, dtype: torch.dtype, *, cache_bytes: int | None = None, free_bytes: int | None = None
) -> DevicePeak:
    """Measure a device for about a second, on as many threads as PyTorch is set to use.

    Args:
        device: The device.
        dtype: Of the matrices.
        cache_bytes: Last-level cache of the processor, or None where it is not known; CUDA tells its own.
        free_bytes: Memory that can be taken, or None where it is not known; CUDA tells its own.

    Raises:
        RuntimeError: PyTorch's; memory does not suffice, or the device lacks an operation.
    """
    # As where models run: single precision, not TensorFloat-32, which convolutions would fall to.
    torch.backends.cudnn.allow_tf32 = False
    if device.type == "cuda":
        cache_bytes = int(getattr(torch.cuda.get_device_properties(device), "L2_cache_size", 0)) or None
        free_bytes = torch.cuda.mem_get_info(device)[0]
    array_bytes = choose_array_bytes(cache_bytes, free_bytes)
    with torch.inference_mode():
        side = _choose_side(device, dtype)
        # Each is the same product by another library of PyTorch's. What a model may use is the faster one.
        products = (_time_product(make, side, device, dtype) for make in (_make_product, _make_convolution))
        return DevicePeak(
            gflop_s=max(products, key=max),
            gbyte_s=_time_triad(array_bytes, device),
            matrix_side=side,
            array_mb=array_bytes / _MB,
            cache_mb=None if cache_bytes is None else cache_bytes / _MB,
        )


def choose_array_bytes(cache_bytes: int | None, free_bytes: int | None) -> int:
    """How large each array of a triad is: four times the cache, within 64 and 512 MiB; all three in the free memory.

    Args:
        cache_bytes: Last-level cache, or None where it is not known.
        free_bytes: Memory that can be taken, or None where it is not known.
    """
    wanted = _USUAL_ARRAY if cache_bytes is None else _TIMES_CACHE * cache_bytes
    wanted = min(max(wanted, _SMALLEST_ARRAY), _LARGEST_ARRAY)
    return wanted if free_bytes is None else max(1, min(wanted, free_bytes // _SHARE_OF_FREE))


def _choose_side(device: torch.device, dtype: torch.dtype) -> int:
    """The smallest side, in powers of two, whose product lasts long enough to be timed and to occupy all cores."""
    side = _SMALLEST_SIDE
    while side < _LARGEST_SIDE:
        run = _make_product(side, device, dtype)
        run()
        if _time_runs(run, 1, device) >= _LEAST_S:
            break
        side *= 2
    return side


def _make_product(side: int, device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    left, right = (torch.rand(side, side, device=device).to(dtype) for _ in range(2))
    product = torch.empty_like(left)
    return lambda: torch.mm(left, right, out=product)


def _make_convolution(side: int, device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    """A convolution of 1×1 from ``side`` channels to as many, over as many pixels."""
    layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
    pixels = torch.rand(1, side, side // 32, 32, device=device).to(dtype).contiguous(memory_format=layout)
    weight = torch.rand(side, side, 1, 1, device=device).to(dtype).contiguous(memory_format=layout)
    return lambda: torch.nn.functional.conv2d(pixels, weight)


def _time_product(
    make: Callable[[int, torch.device, torch.dtype], Callable[[], object]],
    side: int,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[float, ...]:
    return _measure_rates(make(side, device, dtype), 2 * side**3, device, _BUDGET_S / 2)


def _time_triad(array_bytes: int, device: torch.device) -> tuple[float, ...]:
    number = max(1, array_bytes // 4)
    left, right = (torch.ones(number, device=device) for _ in range(2))
    total = torch.empty_like(left)
    # Two arrays are read and one is written; what a cache fetches of it before it is overwritten is not counted.
    moved = 3 * number * 4
    return _measure_rates(lambda: torch.add(left, right, alpha=3.0, out=total), moved, device, _BUDGET_S)


def _measure_rates(run: Callable[[], object], work: int, device: torch.device, budget_s: float) -> tuple[float, ...]:
    """Work a second in billions, one figure a timing, after a warm-up."""
    run()
    once_s = max(_time_runs(run, 1, device), 1e-9)
    runs = max(1, round(_LEAST_S / once_s))
    repeats = min(_MOST, max(_FEWEST, int(budget_s / (runs * once_s))))
    return tuple(work * runs / max(_time_runs(run, runs, device), 1e-9) / 1e9 for _ in range(repeats))


def _time_runs(run: Callable[[], object], runs: int, device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    for _ in range(runs):
        run()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _main(words: Sequence[str]) -> None:
    threads, cache_bytes, free_bytes = map(int, words[1:])
    if threads:
        torch.set_num_threads(threads)
    peak = measure_peak(
        torch.device(words[0]), torch.float32, cache_bytes=cache_bytes or None, free_bytes=free_bytes or None
    )
    print(json.dumps(asdict(peak)))


if __name__ == "__main__":
    _main(sys.argv[1:])
