"""Ground truth in YOLO's labels: one text file an image, ``class cx cy w h`` in fractions, and a ``data.yaml``.

The layout is Ultralytics': of ``…/images/a/x.jpg`` the label is ``…/labels/a/x.txt`` (the last folder called ``images``
counts), or ``x.txt`` beside the image where no folder is called so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from detectattn.errors import BrokenTruth
from detectattn.evaluation.truth import TruthFile
from detectattn.evaluation.truth_json import read_text
from detectattn.evaluation.yolo_labels import LabelReader, lies_within
from detectattn.sources.suffixes import IMAGE_SUFFIXES
from detectattn.yaml_text import BrokenYaml, read_yaml

_SPLITS = ("train", "val", "test")
_MAX_CLASSES = 100_000
_MAX_LIST_BYTES = 500_000_000


def load_yolo(path: Path) -> TruthFile:
    """Ground truth from a ``data.yaml`` (all its splits), or from a folder of labels with one in or above it.

    Every image below the folders that it names counts, one without a label file as an image without objects. Polygons
    are taken as the boxes around them, lines that are there twice once, as Ultralytics takes them.

    Raises:
        BrokenTruth: It cannot be read, names no classes, or a label is malformed; the message names the line.
    """
    if path.is_dir():
        config_path = find_data_yaml(path)
        if config_path is None:
            raise BrokenTruth(
                f"{path} holds labels, but no data.yaml in or above it says what the classes are called",
                hint="Write a data.yaml with `names:` beside the labels, or name one with --truth",
            )
        config = _read_config(config_path)
        base, folders = path, [path]
    else:
        config_path = path
        config = _read_config(path)
        base, folders = _find_folders(path, config)
    class_names = _read_names(config_path, config)
    home = config_path.parent
    labels = LabelReader(class_names, home, only_box="kpt_shape" in config)
    pairs = dict(pair for folder in folders for pair in _iter_labels(folder, home))
    entries = tuple(labels.read(stem, label, base) for stem, label in sorted(pairs.items()))
    if not any(label.is_file() for label in pairs.values()):
        raise BrokenTruth(
            f"{path} leads to no label file (looked for .txt in {', '.join(map(str, folders))})",
            hint="Labels lie in labels/ next to images/; check `path`, `train` and `val` in data.yaml",
        )
    return TruthFile(path, "yolo", class_names, entries, notes=labels.make_notes())


def find_data_yaml(folder: Path, levels: int = 4) -> Path | None:
    """The nearest YAML file with class names in a folder or at most so many folders above; ``data.yaml`` goes first."""
    folder = folder.absolute()
    for place in [folder, *folder.parents][: levels + 1]:
        try:
            found = sorted(p for p in place.iterdir() if p.suffix.lower() in {".yaml", ".yml"})
        except OSError:
            continue
        for path in sorted(found, key=lambda p: p.stem != "data"):
            if _names_of(path) is not None:
                return path
    return None


def to_label_path(image: Path) -> Path:
    """Where the label of an image lies."""
    parts = list(image.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            parts[i] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _to_image_stem(label: Path) -> Path:
    """Where the image of a label lies, without suffix."""
    parts = list(label.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "labels":
            parts[i] = "images"
            break
    return Path(*parts).with_suffix("")


def _read_config(path: Path) -> dict[str, Any]:
    hint = "Write it as Ultralytics' data.yaml, with `names:`, `train:` and `val:`"
    try:
        config = read_yaml(path)
    except OSError as error:
        raise BrokenTruth(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except BrokenYaml as error:
        raise BrokenTruth(f"{path} is broken YAML ({error})", hint=hint) from error
    if not isinstance(config, dict):
        raise BrokenTruth(f"{path} is no data.yaml: it holds no keys", hint=hint)
    return config


def _names_of(path: Path) -> object:
    try:
        content = read_yaml(path) if path.is_file() else None
    except (OSError, BrokenYaml):
        return None
    names = content.get("names") if isinstance(content, dict) else None
    return names if isinstance(names, list | dict) and names else None


def _read_names(path: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    names, count = config.get("names"), config.get("nc")
    if names is None and isinstance(count, int):
        names = [str(i) for i in range(min(count, _MAX_CLASSES + 1))]
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        raise BrokenTruth(f"{path} has no `names`", hint="List the class names under `names:`")
    try:
        by_index = {int(index): str(name) for index, name in names.items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise BrokenTruth(f"{path}: `names` has a key that is no number", hint="Write `0: person` and so on") from error
    if min(by_index) < 0:
        raise BrokenTruth(f"{path}: `names` has a negative number", hint="Number the classes from 0")
    if max(by_index) >= _MAX_CLASSES:
        raise BrokenTruth(
            f"{path}: there are classes numbered up to {max(by_index)}, and at most {_MAX_CLASSES} are taken",
            hint="Number the classes from 0, without gaps",
        )
    return tuple(by_index.get(i, f"class {i}") for i in range(max(by_index) + 1))


def _find_folders(path: Path, config: Mapping[str, Any]) -> tuple[Path, list[Path]]:
    """The data set's folder, and the folders and lists of images in it that exist."""
    root = path.parent
    base = root / str(config.get("path") or ".")
    base = base if os.path.isdir(base) else root  # noqa: PTH112 - Path.is_dir raises where a name is too long
    named = [value for key in _SPLITS for value in _as_list(config.get(key))]
    found: dict[Path, None] = {}
    for value in named:
        # Exports of some labelling services say ../train/images for what lies beside the file.
        tries = [base / value, root / value, root / value.removeprefix("../")]
        existing = next((t for t in tries if os.path.exists(t) or os.path.isdir(_labels_of(t))), None)  # noqa: PTH110,PTH112
        if existing is not None:
            found[Path(os.path.normpath(existing))] = None
    if not found:
        raise BrokenTruth(
            f"{path} names no folder of images that exists ({', '.join(named) or 'no train, val or test'})",
            hint="Correct `path`, `train` and `val` in it, or give the folder of labels with --truth",
        )
    return base, list(found)


def _as_list(value: object) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _iter_labels(folder: Path, home: Path) -> Iterator[tuple[Path, Path]]:
    """Where each image lies (absolute, without suffix) and its label file, which need not exist."""
    if folder.is_file():
        yield from _iter_listed(folder, home)
        return
    labels = _labels_of(folder)
    images = _to_image_stem(folder / "x.txt").parent
    for place in dict.fromkeys([folder, labels, images]):
        for directory, _, names in os.walk(place.absolute()):
            for name in names:
                path = _plain(Path(directory, name))
                if path.suffix.lower() in IMAGE_SUFFIXES:
                    yield path.with_suffix(""), to_label_path(path)
                elif path.suffix == ".txt" and name not in {"classes.txt", "obj.names"}:
                    yield _to_image_stem(path), path


def _iter_listed(listing: Path, home: Path) -> Iterator[tuple[Path, Path]]:
    """The same for the images that a text file names, one a line.

    A file outside the data set's folder may be no list at all: what it holds goes nowhere unless it names images.
    """
    hint = "Name one image on each line"
    text = read_text(listing, BrokenTruth, hint, _MAX_LIST_BYTES)
    is_own = lies_within(listing, home)
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        image = _plain((listing.parent / line.strip()).absolute())
        if "\0" in line or not image.name or not (is_own or image.suffix.lower() in IMAGE_SUFFIXES):
            shown = f"{line.strip()[:60]!r} names no image" if is_own else "it names no image"
            raise BrokenTruth(f"{listing}, line {number}: {shown}", hint=hint)
        yield image.with_suffix(""), to_label_path(image)


def _labels_of(folder: Path) -> Path:
    """Where the labels of the images in a folder lie."""
    return to_label_path(folder / "x.jpg").parent


def _plain(path: Path) -> Path:
    return Path(os.path.normpath(path))
