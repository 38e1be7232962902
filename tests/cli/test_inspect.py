"""``detectattn inspect``: its tables, its files, and what it says where something cannot be done."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.inspect_run import find_published, parse_sizes
from detectattn.errors import ConfigError
from detectattn.types import WeightsFile

QUICK = ("--imgsz", "64,96", "--no-time")


def test_tables_fit_the_terminal_and_end_with_what_to_type(detectattn: Any) -> None:
    done = detectattn("inspect", "demo-rtdetr", *QUICK)
    assert done.code == 0
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("demo-rtdetr, an attention model: 2.65 M parameters; at 96×96 ")
    for caption in ("blocks at 96×96", "attention at 96×96", "operations at 320×320"):
        assert caption in lines
    assert any(line.startswith("  10 AIFI ") for line in lines)
    assert any(line.startswith("27 cross_attn (4)  cross, deformable") for line in lines)
    assert lines[-1] == "next      detectattn inspect demo-rtdetr -o FOLDER"
    assert done.err.splitlines() == ["demo-rtdetr at 64×64 …", "demo-rtdetr at 96×96 …"]


def test_json_is_one_envelope(detectattn: Any) -> None:
    done = detectattn("inspect", "demo-yolo", *QUICK, "--json", "-q")
    assert (done.code, done.err) == (0, "")
    envelope = json.loads(done.out)
    assert (envelope["schema"], envelope["command"]) == (1, "inspect")
    model = envelope["data"]["models"]["demo-yolo"]
    assert [size["net_hw"] for size in model["sizes"]] == [[64, 64], [96, 96]]
    [attention] = model["sizes"][0]["attention"]
    assert attention["site"]["kind"] == "global"
    assert attention["queries"] == 4
    assert model["sizes"][0]["timing"] is None


def test_files_beside_it(detectattn: Any) -> None:
    done = detectattn("inspect", "demo-rtdetr", "demo-yolo", *QUICK, "-o", "seen")
    assert done.code == 0
    folder = Path("seen")
    assert sorted(path.name for path in folder.iterdir()) == ["attention.png", "inspect.json", "inspect.md"]
    written = json.loads((folder / "inspect.json").read_text())
    assert (written["schema"], written["kind"]) == (1, "inspection")
    assert list(written["models"]) == ["demo-rtdetr", "demo-yolo"]
    assert "detectattn" in written["versions"]
    text = (folder / "inspect.md").read_text()
    assert "![demo-rtdetr: % of operations " in text
    assert "| `27.decoder.layers.*.cross_attn (4)` |" in text
    assert (folder / "attention.png").read_bytes().startswith(b"\x89PNG")
    assert done.out.splitlines()[-1] == "next      detectattn compare -m demo-rtdetr -m demo-yolo"


def test_one_size_has_no_plot(detectattn: Any) -> None:
    assert detectattn("inspect", "demo-yolo", "--imgsz", "64", "--no-time", "-o", "seen").code == 0
    assert sorted(path.name for path in Path("seen").iterdir()) == ["inspect.json", "inspect.md"]


def test_a_folder_that_exists_is_refused_before_any_work(detectattn: Any) -> None:
    Path("seen").mkdir()
    done = detectattn("inspect", "demo-yolo", *QUICK, "-o", "seen")
    assert (done.code, done.out) == (1, "")
    assert "seen is there already" in done.err
    assert list(Path("seen").iterdir()) == []


def test_times_fused_attention_and_the_roofline(detectattn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from detectattn.attention import block_time, roofline
    from detectattn.engines.device_peak import DevicePeak

    asked: list[object] = []
    peak = DevicePeak((100.0, 100.0), (10.0, 10.0), 1024, 134.2, None)

    def measure(device: object, *_: object, **__: object) -> DevicePeak:
        asked.append(device)
        return peak

    monkeypatch.setattr(roofline, "measure_peak", measure)
    monkeypatch.setattr(block_time, "_MOST", 5)
    done = detectattn("inspect", "demo-yolo", "b=demo-yolo", "--imgsz", "64", "--json", "-q", "-o", "seen")
    assert len(asked) == 1
    assert Path("seen/roofline.png").read_bytes().startswith(b"\x89PNG")
    model = done.data["models"]["b"]
    assert (model["roof"]["gflop_s"], model["roof"]["ridge"], model["roof"]["precision"]) == (100.0, 10.0, "fp32")
    [size] = done.data["models"]["demo-yolo"]["sizes"]
    assert size["at_roof"]["bound"] in ("compute", "bandwidth")
    assert size["at_roof"]["share"] == pytest.approx(size["at_roof"]["roof_ms"] / size["whole"]["time_ms"])
    assert size["blocks"][0]["at_roof"] == size["at_roof"]
    assert size["timing"]["rounds"] >= 3
    assert size["whole"]["time_ms"] > 0
    assert size["fused"]["ratio"]["metric"] == "attention_ms"
    assert size["fused"]["ratio"]["units"] == len(size["fused"]["explicit_ms"])
    assert size["fused"]["error"] < 1e-4


def test_a_model_without_attention_says_so(detectattn: Any, tmp_path: Path) -> None:
    import torch

    from detectattn.weights.ultralytics_env import import_ultralytics_tasks

    model = import_ultralytics_tasks().DetectionModel("yolov8n.yaml", verbose=False).eval()
    path = tmp_path / "plain.pt"
    torch.save({"model": model, "train_args": {"task": "detect", "imgsz": 64}}, path)
    done = detectattn("inspect", path, *QUICK, "-o", "seen")
    assert done.code == 0
    assert "plain has no attention: no place of a feature map is compared with another." in done.out
    assert not Path("seen/attention.png").exists()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("64,70", "image size of 70×70: each side must be a multiple of 32. The nearest that it can take is 64×64."),
        ("64,,96", "--imgsz is '64,,96'. Give sizes with a comma between them, such as 320,640."),
        ("wide", "--imgsz is 'wide'"),
    ],
)
def test_a_size_that_cannot_be(sizes: str, message: str, detectattn: Any) -> None:
    done = detectattn("inspect", "demo-yolo", "--imgsz", sizes, "--no-time", "-o", "seen")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert not Path("seen").exists()


@pytest.mark.parametrize(
    ("name", "beside", "hint"),
    [
        ("yolo11n_openvino_model", False, "Name the weights that it was made from: yolo11n."),
        ("mine_openvino_model", True, "Name the weights that it was made from: mine.pt."),
        ("mine_openvino_model", False, "Name the .pt file that it was exported from."),
    ],
)
def test_an_export_names_the_weights_that_would_do(name: str, beside: bool, hint: str, detectattn: Any) -> None:
    folder = Path(name)
    folder.mkdir()
    (folder / "model.xml").write_text("<net></net>")
    (folder / "model.bin").write_bytes(b"\0" * 64)
    if beside:
        Path("mine.pt").write_bytes(b"")
    done = detectattn("inspect", name)
    assert (done.code, done.out) == (1, "")
    assert f"{name} cannot be looked into: only PyTorch shows a model's blocks" in done.err
    assert hint in done.err


def test_one_that_fails_does_not_cost_the_others(detectattn: Any) -> None:
    done = detectattn("inspect", "missing.pt", "demo-yolo", *QUICK)
    assert done.code == 4
    assert "error: There is no model file missing.pt." in done.err
    assert done.out.startswith("demo-yolo, a hybrid")
    assert detectattn("inspect", "missing.pt", "gone.pt", *QUICK).code == 1


def test_two_of_one_name_are_told_apart(detectattn: Any) -> None:
    quick = ("--imgsz", "64", "--no-time")
    done = detectattn("inspect", "demo-yolo", "demo-yolo", *quick)
    assert "two of the models are called demo-yolo" in done.err
    done = detectattn("inspect", "a=demo-yolo", "b=demo-yolo", "--json", *quick)
    assert list(done.data["models"]) == ["a", "b"]


def test_memory_that_runs_out_is_said_with_the_size_that_fits(detectattn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from detectattn.attention import inspect_model

    monkeypatch.setattr(inspect_model, "read_free_mb", lambda _: 0.5)
    done = detectattn("inspect", "demo-yolo", *QUICK)
    assert done.code == 4
    text = " ".join(done.out.split())
    assert "note: out of memory at 96×96: it would take about" in text
    assert "64×64 fits." in text


def test_sizes_are_read_as_they_are_written() -> None:
    assert parse_sizes("") == ()
    assert parse_sizes("320, 480x640") == ((320, 320), (480, 640))
    with pytest.raises(ConfigError):
        parse_sizes("320,")


@pytest.mark.parametrize(
    ("path", "classes", "published"),
    [("rtdetr-l.pt", 80, 110.0), ("x/yolo12n.pt", 80, 6.5), ("rtdetr-l.pt", 6, None), ("best.pt", 80, None)],
)
def test_published_figures_are_those_of_the_published_model(path: str, classes: int, published: float | None) -> None:
    found = find_published(WeightsFile(Path(path), "", "pt", "local"), classes)
    assert (found and found[0]) == published


def test_the_guide_names_every_option_and_no_other() -> None:
    import typer.main

    from detectattn.cli.app import app

    [command] = [c for name, c in typer.main.get_command(app).commands.items() if name == "inspect"]  # type: ignore[attr-defined]
    options = {name for p in command.params for name in (*p.opts, *p.secondary_opts) if name.startswith("--")}
    guide = (Path(__file__).resolve().parents[2] / "docs" / "inspect.md").read_text()
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", guide))
    shared = {"--offline", "--online", "--trust-weights", "--quiet", "--help", "--out", "--time"}
    assert options - mentioned - shared == set()
    assert mentioned - options == set()
