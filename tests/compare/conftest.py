"""A study of models that answer at once, on five small pictures."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.compare import measure
from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.noise import MachineState
from detectattn.compare.study import StudyPlan, run_study
from detectattn.compare.study_folder import StudyFolder
from detectattn.compare.truth_of_study import read_truth
from detectattn.config import CompareConfig
from detectattn.engines.base import EngineOptions
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.types import RunManifest
from tests.compare.fake_models import FakeChild, fake_weights

IMAGES = 5


class Silent:
    """Notes warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def advance(self, stage: str, name: str, done: int, total: int | None) -> None: ...


@pytest.fixture(autouse=True)
def _calm_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second goes by, twice a study, until it is known how busy the machine is: test_speed.py is about that."""
    monkeypatch.setattr(measure, "read_machine_state", lambda: MachineState(0.0, None))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Five pictures of 40 × 60 with a car in the middle of each, and their ground truth."""
    folder = tmp_path / "data" / "images"
    folder.mkdir(parents=True)
    for i in range(IMAGES):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((40, 60, 3), i, np.uint8))
    truth = {
        "images": [{"id": i, "file_name": f"{i}.png", "width": 60, "height": 40} for i in range(IMAGES)],
        "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [15, 10, 30, 20]} for i in range(IMAGES)],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}],
    }
    (tmp_path / "data" / "annotations.json").write_text(json.dumps(truth))
    return folder


class Bench:
    """Runs studies of fake models."""

    def __init__(self, tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tmp = tmp_path
        self.images = images
        self.events = Silent()
        self.diary: list[tuple[str, str]] = []
        self.special: dict[str, dict[str, Any]] = {}
        monkeypatch.setattr(measure, "Child", self._open)
        self.folder = StudyFolder(tmp_path / "run")
        self.folder.root.mkdir()

    def _open(self, spec: Any) -> FakeChild:
        return FakeChild(spec, self.diary, **self.special.get(spec.name, {}))

    def plan(self, *names: str, config: CompareConfig | None = None, **changes: Any) -> StudyPlan:
        config = config or CompareConfig(model=names, rounds=2)
        sources = [str(self.images)]
        read = ReadOptions(temp_dir=self.tmp)
        entrants = [
            ModelEntrant(
                name, fake_weights(self.tmp, name.partition("@")[0]), EngineOptions(), "auto", name.partition("@")[0]
            )
            for name in names
        ]
        manifest = RunManifest(
            ["detectattn", "compare"],
            {
                "study": "compare",
                "created": "2026-01-01T00:00:00+00:00",
                "sources": sources,
                "entrants": [*names, *(f.name for f in changes.get("files", ()))],
                "options": asdict(config),
            },
            [],
            {"python": "3"},
            {"cpu": "any"},
        )
        self.folder.write_manifest(manifest)
        media = tuple(open_sources(sources, read).iter_media(ReadCounts()))
        plan = StudyPlan(media, read, None, entrants, (), read_truth(config, sources), config.rounds, True, self.tmp)
        return replace(plan, **changes)

    def run(self, plan: StudyPlan) -> None:
        run_study(plan, self.folder, self.events)


@pytest.fixture
def bench(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, images, monkeypatch)
