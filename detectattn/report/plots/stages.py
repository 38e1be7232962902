"""Where the time of a picture goes."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.report.cells import doubt_mark, figure
from detectattn.report.content import ModelReport, Report, Speed
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import VARIANTS_LEFT_OUT, Cast, choose_rows, find_cast
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.rows import RowGrid, RowHead
from detectattn.report.plots.spec import Row, Spec, is_known, make_layer, make_view, quantity, tidy, tips
from detectattn.report.plots.tints import tint
from detectattn.report.plots.trust import DOUBTED, TRUSTED, doubt_note, is_trusted

_STAGES = {
    "decode": "decode_ms",
    "fit to input": "preprocess_ms",
    "forward pass": "forward_ms",
    "to boxes": "postprocess_ms",
}
# The forward pass is what a model is chosen for: in the strongest tone.
_TINTS = {"decode": 0.25, "fit to input": 0.5, "forward pass": 1.0, "to boxes": 0.4}
_MOST_ROWS = 12
_ROW_PX = 48
_TOP_PX, _BOTTOM_PX = 20, 40


def plot_stages(report: Report) -> Plot | None:
    """Mean time of each stage of each model; None where nothing was timed."""
    chosen, left_out = choose_rows(report, _MOST_ROWS)
    timed = [(m, m.speed) for m in chosen if m.speed is not None and is_known(m.speed.figures.forward_ms)]
    if not timed:
        return None
    return Plot(
        name="stages",
        section="speed",
        title="Where does the time of a picture go?",
        caption=(
            "Mean times, one after another from left to right: decoding the file, fitting it to the network's input, "
            "the forward pass in the strongest tone, and from its output to boxes. Decoding is the same for all models."
            f"{doubt_note(model for model, _ in timed)}{VARIANTS_LEFT_OUT if left_out else ''}"
        ),
        alt=f"Mean time of each stage by model. {join_clauses([_tell(m, s) for m, s in timed])}.",
        spec=_draw(timed, find_cast(report)),
    )


def _draw(timed: Sequence[tuple[ModelReport, Speed]], cast: Cast) -> Spec:
    grid = RowGrid(len(timed), _ROW_PX)
    rows: list[Row] = []
    heads = []
    for i, (model, speed) in enumerate(timed):
        stages = _stages(speed)
        total, end = sum(stages.values()), 0.0
        for stage, took in stages.items():
            start, end = end, end + took
            rows.append({
                "x": tidy(start), "x2": tidy(end), "y": grid.at(i, _TOP_PX), "y2": grid.at(i, _BOTTOM_PX),
                "model": cast.label(model.name), "name": clean_name(model.name), "stage": stage,
                "trusted": is_trusted(model), "took": f"{figure(took)} ms",
                "part": f"{took / total:.0%}" if total > 0 else "–",
            })  # fmt: skip
        heads.append(
            RowHead(
                f"{cast.label(model.name)}{doubt_mark(speed)}",
                f"forward {figure(stages.get('forward pass'))} of {figure(total)} ms",
            )
        )
    reach = [0, fit_range([0, *(r["x2"] for r in rows)], margin=0.02)[1]]
    x = quantity("x", {"domain": reach, "nice": False}, {"title": "mean time, ms", "tickCount": 6})
    encoding = {
        "x": x, "x2": {"field": "x2"}, "y": grid.y(), "y2": {"field": "y2"}, "opacity": tint("stage", _TINTS),
        "tooltip": tips(("model", "name"), ("stage", "stage"), ("mean", "took"), ("of all", "part")),
    }  # fmt: skip
    color = cast.color([m.name for m, _ in timed], legend=False)
    layers = [
        make_layer("rect", rows, {**encoding, "color": color}, only=TRUSTED, style="block"),
        make_layer("rect", rows, encoding, only=DOUBTED, style=["block", "doubt"]),
    ]
    return make_view([*layers, *grid.heads(heads)], height=grid.height)


def _stages(speed: Speed) -> dict[str, float]:
    found = {stage: float(getattr(speed.figures, field)) for stage, field in _STAGES.items()}
    return {stage: took for stage, took in found.items() if is_known(took)}


def _tell(model: ModelReport, speed: Speed) -> str:
    parts = [f"{stage} {figure(took)} ms" for stage, took in _stages(speed).items()]
    return f"{clean_name(model.name, 60)}: {', '.join(parts)}"
