"""What an inspection says of the roofline, from figures made up for it: 100 GFLOP/s and 10 GB/s."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from detectattn.attention.roofline import put_under_roof
from detectattn.report.inspection.findings import iter_caveats, iter_findings
from detectattn.report.inspection.markdown import render_markdown
from detectattn.report.inspection.roofline import roof_block_table, roof_table
from detectattn.report.inspection.words import short_label
from detectattn.report.plots import render_png
from detectattn.report.plots.roofline import plot_roofline
from detectattn.results.inspection import BlockCost, ModelInspection, SizeInspection
from detectattn.results.ledger import Cost
from detectattn.results.roofline import Roof

ROOF = Roof("cpu", "fp32", 2, 100.0, 10.0, 10.0, 0.02, 0.03, 1024, 134.2, 33.6)
BLOCKS = (
    BlockCost("model", 0, ("",), 10, Cost(4.0, 80.0, 80.0, 120.0), 1.0),
    BlockCost("backbone", 1, (), 4, Cost(3.9, 50.0, 60.0, 50.0), 1.0),
    BlockCost("0 Conv", 2, ("model.0",), 4, Cost(3.9, 50.0, 60.0, 50.0), 1.0),
    BlockCost("head: 1 Detect", 1, ("model.1",), 6, Cost(0.1, 30.0, 16.0, 70.0), 1.0),
)


def make_size(side: int, time_ms: float | None = 80.0) -> SizeInspection:
    """4 GFLOPs in 80 ms, 20 operations a byte; its head has 1 a byte."""
    blocks = (replace(BLOCKS[0], cost=replace(BLOCKS[0].cost, time_ms=time_ms)), *BLOCKS[1:])
    return SizeInspection((side, side), blocks[0].cost, blocks, (), 1.0)


@pytest.fixture
def model() -> ModelInspection:
    sizes = (make_size(320), make_size(640))
    return put_under_roof(ModelInspection("a", "cnn", "", "cpu", "fp32", 10, (320, 320), sizes), ROOF)


def read(lines: Iterable[str]) -> str:
    return " ".join(" ".join(lines).split())


def test_a_pass_is_held_against_the_lower_roof(model: ModelInspection) -> None:
    table = roof_table(model, whole=True)
    assert table.caption == "roofline: 100 GFLOP/s and 10.0 GB/s at best on cpu (2 threads, fp32)"
    assert table.rows[0] == ("320×320", "120", "80.0", "20.0", "50.0", "50%", "computing", "40.0", "50%")
    assert roof_table(model, whole=False).rows[0][:3] == ("320×320", "200", "20.0")


def test_a_part_may_be_bound_by_the_other(model: ModelInspection) -> None:
    table = roof_block_table(model, whole=False)
    assert table is not None
    assert table.rows == (
        ("backbone", "39.0", "65.0", "computing", "60.0", "39.0", "65%"),
        ("head", "1.00", "6.25", "memory", "16.0", "10.0", "62%"),
    )
    whole = roof_block_table(model, whole=True)
    assert whole is not None
    assert [row[0] for row in whole.rows] == ["model", "backbone", "  0 Conv", "head: 1 Detect"]


@pytest.mark.parametrize(
    ("label", "short"),
    [
        ("encoder: within a scale (AIFI)", "encoder (AIFI)"),
        ("decoder: 27 RTDETRDecoder", "decoder"),
        ("backbone", "backbone"),
    ],
)
def test_parts_have_short_names(label: str, short: str) -> None:
    assert short_label(label) == short


def test_the_finding_names_the_roof_and_what_is_left(model: ModelInspection) -> None:
    assert list(iter_caveats(model)) == ["two sizes give an exponent without an error; three or more give both."]
    assert (
        "At 320×320 it reaches 50% of what cpu allows: 50.0 of 100 GFLOP/s. It is bound by computing, with 20.0 "
        "operations for each byte moved, at least the 10.0 from which computing is the limit; a pass at the roof would "
        "take 40.0 ms."
    ) in read(iter_findings(model))
    scarce = put_under_roof(model, replace(ROOF, gbyte_s=4.0, ridge=25.0))
    text = read(iter_findings(scarce))
    assert "At 320×320 it reaches 62% of what cpu allows: 2.50 of 4.00 GB/s. It is bound by memory" in text
    assert "with 20.0 operations for each byte moved, below the 25.0" in text


def test_a_busy_machine_and_what_lies_above_the_roof_are_said(model: ModelInspection) -> None:
    busy = put_under_roof(model, replace(ROOF, gflop_s_spread=0.4))
    assert "what cpu can reach was measured on a busy machine: timings differ by 40% of their median" in read(
        iter_caveats(busy)
    )
    cached = put_under_roof(model, replace(ROOF, gbyte_s=2.0, ridge=50.0))
    assert "faster than the roof at 320×320: much of what it moves stays in a cache" in read(iter_caveats(cached))
    slow = put_under_roof(model, replace(ROOF, gflop_s=40.0, ridge=4.0))
    assert "faster than the roof at 640×640: cpu was slower while its peak was measured" in read(iter_caveats(slow))


def test_without_times_only_what_is_counted_stays() -> None:
    counted = ModelInspection("a", "cnn", "", "cpu", "fp32", 10, (320, 320), (make_size(320, None),))
    table = roof_table(counted, whole=True)
    assert table.caption == "memory read and written"
    assert table.header == ("size", "read MB", "written MB", "FLOPs/byte")
    assert table.rows == (("320×320", "120", "80.0", "20.0"),)
    assert roof_block_table(counted, whole=True) is None
    assert plot_roofline([counted]) is None


def test_the_plot_stands_in_the_page(model: ModelInspection) -> None:
    other = replace(model, name="b|c", family="attention")
    plot = plot_roofline([model, other])
    assert plot is not None
    assert "cpu allows 100 GFLOP/s from 10.0 operations a byte on, and 10.0 GB/s below that." in plot.alt
    assert "b|c: 320×320 50.0 GFLOP/s, 50% of it" in plot.alt
    assert render_png(plot, width_px=400, scale=1).startswith(b"\x89PNG")
    text = render_markdown([model, other], [plot])
    assert "](roofline.png)" in text
    assert "### Blocks under the roofline at 320×320" in text
    assert "| &emsp;0 Conv | 39.0 | 65.0 | computing |" in text


def test_the_whole_roof_lies_within_the_plot(model: ModelInspection) -> None:
    plot = plot_roofline([put_under_roof(model, replace(ROOF, gbyte_s=50.0, ridge=2.0))])
    assert plot is not None
    line = plot.spec["layer"][0]
    rows = plot.spec["datasets"][line["data"]["name"]]
    for channel in ("x", "y"):
        low, high = line["encoding"][channel]["scale"]["domain"]
        assert all(low <= row[channel] <= high for row in rows)


def test_parts_are_drawn_for_few_models_and_doubt_is_said(model: ModelInspection) -> None:
    def count_rows(models: list[ModelInspection]) -> int:
        plot = plot_roofline(models)
        assert plot is not None
        return sum("backbone" in str(rows) for rows in plot.spec["datasets"].values())

    assert count_rows([model]) == 1
    assert count_rows([model, replace(model, name="b"), replace(model, name="c")]) == 0
    busy = plot_roofline([put_under_roof(model, replace(ROOF, gbyte_s_spread=0.4))])
    assert busy is not None
    assert busy.caption.endswith("The machine was busy while it was measured: not to be trusted.")


def test_models_of_another_precision_are_not_under_this_roof(model: ModelInspection) -> None:
    half = put_under_roof(replace(model, name="half", precision="fp16"), replace(ROOF, precision="fp16", gflop_s=400.0))
    plot = plot_roofline([model, half])
    assert plot is not None
    assert "half" not in plot.alt
