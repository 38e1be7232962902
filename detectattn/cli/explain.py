"""``detectattn explain``: where each detection comes from, and how true that picture is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from detectattn.cli import options as opt

ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "-m",
        "--model",
        metavar="[NAME=]MODEL",
        help="Registry name (`detectattn models list`), .pt, URL, or an export beside its .pt; repeat it. "
        "[default: rtdetr-l]",
    ),
]
OutOption = Annotated[Path | None, opt.out_folder("Folder of the run; must not exist. [default: runs/explain-NNN]")]
ConfOption = Annotated[
    float | None,
    typer.Option(
        "--conf",
        metavar="SCORE",
        help="Explain detections scored above this; if there are none, the best. [default: 0.25]",
    ),
]
TopOption = Annotated[
    int | None, typer.Option("--top", metavar="N", help="Objects a picture at most, the surest. [default: 8]")
]
MapsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--maps",
        metavar="NAME,...",
        help="cross_last, cross_all, rollout, encoder_rows, layercam, hirescam, input_gradient; the first that fits a "
        "model is shown. [default: all but input_gradient, which is slow]",
    ),
]
LayerOption = Annotated[
    int | None,
    typer.Option(
        "--layer", metavar="N", help="Show this layer of attention, from 0, where there is one. [default: last]"
    ),
]
HeadOption = Annotated[
    int | None,
    typer.Option("--head", metavar="N", help="Show this head of attention, from 0. [default: the mean of all]"),
]
ScoreOption = Annotated[
    bool | None,
    typer.Option("--score/--no-score", help="Score every map by deletion and insertion: some 20 passes a map."),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option("--precision", metavar="PRECISION", help="fp32: attention is checked against what the model gives."),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", metavar="N", help="Take at most so many pictures; 0 for all. [default: 0]")
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Of the random maps for comparison. [default: 0]")
]
SheetsOption = Annotated[
    bool | None, typer.Option("--images/--no-images", help="Draw a sheet a picture. [default: yes]")
]


def explain(
    sources: opt.Sources,
    model: ModelsOption = None,
    out: OutOption = None,
    config: opt.ConfigOption = None,
    conf: ConfOption = None,
    iou: opt.IouOption = None,
    classes: opt.ClassesOption = None,
    top: TopOption = None,
    maps: MapsOption = None,
    layer: LayerOption = None,
    head: HeadOption = None,
    score: ScoreOption = None,
    imgsz: opt.ImgszOption = None,
    device: opt.TorchDeviceOption = None,
    precision: PrecisionOption = None,
    limit: LimitOption = None,
    vid_stride: opt.StrideOption = None,
    seed: SeedOption = None,
    images: SheetsOption = None,
    offline: opt.OfflineOption = None,
    trust_weights: opt.TrustOption = None,
    allow_truncated: opt.TruncatedOption = None,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
    as_json: opt.JsonOption = False,
) -> None:
    """Show where each detection comes from, and how true that is.

    Draw maps of attention and of gradients, and say how true they are.
    """
    from detectattn.cli.console import Notices
    from detectattn.cli.explain_run import ExplainRun
    from detectattn.config import ExplainConfig, load_preset, resolve_options

    given: dict[str, Any] = {
        "model": model or None,
        "conf": conf,
        "iou": iou,
        "classes": classes or None,
        "top": top,
        "maps": maps or None,
        "layer": layer,
        "head": head,
        "score": score,
        "imgsz": imgsz,
        "device": device,
        "precision": precision,
        "limit": limit,
        "vid_stride": vid_stride,
        "seed": seed,
        "images": images,
        "offline": offline,
        "trust_weights": trust_weights,
        "allow_truncated": allow_truncated,
    }
    preset = load_preset(config, ExplainConfig) if config else {}
    applied = resolve_options(ExplainConfig, preset, given)
    code = ExplainRun(sources, applied, out, Notices(quiet=quiet, verbose=verbose), as_json=as_json).execute()
    if code:
        raise typer.Exit(code)
