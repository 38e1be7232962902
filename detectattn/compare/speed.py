"""Time several models under equal conditions: the same pictures, interleaved rounds, one model at work at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Protocol, TypeVar

import numpy as np

from detectattn.compare import messages as msg
from detectattn.errors import DetectattnError
from detectattn.results import SpeedFigures

ReplyType = TypeVar("ReplyType", bound=msg.Reply)

_WARM_BLOCK = 5
_WARM_SPREAD = 0.05
_BATCHES = (1, 2, 4, 8, 16, 32)
_BATCH_REPEATS = 3
_SITTINGS = 5


class Timed(Protocol):
    """A model that can be asked to time itself; see :class:`detectattn.compare.child.Child`."""

    name: str

    @property
    def meter(self) -> str | None:
        """Which meter tells the energy of its device, or None where none can be read."""
        ...

    def ask(self, request: msg.Request, wanted: type[ReplyType]) -> ReplyType:
        """Send a request and wait for its answer."""
        ...

    def restart(self) -> None:
        """Begin to load it anew in a new process."""
        ...

    def await_restarted(self) -> None:
        """Wait until it is loaded."""
        ...


@dataclass(frozen=True, slots=True)
class SpeedPlan:
    """How much is timed.

    Attributes:
        rounds: Times that every model has its turn.
        pictures: Indices timed in each turn.
    """

    rounds: int
    pictures: tuple[int, ...]

    @property
    def sittings(self) -> tuple[int, ...]:
        """How many rounds each sitting has: five of them, all models loaded anew in each; one if rounds are fewer."""
        count = _SITTINGS if self.rounds >= _SITTINGS else 1
        return tuple((i + 1) * self.rounds // count - i * self.rounds // count for i in range(count))


@dataclass(frozen=True, slots=True, eq=False)
class SpeedSamples:
    """What was timed of one model.

    Attributes:
        warm_up: Pictures it took to become steady, in all sittings.
        rounds: The stages of each picture, a turn each.
        sittings: How many of the rounds each sitting had, in order.
        memory: Peak after the rounds, before any batch larger than one.
        images_per_s: Forward throughput by batch size; a size the model cannot take is absent.
        meter: Which meter told the energy of the rounds; None where none can be read.
    """

    warm_up: int
    rounds: tuple[msg.StageTimes, ...]
    sittings: tuple[int, ...]
    memory: msg.PeakMemory
    images_per_s: Mapping[int, float]
    meter: str | None = None


def plan_rounds(picture_count: int, *, least_timed: int = 50, a_turn: int = 10, rounds: int | None = None) -> SpeedPlan:
    """How many rounds of how many pictures: at least ``least_timed`` timings a model, in at least ten rounds.

    Args:
        picture_count: Pictures there are.
        least_timed: Timings a model at least.
        a_turn: Pictures a turn at most, spread evenly; short turns keep the models close together in time.
        rounds: Exactly so many rounds, whatever that gives.
    """
    if picture_count < 1:
        raise ValueError("there must be a picture to time")
    taken = min(picture_count, a_turn)
    pictures = tuple(i * picture_count // taken for i in range(taken))
    return SpeedPlan(rounds or max(2 * _SITTINGS, -(-least_timed // taken)), pictures)


OnTurn = Callable[[str, int, int], None]


def measure_speed(
    models: Sequence[Timed], plan: SpeedPlan, on_turn: OnTurn = lambda *_: None
) -> tuple[dict[str, SpeedSamples], dict[str, DetectattnError]]:
    """Time the models, by turns: A B C, then C B A, and so on.

    Turning the order around from round to round cancels a steady drift of the machine. While one model works the others
    wait for their next request. Between sittings every model is loaded anew in a new process: how fast a process is
    depends a little on its luck with memory, and how fast the machine is on the minute. Neither shows between the
    rounds of one sitting, and the figures are to speak about more than one.

    Args:
        models: The models, loaded.
        plan: How much is timed.
        on_turn: Told of every turn: the model, how many turns it had, and of how many.

    Returns:
        What was timed of each model, and why any failed; one that fails does not cost the others.
    """
    timing = {model.name: _Timing(model) for model in models}
    failed: dict[str, DetectattnError] = {}

    def each(names: Iterable[str], step: Callable[[_Timing], None]) -> None:
        for name in names:
            if name in failed:
                continue
            try:
                step(timing[name])
            except DetectattnError as error:
                failed[name] = error

    def take_turn(model: _Timing) -> None:
        on_turn(model.timed.name, len(model.rounds), plan.rounds)
        model.take_turn(plan.pictures)

    turns = iter(range(plan.rounds))
    for sitting, rounds in enumerate(plan.sittings):
        if sitting:
            # Loading uses one core, so all load at once; only the first load of a model is timed, and that alone.
            each(timing, lambda model: model.timed.restart())
            each(timing, lambda model: model.timed.await_restarted())
        each(timing, lambda model: model.warm_up_on(plan.pictures))
        for number in islice(turns, rounds):
            each(timing if number % 2 == 0 else reversed(timing), take_turn)
    each(timing, _Timing.finish)
    return {name: model.to_samples(plan.sittings) for name, model in timing.items() if name not in failed}, failed


class _Timing:
    """One model's part in the rounds."""

    def __init__(self, timed: Timed) -> None:
        self.timed = timed
        self.rounds: list[msg.StageTimes] = []
        self._warm_up = 0
        self._memory = msg.PeakMemory(float("nan"), None)
        self._images_per_s: dict[int, float] = {}

    def warm_up_on(self, pictures: tuple[int, ...]) -> None:
        self._warm_up += _warm_up(self.timed, pictures)

    def take_turn(self, pictures: tuple[int, ...]) -> None:
        self.rounds.append(self.timed.ask(msg.TimePictures(pictures), msg.StageTimes))

    def finish(self) -> None:
        # Before any larger batch: memory is that of one picture at a time.
        self._memory = self.timed.ask(msg.AskMemory(), msg.PeakMemory)
        self._images_per_s = _measure_throughput(self.timed)

    def to_samples(self, sittings: tuple[int, ...]) -> SpeedSamples:
        rounds = tuple(self.rounds)
        return SpeedSamples(self._warm_up, rounds, sittings, self._memory, self._images_per_s, self.timed.meter)


def _warm_up(model: Timed, pictures: tuple[int, ...]) -> int:
    """Run until two blocks in a row take the same time within 5%, at most ten blocks; pictures that took."""
    block = tuple(pictures[i % len(pictures)] for i in range(_WARM_BLOCK))
    before = median(model.ask(msg.TimePictures(block), msg.StageTimes).total_ms)
    for number in range(2, 11):
        after = median(model.ask(msg.TimePictures(block), msg.StageTimes).total_ms)
        if abs(after - before) <= _WARM_SPREAD * before:
            return number * _WARM_BLOCK
        before = after
    return 10 * _WARM_BLOCK


def _measure_throughput(model: Timed) -> dict[int, float]:
    """Doubling the batch while that pays."""
    found: dict[int, float] = {}
    for batch in _BATCHES:
        seconds = model.ask(msg.TimeBatch(batch, _BATCH_REPEATS), msg.BatchTime).seconds
        if seconds is None:
            if found:
                break
            continue
        found[batch] = batch / median(seconds)
        if len(found) > 1 and found[batch] < 1.05 * max(rate for size, rate in found.items() if size < batch):
            break
    return found


def summarise(
    rounds: Sequence[msg.StageTimes], decode_ms: Sequence[float], images_per_s: Mapping[int, float]
) -> SpeedFigures:
    """The figures of one model.

    Args:
        rounds: The stages of each picture, a turn each.
        decode_ms: What decoding each picture of a turn took.
        images_per_s: Forward throughput by batch size.
    """
    decode = np.array([*decode_ms] * len(rounds))
    preprocess, forward, postprocess = (
        np.array([value for turn in rounds for value in getattr(turn, stage)])
        for stage in ("preprocess_ms", "forward_ms", "postprocess_ms")
    )
    total = decode + preprocess + forward + postprocess
    p50, p95, p99 = np.percentile(total, (50, 95, 99))
    rates = images_per_s
    best = max(rates, key=lambda size: rates[size], default=1)
    return SpeedFigures(
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        mean_ms=float(total.mean()),
        forward_p50_ms=float(np.median(forward)),
        decode_ms=float(decode.mean()),
        preprocess_ms=float(preprocess.mean()),
        forward_ms=float(forward.mean()),
        postprocess_ms=float(postprocess.mean()),
        images_per_s=rates.get(1, 1e3 / float(forward.mean())),
        best_batch=best,
        best_images_per_s=rates.get(best, 1e3 / float(forward.mean())),
        timed_images=len(total),
    )


def compute_joules_per_image(rounds: Sequence[msg.StageTimes]) -> float | None:
    """Energy of one picture, from its pixels to its boxes, over all rounds; meters are too coarse for a single one.

    None where no meter could be read throughout, or where it stood still, as those of some virtual machines do.
    """
    joules = [turn.energy_j for turn in rounds if turn.energy_j is not None]
    images = sum(len(turn.forward_ms) for turn in rounds)
    if len(joules) < len(rounds) or not images or not sum(joules) > 0:
        return None
    return sum(joules) / images
