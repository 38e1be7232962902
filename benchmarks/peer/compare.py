"""Do the work of a row on all its sides in turn, and check that they did the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peer.model_time import time_benchmark_app, time_ours
from benchmarks.peer.pictures import make_folder
from benchmarks.peer.prepare import Prepared
from benchmarks.peer.ratio import compute_an_image_s, take_turns
from benchmarks.peer.rows import Work
from benchmarks.peer.sides import Ours, Peer, Side, count_ours, count_peers
from benchmarks.peer.written import describe_jpeg, find_quality


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure.

    Attributes:
        python: Of the peer's environment.
        folder: For pictures, engines and output.
        rounds: How often each side runs.
        model_s: Seconds that the model alone runs.
        say: Told what is going on.
    """

    python: Path
    folder: Path
    rounds: int
    model_s: float
    say: Callable[[str], None]

    @property
    def settings(self) -> Path:
        """Where the peer keeps its settings."""
        return self.folder / "peer-settings"


def compare_sides(bench: Bench, work: Work, names: tuple[str, ...], prepared: Prepared) -> dict[str, Any]:
    """Do a work in turns, on all sides that can.

    Returns:
        ``seconds``: of every side, a list. ``failed``: by side, why it could not. For programs that write pictures,
        also ``wrote``, by side, and ``pictures``, the counts of the small and the large folder.
    """
    ready = [name for name in names if name not in prepared.failed]
    failed = {name: prepared.failed[name] for name in names if name in prepared.failed}
    try:
        timed, about = _open_sides(bench, work, ready, prepared)
        return {"seconds": take_turns(timed, bench.rounds), "failed": failed, **about}
    except RuntimeError as error:
        return {"seconds": {}, "failed": {**failed, **dict.fromkeys(ready, str(error))}}


def _open_sides(
    bench: Bench, work: Work, names: Sequence[str], prepared: Prepared
) -> tuple[dict[str, Callable[[], float]], dict[str, Any]]:
    """What times each side, and what is to be known of them."""
    if work.kind == "model":
        return _model_sides(bench, names, prepared), {}
    sides = {name: open_side(bench, name, prepared) for name in names}
    bench.say(f"{work.name}: a run of each that does not count")
    few = _make_source(bench, work, work.few)
    wrote = {name: look_at_output(bench, side, few) for name, side in sides.items()}
    timed = {name: partial(time_side, bench, work, name, side) for name, side in sides.items()}
    return dict(timed), {"wrote": wrote, "pictures": [work.few, work.many]}


def time_side(bench: Bench, work: Work, name: str, side: Side) -> float:
    """Seconds of a whole process for ``one``, of an image for a ``folder``."""
    seconds = _run(bench, side, _make_source(bench, work, work.few))
    if work.kind == "folder":
        many_s = _run(bench, side, _make_source(bench, work, work.many))
        seconds = compute_an_image_s(work.few, seconds, work.many, many_s)
    bench.say(f"{work.name}: {name} {seconds:.3f} s")
    return seconds


def open_side(bench: Bench, name: str, prepared: Prepared) -> Side:
    """The program of a side."""
    if name in prepared.ours:
        return Ours(prepared.ours[name].words, prepared.conf)
    model = prepared.weights if name == "pt" else prepared.peer_openvino
    assert model is not None, name
    precision = "f32" if name == "openvino-f32" else ""
    return Peer(bench.python, model, prepared.conf, find_quality(), bench.settings, precision)


def look_at_output(bench: Bench, side: Side, source: Path) -> Mapping[str, Any]:
    """What a side writes for a folder, from a run that is not timed: detections, pictures, their encoding."""
    counted = replace(side, options=("save_txt=True",)) if isinstance(side, Peer) else side
    with TemporaryDirectory(dir=bench.folder) as name:
        out = Path(name) / "run"
        counted.run(source, out)
        pictures = side.list_pictures(out)
        if not pictures:
            raise RuntimeError(f"no annotated picture came from {' '.join(side.command())}")
        found = count_peers(out) if isinstance(side, Peer) else count_ours(out)
        return {"detections": found, "pictures": len(pictures), "jpeg": describe_jpeg(pictures[0])}


def _make_source(bench: Bench, work: Work, count: int) -> Path:
    folder = make_folder(bench.folder, work.picture_hw, count)
    return next(folder.glob("*.jpg")) if work.kind == "one" else folder


def _run(bench: Bench, side: Side, source: Path) -> float:
    with TemporaryDirectory(dir=bench.folder) as name:
        return side.run(source, Path(name) / "run")


def _model_sides(bench: Bench, names: Sequence[str], prepared: Prepared) -> dict[str, Callable[[], float]]:
    if "fp32" not in prepared.ours:
        raise RuntimeError("there is no converted model to run")
    engine = prepared.ours["fp32"].folder
    sides: dict[str, Callable[[], float]] = {
        "benchmark_app": lambda: time_benchmark_app(bench.python, engine, bench.model_s, bench.folder),
        "fp32": lambda: time_ours(engine, bench.model_s, bench.folder),
    }
    return {name: sides[name] for name in names}
