"""Fixtures that many test folders share."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from detectattn.shipped import shipped_dir
from tests.clip_maker import ClipMaker
from tests.scripted_server import ScriptedServer

# Threads that wait for each other by spinning keep a core from whoever has work, and several tests run at once. It is
# read when PyTorch is first imported, in child processes too.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep Ultralytics' settings out of the user's cache."""
    os.environ.setdefault("DETECTATTN_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Makes a folder once for all workers of a run: ``make_once("exports", make)`` calls ``make`` with it, empty.

    Who asks next is given it as it is, and who asks meanwhile waits, so nobody may write into it.
    """
    root = tmp_path_factory.getbasetemp()
    # Each worker has a folder of its own below that of the run.
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def call(name: str, make: Callable[[Path], None]) -> Path:
        folder, made = root / name, root / f"{name}.made"
        with FileLock(root / f"{name}.lock"):
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                made.touch()
        return folder

    return call


@pytest.fixture(scope="session")
def real_study(make_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Run folder of the embedded pair on six shipped samples, in real child processes, timed for a short while."""
    name = "a study, with spaces & an umlaut ü"

    def make(folder: Path) -> None:
        from detectattn.cli.app import run
        from detectattn.compare import speed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(speed, "_WARM_BLOCK", 1)
            patch.setattr(speed, "_WARM_SPREAD", math.inf)
            patch.setattr(speed, "_BATCHES", (1, 2))
            assert run(["compare", "--limit", "6", "--rounds", "2", "-o", str(folder / name), "--quiet"]) == 0

    return make_once("study", make) / name


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development data beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "SOURCES.md").is_file():
        pytest.skip("development data (../shared) is not present")
    return folder


@pytest.fixture(scope="session")
def ultralytics_assets() -> Path:
    """The folder with ``bus.jpg`` and ``zidane.jpg`` inside the installed ultralytics package; imports nothing."""
    spec = find_spec("ultralytics")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "assets"


@pytest.fixture(scope="session")
def street_images() -> Path:
    """The folder of the 24 shipped street scenes, with their ground truth beside it."""
    return shipped_dir("samples") / "street" / "images"


@pytest.fixture(scope="session")
def noon(street_images: Path) -> Path:
    """A shipped street scene, 960 × 540, with some two dozen cars at noon."""
    return street_images / "noon.jpg"


@pytest.fixture(scope="session")
def street_clip() -> Path:
    """The shipped clip: 200 frames, 20 a second."""
    return shipped_dir("samples") / "street.mp4"


@pytest.fixture(scope="session")
def save_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes an embedded model as Ultralytics saves its own: ``save_checkpoint("demo-rtdetr")`` gives the ``.pt`` file.

    The weights stay in the precision of the embedded file, so that both files hold the same numbers.
    """
    saved: dict[str, Path] = {}

    def save(name: str) -> Path:
        if name not in saved:
            saved[name] = _write_checkpoint(name, tmp_path_factory.mktemp("checkpoints") / f"{name}.pt")
        return saved[name]

    return save


def _write_checkpoint(name: str, path: Path) -> Path:
    import torch
    from safetensors import safe_open

    from detectattn.weights.embedded import embedded_path
    from detectattn.weights.embedded_model import build_model, load_embedded_state

    shipped = embedded_path(name)
    assert shipped is not None
    with safe_open(shipped, "pt") as stream:
        metadata = stream.metadata()
    model = build_model(yaml.safe_load(metadata["model_yaml"]), json.loads(metadata["class_names"]))
    model.load_state_dict(load_embedded_state(shipped))
    train_args = {"task": "detect", "imgsz": int(metadata["imgsz"])}
    torch.save({"model": model.eval().requires_grad_(False), "train_args": train_args}, path)
    return path


@pytest.fixture
def light_studies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies run their models in this process and time few pictures, for tests that are about something else.

    Seconds go by until a process has imported PyTorch, a model runs steadily, its best batch is found, and there are
    timings enough to be precise.
    """
    from detectattn.compare import measure, noise, speed
    from tests.compare.local_child import LocalChild

    monkeypatch.setattr(measure, "Child", LocalChild)
    monkeypatch.setattr(measure, "plan_rounds", partial(speed.plan_rounds, least_timed=4))
    monkeypatch.setattr(measure, "read_machine_state", partial(noise.read_machine_state, window_s=0.05))
    monkeypatch.setattr(speed, "_SITTINGS", 2)
    monkeypatch.setattr(speed, "_WARM_BLOCK", 1)
    monkeypatch.setattr(speed, "_WARM_SPREAD", math.inf)
    monkeypatch.setattr(speed, "_BATCHES", (1, 2))
    monkeypatch.setattr(speed, "_BATCH_REPEATS", 1)


@pytest.fixture
def http_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A web server that a test scripts, reached directly whatever proxy the machine uses."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    server = ScriptedServer()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.stopping.set()
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def refusing_url(http_server: ScriptedServer) -> Iterator[str]:
    """An address on 127.0.0.1 whose port nobody listens on, and nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def clips(tmp_path: Path) -> ClipMaker:
    """Makes video files in the test's own folder."""
    return ClipMaker(tmp_path)
