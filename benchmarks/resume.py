"""Kill a run at random points until it is finished, and compare what it wrote with an uninterrupted one's.

Each sitting is a process of its own, forked from one that has loaded the modules and opened nothing, so that most of
its time is the run's and not Python's.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from benchmarks.tiny_model import write_tiny_model

_PICTURES = 480
_MEAN_GROWTH = 6.0
_SAVE = "csv,coco,yolo,voc,crops,parquet"
_START_S = 0.3
_PRELOADED = (
    "detectattn.cli.predict_run",
    "detectattn.sinks.annotated_video",
    "detectattn.sources.image",
    "onnxruntime",
)


@dataclass(slots=True)
class Killed:
    """How often a run was killed on its way.

    Attributes:
        kills: Sittings that were killed.
        sittings: All of them, the last one included.
        left_behind: Processes that outlived a sitting that was killed.
        in_start: Kills before the sitting had written a record.
    """

    kills: int = 0
    sittings: int = 0
    left_behind: int = 0
    in_start: int = 0


@dataclass(slots=True)
class Compared:
    """What two run folders have in common.

    Attributes:
        files: Files compared.
        records: Lines of ``predictions.jsonl`` compared.
        differences: Paths that differ or are there only once.
    """

    files: int = 0
    records: int = 0
    differences: list[str] = field(default_factory=list)


def measure(pictures: int = _PICTURES, least_kills: int = 200) -> dict[str, Any]:
    """Kill runs over ``pictures`` pictures and two videos until so many kills have happened."""
    total, compared = Killed(), Compared()
    start_s, runs = time.monotonic(), 0
    with TemporaryDirectory(prefix="detectattn-bench-") as name:
        folder = Path(name)
        write_inputs(folder / "in", pictures)
        words = choose_words(folder / "in", write_tiny_model(folder / "tiny.onnx"))
        run_whole(words, folder / "whole")
        while total.kills < least_kills:
            run = folder / f"killed-{runs}"
            killed = kill_until_finished(words, run, random.Random(runs))
            found = compare_runs(folder / "whole", run)
            for figure in ("kills", "sittings", "left_behind", "in_start"):
                setattr(total, figure, getattr(total, figure) + getattr(killed, figure))
            compared.files += found.files
            compared.records += found.records
            compared.differences += [f"{run.name}/{path}" for path in found.differences]
            runs += 1
    return {
        "runs": runs,
        "kills": total.kills,
        "sittings": total.sittings,
        "kills_before_a_record": total.in_start,
        "processes_left_behind": total.left_behind,
        "records_compared": compared.records,
        "files_compared": compared.files,
        "differences": len(compared.differences),
        "differing": compared.differences[:10],
        "wall_s": round(time.monotonic() - start_s, 1),
    }


def choose_words(inputs: Path, model: Path, *options: str) -> list[str]:
    """The command line of a run that writes all there is to write, but for the name of its folder."""
    return ["predict", str(inputs), "-m", str(model), "--conf", "0.35", "--save", _SAVE, *options]


def write_inputs(folder: Path, pictures: int) -> None:
    """Small pictures in folders, some with one stem; a broken one, one of three pages, and two videos of 12 frames."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(pictures):
        path = folder / f"{number % 7}" / (f"{number:04d}.png" if number % 3 else f"{number:04d}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), _draw(rng))
        if number % 40 == 0:
            cv2.imwrite(str(path.with_suffix(".png")), _draw(rng))
    first, last = folder / "0", folder / "6"
    (first / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    (last / "empty.png").write_bytes(b"")
    pages = [Image.fromarray(_draw(rng)) for _ in range(3)]
    pages[0].save(folder / "1" / "pages.tiff", save_all=True, append_images=pages[1:])
    for path in (folder / "2" / "clip.mp4", folder / "5" / "clip.mp4"):
        _write_clip(path, rng)


def _draw(rng: np.random.Generator) -> Any:
    height, width = (int(side) for side in rng.integers(60, 200, 2))
    return cv2.resize(rng.integers(0, 256, (12, 12, 3), np.uint8), (width, height))


def _write_clip(path: Path, rng: np.random.Generator) -> None:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for _ in range(12):
            picture = cv2.resize(rng.integers(0, 256, (12, 16, 3), np.uint8), (128, 96))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))


def run_whole(words: Sequence[str], out: Path) -> None:
    """One run without interruption.

    Raises:
        RuntimeError: It failed as a whole.
    """
    _require_done(_start([*words, "-o", str(out)]))


def _start(words: Sequence[str]) -> Any:
    """Start ``detectattn WORDS`` in a process and a session of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    process = context.Process(target=_run, args=(list(words),))
    process.start()
    return process


def _run(words: list[str]) -> None:
    from detectattn.cli.app import run

    os.setsid()
    sys.argv = ["detectattn", *words]
    sys.exit(run([*words, "-q"]))


def _require_done(process: Any) -> None:
    process.join()
    if process.exitcode not in (0, 4):
        raise RuntimeError(f"a sitting ended with exit code {process.exitcode}")


def kill_until_finished(words: Sequence[str], run: Path, dice: random.Random, most_kills: int | None = None) -> Killed:
    """Begin a run with ``--resume`` and kill it, again and again, until it ends by itself.

    Args:
        words: The command line but for ``--resume``; left out of every second sitting that can do without.
        run: Its folder; not there yet.
        dice: Decides when it is killed: while it starts, or after so many more records and some milliseconds.
        most_kills: Let it end then; None for as long as it takes.

    Raises:
        RuntimeError: A sitting failed.
    """
    killed = Killed()
    while True:
        has_begun = (run / "run.json").exists()
        typed = ["predict"] if has_begun and dice.random() < 0.5 else list(words)
        killed.sittings += 1
        before = _count_bytes(run)
        process = _start([*typed, "--resume", str(run)])
        may_kill = most_kills is None or killed.kills < most_kills
        if not may_kill or not _await_moment(process, run, dice):
            _require_done(process)
            return killed
        process.kill()
        process.join()
        killed.kills += 1
        killed.in_start += _count_bytes(run) <= before
        killed.left_behind += not _is_gone(process.pid)


def _await_moment(process: Any, run: Path, dice: random.Random) -> bool:
    """Wait for the moment to kill a process; False if it ended before."""
    if dice.random() < 0.15:
        deadline = time.monotonic() + dice.random() * _START_S
        while time.monotonic() < deadline and process.is_alive():
            time.sleep(0.002)
        return bool(process.is_alive())
    path = run / "predictions.jsonl"
    wanted, lines, seen = 1 + int(dice.expovariate(1 / _MEAN_GROWTH)), 0, _count_bytes(run)
    while lines < wanted:
        if not process.is_alive():
            return False
        now = _count_bytes(run)
        if now < seen:
            seen = now  # cut back to the last input that is done
        if now > seen:
            with path.open("rb") as stream:
                stream.seek(seen)
                lines = stream.read().count(b"\n")
        time.sleep(0.001)
    time.sleep(dice.random() * 0.02)
    return bool(process.is_alive())


def _count_bytes(run: Path) -> int:
    path = run / "predictions.jsonl"
    return path.stat().st_size if path.exists() else 0


def _is_gone(group: int, limit_s: float = 5.0) -> bool:
    """Whether no process of a killed one's session is left."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    os.killpg(group, signal.SIGKILL)
    return False


def compare_runs(whole: Path, run: Path) -> Compared:
    """Compare every file of two run folders: byte for byte, but for timings; of ``run.json`` what was counted."""
    compared = Compared()
    names = {p.relative_to(folder).as_posix() for folder in (whole, run) for p in folder.rglob("*") if p.is_file()}
    for name in sorted(names):
        compared.files += 1
        one, other = whole / name, run / name
        if not (one.exists() and other.exists()) or list(_iter_content(one)) != list(_iter_content(other)):
            compared.differences.append(name)
    compared.records = (whole / "predictions.jsonl").read_bytes().count(b"\n")
    return compared


def _iter_content(path: Path) -> Iterator[Any]:
    if path.name == "predictions.jsonl":
        for line in path.read_text(encoding="utf-8").splitlines():
            head, _, tail = line.rpartition(',"timing":{')
            yield head, tail.partition("}")[2]
    elif path.name == "run.json":
        manifest = json.loads(path.read_text(encoding="utf-8"))
        yield {name: manifest[name] for name in ("status", "counts", "config", "models", "failures")}
    elif path.name == "images.parquet":
        import polars

        table = polars.read_parquet(path)
        yield table.drop([name for name in table.columns if name.endswith("_ms")]).to_dict(as_series=False)
    else:
        yield path.read_bytes()
