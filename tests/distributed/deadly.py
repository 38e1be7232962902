"""Sinks that end their process, or keep it waiting, at a picture that a test names; imported by replicas too."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from detectattn.cli.cluster_model import OpenSinks
from detectattn.distributed import board
from detectattn.sinks.base import Sink
from detectattn.types import Frame, ModelInfo, Prediction

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class DeadlySinks(OpenSinks):
    """Opens the sinks of a shard, with a trap among them.

    Attributes:
        die_at: A picture at which the process kills itself, each time.
        die_once_at: A picture at which it does unless ``flag`` is there, which it leaves.
        wait_after: A folder, from whose first file on nothing goes on before ``flag`` is there; ``flag.waits`` says so.
        home: A machine, by Ray's name. On another one the first picture is the last, unless ``flag`` is there, which is
            left; and at home nothing goes on before that.
        flag: A file.
    """

    die_at: str = ""
    die_once_at: str = ""
    wait_after: Path | None = None
    home: str = ""
    flag: Path = Path("/nowhere")

    def __call__(self, folder: Path, model_info: ModelInfo) -> Sequence[Sink]:
        """The sinks of a shard's folder, that of the records last."""
        return [Trap(self), *OpenSinks.__call__(self, folder, model_info)]


class Trap:
    """Writes nothing."""

    parallel: ClassVar[bool] = False

    def __init__(self, wish: DeadlySinks) -> None:
        self._wish = wish

    def write(self, frame: Frame, prediction: Prediction) -> None:
        """Do what is wished, if this is the picture."""
        wish = self._wish
        if wish.home:
            self._stay_away()
        if wish.wait_after is not None and any(wish.wait_after.glob("*")):
            wish.flag.with_suffix(".waits").touch()
            wait_for(wish.flag)
        if frame.source == wish.die_once_at and not wish.flag.exists():
            wish.flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if frame.source == wish.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _stay_away(self) -> None:
        from ray import get_runtime_context

        if get_runtime_context().get_node_id() == self._wish.home:
            wait_for(self._wish.flag)
        elif not self._wish.flag.exists():
            self._wish.flag.touch()
            time.sleep(PATIENCE_S)

    def recall(self, frame: Frame, prediction: Prediction) -> None:
        """Nothing to note."""

    def close(self) -> None:
        """Nothing is left to do."""

    def abort(self) -> None:
        """Nothing is incomplete."""


class HastyBoard(board.Board):
    """Suspects after one death what the product does after two: every death costs the start of a process."""

    def __init__(self) -> None:
        # In the actor's own process; the numbers that count are a matter of test_board.py.
        board._DEATHS_BEFORE_CARE = board._DEATHS_OF_AN_INPUT = 1
        super().__init__()


def wait_for(flag: Path) -> None:
    """Wait until a file is there."""
    _wait(flag.exists, flag)


def wait_for_any(folder: Path) -> None:
    """Wait until a folder holds something."""
    _wait(lambda: folder.is_dir() and any(folder.iterdir()), folder)


def _wait(has_come: Callable[[], bool], what: Path) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not has_come():
        if time.monotonic() > end_s:
            raise TimeoutError(f"{what} did not come")
        time.sleep(0.05)
