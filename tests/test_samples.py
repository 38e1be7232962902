"""The samples are what their code draws, and hold what their README says."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import yaml
from PIL import Image, ImageOps

from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.postprocess import Thresholds
from detectattn.types import WeightsFile
from samples.make_shapes import write_shapes
from samples.make_trouble import write_trouble

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
PICTURES = sorted(path.relative_to(SAMPLES) for path in (SAMPLES / "shapes" / "images").iterdir())
LABELS = sorted(path.relative_to(SAMPLES) for path in (SAMPLES / "shapes" / "labels").iterdir())


@pytest.fixture(scope="module")
def drawn_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    write_shapes(out)
    write_trouble(out)
    return out


def _frames(path: Path) -> list[np.ndarray]:
    with av.open(path) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_nothing_more_and_nothing_less_is_drawn(drawn_again: Path) -> None:
    made = {path.relative_to(drawn_again) for path in drawn_again.rglob("*") if path.is_file()}
    kept = {path.relative_to(SAMPLES) for path in SAMPLES.rglob("*") if path.is_file()}
    own = {path for path in kept if path.suffix in (".py", ".pyc") or path.name == "README.md"}
    street = {path for path in kept if path.parts[0] == "street" or path.stem == "street"}  # tests/samples
    assert made == kept - own - street


@pytest.mark.parametrize("path", LABELS, ids=str)
def test_ground_truth_is_drawn_the_same(path: Path, drawn_again: Path) -> None:
    assert (drawn_again / path).read_bytes() == (SAMPLES / path).read_bytes()


@pytest.mark.parametrize("path", PICTURES, ids=str)
def test_pictures_are_drawn_the_same(path: Path, drawn_again: Path) -> None:
    kept, made = (cv2.imread(str(folder / path)).astype(int) for folder in (SAMPLES, drawn_again))
    # Another build of the JPEG encoder or of NumPy may round another way.
    assert kept.shape == made.shape
    assert np.abs(kept - made).mean() < 0.5


def test_the_video_is_drawn_the_same(drawn_again: Path) -> None:
    kept, made = _frames(SAMPLES / "shapes.mp4"), _frames(drawn_again / "shapes.mp4")
    assert len(kept) == len(made) == 75
    assert kept[0].shape == (240, 320, 3)
    # Another version of the encoder may decide another way within the same quality.
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(kept, made, strict=True)) < 3


def test_every_box_lies_in_its_picture_and_around_something_drawn() -> None:
    names = yaml.safe_load((SAMPLES / "shapes" / "data.yaml").read_text())["names"]
    assert {path.stem for path in PICTURES} == {path.stem for path in LABELS}
    for picture in PICTURES:
        gray = cv2.imread(str(SAMPLES / picture), cv2.IMREAD_GRAYSCALE)
        height, width = gray.shape
        for line in (SAMPLES / "shapes" / "labels" / f"{picture.stem}.txt").read_text().splitlines():
            class_id, *cxcywh = line.split()
            cx, cy, w, h = (float(v) for v in cxcywh)
            assert int(class_id) < len(names)
            assert min(cx - w / 2, cy - h / 2) >= 0
            assert max(cx + w / 2, cy + h / 2) <= 1
            assert w * width == pytest.approx(h * height, abs=0.01)  # the square around a circle
            left, top = round((cx - w / 2) * width), round((cy - h / 2) * height)
            right, bottom = round((cx + w / 2) * width), round((cy + h / 2) * height)
            edges = cv2.Canny(gray[max(0, top - 3) : bottom + 3, max(0, left - 3) : right + 3], 30, 90)
            assert np.count_nonzero(edges) > w * width  # an outline, at least as long as the box is wide


def test_trouble_is_what_its_name_says() -> None:
    trouble = SAMPLES / "trouble"
    with Image.open(trouble / "rotated.jpg") as stored:
        assert stored.size == (480, 640)
        assert ImageOps.exif_transpose(stored).size == (640, 480)
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO((trouble / "truncated.jpg").read_bytes())).load()
    assert (trouble / "text.jpg").read_text().isprintable() is False  # ends with a newline, and is text
    assert cv2.imread(str(trouble / "text.jpg")) is None


def test_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.suffix != ".pyc") < 6_000_000


def test_the_untrained_model_boxes_an_even_disc(tmp_path: Path) -> None:
    model_path = tmp_path / "blobs.onnx"
    subprocess.run([sys.executable, SAMPLES / "make_blob_model.py", model_path], check=True)
    picture = np.full((256, 256, 3), (60, 120, 40), np.uint8)
    cv2.circle(picture, (90, 150), 20, (30, 40, 220), -1)
    with closing(open_detector(WeightsFile(model_path, "", "onnx", "local"), EngineOptions())) as detector:
        assert (detector.info.class_names, detector.info.net_hw) == ({0: "shape"}, (256, 256))
        tensor, resize = detector.fit(picture)
        found = detector.decode(detector.engine.infer(tensor[None]), (resize,), Thresholds(iou=0.2))[0]
    assert len(found) >= 1
    assert found.xyxy[0] == pytest.approx([70, 130, 110, 170], abs=8)  # even inside, so a few cells tie
    assert found.score[0] > 0.5
