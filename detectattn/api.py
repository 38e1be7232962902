"""The library's front door: load a model, predict, look at what it found."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from detectattn.classes import resolve_class_ids
from detectattn.config import parse_imgsz, split_model_name
from detectattn.conversion.choose import OpenedModel, open_model
from detectattn.conversion.fallback import open_fallback, to_torch_device
from detectattn.conversion.work import Tell, Work
from detectattn.drawing import draw_detections
from detectattn.engines.base import EngineOptions, Hint
from detectattn.engines.detector import Detector
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import ConfigError, EmptySource, EngineError, SourceError, UndecodableImage
from detectattn.pipeline.channel import Stopped, StopSignal
from detectattn.pipeline.detected import Detected
from detectattn.pipeline.recovery import KeptModel
from detectattn.pipeline.stages import RunOptions, Stages
from detectattn.records import to_record
from detectattn.sinks.files import write_new_file
from detectattn.sources import iter_frames, open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.sources.isolation import open_isolation
from detectattn.sources.temp_folder import open_temp_folder
from detectattn.types import U8, Detections, Frame, FrameFailure, Media, ModelInfo, Prediction, WeightsFile
from detectattn.weights.locate import locate_weights

# Naming a registry model consents to its download; address and size are announced here.
_log = logging.getLogger("detectattn")

if TYPE_CHECKING:
    from types import TracebackType

    from PIL.Image import Image

    from detectattn.explain.picture import ExplainedPicture


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One picture and what a model found in it.

    Attributes:
        frame: The picture.
        prediction: The record.
    """

    frame: Frame
    prediction: Prediction

    def __len__(self) -> int:
        return len(self.prediction.detections)

    def __repr__(self) -> str:
        found = ", ".join(f"{count} {name}" for name, count in Counter(self.names).most_common())
        part = f"{self.frame.index} of " if self.frame.index else ""
        return f"<Shot {part}{self.frame.source!r} by {self.prediction.model}: {found or 'nothing found'}>"

    @property
    def detections(self) -> Detections:
        """Boxes, scores, classes and queries; see :class:`detectattn.types.Detections`."""
        return self.prediction.detections

    @property
    def names(self) -> list[str]:
        """Class name of each detection."""
        return [self.prediction.class_name(int(c)) for c in self.detections.class_id]

    def draw(self) -> U8:
        """The picture with its boxes, u8[H, W, 3], BGR."""
        return draw_detections(self.frame.bgr, self.detections, self.prediction.class_names)

    def to_pil(self) -> Image:
        """The picture with its boxes, as a PIL image (RGB)."""
        from PIL import Image

        return Image.fromarray(self.draw()[:, :, ::-1].copy())

    def show(self) -> None:
        """Open the picture with its boxes in the system's image viewer."""
        self.to_pil().show(title=self.frame.source)

    def save(self, path: str | Path) -> Path:
        """Write the picture with its boxes; the suffix chooses the format.

        Raises:
            OutputExists: ``path`` is there already; nothing is overwritten.
        """
        import cv2

        target = Path(path)
        encoded, content = cv2.imencode(target.suffix or ".jpg", self.draw())
        if not encoded:
            raise UndecodableImage(f"{target} could not be encoded", hint="Use a suffix such as .jpg or .png")
        write_new_file(target, content.tobytes())
        return target

    def to_record(self) -> dict[str, Any]:
        """The record, as one line of ``predictions.jsonl`` holds it."""
        return to_record(self.prediction)


class Model:
    """A detector that is loaded and ready.

    Args:
        model: Registry name, ``.pt`` or ``.onnx`` file, OpenVINO folder or URL; ``NAME=MODEL`` names it.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or a device of OpenVINO's.
        engine: ``auto``: a converted model from the cache, where one passed its parity gate, else PyTorch; nothing is
            converted unasked. ``openvino`` or ``onnx``: converted now if need be, behind the gate, which takes some
            seconds to a minute, told through the logger ``detectattn``. ``torch``: PyTorch.
        precision: ``auto``, ``fp32``, ``fp16``, ``bf16``, ``int8``. On a processor, all but the first two mean
            OpenVINO with ``engine="auto"``.
        calibrate: Pictures that ``int8`` is calibrated on, in any form a source has; like those that the model will
            see. Empty for those of the cached conversion.
        imgsz: Side of the network's input, or (height, width); None for the model's own.
        batch: Pictures that go through together; 0 chooses for the device, and one where ``hint`` is ``latency``.
        hint: ``latency`` where each result is waited for: one picture at a time has all cores. ``throughput`` for
            folders and videos: several go side by side, where the engine gains by it, and each takes longer.
        offline: Refuse to download weights or pictures.
        trust_weights: Load a checkpoint that needs more than the allow-list, which can run any code.
        isolate: What is decoded in processes of their own, whose crash does no harm: ``auto`` (videos, and pictures but
            for sound JPEG and PNG), ``all``, ``none``. They end with :meth:`close`, or when they have rested a minute.

    Raises:
        ModelError, EngineError, FetchError: It cannot be loaded, or what was made of it did not pass the gate; the
            message says why and what to do.
        ConfigError: Engine and precision do not go together, or INT8 has no pictures to be calibrated on.

    Example:
        >>> model = Model("rtdetr-l")
        >>> for shot in model.predict("street/"):
        ...     print(shot.frame.source, len(shot), shot.names)
    """

    def __init__(
        self,
        model: str | Path = "rtdetr-l",
        *,
        device: str = "auto",
        engine: str = "auto",
        precision: str = "auto",
        calibrate: str | Path = "",
        imgsz: int | tuple[int, int] | None = None,
        batch: int = 0,
        hint: Hint = "latency",
        offline: bool = False,
        trust_weights: bool = False,
        isolate: str = "auto",
    ) -> None:
        name, where = split_model_name(str(model))
        size = imgsz if isinstance(imgsz, tuple) else parse_imgsz("" if imgsz is None else str(imgsz))
        if hint not in get_args(Hint):
            raise ConfigError(f"hint is {hint!r}", hint=f"Give {' or '.join(get_args(Hint))}")
        if str(calibrate) and precision != "int8":
            raise ConfigError("calibrate= is for INT8", hint='Give precision="int8" too, or leave it out')
        together = batch or (1 if hint == "latency" else 0)
        self._options = EngineOptions(
            device=device, precision=precision, imgsz_hw=size, batch=together, trust_weights=trust_weights, hint=hint
        )
        if isolate not in ("auto", "all", "none"):
            raise ConfigError(f"isolate is {isolate!r}", hint="Give auto, all or none")
        weights = locate_weights(where, offline=offline, on_notice=_log.info)
        self._offline = offline
        self._kept = KeptModel(
            _open(weights, self._options, name, engine, str(calibrate)).detector,
            partial(open_fallback, options=self._options),
            lambda recovery: _log.warning(recovery.describe()),
        )
        self._explaining: Detector | None = None
        self._closing = ExitStack()
        self._closing.callback(self._kept.close)
        self._isolation = self._closing.enter_context(open_isolation(isolate))

    def __repr__(self) -> str:
        info = self.info
        size = "×".join(map(str, info.net_hw))
        return f"<Model {info.name}: {info.engine} on {info.device}, {info.precision}, {size}>"

    @property
    def _detector(self) -> Detector:
        return self._kept.detector

    @property
    def info(self) -> ModelInfo:
        """What the model is and where it runs: after its engine has hung, on that which took over."""
        return self._detector.info

    def predict(self, source: Any, **options: Any) -> list[Shot]:
        """Detect in one source or several; see :meth:`stream` for the arguments. Holds all pictures in memory."""
        return list(self.stream(source, **options))

    __call__ = predict

    def stream(
        self,
        source: str | Path | U8 | Image | Iterable[str | Path | U8 | Image],
        *,
        conf: float = 0.25,
        iou: float = 0.7,
        classes: Sequence[str | int] | None = None,
        max_det: int = 300,
        vid_stride: int = 1,
        on_failure: Callable[[FrameFailure], None] | None = None,
    ) -> Iterator[Shot]:
        """Detect lazily, in the order of the input, decoding ahead of the network.

        Args:
            source: What ``detectattn predict`` takes (path, folder, pattern, URL, video, stream, camera), or a picture:
                an array u8[H, W, 3] in BGR (as OpenCV reads it) or u8[H, W] in grey, or a PIL image; or several.
            conf: Keep detections scored above this.
            iou: Overlap above which YOLO's weaker box of a class is dropped.
            classes: Names or indices to keep; None for all.
            max_det: Detections a picture at most.
            vid_stride: Take every n-th frame of a video or stream.
            on_failure: Told of each input that cannot be read, and the others go on. None: the first one raises.

        Raises:
            SourceError: Nothing to read, or an input that cannot be read and no ``on_failure``.
            UnknownClass: The model lacks a class.
            EngineError: The engine fails. One that hangs is replaced once, by PyTorch where that can run the model,
                which the logger ``detectattn`` is told as a warning; calls that follow use it too.
        """
        detector = self._detector
        if detector.stalled:
            raise EngineError(
                f"{detector.info.name} hung before, and there is no other engine for it",
                hint="Load the model again, with another engine=",
            )
        info = detector.info
        class_ids = None if classes is None else tuple(resolve_class_ids([*classes], info.class_names))
        thresholds = Thresholds(conf, iou, max_det, class_ids)
        stop = StopSignal()

        def fail(failure: FrameFailure) -> None:
            if on_failure is None:
                hint = "Pass on_failure= to go on with the other inputs"
                raise SourceError(failure.message.rstrip("."), hint=hint)
            on_failure(failure)

        with open_temp_folder() as temp_dir:
            read = ReadOptions(
                vid_stride=vid_stride, offline=self._offline, temp_dir=temp_dir, isolation=self._isolation
            )
            stages = Stages(detector, RunOptions(thresholds), stop, rescue=self._kept.to_rescue())
            stages.start(_iter_media(source, read), partial(iter_frames, options=read))
            try:
                for outcome in stages.iter_outcomes():
                    if isinstance(outcome, Detected):
                        yield Shot(outcome.frame, outcome.prediction)
                    else:
                        fail(outcome.failure)
            except Stopped:
                if stop.error is not None:
                    raise stop.error from None
            finally:
                stages.join()

    def explain(
        self,
        image: str | Path | U8 | Image,
        *,
        conf: float = 0.25,
        iou: float = 0.7,
        top: int = 8,
        maps: Sequence[str] = (),
        score: bool = False,
    ) -> ExplainedPicture:
        """Where the detections in one picture come from.

        Args:
            image: One picture: a path, a URL, an array u8[H, W, 3] in BGR, a PIL image.
            conf: Explain detections scored above this; if there are none, the best below.
            iou: As for :meth:`stream`.
            top: Detections at most, the surest.
            maps: Which maps (``cross_last``, ``layercam``, …); empty for all that are quick.
            score: Whether every map is scored by deletion and insertion, which takes some twenty passes each.

        Returns:
            ``detections``, ``maps`` (by name, one f32[h, w] a detection in ``.values``), ``scores``, and ``captured``
            with the attention itself.

        Raises:
            SourceError: It cannot be read.
            EngineError: The model is an export, and the weights that it was made from are not at hand.
            ConfigError: There is no such map.

        Only PyTorch in single precision shows attention: a model that runs otherwise is opened a second time.
        """
        from detectattn.explain.picture import ExplainOptions, explain_look, look_at

        with open_temp_folder() as temp_dir:
            read = ReadOptions(offline=self._offline, temp_dir=temp_dir, isolation=self._isolation)
            media = next(_iter_media(image, read))
            if isinstance(media, FrameFailure):
                raise SourceError(media.message.rstrip("."), hint="Pass a picture that can be read")
            with closing(_iter_one(media, read)) as frames:
                bgr = next(frames).bgr
        options = ExplainOptions(Thresholds(conf, iou), tuple(maps), score=score)
        detector = self._open_explaining()
        look = look_at(detector, bgr, options)
        return explain_look(detector, bgr, look, range(min(top, len(look.captured.detections))), options)

    def _open_explaining(self) -> Detector:
        """The model in PyTorch and single precision: the one that runs, or the weights it was made from."""
        info = self._detector.info
        if (info.engine, info.precision) == ("torch", "fp32") and not self._detector.stalled:
            return self._detector
        if self._explaining is None:
            from detectattn.explain.models import open_models

            device = to_torch_device(self._options.device)
            options = replace(self._options, device=device, precision="fp32", imgsz_hw=info.net_hw)
            weights = self._detector.weights
            opened = open_models([f"{info.name}={weights.path}"], lambda _: weights, options, _log.info)
            [model] = self._closing.enter_context(opened)
            self._explaining = model.detector
        return self._explaining

    def close(self) -> None:
        """Free what the model holds."""
        self._closing.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(weights: WeightsFile, options: EngineOptions, name: str | None, engine: str, calibrate: str) -> OpenedModel:
    # How many pictures there will be is not known, so that none is converted to repay itself.
    work, tell = Work(calibrate=calibrate), Tell(_log.info, _log.warning, _log.debug)
    try:
        return open_model(weights, options, name=name, engine=engine, work=work, tell=tell)
    except EmptySource as error:
        if calibrate:
            raise
        raise ConfigError(
            "INT8 is calibrated on pictures of the kind that it will see, and none were named",
            hint="Pass calibrate=, a folder with a few dozen",
        ) from error


def _iter_one(media: Media, read: ReadOptions) -> Generator[Frame]:
    yield from iter_frames(media, read)


def _is_picture(source: Any) -> bool:
    return isinstance(source, np.ndarray) or hasattr(source, "convert")


def _iter_media(source: Any, read: ReadOptions) -> Iterator[Media | FrameFailure]:
    """Media of any mix of sources, pictures in memory among them."""
    one = _is_picture(source) or isinstance(source, str | Path)
    for number, item in enumerate([source] if one else source):
        if _is_picture(item):
            name = f"image-{number}"
            yield Media(name, "image", _to_bgr(item), PurePosixPath(f"{name}.jpg"))
        else:
            yield from open_sources([str(item)], read).iter_media(ReadCounts())


def _to_bgr(picture: Any) -> U8:
    if not isinstance(picture, np.ndarray):
        from PIL import ImageOps

        return np.ascontiguousarray(np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))[:, :, ::-1])
    if picture.dtype == np.uint8 and picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise UndecodableImage(
            f"an array of {picture.dtype}{list(picture.shape)} is no picture",
            hint="Pass u8[H, W, 3] in BGR, u8[H, W] in grey, or a PIL image",
        )
    return np.ascontiguousarray(picture)
