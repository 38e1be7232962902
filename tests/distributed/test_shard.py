"""One shard through the pipeline, at once and input by input; its way into the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.cluster_model import OpenSinks
from detectattn.config import PredictConfig
from detectattn.conversion.fallback import open_fallback
from detectattn.distributed.counts import Counts
from detectattn.distributed.manifest import Item
from detectattn.distributed.model_files import place_model, put_model
from detectattn.distributed.publish import DoneShard, mark_done, publish_shard, read_marker
from detectattn.distributed.recorded import list_done, read_failures, sum_markers
from detectattn.distributed.settings import ModelSetup, RunSettings
from detectattn.distributed.shard import ShardWork
from detectattn.engines import open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.engines.openvino import OpenVinoEngine
from detectattn.engines.postprocess import Thresholds
from detectattn.errors import ChecksumMismatch, UnreadableRecord
from detectattn.pipeline.recovery import KeptModel, Recovery
from detectattn.pipeline.stages import RunOptions
from detectattn.pipeline.tally import RunTally
from detectattn.sources.base import ReadOptions
from detectattn.storage import Store, open_store
from detectattn.types import FrameFailure, Media, WeightsFile
from tests.hanging import let_engines_hang


@pytest.fixture(scope="module")
def detector(tiny_model: Path) -> Iterator[Detector]:
    found = open_detector(WeightsFile(tiny_model, "", "openvino", "local"), EngineOptions(device="cpu"))
    yield found
    found.close()


def to_work(detector: Detector, tmp_path: Path, tell: Callable[[Recovery], None] = print, **options: Any) -> ShardWork:
    store = open_store(tmp_path / "store")
    package = put_model(detector.weights, store)
    setup = ModelSetup(package, "tiny", "openvino", EngineOptions(device="cpu"))
    read = ReadOptions(temp_dir=tmp_path)
    sinks = OpenSinks(PredictConfig(images=False, **options))
    settings = RunSettings(store, store, setup, Thresholds(0.25, 0.7, 300), read, "none", 2, sinks)
    return ShardWork(KeptModel(detector, partial(open_fallback, options=setup.options), tell), settings, read)


def read_records(folder: Path) -> list[Any]:
    records = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    return [{name: value for name, value in record.items() if name != "timing"} for record in records]


def test_one_by_one_is_the_same(detector: Detector, media: list[Media], tmp_path: Path) -> None:
    work = to_work(detector, tmp_path, save=("parquet",))
    items: list[Item] = [*media, FrameFailure("gone.jpg", None, "not-found", "gone.jpg does not exist.")]
    at_once, alone, begun = tmp_path / "at-once", tmp_path / "alone", list[int]()
    at_once.mkdir()
    alone.mkdir()
    counts = work.run(items, at_once, RunTally())
    again = work.run_one_by_one(items, alone, (), begun.append)
    assert begun == list(range(len(items)))
    assert read_records(at_once) == read_records(alone)
    assert (at_once / "failures.jsonl").read_text() == (alone / "failures.jsonl").read_text()
    assert (alone / "parquet/images.parquet").is_file()
    plain, other = counts.to_dict(), again.to_dict()
    assert {k: plain[k] for k in plain if "_s" not in k and "_ms" not in k} == {
        k: other[k] for k in other if "_s" not in k and "_ms" not in k
    }
    assert (counts.inputs, counts.images, counts.failures) == (14, 12, {"undecodable-image": 1, "not-found": 1})


@pytest.mark.timeout(30)
def test_an_engine_that_hangs_is_replaced_for_the_shards_that_follow(
    detector: Detector, media: list[Media], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detectattn.distributed.shard.RunOptions", partial(RunOptions, first_answer_s=1.0))
    names, told = ("whole", "hung", "next", "alone"), list[Recovery]()
    for name in names:
        (tmp_path / name).mkdir()
    to_work(detector, tmp_path).run(media, tmp_path / "whole", RunTally())
    hung = open_detector(detector.weights, EngineOptions(device="cpu"))
    with let_engines_hang(OpenVinoEngine, engines=1, answers=3):
        work = to_work(hung, tmp_path, told.append)
        counts = work.run(media, tmp_path / "hung", RunTally())
        follows = work.run(media, tmp_path / "next", RunTally())
        work.run_one_by_one(media, tmp_path / "alone", (), lambda _: None)
    work.model.close()
    whole, *others = [read_records(tmp_path / name) for name in names]
    assert others == [whole] * 3
    assert (hung.stalled, work.model.detector is hung, follows.recovered) == (True, False, [])
    assert [(recovery.what, recovery.now) for recovery in told] == [("engine", "openvino on cpu, fp32")]
    counts.add(Counts.from_dict(counts.to_dict()))  # as of another replica
    [recovered] = counts.to_recovered()
    assert (recovered["was"], recovered["times"]) == ("openvino on cpu, fp32", 2)


def test_poisoned_input_is_a_failure(detector: Detector, media: list[Media], tmp_path: Path) -> None:
    work = to_work(detector, tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    counts = work.run_one_by_one(media[:4], out, {2}, lambda _: None)
    assert [record["source"] for record in read_records(out)] == ["p00.jpg", "p01.jpg", "p03.jpg"]
    assert counts.failures == {"worker-died": 1}
    assert "p02.jpg ended every process" in (out / "failures.jsonl").read_text()


def test_parts_and_marker(detector: Detector, media: list[Media], tmp_path: Path, store: Store) -> None:
    work = to_work(detector, tmp_path, save=("parquet", "csv"))
    out = tmp_path / "out"
    out.mkdir()
    counts = work.run(media, out, RunTally())
    parts = publish_shard(out, 7, store)
    assert list_done(store) == set()
    mark_done(DoneShard(7, counts, "here", 1, parts), store)
    names = {
        "csv/predictions-00007.csv",
        "failures/failures-00007.jsonl",
        "parquet/detections-00007.parquet",
        "parquet/images-00007.parquet",
        "predictions/predictions-00007.jsonl",
    }
    assert set(parts) == names
    assert set(store.iter_names()) == {*names, "done/00007.json"}
    assert list_done(store) == {7}
    assert read_marker(7, store).parts == parts
    assert sum_markers([7], store).to_dict() == Counts.from_dict(counts.to_dict()).to_dict()
    assert [failure.source for failure in read_failures(store, 9)] == ["p05x.jpg"]


def test_failures_of_an_earlier_attempt_go(tmp_path: Path, store: Store) -> None:
    store.put("failures/failures-00000.jsonl", b"{}\n")
    out = tmp_path / "out"
    out.mkdir()
    (out / "predictions.jsonl").write_text("")
    publish_shard(out, 0, store)
    assert list(store.iter_names()) == ["predictions/predictions-00000.jsonl"]


def test_damaged_marker(store: Store) -> None:
    store.put("done/00003.json", b"{}")
    with pytest.raises(UnreadableRecord, match=r"00003\.json cannot be read"):
        sum_markers([3], store)


def test_model_is_placed_once_and_mended(tiny_model: Path, store: Store, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    package = put_model(WeightsFile(tiny_model, "", "openvino", "local"), store)
    placed = place_model(package, store)
    assert {file.name for file in placed.path.iterdir()} == {file.name for file in tiny_model.iterdir()}
    for name in list(store.iter_names("model/")):
        store.delete(name)
    assert place_model(package, store).path == placed.path  # nothing is fetched again
    put_model(WeightsFile(tiny_model, "", "openvino", "local"), store)
    (placed.path / "metadata.yaml").write_text("something else")
    assert (place_model(package, store).path / "metadata.yaml").read_bytes() == (
        tiny_model / "metadata.yaml"
    ).read_bytes()


def test_model_that_the_store_no_longer_holds_is_refused(
    tiny_model: Path, store: Store, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    package = put_model(WeightsFile(tiny_model, "", "openvino", "local"), store)
    store.put(next(name for name in store.iter_names("model/") if name.endswith(".bin")), b"other bytes")
    with pytest.raises(ChecksumMismatch, match="is not the file that the run put there"):
        place_model(package, store)
