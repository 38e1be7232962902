"""The figures that a condition can name: known before anything is measured, so that a typo costs no study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detectattn.classes import nearest_names
from detectattn.errors import ConfigError

_PER_CLASS = "per_class"
_SHARE = ""
_AP = ("ap50_95", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
_AR = ("ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large")
_STAGES = ("decode_ms", "preprocess_ms", "forward_ms", "postprocess_ms")
_TIMES = ("p50_ms", "p50_low_ms", "p50_high_ms", "p95_ms", "p99_ms", "mean_ms", "forward_p50_ms", *_STAGES)
_POINTS = ("at_conf", "best_f1", "equal_precision")
_ERRORS = ("classification", "localisation", "both", "duplicate", "background", "missed")

# Unit by path below the model in report.json; accuracies are shares, 0 to 1.
_UNITS: Mapping[str, str] = {
    **{f"accuracy.{name}": _SHARE for name in (*_AP, *_AR, "ap50_95_low", "ap50_95_high")},
    **{f"speed.{name}": "ms" for name in _TIMES},
    "speed.images_per_s": "images/s",
    "speed.best_images_per_s": "images/s",
    "speed.load_s": "s",
    "memory.peak_rss_mb": "MB",
    "memory.peak_device_mb": "MB",
    "size.params_m": "M",
    "size.gflops": "GFLOPs",
    "size.weights_mb": "MB",
    "energy.joules_per_image": "J",
    **{f"operating_points.{at}.{name}": _SHARE for at in _POINTS for name in ("precision", "recall", "f1", "score")},
    **{f"errors.{kind}.ap_lost": _SHARE for kind in _ERRORS},
    "calibration.error": _SHARE,
}
_CLASS_FIGURES = (*_AP, "ar_100")
# What people call some of them elsewhere.
_OTHER_NAMES = {
    "map": "ap50_95", "map50": "ap50", "map75": "ap75", "map50_95": "ap50_95", "map50-95": "ap50_95", "ap": "ap50_95",
    "ar": "ar_100", "fps": "images_per_s", "throughput": "images_per_s", "latency": "p50_ms",
    "latency_ms": "p50_ms", "median_ms": "p50_ms", "time": "p50_ms", "memory": "peak_rss_mb", "rss": "peak_rss_mb",
    "vram": "peak_device_mb", "params": "params_m", "parameters": "params_m", "flops": "gflops",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FigureName:
    """One figure of a model.

    Attributes:
        keys: The way to it below the model in ``report.json``.
        unit: Of its values; empty for a share from 0 to 1.
    """

    keys: tuple[str, ...]
    unit: str

    def __str__(self) -> str:
        return ".".join(self.keys)

    @property
    def class_name(self) -> str | None:
        """The class that it is of; None where it is of all."""
        return self.keys[2] if len(self.keys) == 4 else None


FIGURE_NAMES = tuple(FigureName(tuple(path.split(".")), unit) for path, unit in _UNITS.items())
"""Every figure but those by class, which have the path ``accuracy.per_class.CLASS.ap50_95``."""


def find_figure(text: str) -> FigureName | None:
    """The figure of this path, or of a path that ends so; None where there is none.

    Raises:
        ConfigError: Several paths end so; the message names them.
    """
    by_class = _find_class_figure(text)
    if by_class is not None:
        return by_class
    matches = [f for f in FIGURE_NAMES if str(f) == text] or [f for f in FIGURE_NAMES if str(f).endswith(f".{text}")]
    if len(matches) > 1:
        raise ConfigError(
            f"{text!r} names several figures: {', '.join(map(str, matches))}", hint="Write one of them in full"
        )
    return matches[0] if matches else None


def suggest_figures(text: str) -> str:
    """What a person who wrote ``text`` may have meant, as a hint without a full stop."""
    last = text.rpartition(".")[2]
    usual = _OTHER_NAMES.get(last.casefold())
    short = dict.fromkeys(figure.keys[-1] for figure in FIGURE_NAMES)
    near = nearest_names(text, map(str, FIGURE_NAMES)) or nearest_names(last, short)
    if _PER_CLASS in text.split("."):
        return f"Write {_PER_CLASS}.CLASS.FIGURE, where FIGURE is one of {', '.join(_CLASS_FIGURES)}"
    if usual is not None:
        return f"Here it is called {usual}"
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"The most used ones are {', '.join(('ap50_95', 'ap50', 'p50_ms', 'p95_ms', 'peak_rss_mb', 'weights_mb'))}"


def _find_class_figure(text: str) -> FigureName | None:
    """``[accuracy.]per_class.CLASS.FIGURE``; a class may have dots in its name."""
    path = text.removeprefix("accuracy.")
    class_name, _, name = path.removeprefix(f"{_PER_CLASS}.").rpartition(".")
    if not path.startswith(f"{_PER_CLASS}.") or not class_name or name not in _CLASS_FIGURES:
        return None
    return FigureName(("accuracy", _PER_CLASS, class_name, name), _SHARE)
