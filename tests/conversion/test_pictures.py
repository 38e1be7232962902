"""Samples of pictures: spread over a source, the same every time, without what cannot be read."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from detectattn.conversion.pictures import (
    _choose_step,
    fill_up,
    require_pictures,
    sample_calibration,
    sample_shipped,
    sample_sources,
    split_sample,
)
from detectattn.errors import EmptySource
from detectattn.sources.video import VideoInfo


def names(sample: object) -> list[str]:
    return [media.source for media in sample.media]  # type: ignore[attr-defined]


def test_spread_over_a_folder(street_images: Path) -> None:
    everything = names(sample_sources([str(street_images)], 100))
    some = sample_sources([str(street_images)], 6)
    assert names(some) == everything[::4]
    assert [frame.source for frame in some.iter_frames()] == names(some)
    assert some.said == str(street_images)


def test_frames_of_a_video_lie_apart(street_clip: Path) -> None:
    """Over the whole of a short one; of a long one up to a second apart; of a large one as far as is soon decoded."""
    sample = sample_sources([str(street_clip)], 20)
    assert [frame.index for frame in sample.iter_frames()] == list(range(0, 200, 10))
    assert [frame.index for frame in replace(sample, limit=3).iter_frames()] == [0, 25, 50]
    declared = VideoInfo((2160, 3840), 0, 30.0, 18_000, 600.0, "h264", None, 1.0)
    assert _choose_step(declared, 64) == 3
    assert _choose_step(replace(declared, frames=None), 64) == 10
    assert _choose_step(replace(declared, frames=5), 64) == 1


def test_what_is_not_on_disk_is_left_out(street_images: Path) -> None:
    sample = sample_sources(["-", "0", "rtsp://camera/1", str(street_images)], 4)
    assert len(sample.media) == 4
    assert sample_sources(["https://x.test/a.jpg"], 4).media == ()


def test_unreadable_pictures_are_left_out(street_images: Path, tmp_path: Path) -> None:
    shutil.copyfile(street_images / "noon.jpg", tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    sample = sample_sources([str(tmp_path)], 4)
    assert [frame.source for frame in sample.iter_frames()] == ["a.jpg"]
    require_pictures(sample, 1, "--pictures")
    with pytest.raises(EmptySource, match="holds 1 usable picture, and at least 2 are needed"):
        require_pictures(sample, 2, "--pictures")


def test_few_pictures_are_joined_by_shipped_scenes(street_images: Path) -> None:
    sample = fill_up(sample_sources([str(street_images / "noon.jpg")], 4))
    assert len(sample.media) == 4
    assert sample.said.endswith("noon.jpg and the shipped street scenes")
    assert fill_up(sample_sources(["-"], 4)).said == "the shipped street scenes"
    full = sample_sources([str(street_images)], 4)
    assert fill_up(full) is full


def test_a_digest_knows_names_and_sizes(street_images: Path, tmp_path: Path) -> None:
    assert sample_shipped(4).compute_digest() == sample_shipped(4).compute_digest()
    assert sample_shipped(4).compute_digest() != sample_shipped(3).compute_digest()
    shutil.copyfile(street_images / "noon.jpg", tmp_path / "a.jpg")
    before = sample_sources([str(tmp_path)], 1).compute_digest()
    shutil.copyfile(street_images / "yellow-bus.jpg", tmp_path / "a.jpg")
    assert sample_sources([str(tmp_path)], 1).compute_digest() != before


def test_int8_is_judged_and_calibrated_on_what_there_is(street_images: Path) -> None:
    gate, calibration = split_sample(sample_calibration((str(street_images),)))
    assert names(gate) == names(calibration)
    assert len(gate.media) == 24


def test_int8_is_judged_on_frames_between_those_it_is_calibrated_on(street_clip: Path) -> None:
    gate, calibration = split_sample(sample_calibration((str(street_clip),)))
    judged, calibrated = ([frame.index for frame in sample.iter_frames()] for sample in (gate, calibration))
    assert (len(judged), len(calibrated)) == (32, 32)
    assert sorted(judged + calibrated) == list(range(0, 192, 3))
    assert set(judged).isdisjoint(calibrated)
    assert gate.compute_digest() != calibration.compute_digest()
