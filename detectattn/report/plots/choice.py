"""One of several views of a plot, chosen on the page; a picture shows the first."""

from __future__ import annotations

from collections.abc import Sequence

from detectattn.report.plots.spec import Spec, before


def choose(labels: Sequence[str], title: str) -> list[Spec]:
    """A drop-down list whose entries are numbered from 0; none for a single entry.

    Args:
        labels: Of the entries.
        title: Before the list.
    """
    param: Spec = {"name": "chosen", "value": 0}
    if len(labels) > 1:
        param["bind"] = {
            "input": "select",
            "options": list(range(len(labels))),
            "labels": list(labels),
            "name": f"{title} ",
        }
    return [param]


def only_chosen(layer: Spec) -> Spec:
    """The layer with only those rows whose ``choice`` is the chosen one."""
    return before(layer, {"filter": "datum.choice === chosen"})
