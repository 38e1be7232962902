"""Time several models under equal conditions: the same pictures, interleaved rounds, one model at work at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol, TypeVar

import numpy as np

from detectattn.compare import messages as msg
from detectattn.results import SpeedFigures

ReplyType = TypeVar("ReplyType", bound=msg.Reply)

_WARM_BLOCK = 5
_WARM_SPREAD = 0.05
_BATCHES = (1, 2, 4, 8, 16, 32)
_BATCH_REPEATS = 3


class Timed(Protocol):
    """A model that can be asked to time itself; see :class:`detectattn.compare.child.Child`."""

    name: str

    def ask(self, request: msg.Request, wanted: type[ReplyType]) -> ReplyType:
        """Send a request and wait for its answer."""
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


@dataclass(frozen=True, slots=True, eq=False)
class SpeedSamples:
    """What was timed of one model.

    Attributes:
        warm_up: Pictures it took to become steady.
        rounds: The stages of each picture, a turn each.
        images_per_s: Forward throughput by batch size; a size the model cannot take is absent.
    """

    warm_up: int
    rounds: tuple[msg.StageTimes, ...]
    images_per_s: Mapping[int, float]


def plan_rounds(picture_count: int, *, least_timed: int = 50, a_turn: int = 10, rounds: int | None = None) -> SpeedPlan:
    """How many rounds of how many pictures: at least ``least_timed`` timings a model, in at least five rounds.

    Args:
        picture_count: Pictures there are.
        least_timed: Timings a model at least.
        a_turn: Pictures a turn at most; short turns keep the models close together in time.
        rounds: Exactly so many rounds, whatever that gives.
    """
    if picture_count < 1:
        raise ValueError("there must be a picture to time")
    pictures = tuple(range(min(picture_count, a_turn)))
    return SpeedPlan(rounds or max(5, -(-least_timed // len(pictures))), pictures)


def measure_speed(
    models: Sequence[Timed], plan: SpeedPlan, on_turn: Callable[[str, int], None] = lambda _name, _round: None
) -> dict[str, SpeedSamples]:
    """Time the models, by turns: A B C, then C B A, and so on.

    Turning the order around from round to round cancels a steady drift of the machine. While one model works the others
    wait for their next request.

    Args:
        models: The models, loaded.
        plan: How much is timed.
        on_turn: Told of every turn.
    """
    warm = {model.name: _warm_up(model, plan.pictures) for model in models}
    turns: dict[str, list[msg.StageTimes]] = {model.name: [] for model in models}
    for number in range(plan.rounds):
        for model in models if number % 2 == 0 else reversed(models):
            on_turn(model.name, number)
            turns[model.name].append(model.ask(msg.TimePictures(plan.pictures), msg.StageTimes))
    throughput = {model.name: _measure_throughput(model) for model in models}
    return {
        model.name: SpeedSamples(warm[model.name], tuple(turns[model.name]), throughput[model.name]) for model in models
    }


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


def summarise(samples: SpeedSamples, decode_ms: Sequence[float], plan: SpeedPlan) -> SpeedFigures:
    """The figures of one model.

    Args:
        samples: What was timed.
        decode_ms: Decoding time of each picture of the study.
        plan: What was timed, to know the pictures.
    """
    decode = np.array([decode_ms[index] for index in plan.pictures] * len(samples.rounds))
    preprocess, forward, postprocess = (
        np.array([value for turn in samples.rounds for value in getattr(turn, stage)])
        for stage in ("preprocess_ms", "forward_ms", "postprocess_ms")
    )
    total = decode + preprocess + forward + postprocess
    p50, p95, p99 = np.percentile(total, (50, 95, 99))
    rates = samples.images_per_s
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
