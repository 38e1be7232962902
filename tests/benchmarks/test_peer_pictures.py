from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.peer.pictures import make_folder
from benchmarks.peer.written import describe_jpeg, find_quality
from detectattn.sinks.media_files import encode_image


def test_a_folder_is_flat_and_the_same_every_time(tmp_path: Path) -> None:
    first, second = (make_folder(tmp_path / name, (96, 128), 2) for name in "ab")
    assert [path.name for path in sorted(first.iterdir())] == ["00000.jpg", "00001.jpg"]
    assert [p.read_bytes() for p in sorted(first.iterdir())] == [p.read_bytes() for p in sorted(second.iterdir())]
    picture = cv2.imread(str(first / "00000.jpg"))
    assert picture is not None
    assert picture.shape == (96, 128, 3)


def test_pictures_of_another_quality_are_told_apart(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    ours, same, other = (tmp_path / f"{name}.jpg" for name in ("ours", "same", "other"))
    ours.write_bytes(encode_image(pixels, ".jpg", find_quality()))
    cv2.imwrite(str(same), pixels, [cv2.IMWRITE_JPEG_QUALITY, find_quality()])
    cv2.imwrite(str(other), pixels, [cv2.IMWRITE_JPEG_QUALITY, find_quality() - 20])
    qualities = [describe_jpeg(path)["quality"] for path in (ours, same, other)]
    assert qualities == [find_quality(), find_quality(), find_quality() - 20]
    assert (describe_jpeg(ours)["colour"], describe_jpeg(same)["colour"]) == ("4:4:4", "4:2:0")
    assert describe_jpeg(ours)["size_wh"] == [64, 48]
