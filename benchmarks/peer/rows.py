"""What is compared, and how fast it is to be: the rows of the table and the work behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["one", "folder", "model"]
RTDETR, YOLO = "rtdetr-l", "yolo11n"


@dataclass(frozen=True, slots=True)
class Work:
    """What several sides do in turn.

    Attributes:
        name: Its name.
        kind: ``one`` picture in a whole process, a ``folder``, or the ``model`` alone.
        model: ``rtdetr-l`` or ``yolo11n``.
        picture_hw: Height and width of the JPEGs.
        few: Pictures of the small folder.
        many: Pictures of the large folder; what it takes beyond the small one is what an image takes.
    """

    name: str
    kind: Kind
    model: str
    picture_hw: tuple[int, int] = (864, 1152)
    few: int = 1
    many: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Attributes:
        name: What ``--rows`` takes.
        work: Name of a :class:`Work`.
        ours: The side that is ours, by precision.
        peer: The other side: ``yolo predict`` with ``pt``, with its own ``openvino`` export, with that held to float32
            (``openvino-f32``: by itself it computes in bfloat16 on processors that can), or ``benchmark_app``.
        limit: Our time over the peer's, at most.
    """

    name: str
    work: str
    ours: Literal["fp32", "bf16", "int8"]
    peer: str
    limit: float


WORKS: tuple[Work, ...] = (
    Work("one-rtdetr-l", "one", RTDETR),
    Work("one-yolo11n", "one", YOLO),
    Work("folder-rtdetr-l", "folder", RTDETR, few=4, many=24),
    Work("folder-yolo11n", "folder", YOLO, few=20, many=140),
    Work("folder-12mp-yolo11n", "folder", YOLO, picture_hw=(3000, 4000), few=4, many=44),
    Work("model-rtdetr-l", "model", RTDETR),
    Work("model-yolo11n", "model", YOLO),
)

ROWS: tuple[Row, ...] = (
    Row("one-rtdetr-l", "one-rtdetr-l", "fp32", "pt", 0.30),
    Row("one-yolo11n", "one-yolo11n", "fp32", "pt", 0.30),
    Row("folder-rtdetr-l", "folder-rtdetr-l", "fp32", "pt", 0.43),
    Row("folder-rtdetr-l-int8", "folder-rtdetr-l", "int8", "pt", 0.17),
    Row("folder-yolo11n", "folder-yolo11n", "fp32", "pt", 0.60),
    Row("folder-yolo11n-openvino", "folder-yolo11n", "fp32", "openvino", 0.75),
    Row("folder-yolo11n-openvino-bf16", "folder-yolo11n", "bf16", "openvino", 0.75),
    Row("folder-yolo11n-openvino-f32", "folder-yolo11n", "fp32", "openvino-f32", 0.75),
    Row("folder-12mp-yolo11n-openvino", "folder-12mp-yolo11n", "fp32", "openvino", 0.60),
    Row("folder-12mp-yolo11n-openvino-bf16", "folder-12mp-yolo11n", "bf16", "openvino", 0.60),
    Row("folder-12mp-yolo11n-openvino-f32", "folder-12mp-yolo11n", "fp32", "openvino-f32", 0.60),
    Row("model-rtdetr-l", "model-rtdetr-l", "fp32", "benchmark_app", 1.10),
    Row("model-yolo11n", "model-yolo11n", "fp32", "benchmark_app", 1.10),
)


def choose_rows(names: Sequence[str]) -> tuple[Row, ...]:
    """The rows of those names in the table's order; all where none is named.

    Raises:
        ValueError: There is no row of some name.
    """
    if unknown := sorted(set(names) - {row.name for row in ROWS}):
        raise ValueError(f"no row is called {', '.join(unknown)}; there are {', '.join(row.name for row in ROWS)}")
    return tuple(row for row in ROWS if not names or row.name in names)


def find_work(name: str) -> Work:
    """The work of that name."""
    return next(work for work in WORKS if work.name == name)


def list_sides(rows: Sequence[Row], work: Work) -> tuple[str, ...]:
    """Who takes part in a work for the sake of these rows: the peers, then ours."""
    own = [row for row in rows if row.work == work.name]
    return tuple(dict.fromkeys([row.peer for row in own] + [row.ours for row in own]))


def join_figures(earlier: Mapping[str, Any] | None, figures: Mapping[str, Any]) -> Mapping[str, Any]:
    """These figures, and of an earlier run the rows that were not measured again.

    Args:
        earlier: What an earlier run kept, or None; not used when its peer or the way its models were prepared differ.
        figures: ``peer_versions``, ``models`` by name, ``rows`` in the table's order, and ``works`` by name.
    """
    if earlier is None or earlier["peer_versions"] != figures["peer_versions"]:
        return figures
    if any(earlier["models"].get(name, model)["conf"] != model["conf"] for name, model in figures["models"].items()):
        return figures
    rows = {row["row"]: row for row in [*earlier["rows"], *figures["rows"]]}
    works = dict(earlier["works"])
    for name, compared in figures["works"].items():
        old = works.get(name, {})
        works[name] = {**old, **compared, "seconds": {**old.get("seconds", {}), **compared["seconds"]}}
    models = dict(earlier["models"])
    for name, model in figures["models"].items():
        forced = {*models.get(name, model)["kept_by_force"], *model["kept_by_force"]}
        models[name] = {**model, "kept_by_force": sorted(forced)}
    in_order = [rows[row.name] for row in ROWS if row.name in rows]
    return {**figures, "models": models, "rows": in_order, "works": works}
