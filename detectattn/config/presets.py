"""Presets in YAML: where they are, and the options that they set."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from detectattn.config.compare import CompareConfig
from detectattn.config.explain import ExplainConfig
from detectattn.config.predict import PredictConfig
from detectattn.errors import ConfigError
from detectattn.shipped import shipped_dir
from detectattn.yaml_text import BrokenYaml, read_yaml

Options = type[PredictConfig | CompareConfig | ExplainConfig]

_COMMANDS: Mapping[str, Options] = {"predict": PredictConfig, "compare": CompareConfig, "explain": ExplainConfig}


def find_preset(path: Path) -> Path:
    """A preset's file: the path itself or, for a bare name that is no file, the shipped preset of that name."""
    if path.is_file() or len(path.parts) != 1:
        return path
    shipped = shipped_dir("configs") / f"{path.name.removesuffix('.yaml')}.yaml"
    return shipped if shipped.is_file() else path


def load_preset(path: Path, kind: Options = PredictConfig) -> dict[str, Any]:
    """The options that a YAML preset sets, by field name.

    Args:
        path: The preset's file, or the bare name of a shipped one.
        kind: The options that it may set, but for those that take a protection away: ``trust_weights``, ``none``
            for ``isolate``, and the address of a cluster. A file that somebody sent must not do that.

    Raises:
        ConfigError: The file is missing, no YAML, or names an option that does not exist or that it may not set.
    """
    path = find_preset(path)
    try:
        raw = read_yaml(path)
    except FileNotFoundError as error:
        names = ", ".join(sorted(p.stem for p in shipped_dir("configs").glob(f"{_name_command(kind)}-*.yaml")))
        hint = f"Check the path given to --config; shipped presets are {names}"
        raise ConfigError(f"there is no preset {path}", hint=hint) from error
    except OSError as error:
        raise ConfigError(f"the preset {path} cannot be read ({error})", hint="Give a YAML text file") from error
    except BrokenYaml as error:
        raise ConfigError(f"the preset {path} is not YAML ({error})", hint="Mend that line") from error
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise ConfigError(f"the preset {path} holds no `option: value` lines", hint="See configs/ for examples")
    preset = {_field_name(str(key), kind, path): value for key, value in raw.items()}
    _require_harmless(preset, path)
    return preset


def _require_harmless(preset: Mapping[str, Any], path: Path) -> None:
    """Refuse what only a person who types it may ask for."""
    if "trust_weights" in preset:
        raise ConfigError(
            f"the preset {path} sets trust_weights, which is never taken from a file: such weights can run any code",
            hint="Take it out, and type --trust-weights if you trust whoever made the weights",
        )
    if preset.get("isolate") == "none":
        raise ConfigError(
            f"the preset {path} sets isolate to none, which is never taken from a file: it protects the run",
            hint="Take it out, and type --isolate none if you trust whoever made the pictures",
        )

    if ":" in str(preset.get("cluster") or ""):
        raise ConfigError(
            f"the preset {path} names a cluster, which is never taken from a file: what one sends can run any code",
            hint="Take it out, and type --cluster with the address of a cluster of yours",
        )


def _field_name(key: str, kind: Options, path: Path) -> str:
    name, command = key.replace("-", "_"), _name_command(kind)
    known = _list_options(kind)
    if name in known:
        return name
    problem = f"the preset {path} sets {key!r}, which is no option of {command}"
    if others := [other for other, options in _COMMANDS.items() if name in _list_options(options)]:
        have = f"{' and '.join(others)} {'has' if len(others) == 1 else 'have'} it"
        raise ConfigError(f"{problem}; {have}", hint=f"Take that line out, or give {command} a preset of its own")
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Options are {', '.join(known)}"
    raise ConfigError(problem, hint=hint)


def _name_command(kind: Options) -> str:
    return next(command for command, options in _COMMANDS.items() if options is kind)


def _list_options(kind: Options) -> list[str]:
    return [field.name for field in fields(kind)]
