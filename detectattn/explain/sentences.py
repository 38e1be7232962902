"""What explaining pictures found, in sentences that say no more than the figures do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from detectattn.explain.default_map import UNSCORED
from detectattn.explain.judge import BASELINES, BOX, RANDOM
from detectattn.explain.reach import (
    ReachDifference,
    compare_reach,
    find_common_method,
    find_figures,
    turn_outside,
)
from detectattn.report.explanation import ModelExplained, PictureExplained
from detectattn.results.explanation import MeanFigure, MethodFigures, Worth

_SELF = "encoder_rows"
_TOO_FEW = "too few detections to judge"
# `python -m benchmarks faithfulness`; docs/attention.md has the figures.
_BEST_UNSCORED = "Of the quick maps it did best on demo-rtdetr."


def tell(models: Sequence[ModelExplained], pictures: Sequence[PictureExplained]) -> tuple[str, ...]:
    """The findings, the most important first.

    Args:
        models: With their figures.
        pictures: All of them.
    """
    seen = [model for model in models if model.methods]
    sentences = list(_tell_reach(models, pictures))
    sentences += _tell_defaults(models)
    sentences += [told for model in seen if (told := _tell_labels(model))]
    sentences += _tell_self_attention(seen)
    return tuple(sentences)


def _tell_defaults(models: Sequence[ModelExplained]) -> Iterator[str]:
    """Which map stands for each model, and why; what holds of several is told once."""
    alike: dict[tuple[str, str], list[str]] = {}
    for model in models:
        best = find_figures(model, model.default_method)
        if best is None:
            yield f"{model.name} finds nothing in these pictures, so there is no map of it."
        elif best.faithfulness is None:
            alike.setdefault((best.title, model.default_reason), []).append(model.name)
        else:
            yield _tell_default(model, best)
    for (title, reason), names in alike.items():
        best_of = f" {_BEST_UNSCORED}" if reason == UNSCORED else ""
        yield f"{_join(names)} {'is' if len(names) == 1 else 'are'} shown by “{title}”. {reason}{best_of}"


def _tell_default(model: ModelExplained, best: MethodFigures) -> str:
    told = f"{model.name} is shown by {_quote(best)}. {model.default_reason}"
    if best.faithfulness is None or best.method in BASELINES:
        return told
    others = [f"{_plain(f.faithfulness)} of {words}" for f, words in _baselines(model) if f.faithfulness is not None]
    beside = f", beside {' and '.join(others)}" if others else ""
    return f"{told} Insertion less deletion is {_signed(best.faithfulness)}{beside}{_say_worth(best)}."


def _baselines(model: ModelExplained) -> Iterator[tuple[MethodFigures, str]]:
    for name, words in ((BOX, "a blob on the box"), (RANDOM, "a random map")):
        figures = find_figures(model, name)
        if figures is not None:
            yield figures, words


def _say_worth(figures: MethodFigures) -> str:
    return {
        "says more than the box": ": it says more than the box does",
        "no more than the box": ": it is better than random, and says no more than the box does",
        "no better than random": ": it is no better than random",
    }.get(figures.worth, ", on too few detections to decide what it says")


def _tell_labels(model: ModelExplained) -> str:
    """Which maps earn which label; empty where none was scored."""
    scored = [f for f in model.methods if f.method not in BASELINES and f.faithfulness is not None]
    groups: tuple[tuple[Worth, str], ...] = (
        ("says more than the box", "says more than the box"),
        ("no more than the box", "says no more than the box itself"),
        ("no better than random", "is no better than random"),
        ("not decided", _TOO_FEW),
    )
    found = [(words, [_quote(f) for f in scored if f.worth == worth]) for worth, words in groups]
    parts = [_tell_label(words, names) for words, names in found if names]
    if not parts:
        return ""
    open_still = any(f.worth in ("says more than the box", "not decided") for f in scored)
    none = "" if open_still else " No map says more than the box."
    detections = max(f.detections for f in scored)
    on = f"{detections:,} detection{'' if detections == 1 else 's'}"
    return f"Of {model.name}'s maps, on {on}: {'; '.join(parts)}.{none}"


def _tell_label(words: str, names: Sequence[str]) -> str:
    if words == _TOO_FEW:
        return f"{words} {_join(names)}"
    return f"{', '.join(names)} {words if len(names) == 1 else _to_plural(words)}"


def _to_plural(words: str) -> str:
    verb, _, rest = words.partition(" ")
    return f"{ {'says': 'say', 'is': 'are'}[verb] } {rest}"


def _tell_reach(models: Sequence[ModelExplained], pictures: Sequence[PictureExplained]) -> Iterator[str]:
    """How far evidence reaches beyond the box, by one measure for all where there is one."""
    seen = [model for model in models if model.methods]
    common = find_common_method(seen)
    if not seen:
        return
    if common is None:
        parts = [f"{_share_outside(model, model.default_method)} by {_title(model)}" for model in seen]
        alike = "" if len(seen) == 1 else ": different maps, not to be held against each other"
        yield f"Outside the box lies {_join(parts)}{alike}."
        return
    figures = find_figures(seen[0], common)
    assert figures is not None
    for pair in compare_reach(pictures, models, common) if len(seen) > 1 else ():
        yield _tell_pair(pair, models, figures)
    same = "" if len(seen) == 1 else ", the same measure for all"
    parts = [_share_outside(model, common) for model in seen]
    yield f"By {_quote(figures)}{same}, outside the box lies {_join(parts)}{_tell_area(figures)}."


def _tell_area(figures: MethodFigures) -> str:
    return f"; of the area {_percent(1 - figures.area[0])} lies there" if figures.area else ""


def _title(model: ModelExplained) -> str:
    figures = find_figures(model, model.default_method)
    return "no map" if figures is None else _quote(figures)


def _share_outside(model: ModelExplained, method: str) -> str:
    figures = find_figures(model, method)
    assert figures is not None
    far = f" ({_percent(figures.reach[-1])} over two box sizes away)" if figures.reach else ""
    return f"{_percent_interval(turn_outside(figures.energy))} of {model.name}'s evidence{far}"


def _tell_pair(pair: ReachDifference, models: Sequence[ModelExplained], measure: MethodFigures) -> str:
    figure = pair.figure
    on = f"on {pair.objects} objects that both find" if pair.objects > 1 else "on the one object that both find"
    # Maps made at the head's input end where a convolutional head's few cells end: they would answer by construction.
    answers = measure.method == "input_gradient" and _is_contest(pair, models)
    question = "Does attention look further than convolution? " if answers else ""
    by = f"By {_quote(measure)}"
    if not pair.decided:
        return f"{question}{by} it is not decided whose evidence reaches further, {pair.a}'s or {pair.b}'s, {on}."
    further, nearer = (pair.a, pair.b) if figure.value > 0 else (pair.b, pair.a)
    ends = sorted((abs(figure.low), abs(figure.high)))
    points = f"{_points(abs(figure.value))} points ({_points(ends[0])}–{_points(ends[1])})"
    answer = f" {'yes' if _attends(further, models) else 'no'}:" if question else ""
    return f"{question}{by}{answer} {further} has {points} more of its evidence outside the box than {nearer}, {on}."


def _is_contest(pair: ReachDifference, models: Sequence[ModelExplained]) -> bool:
    """Whether one of a pair is an attention model, and the other is not."""
    return _attends(pair.a, models) != _attends(pair.b, models)


def _attends(name: str, models: Sequence[ModelExplained]) -> bool:
    return any(model.name == name and model.family == "attention" for model in models)


def _tell_self_attention(models: Sequence[ModelExplained]) -> Iterator[str]:
    found = [(model, f) for model in models if (f := find_figures(model, _SELF)) is not None and f.area]
    if found:
        parts = [f"{_percent_interval(turn_outside(f.energy))} in {model.name}" for model, f in found]
        yield (
            "Self-attention before there is a detection: of what the places inside a box attend to, outside it lies "
            f"{_join(parts)}{_tell_area(found[0][1])}."
        )


def _join(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else parts[0]


def _quote(figures: MethodFigures) -> str:
    return f"“{figures.title}”"


def _signed(figure: MeanFigure) -> str:
    """``0.21 (0.12 to 0.30)``."""
    if math.isnan(figure.low):
        return _plain(figure)
    return f"{_plain(figure)} ({_two(figure.low)} to {_two(figure.high)})"


def _plain(figure: MeanFigure | None) -> str:
    return "unknown" if figure is None else _two(figure.value)


def _two(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _points(share: float) -> str:
    return f"{100 * share:.1f}" if share < 0.1 else f"{100 * share:.0f}"


def _percent_interval(figure: MeanFigure) -> str:
    if math.isnan(figure.low):
        return _percent(figure.value)
    low, high = max(0.0, figure.low), min(1.0, figure.high)
    return f"{_percent(figure.value)} ({100 * low:.0f}–{100 * high:.0f})"
