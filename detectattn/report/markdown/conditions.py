"""How the study was done, and with what."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.report.cells import FAMILY_NAMES, MISSING, count, figure, share, size_wh, variant_text
from detectattn.report.content import Conditions, ModelReport, Report, TruthNote
from detectattn.report.markdown.text import Markdown, code, table


def iter_conditions(report: Report) -> Iterator[str]:
    """The sections on conditions and models."""
    yield "## Conditions"
    yield table(("what", "how"), list(_iter_rows(report.conditions)))
    yield "## Models"
    yield _models(report)
    yield _files(report)


def _iter_rows(conditions: Conditions) -> Iterator[tuple[str, str]]:
    yield "sources", Markdown(", ".join(map(code, conditions.sources))) if conditions.sources else "none given"
    yield "images", f"{count(conditions.images)}, of median size {size_wh(conditions.median_size_hw)}"
    if conditions.image_failures:
        yield "inputs that could not be read", count(conditions.image_failures)
    yield "ground truth", "none" if conditions.truth is None else _truth(conditions.truth)
    yield "pixels of the network's input", "as many for all models" if conditions.matched_pixels else "not matched"
    if conditions.rounds is not None:
        yield (
            "timing",
            f"{count(conditions.rounds)} interleaved rounds of {count(conditions.pictures_a_round)} pictures",
        )
    own = "each model's own" if conditions.conf is None else f"score {figure(conditions.conf)} for all"
    yield "operating point", own
    yield (
        "accuracy from",
        f"scores down to {conditions.accuracy_conf:g}, NMS at IoU {conditions.iou:g}, {conditions.max_det} an image",
    )
    yield "bootstrap", f"{count(conditions.resamples)} resamples, seed {conditions.seed}"


def _truth(truth: TruthNote) -> Markdown:
    how = "named" if truth.named else "found beside the images"
    rest = f"{count(truth.images)} images, {count(truth.objects)} objects of {count(len(truth.classes))} classes"
    return Markdown(f"{code(truth.path)} ({truth.format}, {how}): {rest}")


def _models(report: Report) -> str:
    header = (
        "model", "family", "engine", "device", "precision", "input", "operating point", "because", "detections",
        "status",
    )  # fmt: skip
    return table(header, [_model_row(model) for model in report.models], numbers=(6, 8), sparse=True)


def _model_row(model: ModelReport) -> tuple[str, ...]:
    family = "predictions" if model.kind == "predictions" else FAMILY_NAMES.get(model.family or "", MISSING)
    changed = variant_text(model)
    failed = f"failed: {model.error or 'it broke off'}" if model.status == "failed" else ""
    return (
        model.name,
        family,
        model.engine or MISSING,
        model.device or MISSING,
        model.precision or MISSING,
        size_wh(model.net_hw),
        *((MISSING,) * 3 if failed else (share(model.conf), model.conf_reason, count(model.detections))),
        failed or (f"variant of {model.base}: {changed}" if changed else "finished"),
    )


def _files(report: Report) -> str:
    # Variants have the file of their model.
    rows = [(m.name, code(m.file), code(m.sha256)) for m in report.models if m.base == m.name]
    return table(("model", "file", "SHA-256"), rows)
