"""Which of the names that a store or a web server lists are inputs, and where their outputs go, one name after another.

The rules are those of a local folder, kept without holding what was listed: names come ordered by their characters, so
that what lies in one folder comes in one run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import PurePosixPath

from detectattn.sources.naming import to_output_name
from detectattn.sources.suffixes import MEDIA_SUFFIXES

# What data sets and runs keep beside pictures. A look at each would cost a request, so these names are believed.
_OTHER_SUFFIXES = frozenset(
    {".txt", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".csv", ".tsv", ".md", ".html", ".htm", ".parquet", ".arrow"}
    | {".npy", ".npz", ".pt", ".pth", ".onnx", ".bin", ".engine", ".safetensors", ".pkl", ".h5", ".mat", ".cache"}
    | {".zip", ".tar", ".gz", ".tgz", ".7z", ".log", ".py", ".ipynb", ".pdf", ".srt", ".vtt", ".wav", ".mp3", ".flac"}
)
# Where runs of ours keep what could be taken for inputs.
_RUN_PICTURES = frozenset({"images", "videos", "crops"})


class OutputTree:
    """Gives each name of an ordered listing the path of its outputs, distinct also where case is ignored.

    Only names that another could be equal to but for case are remembered, those with capitals or beyond ASCII, and only
    of the folders that the last name lies in. Of those that are equal the first keeps its name, the others get a mark.
    """

    def __init__(self) -> None:
        self._folders: list[tuple[str, str]] = []
        self._taken: list[set[int]] = [set()]

    def place(self, parts: tuple[str, ...]) -> PurePosixPath:
        """Where the outputs of a name go, relative to those of the folder that is listed.

        Args:
            parts: The name's folders and its last component.
        """
        depth = 0
        while depth < min(len(self._folders), len(parts) - 1) and self._folders[depth][0] == parts[depth]:
            depth += 1
        del self._folders[depth:]
        del self._taken[depth + 1 :]
        for part in parts[depth:-1]:
            self._folders.append((part, self._claim(part)))
            self._taken.append(set())
        return PurePosixPath(*(output for _, output in self._folders), self._claim(parts[-1]))

    def _claim(self, name: str) -> str:
        output = to_output_name(name)
        folded = output.casefold()
        key = hash(folded)
        if key in self._taken[-1]:
            return _mark(output, name)
        if folded != name or not name.isascii():
            self._taken[-1].add(key)
        return output


class RunFolders:
    """Tells what lies in run folders of ours below the folder that is listed: outputs, not inputs.

    Args:
        is_run: Asks whether a folder, by its name below the one that is listed, is a run folder.
    """

    def __init__(self, is_run: Callable[[str], bool]) -> None:
        self._is_run = is_run
        self._known: dict[str, bool] = {}

    def hold(self, parts: tuple[str, ...]) -> bool:
        """Whether a name lies in a run folder. Asked once for each folder that holds ``images/`` or the like."""
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder not in self._known and depth < len(parts) - 1 and parts[depth] in _RUN_PICTURES:
                # Those before have been listed to their end.
                self._known = {name: found for name, found in self._known.items() if folder.startswith(name)}
                self._known[folder] = self._is_run(folder)
            if self._known.get(folder):
                return True
        return False


def is_hidden(parts: tuple[str, ...]) -> bool:
    """Whether a name, or a folder that it lies in, begins with a dot."""
    return any(part.startswith(".") for part in parts)


def judge_suffix(name: str) -> bool | None:
    """Whether a name promises a picture or a video; None where its content must tell."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in MEDIA_SUFFIXES:
        return True
    return False if suffix in _OTHER_SUFFIXES else None


def _mark(output: str, name: str) -> str:
    path = PurePosixPath(output)
    return f"{path.stem}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}{path.suffix}"
