"""Studies to render: one in which everything occurs, and what is left where there is less."""

from __future__ import annotations

from dataclasses import replace

from detectattn.report.content import (
    Caveat,
    Energy,
    Frontier,
    FrontierPoint,
    Gate,
    Memory,
    Report,
    Sentence,
    TruthNote,
)
from detectattn.results import Calibration
from samples.studies.models import CLASSES, NAN, make_conversion, make_judgement, make_model, make_speed
from samples.studies.pairs import make_agreement, make_conditions, make_differences, make_disputed, make_ratios


def make_study() -> Report:
    """Two models with variants, one that failed, predictions made elsewhere, and ground truth."""
    detr, yolo = "rtdetr-l", "yolo11n"
    variant = make_model(
        f"{detr} decoder_layers=3", 81, 0.58, base=detr, variant={"decoder_layers": 3}, family="attention",
        judgement=make_judgement(0.58, with_small=False),
    )  # fmt: skip
    failed = make_model(
        "broken", status="failed", error="the process was killed for memory", speed=None, memory=None, size=None,
        judgement=None, detections=0,
    )  # fmt: skip
    elsewhere = make_model(
        "elsewhere", kind="predictions", family=None, engine=None, device=None, precision=None, net_hw=None,
        net_pixels=None, file="theirs.json", speed=None, memory=None, size=None,
        judgement=replace(
            make_judgement(0.3), best_f1=None, equal_precision=None, precision=None, ap50_95_low=None,
            ap50_95_high=None, calibration=Calibration(0.5, 0.25, 0, NAN, NAN, NAN, NAN, ()),
        ),
    )  # fmt: skip
    return Report(
        created="2026-03-01T12:00:00+00:00",
        status="finished",
        verdict=(
            Sentence(
                "speed",
                f"{yolo} is 2.4× faster than {detr} (2.3–2.5): 43.1 ms against 103 ms an image.",
                (detr, yolo),
                True,
            ),
            Sentence("accuracy", f"{detr} is more accurate than {yolo}: AP 0.610 against 0.532.", (detr, yolo), True),
            Sentence("errors", f"{detr} loses most to missed objects (0.061 AP50).", (detr,)),
        ),
        caveats=(
            Caveat("images", "1 input could not be read, and no model saw it."),
            Caveat("model", "broken failed: the process was killed for memory.", ("broken",)),
            Caveat("truth", "3 images of the ground truth are not in the study."),
            Caveat("accuracy", "24 images are few: intervals are wide, and small differences stay open."),
            Caveat("speed", f"Timings of {yolo} are not to be trusted: its rounds differ by 14%.", (yolo,)),
            Caveat("pixels", "The models do not work on as many pixels a picture.", (detr, yolo)),
            Caveat("classes", f"{detr} does not know tram: those objects count as missed.", (detr,)),
            Caveat("queries", f"1 image holds more objects than the 300 that {detr} can find.", (detr,)),
            Caveat("agreement", f"Agreement leaves out classes of {yolo} that not all others know: dog.", (yolo,)),
        ),
        conditions=make_conditions(
            TruthNote("street/data.yaml", "yolo", False, 24, 249, tuple(CLASSES), ("3 images are not in the study",))
        ),
        models=(
            make_model(
                detr, 103.4, 0.61, family="attention", energy=Energy(3.21, "rapl"), memory=Memory(1893.7, 512.25)
            ),
            variant,
            make_model(yolo, 43.1, 0.532, speed=make_speed(43.1, trusted=False), conversion=make_conversion()),
            failed,
            elsewhere,
        ),
        differences=make_differences(detr, yolo),
        ratios=make_ratios(detr, yolo),
        agreement=make_agreement(detr, yolo),
        disputed=make_disputed(detr, yolo),
        frontier=Frontier(
            "ap50_95",
            None,
            (
                FrontierPoint(yolo, yolo, {}, 43.1, 612.4, 0.532, True),
                FrontierPoint(variant.name, detr, {"decoder_layers": 3}, 81, 1893.7, 0.58, True),
                FrontierPoint(detr, detr, {}, 103.4, 512.25, 0.61, True),
            ),
        ),
        gates=(
            Gate(f"{detr}.ap50_95 < 0.6", False, f"The ap50_95 of {detr} is 0.610, which is not below 0.6."),
            Gate(f"{yolo}.p50_ms > 40 ms", True, f"The p50_ms of {yolo} is 43.1 ms, which is above 40 ms."),
        ),
        command=(
            "detectattn",
            "compare",
            "street/images",
            "clip.mp4",
            "-m",
            detr,
            "--fail-if",
            f"{detr}.ap50_95 < 0.6",
        ),
        versions={"python": "3.12.3", "detectattn": "0.2.0", "openvino": "2026.1.0"},
        machine={
            "cpu": "Some Processor 9000",
            "cpu_features": ["AVX2", "AVX-512"],
            "logical_cores": 8,
            "usable_cores": 2,
            "memory_bytes": 16_500_000_000,
            "os": "Linux 6.1",
            "arch": "x86_64",
        },
    )


def leave_truth_out(study: Report) -> Report:
    """The same two models where nobody knows what is right."""
    frontier = study.frontier
    assert frontier is not None
    return replace(
        study,
        models=tuple(replace(study.models[i], judgement=None) for i in (0, 2)),
        caveats=(Caveat("truth", "There is no ground truth, so nothing here says which model is right."),),
        conditions=make_conditions(None),
        differences=(),
        frontier=Frontier("agreement", "rtdetr-l", (frontier.points[0], frontier.points[2])),
        gates=(),
    )


def keep_one(study: Report) -> Report:
    """A single model, neither timed nor judged."""
    return replace(
        study,
        models=(replace(study.models[0], speed=None, memory=None, energy=None, judgement=None),),
        verdict=(),
        caveats=(),
        conditions=replace(make_conditions(None), rounds=None, sittings=None, pictures_a_round=None),
        differences=(),
        ratios=(),
        agreement=None,
        disputed=(),
        frontier=None,
        gates=(),
    )
