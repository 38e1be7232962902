"""Turns, warm-up, percentiles and the judgement of noise, with models whose times are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detectattn.compare import messages as msg
from detectattn.compare.noise import MachineState, judge_noise, read_machine_state
from detectattn.compare.speed import SpeedPlan, measure_speed, plan_rounds, summarise
from detectattn.errors import EngineError

CALM = MachineState(0.0, 3000.0)


class Clockwork:
    """A model that takes the times it is told to, and keeps a diary."""

    def __init__(self, name: str, diary: list[str], forward_ms: Any = lambda turn: 10.0, most: int = 8) -> None:
        self.name = name
        self.meter = None
        self._diary = diary
        self._forward_ms = forward_ms
        self._most = most
        self.turns = 0

    def restart(self) -> None:
        self._diary.append(f"{self.name} anew")

    def await_restarted(self) -> None:
        assert self._diary[-1].endswith(" anew")

    def ask(self, request: Any, wanted: Any) -> Any:
        self._diary.append(self.name)
        if isinstance(request, msg.TimeBatch):
            if request.batch > self._most:
                return msg.BatchTime(None)
            # Throughput grows by half with every doubling.
            return msg.BatchTime((0.010 * request.batch / 1.5 ** np.log2(request.batch),) * request.repeats)
        if isinstance(request, msg.AskMemory):
            return msg.PeakMemory(100.0, None)
        self.turns += 1
        n = len(request.indices)
        return msg.StageTimes((1.0,) * n, (self._forward_ms(self.turns),) * n, (0.5,) * n)


@pytest.mark.parametrize(
    ("pictures", "rounds", "expected"),
    [(1, None, (50, 1)), (4, None, (13, 4)), (10, None, (10, 10)), (500, None, (10, 10)), (500, 20, (20, 10))],
)
def test_plan_gives_fifty_timings_in_ten_rounds(pictures: int, rounds: int | None, expected: tuple[int, int]) -> None:
    plan = plan_rounds(pictures, rounds=rounds)
    assert (plan.rounds, len(plan.pictures)) == expected


@pytest.mark.parametrize(
    ("rounds", "sittings"), [(1, (1,)), (4, (4,)), (5, (1,) * 5), (10, (2,) * 5), (13, (2, 3, 2, 3, 3))]
)
def test_rounds_are_dealt_to_sittings(rounds: int, sittings: tuple[int, ...]) -> None:
    assert SpeedPlan(rounds, (0,)).sittings == sittings


def test_every_sitting_loads_and_warms_up_all_models_anew() -> None:
    diary: list[str] = []
    samples, failed = measure_speed([Clockwork(name, diary) for name in "AB"], SpeedPlan(6, (0,)))
    assert not failed
    sitting = ["A anew", "B anew", "A", "A", "B", "B"]
    assert diary[:8] == ["A", "A", "B", "B", "A", "B", *sitting[:2]]
    assert diary.count("A anew") == diary.count("B anew") == 4
    assert [diary[i : i + 6] for i, entry in enumerate(diary) if entry == "A anew"] == [sitting] * 4
    assert samples["A"].sittings == (1, 1, 1, 1, 2)
    assert len(samples["A"].rounds) == 6
    assert samples["A"].warm_up == 5 * 10


def test_a_model_that_cannot_be_loaded_again_does_not_cost_the_others() -> None:
    class Once(Clockwork):
        def await_restarted(self) -> None:
            raise EngineError("A cannot be loaded", hint="Try another")

    diary: list[str] = []
    samples, failed = measure_speed([Once("A", diary), Clockwork("B", diary)], SpeedPlan(5, (0,)))
    assert list(failed) == ["A"]
    assert [len(samples[name].rounds) for name in samples] == [5]


def test_turns_are_interleaved_and_turned_around() -> None:
    diary: list[str] = []
    told: list[tuple[str, int, int]] = []
    models = [Clockwork(name, diary) for name in "AB"]
    measure_speed(models, SpeedPlan(4, (0, 1)), lambda *turn: told.append(turn))
    assert [name for name, _, _ in told] == list("ABBAABBA")
    assert [(done, turns) for name, done, turns in told if name == "A"] == [(i, 4) for i in range(4)]
    warm = diary[: diary.index("B")]
    assert warm == ["A"] * 2


def test_warm_up_goes_on_until_steady() -> None:
    steady_after = 5
    slow_start = Clockwork("A", [], lambda turn: 100.0 / 2 ** min(turn, steady_after))
    samples = measure_speed([slow_start], SpeedPlan(1, (0,)))[0]["A"]
    assert samples.warm_up == (steady_after + 1) * 5
    never = measure_speed([Clockwork("B", [], lambda turn: 10.0 + turn % 2 * 5)], SpeedPlan(1, (0,)))[0]["B"]
    assert never.warm_up == 50


def test_best_batch_is_the_largest_that_pays() -> None:
    samples = measure_speed([Clockwork("A", [], most=4)], SpeedPlan(1, (0,)))[0]["A"]
    assert list(samples.images_per_s) == [1, 2, 4]
    figures = summarise(samples.rounds, [2.0], samples.images_per_s)
    assert (figures.best_batch, figures.images_per_s) == (4, pytest.approx(100))
    assert figures.best_images_per_s == pytest.approx(225)


def test_figures_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    stages = rng.gamma(2, 3, (7, 3, 10))
    rounds = tuple(msg.StageTimes(*(tuple(map(float, stage)) for stage in turn)) for turn in stages)
    decode = [float(v) for v in rng.gamma(2, 1, 10)]
    figures = summarise(rounds, decode, {1: 50.0})
    total = np.array(decode) + stages.sum(axis=1)
    for name, wanted in (("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99)):
        assert getattr(figures, name) == pytest.approx(np.percentile(total, wanted))
    assert figures.mean_ms == pytest.approx(total.mean())
    assert figures.forward_p50_ms == pytest.approx(np.median(stages[:, 1]))
    parts = (figures.decode_ms, figures.preprocess_ms, figures.forward_ms, figures.postprocess_ms)
    assert sum(parts) == pytest.approx(figures.mean_ms)
    assert figures.timed_images == 70


@pytest.mark.parametrize(
    ("rounds", "before", "after", "trusted", "told"),
    [
        ([[10, 11], [10.5, 11]], CALM, CALM, True, ""),
        ([[10, 10], [12, 12]], CALM, CALM, False, "differ by 20%"),
        ([[100], [110.15]], CALM, CALM, False, "differ by 10.2%, and 10% is the most"),
        ([[10000], [11001]], CALM, CALM, False, "differ by 10.1%, and 10% is the most"),
        ([[10], [10]], MachineState(1.7, 3000.0), CALM, False, "1.7 processor cores busy"),
        ([[10], [10]], CALM, MachineState(1.2, 3000.0), False, "1.2 processor cores busy"),
        ([[10], [10]], CALM, MachineState(0.0, 2000.0), False, "changed by 33%"),
        ([[10], [10]], MachineState(None, None), MachineState(None, None), True, ""),
    ],
)
def test_noise_is_named(rounds: Any, before: Any, after: Any, trusted: bool, told: str) -> None:
    report = judge_noise(rounds, before, after)
    assert report.trusted is trusted
    assert told in " ".join(report.reasons)


def test_machine_state_is_readable_here() -> None:
    state = read_machine_state(0.05)
    assert state.busy_cores is None or state.busy_cores >= 0
