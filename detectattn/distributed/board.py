"""What replicas tell each other and the driver while a run goes on: how far they are, and what has ended any of them.

It is kept in memory, by an actor of its own. Were that lost, no more than the progress and the memory of crashes would
be: what is done stands in the store.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from detectattn.distributed.counts import Counts
from detectattn.pipeline.recovery import Recovery

_DEATHS_BEFORE_CARE = 2
_DEATHS_OF_AN_INPUT = 2
_DEATHS_OF_NONE = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a shard is to be worked on.

    Attributes:
        number: From 1.
        one_by_one: Whether its inputs are to go one after another, since replicas died of them.
        poisoned: Places of inputs that are not tried again.
        leave: Whether it is not to be begun at all, because the run is stopping.
        hopeless: Whether replicas die of it before they open any of its inputs.
    """

    number: int = 1
    one_by_one: bool = False
    poisoned: frozenset[int] = frozenset()
    leave: bool = False
    hopeless: bool = False


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """What was done on one machine.

    Attributes:
        replicas: How many worked there.
        pictures: Images and frames done.
    """

    replicas: int
    pictures: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        inputs: Inputs done, those of shards that are under way included.
        pictures: Images and frames done.
        failures: Inputs and frames that failed.
        busy: Shards under way.
        redone: Shards that were begun again because a replica or a machine died.
        worked_s: Since the first replica had its model ready; 0 before.
        error: Why the run cannot go on, in words; None where it can.
        nodes: By machine.
        warnings: What replicas got over, a sentence for each kind, with the machine where it happened first.
    """

    inputs: int = 0
    pictures: int = 0
    failures: int = 0
    busy: int = 0
    redone: int = 0
    worked_s: float = 0.0
    error: dict[str, str] | None = None
    nodes: dict[str, NodeProgress] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Shard:
    node: str = ""
    attempts: int = 0
    place: int | None = None
    deaths: Counter[int] = field(default_factory=Counter)
    done: tuple[int, int, int] = (0, 0, 0)


class Board:
    """The class of that actor; nothing of Ray is in it."""

    def __init__(self) -> None:
        self._stopping = False
        self._error: dict[str, str] | None = None
        self._under_way: dict[int, _Shard] = {}
        self._done = Counts()
        self._redone = 0
        self._ready_s: float | None = None
        self._pictures: Counter[str] = Counter()
        self._replicas: defaultdict[str, set[str]] = defaultdict(set)
        self._recovered: dict[tuple[str, str, str], str] = {}

    def begin(self, shard: int, replica: str, node: str) -> Attempt:
        """A replica is about to begin a shard; how."""
        self._replicas[node].add(replica)
        if self._stopping:
            return Attempt(leave=True)
        state = self._under_way.setdefault(shard, _Shard())
        self._redone += state.attempts == 1
        state.attempts += 1
        state.node, state.done = node, (0, 0, 0)
        if state.place is not None:
            state.deaths[state.place] += 1
            state.place = None
        poisoned = frozenset(place for place, deaths in state.deaths.items() if deaths >= _DEATHS_OF_AN_INPUT)
        unexplained = state.attempts - 1 - state.deaths.total()
        hopeless = unexplained > _DEATHS_BEFORE_CARE + _DEATHS_OF_NONE
        return Attempt(state.attempts, state.attempts > _DEATHS_BEFORE_CARE, poisoned, hopeless=hopeless)

    def ready(self) -> None:
        """A replica has its model ready."""
        self._ready_s = self._ready_s or time.monotonic()

    def trying(self, shard: int, place: int) -> None:
        """An input of a shard is about to be opened, alone."""
        self._under_way.setdefault(shard, _Shard(attempts=1)).place = place

    def tell(self, shard: int, inputs: int, pictures: int, failures: int) -> None:
        """So much of a shard is done."""
        if shard in self._under_way:
            self._under_way[shard].done = (inputs, pictures, failures)

    def end(self, shard: int, node: str, counts: dict[str, Any]) -> None:
        """A shard is done, with its marker."""
        self._under_way.pop(shard, None)
        found = Counts.from_dict(counts)
        self._done.add(found)
        self._pictures[node] += found.pictures

    def recover(self, recovery: Recovery, address: str) -> None:
        """A replica got over something; what happens to one often happens to many, and is told once."""
        kind = recovery.what, recovery.was, recovery.now
        self._recovered.setdefault(kind, f"on {address}: {recovery.describe()}")

    def leave(self, shard: int) -> None:
        """A shard is not worked on any more, and not done."""
        self._under_way.pop(shard, None)

    def fail(self, shard: int, error: dict[str, str]) -> None:
        """The run cannot go on: a replica met an error that the others would meet too."""
        self.leave(shard)
        self._error = self._error or error
        self.stop()

    def stop(self) -> None:
        """Let replicas finish what they are at and begin nothing more."""
        self._stopping = True

    def look(self) -> Progress:
        """How far the run is."""
        inputs, pictures, failures = self._done.inputs, self._done.pictures, self._done.failures.total()
        by_node = Counter(self._pictures)
        for state in self._under_way.values():
            inputs, pictures, failures = (a + b for a, b in zip((inputs, pictures, failures), state.done, strict=True))
            by_node[state.node] += state.done[1]
        nodes = {node: NodeProgress(len(found), by_node[node]) for node, found in sorted(self._replicas.items())}
        worked_s = 0.0 if self._ready_s is None else time.monotonic() - self._ready_s
        return Progress(
            inputs,
            pictures,
            failures,
            len(self._under_way),
            self._redone,
            worked_s,
            self._error,
            nodes,
            tuple(self._recovered.values()),
        )
