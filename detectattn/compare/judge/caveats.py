"""What a reader has to know before relying on the figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from detectattn.compare.judge.score_words import find_cut_caveats
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.evaluation.agreement import Agreement
from detectattn.report.content import Caveat, ModelReport

_FEW_IMAGES = 100
_NAMED = 6
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_UP_TO = re.compile(r"\b(by|kept) (\d)")


def find_caveats(
    records: StudyRecords, models: Sequence[ModelReport], agreement: Agreement | None
) -> tuple[Caveat, ...]:
    """Every caveat, those of the whole study first."""
    return (
        *_images(records),
        *_truth(records),
        *find_cut_caveats(models),
        *_failed(models),
        *_notes(records),
        *_noise(models),
        *_engines(models),
        *_pixels(models),
        *_apart(records),
        *_classes(models),
        *_agreement_classes(agreement),
        *_queries(records),
    )


def _images(records: StudyRecords) -> Iterator[Caveat]:
    if records.failures:
        count = len(records.failures)
        inputs = "1 input" if count == 1 else f"{count:,} inputs"
        yield Caveat("images", f"{inputs} could not be read, and no model saw them: failures.jsonl says why.")
    if any(p.warnings for p in records.pictures):
        count = sum(bool(p.warnings) for p in records.pictures)
        yield Caveat("images", f"Of the pictures, {count:,} carry a warning, such as being cut short.")


def _truth(records: StudyRecords) -> Iterator[Caveat]:
    truth = records.truth
    if truth is None:
        yield Caveat(
            "truth", "There is no ground truth, so nothing here says which model is right; name it with --truth."
        )
        return
    for note in truth.notes:
        yield Caveat("truth", f"{note[:1].upper()}{note[1:]}.")
    if not truth.count_objects().any():
        yield Caveat("truth", "The ground truth has no object to find in these images, so there is no accuracy.")
    elif len(truth.images) < _FEW_IMAGES:
        yield Caveat(
            "accuracy", f"{len(truth.images)} images are few: intervals are wide, and small differences stay open."
        )


def _failed(models: Sequence[ModelReport]) -> Iterator[Caveat]:
    for model in models:
        if model.status == "failed":
            yield Caveat("model", f"{model.name} failed: {(model.error or 'it broke off').rstrip('.')}.", (model.name,))


def _notes(records: StudyRecords) -> Iterator[Caveat]:
    """What holds for several is told once."""
    by_note: dict[str, list[str]] = {}
    for name, measured in records.measured.items():
        for note in measured.notes:
            by_note.setdefault(note, []).append(name)
    for note, names in by_note.items():
        yield Caveat("model", f"{_enumerate(names)}: {note}.", tuple(names))


def _noise(models: Sequence[ModelReport]) -> Iterator[Caveat]:
    """Reasons that differ in their figures alone are told once, with the worst."""
    by_kind: dict[str, dict[str, str]] = {}
    for model in models:
        for reason in () if model.speed is None else model.speed.noise.reasons:
            by_kind.setdefault(_NUMBER.sub("#", reason), {})[model.name] = reason
    for reasons in by_kind.values():
        worst = max(reasons.values(), key=lambda reason: float(_NUMBER.findall(reason)[0]))
        names = tuple(reasons)
        several = len(set(reasons.values())) > 1
        # One figure for several is the worst of them.
        told = _UP_TO.sub(r"\1 up to \2", worst, count=1) if several else worst
        yield Caveat("speed", f"Timings of {_enumerate(names)} are not to be trusted: {told}.", names)


def _engines(models: Sequence[ModelReport]) -> Iterator[Caveat]:
    """Models that ran on unlike engines, devices or precisions."""
    bases = [m for m in models if m.base == m.name and m.engine and m.status == "finished"]
    if len({(m.engine, m.device, m.precision) for m in bases}) > 1:
        told = "; ".join(f"{m.name} on {m.engine} ({m.device}, {m.precision})" for m in bases)
        text = (
            f"The models did not run alike: {told}. That decides a part of what they take, and maybe of what they find."
        )
        yield Caveat("speed", text, _names(bases))


def _pixels(models: Sequence[ModelReport]) -> Iterator[Caveat]:
    bases = [m for m in models if m.base == m.name and m.net_pixels]
    if len({m.net_pixels for m in bases}) > 1:
        sizes = "; ".join(f"{m.name} {m.net_pixels:,.0f}" for m in bases)
        yield Caveat("pixels", f"The models do not work on as many pixels a picture: {sizes}.", _names(bases))


def _apart(records: StudyRecords) -> Iterator[Caveat]:
    """Models that were timed apart have no paired ratio."""
    groups = {m.timed.together for m in records.measured.values() if m.timed is not None and m.base == m.name}
    if len(groups) > 1:
        yield Caveat("speed", "Not all models were timed in the same rounds; those timed apart have no ratio.")


def _classes(models: Sequence[ModelReport]) -> Iterator[Caveat]:
    for model in models:
        judged = model.judgement
        if judged is None or model.base != model.name:
            continue
        if judged.only_truth:
            named = _enumerate(judged.only_truth)
            yield Caveat(
                "classes", f"{model.name} does not know {named}: those objects count as missed.", (model.name,)
            )
        if judged.only_model and judged.accuracy.left_out:
            left_out = [f"{name} ({count:,})" for name, count in judged.accuracy.left_out.items()]
            text = (
                f"Detections of {model.name} that the ground truth cannot judge are left out: {_enumerate(left_out)}."
            )
            yield Caveat("classes", text, (model.name,))


def _agreement_classes(agreement: Agreement | None) -> Iterator[Caveat]:
    for name, classes in {} if agreement is None else agreement.classes_left_out.items():
        if classes:
            text = f"Agreement leaves out classes of {name} that not all others know: {_enumerate(classes)}."
            yield Caveat("agreement", text, (name,))


def _queries(records: StudyRecords) -> Iterator[Caveat]:
    """Pictures that hold more objects than a model can name."""
    truth = records.truth
    if truth is None or not truth.images:
        return
    objects = truth.count_objects().sum(axis=1)
    for name, measured in records.measured.items():
        limit = measured.max_det
        crowded = 0 if limit is None else int(np.count_nonzero(objects > limit))
        if crowded:
            images = "1 image holds" if crowded == 1 else f"{crowded:,} images hold"
            text = f"{images} more objects than the {limit} that {name} can find; the most is {int(objects.max()):,}."
            yield Caveat("queries", text, (name,))


def _names(models: Sequence[ModelReport]) -> tuple[str, ...]:
    return tuple(m.name for m in models)


def _enumerate(items: Sequence[str]) -> str:
    shown = list(items[:_NAMED])
    if len(items) > _NAMED:
        shown.append(f"{len(items) - _NAMED:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
