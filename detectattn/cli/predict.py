"""``detectattn predict``: annotated images and videos, records, a summary."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import typer

from detectattn.cli import options as opt

EXIT_PARTIAL = 4


def predict(
    sources: opt.SourcesOrNone = None,
    model: opt.ModelOption = None,
    out: opt.OutOption = None,
    config: opt.ConfigOption = None,
    resume: opt.ResumeOption = None,
    conf: opt.ConfOption = None,
    iou: opt.IouOption = None,
    classes: opt.ClassesOption = None,
    max_det: opt.MaxDetOption = None,
    imgsz: opt.ImgszOption = None,
    device: opt.DeviceOption = None,
    engine: opt.EngineOption = None,
    precision: opt.RunPrecisionOption = None,
    calibrate: opt.CalibrateOption = None,
    batch: opt.BatchOption = None,
    vid_stride: opt.StrideOption = None,
    decode: opt.DecodeOption = None,
    save: opt.SaveOption = None,
    images: opt.ImagesOption = None,
    show: opt.ShowOption = None,
    offline: opt.OfflineOption = None,
    trust_weights: opt.TrustOption = None,
    allow_truncated: opt.TruncatedOption = None,
    max_failures: opt.MaxFailuresOption = None,
    profile: opt.ProfileOption = None,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
    as_json: opt.JsonOption = False,
) -> None:
    """Detect objects: annotated images and videos, one record each, a summary."""
    from detectattn.cli.predict_run import PredictRun
    from detectattn.cli.predict_start import Given, resume_run, start_run, tell_finished
    from detectattn.config import load_preset

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
        "calibrate": calibrate,
        "batch": batch,
        "vid_stride": vid_stride,
        "decode": decode,
        "save": save or None,
        "images": images,
        "show": show,
        "offline": offline,
        "trust_weights": trust_weights,
        "allow_truncated": allow_truncated,
        "max_failures": max_failures,
    }
    typed = Given(tuple(sources or ()), load_preset(config) if config else {}, given, out)
    with ExitStack() as stack:
        start = start_run(typed) if resume is None else resume_run(resume, typed, stack)
        if start is None:
            assert resume is not None
            tell_finished(resume, quiet=quiet, as_json=as_json)
            return
        code = PredictRun(
            start.sources,
            start.config,
            start.out,
            profile=profile,
            quiet=quiet,
            verbose=verbose,
            as_json=as_json,
            resumed=start.resumed,
        ).execute()
    if code:
        raise typer.Exit(code)
