"""``detectattn predict --cluster``: put the parts together, let a Ray cluster do the work, say how it went."""

from __future__ import annotations

import itertools
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from detectattn.cli.cluster_finish import finish_run
from detectattn.cli.cluster_model import ClusterModel, ModelFinder, recall_model, to_read_options
from detectattn.cli.cluster_progress import show_cluster_progress
from detectattn.cli.cluster_start import ClusterStart, RunPlace, open_place, resume_cluster_run, start_cluster_run
from detectattn.cli.cluster_summary import ClusterOutcome
from detectattn.cli.cluster_watch import Watch
from detectattn.cli.console import Notices
from detectattn.cli.describe_run import describe_run
from detectattn.cli.exit_codes import EXIT_FAILED, EXIT_PARTIAL
from detectattn.cli.interrupt import stop_on_signal
from detectattn.cli.predict_recorded import Given
from detectattn.cli.predict_resume import Resumed
from detectattn.cli.standard_streams import bear_losses
from detectattn.cli.step_progress import show_steps
from detectattn.config import parse_replicas
from detectattn.distributed.drive import BoardHandle, iter_outcomes
from detectattn.distributed.failure_text import to_error
from detectattn.distributed.layout import RUN_FILE
from detectattn.distributed.manifest import Item, Manifest, read_manifest, read_shard, write_manifest
from detectattn.distributed.nodes import check_nodes, collect_cluster_versions
from detectattn.distributed.recorded import list_done, sum_markers
from detectattn.distributed.session import LOCAL, Node, check_address, open_ray, require_ray
from detectattn.distributed.settings import RunSettings
from detectattn.distributed.sizing import plan_pool
from detectattn.errors import ClusterError, ConfigError, DetectattnError, EmptySource, TooManyFailures
from detectattn.machine import collect_machine
from detectattn.pipeline.channel import StopSignal
from detectattn.records import manifest_to_json
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts
from detectattn.sources.naming import to_one_line
from detectattn.storage import Store, is_storage_url
from detectattn.types import Media, RunManifest


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run speaks.

    Attributes:
        profile: File for a timeline, which a run on a cluster does not have.
        quiet: Print errors only.
        verbose: Print details, those of Ray too.
        as_json: Print one JSON object in place of the closing tables.
    """

    profile: Path | None = None
    quiet: bool = False
    verbose: bool = False
    as_json: bool = False


def predict_on_cluster(typed: Given, out: str | None, resume: str | None, manner: Manner) -> int:
    """Run, or go on with a run; the exit code.

    Raises:
        DetectattnError: Nothing could be run, or the run failed as a whole.
        KeyboardInterrupt: Interrupted; what is done stays done.
    """
    require_ray()
    if manner.profile is not None:
        raise ConfigError("--profile has no timeline of a cluster", hint="Leave it out")
    if resume is not None and out is not None and out != resume:
        raise ConfigError(f"--resume {resume} names the place of the run, and -o {out} another", hint="Leave out -o")
    start = start_cluster_run(typed, out) if resume is None else resume_cluster_run(typed, resume)
    if start is None:
        if not manner.quiet:
            print(f"{to_one_line(str(resume))} is finished; there is nothing left to do", file=sys.stderr)
        return 0
    check_address(start.config.cluster)
    return ClusterRun(start, manner).execute()


class ClusterRun:
    """Everything between the options and the exit code.

    Args:
        start: Sources, options and place.
        manner: How it speaks.
    """

    def __init__(self, start: ClusterStart, manner: Manner) -> None:
        self._start = start
        self._config = start.config
        self._manner = manner
        self._notices = Notices(quiet=manner.quiet, verbose=manner.verbose)
        self._stop = StopSignal()
        self._hurry = threading.Event()
        self._outcome = ClusterOutcome()
        self._nodes: list[Node] = []

    def execute(self) -> int:
        """Run; the exit code.

        Raises:
            DetectattnError: Nothing could be run, or the run failed as a whole.
            KeyboardInterrupt: Interrupted.
        """
        outcome, earlier = self._outcome, self._start.earlier
        reads = ReadCounts()
        first, items = (None, None) if earlier else self._list_inputs(reads)
        # The place is given back first: Ray, when it is shut down amid work, may end this process with it.
        with ExitStack() as stack, ExitStack() as held:
            place = open_place(self._start, held, self._stop, self._notices)
            store = outcome.store = place.store
            run = self._describe() if earlier is None else self._continue(earlier)
            begun = earlier is not None
            try:
                store.put(RUN_FILE, manifest_to_json(run).encode())
                self._nodes = stack.enter_context(open_ray(self._config.cluster, verbose=self._manner.verbose))
                outcome.labels = {node.node_id: node.label for node in self._nodes}
                stack.enter_context(bear_losses())  # standard error is another one since Ray came
                stack.enter_context(stop_on_signal(self._stop, self._notices, self._hurry))
                manifest = read_manifest(store)
                self._check_nodes(store, manifest, first)
                if manifest is None:
                    items = items if items is not None else self._list_inputs(reads)[1]
                    manifest = self._write_manifest(items, reads, store)
                outcome.skipped = manifest.skipped
                model = self._open_model(run, manifest, store)
                settings = model.to_settings(self._config, store)
                run = replace(run, models=[dict(model.described)], machine=self._describe_machines(model))
                store.put(RUN_FILE, manifest_to_json(run).encode())
                begun = True
                self._work(manifest, model, settings, place)
            except KeyboardInterrupt:
                outcome.status = "interrupted"
                raise
            except TooManyFailures:
                outcome.status = "stopped"
                raise
            finally:
                if place.is_lost():
                    pass  # whoever has it now writes there
                elif begun:
                    finish_run(run, outcome, self._config, self._notices, as_json=self._manner.as_json)
                else:
                    self._discard(store)
        if not outcome.counts.failures:
            return 0
        return EXIT_PARTIAL if outcome.counts.pictures else EXIT_FAILED

    def _list_inputs(self, reads: ReadCounts) -> tuple[Item, Iterator[Item]]:
        """The first of the inputs, and all of them: before anything is started, there must be something to work on."""
        source = open_sources(list(self._start.sources), to_read_options(self._config, None))
        items = source.iter_media(reads)
        first = next(items, None)
        if first is None:
            raise EmptySource(
                f"there is nothing to detect on in {', '.join(self._start.sources)}",
                hint="Name images, videos, or a folder that holds some",
            )
        return first, itertools.chain([first], items)

    def _check_nodes(self, store: Store, manifest: Manifest | None, first: Item | None) -> None:
        """Ask every machine whether it can take part; on this machine alone there is nothing to ask."""
        if self._config.cluster == LOCAL:
            return
        if manifest is not None and manifest.shards:
            first = read_shard(store, 0)[0]
        path = first.location if isinstance(first, Media) and isinstance(first.location, Path) else None
        check_nodes(self._nodes, store, None if path is None else str(path.absolute()))

    def _write_manifest(self, items: Iterator[Item], reads: ReadCounts, store: Store) -> Manifest:
        with show_steps(quiet=self._manner.quiet) as on_step:

            def listed(count: int) -> None:
                self._check_stop()
                on_step(f"listing inputs: {count:,}")

            manifest = write_manifest(items, reads, store, self._config.shard_size, listed)
        shards = f"{manifest.shards:,} shard{'' if manifest.shards == 1 else 's'}"
        self._notices.say(f"{manifest.inputs:,} input{'' if manifest.inputs == 1 else 's'} in {shards}")
        return manifest

    def _open_model(self, run: RunManifest, manifest: Manifest, store: Store) -> ClusterModel:
        if run.models:
            return recall_model(self._config, run.models[0])
        finder = ModelFinder(self._config, self._start.sources, self._nodes, self._notices, self._check_stop)
        return finder.find(manifest, store)

    def _work(self, manifest: Manifest, model: ClusterModel, settings: RunSettings, place: RunPlace) -> None:
        outcome, store = self._outcome, place.store
        outcome.counted = list_done(store)
        outcome.counts = sum_markers(outcome.counted, store)
        if self._start.earlier is not None:
            done = f"{len(outcome.counted):,} of {manifest.shards:,} shards are done"
            self._notices.say(f"going on with {store.url}: {done}")
        left = [shard for shard in range(manifest.shards) if shard not in outcome.counted]
        outcome.begin()
        if left:
            pool = plan_pool(self._nodes, model.size, parse_replicas(self._config.replicas), len(left))
            board = BoardHandle()
            before, quiet = outcome.inputs_before, self._manner.quiet
            with show_cluster_progress(before, manifest.inputs, outcome.labels, quiet=quiet) as show:
                watch = Watch(outcome, board, self._stop, self._config.max_failures, show, self._notices)
                by_client = self._config.cluster.startswith("ray://")
                with closing(iter_outcomes(left, settings, pool, board, by_client=by_client)) as outcomes:
                    for shard in outcomes:
                        if shard is not None:
                            outcome.add(*shard)
                        if self._hurry.is_set() or watch.is_over():
                            break
                    watch.look()
        self._settle(manifest, place)

    def _settle(self, manifest: Manifest, place: RunPlace) -> None:
        """Say how the work ended, once all of it is counted that is done."""
        outcome = self._outcome
        place.require_held()
        outcome.catch_up()
        if outcome.progress.error is not None:
            raise to_error(outcome.progress.error)
        if self._stop.error is not None:
            raise self._stop.error
        if len(outcome.counted) < manifest.shards:
            raise ClusterError(
                f"{manifest.shards - len(outcome.counted):,} of {manifest.shards:,} shards are not done",
                hint="--resume does them",
            )
        outcome.status = "finished"

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise self._stop.error or KeyboardInterrupt

    def _describe(self) -> RunManifest:
        described = describe_run(self._config, self._start.sources, [])
        return replace(described, versions=collect_cluster_versions(), timing={"sittings": 1})

    def _continue(self, earlier: RunManifest) -> RunManifest:
        """``run.json`` of a sitting that goes on with an earlier one's run."""
        now = self._describe()
        assert self._start.place is not None
        if warning := Resumed(Path(self._start.place), earlier).find_other_versions(now):
            self._notices.warn(warning)
        sittings = int(earlier.timing.get("sittings", 1)) + 1
        return replace(now, command=earlier.command, models=earlier.models, timing={"sittings": sittings})

    def _describe_machines(self, model: ClusterModel) -> dict[str, Any]:
        nodes = [{"address": node.address, "cpus": node.cpus, "gpus": node.gpus} for node in self._nodes]
        size = {"cpus": model.size.cpus, "gpus": model.size.gpus}
        return {**collect_machine(), "cluster": {"nodes": nodes, "replica": size}}

    def _discard(self, store: Store) -> None:
        """Leave no trace of a run that never began."""
        folder = None if is_storage_url(store.url) else Path(store.url)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
            return
        with suppress(DetectattnError):  # on the way out of an error, which matters more
            for name in list(store.iter_names()):
                if not name.startswith("."):
                    store.delete(name)
