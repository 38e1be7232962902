"""What a model occupies."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.report.cells import figure
from detectattn.report.content import ModelReport, Report
from detectattn.report.plots.axes import fit_range
from detectattn.report.plots.base import Plot
from detectattn.report.plots.cast import VARIANTS_LEFT_OUT, Cast, choose_rows, find_cast
from detectattn.report.plots.names import clean_name, join_clauses
from detectattn.report.plots.rows import RowGrid, RowHead
from detectattn.report.plots.spec import Row, Spec, is_known, make_layer, make_view, quantity, text_channel, tidy, tips
from detectattn.report.plots.tints import tint

_PROCESS, _DEVICE, _WEIGHTS = "process, peak", "device, peak", "weights on disk"
_TINTS = {_PROCESS: 0.45, _DEVICE: 1.0, _WEIGHTS: 0.75}
_MOST_ROWS = 12
_TOP_PX, _BAR_PX, _GAP_PX = 21, 10, 4


def plot_memory(report: Report) -> Plot | None:
    """Peak memory beside the size of the weights; None where no memory was measured."""
    chosen, left_out = choose_rows(report, _MOST_ROWS)
    measured = [(m, parts) for m in chosen if m.memory is not None and (parts := _parts(m))]
    if not measured:
        return None
    return Plot(
        name="memory",
        section="memory",
        title="How much memory does it take?",
        caption=(
            "Peak memory of each model's own process, of its device where that has memory of its own, and the file of "
            f"its weights; 1\N{NO-BREAK SPACE}MB is a million bytes.{VARIANTS_LEFT_OUT if left_out else ''}"
        ),
        alt=f"Memory by model. {join_clauses([f'{clean_name(m.name, 60)}: {_tell(p)}' for m, p in measured])}.",
        spec=_draw(measured, find_cast(report)),
    )


def _draw(measured: Sequence[tuple[ModelReport, dict[str, float]]], cast: Cast) -> Spec:
    kinds = [kind for kind in _TINTS if any(kind in parts for _, parts in measured)]
    grid = RowGrid(len(measured), _TOP_PX + len(kinds) * (_BAR_PX + _GAP_PX) + 8)
    rows: list[Row] = []
    for i, (model, parts) in enumerate(measured):
        for place, kind in enumerate(parts):
            top = _TOP_PX + place * (_BAR_PX + _GAP_PX)
            rows.append({
                "x": 0, "x2": tidy(parts[kind]), "y": grid.at(i, top), "y2": grid.at(i, top + _BAR_PX),
                "model": cast.label(model.name), "name": clean_name(model.name), "kind": kind,
                "shown": f"{figure(parts[kind])} MB", "middle": grid.at(i, top + _BAR_PX / 2),
            })  # fmt: skip
    scale: Spec = {"domain": [0, fit_range([0, *(r["x2"] for r in rows)], margin=0.01)[1]], "nice": False}
    # Room at the right for the figures.
    scale["range"] = [0, {"expr": "max(60, width - 80)"}]
    encoding: Spec = {
        "x": quantity("x", scale, {"title": "MB", "tickCount": 6}), "x2": {"field": "x2"},
        "y": grid.y(), "y2": {"field": "y2"}, "color": cast.color([m.name for m, _ in measured], legend=False),
        "opacity": tint("kind", {kind: _TINTS[kind] for kind in kinds}),
        "tooltip": tips(("model", "name"), ("what", "kind"), ("size", "shown")),
    }  # fmt: skip
    heads = [RowHead(cast.label(model.name), "") for model, parts in measured]
    text = {"x": {**encoding["x"], "field": "x2"}, "y": grid.y("middle"), "text": text_channel("shown")}
    figures = make_layer("text", rows, text, style="note", align="left", dx=6)
    return make_view([make_layer("rect", rows, encoding), figures, *grid.heads(heads)], height=grid.height)


def _parts(model: ModelReport) -> dict[str, float]:
    memory, size = model.memory, model.size
    assert memory is not None
    found = {
        _PROCESS: memory.peak_rss_mb,
        _DEVICE: memory.peak_device_mb,
        _WEIGHTS: None if size is None else size.weights_mb,
    }
    return {kind: mb for kind, mb in found.items() if mb is not None and is_known(mb)}


def _tell(parts: dict[str, float]) -> str:
    return ", ".join(f"{kind} {figure(mb)} MB" for kind, mb in parts.items())
