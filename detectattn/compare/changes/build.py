"""Puts the comparison together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from detectattn.compare.changes.accuracy import compare_accuracy_of
from detectattn.compare.changes.caveats import find_caveats
from detectattn.compare.changes.conditions import compare_conditions
from detectattn.compare.changes.detections import compare_detections_of
from detectattn.compare.changes.figures import compare_figures_of
from detectattn.compare.changes.findings import tell_findings
from detectattn.compare.changes.images import compare_images
from detectattn.compare.changes.match import match_models
from detectattn.compare.changes.rankings import compare_rankings
from detectattn.compare.changes.side import Side
from detectattn.compare.changes.speed import compare_speed_of
from detectattn.compare.gate_values import to_text
from detectattn.compare.same_conditions import find_other_run
from detectattn.report.changes import Changes, ModelChange
from detectattn.types import Family


def build_changes(before: Side, after: Side, pairs: Sequence[str] = ()) -> Changes:
    """What changed from one study to a later one.

    Args:
        before: The first study.
        after: The second.
        pairs: ``OLD=NEW`` for models that have another name now.

    Raises:
        ConfigError: A pair cannot be used.
    """
    names = match_models(before, after, pairs)
    models = tuple(_compare_model(before, after, old, name) for name, old in names.items())
    gone = tuple(name for name in before.models if name not in names.values())
    new = tuple(name for name in after.models if name not in names)
    rankings = compare_rankings(before, after, names)
    images = compare_images(before, after)
    conditions = compare_conditions(before, after, names, images)
    memory = {name: find_other_run(before.entry(old), after.entry(name)) for name, old in names.items()}
    return Changes(
        before=before.describe(),
        after=after.describe(),
        findings=tell_findings(models, gone, new, rankings, conditions, memory),
        caveats=find_caveats(before, after, models, (gone, new), images),
        models=models,
        gone=gone,
        new=new,
        rankings=rankings,
        images=images,
        conditions=conditions,
    )


def _compare_model(before: Side, after: Side, old: str, name: str) -> ModelChange:
    then, now = before.entry(old), after.entry(name)
    checksums = [to_text(entry.get("sha256")) for entry in (then, now)]
    return ModelChange(
        name=name,
        before_name=old,
        family=_to_family(now),
        status_before=_to_status(then),
        status_after=_to_status(now),
        error=to_text(now.get("error")),
        same_weights=None if None in checksums else checksums[0] == checksums[1],
        accuracy=compare_accuracy_of(before, after, old, name),
        speed=compare_speed_of(before, after, old, name),
        detections=compare_detections_of(before, after, old, name),
        figures=compare_figures_of(then, now),
    )


def _to_family(entry: Mapping[str, object]) -> Family | None:
    return next((family for family in get_args(Family) if family == entry.get("family")), None)


def _to_status(entry: Mapping[str, object]) -> str:
    return "finished" if entry.get("status") == "finished" else "failed"
