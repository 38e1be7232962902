"""``detectattn predict``: annotated images and videos, records, a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from detectattn.cli import options as opt

if TYPE_CHECKING:
    from detectattn.config import PredictConfig

EXIT_PARTIAL = 4


def predict(
    sources: opt.Sources,
    model: opt.ModelOption = None,
    out: opt.OutOption = None,
    config: opt.ConfigOption = None,
    conf: opt.ConfOption = None,
    iou: opt.IouOption = None,
    classes: opt.ClassesOption = None,
    max_det: opt.MaxDetOption = None,
    imgsz: opt.ImgszOption = None,
    device: opt.DeviceOption = None,
    engine: opt.EngineOption = None,
    precision: opt.PrecisionOption = None,
    batch: opt.BatchOption = None,
    vid_stride: opt.StrideOption = None,
    save: opt.SaveOption = None,
    images: opt.ImagesOption = None,
    show: opt.ShowOption = None,
    offline: opt.OfflineOption = None,
    trust_weights: opt.TrustOption = None,
    allow_truncated: opt.TruncatedOption = None,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
    as_json: opt.JsonOption = False,
) -> None:
    """Detect objects: annotated images and videos, one record each, a summary."""
    from detectattn.cli.predict_run import PredictRun
    from detectattn.config import load_preset, resolve_config

    given: dict[str, Any] = {
        "model": model,
        "conf": conf,
        "iou": iou,
        "classes": classes or None,
        "max_det": max_det,
        "imgsz": imgsz,
        "device": device,
        "engine": engine,
        "precision": precision,
        "batch": batch,
        "vid_stride": vid_stride,
        "save": save or None,
        "images": images,
        "show": show,
        "offline": offline,
        "trust_weights": trust_weights,
        "allow_truncated": allow_truncated,
    }
    applied: PredictConfig = resolve_config(load_preset(config) if config else {}, given)
    run = PredictRun(sources, applied, out, quiet=quiet, verbose=verbose, as_json=as_json)
    code = run.execute()
    if code:
        raise typer.Exit(code)
