"""The library's front door: load a model, predict, look at what it found."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from detectattn.classes import resolve_class_ids
from detectattn.config import parse_imgsz, split_model_name
from detectattn.drawing import draw_detections
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import SourceError, UndecodableImage
from detectattn.pipeline.channel import Stopped, StopSignal
from detectattn.pipeline.stages import RunOptions, Stages
from detectattn.records import to_record
from detectattn.sinks.files import write_new_file
from detectattn.sources import iter_frames, open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.types import U8, Detections, Frame, FrameFailure, Media, ModelInfo, Prediction
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
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        engine: ``auto``, ``torch``, ``openvino``, ``onnx``.
        precision: ``auto``, ``fp32``, ``fp16``.
        imgsz: Side of the network's input, or (height, width); None for the model's own.
        batch: Pictures that go through together; 0 chooses for the device.
        offline: Refuse to download weights or pictures.
        trust_weights: Load a checkpoint that needs more than the allow-list, which can run any code.

    Raises:
        ModelError, EngineError, FetchError: It cannot be loaded; the message says why and what to do.

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
        imgsz: int | tuple[int, int] | None = None,
        batch: int = 0,
        offline: bool = False,
        trust_weights: bool = False,
    ) -> None:
        name, where = split_model_name(str(model))
        size = imgsz if isinstance(imgsz, tuple) else parse_imgsz("" if imgsz is None else str(imgsz))
        options = EngineOptions(
            device=device, precision=precision, imgsz_hw=size, batch=batch, trust_weights=trust_weights
        )
        weights = locate_weights(where, offline=offline, on_notice=_log.info)
        self._offline = offline
        self._detector = open_detector(weights, options, name=name, engine=engine)

    @property
    def info(self) -> ModelInfo:
        """What the model is and where it runs."""
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
        """
        info = self._detector.info
        class_ids = None if classes is None else tuple(resolve_class_ids([*classes], info.class_names))
        thresholds = Thresholds(conf, iou, max_det, class_ids)
        stop = StopSignal()

        def fail(failure: FrameFailure) -> None:
            if on_failure is not None:
                on_failure(failure)
            else:
                hint = "Pass on_failure= to go on with the other inputs"
                stop.set(SourceError(failure.message.rstrip("."), hint=hint))

        with tempfile.TemporaryDirectory(prefix="detectattn-") as temp_dir:
            read = ReadOptions(vid_stride=vid_stride, offline=self._offline, temp_dir=Path(temp_dir))
            stages = Stages(self._detector, RunOptions(thresholds), stop, fail)
            stages.start(_iter_media(source, read), partial(iter_frames, options=read))
            try:
                for detected in stages.iter_detected():
                    yield Shot(detected.frame, detected.prediction)
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
            EngineError: The model is an export, or runs in half precision.
            ConfigError: There is no such map.
        """
        from detectattn.explain.picture import ExplainOptions, explain_look, look_at

        with tempfile.TemporaryDirectory(prefix="detectattn-") as temp_dir:
            read = ReadOptions(offline=self._offline, temp_dir=Path(temp_dir))
            media = next(_iter_media(image, read))
            if isinstance(media, FrameFailure):
                raise SourceError(media.message.rstrip("."), hint="Pass a picture that can be read")
            with closing(_iter_one(media, read)) as frames:
                bgr = next(frames).bgr
        options = ExplainOptions(Thresholds(conf, iou), tuple(maps), score=score)
        look = look_at(self._detector, bgr, options)
        return explain_look(self._detector, bgr, look, range(min(top, len(look.captured.detections))), options)

    def close(self) -> None:
        """Free what the model holds."""
        self._detector.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
