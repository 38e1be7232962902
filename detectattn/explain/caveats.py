"""What to know before relying on what explaining pictures found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detectattn.report.explanation import ModelExplained, PictureExplained


def list_caveats(
    models: Sequence[ModelExplained],
    pictures: Sequence[PictureExplained],
    *,
    conf: float,
    scored: bool,
    page_pictures: int,
    status: str,
    failures: int,
) -> tuple[str, ...]:
    """What to know before relying on the findings.

    Args:
        models: With their figures.
        pictures: All of them.
        conf: The threshold.
        scored: Whether maps were scored.
        page_pictures: How many pictures the page can show.
        status: Of the run.
        failures: Inputs that could not be explained.
    """
    caveats = ["The run was interrupted: pictures are missing."] if status == "interrupted" else []
    if failures:
        inputs = "One input" if failures == 1 else f"{failures:,} inputs"
        caveats.append(f"{inputs} could not be explained: failures.jsonl says why.")
    caveats += _tell_models(models, pictures, conf)
    caveats += _tell_doubts(models, pictures, scored=scored)
    caveats += _tell_further(models, pictures)
    if len(pictures) > page_pictures:
        caveats.append(f"The page shows the first {page_pictures:,} pictures; the sheets are of all {len(pictures):,}.")
    return tuple(caveats)


def _tell_models(models: Sequence[ModelExplained], pictures: Sequence[PictureExplained], conf: float) -> Iterator[str]:
    for model in models:
        below = sum(model.name in picture.below for picture in pictures)
        if below:
            where = "a picture" if below == 1 else f"{below:,} pictures"
            yield f"{model.name} finds nothing above {conf:g} in {where}: its best below are explained there."
        if not model.attention:
            yield f"{model.name} has no attention; gradients show where its feature maps speak for a detection."


def _tell_further(models: Sequence[ModelExplained], pictures: Sequence[PictureExplained]) -> Iterator[str]:
    for place, model in enumerate(models):
        further = sum(found.further[place] for p in pictures for found in p.objects if found.further)
        if further:
            boxes = "one more box" if further == 1 else f"{further:,} more boxes"
            yield f"{model.name} has {boxes} of objects that are shown: of each object its surest box is explained."


def _tell_doubts(
    models: Sequence[ModelExplained], pictures: Sequence[PictureExplained], *, scored: bool
) -> Iterator[str]:
    if not scored:
        yield "No map was scored, so none is known to be true, nor which is the truest: --score measures it."
    untold = sum(d.untold for picture in pictures for found in picture.objects for d in found.found if d is not None)
    if untold:
        who = "One detection survives" if untold == 1 else f"{untold:,} detections survive"
        yield f"{who} a blurred picture, or cannot be found again in a smaller one: no score of its maps."
    if any(f.energy.unit == "detection" for model in models for f in model.methods):
        yield "Fewer than four images: intervals are over detections, and speak about these images alone."
    methods = {f.method for model in models for f in model.methods}
    if methods:
        yield "Where a map is bright outside a box, the detection need not depend on it."
    if methods & {"layercam", "hirescam"} and "input_gradient" not in methods:
        yield (
            "Gradients are taken where the head begins: from there a convolutional head reaches a few cells, a decoder "
            "all of them, and what earlier layers gathered from around does not show; --maps input_gradient goes as "
            "far as the picture."
        )
