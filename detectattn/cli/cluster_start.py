"""What a run on a cluster begins with: sources, options and place as given, or those of an unfinished run."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.cli.predict_start import (
    Given,
    require_predict,
    resolve_recorded_options,
    resolve_recorded_sources,
    start_run,
)
from detectattn.config import PredictConfig
from detectattn.distributed.layout import RUN_FILE, SHARDED_FORMATS
from detectattn.errors import ConfigError, OutputExists, SourceNotFound
from detectattn.pipeline.run_folder import create_run_folder, lock_run_folder, require_new_folder
from detectattn.records import manifest_from_json
from detectattn.sinks import require_known
from detectattn.storage import Store, is_storage_url, open_store
from detectattn.types import RunManifest

_OURS = ".detectattn"


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
        store = open_store(out, offline=config.offline)
        if any(not _is_ours(name) for name in store.iter_names()):
            raise OutputExists(
                f"{store.url} is there already, and a run never writes where something is",
                hint="Name another place with -o; --resume goes on with an unfinished run",
            )
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


def open_place(start: ClusterStart, stack: ExitStack) -> Store:
    """The store of a run; a new local folder is made, and any local one is locked.

    Raises:
        OutputExists: A new run's folder is there already.
        RunInUse: Another process writes it.
        OutputError: It cannot be made.
    """
    if start.place is not None and is_storage_url(start.place):
        return open_store(start.place, offline=start.config.offline)
    if start.earlier is None:
        folder = create_run_folder(None if start.place is None else Path(start.place), "predict")
    else:
        assert start.place is not None
        folder = Path(start.place)
    stack.enter_context(lock_run_folder(folder))
    return open_store(folder)


def _is_ours(name: str) -> bool:
    return name.startswith(_OURS)


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
