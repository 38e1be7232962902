"""What a run of ``predict`` begins with: sources and options as given, or those of an unfinished run that goes on."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from detectattn.cli.predict_place import find_place
from detectattn.cli.predict_recorded import (
    Given,
    require_predict,
    require_sound,
    resolve_recorded_options,
    resolve_recorded_sources,
)
from detectattn.cli.predict_resume import Resumed
from detectattn.config import PredictConfig, option_name, resolve_config
from detectattn.errors import ConfigError, OutputExists
from detectattn.fetch import redact_url
from detectattn.pipeline.run_folder import lock_run_folder, read_manifest, require_unbegun
from detectattn.sources.naming import to_one_line
from detectattn.storage import Store, is_storage_url

_CLUSTER_ONLY = ("replicas", "replica_cpus", "replica_gpus", "shard_size")
_OURS = ".detectattn"


def is_cluster_run(cluster: str | None, resume: str | None) -> bool:
    """Whether a run is one on a cluster: by its option, or because the one that goes on is.

    Args:
        cluster: What ``--cluster`` or a preset says; None or empty where neither does.
        resume: The run that goes on, or None.

    Raises:
        SourceError: Its ``run.json`` cannot be read.
    """
    if cluster or resume is None:
        return bool(cluster)
    if is_storage_url(resume):
        return True
    manifest = read_manifest(Path(resume))
    return manifest is not None and bool(manifest.config.get("cluster"))


def require_no_cluster_options(given: Given) -> None:
    """Refuse options, of the command line or its preset, that say nothing to a run on this machine alone.

    Raises:
        ConfigError: There is one.
    """
    for name in _CLUSTER_ONLY:
        if given.options.get(name) is not None or given.preset.get(name) is not None:
            raise ConfigError(
                f"{option_name(name)} is for a run on a cluster, and this one is on this machine alone",
                hint="Leave it out, or add --cluster local, auto or an address",
            )


def require_folder(place: str | None) -> Path | None:
    """The path of a run's folder, as typed.

    Raises:
        ConfigError: It is an address of object storage, which a run on a cluster alone writes to.
    """
    if place is not None and is_storage_url(place):
        raise ConfigError(
            f"{redact_url(place)} is no local folder, and only runs on a cluster write elsewhere",
            hint="Add --cluster local, which needs no other machine",
        )
    return None if place is None else Path(place)


def require_empty(store: Store) -> None:
    """Refuse a place in object storage where something is, but for a driver's mark.

    Raises:
        OutputExists: Something is.
        FetchError: Nobody can tell.
    """
    if any(not name.startswith(_OURS) for name in store.iter_names()):
        raise OutputExists(
            f"{store.url} is there already, and a run never writes where something is",
            hint="Name another place with -o; --resume goes on with an unfinished run",
        )


@dataclass(frozen=True, slots=True)
class Start:
    """What a run begins with.

    Attributes:
        sources: As typed, now or when the run began.
        config: The options that apply.
        out: Folder to make, or None for the next free one.
        resumed: The folder of an earlier sitting, locked; None for a new run.
    """

    sources: tuple[str, ...]
    config: PredictConfig
    out: Path | None
    resumed: Resumed | None = None


def start_run(given: Given) -> Start:
    """A new run.

    Raises:
        ConfigError: No source, or an option that cannot be used.
    """
    config = resolve_config(given.preset, given.options)
    if not given.sources:
        raise ConfigError(
            "no SOURCE was given", hint="Name an image, a folder, a video, a URL, or - for standard input"
        )
    return Start(given.sources, config, given.out)


def resume_run(run: Path, given: Given, stack: ExitStack) -> Start | None:
    """The run in a folder, to go on; a new one there if it never began; None if it is finished.

    Args:
        run: The folder. One that does not exist is made.
        given: What was typed beside it: nothing, or the same as when the run began.
        stack: Holds the folder's lock.

    Raises:
        ConfigError: Something else was typed than the run began with, or it began elsewhere.
        RunInUse: Another process writes the folder.
        OutputError: The folder is that of something else, or cannot be written.
        SourceError, UnreadableRecord: Its ``run.json`` cannot be read, or is damaged.
    """
    if given.out is not None and given.out != run:
        raise ConfigError(
            f"--resume {run} names the folder of the run, and -o {given.out} another", hint="Leave out -o"
        )
    if not run.exists():
        return replace(start_run(given), out=run)
    manifest = read_manifest(run)
    if manifest is None:
        require_unbegun(run)
    elif manifest.status == "finished":
        return None
    else:
        require_predict(run, manifest)
    stack.enter_context(lock_run_folder(run))
    manifest = read_manifest(run)  # as whoever held the lock left it
    if manifest is None:
        return replace(start_run(given), resumed=Resumed(run, None))
    if manifest.status == "finished":
        return None
    require_sound(run, manifest)
    sources = resolve_recorded_sources(given.sources, manifest)
    moved = find_place(sources, manifest.working_directory, run)
    return Start(sources, resolve_recorded_options(given, manifest), None, Resumed(run, manifest, moved))


def tell_finished(run: Path, *, quiet: bool, as_json: bool) -> None:
    """Say that a run is finished; as JSON, with what it counted then."""
    manifest = read_manifest(run)
    if as_json and manifest is not None:
        outcome = {
            "run": str(run),
            "status": manifest.status,
            "counts": manifest.counts,
            "timing": manifest.timing,
            "failures": [asdict(failure) for failure in manifest.failures],
        }
        print(json.dumps({"schema": 1, "command": "predict", "data": outcome}, ensure_ascii=False))
    elif not quiet:
        print(f"{to_one_line(str(run))} is finished; there is nothing left to do", file=sys.stderr)
