"""A replica: an actor of Ray Data's pool that holds one model and runs shard after shard through the local pipeline."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from detectattn.conversion.fallback import open_fallback
from detectattn.distributed.board import Attempt
from detectattn.distributed.counts import Counts
from detectattn.distributed.failure_text import describe_error
from detectattn.distributed.layout import to_marker_name
from detectattn.distributed.manifest import read_shard
from detectattn.distributed.model_files import place_model
from detectattn.distributed.publish import DoneShard, mark_done, publish_shard, read_marker
from detectattn.distributed.settings import RunSettings
from detectattn.distributed.shard import ShardWork
from detectattn.engines import open_detector
from detectattn.engines.detector import Detector
from detectattn.errors import ClusterError
from detectattn.pipeline.recovery import KeptModel
from detectattn.pipeline.tally import RunTally
from detectattn.sources.isolation import open_isolation

_TELL_S = 2.0
_TEMP_PREFIX = "detectattn-shard-"
_FORGOTTEN_S = 3600.0


class ShardRunner:
    """What ``map_batches`` makes in every actor; called with the numbers of shards, it returns what came of each.

    Nothing that it meets leaves it as an exception: an error goes to the board, in its own words, and ends the run.

    Args:
        settings: What all replicas do alike.
        board: Handle of the board's actor.
    """

    def __init__(self, settings: RunSettings, board: Any) -> None:
        from ray import get_runtime_context
        from ray.util import get_node_ip_address

        self._settings = settings
        self._board = board
        self._node = get_runtime_context().get_node_id()
        self._address = get_node_ip_address()
        self._replica = f"{self._node}:{os.getpid()}"
        self._model: KeptModel | None = None
        # Open as long as this process lives; the processes that decode end with it.
        self._open_for_life = ExitStack()
        self._isolation = self._open_for_life.enter_context(open_isolation(settings.isolate))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Work on shards.

        Args:
            batch: ``shard``, their numbers.

        Returns:
            ``shard``, and of each under ``outcome`` a JSON text: ``state`` (done, left, failed) and, where it is done,
            ``counts``.
        """
        outcomes = [json.dumps(self._try(int(shard))) for shard in batch["shard"]]
        return {"shard": batch["shard"], "outcome": np.array(outcomes, dtype=object)}

    def _try(self, shard: int) -> dict[str, Any]:
        try:
            return self._run(shard)
        except Exception as error:  # noqa: BLE001 - told to the board, so that Ray adds nothing to it and tries no more
            self._board.fail.remote(shard, describe_error(error, self._address))
            return {"state": "failed"}

    def _run(self, shard: int) -> dict[str, Any]:
        attempt = self._begin(shard)
        if attempt.leave:
            return {"state": "left"}
        if attempt.hopeless:
            raise ClusterError(
                f"every process that began shard {shard} died before it opened an input, {attempt.number - 1} in all",
                hint="Look whether machines run out of memory, or at Ray's logs there; --resume goes on",
            )
        store = self._settings.store
        # Ray repeats a whole task, of which this shard may have been done before its replica died.
        if store.exists(to_marker_name(shard)):
            self._board.leave.remote(shard)
            return {"state": "done", "counts": read_marker(shard, store).counts.to_dict()}
        with _open_folder() as folder:
            out, temp = folder / "out", folder / "temp"
            out.mkdir()
            temp.mkdir()
            counts = self._work_on(shard, attempt, out, temp)
            parts = publish_shard(out, shard, store)
        mark_done(DoneShard(shard, counts, self._address, attempt.number, parts), store)
        self._board.end.remote(shard, self._node, counts.to_dict())
        return {"state": "done", "counts": counts.to_dict()}

    def _begin(self, shard: int) -> Attempt:
        import ray
        from ray.exceptions import RayActorError

        try:
            attempt: Attempt = ray.get(self._board.begin.remote(shard, self._replica, self._node))
        except RayActorError:
            return Attempt()  # what the board knew is lost, and it knew nothing that a shard depends on
        return attempt

    def _work_on(self, shard: int, attempt: Attempt, out: Path, temp: Path) -> Counts:
        import ray

        settings = self._settings
        items = read_shard(settings.shared, shard)
        model = self._model = self._model or self._open()
        work = ShardWork(model, settings, replace(settings.read, isolation=self._isolation, temp_dir=temp))
        if attempt.one_by_one:
            tell = self._board.trying
            return work.run_one_by_one(items, out, attempt.poisoned, lambda i: ray.get(tell.remote(shard, i)))
        tally = RunTally()
        with self._telling(shard, tally):
            return work.run(items, out, tally)

    def _open(self) -> KeptModel:
        setup = self._settings.model
        weights = place_model(setup.package, self._settings.shared)
        detector = open_detector(weights, setup.options, name=setup.name, engine=setup.engine)
        self._board.ready.remote()
        return KeptModel(detector, self._open_fallback, lambda one: self._board.recover.remote(one, self._address))

    def _open_fallback(self, detector: Detector) -> Detector:
        setup = self._settings.model
        if setup.original is not None:
            detector.weights = place_model(setup.original, self._settings.shared)
        return open_fallback(detector, setup.options)

    @contextmanager
    def _telling(self, shard: int, tally: RunTally) -> Iterator[None]:
        """Tell the board every few seconds how far the shard is, while the block goes on."""
        ended = threading.Event()

        def tell() -> None:
            while not ended.wait(_TELL_S):
                failures = len(tally.failures)
                self._board.tell.remote(shard, tally.media + failures, tally.done, failures)

        teller = threading.Thread(target=tell, name="tell", daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()


@contextmanager
def _open_folder() -> Iterator[Path]:
    """An empty folder for what is on its way, gone when the block ends; what dead replicas left long ago goes too."""
    base = Path(tempfile.gettempdir())
    for left in base.glob(f"{_TEMP_PREFIX}*"):
        with suppress(OSError):  # somebody else's, or removed by another replica
            if time.time() - left.stat().st_mtime > _FORGOTTEN_S and not _is_alive(left.name.split("-")[2]):
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_TEMP_PREFIX}{os.getpid()}-") as name:
        yield Path(name)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True
