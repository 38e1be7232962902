"""Sinks: what a run writes, by name. Each is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from detectattn.classes import nearest_names
from detectattn.errors import ConfigError
from detectattn.sinks.base import Sink
from detectattn.types import ModelInfo

Opener = Callable[[Path, ModelInfo, bool, int | None], Sink]


def _open_jsonl(folder: Path, model_info: ModelInfo, resume: bool, part: int | None) -> Sink:
    from detectattn.sinks.jsonl import JsonlSink

    return JsonlSink(folder, resume=resume, part=part)


def _open_csv(folder: Path, model_info: ModelInfo, resume: bool, part: int | None) -> Sink:
    from detectattn.sinks.csv import CsvSink

    return CsvSink(folder, resume=resume, part=part)


def _open_parquet(folder: Path, model_info: ModelInfo, resume: bool, part: int | None) -> Sink:
    from detectattn.sinks.parquet import ParquetSink

    return ParquetSink(folder, resume=resume, part=part)


def _open_coco(folder: Path, model_info: ModelInfo, resume: bool, part: int | None) -> Sink:
    from detectattn.sinks.coco import CocoSink

    return CocoSink(folder, model_info, resume=resume, part=part)


def _open_yolo(folder: Path, model_info: ModelInfo, resume: bool, part: int | None) -> Sink:
    from detectattn.sinks.yolo import YoloSink

    return YoloSink(folder, model_info, resume=resume)


def _open_voc(folder: Path, model_info: ModelInfo, resume: bool, part: int | None) -> Sink:
    from detectattn.sinks.voc import VocSink

    return VocSink(folder, resume=resume)


def _open_crops(folder: Path, model_info: ModelInfo, resume: bool, part: int | None) -> Sink:
    from detectattn.sinks.crops import CropsSink

    return CropsSink(folder / "crops", resume=resume)


SINKS: Mapping[str, Opener] = {
    "jsonl": _open_jsonl,
    "csv": _open_csv,
    "parquet": _open_parquet,
    "coco": _open_coco,
    "yolo": _open_yolo,
    "voc": _open_voc,
    "crops": _open_crops,
}

# Those whose files grow with the run, and come in parts where that is asked for; the others write a file a frame.
IN_PARTS = frozenset({"jsonl", "csv", "parquet", "coco"})

# Those that look at the picture itself; the others need what was found in it, and its size.
READ_PIXELS = frozenset({"crops"})


def require_known(names: Iterable[str]) -> None:
    """Refuse names that are no sink's, before any work is done for them.

    Raises:
        ConfigError: There is no sink of such a name.
    """
    for name in names:
        if name not in SINKS:
            near = nearest_names(name, SINKS)
            raise ConfigError(
                f"there is no output format {name!r}",
                hint=f"Did you mean {near[0]}?" if near else f"Take any of {', '.join(SINKS)}",
            )


def open_sink(
    name: str, run_folder: Path, model_info: ModelInfo, *, resume: bool = False, part: int | None = None
) -> Sink:
    """Open the sink called ``name`` on a run folder.

    Args:
        name: A key of :data:`SINKS`.
        run_folder: The run folder; the sink puts its files there, under names of its own.
        model_info: The model whose predictions it will take.
        resume: Whether the folder is that of an unfinished run, which goes on.
        part: The number of a part of those :data:`IN_PARTS`; None for no parts.

    Raises:
        ConfigError: There is no sink of that name.
        MissingExtra: It needs a package that is not installed.
        OutputError: Its files are there already, or cannot be made.
    """
    require_known([name])
    return SINKS[name](run_folder, model_info, resume, part)
