"""How each kind of map is drawn: one colour, one shape and one line, the same in every plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectattn.report.looks import Look
from detectattn.report.plots.spec import Spec
from detectattn.results.explanation import MethodFigures

# Apart for people with deficient colour vision, and 3:1 or so on both grounds; baselines are grey.
_LOOKS: Mapping[str, Look] = {
    "cross_last": Look("#8E5BD0", "circle", ()),
    "cross_all": Look("#B98AE8", "diamond", (7, 3)),
    "rollout": Look("#D55E00", "triangle-up", ()),
    "encoder_rows": Look("#2F8FD0", "square", ()),
    "layercam": Look("#009E73", "triangle-down", ()),
    "hirescam": Look("#B98900", "cross", (7, 3)),
    "input_gradient": Look("#C2618F", "triangle-right", ()),
    "box_blob": Look("#6E7781", "square", (2, 2)),
    "random": Look("#9AA0A6", "circle", (2, 4)),
}
_OTHER = Look("#8A9099", "triangle-left", (4, 4))
_ENTRY_PX = 185


def method_look(method: str) -> Look:
    """How a method is drawn."""
    return _LOOKS.get(method, _OTHER)


def color_by_method(shown: Sequence[MethodFigures]) -> Spec:
    """Colour by the field ``map``, which holds titles, with a legend."""
    legend = {
        "title": None, "orient": "top", "symbolOpacity": 1, "symbolStrokeWidth": 1,
        "columns": {"expr": f"max(1, floor(width / {_ENTRY_PX}))"},
    }  # fmt: skip
    return _channel(shown, [method_look(f.method).color for f in shown], legend)


def shape_by_method(shown: Sequence[MethodFigures]) -> Spec:
    """Shape by the same field, in the same legend."""
    return _channel(shown, [method_look(f.method).shape for f in shown], {"title": None, "orient": "top"})


def dash_by_method(shown: Sequence[MethodFigures]) -> Spec:
    """Dash by the field ``dash``: by ``map`` it would enter the legend of colours."""
    dashes = {dash_of(f.method): list(method_look(f.method).dash) or [1, 0] for f in shown}
    scale = {"domain": list(dashes), "range": list(dashes.values())}
    return {"field": "dash", "type": "nominal", "scale": scale, "legend": None}


def dash_of(method: str) -> str:
    """What the field ``dash`` holds for a method."""
    return " ".join(map(str, method_look(method).dash)) or "whole"


def _channel(shown: Sequence[MethodFigures], values: list[str], legend: Spec) -> Spec:
    scale = {"domain": [f.title for f in shown], "range": values}
    return {"field": "map", "type": "nominal", "scale": scale, "legend": legend if len(shown) > 1 else None}
