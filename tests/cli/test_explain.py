"""``explain`` as a user runs it: the embedded pair on a few small pictures."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.attention import faithfulness
from detectattn.attention.maps import METHODS
from detectattn.cli.app import run
from detectattn.errors import RunInUse
from detectattn.explain.run import ExplanationRun
from detectattn.pipeline.run_folder import lock_run_folder
from detectattn.records import manifest_from_json
from tests.attention.noisy_models import save_noisy
from tests.explain.exports import write_onnx

PAIR = ("-m", "demo-rtdetr", "-m", "demo-yolo")
# Small inputs, for the suite's sake; few maps, where the others are not the point.
SMALL = ("--imgsz", "160", "--offline")
FEW = (*SMALL, "--maps", "layercam", "--top", "2")
NAMES = ("noon.jpg", "yellow-bus.jpg")


@pytest.fixture(scope="module")
def pictures(street_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``noon.jpg``, and ``yellow-bus.jpg`` in a folder below."""
    folder = tmp_path_factory.mktemp("explain") / "pictures"
    (folder / "below").mkdir(parents=True)
    shutil.copyfile(street_images / NAMES[0], folder / NAMES[0])
    shutil.copyfile(street_images / NAMES[1], folder / "below" / NAMES[1])
    return folder


@pytest.fixture(scope="module")
def explained(pictures: Path) -> Path:
    """Both pictures explained by the embedded pair, with every map that is made by default."""
    folder = pictures.parent / "run"
    assert run(["explain", str(pictures), *PAIR, *SMALL, "--top", "3", "-o", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def scored(pictures: Path) -> Path:
    """One picture with scores of one map, at a few of the areas."""
    folder = pictures.parent / "scored"
    words = ["explain", str(pictures / NAMES[0]), *PAIR, "--maps", "layercam", "--top", "1", "--score", "--offline"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faithfulness, "FRACTIONS", faithfulness.FRACTIONS[1::4])
        assert run([*words, "-o", str(folder), "--quiet"]) == 0
    return folder


def read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "explain.json").read_text())
    return content


def iter_found(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for picture in content["pictures"]:
        for item in picture["objects"]:
            for name, found in item["found"].items():
                if found is not None:
                    yield name, found


def test_the_run_folder_is_whole_and_mirrors_the_sources(explained: Path) -> None:
    files = {path.relative_to(explained).as_posix() for path in explained.rglob("*") if path.is_file()}
    own = {"run.json", "explain.json", "explain.html"}
    sheets = {"images/noon.jpg", "images/below/yellow-bus.jpg"}
    arrays = {
        f"explain/{model}/{name}.attention.npz"
        for model in ("demo-rtdetr", "demo-yolo")
        for name in ("noon.jpg", "below/yellow-bus.jpg")
    }
    assert files == own | sheets | arrays
    manifest = manifest_from_json((explained / "run.json").read_text())
    assert manifest.status == "finished"
    assert (manifest.counts["images"], manifest.counts["frames"], manifest.counts["objects"]) == (2, 0, 6)
    assert [model["name"] for model in manifest.models] == ["demo-rtdetr", "demo-yolo"]
    assert all(len(model["weights"]["sha256"]) == 64 for model in manifest.models)


def test_sheets_are_pictures_of_all_models(explained: Path) -> None:
    sheet = cv2.imread(str(explained / "images" / "noon.jpg"))
    assert sheet is not None
    assert sheet.shape[1] > 4 * 400  # the picture, a map and points of the one, a map of the other
    assert sheet.std() > 20


def test_arrays_hold_the_detections_that_are_shown(explained: Path) -> None:
    content = read(explained)
    assert {name for name, _ in iter_found(content)} >= {"demo-rtdetr"}
    for picture in content["pictures"]:
        for name, path in picture["arrays"].items():
            found = [item["found"][name] for item in picture["objects"] if item["found"][name] is not None]
            with np.load(explained / path) as arrays:
                assert arrays["score"].tolist() == pytest.approx([f["score"] for f in found])
                assert arrays["query_id"].tolist() == [f["query_id"] for f in found]
                boxes = np.array([f["xyxy"] for f in found]).reshape(-1, 4)
                np.testing.assert_allclose(arrays["xyxy"], boxes, atol=1e-4)
                assert arrays["image_hw"].tolist() == picture["size_hw"]
                if name == "demo-rtdetr":
                    weights = arrays["cross_weights"]
                    np.testing.assert_allclose(weights.sum((-1, -2)), 1, atol=1e-5)
                    assert arrays["cross_points"].shape == (*weights.shape, 2)


def test_every_fitting_map_is_there_and_the_default_is_shown(explained: Path) -> None:
    models = read(explained)["models"]
    quick = set(METHODS) - {"input_gradient"}
    assert set(models["demo-rtdetr"]["methods"]) == quick
    assert set(models["demo-yolo"]["methods"]) == quick - {"cross_last", "cross_all", "rollout"}
    assert {model["default_method"] for model in models.values()} == {"layercam"}
    assert all(f["faithfulness"] is None for model in models.values() for f in model["methods"].values())
    assert {f["worth"] for model in models.values() for f in model["methods"].values()} == {"not decided", "baseline"}


def test_scores_are_kept_of_every_map(scored: Path) -> None:
    content = read(scored)
    assert content["scored"]
    for _, found in iter_found(content):
        assert set(found["maps"]) == {"layercam", "box_blob", "random"}
        for figures in found["maps"].values():
            if not found["untold"]:
                assert len(figures["insertion"]) == len(figures["deletion"]) == len(content["fractions"])
                mean = np.mean(figures["insertion"]) - np.mean(figures["deletion"])
                assert figures["faithfulness"] == pytest.approx(mean)
    assert any(not found["untold"] for _, found in iter_found(content))


def test_what_a_person_reads_fits_and_says_what_to_open(detectattn: Any, pictures: Path) -> None:
    done = detectattn("explain", pictures, *PAIR, *FEW)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("explained ")
    assert " in 2 pictures in " in lines[0]
    told = " ".join(line.strip() for line in lines)
    assert "demo-rtdetr and demo-yolo are shown by “LayerCAM”. It is the first of --maps that fits." in told
    listed = {line[:9].strip(): line[10:] for line in lines if " runs/explain-001/" in line}
    assert list(listed) == ["page", "sheets", "figures", "arrays"]
    assert all(Path(path).exists() for path in listed.values())
    assert lines[-1].startswith("next      add --score")


def test_json_is_one_object(detectattn: Any, pictures: Path, tmp_path: Path) -> None:
    done = detectattn("explain", pictures / NAMES[0], "-m", "demo-yolo", *FEW, "--json", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    printed = json.loads(done.out)
    assert (printed["schema"], printed["command"]) == (1, "explain")
    assert (printed["data"]["run"], printed["data"]["status"]) == (str(tmp_path / "out"), "finished")
    assert printed["data"]["explanation"] == read(tmp_path / "out")


def test_quiet_says_nothing_and_no_images_draws_none(detectattn: Any, pictures: Path, tmp_path: Path) -> None:
    done = detectattn("explain", pictures, "-m", "demo-yolo", *FEW, "-q", "--no-images", "-o", tmp_path / "out")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert not (tmp_path / "out" / "images").exists()
    assert {picture["sheet"] for picture in read(tmp_path / "out")["pictures"]} == {None}


def test_a_preset_sets_what_the_command_line_does_not(detectattn: Any, pictures: Path, tmp_path: Path) -> None:
    preset = tmp_path / "few.yaml"
    preset.write_text("model: [a=demo-yolo, b=demo-yolo]\nmaps: hirescam\ntop: 1\nimgsz: 160\nlimit: 1\n")
    done = detectattn("explain", pictures, "-c", preset, "--top", "2", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    content = read(tmp_path / "out")
    assert list(content["models"]) == ["a", "b"]
    assert (content["top"], len(content["pictures"])) == (2, 1)
    assert set(content["models"]["a"]["methods"]) == {"hirescam", "box_blob", "random"}


def test_frames_of_a_video_are_numbered(detectattn: Any, street_clip: Path, tmp_path: Path) -> None:
    words = ("--limit", "2", "--vid-stride", "5", "-o", tmp_path / "out")
    done = detectattn("explain", street_clip, "-m", "demo-yolo", *FEW, *words)
    assert done.code == 0, done.err
    content = read(tmp_path / "out")
    assert [picture["index"] for picture in content["pictures"]] == [0, 5]
    for picture in content["pictures"]:
        assert picture["sheet"] == f"images/street.mp4/{picture['index']:06d}.jpg"
        assert picture["arrays"] == {"demo-yolo": f"explain/demo-yolo/street.mp4/{picture['index']:06d}.attention.npz"}
        assert (tmp_path / "out" / picture["sheet"]).is_file()
    assert manifest_from_json((tmp_path / "out" / "run.json").read_text()).counts["frames"] == 2


@pytest.mark.skipif(os.name == "nt", reason="names that Windows refuses")
def test_names_are_only_names(detectattn: Any, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    names = [b"<img onerror=x><b>.jpg", b"new\nline.jpg", b"\xff.jpg", b"long" * 55 + b".png", b"[red].jpg"]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes((pictures / NAMES[0]).read_bytes())
    done = detectattn("explain", folder, "-m", "a b=demo-yolo", *FEW, "-o", tmp_path / "out")
    assert done.code == 1  # no such name for a model
    done = detectattn("explain", folder, "-m", "a.b+c=demo-yolo", *FEW, "--top", "1", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    content = read(tmp_path / "out")
    assert len(content["pictures"]) == len(names)
    for picture in content["pictures"]:
        assert (tmp_path / "out" / picture["sheet"]).is_file()
        assert (tmp_path / "out" / picture["arrays"]["a.b+c"]).is_file()
    page = (tmp_path / "out" / "explain.html").read_text()
    assert "<img onerror" not in page


def test_one_bad_picture_costs_itself_alone(detectattn: Any, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(pictures, folder)
    (folder / "a-broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    done = detectattn("explain", folder, "-m", "demo-yolo", *FEW, "-o", tmp_path / "out")
    assert done.code == 4
    assert "1 input failed" in done.err
    assert "One input could not be explained" in done.out
    [failure] = map(json.loads, (tmp_path / "out" / "failures.jsonl").read_text().splitlines())
    assert (failure["source"], failure["code"]) == ("a-broken.jpg", "truncated-image")
    assert [p["source"] for p in read(tmp_path / "out")["pictures"]] == ["below/yellow-bus.jpg", "noon.jpg"]


def test_nothing_but_bad_pictures_fails(detectattn: Any, tmp_path: Path) -> None:
    (tmp_path / "zero.jpg").write_bytes(b"")
    done = detectattn("explain", tmp_path / "zero.jpg", "-m", "demo-yolo", *FEW, "-o", tmp_path / "out")
    assert done.code == 1
    assert "zero.jpg" in done.err
    assert not (tmp_path / "out" / "explain.json").exists()


def test_where_nothing_is_sure_the_best_below_are_explained(detectattn: Any, pictures: Path, tmp_path: Path) -> None:
    done = detectattn("explain", pictures / NAMES[0], *PAIR, *FEW, "--conf", "0.999", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    content = read(tmp_path / "out")
    assert content["pictures"][0]["below"] == ["demo-rtdetr", "demo-yolo"]
    assert all(0.001 < found["score"] < 0.999 for _, found in iter_found(content))
    assert "demo-yolo finds nothing above 0.999 in a picture: its best below" in " ".join(done.out.split())


def test_a_picture_in_which_nothing_at_all_is_found(detectattn: Any, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((64, 64, 3), 128, np.uint8))
    words = ("--classes", "traffic light", "--conf", "1", "-o", tmp_path / "out")
    done = detectattn("explain", tmp_path / "grey.png", "-m", "demo-yolo", *FEW, *words)
    assert done.code == 0, done.err
    [picture] = read(tmp_path / "out")["pictures"]
    if not picture["objects"]:
        assert picture["sheet"] is None
        assert "finds nothing in these pictures" in " ".join(done.out.split())
    assert (tmp_path / "out" / picture["arrays"]["demo-yolo"]).is_file()


def test_a_model_without_attention_says_so_and_gets_gradients(detectattn: Any, pictures: Path, tmp_path: Path) -> None:
    model = save_noisy("yolov8n", tmp_path)
    words = ("-m", model, "--top", "1", "--conf", "0.001", "-o", tmp_path / "out", "--offline")
    done = detectattn("explain", pictures / NAMES[0], *words, "--maps", "cross_last,rollout")
    assert done.code == 0, done.err
    assert "yolov8n can have none of cross_last, rollout: it is shown by layercam" in done.err
    content = read(tmp_path / "out")
    assert content["models"]["yolov8n"]["attention"] == ""
    assert content["models"]["yolov8n"]["default_method"] == "layercam"
    assert any("yolov8n has no attention" in caveat for caveat in content["caveats"])
    with np.load(tmp_path / "out" / content["pictures"][0]["arrays"]["yolov8n"]) as arrays:
        assert not any("self" in name or "cross" in name for name in arrays)


def test_an_export_is_explained_by_the_weights_beside_it(
    detectattn: Any, pictures: Path, tmp_path: Path, save_checkpoint: Callable[[str], Path]
) -> None:
    shutil.copyfile(save_checkpoint("demo-yolo"), tmp_path / "best.pt")
    names = "{0: 'person', 1: 'bicycle', 2: 'car', 3: 'bus', 4: 'truck', 5: 'traffic light'}"
    write_onnx(tmp_path / "best.onnx", {"names": names, "imgsz": "[160, 160]"})
    words = ("--maps", "layercam", "--top", "1", "--offline")
    done = detectattn("explain", pictures / NAMES[0], "-m", tmp_path / "best.onnx", *words, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert "ONNX Runtime, which shows nothing of its inside: taking" in done.err
    model = read(tmp_path / "out")["models"]["best"]
    assert (model["engine"], model["net_hw"], Path(model["file"]).name) == ("torch", [160, 160], "best.pt")
    write_onnx(tmp_path / "best.onnx", {"names": "{0: 'cat'}"})
    done = detectattn("explain", pictures / NAMES[0], "-m", tmp_path / "best.onnx", *words, "-o", tmp_path / "other")
    assert done.code == 1
    assert "other classes than the export" in done.err
    assert not (tmp_path / "other").exists()


def test_a_layer_and_a_head_are_shown_where_they_are(detectattn: Any, pictures: Path, tmp_path: Path) -> None:
    words = (*SMALL, "--top", "1", "--maps", "cross_last,encoder_rows", "--layer", "1", "--head", "0")
    done = detectattn("explain", pictures / NAMES[0], *PAIR, *words, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    models = read(tmp_path / "out")["models"]
    assert models["demo-rtdetr"]["methods"]["cross_last"]["title"] == "Cross-attention, layer 1, head 0"
    assert models["demo-rtdetr"]["methods"]["encoder_rows"]["title"] == "Self-attention of the box, head 0"
    assert models["demo-yolo"]["default_method"] == "encoder_rows"


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["-m", "demo-yolo", "--maps", "gradcam"], 2, "Choose among: cross_last"),
        (["-m", "demo-yolo", "--layer", "9"], 2, "no map here can show the layer 9"),
        (["-m", "demo-yolo", "--head", "-1"], 2, "--head is -1"),
        (["-m", "demo-yolo", "-m", "demo-yolo"], 2, "two of the models are called demo-yolo"),
        (["-m", "demo-yolo", "--precision", "fp16"], 2, "fp32"),
        (["-m", "demo-yolo", "--top", "0"], 2, "--top is 0"),
        (["-m", "demo-yolo", "--conf", "2"], 2, "from 0 to 1"),
        (["-m", "demo-yolo", "--classes", "unicorn"], 2, "unicorn"),
        (["-m", "demo-yolo", "--imgsz", "161"], 2, "multiple of 32"),
        (["-m", "nosuchmodel"], 1, "nosuchmodel"),
        (["-m", "rtdetr-l"], 1, "rtdetr-l"),
        (["-m", "demo-yolo", "--device", "cuda:7"], 1, "cuda:7"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    options: list[str], code: int, says: str, detectattn: Any, pictures: Path, tmp_path: Path
) -> None:
    done = detectattn("explain", pictures, *options, "--offline", "-o", tmp_path / "out")
    assert done.code == code
    error = done.err.splitlines()[-1]
    assert error.startswith("error: ")
    assert says in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("source", "says"), [("nowhere", "nowhere"), (".", "neither pictures nor videos")])
def test_sources_that_hold_nothing_are_told_before_a_model_is_loaded(
    source: str, says: str, detectattn: Any, tmp_path: Path
) -> None:
    done = detectattn("explain", source, "-m", "demo-yolo", "-o", tmp_path / "out")
    assert done.code == 1
    assert says in done.err
    assert "torch on" not in done.err


def test_an_interrupt_leaves_what_is_whole_and_nobody_else_writes_meanwhile(
    detectattn: Any, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ExplanationRun.add

    def add_one(run: ExplanationRun, *words: Any) -> Any:
        if run.gathered.pictures:
            raise KeyboardInterrupt
        with pytest.raises(RunInUse, match="being written by another process"), lock_run_folder(tmp_path / "out"):
            pytest.fail("two processes could write it")
        return add(run, *words)

    monkeypatch.setattr(ExplanationRun, "add", add_one)
    done = detectattn("explain", pictures, "-m", "demo-yolo", *FEW, "-o", tmp_path / "out")
    assert done.code == 130
    content = read(tmp_path / "out")
    assert len(content["pictures"]) == 1
    assert content["caveats"][0].startswith("The run was interrupted")
    assert manifest_from_json((tmp_path / "out" / "run.json").read_text()).status == "interrupted"
    assert (tmp_path / "out" / "explain.html").is_file()


def test_help_names_every_map(detectattn: Any) -> None:
    done = detectattn("explain", "--help")
    shown = " ".join(done.out.split())
    assert all(name in shown for name in METHODS if name not in ("box_blob", "random"))
