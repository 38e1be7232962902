"""What readers give back is what was written, for any content: presets, lists of sources, ground truth."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectattn.config import PredictConfig, load_preset, resolve_config
from detectattn.evaluation.place_truth import place_truth
from detectattn.evaluation.truth import GroundTruth
from detectattn.evaluation.truth_coco import load_coco
from detectattn.evaluation.truth_voc import load_voc
from detectattn.evaluation.truth_yolo import load_yolo
from detectattn.sources.list_file import iter_lines
from detectattn.yaml_text import BrokenYaml, parse_yaml
from fuzz.contract import read_or_refuse, require_line

WIDTH, HEIGHT = 400, 200
# Every example writes files, which takes what time the disk takes.
on_disk = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)
class_names = names.map(str.strip).filter(bool)
plain = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False) | st.text(max_size=20)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[str, tuple[int, int, int, int]]:
    """A class and left, top, right, bottom inside the picture."""
    left, top = draw(st.integers(0, WIDTH - 2)), draw(st.integers(0, HEIGHT - 2))
    corner = draw(st.integers(left + 1, WIDTH)), draw(st.integers(top + 1, HEIGHT))
    return draw(class_names), (left, top, *corner)


objects = st.lists(boxes(), min_size=1, max_size=6, unique_by=lambda found: found[1])


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder for one example."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def _found(truth: GroundTruth) -> list[tuple[str, tuple[float, ...]]]:
    [image] = truth.images.values()
    rounded = np.round(image.xyxy.astype(float), 2) + 0.0
    return [(truth.class_names[c], tuple(box)) for c, box in zip(image.class_index, rounded.tolist(), strict=True)]


def _place(truth: Any) -> list[tuple[str, tuple[float, ...]]]:
    return _found(place_truth(truth, {("a.jpg", 0): (HEIGHT, WIDTH)}))


@on_disk
@given(objects)
def test_coco_gives_back_what_was_written(found: list[tuple[str, tuple[int, int, int, int]]]) -> None:
    classes = sorted({name for name, _ in found})
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": HEIGHT, "width": WIDTH}],
        "categories": [{"id": i, "name": name} for i, name in enumerate(classes)],
        "annotations": [
            {"image_id": 1, "category_id": classes.index(name), "bbox": [x1, y1, x2 - x1, y2 - y1]}
            for name, (x1, y1, x2, y2) in found
        ],
    }
    with folder() as root:
        (root / "truth.json").write_text(json.dumps(content), encoding="utf-8")
        assert _place(load_coco(root / "truth.json")) == found


@on_disk
@given(objects)
def test_yolo_gives_back_what_was_written(found: list[tuple[str, tuple[int, int, int, int]]]) -> None:
    classes = sorted({name for name, _ in found})
    lines = [
        f"{classes.index(name)} {(x1 + x2) / 2 / WIDTH!r} {(y1 + y2) / 2 / HEIGHT!r} {(x2 - x1) / WIDTH!r} "
        f"{(y2 - y1) / HEIGHT!r}"
        for name, (x1, y1, x2, y2) in found
    ]
    with folder() as root:
        (root / "data.yaml").write_text(yaml.safe_dump({"names": classes}, allow_unicode=True), encoding="utf-8")
        (root / "labels").mkdir()
        (root / "labels" / "a.txt").write_text("\n".join(lines))
        assert sorted(_place(load_yolo(root / "labels"))) == sorted(found)


@on_disk
@given(objects)
def test_voc_gives_back_what_was_written(found: list[tuple[str, tuple[int, int, int, int]]]) -> None:
    text = "".join(
        f"<object><name>{escape(name)}</name><bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin><xmax>{x2}</xmax>"
        f"<ymax>{y2}</ymax></bndbox></object>"
        for name, (x1, y1, x2, y2) in found
    )
    with folder() as root:
        (root / "a.xml").write_text(f"<annotation>{text}</annotation>", encoding="utf-8")
        assert _place(load_voc(root / "a.xml")) == found


@on_disk
@given(st.lists(names.map(str.strip).filter(lambda line: line and not line.startswith("#")), max_size=8), st.booleans())
def test_a_list_gives_back_its_lines(lines: list[str], is_utf16: bool) -> None:
    with folder() as root:
        text = "# sources\n\n" + "".join(f"  {line}\r\n" for line in lines)
        (root / "list.txt").write_bytes(text.encode("utf-16" if is_utf16 else "utf-8"))
        assert list(iter_lines(root / "list.txt")) == lines


options_of_a_run = {
    "conf": st.floats(0, 1),
    "iou": st.floats(0, 1),
    "max_det": st.integers(1, 10**6),
    "vid_stride": st.integers(1, 64),
    "images": st.booleans(),
    "classes": st.lists(st.sampled_from(["bus", "traffic light", "7"]), max_size=3),
    "model": st.sampled_from(["a", "b=c"]),
    "imgsz": st.sampled_from(["", "640", "480x640"]),
}


@on_disk
@given(st.fixed_dictionaries({}, optional=options_of_a_run), st.booleans())
def test_a_preset_gives_back_what_was_written(options: dict[str, Any], with_dashes: bool) -> None:
    written = {name.replace("_", "-") if with_dashes else name: value for name, value in options.items()}
    with folder() as root:
        (root / "preset.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
        config = resolve_config(load_preset(root / "preset.yaml"), {})
    for field in fields(PredictConfig):
        wanted = options.get(field.name, field.default)
        assert getattr(config, field.name) == (tuple(wanted) if isinstance(wanted, list) else wanted)


@on_disk
@given(st.dictionaries(st.sampled_from([field.name for field in fields(PredictConfig)]), values, max_size=4))
def test_options_of_any_kind_apply_or_are_refused(options: dict[str, Any]) -> None:
    with folder() as root:
        (root / "preset.yaml").write_text(json.dumps(options), encoding="utf-8")
        read_or_refuse(lambda: resolve_config(load_preset(root / "preset.yaml"), {}))


@on_disk
@given(values)
def test_yaml_gives_back_what_was_written(value: Any) -> None:
    assert parse_yaml(yaml.safe_dump(value)) == value


@on_disk
@given(st.text(max_size=60) | st.text("[]{}&*!|>-:?,#'\"% \n\tab0.~<", max_size=40))
def test_yaml_of_any_text_is_a_value_or_one_line(text: str) -> None:
    try:
        parse_yaml(text)
    except BrokenYaml as error:
        require_line(str(error))
