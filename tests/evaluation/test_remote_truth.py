from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectattn.errors import BrokenTruth, Offline
from detectattn.evaluation.find_truth import find_truth, load_truth
from detectattn.evaluation.remote_truth import copy_truth
from detectattn.evaluation.truth import TruthFile
from detectattn.shipped import shipped_dir
from tests.object_store import Bucket, FailingFront, front, s3, s3_endpoint

__all__ = ["front", "s3", "s3_endpoint"]

STREET = shipped_dir("samples") / "street"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def street(s3: Bucket, tmp_path: Path) -> str:
    """A part of the shipped scenes in a bucket; pictures as a name each, for nobody may read them."""
    for path in STREET.rglob("*"):
        if path.is_file() and (path.stem in {"noon", "avenue"} or path.suffix in {".json", ".yaml"}):
            content = b"a picture" if path.suffix == ".jpg" else path.read_bytes()
            s3.put(f"sets/street/{path.relative_to(STREET).as_posix()}", content)
    return f"{s3.url}/sets/street"


def _read(path: Path) -> TruthFile:
    location = find_truth([], path)
    assert location is not None
    return load_truth(location)


@pytest.mark.parametrize("named", ["annotations.json", "data.yaml", "labels", "labels/", "voc", ""])
def test_it_says_what_a_local_copy_says(street: str, front: FailingFront, named: str) -> None:
    stored, local = _read(copy_truth(f"{street}/{named}")), _read(STREET / named)
    here = {Path(entry.name).name: entry for entry in local.entries}
    assert {Path(entry.name).name for entry in stored.entries} >= {"noon", "avenue"} & here.keys()
    for entry in stored.entries:
        own = here[Path(entry.name).name]
        assert np.array_equal(entry.xyxy, own.xyxy)
        assert np.array_equal(entry.class_index, own.class_index)
    assert (stored.format, stored.class_names) == (local.format, local.class_names)
    assert not [asked for asked in front.asked if asked.startswith("GET") and ".jpg?" not in asked and ".jpg" in asked]


def test_what_has_not_changed_is_not_read_again(street: str, s3: Bucket, front: FailingFront) -> None:
    copy_truth(f"{street}/data.yaml")
    front.asked.clear()
    s3.put("sets/street/labels/noon.txt", b"")
    s3.delete("sets/street/labels/avenue.txt")
    stored = {Path(e.name).name: e for e in _read(copy_truth(f"{street}/data.yaml")).entries}
    assert [len(stored[name].xyxy) for name in ("noon", "avenue")] == [0, 0]
    read = [asked for asked in front.asked if asked.startswith("GET") and "list-type" not in asked]
    assert [asked.rpartition("/")[2] for asked in read] == ["noon.txt"]


def test_offline_takes_what_was_copied_before(street: str, front: FailingFront) -> None:
    with pytest.raises(Offline, match="not in the cache"):
        copy_truth(f"{street}/data.yaml", offline=True)
    copy_truth(f"{street}/data.yaml")
    front.asked.clear()
    assert _read(copy_truth(f"{street}/data.yaml", offline=True)).format == "yolo"
    assert front.asked == []


def test_what_is_not_there_is_named(s3: Bucket) -> None:
    with pytest.raises(BrokenTruth, match=r"there is no s3://.*/gone\.json"):
        copy_truth(f"{s3.url}/gone.json")
