"""``detectattn predict``: annotated images and videos, records, a summary."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from detectattn.cli import options as opt

if TYPE_CHECKING:
    from detectattn.cli.predict_recorded import Given


def predict(
    sources: opt.SourcesOrNone = None,
    model: opt.ModelOption = None,
    out: opt.PlaceOption = None,
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
    isolate: opt.IsolateOption = None,
    save: opt.SaveOption = None,
    images: opt.ImagesOption = None,
    show: opt.ShowOption = None,
    offline: opt.OfflineOption = None,
    trust_weights: opt.TrustOption = None,
    allow_truncated: opt.TruncatedOption = None,
    max_failures: opt.MaxFailuresOption = None,
    reconnect: opt.ReconnectOption = None,
    rotate: opt.RotateOption = None,
    cluster: opt.ClusterOption = None,
    replicas: opt.ReplicasOption = None,
    replica_cpus: opt.ReplicaCpusOption = None,
    replica_gpus: opt.ReplicaGpusOption = None,
    shard_size: opt.ShardOption = None,
    profile: opt.ProfileOption = None,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
    as_json: opt.JsonOption = False,
) -> None:
    """Detect objects: annotated images and videos, and records."""
    from detectattn.cli.predict_recorded import Given
    from detectattn.cli.predict_start import is_cluster_run, require_folder, require_no_cluster_options
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
        "isolate": isolate,
        "save": save or None,
        "images": images,
        "show": show,
        "offline": offline,
        "trust_weights": trust_weights,
        "allow_truncated": allow_truncated,
        "max_failures": max_failures,
        "reconnect": reconnect,
        "rotate": rotate,
        "cluster": cluster,
        "replicas": replicas,
        "replica_cpus": replica_cpus,
        "replica_gpus": replica_gpus,
        "shard_size": shard_size,
    }
    preset = load_preset(config) if config else {}
    if is_cluster_run(cluster or preset.get("cluster"), resume):
        from detectattn.cli.predict_cluster import Manner, predict_on_cluster

        typed = Given(tuple(sources or ()), preset, given, None)
        code = predict_on_cluster(typed, out, resume, Manner(profile, quiet=quiet, verbose=verbose, as_json=as_json))
    else:
        typed = Given(tuple(sources or ()), preset, given, require_folder(out))
        require_no_cluster_options(typed)
        code = _predict_here(
            typed, require_folder(resume), profile=profile, quiet=quiet, verbose=verbose, as_json=as_json
        )
    if code:
        raise typer.Exit(code)


def _predict_here(
    typed: Given, resume: Path | None, *, profile: Path | None, quiet: bool, verbose: bool, as_json: bool
) -> int:
    from detectattn.cli.predict_run import PredictRun
    from detectattn.cli.predict_start import resume_run, start_run, tell_finished

    with ExitStack() as stack:
        start = start_run(typed) if resume is None else resume_run(resume, typed, stack)
        if start is None:
            assert resume is not None
            tell_finished(resume, quiet=quiet, as_json=as_json)
            return 0
        return PredictRun(
            start.sources,
            start.config,
            start.out,
            profile=profile,
            quiet=quiet,
            verbose=verbose,
            as_json=as_json,
            resumed=start.resumed,
        ).execute()
