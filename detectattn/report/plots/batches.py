"""What larger batches bring."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.report.cells import doubt_mark, figure
from detectattn.report.content import ModelReport, Report, Speed
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import Cast, find_cast, find_finished
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.spec import (
    Row,
    Spec,
    fade,
    is_known,
    make_layer,
    make_view,
    pick,
    quantity,
    text_channel,
    tidy,
    tips,
)
from detectattn.report.plots.spread import spread_apart
from detectattn.report.plots.trust import DOUBTED, HOLLOW, TRUSTED, doubt_note, is_trusted

_HEIGHT = 280
_LINE_PX = 15.0


def plot_batches(report: Report) -> Plot | None:
    """Forward throughput by batch size; None where no model was timed with more than one."""
    timed = [(m, m.speed) for m in find_finished(report) if m.speed is not None and len(_points(m.speed)) > 1]
    if not timed:
        return None
    return Plot(
        name="batches",
        section="speed",
        title="Does a larger batch pay?",
        caption=(
            "Pictures a second of the forward pass alone, by how many pictures go in at once; the filled mark is each "
            "model's best. A flat line means that batches bring nothing on this machine."
            f"{doubt_note(model for model, _ in timed)}"
        ),
        alt=f"Throughput of the forward pass by batch size. {join_clauses([_tell(m, s) for m, s in timed])}.",
        spec=_draw(timed, find_cast(report)),
    )


_Timed = Sequence[tuple[ModelReport, Speed]]


def _draw(timed: _Timed, cast: Cast) -> Spec:
    names = [model.name for model, _ in timed]
    rows: list[Row] = []
    for model, speed in timed:
        points = _points(speed)
        top = max(points.values())
        rows += [
            {
                "model": cast.label(model.name), "name": clean_name(model.name), "dash": cast.dash_of(model.name),
                "x": batch, "y": tidy(rate), "best": rate == top, "trusted": is_trusted(model),
                "shown": f"{figure(rate)} images/s", "batch": f"{batch:,}",
            }
            for batch, rate in points.items()
        ]  # fmt: skip
    sizes = sorted({row["x"] for row in rows})
    reach = [0, fit_range([0, *(row["y"] for row in rows)])[1]]
    # Room at the right for the names.
    scale = {
        "type": "log",
        "base": 2,
        "domain": [sizes[0] / 1.1, sizes[-1] * (sizes[-1] / sizes[0]) ** 0.28],
        "nice": False,
    }
    x = quantity("x", scale, {"title": "batch size, pictures", "values": sizes, "format": "d", "grid": False})
    y = quantity("y", {"domain": reach, "nice": False}, {"title": "forward pass, images/s", "tickCount": 6})
    where = {"x": x, "y": y, "opacity": fade()}
    color, dash = {"color": cast.color(names)}, {"strokeDash": cast.dash(names)}
    tooltip = tips(("model", "name"), ("batch", "batch"), ("throughput", "shown"))
    marks = {**where, "shape": cast.shape(names), "tooltip": tooltip}
    # Of a line without a colour of its own, nothing else would part the models.
    apart = {"detail": text_channel("model")}
    lines = make_layer("line", rows, {**where, **color, **dash}, only=TRUSTED)
    layers = [
        {**lines, "params": [pick("model")]},
        make_layer("line", rows, {**where, **dash, **apart}, only=DOUBTED, style="doubt"),
        make_layer("point", rows, {**marks, **color}, only=f"!datum.best && {TRUSTED}", fillOpacity=0.3, size=60),
        make_layer("point", rows, {**marks, **color}, only=f"datum.best && {TRUSTED}", size=110),
        make_layer("point", rows, marks, only=DOUBTED, size={"expr": "datum.best ? 110 : 60"}, **HOLLOW),
        make_layer(
            "text", _ends(timed, cast, reach[1]), {"x": x, "y": y, "text": text_channel("model")},
            style="value", align="left", dx=10, limit={"expr": "max(60, width * 0.22)"},
        ),
    ]  # fmt: skip
    return make_view(layers, height=_HEIGHT)


def _points(speed: Speed) -> dict[int, float]:
    known = {b: r for b, r in speed.images_per_s_by_batch.items() if b > 0 and is_known(r)}
    return dict(sorted(known.items()))


def _ends(timed: _Timed, cast: Cast, top: float) -> list[Row]:
    ends = [(cast.label(m.name) + doubt_mark(s), *list(_points(s).items())[-1]) for m, s in timed]
    heights = spread_apart([rate for _, _, rate in ends], least=_LINE_PX / _HEIGHT * top)
    return [{"model": label, "x": batch, "y": tidy(y)} for (label, batch, _), y in zip(ends, heights, strict=True)]


def _tell(model: ModelReport, speed: Speed) -> str:
    points = _points(speed)
    best = max(points, key=lambda batch: points[batch])
    first = min(points)
    return (
        f"{clean_name(model.name, 60)}: {figure(points[first])} images/s at batch {first}, best {figure(points[best])} "
        f"at batch {best}"
    )
