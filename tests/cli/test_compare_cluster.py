"""``compare --cluster`` as far as no cluster comes into it: options, places, what is missing."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from detectattn.cli.compare_place import begin_place, reopen_place
from detectattn.cli.compare_start import resume_study, start_study
from detectattn.cli.console import Notices
from detectattn.config import CompareConfig
from detectattn.distributed import lease, session
from detectattn.errors import ConfigError, DetectattnError, EngineError, OutputExists, RunInUse, SourceNotFound
from detectattn.records import manifest_to_json
from detectattn.storage import open_store
from detectattn.types import RunManifest
from tests.object_store import s3, s3_endpoint

__all__ = ["s3", "s3_endpoint"]

QUIET = Notices(quiet=True)


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here gets as far as Ray."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("Ray was to be started")

    monkeypatch.setattr(session, "_connect", refuse)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--cluster", "lokal"], 2, "--cluster is 'lokal'. Give local, auto, HOST:PORT or ray://HOST:PORT."),
        (["--cluster", "local", "--replicas", "0"], 2, "--replicas is '0'"),
        (["--cluster", "local", "--shard-size", "0"], 2, "--shard-size is 0"),
        (["--replicas", "2"], 2, "--replicas is for a run on a cluster"),
        (
            ["-o", "s3://bucket/out"],
            2,
            "s3://bucket/out is no local folder, and only runs on a cluster write elsewhere",
        ),
        (["--cluster", "127.0.0.1:1"], 1, "no Ray cluster answers at 127.0.0.1:1"),
    ],
)
def test_refused_before_anything_is_measured(
    detectattn: Any, two_pictures: Path, tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    outcome = detectattn("compare", two_pictures, "-m", "demo-yolo", "--rounds", "0", *words)
    assert outcome.code == code
    assert message in outcome.err.splitlines()[-1]
    assert not list(tmp_path.rglob("measured"))


def test_limit_needs_pictures_that_can_be_counted(detectattn: Any, tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"never opened")
    outcome = detectattn("compare", video, "-m", "demo-yolo", "--limit", "3", "--cluster", "local")
    assert outcome.code == 2
    assert "--limit counts pictures" in outcome.err


def test_place_in_object_storage_holds_what_the_folder_does(s3: Any) -> None:
    url = f"{s3.url}/study"
    with ExitStack() as stack:
        place = begin_place(url, stack, QUIET, offline=False)
        assert place.shown == url
        root = place.folder.root
        (root / "run.json").write_text("{}")
        (root / "measured").mkdir()
        (root / "measured/a.json").write_text("1")
        place.sync()
        assert open_store(url).get("measured/a.json") == b"1"
        (root / "measured/a.json").write_text("22")
        (root / ".draft").write_text("3")
        place.store.put("cluster/NAME/done/00000.json", b"{}")
    assert not root.exists()
    names = list(open_store(url).iter_names())
    assert names == ["cluster/NAME/done/00000.json", "measured/a.json", "run.json"]
    assert open_store(url).get("measured/a.json") == b"22"

    with pytest.raises(OutputExists), ExitStack() as stack:
        begin_place(url, stack, QUIET, offline=False)
    with ExitStack() as stack:
        again = reopen_place(url, stack, QUIET).folder.root
        files = sorted(path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file())
        assert files == ["measured/a.json", "run.json"]


def break_off(url: str, error: DetectattnError) -> None:
    """Begin a study, and let it end with an error."""
    with suppress(type(error)), ExitStack() as stack:
        place = begin_place(url, stack, QUIET, offline=False)
        (place.folder.root / "run.json").write_text("{}")
        place.sync()
        raise error


def test_place_of_an_impossible_study_is_taken_away(s3: Any) -> None:
    break_off(f"{s3.url}/study", ConfigError("it is impossible", hint="Change it"))
    assert list(open_store(f"{s3.url}/study").iter_names()) == []


def test_failed_study_leaves_what_it_has(s3: Any) -> None:
    break_off(f"{s3.url}/study", EngineError("it broke", hint="Try again"))
    assert list(open_store(f"{s3.url}/study").iter_names()) == ["run.json"]


def test_second_study_at_a_place_is_refused(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RENEW_S", 0.05), ("LOOK_S", 0.1), ("DEAD_S", 5.0)):
        monkeypatch.setattr(lease, name, value)
    with ExitStack() as stack:
        place = begin_place(f"{s3.url}/study", stack, QUIET, offline=False)
        (place.folder.root / "run.json").write_text("{}")
        place.sync()
        with pytest.raises(RunInUse), ExitStack() as other:
            reopen_place(f"{s3.url}/study", other, QUIET)


def test_nothing_to_go_on_with(s3: Any) -> None:
    with pytest.raises(SourceNotFound, match="is no run of compare"), ExitStack() as stack:
        reopen_place(f"{s3.url}/nowhere", stack, QUIET)


def write_interrupted(folder: Path, **options: Any) -> Path:
    """The folder of a study that got no further than its ``run.json``."""
    folder.mkdir()
    config = asdict(CompareConfig(model=("demo-yolo",), **options))
    described = {"study": "compare", "created": "", "sources": ["images"], "entrants": ["demo-yolo"], "options": config}
    run = RunManifest(["detectattn"], described, [], {}, {}, status="interrupted")
    (folder / "run.json").write_text(manifest_to_json(run))
    return folder


def test_study_goes_on_with_another_cluster(tmp_path: Path) -> None:
    folder = write_interrupted(tmp_path / "study", cluster="auto", shard_size=7)
    with ExitStack() as stack:
        start = resume_study(str(folder), {"cluster": "10.0.0.1:6379", "replicas": "3"}, QUIET, stack)
    assert (start.config.cluster, start.config.replicas, start.config.shard_size) == ("10.0.0.1:6379", "3", 7)
    with pytest.raises(ConfigError, match="shard_size was given too"), ExitStack() as stack:
        resume_study(str(folder), {"shard_size": 8}, QUIET, stack)


def test_trust_is_never_taken_from_a_file(tmp_path: Path) -> None:
    folder = write_interrupted(tmp_path / "study", trust_weights=True)
    with pytest.raises(ConfigError, match="never taken from a file"), ExitStack() as stack:
        resume_study(str(folder), {}, QUIET, stack)
    with ExitStack() as stack:
        assert resume_study(str(folder), {"trust_weights": True}, QUIET, stack).config.trust_weights


def test_finished_study_is_not_resumed(detectattn: Any, s3: Any) -> None:
    run = RunManifest(["detectattn"], {"study": "compare"}, [], {}, {}, status="finished")
    s3.put("study/run.json", manifest_to_json(run).encode())
    outcome = detectattn("compare", "--resume", f"{s3.url}/study")
    assert outcome.code == 2
    assert f"{s3.url}/study is complete" in outcome.err
    assert json.loads(open_store(f"{s3.url}/study").get("run.json"))["status"] == "finished"


def test_folders_of_records_need_no_pictures(tmp_path: Path) -> None:
    for name in ("whole", "parts/predictions"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "whole/predictions.jsonl").touch()
    (tmp_path / "parts/predictions/predictions-00000.jsonl").touch()
    config = CompareConfig(model=(f"a={tmp_path / 'whole'}", str(tmp_path / "parts")))
    assert start_study((), config, None, QUIET).sources == ()
    assert start_study((), replace(config, model=(*config.model, "demo-yolo")), None, QUIET).sources != ()
