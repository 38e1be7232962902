"""Two drivers of one run in object storage: as far as no cluster comes into it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.cluster_summary import ClusterOutcome
from detectattn.cli.cluster_watch import Watch
from detectattn.cli.console import Notices
from detectattn.distributed import lease, session
from detectattn.distributed.board import Progress
from detectattn.distributed.lease import Lease, hold_lease
from detectattn.errors import NoCluster, RunInUse
from detectattn.pipeline.channel import StopSignal
from detectattn.storage import Store, open_store
from tests.object_store import s3, s3_endpoint

__all__ = ["s3", "s3_endpoint"]


@pytest.fixture
def out(s3: Any, two_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A place in object storage, where a run comes as far as to its cluster."""

    def find_none(*_: object, **__: object) -> None:
        raise NoCluster("there is none", hint="Look for one")

    monkeypatch.setattr(session, "_connect", find_none)
    monkeypatch.setattr(lease, "LOOK_S", 0.01)
    return open_store(f"{s3.url}/out")


def test_second_driver_of_one_place(
    detectattn: Any, two_pictures: Path, out: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    with hold_lease(out, print, print):
        outcome = detectattn("predict", two_pictures, "--cluster", "local", "-o", out.url, "--quiet")
        assert list(out.iter_names()) == [".detectattn/driver-00001.json"]
    assert outcome.code == 1
    waiting, refused = outcome.err.splitlines()
    assert waiting.startswith(f"warning: {out.url} is driven by ")
    assert waiting.endswith(", or was: waiting up to 30 s for a sign of life")
    assert refused.startswith(f"error: {out.url} is being written by ")


def test_dead_drivers_place_is_taken_over(
    detectattn: Any, two_pictures: Path, out: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "DEAD_S", 0.05)
    out.put(".detectattn/driver-00001.json", b"{}")
    outcome = detectattn("predict", two_pictures, "--cluster", "local", "-o", out.url)
    assert outcome.code == 1
    assert "is driven by another driver, or was" in outcome.err
    assert outcome.err.endswith("error: there is none. Look for one.\n")
    assert list(out.iter_names()) == []


def test_interrupted_driver_gives_its_place_back(
    detectattn: Any, two_pictures: Path, out: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[str]()

    def interrupt(*_: object, **__: object) -> None:
        seen.extend(out.iter_names())
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(session, "_connect", interrupt)
    before = signal.getsignal(signal.SIGTERM)
    assert detectattn("predict", two_pictures, "--cluster", "local", "-o", out.url).code == 130
    assert seen == [".detectattn/driver-00001.json", "run.json"]
    assert list(out.iter_names()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_place_that_another_took_over_is_left_alone(
    detectattn: Any, two_pictures: Path, out: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> None:
        monkeypatch.setattr(lease, "DEAD_S", 0.0)
        Lease(out).take(lambda text: None)
        raise NoCluster("there is none", hint="Look for one")

    monkeypatch.setattr(session, "_connect", lose)
    assert detectattn("predict", two_pictures, "--cluster", "local", "-o", out.url).code == 1
    assert list(out.iter_names()) == [".detectattn/driver-00002.json", "run.json"]


def test_run_ends_at_once_where_another_took_it_over() -> None:
    class Board:
        def look(self) -> Progress:
            return Progress(busy=3)

    stop, outcome = StopSignal(), ClusterOutcome()
    watch = Watch(outcome, Board(), stop, "100%", lambda progress: None, Notices())  # type: ignore[arg-type]
    assert not watch.is_over()
    stop.set(RunInUse("somebody has it", hint="Wait"))
    watch._looked_s = 0.0
    assert watch.is_over()


def test_run_that_another_driver_went_on_with_meanwhile(
    detectattn: Any, two_pictures: Path, out: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"model": "x", "conf": 0.2, "max_det": 9, "sources": [str(two_pictures)], "cluster": "local"}
    run = {"schema": 1, "command": [], "models": [], "versions": {}, "machine": {}, "config": config}
    out.put("run.json", json.dumps({**run, "status": "interrupted"}).encode())
    take = Lease.take

    def take_late(self: Lease, on_wait: Any) -> None:
        out.put("run.json", json.dumps({**run, "status": "finished"}).encode())
        take(self, on_wait)

    monkeypatch.setattr(Lease, "take", take_late)
    outcome = detectattn("predict", "--resume", out.url)
    assert outcome.code == 1
    assert "was written by another driver a moment ago. Give the same command again." in outcome.err
    assert list(out.iter_names()) == ["run.json"]
