"""What a run on a cluster begins with: sources, options and place as given, or those of an unfinished run."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.cli.console import Notices
from detectattn.cli.interrupt import interrupt_on_termination
from detectattn.cli.predict_recorded import (
    Given,
    require_predict,
    resolve_recorded_options,
    resolve_recorded_sources,
)
from detectattn.cli.predict_start import require_empty, start_run
from detectattn.config import PredictConfig
from detectattn.distributed.layout import RUN_FILE, SHARDED_FORMATS
from detectattn.distributed.lease import Lease, hold_lease
from detectattn.errors import ConfigError, FetchError, RunInUse, SourceNotFound
from detectattn.pipeline.channel import StopSignal
from detectattn.pipeline.run_folder import create_run_folder, lock_run_folder, require_new_folder
from detectattn.records import manifest_from_json
from detectattn.sinks import require_known
from detectattn.storage import Store, is_storage_url, open_store
from detectattn.types import RunManifest


@dataclass(frozen=True, slots=True, eq=False)
class ClusterStart:
    """What a run on a cluster begins with.

    Attributes:
        sources: As typed, now or when the run began.
        config: The options that apply.
        place: The run's folder or address; None for the next free ``runs/predict-001``.
        earlier: ``run.json`` of an earlier sitting; None for a new run.
    """

    sources: tuple[str, ...]
    config: PredictConfig
    place: str | None
    earlier: RunManifest | None = None


def start_cluster_run(typed: Given, out: str | None) -> ClusterStart:
    """A new run.

    Raises:
        ConfigError: No source, or an option that cannot be used.
        OutputExists: ``out`` is there already.
        OutputError, FetchError: Nobody can tell, or nothing can be written there.
    """
    start = start_run(typed)
    config = start.config
    if typed.options.get("images") is None and "images" not in typed.preset:
        config = replace(config, images=False)
    _require_usable(config)
    if out is None or "://" not in out:
        require_new_folder(None if out is None else Path(out))
    else:
        require_empty(open_store(out, offline=config.offline))
    return ClusterStart(start.sources, config, out)


def resume_cluster_run(typed: Given, place: str) -> ClusterStart | None:
    """The run at a place, to go on; None if it is finished.

    Raises:
        SourceNotFound: There is none.
        ConfigError: Something else was typed than the run began with, or it is no such run.
        FetchError, UnreadableRecord: It cannot be read.
    """
    store = open_store(place, offline=bool(typed.options.get("offline")))
    if not store.exists(RUN_FILE):
        raise SourceNotFound(
            f"{store.url} holds no run.json, so there is no run to go on with",
            hint="Check the address, or begin the run with -o",
        )
    manifest = manifest_from_json(store.get(RUN_FILE).decode("utf-8"))
    require_predict(store.url, manifest)
    if not manifest.config.get("cluster"):
        raise ConfigError(
            f"{store.url} was begun without a cluster, and its records are not in shards",
            hint="Resume it without --cluster, or begin a new run",
        )
    if manifest.status == "finished":
        return None
    config = resolve_recorded_options(typed, manifest)
    _require_usable(config)
    return ClusterStart(resolve_recorded_sources(typed.sources, manifest), config, place, manifest)


@dataclass(frozen=True, slots=True, eq=False)
class RunPlace:
    """The place of a run, which no other driver writes.

    Attributes:
        store: Where the run goes.
        lease: What keeps others out; None for a local folder, which the system locks.
    """

    store: Store
    lease: Lease | None = None

    def require_held(self) -> None:
        """Look whether it still is this driver's.

        Raises:
            RunInUse: Another one took it over.
            FetchError: Nobody can tell.
        """
        if self.lease is not None:
            self.lease.require_held()

    def is_lost(self) -> bool:
        """Whether it is another driver's now, as far as can be told."""
        try:
            self.require_held()
        except RunInUse:
            return True
        except FetchError:
            return False
        return False


def open_place(start: ClusterStart, stack: ExitStack, stop: StopSignal, notices: Notices) -> RunPlace:
    """The place of a run, kept from other drivers; a new local folder is made.

    Args:
        start: What the run begins with.
        stack: Gives it back.
        stop: Set where another driver takes the place over, because this one seemed dead.
        notices: Told why nothing happens where another driver may be dead.

    Raises:
        OutputExists: A new run's place is there already.
        RunInUse: Another process writes it.
        OutputError, FetchError: It cannot be made, read or written.
    """
    if start.place is not None and is_storage_url(start.place):
        return _open_remote(start, start.place, stack, stop, notices)
    if start.earlier is None:
        folder = create_run_folder(None if start.place is None else Path(start.place), "predict")
    else:
        assert start.place is not None
        folder = Path(start.place)
    stack.enter_context(lock_run_folder(folder))
    return RunPlace(open_store(folder))


def _open_remote(start: ClusterStart, place: str, stack: ExitStack, stop: StopSignal, notices: Notices) -> RunPlace:
    store = open_store(place, offline=start.config.offline)
    stack.enter_context(interrupt_on_termination())  # until the run itself minds signals, and after

    def lose(error: RunInUse) -> None:
        notices.warn("another driver has taken this run over; ending")
        stop.set(error)

    lease = stack.enter_context(hold_lease(store, notices.warn, lose))
    # What was seen there before may be another driver's by now, which has ended since.
    if start.earlier is None:
        require_empty(store)
    elif manifest_from_json(store.get(RUN_FILE).decode("utf-8")) != start.earlier:
        raise RunInUse(f"{store.url} was written by another driver a moment ago", hint="Give the same command again")
    return RunPlace(store, lease)


def _require_usable(config: PredictConfig) -> None:
    require_known(config.save)
    if config.show:
        raise ConfigError("--show has no window on a cluster", hint="Leave it out")
    for name in config.save:
        if name not in SHARDED_FORMATS:
            raise ConfigError(
                f"--save {name} numbers its files over a whole run, which no machine of a cluster sees",
                hint=f"Take {' or '.join(SHARDED_FORMATS)}; the records hold all that {name} does",
            )
