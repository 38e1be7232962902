"""The tables, in Markdown: they go into ``docs/methods.md`` as they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_MINUS = "−"


def render(figures: Mapping[str, Any]) -> str:
    """Every table of a record, one after the other."""
    return "\n".join(_iter_lines(figures))


def _iter_lines(figures: Mapping[str, Any]) -> Iterable[str]:
    if accuracy := figures.get("accuracy"):
        yield f"\n{accuracy['scenes']:,} scenes, figures of all of them\n"
        yield from _known(accuracy["known"])
        yield "\nAP, by pair\n"
        yield from _pairs([c for c in accuracy["counts"] if c["figure"] == "ap50_95"])
        yield "\nAP50, by pair\n"
        yield from _pairs([c for c in accuracy["counts"] if c["figure"] == "ap50"])
        yield "\nOver all pairs\n"
        yield from _totals(accuracy["totals"])
    if latency := figures.get("latency"):
        yield f"\nLatency: {latency['studies']} studies, {latency['trusted']} of them trusted by the product\n"
        yield from _pairs(latency["counts"], neutral=1)
    if resampling := figures.get("resampling"):
        yield (
            f"\n{resampling['resamples']:,} paired resamples of {resampling['images']:,} images "
            f"({resampling['detections']:,} detections): {resampling['wall_s']} s, "
            f"{resampling['cpu_s']} s of processor time"
        )


def _known(models: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    names = list(next(iter(models.values())))
    yield from _head(["model", *names])
    for model, values in models.items():
        yield _row([model, *(f"{values[name]:.3f}" for name in names)])


def _pairs(counts: Sequence[Mapping[str, Any]], neutral: int = 0) -> Iterable[str]:
    what = "difference" if neutral == 0 else "ratio"
    yield from _head(["A", "B", f"true {what}", "images", "studies", "covered", "decided", "right", "wrong", "width"])
    for c in counts:
        yield _row(
            [
                c["a"],
                c["b"],
                f"{round(c['truth'], 4) + 0.0:.4f}".replace("-", _MINUS),
                str(c["images"]),
                str(c["studies"]),
                _percent(c["covered"], c["studies"]),
                _percent(c["decided"], c["studies"]),
                _percent(c["decided"] - c["wrong"], c["decided"]),
                _percent(c["wrong"], c["studies"]),
                f"{c['width']:.3f}",
            ]
        )


def _totals(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    yield from _head(["figure", "images", "intervals", "covered", "decided", "right"])
    for r in rows:
        right = _percent(r["decided"] - r["wrong"], r["decided"])
        cells = [r["figure"], str(r["images"]), f"{r['studies']:,}", _percent(r["covered"], r["studies"])]
        yield _row([*cells, _percent(r["decided"], r["studies"]), right])


def _head(names: Sequence[str]) -> Iterable[str]:
    yield _row(names)
    yield "|" + "|".join("---:" for _ in names) + "|"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _percent(part: float, whole: float) -> str:
    share = 100 * part / whole if whole else math.nan
    return f"{share:.1f}%" if math.isfinite(share) else "–"
