"""A study in which a text stands wherever a text can come from outside."""

from __future__ import annotations

from dataclasses import replace

from detectattn.report.content import Caveat, Frontier, FrontierPoint, Gate, Report, Sentence, TruthNote
from detectattn.results import ClassAgreement
from samples.studies.models import make_model
from samples.studies.pairs import make_agreement, make_conditions, make_differences, make_disputed, make_ratios


def make_hostile(report: Report, text: str) -> Report:
    """``report`` with ``text`` wherever a text can come from outside."""
    model = make_model(
        text, base=text, error=text, variant={"imgsz": text}, file=text, conf_reason=text, engine=text,
        status="failed",
    )  # fmt: skip
    judged = model.judgement
    assert judged is not None
    accuracy = replace(judged.accuracy, per_class={text: next(iter(judged.accuracy.per_class.values()))})
    names = (text, *judged.confusion.class_names[1:])
    judged = replace(judged, accuracy=accuracy, confusion=replace(judged.confusion, class_names=names))
    agreement = make_agreement(text, "other")
    pair = replace(agreement.pairs[0], per_class=(ClassAgreement(text, 1, 2, 3),))
    difference = make_differences(text, "other")[2]
    point = FrontierPoint(text, text, {"imgsz": text}, 1, 2, 0.5, True)
    return replace(
        report,
        models=(replace(model, judgement=judged, variant={}, status="finished"), replace(model, base="base")),
        verdict=(Sentence("speed", text, (text,)),),
        caveats=tuple(Caveat(c.topic, text) for c in report.caveats),
        conditions=replace(
            make_conditions(TruthNote(text, "coco", True, 1, 2, (text,), (text,))), sources=(text, "b.jpg")
        ),
        differences=(replace(difference, figures=replace(difference.figures, class_name=text)),),
        ratios=make_ratios(text, "other"),
        agreement=replace(agreement, pairs=(pair,), classes_left_out={text: (text,)}),
        disputed=make_disputed(text, "other", source=text),
        frontier=Frontier("agreement", text, (point, point)),
        gates=(Gate(text, True, text),),
        command=("detectattn", text),
        versions={"python": text},
        machine={"cpu": text},
    )
