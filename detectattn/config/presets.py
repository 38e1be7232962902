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


def find_preset(path: Path) -> Path:
    """A preset's file: the path itself or, for a bare name that is no file, the shipped preset of that name."""
    if path.is_file() or len(path.parts) != 1:
        return path
    shipped = shipped_dir("configs") / f"{path.name.removesuffix('.yaml')}.yaml"
    return shipped if shipped.is_file() else path


def load_preset(
    path: Path, kind: type[PredictConfig | CompareConfig | ExplainConfig] = PredictConfig
) -> dict[str, Any]:
    """The options that a YAML preset sets, by field name.

    Args:
        path: The preset's file, or the bare name of a shipped one.
        kind: The options that it may set.

    Raises:
        ConfigError: The file is missing, no YAML, or names an option that does not exist.
    """
    path = find_preset(path)
    try:
        raw = read_yaml(path)
    except FileNotFoundError as error:
        names = ", ".join(sorted(preset.stem for preset in shipped_dir("configs").glob("*.yaml")))
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
    known = [f.name for f in fields(kind)]
    return {_field_name(str(key), known, path): value for key, value in raw.items()}


def _field_name(key: str, known: list[str], path: Path) -> str:
    name = key.replace("-", "_")
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Options are {', '.join(known)}"
    raise ConfigError(f"the preset {path} sets {key!r}, which is no option", hint=hint.rstrip("?"))
