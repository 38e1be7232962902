"""What a person gets from ``detectattn predict``, and what they are told when it cannot be given."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from detectattn import Model
from detectattn.matching import match_boxes
from detectattn.records import iter_records

MODEL = "demo-yolo"


def read_run(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text())


def names_in(path: Path) -> list[Counter[str]]:
    return [Counter(p.class_name(int(c)) for c in p.detections.class_id) for p in iter_records(path)]


@pytest.fixture(scope="module")
def in_noon(noon: Path) -> Counter[str]:
    """How many of each class the library finds in ``noon.jpg``, by default."""
    with Model(MODEL) as model:
        [shot] = model.predict(noon)
    assert shot.names.count("car") >= 3
    return Counter(shot.names)


def test_one_picture(detectattn: Any, noon: Path, in_noon: Counter[str]) -> None:
    done = detectattn("predict", noon, "-m", MODEL)
    folder = Path("runs/predict-001")
    assert done.code == 0
    assert names_in(folder / "predictions.jsonl") == [in_noon]
    picture = cv2.imread(str(folder / "images" / "noon.jpg"))
    assert picture.shape == (540, 960, 3)
    assert (picture != cv2.imread(str(noon))).any()
    manifest = read_run(folder)
    assert (manifest["status"], manifest["counts"]["images"]) == ("finished", 1)
    assert manifest["models"][0]["weights"]["sha256"]
    assert re.search(rf"^car +{in_noon['car']} +1$", done.out, re.MULTILINE)
    assert str(folder / "predictions.jsonl") in done.out


def test_folder_is_mirrored_and_equal_stems_stay_apart(detectattn: Any, noon: Path, tmp_path: Path) -> None:
    street = cv2.imread(str(noon))
    for name in ("x.jpg", "x.png", "a/x.jpg", "a/x.png", "a/b/y.webp"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "in" / name), street)
    (tmp_path / "in" / "notes.txt").write_text("not a picture")
    (tmp_path / "in" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    done = detectattn("predict", tmp_path / "in", "-m", MODEL, "--save", "yolo,voc,csv", "-o", tmp_path / "out")
    assert done.code == 4
    images = {p.relative_to(tmp_path / "out/images").as_posix() for p in (tmp_path / "out/images").rglob("*.*")}
    assert images == {"x.jpg", "x.png", "a/x.jpg", "a/x.png", "a/b/y.webp.jpg"}
    sources = [p.source for p in iter_records(tmp_path / "out" / "predictions.jsonl")]
    assert sorted(sources) == ["a/b/y.webp", "a/x.jpg", "a/x.png", "x.jpg", "x.png"]
    assert len(list((tmp_path / "out/yolo/labels").rglob("*.txt"))) == 5
    assert len(list((tmp_path / "out/voc").rglob("*.xml"))) == 5
    failures = [json.loads(line) for line in (tmp_path / "out" / "failures.jsonl").read_text().splitlines()]
    assert [(f["source"], f["index"]) for f in failures] == [("broken.jpg", None)]
    assert failures[0]["code"] in done.out
    assert "1 .txt" in done.out
    assert read_run(tmp_path / "out")["counts"]["skipped"] == {".txt": 1}


def test_what_is_found_in_reduced_pictures_does_not_depend_on_what_is_written(
    detectattn: Any, noon: Path, tmp_path: Path
) -> None:
    """Twice the size of ``noon.jpg``, less a row and a column, and turned: what is shown is half of it."""
    large = cv2.resize(cv2.imread(str(noon)), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)[:-1, :-1]
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(large[::-1, ::-1, ::-1].copy()).save(tmp_path / "large.jpg", exif=exif, quality=95)
    found = {}
    for decode, words in (
        ("reduced", ()),
        ("reduced", ("--no-images",)),
        ("reduced", ("--no-images", "--save", "crops")),
        ("full", ("--no-images",)),
    ):
        out = tmp_path / f"out-{len(found)}"
        source = tmp_path / "large.jpg"
        assert detectattn("predict", source, "-m", MODEL, "-o", out, "--decode", decode, *words).code == 0
        [found[decode, *words]] = iter_records(out / "predictions.jsonl")
    drawn, alone, cut_out, full = found.values()
    assert {prediction.size_hw for prediction in found.values()} == {(1079, 1919)}
    np.testing.assert_array_equal(cut_out.detections.xyxy, alone.detections.xyxy)
    np.testing.assert_array_equal(drawn.detections.xyxy, alone.detections.xyxy)
    np.testing.assert_array_equal(drawn.detections.score, alone.detections.score)
    assert not np.array_equal(full.detections.score, alone.detections.score)
    pairs = match_boxes(full.detections, alone.detections).pairs
    assert len(pairs) > 0.7 * len(full.detections) > 3
    runs = [read_run(tmp_path / f"out-{number}") for number in range(4)]
    assert [run["config"]["decode"] for run in runs] == ["reduced", "reduced", "reduced", "full"]
    assert [run["counts"]["reduced"] for run in runs] == [1, 1, 1, 0]
    assert cv2.imread(str(tmp_path / "out-0" / "images" / "large.jpg")).shape == (1079, 1919, 3)
    [crop] = (tmp_path / "out-2" / "crops").rglob("large.0.jpg")
    left, top, right, bottom = alone.detections.xyxy[0]
    assert np.abs(np.subtract(cv2.imread(str(crop)).shape[:2], (bottom - top, right - left))).max() < 2


def test_nothing_is_overwritten(detectattn: Any, two_pictures: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    done = detectattn("predict", two_pictures, "-m", MODEL, "-o", taken)
    assert done.code == 1
    assert "never writes into a folder that exists" in done.err
    assert not any(taken.iterdir())
    for number in (1, 2):
        assert detectattn("predict", two_pictures, "-m", MODEL, "-q").code == 0
        assert Path(f"runs/predict-{number:03d}").is_dir()


@pytest.mark.parametrize("form", ["image", "list", "nul"])
def test_standard_input(
    detectattn: Any, two_pictures: Path, in_noon: Counter[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    first, second = (two_pictures / name for name in ("noon.jpg", "yellow-bus.jpg"))
    content = {
        "image": first.read_bytes(),
        "list": f"{first}\n{second}\n".encode(),
        "nul": f"{first}\0{second}\0".encode(),
    }[form]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    done = detectattn("predict", "-", "-m", MODEL)
    assert done.code == 0, done.err
    found = names_in(Path("runs/predict-001/predictions.jsonl"))
    assert found[0] == in_noon
    assert len(found) == (1 if form == "image" else 2)


def test_json_envelope_alone_on_standard_output(detectattn: Any, noon: Path, in_noon: Counter[str]) -> None:
    done = detectattn("predict", noon, "-m", MODEL, "--json", "--no-images")
    envelope = json.loads(done.out)
    assert (envelope["schema"], envelope["command"]) == (1, "predict")
    assert done.data["counts"]["detections_by_class"] == in_noon
    assert not Path(done.data["run"], "images").exists()


def test_quiet_says_nothing(detectattn: Any, two_pictures: Path) -> None:
    done = detectattn("predict", two_pictures, "-m", MODEL, "-q")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_preset_applies_and_the_command_line_wins(detectattn: Any, noon: Path, tmp_path: Path) -> None:
    preset = tmp_path / "preset.yaml"
    preset.write_text(f"model: {MODEL}\nconf: 0.2\nclasses: [car]\nmax-det: 2\n")
    assert detectattn("predict", noon, "-c", preset).code == 0
    assert detectattn("predict", noon, "-c", preset, "--max-det", "1").code == 0
    counts = [names_in(Path(f"runs/predict-00{n}/predictions.jsonl")) for n in (1, 2)]
    assert counts == [[Counter(car=2)], [Counter(car=1)]]
    assert read_run(Path("runs/predict-001"))["config"]["conf"] == 0.2


def test_shipped_preset_is_found_by_its_name(detectattn: Any, noon: Path) -> None:
    assert detectattn("predict", noon, "-c", "predict-quality", "-m", MODEL, "--imgsz", "320").code == 0
    config = read_run(Path("runs/predict-001"))["config"]
    assert (config["model"], config["conf"], config["save"]) == (MODEL, 0.05, ["csv", "coco"])


def test_model_gets_the_name_it_is_given(detectattn: Any, noon: Path) -> None:
    detectattn("predict", noon, "-m", f"mine={MODEL}")
    assert [p.model for p in iter_records(Path("runs/predict-001/predictions.jsonl"))] == ["mine"]


def test_video(detectattn: Any, street_clip: Path) -> None:
    done = detectattn("predict", street_clip, "-m", MODEL, "--vid-stride", "40")
    assert done.code == 0
    records = list(iter_records(Path("runs/predict-001/predictions.jsonl")))
    assert [r.index for r in records] == list(range(0, 200, 40))
    assert [r.timestamp_s for r in records] == [pytest.approx(i / 20, abs=0.01) for i in range(0, 200, 40)]
    assert Path("runs/predict-001/videos", street_clip.name).is_file()
    assert "5 frames" in done.out


def test_multi_page_pictures(detectattn: Any, two_pictures: Path, tmp_path: Path) -> None:
    from PIL import Image

    pages = [Image.open(path).resize((320, 320)) for path in sorted(two_pictures.iterdir())]
    pages[0].save(tmp_path / "pages.tiff", save_all=True, append_images=pages[1:])
    assert detectattn("predict", tmp_path / "pages.tiff", "-m", MODEL).code == 0
    assert [p.index for p in iter_records(Path("runs/predict-001/predictions.jsonl"))] == [0, 1]
    assert {p.name for p in Path("runs/predict-001/images").iterdir()} == {"pages.tiff.jpg", "pages.tiff.p0001.jpg"}


BAD: list[tuple[list[str], int, str]] = [
    (["{tmp}/nope.jpg"], 1, r"nope\.jpg"),
    (["{tmp}/empty"], 1, "neither pictures nor videos"),
    (["{noon}", "-m", "rtdetr"], 1, "rtdetr-l"),
    (["{noon}", "-m", "yolo11"], 1, "yolo11"),
    (["{noon}", "-m", "{tmp}/missing.pt"], 1, r"missing\.pt"),
    (["{noon}", "-m", "{tmp}/broken.pt"], 1, r"broken\.pt"),
    (["{noon}", "-m", "{tmp}/seg.onnx"], 1, r"seg\.onnx"),
    (["{noon}", "-m", "yolo11n", "--offline"], 1, "--offline"),
    (["{noon}", "-m", "{demo}", "--classes", "persn"], 2, "person"),
    (["{noon}", "-m", "{demo}", "--imgsz", "325"], 2, "320×320"),
    (["{noon}", "-m", "{demo}", "--imgsz", "big"], 2, "--imgsz"),
    (["{noon}", "-m", "{demo}", "--device", "cuda:7"], 1, "cuda:7"),
    (["{noon}", "-m", "{demo}", "--engine", "onnx", "--precision", "int8"], 2, "not converted to int8"),
    (["{noon}", "-m", "{demo}", "--conf", "1.5"], 2, "--conf"),
    (["{noon}", "-m", "{demo}", "--save", "xlsx"], 2, "xlsx"),
    (["{noon}", "-m", "{demo}", "-c", "{tmp}/none.yaml"], 2, r"none\.yaml"),
    (["{noon}", "-m", "{demo}", "-c", "{tmp}/bad.yaml"], 2, "confidence"),
    (["{noon}", "-m", "{demo}", "--show"], 1, "screen"),
    (["--frobnicate", "{noon}"], 2, "--frobnicate"),
    ([], 2, "SOURCE"),
]


@pytest.mark.parametrize(("words", "code", "told"), BAD, ids=[" ".join(words) or "none" for words, _, _ in BAD])
def test_bad_input_is_one_line(
    detectattn: Any,
    noon: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    told: str,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.pt").write_bytes(b"not weights")
    (tmp_path / "seg.onnx").write_bytes(b"not a model")
    (tmp_path / "bad.yaml").write_text("confidence: 0.5\n")
    done = detectattn("predict", *(word.format(tmp=tmp_path, noon=noon, demo=MODEL) for word in words))
    assert done.code == code, done.err
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert re.search(told, errors[0]), errors[0]
    assert done.err.splitlines()[-1] == errors[0]
    assert done.out == ""
    assert not Path("runs").exists()


def test_no_picture_readable_at_all(detectattn: Any, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("hello")
    done = detectattn("predict", tmp_path / "text.jpg", "-m", MODEL)
    assert done.code == 1
    assert "text.jpg" in done.out


def test_truncated_picture(detectattn: Any, noon: Path, tmp_path: Path) -> None:
    content = noon.read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    shutil.copyfile(noon, tmp_path / "whole.jpg")
    refused = detectattn("predict", tmp_path / "cut.jpg", tmp_path / "whole.jpg", "-m", MODEL)
    assert refused.code == 4
    assert "--allow-truncated" in refused.out
    taken = detectattn("predict", tmp_path / "cut.jpg", "-m", MODEL, "--allow-truncated")
    assert taken.code == 0
    [record] = iter_records(Path("runs/predict-002/predictions.jsonl"))
    assert record.warnings
    assert len(record.detections) > 0


def test_disk_full(detectattn: Any, two_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from detectattn.sinks import annotated_image
    from detectattn.sinks.files import output_errors

    def no_space(path: Path, content: bytes, **_: bool) -> None:
        with output_errors(path):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(annotated_image, "write_new_file", no_space)
    done = detectattn("predict", two_pictures, "-m", MODEL)
    assert done.code == 1
    assert "No space left on device" in done.err
    assert read_run(Path("runs/predict-001"))["status"] == "failed"


def test_a_bug_becomes_a_line_and_a_log(
    detectattn: Any, two_pictures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from detectattn.cli import predict_run

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken(*_: object, **__: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(predict_run, "run_pipeline", broken)
    done = detectattn("predict", two_pictures, "-m", MODEL, "-q")
    assert done.code == 3
    [log] = tmp_path.glob("detectattn-bug-*.log")
    assert str(log) in done.err
    assert "KeyError: 'surprise'" in log.read_text()


def test_hostile_names_are_shown_and_recorded_harmlessly(detectattn: Any, noon: Path, tmp_path: Path) -> None:
    names = [
        "-o.jpg",
        "new\nline.jpg",
        "<img onerror=x>.jpg",
        "=cmd.jpg",
        "émoji 🚌.jpg",
        "\x1b[31mred.jpg",
        "b" * 251 + ".jpg",
    ]
    (tmp_path / "in").mkdir()
    street = cv2.imencode(".jpg", cv2.resize(cv2.imread(str(noon)), (480, 270)))[1].tobytes()
    for name in names:
        (tmp_path / "in" / name).write_bytes(street)
    (tmp_path / "in" / "bad\x1b[2J.jpg").write_bytes(b"nothing")
    done = detectattn("predict", tmp_path / "in", "-m", MODEL, "-v", "--save", "csv,yolo,voc,coco,crops")
    assert done.code == 4, done.err
    assert sorted(p.source for p in iter_records(Path("runs/predict-001/predictions.jsonl"))) == sorted(names)
    assert "\x1b" not in done.out + done.err
    assert len(list(Path("runs/predict-001/images").iterdir())) == len(names)


def test_grey_picture_without_objects(detectattn: Any, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((200, 300), 128, np.uint8))
    done = detectattn("predict", tmp_path / "grey.png", "-m", MODEL, "--conf", "0.99")
    assert done.code == 0
    assert "no detections above 0.99" in done.out


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_password_in_a_url_is_not_recorded(detectattn: Any, refusing_url: str) -> None:
    url = refusing_url.replace("http://", "http://user:secret@") + "/x.jpg"
    done = detectattn("predict", url, "-m", MODEL)
    assert done.code == 1
    assert "secret" not in done.out + done.err + Path("runs/predict-001/run.json").read_text()
