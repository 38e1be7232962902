"""Data sets from elsewhere: links to devices, pipes, aliases that explode, YAML that asks for code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detectattn.compare.study_folder import StudyFolder
from detectattn.config import load_preset
from detectattn.errors import BrokenTruth, ConfigError, DetectattnError, UnreadableRecord
from detectattn.evaluation.class_map import load_class_map
from detectattn.evaluation.find_truth import find_truth, load_truth
from detectattn.evaluation.truth_coco import load_coco
from detectattn.evaluation.truth_voc import load_voc
from detectattn.evaluation.truth_yolo import find_data_yaml, load_yolo
from detectattn.pipeline.run_folder import read_manifest
from detectattn.records import iter_records
from detectattn.yaml_text import MAX_BYTES, BrokenYaml, parse_yaml, read_yaml

pytestmark = pytest.mark.usefixtures("limited")
posix = pytest.mark.skipif(sys.platform == "win32", reason="devices and pipes of POSIX")
VOC = "<annotation><object><name>{name}</name></object></annotation>"


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    """A data set of one image and its label."""
    for name, text in {"data.yaml": "names: [cat]\ntrain: images\n", "labels/a.txt": "0 .5 .5 .1 .1\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").touch()
    return tmp_path


@posix
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/dev/zero"), os.mkfifo], ids=["device", "pipe"])
def test_a_label_that_is_no_file_is_named(yolo: Path, make: Callable[[Path], None]) -> None:
    make(yolo / "labels" / "b.txt")
    with pytest.raises(BrokenTruth, match=r"b\.txt is no file"):
        load_yolo(yolo / "data.yaml")


@posix
def test_pipes_beside_pictures_are_passed_over(yolo: Path) -> None:
    for name in ("a.yaml", "b.yml", "instances.json", "a.xml"):
        os.mkfifo(yolo / name)
    assert find_data_yaml(yolo / "labels") == yolo / "data.yaml"
    found = find_truth([yolo / "images"])
    assert found is not None
    assert len(load_truth(found).entries) == 1
    with pytest.raises(BrokenTruth, match="no VOC annotation"):
        load_voc(yolo)


@posix
def test_a_ground_truth_that_is_a_device_is_refused() -> None:
    with pytest.raises(BrokenTruth, match="is no file"):
        load_coco(Path("/dev/zero"))
    with pytest.raises(BrokenTruth):
        find_truth([], named=Path("/dev/zero"))


def make_sparse(path: Path, start: bytes, size: int) -> Path:
    """A file that takes no room on the disk, and more memory than there is once it is read."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(start)
    os.truncate(path, size)
    return path


@posix
def test_files_beyond_all_measure_are_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(BrokenTruth, match=r"a\.xml is larger than 64 MB"):
        load_voc(make_sparse(tmp_path / "a.xml", b"<annotation>", 3 << 30))
    with pytest.raises(BrokenTruth, match=r"c\.json is larger than [\d,]+ MB"):
        load_coco(make_sparse(tmp_path / "c.json", b"{", 5 << 30))
    with pytest.raises(UnreadableRecord, match=r"predictions\.jsonl, line 1: it is longer than 64 MB"):
        list(iter_records(make_sparse(tmp_path / "predictions.jsonl", b"{", 3 << 30)))
    with pytest.raises(UnreadableRecord, match=r"run\.json is larger than 256 MB"):
        read_manifest(make_sparse(tmp_path / "run.json", b"{", 3 << 30).parent)
    with pytest.raises(UnreadableRecord, match=r"run\.json is larger than 256 MB"):
        StudyFolder(tmp_path).read_manifest()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_a_file_that_memory_does_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenTruth, match=r"c\.json (needs more memory to read than there is|is larger than)"):
        load_coco(make_sparse(tmp_path / "c.json", b"{", 3 << 30))


@pytest.fixture
def elsewhere(yolo: Path) -> Path:
    """A folder beside the data set, with a file that is no label and no list."""
    folder = yolo / "elsewhere"
    folder.mkdir()
    (folder / "secret.txt").write_text("password hunter2\n")
    (yolo / "set").mkdir()
    for name in ("labels", "images"):
        (yolo / name).rename(yolo / "set" / name)
    return folder


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("path: {elsewhere}\ntrain: .", r"secret\.txt, line 1: not numbers\."),
        ("train: ../elsewhere", r"secret\.txt, line 1: not numbers\."),
        ("train: {elsewhere}/secret.txt", r"secret\.txt, line 1: it names no image\."),
        ("train: linked.txt", r"linked\.txt, line 1: it names no image\."),
    ],
)
def test_a_data_set_shows_nothing_of_files_elsewhere(elsewhere: Path, config: str, says: str) -> None:
    path = elsewhere.parent / "set" / "data.yaml"
    path.write_text(f"names: [cat]\n{config.format(elsewhere=elsewhere)}\n")
    path.with_name("linked.txt").symlink_to(elsewhere / "secret.txt")
    with pytest.raises(BrokenTruth, match=says) as caught:
        load_yolo(path)
    assert "hunter2" not in str(caught.value)


def test_a_number_in_a_file_elsewhere_is_not_shown(elsewhere: Path) -> None:
    (elsewhere / "secret.txt").write_text("4711 0 0 0 0\n")
    path = elsewhere.parent / "set" / "data.yaml"
    path.write_text(f"names: [cat]\npath: {elsewhere}\ntrain: .\n")
    with pytest.raises(BrokenTruth, match=r"secret\.txt, line 1: its class is not there, only 0 to 0"):
        load_yolo(path)


def test_folders_that_lead_back_are_walked_once(yolo: Path) -> None:
    (yolo / "labels" / "again").symlink_to(yolo / "labels", target_is_directory=True)
    assert [entry.name for entry in load_yolo(yolo / "data.yaml").entries] == ["images/a"]


def test_more_classes_than_can_be_are_refused(yolo: Path) -> None:
    for names in ("nc: 1000000000000", "names: {0: cat, 4000000000: dog}"):
        (yolo / "data.yaml").write_text(f"{names}\ntrain: images\n")
        with pytest.raises(BrokenTruth, match=r"data\.yaml: there are classes numbered up to"):
            load_yolo(yolo / "data.yaml")


def test_entities_expand_to_nothing_much_and_read_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    laughs = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    path.write_text(f'<!DOCTYPE a [<!ENTITY e0 "ha">{laughs}]>{VOC.format(name="&e11;")}')
    with pytest.raises(BrokenTruth, match="broken XML"):
        load_voc(path)
    (tmp_path / "secret").write_text("secret")
    path.write_text(f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>{VOC.format(name="&e;")}')
    with pytest.raises(BrokenTruth) as caught:
        load_voc(path)
    assert "secret" not in str(caught.value).replace(str(tmp_path), "")


def _load_openvino_metadata(path: Path) -> object:
    from detectattn.explain.origin import read_metadata
    from detectattn.types import WeightsFile

    path.rename(path.parent / "metadata.yaml")
    return read_metadata(WeightsFile(path.parent, "0" * 64, "openvino", "local"))


YAML_READERS: dict[str, Callable[[Path], object]] = {
    "preset": load_preset,
    "data.yaml": load_yolo,
    "class map": load_class_map,
    "metadata of an export": _load_openvino_metadata,
}


@pytest.mark.parametrize("reader", YAML_READERS)
@pytest.mark.parametrize("tag", ["python/object/apply:os.mkdir", "python/object/new:os.mkdir", "python/name:os.mkdir"])
def test_yaml_never_runs_code(tmp_path: Path, reader: str, tag: str) -> None:
    path, target = tmp_path / "any.yaml", tmp_path / "made"
    for text in (f"!!{tag} [{target}]\n", f"names: !!{tag} [{target}]\nconf: !!{tag} [{target}]\n"):
        path.write_text(text)
        try:
            assert not YAML_READERS[reader](path)
        except DetectattnError:
            assert not target.exists()
    assert not target.exists()


def _bomb(levels: int) -> str:
    lines = [f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(["a: &a0 [x]", *lines, f"classes: *a{levels - 1}"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_bomb(12), "its aliases stand for more than"),
        ("a: &a [" + "x" * 2_000_000 + "]\nb: [" + "*a, " * 20 + "]", "its aliases stand for more than"),
        ("classes: &a [*a]", r"line 1: the alias \*a stands for what holds it"),
        ("classes: " + "[" * 100_000, "line 1: it is nested deeper than 64 levels"),
        ("- " * 100_000, "line 1: it is nested deeper than 64 levels"),
        ("classes: 2001-13-45", "a value is not what its form says"),
        ("classes: !!bool x", "a value is not what its form says"),
        ("classes: " + "9" * 5000, "line 1: it holds a number of 5000 digits"),
        ("classes: " + "1:" * 500_000 + "1", "line 1: it holds a number of 1000001 digits"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: *b", "undefined alias"),
        ("a: \x00", "special characters|control characters"),
        ("a: [", "expected (the )?node"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_yaml_that_cannot_be_read_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BrokenYaml, match=says) as caught:
        parse_yaml(text)
    assert str(caught.value).isprintable()
    (tmp_path / "preset.yaml").write_text(text)
    with pytest.raises(ConfigError):
        load_preset(tmp_path / "preset.yaml")


def test_aliases_within_reason_are_taken() -> None:
    assert parse_yaml("a: &a [x, y]\nb: *a\nc: {<<: {d: *a}}") == {
        "a": ["x", "y"],
        "b": ["x", "y"],
        "c": {"d": ["x", "y"]},
    }


def test_a_yaml_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n#" + "x" * MAX_BYTES)
    with pytest.raises(BrokenYaml, match="larger than 2 MB"):
        read_yaml(path)
    if sys.platform == "linux":
        with pytest.raises(BrokenYaml, match="larger than 2 MB"):
            read_yaml(Path("/dev/zero"))


@pytest.mark.parametrize("value", ["9" * 5000, "1" + "0" * 400, "1e999", "NaN", "-Infinity", "1e308"])
def test_numbers_that_no_picture_has_are_refused(tmp_path: Path, value: str) -> None:
    path = tmp_path / "truth.json"
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, "WIDE", 1]}],
    }
    path.write_text(json.dumps(content).replace('"WIDE"', value))
    with pytest.raises(BrokenTruth) as caught:
        load_coco(path)
    assert len(str(caught.value)) < 1000
