"""The models of a plot: what they are called there and how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detectattn.report.cells import base_models
from detectattn.report.content import ModelReport, Report
from detectattn.report.looks import Look, find_looks
from detectattn.report.plots.names import label_names
from detectattn.report.plots.spec import Spec

# Pixels that an entry of a legend takes at most; how many stand side by side follows from the width of the plot.
_ENTRY_PX = 130
VARIANTS_LEFT_OUT = " Variants are left out; the frontier has them."
"""At the end of a caption, where :func:`choose_rows` left variants out."""
_NEUTRAL: Look = Look("#8A9099", "circle", ())


@dataclass(frozen=True, slots=True)
class Cast:
    """Models with one label, colour, shape and dash each. The field of all of them is ``model``, which holds the label.

    Attributes:
        labels: By name.
        looks: By name.
    """

    labels: Mapping[str, str]
    looks: Mapping[str, Look]

    def label(self, name: str) -> str:
        """What a model is called in plots."""
        return self.labels.get(name) or label_names([name])[name]

    def look(self, name: str) -> Look:
        """How it is drawn."""
        return self.looks.get(name, _NEUTRAL)

    def color(self, names: Iterable[str], *, legend: bool = True) -> Spec:
        """Colour by model; a legend for more than one."""
        return self._channel(names, [self.look(name).color for name in names], legend=legend)

    def shape(self, names: Iterable[str], *, legend: bool = True) -> Spec:
        """Shape by model."""
        return self._channel(names, [self.look(name).shape for name in names], legend=legend)

    def dash(self, names: Iterable[str]) -> Spec:
        """Dash by the field ``dash``: by ``model`` it would enter the legend of colours."""
        dashes = {self.dash_of(name): list(self.look(name).dash) or [1, 0] for name in names}
        scale = {"domain": list(dashes), "range": list(dashes.values())}
        return {"field": "dash", "type": "nominal", "scale": scale, "legend": None}

    def dash_of(self, name: str) -> str:
        """What the field ``dash`` holds for a model."""
        return " ".join(map(str, self.look(name).dash)) or "whole"

    def _channel(self, names: Iterable[str], values: list[object], *, legend: bool) -> Spec:
        labels = [self.label(name) for name in names]
        scale = {"domain": labels, "range": values}
        wanted = model_legend() if legend and len(labels) > 1 else None
        return {"field": "model", "type": "nominal", "scale": scale, "legend": wanted}


def model_legend() -> Spec:
    """A legend above the plot that breaks into lines."""
    return {
        "title": None,
        "orient": "top",
        "columns": {"expr": f"max(1, floor(width / {_ENTRY_PX}))"},
        "symbolStrokeWidth": 1,
        "symbolOpacity": 1,
    }


def find_cast(report: Report) -> Cast:
    """All models of a report, each variant with its own label and its model's look."""
    return Cast(label_names(model.name for model in report.models), find_looks(report))


def find_finished(report: Report) -> tuple[ModelReport, ...]:
    """Models that have figures, without variants."""
    return tuple(model for model in base_models(report) if model.status == "finished")


def choose_rows(report: Report, most: int) -> tuple[tuple[ModelReport, ...], bool]:
    """Models and variants that have figures; the models alone where there are more than ``most``.

    Returns:
        The choice, and whether variants were left out.
    """
    finished = tuple(model for model in report.models if model.status == "finished")
    if len(finished) <= most:
        return finished, False
    return find_finished(report), len(find_finished(report)) < len(finished)
