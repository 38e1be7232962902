"""The clip: ground truth for each frame that it decodes to, objects that move and hide each other."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from pycocotools.coco import COCO

from samples.make_street import CATEGORIES
from samples.scenes.clip import FPS, SECONDS, iter_clip
from samples.scenes.motion import STEP_S, Mover, drive

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture(scope="module")
def coco() -> COCO:
    return COCO(str(SAMPLES / "street.json"))


@pytest.fixture(scope="module")
def frames() -> list[av.VideoFrame]:
    with av.open(SAMPLES / "street.mp4") as container:
        return list(container.decode(video=0))


def test_the_clip_is_ten_seconds_of_h264(frames: list[av.VideoFrame]) -> None:
    with av.open(SAMPLES / "street.mp4") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.average_rate) == ("h264", FPS)
        assert (stream.width, stream.height, stream.pix_fmt) == (640, 384, "yuv420p")
    assert len(frames) == FPS * SECONDS == 200


def test_each_frame_has_its_ground_truth(frames: list[av.VideoFrame], coco: COCO) -> None:
    images = list(coco.imgs.values())
    assert [image["frame_index"] for image in images] == list(range(len(frames)))
    assert [image["timestamp_s"] for image in images] == pytest.approx([frame.time for frame in frames], abs=1e-3)
    assert {image["file_name"] for image in images} == {"street.mp4"}
    assert min(len(coco.imgToAnns[image["id"]]) for image in images) >= 15


def test_ground_truth_is_what_the_frames_show(frames: list[av.VideoFrame], coco: COCO) -> None:
    ids = list(CATEGORIES)
    for drawn in islice(iter_clip(), 3):
        kept = frames[drawn.index].to_ndarray(format="bgr24").astype(int)
        assert np.abs(kept - drawn.bgr).mean() < 5
        told = coco.imgToAnns[drawn.index + 1]
        assert [a["category_id"] for a in told] == [ids[c] for c in drawn.seen.class_id]
        assert [a["track_id"] for a in told] == drawn.seen.number.tolist()
        boxes = [[x, y, x + w, y + h] for x, y, w, h in (a["bbox"] for a in told)]
        assert boxes == drawn.seen.xyxy.tolist()


def test_objects_move_hide_and_come_back(coco: COCO) -> None:
    tracks: dict[int, dict[int, list[int]]] = {}
    for annotation in coco.anns.values():
        tracks.setdefault(annotation["track_id"], {})[annotation["image_id"]] = annotation["bbox"]
    moved = [max(box[0] for box in t.values()) - min(box[0] for box in t.values()) for t in tracks.values()]
    assert sum(distance > 150 for distance in moved) >= 5
    returned = [t for t in tracks.values() if len(t) < max(t) - min(t) + 1]
    assert len(returned) >= 3
    categories = [{coco.anns[a]["category_id"] for a in coco.anns if coco.anns[a]["track_id"] == key} for key in tracks]
    assert all(len(found) == 1 for found in categories)


def test_a_queue_waits_behind_its_line_and_never_collides() -> None:
    lane = [Mover(-14.0 - 12 * k, 4.5, 8.0, 9.0, 2.2) for k in range(4)]
    places = np.array(drive([lane], lambda time_s: time_s < 8, 0.0, round(14 / STEP_S)))[:, 0]
    assert places[round(7.9 / STEP_S)].max() < 0.5
    assert (places[:, :-1] - 4.5 - places[:, 1:]).min() > 0.5
    assert places[-1, 0] > 5
