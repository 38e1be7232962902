"""The options of ``explain``."""

from __future__ import annotations

from dataclasses import dataclass

from detectattn.config.checks import require
from detectattn.config.parse import parse_imgsz


@dataclass(frozen=True, slots=True)
class ExplainConfig:
    """Everything that decides what ``explain`` does, apart from its sources.

    A preset may set it, but for what :func:`~detectattn.config.presets.load_preset` refuses.

    Attributes:
        model: The models: registry names, files, URLs, optionally ``NAME=…``.
        conf: Detections scored above this are explained; where there are none, the best below.
        iou: As for ``predict``.
        classes: As for ``predict``.
        top: Objects a picture at most, the surest first.
        maps: Which maps are made; empty for all but those whose gradients go as far as the picture.
        layer: Of maps that show one layer: its number, from 0; None for the last.
        head: Of maps of attention: one head, from 0; None for the mean of all.
        score: Whether every map is scored by deletion and insertion.
        imgsz: ``640`` or ``480x640`` (height × width) for all; empty for each model's own.
        device: As for ``predict``.
        precision: ``auto`` or ``fp32``: attention is checked to the fifth decimal.
        vid_stride: Take every n-th frame of a video or stream.
        limit: Take at most so many pictures; 0 for all.
        seed: Of the random maps that others are held against.
        images: Whether sheets are drawn.
        offline: Refuse every download.
        trust_weights: Load checkpoints that ask for more than the allow-list.
        allow_truncated: Take pictures that are cut short as far as they decode.
    """

    model: tuple[str, ...] = ("rtdetr-l",)
    conf: float = 0.25
    iou: float = 0.7
    classes: tuple[str, ...] = ()
    top: int = 8
    maps: tuple[str, ...] = ()
    layer: int | None = None
    head: int | None = None
    score: bool = False
    imgsz: str = ""
    device: str = "auto"
    precision: str = "auto"
    vid_stride: int = 1
    limit: int = 0
    seed: int = 0
    images: bool = True
    offline: bool = False
    trust_weights: bool = False
    allow_truncated: bool = False

    def __post_init__(self) -> None:
        require("model", self.model, len(self.model) > 0, "one model at least")
        require("conf", self.conf, 0 <= self.conf <= 1, "a number from 0 to 1")
        require("iou", self.iou, 0 <= self.iou <= 1, "a number from 0 to 1")
        require("top", self.top, self.top >= 1, "a whole number above 0")
        require("layer", self.layer, self.layer is None or self.layer >= 0, "a whole number from 0")
        require("head", self.head, self.head is None or self.head >= 0, "a whole number from 0")
        require("precision", self.precision, self.precision in ("auto", "fp32"), "fp32, in which attention is exact")
        require("vid_stride", self.vid_stride, self.vid_stride >= 1, "a whole number above 0")
        require("limit", self.limit, self.limit >= 0, "a whole number, or 0 for all pictures")
        require("seed", self.seed, self.seed >= 0, "a whole number from 0")
        parse_imgsz(self.imgsz)
