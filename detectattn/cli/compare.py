"""``detectattn compare``: a study of speed and accuracy that a decision can rest on."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

import typer

from detectattn.cli import options as opt

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Images, folders, patterns, text files of sources, videos, URLs. [default: the shipped samples]",
        show_default=False,
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "-m",
        "--model",
        metavar="[NAME=]MODEL",
        help="A model, or predictions made elsewhere (COCO results .json, records .jsonl); repeat it. "
        "[default: demo-rtdetr and demo-yolo]",
    ),
]
TruthOption = Annotated[
    str | None,
    typer.Option(
        "--truth",
        metavar="PATH",
        help="COCO .json, YOLO data.yaml or labels, VOC folder; `none` for none. [default: what lies by the images]",
    ),
]
ClassMapOption = Annotated[
    str | None,
    typer.Option(
        "--class-map",
        metavar="FILE",
        help="YAML lines `truth name: model name`, for classes that are called differently.",
    ),
]
DifficultOption = Annotated[
    str | None,
    typer.Option("--difficult", metavar="HOW", help="VOC's difficult objects: ignore or count. [default: ignore]"),
]
ConfOption = Annotated[
    float | None,
    typer.Option(
        "--conf",
        metavar="SCORE",
        help="Operating point, for pictures, counts and agreement. [default: best F1, or 0.25 without truth]",
    ),
]
RoundsOption = Annotated[
    int | None,
    typer.Option(
        "--rounds", metavar="N", help="Rounds of timing; 0 for none. [default: ten, or more until 50 images are timed]"
    ),
]
OwnSizeOption = Annotated[
    bool | None,
    typer.Option("--own-size/--matched-size", help="Let each model run at the size it was made for."),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="ENGINE",
        help="auto (PyTorch; for int8 and bf16 OpenVINO), torch, openvino or onnx: models are converted to it. "
        "[default: auto]",
    ),
]
SweepOption = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep",
        metavar="AXIS=VALUES",
        help="imgsz=320,480 | decoder_layers=2..4 | queries=50..150:50 | engine=torch,openvino | precision=fp32,int8; "
        "repeat it.",
    ),
]
ProductOption = Annotated[
    bool | None,
    typer.Option("--sweep-product", help="Cross the axes, rather than one at a time."),
]
BudgetOption = Annotated[
    list[str] | None,
    typer.Option("--budget", metavar="LIMIT", help="50ms or 500MB: name the best that fits."),
]
FailOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="CONDITION",
        help='Exit 1 where it holds: "demo-rtdetr.ap50_95 < 0.6".',
    ),
]
BaselineOption = Annotated[
    str | None,
    typer.Option("--baseline", metavar="REPORT.JSON", help="Exit 1 where this study falls short."),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", metavar="N", help="Take at most so many pictures; 0 for all. [default: 0]")
]
SeedOption = Annotated[int | None, typer.Option("--seed", metavar="N", help="Of the bootstrap. [default: 0]")]
PicturesOption = Annotated[
    bool | None, typer.Option("--images/--no-images", help="Keep pictures for the report. [default: yes]")
]
ExplainOption = Annotated[
    bool | None,
    typer.Option("--explain/--no-explain", help="Show where models looked for what they disagree on. [default: no]"),
]
PlaceOption = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FOLDER",
        help="Folder of the study; must not exist. With --cluster also s3:// and the like. [default: runs/compare-NNN]",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Detect on a Ray cluster (models are timed here): local, auto, HOST:PORT, ray://….",
    ),
]
ResumeOption = Annotated[
    str | None, typer.Option("--resume", metavar="RUN", help="Go on with an interrupted study, with its own options.")
]


def compare(
    sources: Sources = None,
    model: ModelsOption = None,
    out: PlaceOption = None,
    config: opt.ConfigOption = None,
    resume: ResumeOption = None,
    conf: ConfOption = None,
    limit: LimitOption = None,
    imgsz: opt.ImgszOption = None,
    device: opt.DeviceOption = None,
    engine: EngineOption = None,
    precision: opt.RunPrecisionOption = None,
    calibrate: opt.CalibrateOption = None,
    vid_stride: opt.StrideOption = None,
    images: PicturesOption = None,
    explain: ExplainOption = None,
    seed: SeedOption = None,
    truth: TruthOption = None,
    class_map: ClassMapOption = None,
    difficult: DifficultOption = None,
    rounds: RoundsOption = None,
    own_size: OwnSizeOption = None,
    sweep: SweepOption = None,
    sweep_product: ProductOption = None,
    budget: BudgetOption = None,
    fail_if: FailOption = None,
    baseline: BaselineOption = None,
    offline: opt.OfflineOption = None,
    trust_weights: opt.TrustOption = None,
    allow_truncated: opt.TruncatedOption = None,
    cluster: ClusterOption = None,
    replicas: opt.ReplicasOption = None,
    replica_cpus: opt.ReplicaCpusOption = None,
    replica_gpus: opt.ReplicaGpusOption = None,
    shard_size: opt.ShardOption = None,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
    as_json: opt.JsonOption = False,
) -> None:
    """Compare models on your images, with a verdict.

    Speed, memory, and accuracy; without ground truth, agreement.
    """
    from detectattn.cli.compare_run import CompareRun
    from detectattn.cli.compare_start import resume_study, start_study
    from detectattn.cli.console import Notices
    from detectattn.cli.predict_recorded import Given
    from detectattn.cli.predict_start import require_no_cluster_options
    from detectattn.config import CompareConfig, load_preset, resolve_options

    given: dict[str, Any] = {
        "model": model or None,
        "conf": conf,
        "limit": limit,
        "imgsz": imgsz,
        "device": device,
        "engine": engine,
        "precision": precision,
        "calibrate": calibrate,
        "vid_stride": vid_stride,
        "images": images,
        "explain": explain,
        "seed": seed,
        "truth": truth,
        "class_map": class_map,
        "difficult": difficult,
        "rounds": rounds,
        "own_size": own_size,
        "sweep": sweep or None,
        "sweep_product": sweep_product,
        "budget": budget or None,
        "fail_if": fail_if or None,
        "baseline": baseline,
        "offline": offline,
        "trust_weights": trust_weights,
        "allow_truncated": allow_truncated,
        "cluster": cluster,
        "replicas": replicas,
        "replica_cpus": replica_cpus,
        "replica_gpus": replica_gpus,
        "shard_size": shard_size,
    }
    notices = Notices(quiet=quiet, verbose=verbose)
    with ExitStack() as stack:
        if resume is not None:
            beside = {**given, "sources": sources, "out": out, "config": config}
            start = resume_study(resume, beside, notices, stack)
        else:
            preset = load_preset(config, CompareConfig) if config else {}
            options = resolve_options(CompareConfig, preset, given)
            if not options.cluster:
                require_no_cluster_options(Given((), preset, given, None))
            start = start_study(sources or (), options, out, notices)
        code = CompareRun(start, notices, as_json=as_json).execute()
    if code:
        raise typer.Exit(code)
