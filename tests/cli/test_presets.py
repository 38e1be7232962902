"""A preset that somebody sent decides nothing that could harm whoever uses it."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("command", ["predict", "compare", "explain"])
def test_weights_are_not_trusted_because_a_preset_says_so(
    detectattn: Any, two_pictures: Path, tmp_path: Path, command: str
) -> None:
    weights, made = tmp_path / "evil.pt", tmp_path / "made"
    weights.write_bytes(pickle.dumps({"model": Evil(made)}))
    preset = tmp_path / "preset.yaml"
    preset.write_text(f"model: {weights}\ntrust_weights: true\n")
    done = detectattn(command, two_pictures, "-c", preset, "-o", tmp_path / "out")
    assert done.code == 2
    [line] = done.err.splitlines()
    assert "sets trust_weights, which is never taken from a file" in line
    assert not made.exists()
    assert not (tmp_path / "out").exists()
