"""Fixtures that many test folders share."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml
from filelock import FileLock
from numpy.typing import NDArray

from detectattn.shipped import shipped_dir

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
    """Run folder of the embedded pair on six shipped samples, in real child processes."""
    name = "a study, with spaces & an umlaut ü"

    def make(folder: Path) -> None:
        from detectattn.cli.app import run

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
    monkeypatch.setattr(measure, "plan_rounds", partial(speed.plan_rounds, least_timed=10))
    monkeypatch.setattr(measure, "read_machine_state", partial(noise.read_machine_state, window_s=0.05))
    monkeypatch.setattr(speed, "_WARM_BLOCK", 1)
    monkeypatch.setattr(speed, "_BATCHES", (1, 2))


class ScriptedServer:
    """A web server on 127.0.0.1 that answers as a test tells it to, and remembers what it was asked.

    Attributes:
        url: Its address, without a final slash.
        requests: The path and the headers of every request so far.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.routes: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
                self.close_connection = True
                try:
                    outer.routes.get(self.path, lambda handler: handler.send_error(404))(self)
                except OSError:
                    return  # The client went away, which is what some tests are about.

            def log_message(self, *_: object) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def serve(self, path: str, body: bytes = b"", *, status: int = 200, **headers: str) -> str:
        """Answer ``path`` with ``body``; ``content_type="image/jpeg"`` is a header. Returns the URL."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for key, value in {"content_length": str(len(body)), **headers}.items():
                handler.send_header(key.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.routes[path] = answer
        return f"{self.url}{path}"

    def redirect(self, path: str, target: str) -> str:
        """Redirect ``path`` to ``target``. Returns the URL."""
        return self.serve(path, status=302, location=target)


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


class ClipMaker:
    """Makes video files whose frames tell their own number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(
        self,
        name: str,
        *,
        times_s: Sequence[float] | None = None,
        frames: int = 30,
        size_wh: tuple[int, int] = (320, 240),
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        matrix: Sequence[int] | None = None,
        pixel_aspect: Fraction | None = None,
        audio: str | None = None,
        audio_start_s: float = 0.0,
        colorspace: int | None = None,
        color_range: int = 1,
        options: Mapping[str, str] | None = None,
        container_options: Mapping[str, str] | None = None,
        paint: Callable[[int], NDArray[np.uint8]] | None = None,
    ) -> Path:
        """Write ``name`` (25 frames a second unless ``times_s`` says otherwise; a 440 Hz tone as ``audio``)."""
        import av
        from av.video.reformatter import Interpolation, VideoReformatter

        path = self.folder / name
        tables = {1: 1, 6: 5, 9: 9}
        times_s = [i / 25 for i in range(frames)] if times_s is None else times_s
        with av.open(path, "w", container_options=dict(container_options or {})) as container:
            # By itself libx264 takes as many threads as there are cores, and its bytes depend on that.
            video = container.add_stream(codec, rate=25, options={"threads": "2", **(options or {})})
            video.width, video.height, video.pix_fmt = *size_wh, pix_fmt
            video.codec_context.time_base = Fraction(1, 1000) if codec == "libx264" else Fraction(1, 25)
            video.codec_context.color_range = color_range
            if colorspace is not None:
                video.codec_context.colorspace = colorspace
            if pixel_aspect is not None:
                video.codec_context.sample_aspect_ratio = pixel_aspect
            if matrix is not None:
                video.set_display_matrix(matrix)
            sound = container.add_stream(audio, rate=48_000, layout="mono") if audio else None
            reformatter, sampled = VideoReformatter(), 0
            for i, time_s in enumerate(times_s):
                bgr = self.paint_number(i, size_wh) if paint is None else paint(i)
                picture = reformatter.reformat(
                    av.VideoFrame.from_ndarray(bgr, "bgr24"),
                    format=pix_fmt,
                    dst_colorspace=tables[colorspace or 6],
                    src_color_range=2,
                    dst_color_range=color_range,
                    interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND,
                )
                picture.pts, picture.time_base = round(time_s * 1000), Fraction(1, 1000)
                container.mux(video.encode(picture))
                while sound is not None and sampled / 48_000 < time_s + 0.04 - audio_start_s:
                    tone = np.sin(2 * np.pi * 440 * (sampled + np.arange(960)) / 48_000).astype(np.float32)
                    wave = av.AudioFrame.from_ndarray(tone[None] * 0.5, format="fltp", layout="mono")
                    wave.sample_rate, wave.time_base = 48_000, Fraction(1, 48_000)
                    wave.pts = sampled + round(audio_start_s * 48_000)
                    container.mux(sound.encode(wave))
                    sampled += 960
            container.mux(video.encode(None))
            if sound is not None:
                container.mux(sound.encode(None))
        return path

    @staticmethod
    def paint_number(number: int, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
        """A picture with ``number`` as eight black or white bars over grey, most significant bit at the left."""
        width, height = size_wh
        bgr = np.full((height, width, 3), 128, np.uint8)
        for bit in range(8):
            left, right = bit * width // 8, (bit + 1) * width // 8
            bgr[: height // 2, left:right] = 255 * (number >> (7 - bit) & 1)
        return bgr

    @staticmethod
    def read_number(bgr: NDArray[np.uint8]) -> int:
        """The number that :meth:`paint_number` wrote."""
        height, width = bgr.shape[:2]
        bits = [bgr[height // 4, (2 * bit + 1) * width // 16].mean() > 128 for bit in range(8)]
        return sum(bool(lit) << (7 - bit) for bit, lit in enumerate(bits))


@pytest.fixture
def clips(tmp_path: Path) -> ClipMaker:
    """Makes video files in the test's own folder."""
    return ClipMaker(tmp_path)
