"""Ground truth in Pascal VOC's XML, one file an image (http://host.robots.ox.ac.uk/pascal/VOC/)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np

from detectattn.errors import BrokenTruth
from detectattn.evaluation.truth import TruthEntry, TruthFile, count_of
from detectattn.evaluation.truth_json import MAX_PIXELS, read_content

Difficult = Literal["ignore", "count"]
_HINT = "Export the annotation anew, or name other ground truth with --truth"
_MAX_BYTES = 64_000_000
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def load_voc(path: Path, difficult: Difficult = "ignore") -> TruthFile:
    """Ground truth from an XML file, or from all below a folder that are VOC annotations.

    VOC counts pixels from 1, both ends included: a box from 1 to 10 spans 0 to 10. Where a file of the folder has a
    coordinate below 1, the files are taken to hold plain coordinates, and that is noted.

    Args:
        path: A file, or a folder (``Annotations``, or anything above it).
        difficult: ``ignore`` objects marked difficult, as VOC's protocol does, or ``count`` them.

    Raises:
        BrokenTruth: A file cannot be read; the message names line and element.
    """
    paths = [path] if path.is_file() else sorted(p for p in path.rglob("*.xml") if p.is_file())
    root = path.parent if path.is_file() else path
    images = [image for p in paths if (image := _read_image(p, root)) is not None]
    if not images:
        raise BrokenTruth(f"{path} holds no VOC annotation", hint="Give the folder with the XML files")
    class_names = tuple(sorted({item.name for image in images for item in image.items}))
    plain = any(min(item.corners[:2]) < 1 for image in images for item in image.items)
    notes = []
    marked = sum(item.difficult for image in images for item in image.items)
    if marked:
        what = "ignored" if difficult == "ignore" else "counted"
        notes.append(f"{count_of(marked, 'object')} marked difficult: {what}")
    if plain:
        notes.append("boxes have coordinates below 1: taken as plain coordinates, not as VOC's pixels from 1")
    index = {name: i for i, name in enumerate(class_names)}
    entries = tuple(_to_entry(image, index, plain, difficult) for image in images)
    return TruthFile(path, "voc", class_names, entries, notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    corners: tuple[float, ...]
    difficult: bool


@dataclass(frozen=True, slots=True)
class _Image:
    path: Path
    name: str
    frame: int
    size_hw: tuple[int, int] | None
    items: tuple[_Item, ...]


def _to_entry(image: _Image, index: Mapping[str, int], plain: bool, difficult: Difficult) -> TruthEntry:
    count = len(image.items)
    corners = np.array([item.corners for item in image.items], np.float64).reshape(-1, 4)
    if not plain:
        corners[:, :2] -= 1
    ignored = [item.difficult and difficult == "ignore" for item in image.items]
    return TruthEntry(
        name=image.name,
        index=image.frame,
        path=image.path,
        size_hw=image.size_hw,
        xyxy=corners,
        class_index=np.array([index[item.name] for item in image.items], np.int32),
        crowd=np.zeros(count, np.bool_),
        ignored=np.array(ignored, np.bool_),
        area=np.full(count, np.nan),
    )


def _read_image(path: Path, root: Path) -> _Image | None:
    """The annotation in a file, or None where the XML is about something else."""
    content = read_content(path, BrokenTruth, _HINT, _MAX_BYTES)
    try:
        # Nothing is fetched, and expat itself bounds how much entities may expand.
        element = ElementTree.fromstring(content)  # noqa: S314
    except MemoryError as error:
        raise BrokenTruth(f"{path} needs more memory to read than there is", hint=_HINT) from error
    except ElementTree.ParseError as error:
        raise BrokenTruth(f"{path} is broken XML: {error}", hint=_HINT) from error
    except (LookupError, ValueError) as error:  # an encoding that Python or expat does not know
        raise BrokenTruth(f"{path} is no XML that can be read ({error})", hint=_HINT) from error
    if element.tag != "annotation":
        return None
    width, height = (_number(element, f"size/{side}") for side in ("width", "height"))
    frame = _number(element, "frame")
    items = tuple(_read_item(path, number, item) for number, item in enumerate(element.findall("object"), start=1))
    return _Image(
        path=_beside_images(path),
        name=_image_name(path, root, element),
        frame=int(frame or 0),
        size_hw=(int(height), int(width)) if width and height and min(width, height) >= 1 else None,
        items=items,
    )


def _read_item(path: Path, number: int, item: ElementTree.Element) -> _Item:
    where = f"{path}, object {number}"
    name = (item.findtext("name") or "").strip()
    if not name:
        raise BrokenTruth(f"{where}: <name> is missing", hint=_HINT)
    corners = [_number(item, f"bndbox/{corner}") for corner in _CORNERS]
    known = tuple(value for value in corners if value is not None)
    if len(known) != 4:
        missing = _CORNERS[corners.index(None)]
        raise BrokenTruth(f"{where} ({name}): <bndbox><{missing}> is missing or no number", hint=_HINT)
    if known[0] > known[2] or known[1] > known[3]:
        raise BrokenTruth(f"{where} ({name}): the box ends before it starts: {known}", hint=_HINT)
    return _Item(name, known, (item.findtext("difficult") or "0").strip() == "1")


def _number(element: ElementTree.Element, path: str) -> float | None:
    try:
        value = float(element.findtext(path) or "")
    except ValueError:
        return None
    return value if abs(value) <= MAX_PIXELS else None  # which NaN is not


def _beside_images(path: Path) -> Path:
    """Where the picture lies, without suffix: VOC keeps it in JPEGImages beside Annotations."""
    parts = list(path.absolute().parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i].casefold() == "annotations":
            parts[i] = "JPEGImages"
            break
    return Path(*parts).with_suffix("")


def _image_name(path: Path, root: Path, element: ElementTree.Element) -> str:
    """The annotation's own place below ``root``; the file name that it gives is often stale."""
    folder = path.parent.relative_to(root)
    given = (element.findtext("filename") or "").strip().replace("\\", "/").rsplit("/", 1)[-1]
    same = given.rsplit(".", 1)[0] == path.stem
    return (folder / (given if same else path.stem)).as_posix()
