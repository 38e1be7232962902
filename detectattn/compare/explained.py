"""The maps of disputed detections that a study keeps: ``pictures/explained/`` in its run folder, and their index.

With the index a report is built anew without a model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath

from detectattn.compare.from_json import from_json, open_json
from detectattn.evaluation.truth import FrameKey
from detectattn.report.content import Caveat
from detectattn.report.gallery import Gallery, GalleryPicture, Overlay
from detectattn.sinks.files import replace_file

FOLDER = PurePosixPath("pictures/explained")
_INDEX = FOLDER / "index.json"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class DisputeMap:
    """Where one model looked for what is disputed in a picture.

    Attributes:
        model: Its name.
        title: What it shows: ``Cross-attention, last layer: 4 disputed detections``.
        path: Picture file of the picture's proportions, relative to the run folder.
    """

    model: str
    title: str
    path: str


@dataclass(frozen=True, slots=True)
class DisputedPicture:
    """A disputed picture.

    Attributes:
        source: As in records.
        index: As in records.
        sheet: Of its disputed objects, one a row; relative to the run folder.
        maps: One a model that finds something of it.
    """

    source: str
    index: int
    sheet: str
    maps: tuple[DisputeMap, ...]


@dataclass(frozen=True, slots=True)
class ExplainedDisputes:
    """What ``--explain`` made.

    Attributes:
        pictures: Most disputed first.
        left_out: By name, why a model is not explained, or not on every picture. A sentence with a full stop.
    """

    pictures: tuple[DisputedPicture, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


def has_explained(root: Path) -> bool:
    """Whether a run folder holds an index, be it of nothing."""
    return (root / _INDEX).exists()


def write_explained(root: Path, explained: ExplainedDisputes) -> None:
    """Write the index, after all that it names.

    Raises:
        OutputError: It cannot be written.
    """
    record = {"schema": _SCHEMA, **asdict(explained)}
    replace_file(root / _INDEX, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def read_explained(root: Path) -> ExplainedDisputes:
    """What a run folder holds; nothing where ``--explain`` was not given.

    Raises:
        UnreadableRecord: The index is damaged.
    """
    path = root / _INDEX
    if not path.exists():
        return ExplainedDisputes()
    with open_json(path, "Remove it to build the report without maps, or run the study anew") as record:
        return from_json(ExplainedDisputes, {"pictures": record["pictures"], "left_out": record["left_out"]})


def lay_over(gallery: Gallery, explained: ExplainedDisputes, root: Path) -> Gallery:
    """The gallery with the maps that are there."""
    maps = {(p.source, p.index): p.maps for p in explained.pictures}
    return replace(gallery, pictures=tuple(_with_maps(p, gallery.models, maps, root) for p in gallery.pictures))


def tell_left_out(explained: ExplainedDisputes) -> tuple[Caveat, ...]:
    """What a reader should know of the maps that are missing."""
    return tuple(Caveat("agreement", text, (name,)) for name, text in explained.left_out.items())


def tell_originals(explained: ExplainedDisputes, converted: Sequence[str]) -> tuple[Caveat, ...]:
    """That maps are those of the models themselves, where something made of them by conversion was measured.

    Args:
        explained: What there is.
        converted: Names of models that ran converted.
    """
    shown = {one.model for picture in explained.pictures for one in picture.maps}
    names = tuple(name for name in converted if name in shown)
    if not names:
        return ()
    told = " and ".join(names)
    text = f"The maps of {told} were made in PyTorch, with the weights as they were before the conversion."
    return (Caveat("agreement", text, names),)


def _with_maps(
    picture: GalleryPicture, models: Sequence[str], maps: Mapping[FrameKey, Sequence[DisputeMap]], root: Path
) -> GalleryPicture:
    found = maps.get((picture.source, picture.index), ())
    return replace(picture, overlays=tuple(_iter_overlays(found, models, root))) if found else picture


def _iter_overlays(maps: Sequence[DisputeMap], models: Sequence[str], root: Path) -> Iterator[Overlay]:
    for shown in maps:
        # An index may come from anywhere: the page names nothing but pictures of this folder.
        here = PurePosixPath(shown.path).parent == FOLDER
        if here and shown.model in models and (root / shown.path).is_file():
            yield Overlay(models.index(shown.model), shown.title, shown.path)
