"""Open the models that are explained, all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from detectattn.attention.capture import require_torch
from detectattn.attention.find import find_attention
from detectattn.config import split_model_name
from detectattn.drawing.families import family_colors
from detectattn.drawing.palette import Rgb
from detectattn.engines import model_name, open_detector
from detectattn.engines.base import EngineOptions
from detectattn.engines.detector import Detector
from detectattn.errors import ConfigError, EngineError
from detectattn.explain.origin import find_torch_weights, read_metadata
from detectattn.results.attention import AttentionKind, AttentionSite
from detectattn.sources.naming import to_distinct_names
from detectattn.types import WeightsFile

OnNotice = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class OpenModel:
    """A model that is ready to be explained.

    Attributes:
        detector: Opened with PyTorch, in single precision, one picture at a time.
        sites: Its attention modules; empty for a model without any.
        color: In pictures.
        folder: Its name as a folder's: valid everywhere, and no other model's.
    """

    detector: Detector
    sites: tuple[AttentionSite, ...]
    color: Rgb
    folder: str

    @property
    def name(self) -> str:
        """In this run, unique."""
        return self.detector.info.name


@dataclass(frozen=True, slots=True)
class _Resolved:
    """A model that is located, and what an export that stands for it says of itself."""

    name: str
    weights: WeightsFile
    metadata: Mapping[str, Any]


@contextmanager
def open_models(
    texts: Sequence[str], locate: Callable[[str], WeightsFile], options: EngineOptions, on_notice: OnNotice
) -> Iterator[tuple[OpenModel, ...]]:
    """The models that ``-m`` names, freed when the block ends. All are located before the first is loaded.

    Args:
        texts: ``[NAME=]MODEL``.
        locate: Finds a model's weights.
        options: How models are run.
        on_notice: Told what is opened, and what instead of what was named.

    Raises:
        ConfigError: Two of them have one name.
        ModelError: A model is not to be found, or cannot be loaded.
        EngineError: An export whose weights are not at hand, or of other classes than theirs.
    """
    resolved = [_resolve(text, locate, on_notice) for text in texts]
    _require_distinct([model.name for model in resolved])
    with ExitStack() as stack:
        detectors = []
        for model in resolved:
            detectors.append(detector := _open(model, replace(options, batch=1)))
            stack.callback(detector.close)
            on_notice(describe_detector(detector))
        colors = family_colors([detector.info.family for detector in detectors])
        folders = to_distinct_names(model.name for model in resolved)
        yield tuple(
            OpenModel(detector, find_attention(require_torch(detector).model), color, folders[detector.info.name])
            for detector, color in zip(detectors, colors, strict=True)
        )


def describe_detector(detector: Detector) -> str:
    """A line that says what was opened."""
    info = detector.info
    size = f"{info.net_hw[0]}×{info.net_hw[1]}"
    return f"{info.name} ({info.family}): {info.engine} on {info.device}, {size}, {len(info.class_names):,} classes"


def describe_attention(sites: Sequence[AttentionSite]) -> str:
    """What attention a model has, in words; empty for none."""
    words: Mapping[AttentionKind, str] = {
        "global": "self-attention over a feature map",
        "area": "area attention over a feature map",
        "query": "self-attention among queries",
        "deformable": "deformable cross-attention",
    }
    counts = Counter(site.kind for site in sites)
    return ", ".join(f"{words[kind]} ({_count(counts[kind], 'layer')})" for kind in words if counts[kind])


def _resolve(text: str, locate: Callable[[str], WeightsFile], on_notice: OnNotice) -> _Resolved:
    name, model = split_model_name(text)
    named = locate(model)
    weights = find_torch_weights(named, on_notice)
    metadata = {} if weights is named else read_metadata(named)
    return _Resolved(name or model_name(named.path), weights, metadata)


def _require_distinct(names: Sequence[str]) -> None:
    counts = Counter(name.casefold() for name in names)
    twice = next((name for name in names if counts[name.casefold()] > 1), None)
    if twice is not None:
        raise ConfigError(
            f"two of the models are called {twice}", hint="Name them apart, as in -m old=a/best.pt -m new=b/best.pt"
        )


def _open(model: _Resolved, options: EngineOptions) -> Detector:
    if options.imgsz_hw is None:
        options = replace(options, imgsz_hw=_read_size(model.metadata))
    detector = open_detector(model.weights, options, name=model.name, engine="torch")
    known = model.metadata.get("names")
    own = detector.info.class_names
    if isinstance(known, Mapping) and {int(k): str(v) for k, v in known.items()} != dict(own):
        detector.close()
        raise EngineError(
            f"{model.weights.path} has other classes than the export that is called like it, so it is another model",
            hint="Give the .pt file that the export was made from",
        )
    return detector


def _read_size(metadata: Mapping[str, Any]) -> tuple[int, int] | None:
    """The size that an export was made for: its weights are to see the same."""
    size = metadata.get("imgsz")
    if isinstance(size, Sequence) and len(size) == 2 and all(isinstance(side, int) for side in size):
        return int(size[0]), int(size[1])
    return (size, size) if isinstance(size, int) else None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
