"""Tables of an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from detectattn.report.cells import MISSING, count, figure, size_wh
from detectattn.report.explanation import Explanation, ModelExplained
from detectattn.report.html.explanation.words import gain_text, mean_text, percent, worth_text
from detectattn.report.tables.base import Code, Name, Table, make_table
from detectattn.results.explanation import MethodFigures


def worth_table(model: ModelExplained, place: int) -> Table:
    """What every map of a model is worth.

    Args:
        model: Whose maps.
        place: Of the model on the page, from 1.
    """
    header = (
        "map", "what it is worth", "faithfulness", "over random", "over the box", "inside the box", "pointing game",
    )  # fmt: skip
    many = max((f.detections for f in model.methods), default=0)
    table = make_table(
        f"worth-{place}",
        f"{model.name} on {count(many)} {'detection' if many == 1 else 'detections'}; means with 95% intervals",
        header,
        [_worth_cells(figures) for figures in model.methods],
        numbers=(2, 3, 4, 5, 6),
        sparse=True,
    )
    first = frozenset(i for i, figures in enumerate(model.methods) if figures.method == model.default_method)
    return replace(table, strong=first)


def _worth_cells(figures: MethodFigures) -> tuple[str, ...]:
    return (
        figures.title,
        worth_text(figures.worth),
        mean_text(figures.faithfulness),
        gain_text(figures.over_random),
        gain_text(figures.over_box),
        percent(figures.energy.value),
        percent(figures.pointing.value),
    )


def unit_note(explanation: Explanation) -> str:
    """What the intervals speak about."""
    units = {m.energy.unit for model in explanation.models for m in model.methods}
    if "detection" in units:
        return (
            "Fewer than four pictures: the intervals are over detections, and speak about these pictures alone. "
            "Detections of one picture resemble one another."
        )
    return "Intervals are over pictures, the mean of each counting once: they speak for pictures like these."


def run_table(explanation: Explanation) -> Table:
    """What was explained."""
    objects = sum(len(picture.objects) for picture in explanation.pictures)
    rows = [
        ("pictures", count(len(explanation.pictures))),
        ("objects", f"{count(objects)}, at most {explanation.top} a picture"),
        ("detections from", f"score {figure(explanation.conf)}"),
        ("deletion and insertion", "computed" if explanation.scored else "not computed"),
    ]
    if explanation.image_failures:
        rows.append(("inputs that could not be read", count(explanation.image_failures)))
    return make_table("run", "What was explained", ("what", "how"), rows)


def weights_table(explanation: Explanation) -> Table:
    """The models' files and their checksums."""
    rows = [
        (Name(m.name), m.engine, m.device, size_wh(m.net_hw), Code(m.file), Code(m.sha256)) for m in explanation.models
    ]
    header = ("model", "engine", "device", "input", "file", "SHA-256")
    return make_table("weights", "Models, their files and checksums", header, rows)


def machine_table(explanation: Explanation) -> Table:
    """The machine, and versions of Python, packages and this project."""
    rows = [(_spell(name), _show(name, value)) for name, value in explanation.machine.items()]
    return make_table("machine", "Machine and versions", ("what", "which"), [*rows, *_versions(explanation.versions)])


def _versions(versions: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(versions.items())


def _spell(name: str) -> str:
    return name.removesuffix("_bytes").replace("_", " ")


def _show(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or MISSING
    if isinstance(value, int) and name.endswith("_bytes"):
        return f"{figure(value / 1e9)} GB"
    return "unknown" if value is None else str(value)
