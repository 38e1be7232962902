"""How a study was done, and with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from detectattn.report.cells import (
    FAMILY_NAMES,
    MISSING,
    base_models,
    count,
    drift,
    figure,
    percent,
    rounds_text,
    share,
    size_wh,
    variant_text,
)
from detectattn.report.content import Conditions, Conversion, ModelReport, Report, TruthNote
from detectattn.report.tables.base import Cell, Code, Name, Table, make_table


def gate_table(report: Report) -> Table | None:
    """Conditions that the study had to meet, those that it fails first; None without any."""
    if not report.gates:
        return None
    gates = sorted(report.gates, key=lambda gate: not gate.failed)
    rows = [("failed" if gate.failed else "passed", Code(gate.condition), gate.text) for gate in gates]
    table = make_table("gates", "Conditions on the figures", ("outcome", "condition", "figures"), rows)
    return replace(table, names_row=1, strong=frozenset(i for i, gate in enumerate(gates) if gate.failed))


def condition_table(report: Report) -> Table:
    """How the study was done."""
    return make_table("conditions", "How the study was done", ("what", "how"), list(_iter_conditions(report)))


def _iter_conditions(report: Report) -> Iterator[tuple[str, Cell]]:
    conditions = report.conditions
    yield "sources", _sources(conditions)
    yield "images", f"{count(conditions.images)}, of median size {size_wh(conditions.median_size_hw)}"
    if conditions.image_failures:
        yield "inputs that could not be read", count(conditions.image_failures)
    yield "ground truth", "none" if conditions.truth is None else _truth(conditions.truth)
    yield "pixels of the network's input", "as many for all models" if conditions.matched_pixels else "not matched"
    if conditions.rounds is not None:
        yield "timing", rounds_text(conditions)
    own = "each model's own" if conditions.conf is None else f"score {figure(conditions.conf)} for all"
    yield "operating point", own
    yield "accuracy from", _accuracy_from(report)
    yield "bootstrap", f"{count(conditions.resamples)} resamples, seed {conditions.seed}"


def _accuracy_from(report: Report) -> str:
    """How low the scores reach, and whose do not."""
    conditions = report.conditions
    rules = f"NMS at IoU {conditions.iou:g}, {conditions.max_det} an image"
    cut = [(m.name, m.scores_from) for m in report.models if (m.scores_from or 0.0) > conditions.accuracy_conf]
    if cut and len(cut) == len(report.models):
        return f"the scores that their records begin at: {', '.join(f'{name} {score:.3g}' for name, score in cut)}"
    begin = "".join(f"; {name} from {score:.3g} on, where its records begin" for name, score in cut)
    return f"scores down to {conditions.accuracy_conf:g}, {rules}{begin}"


def _sources(conditions: Conditions) -> Cell:
    parts = [part for source in conditions.sources for part in (", ", Code(source))]
    return tuple(parts[1:]) or "none given"


def _truth(truth: TruthNote) -> Cell:
    how = "named" if truth.named else "found beside the images"
    rest = f"{count(truth.images)} images, {count(truth.objects)} objects of {count(len(truth.classes))} classes"
    return Code(truth.path), f" ({truth.format}, {how}): {rest}"


def model_table(report: Report) -> Table:
    """What took part."""
    header = (
        "model", "family", "engine", "device", "precision", "input", "operating point", "because", "detections",
        "status",
    )  # fmt: skip
    return make_table(
        "models", "What took part", header, [*map(_model_cells, report.models)], numbers=(6, 8), sparse=True
    )


def _model_cells(model: ModelReport) -> tuple[str, ...]:
    family = "predictions" if model.kind == "predictions" else FAMILY_NAMES.get(model.family or "", MISSING)
    changed = variant_text(model)
    failed = f"failed: {model.error or 'it broke off'}" if model.status == "failed" else ""
    return (
        Name(model.name),
        family,
        model.engine or MISSING,
        model.device or MISSING,
        model.precision or MISSING,
        size_wh(model.net_hw),
        *((MISSING,) * 3 if failed else (share(model.conf), model.conf_reason, count(model.detections))),
        failed or (f"variant of {model.base}: {changed}" if changed else "finished"),
    )


def conversion_table(report: Report) -> Table | None:
    """How far what ran is from the models themselves; None where all ran as they are."""
    rows = [_conversion_cells(m.name, m.conversion) for m in report.models if m.conversion is not None]
    if not rows:
        return None
    header = ("model", "found by both", "boxes moved", "scores moved", "raw boxes", "raw scores", "compared on")
    caption = "Converted models beside themselves in PyTorch; the median and 99 of 100, boxes in parts of their side"
    return make_table("conversions", caption, header, rows, numbers=(1, 2, 3, 4, 5), sparse=True)


def _conversion_cells(name: str, made: Conversion) -> tuple[Cell, ...]:
    compared = f"{count(made.detection_count)} detections in {count(made.picture_count)} pictures: {made.compared_on}"
    if made.calibrated_on is not None:
        same = made.calibrated_on == made.compared_on
        compared += f"; INT8 calibrated on {'the same' if same else made.calibrated_on}"
    return (
        Name(name),
        percent(made.matched_share),
        f"{percent(made.box_share_p50)}, {percent(made.box_share_p99)}" if made.box_share_p50 is not None else MISSING,
        f"{drift(made.score_p50)}, {drift(made.score_p99)}" if made.score_p50 is not None else MISSING,
        percent(made.raw_box_error),
        percent(made.raw_score_error),
        compared,
    )


def file_table(report: Report) -> Table:
    """The files that took part, and their checksums; variants have the file of their model."""
    rows = [(Name(m.name), Code(m.file), Code(m.sha256)) for m in base_models(report)]
    made = [
        (Name(m.name), f"converted: {m.conversion.engine}, {m.conversion.precision}", Code(m.conversion.sha256))
        for m in report.models
        if m.conversion is not None
    ]
    return make_table("files", "Files and their checksums", ("model", "file", "SHA-256"), [*rows, *made])


def machine_table(report: Report) -> Table:
    """The machine, and versions of Python, packages and this project."""
    machine = [(name.removesuffix("_bytes").replace("_", " "), _show(name, v)) for name, v in report.machine.items()]
    versions = [(name, version) for name, version in report.versions.items()]
    return make_table("machine", "Machine and versions", ("what", "which"), [*machine, *versions])


def _show(name: str, value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, int) and name.endswith("_bytes"):
        return f"{figure(value / 1e9)} GB"
    return "unknown" if value is None else str(value)
