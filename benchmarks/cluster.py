"""What a cluster costs: beside the local pipeline, a shard, an input, and with more replicas and more inputs.

``python -m benchmarks.cluster -m MODEL`` measures and keeps figures; ``--page`` prints the tables of docs/cluster.md
from those that are kept. The stub is a fixed cost a picture that takes no processor, so that replicas beyond the cores
of this machine show what holds them up but the model.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np

from benchmarks.cluster_plan import render_stub, render_table
from benchmarks.cluster_stub import FixedCost
from benchmarks.record import RESULTS, write_record
from benchmarks.tiny_model import write_tiny_model
from detectattn.machine import count_usable_cores

_STUB_MS = 10.0
_DIFFERENT = 64
_SHARD = 256
_TURNS = 5
_IMGSZ = 640


def measure(
    inputs: Sequence[int], replicas: Sequence[int], model: str, pictures: Path | None, real_images: int
) -> dict[str, Any]:
    """Measure all of it.

    Args:
        inputs: Sizes of the stub's runs.
        replicas: How many replicas each of them has.
        model: What real runs run.
        pictures: What they run on; None for the shipped scenes, over and over.
        real_images: How many of them.
    """
    with TemporaryDirectory(prefix="detectattn-bench-") as name, _open_cluster(max(replicas)):
        folder = Path(name)
        tiny = write_tiny_model(folder / "tiny.onnx")
        several = {count: write_inputs(folder / f"in-{count}", count) for count in {*inputs, 1_000}}
        with _stub(_STUB_MS):
            stub = [
                _run_stub(several[count], tiny, folder / f"stub-{count}-{number}", count, number)
                for count in inputs
                for number in replicas
            ]
            local = _run([several[1_000], "-m", tiny, "--no-images"], folder / "stub-local")
        return {
            "stub_ms": _STUB_MS,
            "stub_local_images_per_s": local["images_per_s"],
            "stub": stub,
            "shard_ms": _time_shards(several[1_000], tiny, folder),
            "list_us": _time_listing(several[max(inputs)], folder),
            "real": _compare_real(model, pictures, real_images, folder),
        }


def write_inputs(folder: Path, count: int) -> Path:
    """So many small pictures, of which a few are different and the others links to them, a thousand a folder."""
    rng = np.random.default_rng(0)
    own = folder.with_name(f"{folder.name}-own")
    own.mkdir()
    for number in range(_DIFFERENT):
        coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
        cv2.imwrite(str(own / f"{number}.jpg"), cv2.resize(coarse, (96, 96)))
    for number in range(count):
        path = folder / f"{number // 1_000:04d}" / f"{number:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(own / f"{number % _DIFFERENT}.jpg", path)
    return folder


@contextmanager
def _open_cluster(cpus: int) -> Iterator[None]:
    """A cluster with so many cores to give, whatever this machine has; runs join it."""
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_AUTO_CONNECT": "0"})
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster()
    try:
        cluster.add_node(num_cpus=cpus, object_store_memory=100_000_000, include_dashboard=False)
        os.environ["RAY_ADDRESS"] = cluster.address
        yield
    finally:
        cluster.shutdown()


@contextmanager
def _stub(cost_ms: float) -> Iterator[None]:
    """Within the block every picture costs so much, in runs of both kinds."""
    from detectattn.cli import cluster_model, predict_run

    def open_local(folder: Path, config: Any, *rest: Any) -> Any:
        return FixedCost(config, cost_ms)(folder, *rest)

    with (
        patch.object(cluster_model, "OpenSinks", partial(FixedCost, cost_ms=cost_ms)),
        patch.object(predict_run, "open_sinks", open_local),
    ):
        yield


def _run(words: Sequence[object], out: Path) -> dict[str, Any]:
    """Run ``detectattn predict`` in this process; the timing of its ``run.json``, and ``whole_s``.

    Raises:
        RuntimeError: It failed.
    """
    from detectattn.cli.app import run

    typed = ["predict", *map(str, words), "-q", "-o", str(out)]
    sys.argv = ["detectattn", *typed]
    start_s = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        code = run(typed)
    if code:
        raise RuntimeError(f"{' '.join(typed)} ended with exit code {code}")
    timing: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))["timing"]
    return {**timing, "whole_s": round(time.perf_counter() - start_s, 3)}


def _to_cluster(replicas: int, shard_size: int = _SHARD) -> list[object]:
    return ["--cluster", "auto", "--replica-cpus", 1, "--replicas", replicas, "--shard-size", shard_size]


def _run_stub(inputs: Path, model: Path, out: Path, count: int, replicas: int) -> dict[str, Any]:
    timing = _run([inputs, "-m", model, *_to_cluster(replicas)], out)
    ideal = replicas * 1e3 / _STUB_MS
    row = {"inputs": count, "replicas": replicas, "images_per_s": timing["images_per_s"], "wall_s": timing["wall_s"]}
    print(f"{count:>8,} inputs, {replicas} replicas: {timing['images_per_s']:.1f} images/s of {ideal:.0f}", flush=True)
    return {
        **row,
        "of_ideal": round(timing["images_per_s"] / ideal, 4),
        "start_s": round(timing["whole_s"] - timing["wall_s"], 3),
    }


def _time_shards(inputs: Path, model: Path, folder: Path) -> float:
    """What a shard takes beside its pictures, in milliseconds: a hundred small ones against four large ones."""
    small = _run([inputs, "-m", model, *_to_cluster(1, 10)], folder / "small-shards")
    large = _run([inputs, "-m", model, *_to_cluster(1, 250)], folder / "large-shards")
    more_s: float = max(small["work_s"] - large["work_s"], small["wall_s"] - large["wall_s"], 0.0)
    return round(more_s / 96 * 1e3, 3)


def _time_listing(inputs: Path, folder: Path) -> float:
    """What listing takes an input, in microseconds, into a local folder."""
    from detectattn.distributed.manifest import write_manifest
    from detectattn.sources import open_sources
    from detectattn.sources.base import ReadCounts, ReadOptions
    from detectattn.storage import open_store

    start_s, counts = time.perf_counter(), ReadCounts()
    items = open_sources([str(inputs)], ReadOptions()).iter_media(counts)
    manifest = write_manifest(items, counts, open_store(folder / "listed"), _SHARD)
    return round((time.perf_counter() - start_s) / manifest.inputs * 1e6, 2)


def measure_real(model: str, pictures: Path | None, count: int) -> dict[str, Any]:
    """That part alone, in place of what is kept of it."""
    kept: dict[str, Any] = json.loads((RESULTS / "cluster.json").read_text(encoding="utf-8"))["figures"]
    with TemporaryDirectory(prefix="detectattn-bench-") as name, _open_cluster(count_usable_cores()):
        return {**kept, "real": _compare_real(model, pictures, count, Path(name))}


def _compare_real(model: str, pictures: Path | None, count: int, folder: Path) -> dict[str, Any]:
    """A real model: one replica on all cores of this machine against the same run without a cluster, in turns."""
    from detectattn.shipped import shipped_dir

    shown = sorted((pictures or shipped_dir("samples") / "street" / "images").iterdir())
    inputs = folder / "real"
    inputs.mkdir()
    for number in range(count):
        (inputs / f"{number:05d}.jpg").symlink_to(shown[number % len(shown)])
    words: list[object] = [inputs, "-m", model, "--imgsz", _IMGSZ, "--engine", "openvino"]
    cores = ["--replica-cpus", count_usable_cores()] if count_usable_cores() <= 4 else []
    pairs = []
    for turn in range(_TURNS):
        local = _run([*words, "--no-images"], folder / f"real-local-{turn}")["images_per_s"]
        there = _run([*words, "--cluster", "auto", "--replicas", 1, *cores], folder / f"real-cluster-{turn}")
        pairs.append((local, there["images_per_s"]))
        print(f"{model}: {local:.2f} images/s, on the cluster {pairs[-1][1]:.2f}", flush=True)
    local_per_s, there_per_s = (median(side) for side in zip(*pairs, strict=True))
    return {
        "model": Path(model).stem,
        "imgsz": _IMGSZ,
        "images": count,
        "turns": pairs,
        "local_images_per_s": round(local_per_s, 3),
        "cluster_images_per_s": round(there_per_s, 3),
        "overhead": round(median(local / there for local, there in pairs) - 1, 4),
        "image_ms": round(1e3 / local_per_s, 3),
    }


def main() -> None:
    """Measure and keep, or print the table from what is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-m", "--model", default="rtdetr-l", help="for the comparison with a local run")
    parser.add_argument("--pictures", type=Path, help="folder for that; default: the shipped scenes")
    parser.add_argument("--real-images", type=int, default=96)
    parser.add_argument("--inputs", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--real", action="store_true", help="that comparison alone; the other kept figures stay")
    parser.add_argument("--page", action="store_true", help="print the table of docs/cluster.md from the kept figures")
    chosen = parser.parse_args()
    if chosen.page:
        kept = json.loads((RESULTS / "cluster.json").read_text(encoding="utf-8"))["figures"]
        print(render_table(kept), render_stub(kept), sep="\n\n")
        return
    if chosen.real:
        figures = measure_real(chosen.model, chosen.pictures, chosen.real_images)
    else:
        figures = measure(chosen.inputs, chosen.replicas, chosen.model, chosen.pictures, chosen.real_images)
    print(write_record("cluster", figures))


if __name__ == "__main__":
    main()
