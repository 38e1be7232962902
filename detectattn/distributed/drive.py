"""The driver's part: shards as a dataset of Ray Data, replicas as its pool of actors, and what comes back.

A row is the number of a shard, and what came of it some hundred bytes, so nothing grows with pictures. Ray Data hands
a replica no more than a few tasks ahead, starts replicas anew that die, and gives their tasks to them again.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from detectattn.distributed.board import Board, Progress
from detectattn.distributed.counts import Counts
from detectattn.distributed.failure_text import last_line, to_error
from detectattn.distributed.replica import ShardRunner
from detectattn.distributed.scout import ScoutReport, ScoutRequest, scout
from detectattn.distributed.settings import ReplicaSize, RunSettings
from detectattn.errors import ClusterError

_TASKS_A_REPLICA = 8
_POLL_S = 0.2
_SCOUT_WAIT_S = 2.0
_CLOSE_S = 3.0


@dataclass(frozen=True, slots=True)
class Pool:
    """How many replicas there are to be.

    Attributes:
        size: What each takes of a machine.
        first: How many are started at once.
        most: How many there may be; Ray asks for machines where it can.
    """

    size: ReplicaSize
    first: int
    most: int


class BoardHandle:
    """The board's actor, from the driver's side."""

    def __init__(self) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # Beside the driver: where that is lost, so is the run for the time being. A soft wish is not kept to.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        kept = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)(Board)
        self.actor: Any = kept.remote()

    def look(self) -> Progress | None:
        """How far the run is; None where the board does not answer at once."""
        import ray

        try:
            progress: Progress = ray.get(self.actor.look.remote(), timeout=10)
        except ray.exceptions.RayError:
            return None
        return progress

    def stop(self) -> None:
        """Let replicas finish what they are at and begin nothing more."""
        import ray

        ray.get(self.actor.stop.remote(), timeout=10)


def open_model_there(request: ScoutRequest, size: ReplicaSize, on_wait: Callable[[], None]) -> ScoutReport:
    """Let a task that has what a replica has open the model and decide how all of them do.

    Args:
        request: What to open.
        size: What a replica takes.
        on_wait: Called now and then while it takes.

    Raises:
        DetectattnError: The model cannot be opened; as the task says.
        ClusterError: No machine can take a replica, or the task died.
    """
    import ray

    # Whatever it holds is freed with its process.
    answer = ray.remote(max_calls=1, **size.to_ray_options())(scout).remote(request)
    while not ray.wait([answer], timeout=_SCOUT_WAIT_S)[0]:
        on_wait()
    try:
        report = ray.get(answer)
    except Exception as error:
        raise ClusterError(
            f"the model could not be opened on the cluster ({last_line(error)})",
            hint="Look whether a machine has enough memory for it",
        ) from error
    if isinstance(report, dict):
        raise to_error(report)
    assert isinstance(report, ScoutReport)
    return report


def plan_tasks(shards: Sequence[int], replicas: int) -> list[list[int]]:
    """Group shards into the tasks that replicas are given, in order: many at first, one at the end.

    Each task is an eighth of what would be a replica's share of the rest, so that there are few of them in millions of
    shards, and none is still at work for long when the others are done.

    Args:
        shards: What is to do.
        replicas: How many there may be.
    """
    tasks, start = list[list[int]](), 0
    while start < len(shards):
        count = max(1, (len(shards) - start) // (_TASKS_A_REPLICA * max(replicas, 1)))
        tasks.append(list(shards[start : start + count]))
        start += count
    return tasks


@dataclass(frozen=True, slots=True)
class Taken:
    """What came back since it was asked before.

    Attributes:
        rows: Numbers of shards, and what came of each.
        ended: Whether nothing more will come.
        error: Why it ended early; None where it did not.
    """

    rows: tuple[tuple[int, str], ...]
    ended: bool
    error: str | None


class RowFeed:
    """Runs the dataset in a thread, and keeps what comes back until it is taken."""

    def __init__(self, shards: Sequence[int], settings: RunSettings, pool: Pool, board: Any) -> None:
        self._rows: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self._error: str | None = None
        self._ended = threading.Event()
        self._dataset: Any = None
        inputs = (shards, settings, pool, board)
        self._thread = threading.Thread(target=self._work, args=inputs, name="dataset", daemon=True)
        self._thread.start()

    def take(self) -> Taken:
        """What is there, without waiting."""
        ended = self._ended.is_set()  # before the rows: what came after it is none
        rows = []
        while not self._rows.empty():
            rows.append(self._rows.get())
        return Taken(tuple(rows), ended, self._error)

    def close(self) -> None:
        """End the dataset if it still goes on: where Ray goes before it, Ray's core ends the whole process."""
        if self._thread.is_alive():
            executor = getattr(self._dataset, "_current_executor", None)  # nothing that is public ends it
            if executor is not None:
                executor.shutdown(force=True)
            self._thread.join(_CLOSE_S)

    def _work(self, shards: Sequence[int], settings: RunSettings, pool: Pool, board: Any) -> None:
        try:
            self._dataset = _open_dataset(shards, settings, pool, board)
            for row in self._dataset.iter_rows():
                self._rows.put((int(row["shard"]), str(row["outcome"])))
        except Exception as error:  # noqa: BLE001 - told to whoever takes the rows
            self._error = last_line(error)
        finally:
            self._ended.set()


def iter_outcomes(
    shards: Sequence[int], settings: RunSettings, pool: Pool, board: BoardHandle, *, by_client: bool = False
) -> Generator[tuple[int, Counts] | None]:
    """Work on shards; number and counts of each that is done, as they come, and None now and then meanwhile.

    Close it before Ray is shut down: what is under way then is broken off.

    Args:
        shards: Their numbers.
        settings: What a replica needs.
        pool: How many replicas.
        board: Told of everything by replicas.
        by_client: Whether this process is outside the cluster (``ray://``), where Ray Data does not work: an actor
            within then runs the dataset.

    Raises:
        ClusterError: Ray gave up.
    """
    feed = (_FeedThere if by_client else RowFeed)(shards, settings, pool, board.actor)
    try:
        while True:
            taken = feed.take()
            for shard, text in taken.rows:
                outcome = json.loads(text)
                yield (shard, Counts.from_dict(outcome["counts"])) if outcome["state"] == "done" else None
            if taken.error is not None:
                problem = f"the work on the cluster broke off ({taken.error})"
                raise ClusterError(problem, hint="--resume goes on from there")
            if taken.ended:
                return
            yield None
            time.sleep(_POLL_S)
    finally:
        feed.close()


class _FeedThere:
    """A :class:`RowFeed` within the cluster, from outside."""

    def __init__(self, shards: Sequence[int], settings: RunSettings, pool: Pool, board: Any) -> None:
        import ray

        self._feed: Any = ray.remote(num_cpus=0)(RowFeed).remote(list(shards), settings, pool, board)

    def take(self) -> Taken:
        import ray

        taken: Taken = ray.get(self._feed.take.remote())
        return taken

    def close(self) -> None:
        import ray

        with suppress(ray.exceptions.RayError):  # it may be gone already
            ray.get(self._feed.close.remote(), timeout=2 * _CLOSE_S)


def _open_dataset(shards: Sequence[int], settings: RunSettings, pool: Pool, board: Any) -> Any:
    import pyarrow
    import ray.data

    tables = [pyarrow.table({"shard": task}) for task in plan_tasks(shards, pool.most)]
    strategy = ray.data.ActorPoolStrategy(
        min_size=1, max_size=pool.most, initial_size=pool.first, max_tasks_in_flight_per_actor=2
    )
    return ray.data.from_arrow(tables).map_batches(
        ShardRunner,
        batch_size=1,
        compute=strategy,
        fn_constructor_args=(settings, board),
        **pool.size.to_ray_options(),
    )
