"""What an unfinished run began with, as its ``run.json`` has it, beside what is typed now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from detectattn.config import PredictConfig, option_name, resolve_config
from detectattn.errors import ConfigError, SourceError, UnreadableRecord
from detectattn.fetch import redact_url
from detectattn.sources.naming import to_one_line
from detectattn.types import RunManifest

# They decide when a run ends and what it may do, not what it writes. Trust is never taken from a file, which may have
# come from anywhere.
_FREE = frozenset(
    {"isolate", "max_failures", "show", "offline", "trust_weights"}
    | {"cluster", "replicas", "replica_cpus", "replica_gpus"}
)
_REDACTED = "***"


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


def require_sound(run: Path, manifest: RunManifest) -> None:
    """Refuse a ``run.json`` that no run wrote: changed by hand, or damaged.

    Raises:
        UnreadableRecord: It holds what cannot be; the message names the file.
    """
    sources = manifest.config["sources"]
    problem = _find_damage(manifest.models[0]) if manifest.models else None
    if not isinstance(sources, list) or not sources or not all(isinstance(text, str) for text in sources):
        problem = f"config.sources is {str(sources)[:40]}"
    elif not _is_count(manifest.timing.get("sittings", 1)):
        problem = f"timing.sittings is {str(manifest.timing['sittings'])[:40]}"
    else:
        try:
            _resolve_began(manifest.config)
        except (ConfigError, TypeError, ValueError, AttributeError) as error:
            problem = str(error)
    if problem is not None:
        raise UnreadableRecord(
            f"{run / 'run.json'} is damaged: {problem}", hint="Put it back as it was, or begin a new run"
        )


def _find_damage(model: Mapping[str, Any]) -> str | None:
    """What cannot be among what is kept of a model; None where nothing is wrong."""
    weights, conversion = model.get("weights"), model.get("conversion")
    if not isinstance(weights, Mapping) or not isinstance(weights.get("sha256"), str):
        return "models[0].weights names no sha256"
    if conversion is not None and not isinstance(conversion, Mapping):
        return f"models[0].conversion is {str(conversion)[:40]}"
    if not _is_count(model.get("batch", 1)):
        return f"models[0].batch is {str(model['batch'])[:40]}"
    recovered = model.get("recovered", [])
    if not isinstance(recovered, list) or not all(isinstance(one, Mapping) for one in recovered):
        return f"models[0].recovered is {str(recovered)[:40]}"
    return None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _resolve_began(options: Mapping[str, Any]) -> PredictConfig:
    known = {field.name for field in fields(PredictConfig)}
    return resolve_config({}, {name: value for name, value in options.items() if name in known})


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
    began = _resolve_began(manifest.config)
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
    # A folder that somebody sent takes no protection away.
    isolate = "auto" if began.isolate == "none" else began.isolate
    return replace(began, **{"isolate": isolate, **changes, "trust_weights": wanted.trust_weights})


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
