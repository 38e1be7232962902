"""Checkpoints are read without running what they carry."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from detectattn.errors import CorruptWeights, UnsafeWeights, WrongTask
from detectattn.weights.embedded_model import build_model
from detectattn.weights.safe_load import find_unsafe_globals, load_detection_model
from detectattn.weights.ultralytics_env import import_ultralytics_tasks


class Evil:
    """Unpickling it makes a folder."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.target,)


@pytest.fixture
def rtdetr(save_checkpoint: Callable[[str], Path]) -> Path:
    return save_checkpoint("demo-rtdetr")


def test_official_format_loads_ready_to_run(rtdetr: Path) -> None:
    model = load_detection_model(rtdetr)
    assert not model.training
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in model.parameters())
    assert not any(isinstance(m, torch.nn.BatchNorm2d) and "model.0" in n for n, m in model.named_modules())


def test_code_in_a_checkpoint_is_named_and_not_run(tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pt", tmp_path / "made"
    torch.save({"model": Evil(str(target))}, path)
    with pytest.raises(UnsafeWeights, match=r"mkdir.*--trust-weights"):
        load_detection_model(path)
    assert not target.exists()
    assert any(name.endswith("mkdir") for name in find_unsafe_globals(path))


def test_trusted_checkpoint_is_unpickled(tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pt", tmp_path / "made"
    torch.save({"model": Evil(str(target))}, path)
    with pytest.raises(CorruptWeights, match="no Ultralytics model"):
        load_detection_model(path, trusted=True)
    assert target.is_dir()


@pytest.mark.parametrize("protocol", [2, 5])
def test_bare_pickle_is_not_run(tmp_path: Path, protocol: int) -> None:
    path, target = tmp_path / "evil.pt", tmp_path / "made"
    path.write_bytes(pickle.dumps(Evil(str(target)), protocol=protocol))
    with pytest.raises((UnsafeWeights, CorruptWeights)):
        load_detection_model(path)
    assert not target.exists()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"<html>not found</html>", b"\xff\xd8\xff\xe0 a picture"], ids=str
)
def test_what_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(CorruptWeights, match="not a loadable checkpoint"):
        load_detection_model(path)


def test_truncated_checkpoint(tmp_path: Path, rtdetr: Path) -> None:
    path = tmp_path / "cut.pt"
    path.write_bytes(rtdetr.read_bytes()[:100_000])
    with pytest.raises(CorruptWeights, match=r"cut\.pt"):
        load_detection_model(path)


@pytest.mark.parametrize(
    "checkpoint",
    [
        {"layer.weight": torch.zeros(2)},
        {"ema": torch.zeros(2)},
        {"model": torch.nn.Linear(1, 1)},
        {"model": torch.nn.Sequential()},
    ],
    ids=["state", "tensor", "layer", "nothing"],
)
def test_what_is_no_model_of_layers(tmp_path: Path, checkpoint: dict[str, Any]) -> None:
    path = tmp_path / "state.pt"
    torch.save(checkpoint, path)
    with pytest.raises(CorruptWeights, match="bare state dict"):
        load_detection_model(path)


def test_an_archive_of_far_more_than_it_weighs_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\x80\x02" + bytes(20_000_000))
    with pytest.raises(UnsafeWeights, match=r"unpack to 20 MB.*--trust-weights"):
        load_detection_model(path)


@pytest.fixture
def tiny() -> dict[str, Any]:
    """A checkpoint of a YOLO of three layers."""
    rows: list[Any] = [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [16, 3, 2]]]
    return {"model": build_model({"backbone": rows, "head": [[[0, 1], 1, "Detect", ["nc"]]]}, ["cat", "dog"])}


def test_a_checkpoint_packed_again_with_compression_loads(tmp_path: Path, tiny: dict[str, Any]) -> None:
    path, packed = tmp_path / "stored.pt", tmp_path / "packed.pt"
    torch.save(tiny, path)
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as after:
        for member in before.infolist():
            after.writestr(member.filename, before.read(member))
    assert packed.stat().st_size < path.stat().st_size
    assert vars(load_detection_model(packed))["names"] == {0: "cat", 1: "dog"}


@pytest.mark.parametrize(
    ("names", "read"),
    [(["a", "b"], {0: "a", 1: "b"}), ({0: "a", 999_999_999: "b"}, None), ({0: ["a"]}, None), (5, None)],
)
def test_class_names_of_a_checkpoint(
    tmp_path: Path, tiny: dict[str, Any], names: Any, read: dict[int, str] | None
) -> None:
    """None where they are refused."""
    path = tmp_path / "names.pt"
    vars(tiny["model"])["names"] = names
    torch.save(tiny, path)
    if read is not None:
        assert vars(load_detection_model(path))["names"] == read
        return
    with pytest.raises(CorruptWeights, match=r"names\.pt (names|has)"):
        load_detection_model(path)


@pytest.mark.parametrize(("name", "task"), [("yolo11n-seg", "segment"), ("yolo11n-cls", "classify")])
def test_other_tasks_are_refused(tmp_path: Path, name: str, task: str) -> None:
    import_ultralytics_tasks()
    from ultralytics import YOLO

    path = tmp_path / f"{name}.pt"
    YOLO(f"{name}.yaml").save(str(path))
    with pytest.raises(WrongTask, match=f"'{task}'"):
        load_detection_model(path)


@pytest.mark.parametrize(("package", "version"), [("torch", "2.5.1"), ("ultralytics", "8.4.66")])
def test_packages_that_load_unsafely_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, version: str
) -> None:
    from detectattn.errors import OutdatedPackage
    from detectattn.weights import ultralytics_env

    monkeypatch.setattr(ultralytics_env, "find_version", lambda name: version if name == package else "99.0")
    (tmp_path / "model.pt").write_bytes(b"anything")
    with pytest.raises(OutdatedPackage, match=f"{package} {version}"):
        load_detection_model(tmp_path / "model.pt")
