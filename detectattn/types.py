"""The data that flows from a source to a sink: frozen, slotted, checked where it is made.

Media → Frame → Batch → Detections → Prediction
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

MediaKind = Literal["image", "video", "stream", "url"]
Family = Literal["attention", "cnn", "hybrid"]

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Media:
    """One input that yields frames: an image file, a video, a stream, a URL.

    Attributes:
        source: Its name in records: relative to the folder that was given, or the path or URL as it was given.
        kind: What it is. A ``url`` becomes an ``image`` or a ``video`` once its first bytes are seen.
        location: What to open: a local path, a URL, a camera's index, the encoded bytes themselves, or pixels
            u8[H, W, 3] (BGR) that are in memory already.
        output: Where its outputs go, relative to the run's ``images/``, ``videos/``, … folder, with the input's own
            suffix (``street/bus.jpg``). Never absolute, never with ``..``, unique within a run.
        may_stream: Whether a ``url`` may turn out to be a live stream. It may where the user named it and nothing else:
            a stream has no end, so that what comes after it would never be read.
    """

    source: str
    kind: MediaKind
    location: Path | str | int | bytes | U8 = field(repr=False, compare=False)
    output: PurePosixPath
    may_stream: bool = field(default=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        safe = not self.output.is_absolute() and ".." not in self.output.parts and self.output.name != ""
        _require(safe, f"output must be a relative path below the run folder, got {self.output!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """A picture at a fraction of its size, as its decoder gives it to a network that looks at no more.

    A point ``p`` in pixels of ``bgr`` lies at ``p * factor + origin_xy`` in those of the original.

    Attributes:
        bgr: u8[h, w, 3], upright.
        factor: 2, 4 or 8.
        origin_xy: Where the left and top edges lie: 0, or before the original's own by what the last pixel stands for
            too much, where the sides do not divide and the stored picture is turned or mirrored.
        image_hw: Height and width of the original.
    """

    bgr: U8
    factor: int
    origin_xy: tuple[int, int]
    image_hw: tuple[int, int]

    def __post_init__(self) -> None:
        expected = tuple(-(-side // self.factor) for side in self.image_hw)
        shape = self.bgr.shape
        _require(shape[:2] == expected, f"bgr must be a {self.factor}th of {self.image_hw}, {expected}, got {shape}")

    def to_original(self, resize: Resize) -> Resize:
        """How the original would be fitted in the way that ``resize`` fits this picture."""
        (scale_x, scale_y), (offset_x, offset_y) = resize.scale_xy, resize.offset_xy
        scale_xy = (scale_x / self.factor, scale_y / self.factor)
        offset_xy = (offset_x - self.origin_xy[0] * scale_xy[0], offset_y - self.origin_xy[1] * scale_xy[1])
        return Resize(scale_xy, offset_xy, resize.net_hw, self.image_hw)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture to detect on, upright, as it came from a source.

    Attributes:
        media: Where it came from.
        index: The frame of a video or stream, or the page of a multi-page image, from 0. With a stride, indices are
            those of the original (0, 5, 10, …).
        bgr: u8[H, W, 3], C-contiguous, rotated as the file's metadata says. The pixels of ``reduced`` where it was read
            for a network alone.
        timestamp_s: Presentation time in seconds from the first frame of a video or stream; None for images.
        warnings: What was wrong with it and let pass, such as a cut-short file under ``--allow-truncated``.
        reduced: What a network is shown in its place, or None for ``bgr`` itself.
    """

    media: Media
    index: int
    bgr: U8
    timestamp_s: float | None = None
    warnings: tuple[str, ...] = ()
    reduced: Reduced | None = None

    def __post_init__(self) -> None:
        shape, dtype = self.bgr.shape, self.bgr.dtype
        _require(
            self.bgr.ndim == 3 and shape[2] == 3 and dtype == np.uint8, f"bgr must be u8[H,W,3], got {dtype}{shape}"
        )
        _require(shape[0] > 0 and shape[1] > 0, f"bgr must have pixels, got {shape}")
        _require(self.index >= 0, f"index must not be negative, got {self.index}")

    @property
    def source(self) -> str:
        """The media's name in records."""
        return self.media.source

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels, in full."""
        return (self.bgr.shape[0], self.bgr.shape[1]) if self.reduced is None else self.reduced.image_hw

    @property
    def shown(self) -> U8:
        """What a network is shown, u8[h, w, 3]: ``bgr``, or the reduced copy of it."""
        return self.bgr if self.reduced is None else self.reduced.bgr


@dataclass(frozen=True, slots=True)
class Resize:
    """How a picture was fitted into the network's input; invertible.

    A point ``p`` in image pixels lies at ``p * scale_xy + offset_xy`` in network pixels. RT-DETR stretches (two scales,
    no offset), YOLO letterboxes (nearly one scale, an offset).

    Attributes:
        scale_xy: Network pixels per image pixel, along x and y.
        offset_xy: Padding at the left and the top, in network pixels.
        net_hw: Height and width of the network's input.
        image_hw: Height and width of the picture.
    """

    scale_xy: tuple[float, float]
    offset_xy: tuple[float, float]
    net_hw: tuple[int, int]
    image_hw: tuple[int, int]

    def __post_init__(self) -> None:
        _require(min(self.scale_xy) > 0, f"scale_xy must be positive, got {self.scale_xy}")
        _require(min(self.net_hw) > 0 and min(self.image_hw) > 0, "net_hw and image_hw must be positive")

    def to_net(self, xyxy: F32) -> F32:
        """Boxes [N, 4] in image pixels to network pixels."""
        scale, offset = np.array(self.scale_xy * 2), np.array(self.offset_xy * 2)
        boxes: F32 = (xyxy * scale + offset).astype(np.float32)
        return boxes

    def to_image(self, xyxy: F32) -> F32:
        """Boxes [N, 4] in network pixels to image pixels; the inverse of :meth:`to_net`."""
        scale, offset = np.array(self.scale_xy * 2), np.array(self.offset_xy * 2)
        boxes: F32 = ((xyxy - offset) / scale).astype(np.float32)
        return boxes


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Frames that go through the network together, all fitted to one input size.

    Attributes:
        frames: The frames, in order.
        tensor: f32[N, 3, h, w], RGB, 0 to 1, N at least the number of frames (the rest is padding).
        resizes: How each frame was fitted.
    """

    frames: tuple[Frame, ...]
    tensor: F32
    resizes: tuple[Resize, ...]

    def __post_init__(self) -> None:
        shape, dtype = self.tensor.shape, self.tensor.dtype
        _require(
            self.tensor.ndim == 4 and shape[1] == 3 and dtype == np.float32,
            f"tensor must be f32[N,3,h,w], got {dtype}{shape}",
        )
        _require(len(self.frames) == len(self.resizes) <= shape[0], "one resize a frame, one row of the tensor each")
        _require(all(r.net_hw == shape[2:] for r in self.resizes), f"every resize must fit {shape[2:]}")


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a model found in one picture, best first.

    Attributes:
        xyxy: f32[N, 4], left, top, right, bottom in pixels of the upright image.
        score: f32[N], 0 to 1, descending.
        class_id: i32[N], the model's own class index.
        query_id: i32[N], the raw row behind each detection (an RT-DETR query, a YOLO anchor), or None where a foreign
            export cannot tell.
    """

    xyxy: F32
    score: F32
    class_id: I32
    query_id: I32 | None = None

    def __post_init__(self) -> None:
        n = len(self.score)
        _check_array("xyxy", self.xyxy, np.float32, (n, 4))
        _check_array("score", self.score, np.float32, (n,))
        _check_array("class_id", self.class_id, np.int32, (n,))
        if self.query_id is not None:
            _check_array("query_id", self.query_id, np.int32, (n,))

    @classmethod
    def empty(cls) -> Detections:
        """No detections; rows would be traceable."""
        zeros = np.zeros(0, np.int32)
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), zeros, zeros)

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """The detections at ``rows`` (indices or a mask), in that order."""
        query_id = None if self.query_id is None else self.query_id[rows]
        return Detections(self.xyxy[rows], self.score[rows], self.class_id[rows], query_id)


def _check_array(name: str, array: NDArray[Any], dtype: type, shape: tuple[int, ...]) -> None:
    _require(
        array.dtype == dtype and array.shape == shape,
        f"{name} must be {np.dtype(dtype)}{list(shape)}, got {array.dtype}{list(array.shape)}",
    )


@dataclass(frozen=True, slots=True)
class StageTiming:
    """Wall time of each stage for one picture, in milliseconds (a batch's time is shared equally)."""

    decode_ms: float = 0.0
    preprocess_ms: float = 0.0
    infer_ms: float = 0.0
    postprocess_ms: float = 0.0
    write_ms: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One record: what one model found in one frame.

    Attributes:
        source: As in :class:`Media`.
        index: As in :class:`Frame`.
        size_hw: Height and width of the upright image in pixels.
        detections: What was found, boxes in pixels of the upright image.
        model: The model's name.
        class_names: Name by class index, of the model.
        timing: Where the time went.
        timestamp_s: As in :class:`Frame`.
        warnings: As in :class:`Frame`.
        reduced: At what part of its size the model was shown it: 2, 4 or 8, for a half, a quarter or an eighth; None
            for all of it.
    """

    source: str
    index: int
    size_hw: tuple[int, int]
    detections: Detections
    model: str
    class_names: Mapping[int, str]
    timing: StageTiming = StageTiming()
    timestamp_s: float | None = None
    warnings: tuple[str, ...] = ()
    reduced: int | None = None

    def class_name(self, class_id: int) -> str:
        """The name of a class, or ``class 7`` where the model has none."""
        return self.class_names.get(class_id, f"class {class_id}")


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A model on disk, identified by its bytes.

    Attributes:
        path: The file, or the folder of an OpenVINO model.
        sha256: Of the file; of the ``.bin`` and ``.xml`` together for an OpenVINO folder.
        format: ``pt``, ``safetensors`` (an embedded model), ``onnx``, ``openvino`` or ``tensorrt``.
        origin: Where it came from: a URL, ``embedded``, or ``local``.
        license: SPDX identifier where it is known.
    """

    path: Path
    sha256: str
    format: Literal["pt", "safetensors", "onnx", "openvino", "tensorrt"]
    origin: str
    license: str | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a loaded model is and where it runs.

    Attributes:
        name: Its name in records and reports.
        family: ``attention`` (a transformer decoder), ``hybrid`` (convolution with attention blocks), ``cnn``.
        class_names: Name by class index.
        net_hw: Height and width of the network's input; the bounding square where each picture has its own.
        engine: ``torch``, ``openvino``, ``onnx``, ``tensorrt``.
        device: ``cpu``, ``cuda:0``, ``mps``, ….
        precision: ``fp32``, ``fp16``, ``bf16``, ``int8``.
    """

    name: str
    family: Family
    class_names: Mapping[int, str]
    net_hw: tuple[int, int]
    engine: str
    device: str
    precision: str


@dataclass(frozen=True, slots=True)
class FrameFailure:
    """An input, or a frame of one, that could not be processed. The others go on.

    Attributes:
        source: As in :class:`Media`.
        index: The frame or page, or None when the whole input failed.
        code: The stable code of the error (see :mod:`detectattn.errors`).
        message: What a person reads.
    """

    source: str
    index: int | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RunManifest:
    """What ``run.json`` holds: enough to understand a run and to repeat it.

    Attributes:
        command: The command line, as typed.
        config: The options that applied.
        models: Each model's information and weights checksum.
        versions: Python, packages, project.
        machine: Processor, cores, memory, operating system.
        working_directory: What relative paths in ``command`` and ``config`` start from; empty where that is not known.
        status: ``running``, ``finished``, ``interrupted`` or ``failed``.
        counts: Images, frames, detections, failures, skipped files.
        timing: Totals and per-stage means.
        failures: What could not be processed.
    """

    command: Sequence[str]
    config: Mapping[str, Any]
    models: Sequence[Mapping[str, Any]]
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    working_directory: str = ""
    status: str = "running"
    counts: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)
    failures: Sequence[FrameFailure] = ()
