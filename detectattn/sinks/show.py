"""A window that shows each annotated picture as it is made."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

import cv2

from detectattn.errors import NoScreen
from detectattn.types import U8, Frame, Prediction

_QUIT_KEYS = frozenset({ord("q"), ord("Q"), 27})
_WINDOW = "detectattn"
_LARGEST_WH = (1600, 900)
_IMAGE_MS = 500
_POLL_MS = 50
_X_DISPLAY = re.compile(r"(?P<host>[^:]*):(?P<number>\d+)(\.\d+)?$")


class Gui(Protocol):
    """What of OpenCV's window functions is used; ``cv2`` itself fits."""

    WINDOW_NORMAL: int
    WINDOW_GUI_NORMAL: int
    WINDOW_KEEPRATIO: int
    WND_PROP_VISIBLE: int
    error: type[Exception]

    def namedWindow(self, name: str, flags: int) -> None: ...  # noqa: D102, N802 - OpenCV's name
    def resizeWindow(self, name: str, width: int, height: int) -> None: ...  # noqa: D102, N802 - OpenCV's name
    def setWindowTitle(self, name: str, title: str) -> None: ...  # noqa: D102, N802 - OpenCV's name
    def imshow(self, name: str, picture: Any) -> None: ...  # noqa: D102 - OpenCV's function
    def waitKey(self, delay_ms: int) -> int: ...  # noqa: D102, N802 - OpenCV's name
    def getWindowProperty(self, name: str, prop: int) -> float: ...  # noqa: D102, N802 - OpenCV's name
    def destroyWindow(self, name: str) -> None: ...  # noqa: D102, N802 - OpenCV's name


class ShowSink:
    """Shows frames in one window; ``q``, Esc or closing the window asks the run to stop.

    Videos and streams play as fast as frames are made. A picture stays for half a second or until a key is pressed; the
    last one stays until then, or until the window is closed.

    ``write`` must be called from the thread that may open windows: on macOS that is the main thread.

    Args:
        draw: Makes the annotated picture, u8[H, W, 3] BGR, from a frame and what was found in it.
        on_quit: Called once when the user wants no more; frames that still come are not shown.
        gui: Where to show; OpenCV unless a test says otherwise.

    Raises:
        NoScreen: There is no screen, or this OpenCV cannot open windows.
    """

    parallel: ClassVar[bool] = False

    def __init__(
        self, draw: Callable[[Frame, Prediction], U8], on_quit: Callable[[], None], gui: Gui | None = None
    ) -> None:
        if gui is None and (reason := explain_no_screen()):
            raise NoScreen(
                f"--show needs a screen: {reason}", hint="Leave out --show and open the pictures in the run folder"
            )
        # OpenCV's Qt complains about a folder of fonts that its wheel does not have; nothing of ours is drawn by it.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")
        self._gui: Any = cv2 if gui is None else gui
        self._draw = draw
        self._on_quit = on_quit
        self._shape: tuple[int, ...] | None = None
        self._source: str | None = None
        self._awaits_key = False
        self._done = False

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Show one frame.

        Raises:
            NoScreen: The window system refuses.
        """
        if self._done:
            return
        bgr = self._draw(frame, prediction)
        try:
            self._show(bgr, frame.source)
            self._awaits_key = frame.media.kind not in ("video", "stream")
            key = self._wait_for_key(_IMAGE_MS) if self._awaits_key else self._gui.waitKey(1)
            if (key >= 0 and key & 0xFF in _QUIT_KEYS) or self._is_closed():
                self._quit()
        except self._gui.error as error:
            raise NoScreen(f"the window cannot be shown: {error}", hint="Leave out --show") from None

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note: what was shown is not shown again."""

    def close(self) -> None:
        """Leave the last picture up until a key is pressed or the window is closed, then close the window."""
        if self._awaits_key and not self._done:
            self._wait_for_key(None)
        self.abort()

    def abort(self) -> None:
        """Close the window at once."""
        if self._shape is not None and not self._is_closed():
            self._gui.destroyWindow(_WINDOW)
        self._shape, self._done = None, True

    def _show(self, bgr: U8, source: str) -> None:
        if self._shape is None:
            gui = self._gui
            gui.namedWindow(_WINDOW, gui.WINDOW_NORMAL | gui.WINDOW_GUI_NORMAL | gui.WINDOW_KEEPRATIO)
        if bgr.shape != self._shape:
            self._shape = bgr.shape
            self._gui.resizeWindow(_WINDOW, *fit_window(bgr.shape[1], bgr.shape[0]))
        if source != self._source:
            self._source = source
            self._gui.setWindowTitle(_WINDOW, source)
        self._gui.imshow(_WINDOW, bgr)

    def _wait_for_key(self, at_most_ms: int | None) -> int:
        waited_ms = 0
        while (at_most_ms is None or waited_ms < at_most_ms) and not self._is_closed():
            key: int = self._gui.waitKey(_POLL_MS)
            if key >= 0:
                return key
            waited_ms += _POLL_MS
        return -1

    def _is_closed(self) -> bool:
        try:
            visible: float = self._gui.getWindowProperty(_WINDOW, self._gui.WND_PROP_VISIBLE)
        except self._gui.error:
            # Some backends forget a window that was closed.
            return True
        return visible < 1

    def _quit(self) -> None:
        self._done = True
        self._on_quit()


def fit_window(width: int, height: int) -> tuple[int, int]:
    """Width and height of the window for a picture: its own, or scaled down to fit a screen."""
    scale = min(1.0, _LARGEST_WH[0] / width, _LARGEST_WH[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def explain_no_screen(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str | None:
    """Why no window can be opened here, or None when one can.

    OpenCV's Qt ends the whole process where the screen does not answer, so it is asked here first.
    """
    if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        return "this OpenCV is built without windows (opencv-python-headless)"
    if platform in ("win32", "darwin"):
        return None
    display = environ.get("DISPLAY", "")
    if display and _answers(display):
        return None
    if environ.get("WAYLAND_DISPLAY") and _speaks_wayland():
        return None
    if display:
        return f"the display {display!r} does not answer"
    return "neither DISPLAY nor a usable WAYLAND_DISPLAY is set"


def _answers(display: str) -> bool:
    """Whether an X server listens at ``display`` (``:0``, ``host:10.0``)."""
    parts = _X_DISPLAY.search(display)
    if parts is None:
        return False
    number = int(parts["number"])
    if parts["host"] not in ("", "unix"):
        return _connects(socket.AF_INET, (parts["host"], 6000 + number))
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - the place that the X protocol prescribes
    return _connects(socket.AF_UNIX, path) or _connects(socket.AF_UNIX, f"\0{path}")


def _connects(family: int, address: Any) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(address)
        except OSError:
            return False
        return True


def _speaks_wayland() -> bool:
    # The wheels' Qt comes with X11 only; other builds use the system's toolkit, which speaks both.
    plugins = Path(cv2.__file__).parent / "qt" / "plugins" / "platforms"
    return not plugins.is_dir() or any(plugins.glob("*wayland*"))
