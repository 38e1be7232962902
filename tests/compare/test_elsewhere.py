"""A study whose detections are made elsewhere than in the processes that models are timed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from detectattn.compare.elsewhere import DetectAll, Seen
from detectattn.compare.finish import finish_study
from detectattn.compare.frames import PictureInfo
from detectattn.compare.measured import Measured
from detectattn.compare.messages import WorkerSpec
from detectattn.compare.study_folder import StudyFolder
from detectattn.errors import ClusterError, DetectattnError, EngineError
from detectattn.records import record_line
from detectattn.types import Detections, FrameFailure, Prediction, StageTiming
from tests.compare.conftest import IMAGES, Bench
from tests.compare.fake_models import NAMES

GONE = FrameFailure("gone.png", None, "not-found", "gone.png does not exist.")


@dataclass
class Elsewhere:
    """Finds a car in the middle of every picture; raises or leaves the last picture out where it is told to."""

    folder: StudyFolder
    asked: list[str] = field(default_factory=list)
    raises: dict[str, DetectattnError] = field(default_factory=dict)
    leaves_out: str = ""

    @contextmanager
    def __call__(self) -> Iterator[DetectAll]:
        yield self.detect

    def detect(self, spec: WorkerSpec, measured: Measured) -> Seen:
        self.asked.append(spec.name)
        if spec.name in self.raises:
            raise self.raises[spec.name]
        count = IMAGES - (spec.name == self.leaves_out)
        infos = tuple(PictureInfo(f"{i}.png", 0, (40, 60), 2.5) for i in range(count))
        lines = [record_line(to_record(info, spec.name)).encode() for info in infos]
        self.folder.write_record_lines(spec.name, lines)
        died = FrameFailure(f"{count}.png", None, "worker-died", f"{count}.png ended every process")
        return Seen(infos, (GONE, *((died,) if count < IMAGES else ())), "they were made on the moon")


def to_record(info: PictureInfo, name: str) -> Prediction:
    box = np.array([[15, 10, 45, 30]], np.float32)
    found = Detections(box, np.array([0.9], np.float32), np.array([0], np.int32))
    return Prediction(info.source, 0, info.size_hw, found, name, NAMES, StageTiming(2.5, 1, 10, 1))


@pytest.fixture
def elsewhere(bench: Bench) -> Elsewhere:
    return Elsewhere(bench.folder)


def test_models_are_timed_here_and_detect_there(bench: Bench, elsewhere: Elsewhere) -> None:
    bench.run(bench.plan("one", "two", elsewhere=elsewhere, thumbnails=True))
    assert elsewhere.asked == ["one", "two"]
    assert {what for _, what in bench.diary} == {"Load", "TimePictures", "TimeBatch", "AskMemory"}
    pictures, failures = bench.folder.read_pictures()
    assert [p.source for p in pictures] == [f"{i}.png" for i in range(IMAGES)]
    assert failures == (GONE,)
    measured = bench.folder.read_measured("two")
    assert measured is not None
    assert measured.status == "finished"
    assert measured.timed is not None
    assert measured.notes == ("they were made on the moon",)
    assert len(list((bench.folder.root / "pictures/plain").iterdir())) == IMAGES
    report = finish_study(bench.folder)
    assert [model.status for model in report.models] == ["finished", "finished"]
    assert any("they were made on the moon" in caveat.text for caveat in report.caveats)


def test_model_that_breaks_there_costs_no_other(bench: Bench, elsewhere: Elsewhere) -> None:
    elsewhere.raises["one"] = EngineError("one broke", hint="Try another")
    bench.run(bench.plan("one", "two", elsewhere=elsewhere))
    found = {name: bench.folder.read_measured(name) for name in ("one", "two")}
    assert [m and m.status for m in found.values()] == ["failed", "finished"]
    assert "one failed, the others go on" in bench.events.warnings[0]


def test_lost_cluster_is_nobodys_failure_and_the_study_goes_on(bench: Bench, elsewhere: Elsewhere) -> None:
    elsewhere.raises["two"] = ClusterError("it is gone", hint="Start it")
    plan = bench.plan("one", "two", elsewhere=elsewhere)
    with pytest.raises(ClusterError, match="it is gone"):
        bench.run(plan)
    found = {name: bench.folder.read_measured(name) for name in ("one", "two")}
    assert [m and m.status for m in found.values()] == ["finished", "timed"]

    elsewhere.raises.clear()
    elsewhere.asked.clear()
    bench.diary.clear()
    bench.run(plan)
    assert elsewhere.asked == ["two"]
    assert [what for _, what in bench.diary] == ["Load"], "its times are those of the first sitting"
    assert len(bench.folder.load().pictures) == IMAGES


def test_model_that_saw_other_pictures_is_refused(bench: Bench, elsewhere: Elsewhere) -> None:
    elsewhere.leaves_out = "two"
    bench.run(bench.plan("one", "two", "three", elsewhere=elsewhere))
    found = {name: bench.folder.read_measured(name) for name in ("one", "two", "three")}
    assert [m and m.status for m in found.values()] == ["finished", "failed", "finished"]
    expected = f"{IMAGES - 1} pictures, and the models before it on {IMAGES}: 4.png ended every"
    assert expected in str(found["two"] and found["two"].error)


def test_where_no_model_is_left_pictures_are_read_here(bench: Bench, elsewhere: Elsewhere, tmp_path: Path) -> None:
    elsewhere.raises["one"] = EngineError("one broke", hint="Try another")
    bench.run(bench.plan("one", elsewhere=elsewhere))
    assert len(bench.folder.read_pictures()[0]) == IMAGES
