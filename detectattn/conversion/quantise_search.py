"""Which groups of layers to leave in float: those that cost most when rounded, for the work they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from detectattn.conversion.gate_figures import GateFigures
from detectattn.conversion.gate_limits import compute_burden, judge_gate
from detectattn.conversion.quantise_groups import LayerGroup, leave_in_float
from detectattn.conversion.quantise_probe import Probe

PRECISION = "int8"
# A group that takes less than this share of the error away is left in INT8: the next picture may say otherwise.
_LEAST_GAIN = 0.02
# Added to a group's share of the work, so that of two that cost next to nothing the one that gains more comes first.
_SMALL_WORK = 0.02
_MORE = 2
_NO_BURDEN = 1e-9
# Share of the work that nobody notices: a box's last arithmetic, which rounding harms most, does next to none.
_FREE_WORK = 0.005


@dataclass(frozen=True, slots=True)
class GroupGain:
    """What leaving one group of layers in float gains.

    Attributes:
        name: Of the group.
        gain: Share of the whole error that goes (:func:`~detectattn.conversion.gate_limits.compute_burden`), below 0
            where it grows.
        work: Share of the network's multiplications that it does.
    """

    name: str
    gain: float
    work: float


class FloatSearch:
    """Finds the groups of a quantised model to leave in float.

    Each is measured with its inputs left as they are in an otherwise quantised model: seconds a group, where quantising
    anew takes minutes. Those that cost no time in float come first: where they are enough, no other is measured.

    Args:
        quantised: The model with everything rounded, an ``openvino.Model``.
        groups: Its groups.
        probe: Measures it.
        on_step: Called with what is being done.
        deadline: No further group is tried after this time (:func:`time.monotonic`).
    """

    def __init__(
        self,
        quantised: Any,
        groups: Sequence[LayerGroup],
        probe: Probe,
        on_step: Callable[[str], None],
        deadline: float,
    ) -> None:
        self._quantised = quantised
        self._groups = tuple(groups)
        self._probe = probe
        self._on_step = on_step
        self._deadline = deadline
        self._burden = max(compute_burden(probe.measure(quantised), PRECISION), _NO_BURDEN)
        self._lightest, self._satisfied = self._burden, False
        self._gains: list[GroupGain] = []

    @property
    def gains(self) -> tuple[GroupGain, ...]:
        """What every group gains that was measured so far, those that gain most for their work first."""
        return tuple(sorted(self._gains, key=lambda gain: -gain.gain / (gain.work + _SMALL_WORK)))

    def iter_choices(self) -> Iterator[tuple[LayerGroup, ...]]:
        """Ever larger sets of groups: what costs no time, then as few more as satisfy the probe, then two at a time."""
        chosen: tuple[LayerGroup, ...] = ()
        for gain in self._measure_gains(free=True):
            chosen = self._extend(chosen, gain)
        yielded = 0
        if chosen and self._satisfied:
            yield chosen
            yielded = len(chosen)
        for gain in self._measure_gains(free=False):
            chosen = self._extend(chosen, gain)
            if self._satisfied and len(chosen) >= yielded + (_MORE if yielded else 1):
                yield chosen
                yielded = len(chosen)
        if len(chosen) > yielded:
            yield chosen

    def _extend(self, chosen: tuple[LayerGroup, ...], gain: GroupGain) -> tuple[LayerGroup, ...]:
        """The set with one group more, if that makes it better."""
        if time.monotonic() > self._deadline:
            return chosen
        wider = (*chosen, next(group for group in self._groups if group.name == gain.name))
        figures = self._measure(wider)
        burden = compute_burden(figures, PRECISION)
        if burden > self._lightest - _LEAST_GAIN * self._burden:
            return chosen
        self._lightest = burden
        self._satisfied = self._satisfied or not judge_gate(figures, PRECISION)
        return wider

    def _measure_gains(self, *, free: bool) -> list[GroupGain]:
        """Measure the groups that cost no time in float, or all others: the useful ones, best first."""
        for group in self._groups:
            if (group.work <= _FREE_WORK) != free:
                continue
            if time.monotonic() > self._deadline:
                break
            self._on_step(f"measuring what {group.name} costs ({len(self._gains) + 1} of {len(self._groups)})")
            burden = compute_burden(self._measure((group,)), PRECISION)
            self._gains.append(GroupGain(group.name, 1 - burden / self._burden, group.work))
        return [gain for gain in self.gains if gain.gain > _LEAST_GAIN and (gain.work <= _FREE_WORK) == free]

    def _measure(self, groups: Sequence[LayerGroup]) -> GateFigures:
        return self._probe.measure(leave_in_float(self._quantised, groups, self._groups))
