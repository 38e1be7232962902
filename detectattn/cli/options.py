"""Options that commands share, as Typer wants them; None is "not given": presets and defaults then apply."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from detectattn.errors import ConfigError


def to_local_path(text: str) -> Path:
    """A path, as Typer's ``parser``; an address would be a path of nonsense, such as a folder called ``s3:``.

    Raises:
        ConfigError: It is an address.
    """
    if "://" in text:
        from detectattn.fetch import redact_url

        raise ConfigError(
            f"{redact_url(text)} is an address, and what stands here must be a path of this machine",
            hint="Copy it from or to there by other means; predict and compare go there themselves, with --cluster",
        )
    return Path(text)


def out_folder(help_text: str) -> OptionInfo:
    """``-o`` of a command that writes to this machine alone."""
    option: OptionInfo = typer.Option("-o", "--out", metavar="FOLDER", parser=to_local_path, help=help_text)
    return option


Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Image, folder, pattern, text file of sources, video, URL, stream, camera index, or - for standard input. "
        "Folders and patterns may lie in object storage (s3://…).",
        show_default=False,
    ),
]
SourcesOrNone = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Image, folder, pattern, text file of sources, video, URL, stream, camera index, or - for standard input.",
        show_default=False,
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        metavar="[NAME=]MODEL",
        help="Registry name (`detectattn models list`), .pt, .onnx, OpenVINO folder or URL. [default: rtdetr-l]",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--config",
        metavar="PRESET",
        help="YAML preset: a path, or the name of a shipped one. Options win over it.",
    ),
]
ConfOption = Annotated[
    float | None, typer.Option("--conf", metavar="SCORE", help="Keep detections scored above this. [default: 0.25]")
]
IouOption = Annotated[
    float | None,
    typer.Option("--iou", metavar="OVERLAP", help="Overlap above which YOLO's weaker box is dropped. [default: 0.7]"),
]
ClassesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--classes", metavar="CLASS,...", help="Class names or indices to keep, comma-separated. [default: all]"
    ),
]
MaxDetOption = Annotated[
    int | None, typer.Option("--max-det", metavar="N", help="Detections an image at most. [default: 300]")
]
ImgszOption = Annotated[
    str | None,
    typer.Option(
        "--imgsz", metavar="SIZE", help="Network input: 640, or 480x640 as height x width. [default: the model's]"
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1, mps, or an OpenVINO device. [default: auto]"
    ),
]
TorchDeviceOption = Annotated[
    str | None, typer.Option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:1 or mps. [default: auto]")
]
EngineOption = Annotated[
    str | None,
    typer.Option("--engine", metavar="ENGINE", help="auto, torch, openvino, onnx or tensorrt. [default: auto]"),
]
PrecisionOption = Annotated[
    str | None, typer.Option("--precision", metavar="PRECISION", help="auto, fp32 or fp16. [default: auto]")
]
RunPrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision", metavar="PRECISION", help="auto, fp32, fp16, bf16 or int8 (see --calibrate). [default: auto]"
    ),
]
CalibrateOption = Annotated[
    str | None,
    typer.Option(
        "--calibrate", metavar="SOURCE", help="Pictures that INT8 is calibrated on. [default: a sample of the sources]"
    ),
]
BatchOption = Annotated[
    str | None,
    typer.Option(
        "--batch",
        metavar="N|auto",
        help="Images that go through together; auto tries which is fastest. [default: 1 on CPU, 8 on a GPU]",
    ),
]
ProfileOption = Annotated[
    Path | None,
    typer.Option("--profile", metavar="FILE.json", help="Write a timeline of all stages, to open in ui.perfetto.dev."),
]
StrideOption = Annotated[
    int | None, typer.Option("--vid-stride", metavar="N", help="Take every n-th video frame. [default: 1]")
]
DecodeOption = Annotated[
    str | None,
    typer.Option(
        "--decode",
        metavar="HOW",
        help="full, or reduced: the model sees JPEGs far larger than its input at 1/2, 1/4 or 1/8. [default: full]",
    ),
]
IsolateOption = Annotated[
    str | None,
    typer.Option(
        "--isolate",
        metavar="WHICH",
        help="Decode in processes of their own, which may crash: auto (all but sound JPEG and PNG), all or none. "
        "[default: auto]",
    ),
]
SaveOption = Annotated[
    list[str] | None,
    typer.Option(
        "--save", metavar="FORMAT,...", help="More outputs, comma-separated: parquet, csv, coco, yolo, voc, crops."
    ),
]
ImagesOption = Annotated[
    bool | None, typer.Option("--images/--no-images", help="Write annotated images and videos. [default: yes]")
]
ShowOption = Annotated[
    bool | None, typer.Option("--show/--no-show", help="Show annotated output in a window as it is made.")
]
OfflineOption = Annotated[bool | None, typer.Option("--offline/--online", help="Refuse every download.")]
TrustOption = Annotated[
    bool | None,
    typer.Option("--trust-weights", help="Load a checkpoint that needs more than the allow-list: it can run any code."),
]
TruncatedOption = Annotated[
    bool | None, typer.Option("--allow-truncated", help="Take pictures that are cut short as far as they decode.")
]
MaxFailuresOption = Annotated[
    str | None,
    typer.Option(
        "--max-failures", metavar="N|P%", help="Stop once more inputs failed than N, or than P% of those tried."
    ),
]
ReconnectOption = Annotated[
    str | None,
    typer.Option(
        "--reconnect", metavar="N|forever", help="Attempts to get a stream back that was lost. [default: forever]"
    ),
]
RotateOption = Annotated[
    str | None,
    typer.Option("--rotate", metavar="1h|500MB", help="Begin new files of a stream after a time, at a size, or both."),
]
ResumeOption = Annotated[
    str | None,
    typer.Option(
        "--resume", metavar="RUN", help="Go on with the unfinished run in this folder; all else may be left out."
    ),
]
PlaceOption = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FOLDER",
        help="Folder of the run; must not exist. With --cluster also s3:// and the like. [default: runs/predict-NNN]",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Work on a Ray cluster: local starts one here, auto joins that of this machine, or HOST:PORT, ray://….",
    ),
]
ReplicasOption = Annotated[
    str | None,
    typer.Option("--replicas", metavar="N|auto", help="Copies of the model on the cluster. [default: as many as fit]"),
]
ReplicaCpusOption = Annotated[
    int | None,
    typer.Option("--replica-cpus", metavar="N", help="Cores of each copy. [default: what is fastest, by trying]"),
]
ReplicaGpusOption = Annotated[
    float | None,
    typer.Option("--replica-gpus", metavar="N", help="GPUs of each copy; may be a part of one. [default: 1 if any]"),
]
ShardOption = Annotated[
    int | None,
    typer.Option(
        "--shard-size", metavar="N", help="Inputs that a copy does at a time; what dies costs no more. [default: 256]"
    ),
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Print every failure and warning as it happens.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
