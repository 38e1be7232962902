"""What remains of detections while their pictures are shown, or hidden, along their maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detectattn.report.cells import share
from detectattn.report.explanation import Explanation, ModelExplained
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.methods import color_by_method, dash_by_method, dash_of, shape_by_method
from detectattn.report.plots.names import clean_name, join_words
from detectattn.report.plots.spec import Row, Spec, fade, make_layer, make_view, pick, quantity, tidy, tips
from detectattn.results.explanation import MethodFigures

_PANEL_PX, _GAP_PX = 180, 40
_PANELS = {"insertion": "score, brightest shown", "deletion": "score, brightest hidden"}
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def plot_curves(explanation: Explanation, place: int) -> Plot | None:
    """Insertion and deletion by method of one model; None where nothing of it was scored."""
    model = explanation.models[place]
    fractions = find_fractions(explanation)
    shown = [f for f in model.methods if len(f.insertion) == len(f.deletion) == len(fractions) > 0]
    if not shown:
        return None
    name = clean_name(model.name, 60)
    return Plot(
        name=f"curves-{place + 1}",
        section="attention",
        title=f"Does {name} need what its maps show?",
        caption=(
            "Mean score that is left, as a share of the whole picture's. Above, only so much of the picture is shown, "
            "the brightest of the map first: a true map rises early. Below, so much is hidden: a true map falls early. "
            "Grey lines know nothing of the model."
        ),
        alt=f"{name}, by share of the picture. {_describe(shown, fractions)}.",
        spec=_draw(shown, fractions),
    )


def find_fractions(explanation: Explanation) -> tuple[float, ...]:
    """The shares of the picture at which curves were computed; empty where none was."""
    for _, score in _iter_scores(explanation):
        if score is not None:
            return score
    return ()


def _iter_scores(explanation: Explanation) -> Iterator[tuple[ModelExplained, tuple[float, ...] | None]]:
    for picture in explanation.pictures:
        for found in picture.objects:
            for model, detection in zip(explanation.models, found.found, strict=True):
                for score in detection.scores if detection is not None else ():
                    yield model, None if score.curve is None else score.curve.fractions


def _draw(shown: Sequence[MethodFigures], fractions: Sequence[float]) -> Spec:
    percents = [100 * fraction for fraction in fractions]
    x = quantity(
        "x", {"type": "log", "domain": fit_log(percents), "nice": False},
        {"title": "share of the picture, %", "format": ",~f", "grid": False,
         "values": [tick for tick in _TICKS if percents[0] <= tick <= percents[-1]]},
    )  # fmt: skip
    panels: list[Spec] = []
    for number, (which, title) in enumerate(_PANELS.items()):
        rows = [row for f in shown for row in _iter_rows(f, which, percents)]
        top = number * (_PANEL_PX + _GAP_PX)
        panels.append({"layer": _panel(rows, x, shown, title, top, legend=not number)})
    return make_view(panels, height=len(_PANELS) * (_PANEL_PX + _GAP_PX) - _GAP_PX, resolve={"y": "independent"})


def _panel(
    rows: Sequence[Row], x: Spec, shown: Sequence[MethodFigures], title: str, top: int, *, legend: bool
) -> list[Spec]:
    """Lines and marks in a strip of the plot that begins at ``top``, in pixels."""
    high = fit_range([0, 1, *(row["y"] for row in rows)], least=0, margin=0.02)[1]
    scale = {"domain": [0, high], "range": [top + _PANEL_PX, top], "nice": False}
    y = quantity("y", scale, {"title": title, "tickCount": 5, "orient": "left", "grid": True})
    where = {"x": x, "y": y, "color": color_by_method(shown), "opacity": fade()}
    line = make_layer("line", rows, {**where, "strokeDash": dash_by_method(shown)})
    tooltip = tips(("map", "map"), ("share of the picture", "at"), ("score left", "left"))
    return [
        {**line, "params": [pick("map")]} if legend else line,
        make_layer("point", rows, {**where, "shape": shape_by_method(shown), "tooltip": tooltip}, size=45),
    ]


def _iter_rows(figures: MethodFigures, which: str, percents: Sequence[float]) -> Iterator[Row]:
    for percent, value in zip(percents, getattr(figures, which), strict=True):
        yield {
            "map": figures.title, "dash": dash_of(figures.method), "x": tidy(percent), "y": tidy(value, 4),
            "at": f"{percent:.3g}%", "left": share(value),
        }  # fmt: skip


def fit_log(values: Sequence[float]) -> list[float]:
    """A range of a logarithmic axis, with a small margin."""
    room = (values[-1] / values[0]) ** 0.02 if len(values) > 1 else 1.1
    return [tidy(values[0] / room), tidy(values[-1] * room)]


def _describe(shown: Sequence[MethodFigures], fractions: Sequence[float]) -> str:
    middle = len(fractions) // 2
    at = f"{100 * fractions[middle]:.3g}%"
    parts = [f"{f.title}: {share(f.insertion[middle])} with {at} shown, {share(f.deletion[middle])} with {at} hidden"
             for f in shown]  # fmt: skip
    return join_words(parts, 12)
