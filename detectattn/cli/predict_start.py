"""What a run of ``predict`` begins with: sources and options as given, or those of an unfinished run that goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from detectattn.cli.predict_resume import Resumed
from detectattn.config import PredictConfig, option_name, resolve_config
from detectattn.errors import ConfigError, OutputExists, SourceError
from detectattn.fetch import redact_url
from detectattn.pipeline.run_folder import lock_run_folder, read_manifest, require_unbegun
from detectattn.sources.naming import to_one_line
from detectattn.storage import Store, is_storage_url
from detectattn.types import RunManifest

# They decide when a run ends and what it may do, not what it writes. Trust is never taken from a file, which may have
# come from anywhere.
_FREE = frozenset(
    {"isolate", "max_failures", "show", "offline", "trust_weights"}
    | {"cluster", "replicas", "replica_cpus", "replica_gpus"}
)
_CLUSTER_ONLY = ("replicas", "replica_cpus", "replica_gpus", "shard_size")
_REDACTED = "***"
_OURS = ".detectattn"


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line and its preset say.

    Attributes:
        sources: As typed; empty where left out.
        preset: Options by field name.
        options: Options of the command line by field name; None where not given.
        out: Folder of the run, or None.
    """

    sources: tuple[str, ...]
    preset: Mapping[str, Any]
    options: Mapping[str, Any]
    out: Path | None


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
        ConfigError: Something else was typed than the run began with.
        RunInUse: Another process writes the folder.
        OutputError: The folder is that of something else, or cannot be written.
        SourceError: Its ``run.json`` cannot be read.
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
    return Start(
        resolve_recorded_sources(given.sources, manifest),
        resolve_recorded_options(given, manifest),
        None,
        Resumed(run, manifest),
    )


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


def is_predict(manifest: RunManifest) -> bool:
    """Whether a run is one of ``predict``, on a cluster or not."""
    return {"model", "conf", "max_det", "sources"} <= manifest.config.keys() and "study" not in manifest.config


def require_predict(run: Path | str, manifest: RunManifest) -> None:
    """Refuse the run of another command.

    Raises:
        ConfigError: It is one.
    """
    if not is_predict(manifest):
        raise ConfigError(f"{run} is a run of another command than predict", hint="Resume it with that command")
    if manifest.config.get("rotate"):
        raise SourceError(
            f"{run} is the run of a stream, and what it showed cannot be read again",
            hint="Begin a new run; the records and videos of this one stay as they are",
        )


def resolve_recorded_sources(given: Sequence[str], manifest: RunManifest) -> tuple[str, ...]:
    """The sources of a run that goes on.

    Args:
        given: As typed; empty for those of the run.
        manifest: What the run began with.

    Raises:
        ConfigError: Others were typed, or one holds a secret, which is not kept.
    """
    recorded = tuple(str(text) for text in manifest.config["sources"])
    if given:
        if tuple(redact_url(text) for text in given) != recorded:
            shown = ", ".join(to_one_line(text) for text in recorded)
            raise ConfigError(f"the run began with other sources: {shown}", hint="Leave them out, or begin a new run")
        return tuple(given)
    _require_whole(recorded, "sources")
    return recorded


def resolve_recorded_options(given: Given, manifest: RunManifest) -> PredictConfig:
    """The options of a run that goes on.

    Args:
        given: As typed; empty for those of the run.
        manifest: What the run began with.

    Raises:
        ConfigError: Something else was typed than the run began with, or something that is not kept is missing.
    """
    known = {field.name for field in fields(PredictConfig)}
    began = resolve_config({}, {name: value for name, value in manifest.config.items() if name in known})
    wanted = resolve_config(given.preset, given.options)
    named = set(given.preset) | {name for name, value in given.options.items() if value is not None}
    differing = [
        f"{option_name(name)} is {_show(wanted, name)} and was {_show(began, name)}"
        for name in sorted(named - _FREE)
        if _show(wanted, name) != _show(began, name)
    ]
    if differing:
        raise ConfigError(
            f"the run began with other options: {', '.join(differing)}",
            hint="Leave them out to go on as it began, or begin a new run",
        )
    if began.trust_weights and not wanted.trust_weights:
        raise ConfigError(
            "the run began with --trust-weights, which is never taken from a file",
            hint="Give --trust-weights again if the weights are still trusted",
        )
    changes = {name: getattr(wanted, name) for name in named & (_FREE | {"model"})}
    if "model" not in named:
        _require_whole((began.model,), "model")
    return replace(began, **{**changes, "trust_weights": wanted.trust_weights})


def _show(config: PredictConfig, name: str) -> str:
    value = getattr(config, name)
    return redact_url(value) if isinstance(value, str) else repr(value)


def _require_whole(texts: Sequence[str], what: str) -> None:
    for text in texts:
        if "://" in text and _REDACTED in text:
            raise ConfigError(
                f"{text} is an address with a secret, which run.json does not keep",
                hint=f"Give the {what} again beside --resume",
            )
