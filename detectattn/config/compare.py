"""The options of ``compare``."""

from __future__ import annotations

from dataclasses import dataclass

from detectattn.config.checks import ENGINES, PRECISIONS, require
from detectattn.config.parse import AUTO_REPLICAS, check_replicas, parse_imgsz


@dataclass(frozen=True, slots=True)
class CompareConfig:
    """Everything that decides what ``compare`` does, apart from its sources.

    A preset may set it, but for what :func:`~detectattn.config.presets.load_preset` refuses.

    Attributes:
        model: The models: registry names, files, folders, URLs, or predictions made elsewhere, optionally ``NAME=…``;
            empty for the embedded pair.
        truth: Ground truth; empty to look for it beside the images.
        class_map: YAML file of lines ``truth name: model name``; empty for none.
        difficult: ``ignore`` or ``count``: what becomes of VOC's difficult objects.
        conf: Operating point of all models, for pictures, counts and agreement; None for each model's own: that of its
            best F1 where there is ground truth, else 0.25.
        rounds: Rounds of timing, 0 for no timing; None for ten, or more until 50 pictures are timed.
        imgsz: ``640`` or ``480x640`` (height × width) for all; empty for that of the first model.
        own_size: Let every model run at the size that it was made for, whatever the others take.
        device: As for ``predict``.
        engine: ``auto`` (PyTorch, but OpenVINO for a precision that only that has), ``torch``, ``openvino``, ``onnx``.
        precision: As for ``predict``.
        calibrate: As for ``predict``, also of a sweep's INT8.
        sweep: Axes such as ``imgsz=320,480`` or ``queries=100..300:50``.
        sweep_product: Cross the axes, rather than going along one at a time.
        budget: Limits such as ``50ms`` or ``500MB``.
        fail_if: Conditions that fail the study, such as ``demo-rtdetr.ap50_95 < 0.6``.
        baseline: ``report.json`` of an earlier study that must not be fallen short of; empty for none.
        limit: Take at most so many pictures; 0 for all.
        vid_stride: Take every n-th frame of a video or stream.
        seed: Of the bootstrap.
        images: Whether pictures are kept for the report: disputed ones side by side, and a small copy of each.
        explain: Whether models explain their disputed detections in the most disputed pictures.
        offline: Refuse every download.
        trust_weights: Load checkpoints that ask for more than the allow-list.
        allow_truncated: Take pictures that are cut short as far as they decode.
        cluster: Ray cluster that detects: ``local``, ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``; empty for this
            machine. Models are timed on this machine in any case.
        replicas: How often a model is loaded there: a number, or ``auto`` for as often as it fits.
        replica_cpus: Cores of each; None for all of a machine, or its share beside a GPU.
        replica_gpus: GPUs of each; None for one where there are any.
        shard_size: Pictures that a replica works on at a time; what dies costs no more.
    """

    model: tuple[str, ...] = ()
    truth: str = ""
    class_map: str = ""
    difficult: str = "ignore"
    conf: float | None = None
    rounds: int | None = None
    imgsz: str = ""
    own_size: bool = False
    device: str = "auto"
    engine: str = "auto"
    precision: str = "auto"
    calibrate: str = ""
    sweep: tuple[str, ...] = ()
    sweep_product: bool = False
    budget: tuple[str, ...] = ()
    fail_if: tuple[str, ...] = ()
    baseline: str = ""
    limit: int = 0
    vid_stride: int = 1
    seed: int = 0
    images: bool = True
    explain: bool = False
    offline: bool = False
    trust_weights: bool = False
    allow_truncated: bool = False
    cluster: str = ""
    replicas: str = AUTO_REPLICAS
    replica_cpus: int | None = None
    replica_gpus: float | None = None
    shard_size: int = 256

    def __post_init__(self) -> None:
        require("conf", self.conf, self.conf is None or 0 <= self.conf <= 1, "a number from 0 to 1")
        require("rounds", self.rounds, self.rounds is None or self.rounds >= 0, "a whole number, or 0 for no timing")
        require("difficult", self.difficult, self.difficult in ("ignore", "count"), "ignore or count")
        require("limit", self.limit, self.limit >= 0, "a whole number, or 0 for all pictures")
        require("seed", self.seed, self.seed >= 0, "a whole number from 0")
        require("vid_stride", self.vid_stride, self.vid_stride >= 1, "a whole number above 0")
        require("explain", self.explain, self.images or not self.explain, "it without --no-images: maps are pictures")
        is_int8 = self.precision == "int8" or any("int8" in axis for axis in self.sweep)
        require("calibrate", self.calibrate, is_int8 or not self.calibrate, "--precision int8 too")
        require("engine", self.engine, self.engine in ENGINES, ", ".join(ENGINES))
        require("precision", self.precision, self.precision in PRECISIONS, ", ".join(PRECISIONS))
        parse_imgsz(self.imgsz)
        check_replicas(self.replicas, self.replica_cpus, self.replica_gpus, self.shard_size)
