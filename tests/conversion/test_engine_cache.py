"""The engine cache: found only where it fits, whole or absent, one process at a time."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detectattn.conversion.engine_cache import draft_engine, engines_dir, find_engine, lock_engines, publish_engine
from detectattn.conversion.record import ConversionRecord, hash_files, load_record
from detectattn.conversion.settings import ConversionSettings, collect_conditions
from detectattn.errors import OutputError

WEIGHTS = "a" * 64
OWN_HW = (640, 640)
WANTED = ConversionSettings("openvino")


def store(content: str = "model", **changes: Any) -> Path:
    """Put a conversion of ``WEIGHTS`` into the cache; its folder."""
    with lock_engines(WEIGHTS, lambda: None) as folder, draft_engine(folder) as draft:
        (draft / "m.xml").write_text(content)
        files, size_bytes = hash_files(draft)
        settings = WANTED.resolve("yolo_dense", OWN_HW)
        record = ConversionRecord(
            "m", WEIGHTS, settings, OWN_HW, collect_conditions(settings), "m.xml", files, size_bytes, 1.0, 1.0, {}, "",
        )  # fmt: skip
        return publish_engine(draft, replace(record, **changes)).folder


@pytest.mark.usefixtures("empty_cache")
class TestCache:
    def test_what_is_stored_is_found_with_its_record(self) -> None:
        assert find_engine(WEIGHTS, WANTED) is None
        folder = store()
        found = find_engine(WEIGHTS, WANTED)
        assert found is not None
        assert (found.folder, found.damage) == (folder, None)
        assert found.record == load_record(folder)
        assert folder.name.startswith("openvino-fp32-640x640-")
        assert (folder / "m.xml").read_text() == "model"

    @pytest.mark.parametrize(
        "wanted",
        [replace(WANTED, engine="onnx"), replace(WANTED, net_hw=(320, 320)), replace(WANTED, precision="fp16")],
    )
    def test_what_does_not_fit_is_not_found(self, wanted: ConversionSettings) -> None:
        store()
        assert find_engine(WEIGHTS, wanted) is None
        assert find_engine("b" * 64, WANTED) is None

    def test_another_version_or_processor_is_not_found(self) -> None:
        store(conditions={**collect_conditions(WANTED), "openvino": "2024.1"})
        store(conditions={**collect_conditions(WANTED), "cpu": "another"})
        assert find_engine(WEIGHTS, WANTED) is None

    @pytest.mark.parametrize(
        ("spoil", "damage"),
        [
            (lambda folder: (folder / "m.xml").write_text("mobel"), "m.xml has changed"),
            (lambda folder: (folder / "m.xml").unlink(), "m.xml cannot be read"),
        ],
    )
    def test_damage_is_told_and_mended_by_storing_again(self, spoil: Any, damage: str) -> None:
        folder = store()
        spoil(folder)
        found = find_engine(WEIGHTS, WANTED)
        assert found is not None
        assert found.damage is not None
        assert damage in found.damage
        assert store() == folder
        mended = find_engine(WEIGHTS, WANTED)
        assert mended is not None
        assert mended.damage is None

    def test_a_folder_without_a_readable_record_is_passed_over(self) -> None:
        (store() / "conversion.json").write_text('{"schema": 1, "name"')
        assert find_engine(WEIGHTS, WANTED) is None

    def test_an_interrupted_conversion_leaves_nothing(self) -> None:
        def convert() -> None:
            with lock_engines(WEIGHTS, lambda: None) as folder, draft_engine(folder) as draft:
                (draft / "m.xml").write_text("half")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            convert()
        assert [path.name for path in engines_dir(WEIGHTS).iterdir() if path.is_dir()] == []

    def test_what_a_killed_process_left_is_removed(self) -> None:
        left = engines_dir(WEIGHTS) / ".making-123"
        left.mkdir(parents=True)
        (left / "m.xml").write_text("half")
        store()
        assert not left.exists()


def test_a_cache_that_cannot_be_written_is_an_error(empty_cache: Path) -> None:
    empty_cache.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="cannot write"), lock_engines(WEIGHTS, lambda: None):
        pass


_CONVERT = """
import sys, time
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from detectattn.conversion import make
from detectattn.conversion.gate import GateFigures
from detectattn.conversion.record import ConversionRecord, hash_files
from detectattn.conversion.settings import ConversionSettings, collect_conditions
from detectattn.conversion.work import Tell, Work
from detectattn.types import WeightsFile

def convert(job, original, folder):
    settings = job.settings.resolve("yolo_dense", (64, 64))
    Path("started").touch()
    time.sleep(0.5)
    (folder / "m.xml").write_text("model")
    files, size = hash_files(folder)
    gate = {field.name: 0 for field in fields(GateFigures)} | {"raw": None, "accuracy": None}
    return ConversionRecord("m", job.weights.sha256, settings, (64, 64), collect_conditions(settings), "m.xml", files,
                            size, 1.0, 1.0, gate, "")

make.convert, make.open_original = convert, lambda job: nullcontext(None)
weights = WeightsFile(Path("m.pt"), "c" * 64, "pt", "local")
maker = make.Maker(weights, "m", ConversionSettings("openvino"), False, Work(), Tell(print, print))
made, reason = maker.make(must=True)
print("REASON", reason)
print("FOLDER", made.folder)
"""


def test_two_processes_convert_once(empty_cache: Path, tmp_path: Path) -> None:
    """The second waits for the first, says so, and takes what that has made."""

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", _CONVERT], cwd=tmp_path, stdout=subprocess.PIPE, text=True)

    first = start()
    while not (tmp_path / "started").exists() and first.poll() is None:
        time.sleep(0.01)
    second = start()
    outputs = [process.communicate()[0] for process in (first, second)]
    assert "REASON asked for" in outputs[0]
    assert "REASON another process has just converted it" in outputs[1]
    assert outputs[0].splitlines()[-1] == outputs[1].splitlines()[-1]
    assert len(list((empty_cache / "engines" / ("c" * 16)).glob("openvino-*"))) == 1
