"""What applies when a preset and the command line both set options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args, get_type_hints

from detectattn.config.checks import option_name
from detectattn.config.compare import CompareConfig
from detectattn.config.explain import ExplainConfig
from detectattn.config.predict import PredictConfig
from detectattn.errors import ConfigError

ConfigKind = TypeVar("ConfigKind", PredictConfig, CompareConfig, ExplainConfig)

_MAX_NUMBER = 1e15
# Commas separate the items of other lists; here they are part of an item.
_WHOLE_ITEMS = frozenset({"model", "sweep", "fail_if"})


def resolve_config(preset: Mapping[str, Any], command_line: Mapping[str, Any]) -> PredictConfig:
    """The options of ``predict`` that apply; see :func:`resolve_options`."""
    return resolve_options(PredictConfig, preset, command_line)


def resolve_options(kind: type[ConfigKind], preset: Mapping[str, Any], command_line: Mapping[str, Any]) -> ConfigKind:
    """The options that apply: the command line wins over the preset, the preset over the defaults.

    Args:
        kind: The options that there are.
        preset: From :func:`~detectattn.config.presets.load_preset`.
        command_line: By field name; None where an option was not given.

    Raises:
        ConfigError: A value of the wrong kind or out of range.
    """
    given = {name: value for name, value in command_line.items() if value is not None}
    hints = get_type_hints(kind)
    return kind(**{name: _coerce(name, value, hints[name]) for name, value in {**preset, **given}.items()})


def _coerce(name: str, value: Any, hint: Any) -> Any:
    kind = next((k for k in get_args(hint) if k is not type(None)), hint) if type(None) in get_args(hint) else hint
    texts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise ConfigError(f"{option_name(name)} has a null character in it", hint="Take it out: no name can have one")
    if kind is bool and isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MAX_NUMBER:
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == tuple[str, ...] and isinstance(value, str | int | list | tuple) and not isinstance(value, bool):
        return _split_items(name, [value] if isinstance(value, str | int) else value)
    wanted = {bool: "true or false", str: "a text", float: "a number", int: "a whole number"}.get(kind, "a list")
    raise ConfigError(f"{option_name(name)} is {value!r}", hint=f"Give {wanted}")


def _split_items(name: str, items: Sequence[Any]) -> tuple[str, ...]:
    parts = [str(item).strip() for item in items]
    if name not in _WHOLE_ITEMS:
        parts = [part.strip() for item in parts for part in item.split(",")]
    return tuple(part for part in parts if part)
