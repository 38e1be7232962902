"""Finding ground truth: beside the images, or where a person says it is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detectattn.errors import AmbiguousTruth, BrokenTruth
from detectattn.evaluation.truth import TruthFile, TruthFormat
from detectattn.evaluation.truth_coco import load_coco
from detectattn.evaluation.truth_voc import Difficult, load_voc
from detectattn.evaluation.truth_yolo import find_data_yaml, load_yolo, to_label_path
from detectattn.sources.suffixes import MEDIA_SUFFIXES

_FILE_NAME = re.compile(rb'"(?:file_name|source)"\s*:\s*("(?:[^"\\]|\\.)*")')
_NO_ANNOTATIONS = re.compile(rb'"annotations"\s*:\s*\[\s*\]')
_FRAME_MARK = re.compile(r"(.+)\.p(\d{4,})")
_MAX_SOUGHT_BYTES = 500_000_000
_MAX_STEMS = 10_000
_ANNOTATION_FOLDERS = ("annotations", "Annotations", "labels", "coco", "truth", "ground_truth")
_KINDS = "Name a COCO .json, a YOLO data.yaml, or a folder with YOLO labels or VOC .xml files"


@dataclass(frozen=True, slots=True)
class TruthLocation:
    """Where ground truth lies, not read yet.

    Attributes:
        path: A file, or the folder of labels or annotations.
        format: What it is.
        named: Whether a person named it, rather than it being found beside the images.
    """

    path: Path
    format: TruthFormat
    named: bool


def find_truth(sources: Sequence[Path], named: Path | None = None) -> TruthLocation | None:
    """Find the ground truth of some images, without reading all of it.

    Looked for are, in this order: COCO JSON that speaks of these images, beside them, in a folder ``annotations`` or at
    most two folders above; YOLO labels in ``labels/`` beside ``images/``, or beside the images; VOC's XML in
    ``Annotations/`` beside or above, or beside the images.

    Args:
        sources: What was given to detect on; what is no local file or folder is passed over.
        named: What a person named: a JSON, YAML or XML file, or a folder that holds one of the kinds.

    Returns:
        None where nothing is found beside the images.

    Raises:
        BrokenTruth: ``named`` holds no ground truth.
        AmbiguousTruth: Several COCO files speak of equally many of the images.
    """
    stems = set(_iter_stems(sources))
    if named is not None:
        return _locate_named(named, stems)
    folders = list(dict.fromkeys(_folder_of(source) for source in sources if source.exists()))
    coco = _choose_coco(_iter_json(folders), stems)
    if coco is not None:
        return TruthLocation(coco, "coco", named=False)
    labels = next((place for f in folders for place in _label_places(f) if _holds(place, ".txt", stems)), None)
    if labels is not None:
        return TruthLocation(labels, "yolo", named=False)
    xml = next((place for f in folders for place in _annotation_places(f) if _holds(place, ".xml", stems)), None)
    return None if xml is None else TruthLocation(xml, "voc", named=False)


def load_truth(location: TruthLocation, difficult: Difficult = "ignore") -> TruthFile:
    """Read the ground truth at a location.

    Args:
        location: As :func:`find_truth` gives it.
        difficult: What to do with VOC's difficult objects.

    Raises:
        BrokenTruth: It cannot be read.
    """
    if location.format == "coco":
        return load_coco(location.path)
    return load_yolo(location.path) if location.format == "yolo" else load_voc(location.path, difficult)


def _locate_named(named: Path, stems: set[str]) -> TruthLocation:
    if named.is_file():
        by_suffix: dict[str, TruthFormat] = {".json": "coco", ".yaml": "yolo", ".yml": "yolo", ".xml": "voc"}
        suffix = named.suffix.lower()
        if suffix not in by_suffix:
            raise BrokenTruth(f"{named} is no ground truth that can be read", hint=_KINDS)
        return TruthLocation(named, by_suffix[suffix], named=True)
    if not named.is_dir():
        raise BrokenTruth(f"there is no {named}", hint=_KINDS)
    coco = _choose_coco(_iter_json([named], levels=0), stems, must_overlap=False)
    if coco is not None:
        return TruthLocation(coco, "coco", named=True)
    data_yaml = find_data_yaml(named, levels=0)
    if data_yaml is not None:
        return TruthLocation(data_yaml, "yolo", named=True)
    if next(named.rglob("*.xml"), None) is not None:
        return TruthLocation(named, "voc", named=True)
    if next(named.rglob("*.txt"), None) is not None:
        return TruthLocation(named, "yolo", named=True)
    raise BrokenTruth(f"{named} holds no ground truth", hint=_KINDS)


def _folder_of(source: Path) -> Path:
    folder = source if source.is_dir() else source.parent
    return folder.absolute()


def _iter_stems(sources: Sequence[Path]) -> Iterator[str]:
    """Names without suffix of the pictures and videos, case-folded; of very many, some."""
    count = 0
    for source in sources:
        walk = os.walk(source) if source.is_dir() else [(str(source.parent), [], [source.name])]
        for _, _, names in walk:
            for path in map(Path, names):
                if path.suffix.lower() in MEDIA_SUFFIXES:
                    count += 1
                    yield path.stem.casefold()
            if count >= _MAX_STEMS:
                return


def _iter_json(folders: Sequence[Path], levels: int = 2) -> Iterator[Path]:
    """JSON files in folders, in those at most so many above, and in the usual places below each."""
    seen: set[Path] = set()
    for folder in folders:
        for place in [folder, *folder.parents][: levels + 1]:
            for below in (place, *(place / name for name in _ANNOTATION_FOLDERS)):
                for path in sorted(below.glob("*.json")):
                    if path not in seen and path.is_file():
                        seen.add(path)
                        yield path


def _choose_coco(paths: Iterator[Path], stems: set[str], *, must_overlap: bool = True) -> Path | None:
    """The COCO file that speaks of most of these images."""
    overlaps = {path: len(names & stems) for path in paths if (names := _read_names(path)) is not None}
    best = max(overlaps.values(), default=0)
    if not overlaps or (must_overlap and best == 0):
        return None
    found = [path for path, overlap in overlaps.items() if overlap == best]
    # COCO keeps boxes in instances_*.json, beside captions and keypoints of the same images.
    found = [path for path in found if path.name.startswith("instances")] or found
    if len(found) > 1:
        raise AmbiguousTruth(
            f"several files could be the ground truth: {', '.join(map(str, found[:3]))}",
            hint="Name the one that is meant with --truth",
        )
    return found[0]


def _read_names(path: Path) -> set[str] | None:
    """Names without suffix of the images in a COCO file, case-folded; None for any other file."""
    try:
        if path.stat().st_size > _MAX_SOUGHT_BYTES:
            return None
        content = path.read_bytes()
    except (OSError, MemoryError):
        return None
    if not all(key in content for key in (b'"images"', b'"categories"', b'"annotations"')):
        return None
    # Our own coco/images.json describes pictures for results and holds no truth.
    if _NO_ANNOTATIONS.search(content):
        return None
    return {_to_stem(match[1]) for match in _FILE_NAME.finditer(content)}


def _to_stem(quoted: bytes) -> str:
    try:
        name = str(json.loads(quoted))
    except ValueError:
        return ""
    return Path(name.replace("\\", "/").rsplit("/", 1)[-1]).stem.casefold()


def _label_places(folder: Path) -> Iterator[Path]:
    """Where the labels of the images in a folder may lie."""
    beside = to_label_path(folder / "x.jpg").parent
    if beside != folder:
        yield beside
    if (folder / "images").is_dir():
        yield folder / "labels"
    yield folder


def _annotation_places(folder: Path) -> Iterator[Path]:
    """Where the XML files of the images in a folder may lie."""
    for place in (folder, folder.parent):
        for name in ("Annotations", "annotations"):
            yield place / name
    yield folder


def _holds(folder: Path, suffix: str, stems: set[str]) -> bool:
    """Whether a file below a folder is called like one of the images."""
    found = (path for path in folder.rglob(f"*{suffix}") if _is_of(path.stem.casefold(), stems))
    return folder.is_dir() and next(found, None) is not None


def _is_of(stem: str, stems: set[str]) -> bool:
    if stem in stems:
        return True
    # clip.mp4.p0012 is a frame of clip.mp4
    marked = _FRAME_MARK.fullmatch(stem)
    return marked is not None and Path(marked[1]).stem in stems
