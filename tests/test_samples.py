"""The samples are what their code draws and what their README says; ``tests/samples`` looks at the street scenes."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from samples.make_trouble import write_trouble

SAMPLES = Path(__file__).resolve().parents[1] / "samples"


@pytest.fixture(scope="module")
def drawn_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    write_trouble(out)
    return out


def test_nothing_more_and_nothing_less_is_drawn(drawn_again: Path) -> None:
    made = {path.relative_to(drawn_again) for path in drawn_again.rglob("*") if path.is_file()}
    kept = {path.relative_to(SAMPLES) for path in SAMPLES.rglob("*") if path.is_file()}
    own = {path for path in kept if path.suffix in (".py", ".pyc") or path.name == "README.md"}
    street = {path for path in kept if path.parts[0] == "street" or path.stem == "street"}  # tests/samples
    assert made == kept - own - street


def test_the_rotated_picture_is_drawn_the_same(drawn_again: Path) -> None:
    kept, made = (cv2.imread(str(folder / "trouble/rotated.jpg")).astype(int) for folder in (SAMPLES, drawn_again))
    # Another build of the JPEG encoder or of NumPy may round another way.
    assert kept.shape == made.shape
    assert np.abs(kept - made).mean() < 0.5


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
