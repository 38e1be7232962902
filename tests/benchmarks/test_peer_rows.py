from __future__ import annotations

from typing import Any

import pytest

from benchmarks.peer.rows import ROWS, WORKS, choose_rows, find_work, join_figures, list_sides
from benchmarks.peer.table import describe_row, describe_work, render_notes, render_table


def test_every_row_has_its_work_and_every_work_a_row() -> None:
    assert {row.work for row in ROWS} == {work.name for work in WORKS}
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert len({(describe_work(row, find_work(row.work)), row.peer) for row in ROWS}) == len(ROWS)


def test_folders_differ_in_length() -> None:
    assert all(0 < work.few < work.many for work in WORKS if work.kind == "folder")


def test_rows_are_chosen_in_the_order_of_the_table() -> None:
    assert choose_rows([]) == ROWS
    assert [row.name for row in choose_rows(["model-yolo11n", "one-yolo11n"])] == ["one-yolo11n", "model-yolo11n"]
    with pytest.raises(ValueError, match="no row is called nonsense"):
        choose_rows(["one-yolo11n", "nonsense"])


def test_a_side_that_several_rows_share_runs_once() -> None:
    work = find_work("folder-rtdetr-l")
    assert list_sides(ROWS, work) == ("pt", "fp32", "int8")
    assert list_sides(choose_rows(["folder-rtdetr-l-int8"]), work) == ("pt", "int8")


def test_the_table_shows_the_ratio_with_its_spread_and_whether_it_is_met() -> None:
    text = _render("one-rtdetr-l", {"fp32": [1.2, 1.0, 1.5], "pt": [4.8, 4.8, 4.8]})
    assert text == (
        "| one image, whole process, RT-DETR-L FP32 | `yolo predict`, `.pt` | 1.20 s | 4.80 s | 0.250 (0.208 to 0.312) "
        "| ≤ 0.30 | met |"
    )
    text = _render("folder-yolo11n", {"fp32": [0.09], "pt": [0.12]})
    assert text == (
        "| folder, 1-megapixel JPEGs, YOLO11n FP32 | `yolo predict`, `.pt` | 90.0 ms an image | 120.0 ms an image "
        "| 0.750 (0.750 to 0.750) | ≤ 0.60 | missed by 25.0% |"
    )


@pytest.mark.parametrize(
    ("compared", "reason"),
    [
        ({"seconds": {"pt": [1.0]}, "failed": {"int8": "no engine"}}, "int8: no engine"),
        ({"seconds": {"pt": [1.0], "int8": [-0.1]}, "failed": {}}, "too busy"),
    ],
)
def test_a_row_that_failed_costs_no_other(compared: dict[str, Any], reason: str) -> None:
    (row,) = choose_rows(["folder-rtdetr-l-int8"])
    described = describe_row(row, find_work(row.work), compared)
    assert "not measured" in render_table([described])
    assert reason in render_notes({"rows": [described], "works": {}, "models": {}})
    assert not described["met"]


def _render(name: str, seconds: dict[str, list[float]]) -> str:
    (row,) = choose_rows([name])
    described = describe_row(row, find_work(row.work), {"seconds": seconds, "failed": {}})
    return render_table([described]).splitlines()[-1]


def test_rows_that_are_not_measured_again_are_kept() -> None:
    earlier = _figures("folder-rtdetr-l", "fp32", 0.3), _figures("one-yolo11n", "fp32", 0.2)
    kept = join_figures(join_figures(None, earlier[0]), earlier[1])
    joined = join_figures(kept, _figures("folder-rtdetr-l-int8", "int8", 0.1))
    assert [row["row"] for row in joined["rows"]] == ["one-yolo11n", "folder-rtdetr-l", "folder-rtdetr-l-int8"]
    assert joined["works"]["folder-rtdetr-l"]["seconds"] == {"pt": [1.0], "fp32": [0.3], "int8": [0.1]}
    assert set(joined["models"]) == {"rtdetr-l", "yolo11n"}


def test_rows_of_another_peer_or_threshold_are_not() -> None:
    now = _figures("one-yolo11n", "fp32", 0.2)
    other_peer = {**_figures("folder-yolo11n", "fp32", 0.3), "peer_versions": {"torch": "1"}}
    other_conf = {**now, "models": {"yolo11n": {"conf": 0.5, "kept_by_force": []}}}
    assert join_figures(other_peer, now) == join_figures(other_conf, now) == now


def _figures(name: str, ours: str, seconds: float) -> dict[str, Any]:
    (row,) = choose_rows([name])
    work = find_work(row.work)
    compared = {"seconds": {"pt": [1.0], ours: [seconds]}, "failed": {}}
    return {
        "peer_versions": {"torch": "2"},
        "models": {work.model: {"conf": 0.1, "kept_by_force": []}},
        "rows": [describe_row(row, work, compared)],
        "works": {work.name: compared},
    }
