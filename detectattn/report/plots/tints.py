"""Parts of one thing as tints of one colour, so that a model keeps its own."""

from __future__ import annotations

from collections.abc import Mapping

from detectattn.report.plots.spec import Spec


def tint(field: str, tints: Mapping[str, float]) -> Spec:
    """Opacity by part, with a legend in grey.

    Args:
        field: That holds the part.
        tints: Opacity of each part, in the order of the legend.
    """
    return {
        "field": field,
        "type": "ordinal",
        "sort": list(tints),
        "scale": {"type": "ordinal", "domain": list(tints), "range": list(tints.values())},
        "legend": {
            "title": None,
            "orient": "top",
            "symbolType": "square",
            "symbolFillColor": "#6E7781",
            "symbolStrokeWidth": 0,
            "columns": {"expr": "max(1, floor(width / 110))"},
        },
    }
