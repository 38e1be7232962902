"""The same short study of speed, over and over: how often do its intervals hold what all studies together say?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import cv2
import numpy as np

from benchmarks.verdicts.count import Count, count_studies
from detectattn.compare import messages as msg
from detectattn.compare.child import Child
from detectattn.compare.noise import judge_noise, read_machine_state
from detectattn.compare.pictures import write_pictures
from detectattn.compare.speed import measure_speed, plan_rounds
from detectattn.engines.base import EngineOptions
from detectattn.evaluation.intervals import compare_latency
from detectattn.types import Frame, Media
from detectattn.weights.locate import locate_weights

ReplyType = TypeVar("ReplyType", bound=msg.Reply)
Rounds = list[tuple[float, ...]]

_STREET = Path(__file__).resolve().parents[2] / "samples" / "street" / "images"
_PICTURES = 10


@dataclass(frozen=True, slots=True)
class Timings:
    """Rounds of every study.

    Attributes:
        rounds: Milliseconds of each picture, by study, model and round.
        sittings: How many of the rounds each sitting of a study had.
        trusted: Whether the product would trust each study's timings.
    """

    rounds: list[dict[str, Rounds]]
    sittings: tuple[int, ...]
    trusted: list[bool]


class _AtBatchOne:
    """A model in a child process that is not asked for its throughput, which takes longer than a short study."""

    meter = None

    def __init__(self, child: Child) -> None:
        self.name = child.name
        self._child = child

    def ask(self, request: Any, wanted: type[ReplyType]) -> ReplyType:
        if isinstance(request, msg.TimeBatch):
            reply: Any = msg.BatchTime(None)
            assert isinstance(reply, wanted)
            return reply
        return self._child.ask(request, wanted)

    def restart(self) -> None:
        self._child.restart()

    def await_restarted(self) -> None:
        self._child.await_restarted()


def time_models(models: dict[str, str], studies: int, on_progress: Callable[[int, int], None]) -> Timings:
    """Run studies of as many rounds and sittings as the product runs by default, each in processes of its own.

    Args:
        models: What ``detectattn compare -m`` takes, by name; the same one twice is timed against itself.
        studies: How many.
        on_progress: Told how many studies are done, of how many.
    """
    plan = plan_rounds(_PICTURES)
    timings = Timings([], plan.sittings, [])
    with TemporaryDirectory(prefix="detectattn-verdicts-") as folder:
        pictures = write_pictures(Path(folder) / "pictures", ((frame, 0.0) for frame in _read_street())).path
        while len(timings.rounds) < studies:
            with ExitStack() as stack:
                children = [stack.enter_context(_open(name, model, pictures)) for name, model in models.items()]
                before = read_machine_state()
                samples, failed = measure_speed([_AtBatchOne(child) for child in children], plan)
                after = read_machine_state()
            if failed:
                raise next(iter(failed.values()))
            rounds = {name: [turn.total_ms for turn in found.rounds] for name, found in samples.items()}
            timings.rounds.append(rounds)
            timings.trusted.append(all(judge_noise(r, before, after).trusted for r in rounds.values()))
            on_progress(len(timings.rounds), studies)
    return timings


def count_ratios(timings: Timings, pair: tuple[str, str], *, same_model: bool = False) -> Count:
    """Count how often a study's interval of the ratio of two models holds the ratio of all studies together.

    Args:
        timings: Of the studies.
        pair: Two of the models.
        same_model: Whether both are one, whose true ratio is 1.
    """
    a, b = pair
    all_a, all_b = ([turn for study in timings.rounds for turn in study[name]] for name in pair)
    truth = 1.0 if same_model else compare_latency(all_a, all_b).ratio
    rows = []
    for study in timings.rounds:
        found = compare_latency(study[a], study[b], sittings=timings.sittings)
        rows.append([found.ratio, found.low, found.high, found.decided])
    return count_studies(pair, "p50_ms", _PICTURES, truth, np.array(rows, np.float64), neutral=1.0)


def _open(name: str, model: str, pictures: Path) -> Child:
    weights = locate_weights(model, offline=True, on_notice=lambda _: None)
    return Child(msg.WorkerSpec(name, weights, EngineOptions(square=True), "auto", pictures))


def _read_street() -> list[Frame]:
    paths = sorted(_STREET.glob("*.jpg"))[:_PICTURES]
    frames = []
    for path in paths:
        bgr = cv2.imread(str(path))
        assert bgr is not None, path
        frames.append(Frame(Media(path.name, "image", path, PurePosixPath(path.name)), 0, bgr.astype(np.uint8)))
    return frames
