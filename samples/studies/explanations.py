"""Explanations: the shipped street scenes, with made-up detections that look about in made-up ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectattn.report.explanation import (
    DetectionExplained,
    Explanation,
    HeadMaps,
    ModelExplained,
    ObjectExplained,
    PictureExplained,
    PointCloud,
    SmallMap,
)
from detectattn.report.gallery import GalleryBox, GalleryPicture
from detectattn.results.explanation import MeanFigure, MethodFigures, Worth
from detectattn.results.faithfulness import MapScore, PerturbationCurve, Reach
from detectattn.types import U8, Family
from samples.studies.galleries import draw_thumbnail, make_gallery

FRACTIONS = tuple(2.0**-k for k in range(10, 0, -1))
_MAP_PX = 160
_AREA = (0.06, 0.08, 0.11, 0.25, 0.5)
# By method: title, meaning, how wide it spreads around the box, and what it is worth.
_METHODS: dict[str, tuple[str, str, float, Worth]] = {
    "cross_last": ("Cross-attention, last layer", "Where the query samples the picture", 0.4, "says more than the box"),
    "rollout": ("Attention rollout", "Attention followed back to the picture", 1.4, "no better than random"),
    "encoder_rows": ("Self-attention of the box", "What the box attends to", 2.0, "not decided"),
    "layercam": ("LayerCAM", "Which places speak for the detection", 0.5, "no more than the box"),
    "box_blob": ("Blob on the box", "Nothing but the box itself", 0.3, "baseline"),
    "random": ("Random", "Nothing at all", 9.0, "baseline"),
}
_WITHOUT_ATTENTION = ("layercam", "box_blob", "random")


def make_explanation(
    pictures: int = 3, *, objects: int = 4, inline: int | None = None, scored: bool = True, seed: int = 0
) -> Explanation:
    """A model with attention and one without, of which the first finds nothing sure in the second picture.

    Args:
        pictures: How many; the last has no object.
        objects: In each other one, at most.
        inline: How many of them, the first, the page is to show; all but the last by default.
        scored: Whether deletion and insertion were computed.
        seed: Of everything made up.
    """
    rng = np.random.default_rng(seed)
    names = ("rtdetr-l", "yolo11n")
    shown = max(1, pictures - 1) if inline is None else inline
    gallery = make_gallery(names, pictures, seed=seed)
    made = [
        _make_picture(picture, n, objects if n < pictures - 1 or pictures == 1 else 0, n < shown, scored, rng)
        for n, picture in enumerate(gallery.pictures)
    ]
    if pictures > 1:
        made[1] = replace(made[1], below=(names[0],))
    return Explanation(
        created="2026-03-01T12:00:00+00:00",
        sentences=(
            "rtdetr-l looks further beyond its boxes than yolo11n: 38% of its evidence lies outside, against 18%.",
            "The map of yolo11n says no more than its box: LayerCAM is 0.010 less faithful than a blob on the box.",
            "Of the 4 maps of rtdetr-l one is no better than random: attention rollout.",
            "Cross-attention in the last layer is the most faithful map of rtdetr-l.",
        ),
        caveats=("3 pictures are few: the intervals speak about these pictures alone.", "1 input could not be read."),
        models=(
            _make_model(names[0], scored, tuple(_METHODS)),
            _make_model(names[1], scored, _WITHOUT_ATTENTION),
        ),
        pictures=tuple(made),
        conf=0.25,
        top=objects,
        scored=scored,
        image_failures=1,
        command=("detectattn", "explain", "street/images", "-m", *names, "--score"),
        versions={"python": "3.12.3", "detectattn": "0.2.0"},
        machine={"cpu": "Some Processor 9000", "logical_cores": 8, "memory_bytes": 16_500_000_000, "os": "Linux 6.1"},
    )


def make_hostile_explanation(text: str) -> Explanation:
    """An explanation in which a text stands wherever a text can come from outside."""
    plain = make_explanation(2, objects=2, inline=1)
    model = replace(plain.models[0], name=text, engine=text, device=text, file=text, sha256=text, attention=text)
    return replace(
        plain,
        sentences=(text, f"A second sentence of {text}.", text, text),
        caveats=(text,),
        models=(model, plain.models[1]),
        pictures=tuple(
            replace(
                picture, source=text, sheet=text, arrays={text: text}, below=(text,),
                objects=tuple(_rename(found, text) for found in picture.objects),
            )
            for picture in plain.pictures
        ),
        command=("detectattn", text),
        versions={text: text},
        machine={text: text},
    )  # fmt: skip


def _rename(found: ObjectExplained, text: str) -> ObjectExplained:
    detections = (
        None if d is None else replace(d, heads=tuple(replace(own, module=text) for own in d.heads))
        for d in found.found
    )
    return ObjectExplained(text, tuple(detections))


def _make_picture(
    picture: GalleryPicture, number: int, objects: int, inline: bool, scored: bool, rng: np.random.Generator
) -> PictureExplained:
    grouped: dict[int, list[GalleryBox | None]] = {}
    for model, boxes in enumerate(picture.found):
        for box in boxes or ():
            if box.object_index is not None:
                grouped.setdefault(box.object_index, [None, None])[model] = box
    kept = sorted(grouped.values(), key=lambda own: -max(_area(box) for box in own if box is not None))[:objects]
    return PictureExplained(
        source=picture.source,
        index=0,
        size_hw=picture.size_hw,
        sheet=f"images/{picture.source}",
        arrays={name: f"explain/{name}/{picture.source}.attention.npz" for name in ("rtdetr-l", "yolo11n")},
        jpeg=draw_thumbnail(number) if inline else None,
        objects=tuple(
            ObjectExplained("car", tuple(_detect(b, m, picture.size_hw, scored, rng) for m, b in enumerate(own)))
            for own in kept
        ),
        below=(),
    )


def _area(box: GalleryBox) -> float:
    return (box.xyxy[2] - box.xyxy[0]) * (box.xyxy[3] - box.xyxy[1])


def _detect(
    box: GalleryBox | None, model: int, size_hw: tuple[int, int], scored: bool, rng: np.random.Generator
) -> DetectionExplained | None:
    if box is None:
        return None
    methods = tuple(_METHODS) if model == 0 else _WITHOUT_ATTENTION
    return DetectionExplained(
        xyxy=box.xyxy,
        score=box.score,
        query_id=int(rng.integers(300)),
        maps=tuple(SmallMap(m, _make_map(box, size_hw, _METHODS[m][2], rng)) for m in methods),
        scores=tuple(_score(m, scored) for m in methods),
        points=_make_points(box, rng) if model == 0 else None,
        heads=(HeadMaps("model.11.ma", np.stack([_make_map(box, size_hw, s, rng) for s in (1, 2, 4)])),)
        if model == 0
        else (),
    )


def _make_map(box: GalleryBox, size_hw: tuple[int, int], spread: float, rng: np.random.Generator) -> U8:
    """A few smooth blobs about the box, u8[h, w]."""
    scale = _MAP_PX / max(size_hw)
    height, width = round(size_hw[0] * scale), round(size_hw[1] * scale)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    x0, y0, x1, y1 = (side * scale for side in box.xyxy)
    values: NDArray[np.float64] = np.zeros((height, width))
    for weight in (1.0, 0.6, 0.4):
        at_x, at_y = rng.normal(((x0 + x1) / 2, (y0 + y1) / 2), (spread * (x1 - x0) / 2, spread * (y1 - y0) / 2))
        sigma_x, sigma_y = max(2.0, (x1 - x0) / 4), max(2.0, (y1 - y0) / 4)
        values += weight * np.exp(-(((x - at_x) / sigma_x) ** 2) / 2 - ((y - at_y) / sigma_y) ** 2 / 2)
    return np.asarray((255 * values / max(values.max(), 1e-9)).round(), np.uint8)


def _make_points(box: GalleryBox, rng: np.random.Generator) -> PointCloud:
    """Of 3 layers, 4 heads, 3 levels and 4 points."""
    layer, head, level, _ = (axis.ravel().astype(np.int32) for axis in np.indices((3, 4, 3, 4)))
    x0, y0, x1, y1 = box.xyxy
    size = np.array((x1 - x0, y1 - y0))
    xy = rng.normal(((x0 + x1) / 2, (y0 + y1) / 2), size[None] * (0.2 + 0.3 * level[:, None]))
    weight = rng.random((12, 12)) ** 3
    weight /= weight.sum(axis=1, keepdims=True)
    return PointCloud(xy.astype(np.float32), weight.ravel().astype(np.float32), level, head, layer)


def _score(method: str, scored: bool) -> MapScore:
    inside = {"random": 0.06}.get(method, 0.7 / (1 + _METHODS[method][2]))
    rest = tuple((1 - inside) * share for share in (0.5, 0.2, 0.2, 0.1))
    curve = PerturbationCurve(FRACTIONS, *_curves(method)) if scored else None
    return MapScore(method, inside, inside > 0.4, Reach((inside, *rest), _AREA), curve)


def _curves(method: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Insertion and deletion."""
    late = min(4.0, 1 + _METHODS[method][2])
    insertion = tuple(round(f ** (0.25 * late), 4) for f in FRACTIONS)
    return insertion, tuple(round(1 - 0.8 * value, 4) for value in insertion)


def _make_model(name: str, scored: bool, methods: tuple[str, ...]) -> ModelExplained:
    family: Family = "cnn" if methods == _WITHOUT_ATTENTION else "attention"
    return ModelExplained(
        name=name,
        family=family,
        engine="torch",
        device="cpu",
        net_hw=(640, 640),
        file=f"weights/{name}.pt",
        sha256="5e" * 32,
        attention="" if family == "cnn" else "self-attention over a feature map (1 layer), deformable (3 layers)",
        methods=tuple(_figures(method, scored) for method in methods),
        default_method=methods[0],
        default_reason="It is the most faithful of its maps on 11 detections.",
    )


def _figures(method: str, scored: bool) -> MethodFigures:
    title, meaning, _, worth = _METHODS[method]
    score = _score(method, scored)
    curve = score.curve
    baseline = worth == "baseline"
    faithful = None if curve is None else _mean(curve.faithfulness)
    gain = {"says more than the box": 0.2, "no more than the box": 0.03, "not decided": 0.05}.get(worth, -0.04)
    return MethodFigures(
        method=method,
        title=title,
        meaning=meaning,
        worth=worth if scored or baseline else "not decided",
        detections=11,
        energy=_mean(score.energy),
        pointing=_mean(float(score.pointing)),
        reach=score.reach.shares,
        area=score.reach.area,
        faithfulness=faithful,
        insertion=() if curve is None else curve.insertion,
        deletion=() if curve is None else curve.deletion,
        over_random=_mean(gain + 0.1) if scored and not baseline else None,
        over_box=_mean(gain) if scored and not baseline else None,
        milliseconds=12.3,
    )


def _mean(value: float) -> MeanFigure:
    return MeanFigure(value, value - 0.05, value + 0.05, 11, "detection")
