"""The table of targets as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peer.ratio import compute_ratio
from benchmarks.peer.rows import Row, Work

_PEERS = {
    "pt": "`yolo predict`, `.pt`",
    "openvino": "`yolo predict`, its OpenVINO export",
    "openvino-f32": "the same, held to float32",
    "benchmark_app": "`benchmark_app`, throughput",
}
_MODELS = {"rtdetr-l": "RT-DETR-L", "yolo11n": "YOLO11n"}


def describe_work(row: Row, work: Work) -> str:
    """What a row is about, in a few words."""
    model = f"{_MODELS[work.model]} {row.ours.upper()}"
    height, width = work.picture_hw
    if work.kind == "one":
        return f"one image, whole process, {model}"
    if work.kind == "model":
        return f"model time alone, {model}"
    return f"folder, {round(height * width / 1e6)}-megapixel JPEGs, {model}"


def describe_row(row: Row, work: Work, compared: Mapping[str, Any]) -> dict[str, Any]:
    """A row's figures, as the record keeps them: times in seconds, of the process or of an image.

    Args:
        row: The row.
        work: Its work.
        compared: ``seconds`` and ``failed``, by side. Where a side failed or the times say nothing, the row has
            ``failed`` in place of figures.
    """
    about = {"row": row.name, "work": describe_work(row, work), "peer": _PEERS[row.peer], "target": row.limit}
    if lost := [f"{side}: {compared['failed'][side]}" for side in (row.ours, row.peer) if side in compared["failed"]]:
        return {**about, "met": False, "failed": "; ".join(lost)}
    try:
        ratio = compute_ratio(compared["seconds"][row.ours], compared["seconds"][row.peer])
    except ValueError as error:
        return {**about, "met": False, "failed": str(error)}
    return {
        **about,
        "time_of": "process" if work.kind == "one" else "image",
        "ours_s": round(ratio.ours_s, 5),
        "peer_s": round(ratio.peer_s, 5),
        "ratio": round(ratio.value, 4),
        "lowest": round(ratio.low, 4),
        "highest": round(ratio.high, 4),
        "met": ratio.meets(row.limit),
    }


def render_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as :func:`describe_row` gives them, a line each."""
    lines = [
        "| work | peer | ours | peer's | ratio (lowest to highest) | target |  |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    return "\n".join(lines + [_render_row(row) for row in rows])


def render_notes(figures: Mapping[str, Any]) -> str:
    """What both sides wrote, a line a side: whether they did the same work is for a reader to judge."""
    lines = [
        f"{name}: {side} wrote {wrote['pictures']} pictures with {wrote['detections']} detections, JPEG quality "
        f"{wrote['jpeg']['quality']}, colour {wrote['jpeg']['colour']}"
        for name, compared in figures["works"].items()
        for side, wrote in compared.get("wrote", {}).items()
    ]
    lines += [f"{row['row']}: {row['failed']}" for row in figures["rows"] if "failed" in row]
    lines += [
        f"{name}: weights {model['weights']}, both sides at conf {model['conf']}"
        + "".join(f", {precision} kept though the parity gate refused it" for precision in model["kept_by_force"])
        for name, model in figures["models"].items()
    ]
    return "\n".join(lines)


def _render_row(row: Mapping[str, Any]) -> str:
    if "failed" in row:
        return f"| {row['work']} | {row['peer']} |  |  |  | ≤ {row['target']:.2f} | not measured |"
    cells = [
        row["work"],
        row["peer"],
        *(_render_time(row[key], row["time_of"]) for key in ("ours_s", "peer_s")),
        f"{row['ratio']:.3f} ({row['lowest']:.3f} to {row['highest']:.3f})",
        f"≤ {row['target']:.2f}",
        "met" if row["met"] else f"missed by {row['ratio'] / row['target'] - 1:.1%}",
    ]
    return f"| {' | '.join(cells)} |"


def _render_time(seconds: float, time_of: str) -> str:
    return f"{seconds:.2f} s" if time_of == "process" else f"{1e3 * seconds:.1f} ms an image"
