"""Where the models agree, and on which pictures they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detectattn.compare.judge.single_label import keep_best_label
from detectattn.compare.judge.study_records import StudyRecords
from detectattn.evaluation.agreement import Agreement, ImageAgreement, compute_agreement
from detectattn.evaluation.disputes import select_disputed
from detectattn.report.content import AgreementReport, DisputedImage

_MOST_LISTED = 100


def agree(records: StudyRecords, scores: Mapping[str, float]) -> Agreement | None:
    """Set the models (not their variants) against each other; None for a single one."""
    names = records.finished_bases
    if len(names) < 2:
        return None
    found = {name: [keep_best_label(p) for p in records.predictions[name]] for name in names}
    return compute_agreement(found, {name: scores[name] for name in names}, seed=records.config.seed)


def to_agreement_report(agreement: Agreement) -> AgreementReport:
    """The counts, without the pictures."""
    return AgreementReport(
        class_names=agreement.class_names,
        classes_left_out=agreement.classes_left_out,
        images=len(agreement.images),
        images_left_out=agreement.images_left_out,
        pairs=agreement.pairs,
        alone=agreement.alone,
    )


def list_disputed(agreement: Agreement, drawn: Mapping[tuple[str, int], str]) -> tuple[DisputedImage, ...]:
    """The most disputed pictures, at most 100."""
    images = select_disputed(agreement, _MOST_LISTED)
    return tuple(_to_disputed(image, agreement.models, drawn) for image in images)


def _to_disputed(image: ImageAgreement, models: Sequence[str], drawn: Mapping[tuple[str, int], str]) -> DisputedImage:
    there = image.objects != -1
    single = there.sum(axis=1) == 1
    return DisputedImage(
        source=image.source,
        index=image.index,
        disagreement=image.disagreement,
        all_find=int(there.all(axis=1).sum()),
        only={name: int((single & there[:, k]).sum()) for k, name in enumerate(models)},
        picture=drawn.get((image.source, image.index)),
    )
