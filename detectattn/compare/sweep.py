"""What ``--sweep`` varies: image size, decoder layers, queries, engine, precision; from text to variants of a model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.sweep_engines import name_engines, settle_engine
from detectattn.compare.sweep_limits import find_fixed_axes, read_own_values
from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError

Value = str | int

AXES = ("imgsz", "decoder_layers", "queries", "engine", "precision")
MOST_VARIANTS = 100
"""Of one model: each of them is loaded, timed and run on every picture."""
# Sides that are no multiple of a model's stride are refused, and no detector's stride is smaller.
_STRIDE = 32
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "engine": ("torch", "openvino", "onnx"),
    "precision": ("fp32", "fp16", "bf16", "int8"),
}
# The step of a range that names none; one query more or less is no difference.
_STEPS: Mapping[str, int | None] = {"imgsz": _STRIDE, "decoder_layers": 1, "queries": None}
_EXAMPLES: Mapping[str, str] = {
    "imgsz": "imgsz=320,480x640 or imgsz=320..640:64",
    "decoder_layers": "decoder_layers=2,4 or decoder_layers=2..6",
    "queries": "queries=100,300 or queries=100..300:50",
    "engine": "engine=torch,openvino",
    "precision": "precision=fp32,int8",
}


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that is varied.

    Attributes:
        name: One of :data:`AXES`.
        values: As given, each once. A square image size is its side, any other ``480x640`` (height × width).
    """

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A model run otherwise than by default.

    Attributes:
        values: What is changed, by axis.
        options: How it is run; its engine is no part of that.
    """

    values: Mapping[str, Value]
    options: EngineOptions


def parse_sweep(texts: Iterable[str]) -> tuple[Axis, ...]:
    """The axes of ``--sweep``, in the order of their first mention; one that is named twice has both's values.

    Args:
        texts: ``imgsz=320,480x640``, ``imgsz=320..640:64`` (with a step), ``decoder_layers=2..6``,
            ``queries=100,300``, ``engine=torch,openvino``, ``precision=fp32,int8``.

    Raises:
        ConfigError: An axis is unknown, or a value impossible; the nearest is named.
    """
    found: dict[str, list[Value]] = {}
    for text in texts:
        name, equals, rest = (part.strip() for part in text.partition("="))
        axis = _parse_axis(name, text)
        if not equals or not rest:
            raise ConfigError(f"--sweep {text!r} names no values", hint=f"Write it as {_EXAMPLES[axis]}")
        for part in rest.split(","):
            found.setdefault(axis, []).extend(_parse_values(axis, part.strip()))
    return tuple(Axis(name, tuple(dict.fromkeys(values))) for name, values in found.items())


def expand_variants(
    base: EngineOptions, axes: Sequence[Axis], *, product: bool = False, own: Mapping[str, Value] | None = None
) -> tuple[Variant, ...]:
    """The variants of a model, without the model itself.

    Args:
        base: How it is run by default.
        axes: What is varied.
        product: Cross the axes, rather than going along one at a time from the default.
        own: By axis, what the model does by itself where ``base`` leaves that open, as far as it is known; such
            values are not repeated.

    Raises:
        ConfigError: There would be more than :data:`MOST_VARIANTS`.
    """
    default = {**(own or {}), **_given(base)}
    each = [[(axis.name, value) for value in axis.values] for axis in axes]
    count = 1 if product else 0
    for values in each:
        count = count * len(values) if product else count + len(values)
    if count > MOST_VARIANTS:
        raise ConfigError(
            f"--sweep makes {count:,} variants of each model, and {MOST_VARIANTS} is the most",
            hint="Give fewer values, or leave out --sweep-product" if product else "Give fewer values",
        )
    chosen = itertools.product(*each) if product and each else ((pair,) for values in each for pair in values)
    changes = [{name: value for name, value in pairs if default.get(name) != value} for pairs in chosen]
    distinct = {tuple(change.items()): change for change in changes if change}
    return tuple(Variant(change, _apply(base, change)) for change in distinct.values())


def select_axes(axes: Sequence[Axis], name: str, fixed: Mapping[str, str]) -> tuple[tuple[Axis, ...], tuple[str, ...]]:
    """The axes that apply to a model, and what to say of the others: sentences without a full stop.

    Args:
        axes: What is varied.
        name: The model's name.
        fixed: Axes along which it cannot be varied, each with the reason.
    """
    skipped: dict[str, list[str]] = {}
    for axis in axes:
        if axis.name in fixed:
            skipped.setdefault(fixed[axis.name], []).append(axis.name)
    notes = [f"{name} is not swept along {' and '.join(names)}: {reason}" for reason, names in skipped.items()]
    return tuple(axis for axis in axes if axis.name not in fixed), tuple(notes)


def expand_entrant(
    base: ModelEntrant, axes: Sequence[Axis], *, product: bool = False, size_hw: tuple[int, int] | None = None
) -> tuple[tuple[ModelEntrant, ...], tuple[str, ...]]:
    """The variants of a model of the study; and what to say of axes that do not apply to it.

    Args:
        base: The model itself.
        axes: What is varied.
        product: Cross the axes, rather than going along one at a time.
        size_hw: Input size that it will run at where its options leave that open, if that is known.

    Raises:
        ConfigError: There would be more variants than :data:`MOST_VARIANTS`.
    """
    own = {**read_own_values(base.weights), "engine": settle_engine(base)}
    # A study may run it at another size than its own.
    own.pop("imgsz", None)
    if size_hw is not None:
        own["imgsz"] = to_size_value(size_hw)
    applying, notes = select_axes(axes, base.name, find_fixed_axes(base.weights))
    variants = expand_variants(base.options, applying, product=product, own=own)
    entrants, impossible = name_engines(base, [_vary(base, variant) for variant in variants])
    return tuple(replace(e, name=base.name + name_variant(e.variant)) for e in entrants), (*notes, *impossible)


def _vary(base: ModelEntrant, variant: Variant) -> ModelEntrant:
    engine = str(variant.values.get("engine", base.engine))
    return replace(base, options=variant.options, engine=engine, variant=variant.values)


def name_variant(values: Mapping[str, Value]) -> str:
    """What a variant's name has after the model's: ``@imgsz-480x640+queries-100``; fit for files and ``-m NAME=``."""
    return "@" + "+".join(f"{name}-{value}" for name, value in values.items())


def to_size_value(size_hw: tuple[int, int]) -> Value:
    """An image size as a value of the axis ``imgsz``: 480, or ``480x640``."""
    height, width = size_hw
    return height if height == width else f"{height}x{width}"


def _given(base: EngineOptions) -> dict[str, Value]:
    given: dict[str, Value | None] = {
        "imgsz": None if base.imgsz_hw is None else to_size_value(base.imgsz_hw),
        "decoder_layers": base.decoder_layers,
        "queries": base.queries,
        "precision": None if base.precision == "auto" else base.precision,
    }
    return {name: value for name, value in given.items() if value is not None}


def _apply(base: EngineOptions, change: Mapping[str, Value]) -> EngineOptions:
    size = change.get("imgsz")
    height, _, width = str(size).partition("x")
    layers, queries = change.get("decoder_layers", base.decoder_layers), change.get("queries", base.queries)
    return replace(
        base,
        imgsz_hw=base.imgsz_hw if size is None else (int(height), int(width or height)),
        decoder_layers=None if layers is None else int(layers),
        queries=None if queries is None else int(queries),
        precision=str(change.get("precision", base.precision)),
    )


def _parse_axis(name: str, text: str) -> str:
    axis = name.replace("-", "_")
    if axis in AXES:
        return axis
    near = get_close_matches(axis, AXES, n=1, cutoff=0.4) or [known for known in AXES if axis and axis in known]
    hint = f"Did you mean {near[0]}? Write" if near else "Write"
    examples = _EXAMPLES[near[0]] if near else "; ".join(_EXAMPLES.values())
    raise ConfigError(f"--sweep {text!r} names no axis that can be swept", hint=f"{hint} {examples}")


def _parse_values(axis: str, text: str) -> list[Value]:
    if axis in _CHOICES:
        return [_parse_choice(axis, text)]
    spread = re.fullmatch(r"(\d{1,5})\s*\.\.\s*(\d{1,5})(?:\s*:\s*(\d{1,5}))?", text)
    if spread is not None:
        first, last = int(spread[1]), int(spread[2])
        step = int(spread[3]) if spread[3] else _STEPS[axis]
        return [_check_number(axis, value) for value in _iter_range(axis, text, first, last, step)]
    size = re.fullmatch(r"(\d{1,5})\s*[x×]\s*(\d{1,5})", text)
    if size is not None and axis == "imgsz":
        return [to_size_value((_check_number(axis, int(size[1])), _check_number(axis, int(size[2]))))]
    if re.fullmatch(r"\d{1,5}", text) is None:
        raise ConfigError(f"--sweep {axis} cannot be {text!r}", hint=f"Write it as {_EXAMPLES[axis]}")
    return [_check_number(axis, int(text))]


def _iter_range(axis: str, text: str, first: int, last: int, step: int | None) -> range:
    if not step:
        raise ConfigError(f"--sweep {axis}={text} names no step", hint=f"Write it as {axis}={first}..{last}:50")
    if last < first:
        raise ConfigError(f"--sweep {axis}={text} runs backwards", hint=f"Write it as {axis}={last}..{first}:{step}")
    values = range(first, last + 1, step)
    if len(values) > MOST_VARIANTS:
        raise ConfigError(
            f"--sweep {axis}={text} has {len(values):,} values, and {MOST_VARIANTS} is the most",
            hint=f"Take a larger step, as in {axis}={first}..{last}:{-(-(last - first) // 4)}",
        )
    return values


def _check_number(axis: str, value: int) -> int:
    if axis == "imgsz" and (value < _STRIDE or value % _STRIDE):
        nearest = max(_STRIDE, round(value / _STRIDE) * _STRIDE)
        raise ConfigError(
            f"--sweep imgsz cannot be {value}: each side must be a multiple of {_STRIDE}",
            hint=f"The nearest is {nearest}",
        )
    if value < 1:
        raise ConfigError(f"--sweep {axis} cannot be {value}", hint="The least is 1")
    return value


def _parse_choice(axis: str, text: str) -> str:
    known = _CHOICES[axis]
    if text in known:
        return text
    near = get_close_matches(text.lower(), known, n=1, cutoff=0.3)
    hint = f"Did you mean {near[0]}? There is" if near else "There is"
    raise ConfigError(f"--sweep {axis} cannot be {text!r}", hint=f"{hint} {', '.join(known[:-1])} and {known[-1]}")
