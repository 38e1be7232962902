"""The options of ``predict``."""

from __future__ import annotations

from dataclasses import dataclass

from detectattn.config.checks import ENGINES, PRECISIONS, require
from detectattn.config.parse import (
    AUTO_REPLICAS,
    FOREVER,
    check_replicas,
    parse_batch,
    parse_imgsz,
    parse_max_failures,
    parse_reconnect,
    parse_rotate,
)


@dataclass(frozen=True, slots=True)
class PredictConfig:
    """Everything that decides what ``predict`` does, apart from its sources.

    A preset may set it, but for what :func:`~detectattn.config.presets.load_preset` refuses.

    Attributes:
        model: Registry name, file, OpenVINO folder or URL, optionally ``NAME=MODEL``.
        conf: Keep detections scored above this.
        iou: Overlap above which non-maximum suppression drops the weaker box of a class.
        max_det: Detections kept an image, at most.
        classes: Names or indices to keep; empty for all.
        imgsz: ``640`` or ``480x640`` (height × width); empty for the model's own.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        engine: ``auto``, ``torch``, ``openvino``, ``onnx``.
        precision: ``auto``, ``fp32``, ``fp16``, ``bf16``, ``int8``.
        calibrate: Pictures that INT8 is calibrated on, as sources are named; empty for a sample of the sources.
        batch: Images that go through the network together: a number, ``auto`` to find the fastest by trying; empty or
            0 for what suits the device.
        vid_stride: Take every n-th frame of a video or stream.
        decode: ``full``, or ``reduced``: the model is shown JPEGs far larger than its input at a half, a quarter or an
            eighth of their size.
        isolate: What is decoded in processes of their own, whose crash does no harm: ``auto`` (videos, and pictures but
            for sound JPEG and PNG), ``all``, ``none``.
        save: More outputs: parquet, csv, coco, yolo, voc, crops.
        images: Whether annotated images and videos are written.
        show: Whether annotated output is shown in a window as it is made.
        offline: Refuse every download.
        trust_weights: Load checkpoints that ask for more than the allow-list.
        allow_truncated: Take pictures that are cut short as far as they decode.
        max_failures: Stop once more inputs failed than this: a number, or ``10%`` of those tried; empty for no limit.
        reconnect: Attempts in a row to get a stream back that was lost: a number, or ``forever``.
        rotate: When the files of a stream begin a new part: ``1h``, ``500MB``, or ``1h,500MB``; empty for never.
        cluster: Ray cluster that does the work: ``local``, ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``; empty for
            this process.
        replicas: How often the model is loaded on a cluster: a number, or ``auto`` for as often as it fits.
        replica_cpus: Cores of each replica; None to choose.
        replica_gpus: GPUs of each replica; None for one where there are any.
        shard_size: Inputs that a replica works on before they count as done.
    """

    model: str = "rtdetr-l"
    conf: float = 0.25
    iou: float = 0.7
    max_det: int = 300
    classes: tuple[str, ...] = ()
    imgsz: str = ""
    device: str = "auto"
    engine: str = "auto"
    precision: str = "auto"
    calibrate: str = ""
    batch: str = ""
    vid_stride: int = 1
    decode: str = "full"
    isolate: str = "auto"
    save: tuple[str, ...] = ()
    images: bool = True
    show: bool = False
    offline: bool = False
    trust_weights: bool = False
    allow_truncated: bool = False
    max_failures: str = ""
    reconnect: str = FOREVER
    rotate: str = ""
    cluster: str = ""
    replicas: str = AUTO_REPLICAS
    replica_cpus: int | None = None
    replica_gpus: float | None = None
    shard_size: int = 256

    def __post_init__(self) -> None:
        require("conf", self.conf, 0 <= self.conf <= 1, "a number from 0 to 1")
        require("iou", self.iou, 0 <= self.iou <= 1, "a number from 0 to 1")
        require("max_det", self.max_det, self.max_det >= 1, "a whole number above 0")
        parse_batch(self.batch)
        require("vid_stride", self.vid_stride, self.vid_stride >= 1, "a whole number above 0")
        require("decode", self.decode, self.decode in ("full", "reduced"), "full or reduced")
        require("isolate", self.isolate, self.isolate in ("auto", "all", "none"), "auto, all or none")
        require("engine", self.engine, self.engine in ENGINES, ", ".join(ENGINES))
        require("precision", self.precision, self.precision in PRECISIONS, ", ".join(PRECISIONS))
        require("calibrate", self.calibrate, self.precision == "int8" or not self.calibrate, "--precision int8 too")
        parse_imgsz(self.imgsz)
        parse_max_failures(self.max_failures)
        parse_reconnect(self.reconnect)
        parse_rotate(self.rotate)
        check_replicas(self.replicas, self.replica_cpus, self.replica_gpus, self.shard_size)
