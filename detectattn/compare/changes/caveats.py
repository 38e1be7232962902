"""What to know before relying on a comparison of two studies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detectattn.compare.changes.side import Side
from detectattn.compare.gate_values import to_text
from detectattn.compare.judge.score_floor import find_common_score, is_lopsided
from detectattn.report.changes import ImageChanges, ModelChange
from detectattn.report.content import Caveat


def find_caveats(
    before: Side,
    after: Side,
    models: Sequence[ModelChange],
    unmatched: tuple[Sequence[str], Sequence[str]],
    images: ImageChanges | None,
) -> tuple[Caveat, ...]:
    """Sentences, each with the figures that it is about.

    Args:
        before: The first study.
        after: The second.
        models: In both.
        unmatched: Names of those in the first alone, and in the second alone.
        images: Which pictures took part.
    """
    return (
        *_on_runs(before, after),
        *_on_renamed(before, after, *unmatched),
        *_on_images(images),
        *_on_times(images, models),
        *_on_truth(models),
        *_on_scores(before, after, models),
        *_on_weights(models),
    )


def _on_runs(before: Side, after: Side) -> Iterator[Caveat]:
    for side in (before, after):
        if side.records is None:
            text = f"{side.run} is a report without its records: its figures are compared, and no image by image."
            yield Caveat("model", text)
        if side.content.get("status") == "interrupted":
            yield Caveat("model", f"{side.run} was interrupted: models are missing from it.")


def _on_renamed(before: Side, after: Side, gone: Sequence[str], new: Sequence[str]) -> Iterator[Caveat]:
    checksums = {to_text(before.entry(name).get("sha256")): name for name in gone if _is_base(before, name)}
    for name in new:
        checksum = to_text(after.entry(name).get("sha256"))
        old = checksums.get(checksum) if checksum and _is_base(after, name) else None
        if old is not None:
            text = f"{name} has the weights that {old} had: --pair {old}={name} compares the two."
            yield Caveat("model", text, (name,))


def _is_base(side: Side, name: str) -> bool:
    return bool(side.entry(name).get("base", name) == name)


def _on_images(images: ImageChanges | None) -> Iterator[Caveat]:
    if images is None or not _differ(images):
        return
    parts = [
        f"{len(pictures):,} {what}"
        for pictures, what in (
            (images.removed, "in the first run alone"),
            (images.added, "in the second alone"),
            (images.resized, "of another size"),
        )
        if pictures
    ]
    rest = ", ".join(parts)
    text = f"The runs share {images.shared:,} {'image' if images.shared == 1 else 'images'}; {rest}"
    yield Caveat("images", f"{text}. Accuracy and detections are compared on those that they share.")


def _on_times(images: ImageChanges | None, models: Sequence[ModelChange]) -> Iterator[Caveat]:
    compared = any(model.speed is not None and model.speed.ratio is not None for model in models)
    if compared and images is not None and _differ(images):
        yield Caveat("speed", "Times were taken on other pictures, and decoding counts.")


def _differ(images: ImageChanges) -> bool:
    return bool(images.removed or images.added or images.resized)


def _on_truth(models: Sequence[ModelChange]) -> Iterator[Caveat]:
    judges = {model.accuracy.judged_by for model in models if model.accuracy is not None}
    if "after" in judges:
        yield Caveat("truth", "The ground truth of the second run judges both: that of the first is another, or none.")
    if "before" in judges:
        yield Caveat("truth", "The ground truth of the first run judges both: the second has none.")


def _on_scores(before: Side, after: Side, models: Sequence[ModelChange]) -> Iterator[Caveat]:
    for model in models:
        if model.accuracy is None or not model.accuracy.paired:
            continue
        floors = before.floor(model.before_name), after.floor(model.name)
        begin = (
            f"The records of {model.name} began at score {floors[0].score:.3g} and begin at {floors[1].score:.3g} now"
        )
        if find_common_score(*floors) is not None:
            yield Caveat("accuracy", f"{begin}: accuracy is compared from the higher one on.", (model.name,))
        elif is_lopsided(*floors):
            yield Caveat("accuracy", f"{begin}, which alone can change AP.", (model.name,))


def _on_weights(models: Sequence[ModelChange]) -> Iterator[Caveat]:
    for model in models:
        if model.same_weights is False:
            yield Caveat("model", f"{model.name} has other weights than before.", (model.name,))
