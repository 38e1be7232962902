"""Everything that an explanation says, as data: what ``explain`` hands to its renderers.

Boxes and points are in pixels of the upright picture. Figures are not rounded; NaN is None in ``explain.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detectattn.results.explanation import MethodFigures
from detectattn.results.faithfulness import MapScore
from detectattn.types import F32, I32, U8, Family

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ModelExplained:
    """A model, and what its maps are worth over all pictures.

    Attributes:
        name: In this run, unique.
        family: Decides its colour.
        engine: Runtime that was looked into.
        device: Where it ran.
        net_hw: Input size.
        file: Its weights.
        sha256: Of that file.
        attention: The kinds of attention that it has, in words; empty for a model without any.
        methods: What each method is worth, the most faithful first, baselines last.
        default_method: The map that the sheets show.
        default_reason: Why that one: a sentence with a full stop.
    """

    name: str
    family: Family
    engine: str
    device: str
    net_hw: tuple[int, int]
    file: str
    sha256: str
    attention: str
    methods: tuple[MethodFigures, ...]
    default_method: str
    default_reason: str


@dataclass(frozen=True, slots=True, eq=False)
class SmallMap:
    """A map for the page.

    Attributes:
        method: Its key.
        grey: u8[h, w], 255 for what is drawn brightest; at most 160 px long.
    """

    method: str
    grey: U8


@dataclass(frozen=True, slots=True, eq=False)
class PointCloud:
    """Sampling points of one detection, N of all layers, heads, levels and points.

    Attributes:
        xy: f32[N, 2]; they may lie outside the picture.
        weight: f32[N]; those of one layer and head sum to 1.
        level: i32[N], 0 for the finest.
        head: i32[N].
        layer: i32[N], number of the decoder layer.
    """

    xy: F32
    weight: F32
    level: I32
    head: I32
    layer: I32


@dataclass(frozen=True, slots=True, eq=False)
class HeadMaps:
    """What the places inside a detection's box attend to, head by head, in one self-attention module.

    Attributes:
        module: Its path in the model.
        grey: u8[heads, h, w] over the picture (padding cut off), 255 for the largest of each head.
    """

    module: str
    grey: U8


@dataclass(frozen=True, slots=True, eq=False)
class DetectionExplained:
    """One detection of one model.

    Attributes:
        xyxy: Its box.
        score: 0 to 1.
        query_id: The query or anchor behind it.
        maps: One a method.
        scores: What each is worth, in the same order.
        points: Its sampling points; None for a model without deformable attention.
        heads: Of each self-attention module over a feature map; empty for a model without any.
        untold: Whether deletion and insertion were asked for and can say nothing about it.
    """

    xyxy: tuple[float, float, float, float]
    score: float
    query_id: int
    maps: tuple[SmallMap, ...]
    scores: tuple[MapScore, ...]
    points: PointCloud | None
    heads: tuple[HeadMaps, ...]
    untold: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ObjectExplained:
    """An object, and what each model says of it.

    Attributes:
        class_name: What it is.
        found: By model, in the order of the report; None for a model that does not find it.
        further: By model, how many more boxes it has of the object, which are not explained; empty for none.
    """

    class_name: str
    found: tuple[DetectionExplained | None, ...]
    further: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PictureExplained:
    """A picture.

    Attributes:
        source: As in records; text that came from a file name, to be escaped.
        index: Frame or page.
        size_hw: Height and width of the upright picture.
        sheet: Path of its sheet relative to the run folder; None where none was drawn.
        arrays: By model, path of its ``.npz`` relative to the run folder.
        jpeg: The picture itself, at most 960 px long, for the page; None where the page is to do without.
        objects: The surest first.
        below: Models none of whose detections passed the threshold: what is shown of them lies below it.
    """

    source: str
    index: int
    size_hw: tuple[int, int]
    sheet: str | None
    arrays: Mapping[str, str]
    jpeg: bytes | None
    objects: tuple[ObjectExplained, ...]
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A run of ``explain``.

    Attributes:
        created: When, ISO 8601 in UTC.
        sentences: What it found, the most important first.
        caveats: What to know before relying on it.
        models: In the order that they were given.
        pictures: As they came.
        conf: Detections from this score on are explained.
        top: Objects a picture at most.
        scored: Whether deletion and insertion were computed.
        image_failures: Inputs that could not be read.
        command: The command line that made it.
        versions: Of Python, packages and this project.
        machine: What it ran on.
    """

    created: str
    sentences: tuple[str, ...]
    caveats: tuple[str, ...]
    models: tuple[ModelExplained, ...]
    pictures: tuple[PictureExplained, ...]
    conf: float
    top: int
    scored: bool
    image_failures: int
    command: tuple[str, ...]
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
