"""Who takes part in a study: models, variants of them, and predictions made elsewhere."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from detectattn.config import split_model_name
from detectattn.conversion.converted import Converted
from detectattn.engines import model_name
from detectattn.engines.base import EngineOptions
from detectattn.errors import ConfigError
from detectattn.records import find_record_files
from detectattn.types import WeightsFile
from detectattn.user_paths import expand_home

_PREDICTIONS = frozenset({".json", ".jsonl"})
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelEntrant:
    """A model, or a variant of one.

    Attributes:
        name: In this study, unique.
        weights: The model on disk.
        options: How to run it.
        engine: ``auto`` or an engine's name.
        base: Name of the model that this is a variant of; its own name otherwise.
        variant: What is changed in it, by axis.
        runs: What was made of it by conversion and runs in its place, or what is known of it where it is itself an
            export of our own; None otherwise.
        notes: What a reader should know of how it runs. Sentences without a final full stop.
    """

    name: str
    weights: WeightsFile
    options: EngineOptions
    engine: str
    base: str
    variant: Mapping[str, str | int] = field(default_factory=dict)
    runs: Converted | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileEntrant:
    """Predictions made elsewhere.

    Attributes:
        name: In this study, unique.
        path: COCO results (``.json``), records (``.jsonl``), or a run's folder, whose parts count as one.
        sha256: Of the file, or of the records of that folder one after another.
    """

    name: str
    path: Path
    sha256: str


Entrant = ModelEntrant | FileEntrant


def resolve_entrants(
    texts: Iterable[str], locate: Callable[[str], WeightsFile], options: EngineOptions, engine: str
) -> tuple[Entrant, ...]:
    """What ``-m`` names: models are located (and downloaded, where that is what naming them means).

    Args:
        texts: ``[NAME=]MODEL`` or ``[NAME=]FILE``.
        locate: Finds a model's weights.
        options: How models are run.
        engine: ``auto`` or an engine's name.

    Raises:
        ConfigError: Two of them have one name.
        ModelError: A model is not to be found.
    """
    entrants = tuple(_resolve(text, locate, options, engine) for text in texts)
    names = Counter(entrant.name.casefold() for entrant in entrants)
    twice = next((entrant.name for entrant in entrants if names[entrant.name.casefold()] > 1), None)
    if twice is not None:
        raise ConfigError(
            f"two of the models are called {twice}", hint="Name them apart, as in -m old=a/best.pt -m new=b/best.pt"
        )
    return entrants


def names_predictions(text: str) -> bool:
    """Whether what ``-m`` names are predictions made elsewhere, by its suffix or because it is a folder of records."""
    model = split_model_name(text)[1]
    if "://" in model:
        return False
    path = expand_home(model)
    return bool(find_record_files(path)) if path.is_dir() else path.suffix.lower() in _PREDICTIONS


def _resolve(text: str, locate: Callable[[str], WeightsFile], options: EngineOptions, engine: str) -> Entrant:
    name, model = split_model_name(text)
    if names_predictions(text):
        path = expand_home(model)
        if not path.exists():
            raise ConfigError(f"there are no predictions {path}", hint="Check the path given to -m")
        return FileEntrant(name or path.stem, path, _digest(find_record_files(path)))
    weights = locate(model)
    name = name or model_name(weights.path)
    return ModelEntrant(name, weights, options, engine, base=name)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
