"""The window: what it shows, when it waits, how it ends the run, and where there is none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest

from detectattn.errors import NoScreen
from detectattn.sinks import show
from detectattn.sinks.show import ShowSink, explain_no_screen, fit_window
from detectattn.types import U8, Detections, Frame, Media, MediaKind, Prediction


class FakeGui:
    """OpenCV's windows, remembered instead of shown; ``keys`` are pressed one a wait, then none."""

    WINDOW_NORMAL, WINDOW_GUI_NORMAL, WINDOW_KEEPRATIO, WND_PROP_VISIBLE = 0, 16, 0, 4
    error: type[Exception] = RuntimeError

    def __init__(self, *keys: int, closes_after: int = 1000) -> None:
        self.keys: Iterator[int] = iter(keys)
        self.calls: list[str] = []
        self.shown: list[U8] = []
        self.waits_ms: list[int] = []
        self.closes_after = closes_after

    def namedWindow(self, name: str, flags: int) -> None:  # noqa: N802 - OpenCV's name
        self.calls.append("open")

    def resizeWindow(self, name: str, width: int, height: int) -> None:  # noqa: N802 - OpenCV's name
        self.calls.append(f"size {width}×{height}")

    def setWindowTitle(self, name: str, title: str) -> None:  # noqa: N802 - OpenCV's name
        self.calls.append(f"title {title}")

    def imshow(self, name: str, picture: U8) -> None:
        self.shown.append(picture)

    def waitKey(self, delay_ms: int) -> int:  # noqa: N802 - OpenCV's name
        self.waits_ms.append(delay_ms)
        return next(self.keys, -1)

    def getWindowProperty(self, name: str, prop: int) -> float:  # noqa: N802 - OpenCV's name
        return float(len(self.waits_ms) < self.closes_after)

    def destroyWindow(self, name: str) -> None:  # noqa: N802 - OpenCV's name
        self.calls.append("destroy")


def play(gui: FakeGui, kind: MediaKind, frames: int, end: str = "close") -> int:
    """Show some frames; how often the user asked to stop."""
    quits: list[bool] = []
    sink = ShowSink(lambda frame, prediction: frame.bgr + 1, lambda: quits.append(True), gui)
    for i in range(frames):
        media = Media(f"clip-{kind}", kind, Path("x"), PurePosixPath("x"))
        frame = Frame(media, i, np.full((40, 60, 3), i, np.uint8))
        sink.write(frame, Prediction(frame.source, i, frame.size_hw, Detections.empty(), "m", {}))
    getattr(sink, end)()
    return len(quits)


def test_a_video_plays_as_drawn_without_waiting() -> None:
    gui = FakeGui()
    assert play(gui, "video", 4) == 0
    assert [int(picture[0, 0, 0]) for picture in gui.shown] == [1, 2, 3, 4]
    assert gui.waits_ms == [1, 1, 1, 1]
    assert gui.calls == ["open", "size 60×40", "title clip-video", "destroy"]


def test_pictures_stay_for_half_a_second_and_the_last_until_a_key() -> None:
    gui = FakeGui(*[-1] * 35, ord("x"))
    assert play(gui, "image", 2) == 0
    assert len(gui.shown) == 2
    assert len(gui.waits_ms) == 36
    assert sum(gui.waits_ms[:20]) == 1000


def test_a_key_goes_on_to_the_next_picture() -> None:
    gui = FakeGui(32, 32, 32)
    assert play(gui, "image", 2) == 0
    assert len(gui.waits_ms) == 3


@pytest.mark.parametrize("kind", ["image", "video", "stream"])
@pytest.mark.parametrize("key", [ord("q"), ord("Q"), 27, 0x100000 | ord("q")])
def test_q_and_escape_stop_the_run_once(kind: MediaKind, key: int) -> None:
    gui = FakeGui(-1, key, key, key)
    assert play(gui, kind, 10) == 1
    assert len(gui.shown) == (1 if kind == "image" else 2)
    assert gui.calls[-1] == "destroy"


def test_closing_the_window_stops_the_run() -> None:
    gui = FakeGui(closes_after=3)
    assert play(gui, "video", 10) == 1
    assert len(gui.shown) == 3
    assert "destroy" not in gui.calls


def test_after_an_error_nothing_is_waited_for() -> None:
    gui = FakeGui(32)
    play(gui, "image", 1, end="abort")
    assert gui.waits_ms == [50]


def test_nothing_shown_opens_no_window() -> None:
    gui = FakeGui()
    play(gui, "image", 0)
    assert gui.calls == []


def test_a_window_system_that_refuses_is_an_error_for_people() -> None:
    gui = FakeGui()

    def refuse(name: str, flags: int) -> None:
        raise RuntimeError("no GTK")

    gui.namedWindow = refuse  # type: ignore[method-assign]  # a fake that fails
    with pytest.raises(NoScreen, match="no GTK"):
        play(gui, "video", 1)


@pytest.mark.parametrize(
    ("size_wh", "expected"), [((640, 480), (640, 480)), ((4000, 3000), (1200, 900)), ((9000, 10), (1600, 2))]
)
def test_a_large_picture_fits_the_screen(size_wh: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fit_window(*size_wh) == expected


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "neither DISPLAY nor"),
        ({"DISPLAY": ":9987"}, "':9987' does not answer"),
        ({"DISPLAY": "127.0.0.1:59000"}, "does not answer"),
        ({"DISPLAY": "nonsense"}, "does not answer"),
    ],
)
def test_a_screen_is_asked_before_qt_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], words: str
) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           QT5")
    reason = explain_no_screen(environ, "linux")
    assert reason is not None
    assert words in reason
    assert explain_no_screen(environ, "darwin") is None


def test_a_display_that_answers_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           QT5")
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1] - 6000
        assert explain_no_screen({"DISPLAY": f"127.0.0.1:{number}.0"}, "linux") is None


def test_an_opencv_without_windows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           NONE")
    reason = explain_no_screen({"DISPLAY": ":0"}, "linux")
    assert reason is not None
    assert "headless" in reason


def test_without_a_screen_the_sink_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "explain_no_screen", lambda: "neither DISPLAY nor a usable WAYLAND_DISPLAY is set")
    with pytest.raises(NoScreen, match="--show needs a screen") as caught:
        ShowSink(lambda frame, prediction: frame.bgr, lambda: None)
    assert "Leave out --show" in caught.value.hint


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="needs xvfb-run")
def test_a_real_window_opens_and_closes() -> None:
    code = """
import numpy as np
from pathlib import Path, PurePosixPath
from detectattn.sinks.show import ShowSink
from detectattn.types import *
sink = ShowSink(lambda frame, prediction: frame.bgr, lambda: print("quit"))
for i in range(3):
    frame = Frame(Media("clip", "video", Path("x"), PurePosixPath("x")), i, np.zeros((40, 60, 3), np.uint8))
    sink.write(frame, Prediction("clip", i, (40, 60), Detections.empty(), "m", {}))
sink.close()
print("shown")
"""
    done = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), timeout=60
    )
    assert done.stdout == "shown\n", done.stderr
