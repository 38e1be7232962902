"""``detectattn export``: convert a model, then check it against the original on real images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detectattn.cli import options as opt

Model = Annotated[
    str,
    typer.Argument(metavar="[NAME=]MODEL", help="Registry name, .pt, embedded model or URL.", show_default=False),
]
EngineOption = Annotated[str, typer.Option("--engine", metavar="ENGINE", help="openvino, onnx or tensorrt.")]
PrecisionOption = Annotated[str, typer.Option("--precision", metavar="PRECISION", help="fp32, fp16 or int8.")]
BatchOption = Annotated[
    int, typer.Option("--batch", metavar="N", help="Fix how many images go through together; 0 for any number.")
]
LayersOption = Annotated[
    int | None, typer.Option("--decoder-layers", metavar="N", help="RT-DETR: keep the first so many layers.")
]
QueriesOption = Annotated[
    int | None, typer.Option("--queries", metavar="N", help="RT-DETR: start from so many queries.")
]
CalibrateOption = Annotated[
    str | None, typer.Option("--calibrate", metavar="SOURCE", help="Images that INT8 is calibrated on, and judged on.")
]
PicturesOption = Annotated[
    str | None,
    typer.Option(
        "--pictures",
        metavar="SOURCE",
        help="Images to compare both models on. [default: those of --calibrate, else the shipped street scenes]",
    ),
]
LimitOption = Annotated[int, typer.Option("--limit", metavar="N", help="Images to compare on, at most.")]
TruthOption = Annotated[
    str | None,
    typer.Option("--truth", metavar="PATH", help="Ground truth of these images: the loss of AP has limits too."),
]
OutOption = Annotated[Path | None, opt.out_folder("Folder of the model; must not exist. [default: runs/export-NNN]")]
ForceOption = Annotated[bool, typer.Option("--force", help="Keep a model that differs too much, and say so in it.")]


def export(
    model: Model,
    engine: EngineOption = "openvino",
    precision: PrecisionOption = "fp32",
    imgsz: opt.ImgszOption = None,
    batch: BatchOption = 0,
    decoder_layers: LayersOption = None,
    queries: QueriesOption = None,
    calibrate: CalibrateOption = None,
    pictures: PicturesOption = None,
    limit: LimitOption = 32,
    truth: TruthOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    offline: opt.OfflineOption = None,
    trust_weights: opt.TrustOption = None,
    quiet: opt.QuietOption = False,
    as_json: opt.JsonOption = False,
) -> None:
    """Convert a model, and check that it still is the same.

    To OpenVINO, ONNX or TensorRT; checked on real images.
    """
    from detectattn.cli.console import Notices
    from detectattn.cli.export_run import ExportRequest, run_export

    request = ExportRequest(
        model=model,
        engine=engine,
        precision=precision,
        imgsz=imgsz or "",
        batch=batch,
        decoder_layers=decoder_layers,
        queries=queries,
        calibrate=calibrate or "",
        pictures=pictures or "",
        limit=limit,
        truth=truth or "",
        out=out,
        force=force,
        offline=bool(offline),
        trust_weights=bool(trust_weights),
    )
    run_export(request, Notices(quiet=quiet), as_json=as_json)
