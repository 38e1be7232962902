"""Tables, sentences and plot of an inspection, from figures made up for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectattn.attention.roofline import put_under_roof
from detectattn.report.inspection.findings import iter_caveats, iter_findings
from detectattn.report.inspection.markdown import render_markdown
from detectattn.report.inspection.tables import attention_table, block_table, count_table, fused_table, ledger_table
from detectattn.report.inspection.terminal import render_terminal
from detectattn.report.inspection.words import describe_growth, percent, short_count
from detectattn.report.plots import render_png
from detectattn.report.plots.ledger import plot_ledger
from detectattn.report.plots.roofline import plot_roofline
from detectattn.results import PairedRatio
from detectattn.results.attention import AttentionSite
from detectattn.results.inspection import (
    AttentionBlock,
    BlockCost,
    FusedTrial,
    ModelInspection,
    SizeInspection,
    SkippedSize,
    Timing,
)
from detectattn.results.ledger import Cost, CountStep, Crossing, Growth, Reconciliation
from detectattn.results.roofline import Roof

ROOF = Roof("cpu", "fp32", 2, 400.0, 10.0, 40.0, 0.02, 0.03, 1024, 134.2, 33.6)


def make_ratio(ratio: float, low: float, high: float, *, decided: bool = True) -> PairedRatio:
    return PairedRatio("attention_ms", 10.0 * ratio, 10.0, ratio, low, high, decided, 8, "round")


def make_size(side: int, time_ms: float = 100.0, spread: float = 0.02) -> SizeInspection:
    """A tenth of the time is self-attention, a fifth cross-attention."""
    tokens = (side // 32) ** 2
    self_site = AttentionSite("model.1.ma", "MultiheadAttention", "global", 0, 8, 32, 32)
    cross_sites = [
        AttentionSite(f"model.2.decoder.layers.{i}.cross_attn", "MSDeformAttn", "deformable", i, 8, 0, 32, 1, 3, 4)
        for i in range(2)
    ]
    explicit = ("bmm", "_softmax")
    attention = (
        AttentionBlock(self_site, tokens, tokens, "explicit softmax", explicit, Cost(1.0, 5.0, time_ms / 10), 0.5, 2.0),
        *(
            AttentionBlock(site, 300, 8400, "sampling", ("grid_sampler_2d",), Cost(1.0, 5.0, time_ms / 10), 0.1, 0.0)
            for site in cross_sites
        ),
    )
    whole = Cost(20.0, 100.0, time_ms)
    blocks = (
        BlockCost("model", 0, ("",), 2_000_000, whole, 30.0, ((1, 3, side, side),), ((1, 300, 4), (1, 300, 80))),
        BlockCost("backbone", 1, (), 1_000_000, Cost(15.0, 50.0, 60.0), 30.0),
        BlockCost("0 Conv", 2, ("model.0",), 999_000, Cost(14.9, 49.0, 59.0), 30.0, (), ((1, 64, 80, 80),)),
        BlockCost("1 Tiny", 2, ("model.3",), 500, Cost(0.05, 0.5, 0.5), 1.0),
        BlockCost("2 Tiny", 2, ("model.4",), 500, Cost(0.05, 0.5, 0.5), 1.0),
        BlockCost("encoder", 1, (), 1_000_000, Cost(5.0, 50.0, 40.0), 10.0),
        BlockCost("1 AIFI", 2, ("model.1",), 1_000_000, Cost(0.1, 50.0, 0.4), 10.0),
        BlockCost("self-attention", 3, ("model.1.ma",), 9, Cost(0.1, 5.0, 0.4), 2.0, (), (), "global"),
    )
    trial = FusedTrial((20.0,) * 8, (10.0,) * 8, "_scaled_dot_product_flash", 1e-6, make_ratio(2.0, 1.8, 2.2))
    timing = Timing(5, time_ms, time_ms * 1.01, time_ms * 0.99, spread)
    return SizeInspection((side, side), whole, blocks, attention, 30.0, timing, trial)


@pytest.fixture
def model() -> ModelInspection:
    return ModelInspection(
        name="some|model",
        family="attention",
        sha256="ab",
        device="cpu",
        precision="fp32",
        params=2_000_000,
        own_hw=(640, 640),
        sizes=(make_size(320, 40.0), make_size(640), make_size(960, 300.0)),
        growth=(
            Growth("rest", "gflops", 2.0, 0.0, 2.0),
            Growth("attention", "gflops", 1.26, 0.05, 1.5),
            Growth("global", "gflops", 2.6, 0.1, 2.9),
        ),
        crossings=(Crossing("time_ms", "extrapolated", 3412.3, 3840.0), Crossing("gflops", "never", None, 3840.0)),
        reconciliation=Reconciliation(
            (640, 640), 105.65, {"convolutions": 91.8, "linear layers": 0.0}, 110.0, "README (T4)",
            (CountStep("branches", 3.93),), 109.58, 105.7,
        ),
    )  # fmt: skip


def read(lines: Any) -> str:
    return " ".join(" ".join(lines).split())


def test_findings_say_what_was_found(model: ModelInspection) -> None:
    text = read(iter_findings(model))
    assert "Attention takes 30% of the time (self 10%, cross 20%) and 15% of the operations at 640×640." in text
    assert "Global self-attention grows faster than the tokens, slower than their square" in text
    assert "in operations tokens^1.30" in text
    assert "Time: attention would cost more than the rest from about 3,410 px on, if both go on as fitted" in text
    assert "Operations: attention's share falls as images grow" in text
    assert "Kernels: sampling in 2 (grid_sampler_2d); explicit softmax in 1 (bmm, _softmax). None is fused." in text
    assert "computes the same 2.0× as fast (1.8–2.2) at 640×640: it would save 10.0 ms, 10% of a pass." in text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (make_ratio(0.5, 0.4, 0.6), "would be 2.0× slower (1.7–2.5) at 640×640."),
        (make_ratio(1.1, 0.9, 1.3, decided=False), "Whether fused attention would be faster at 640×640 is not decided"),
    ],
)
def test_a_fused_kernel_may_not_help(ratio: PairedRatio, text: str, model: ModelInspection) -> None:
    size = model.sizes[1]
    assert size.fused is not None
    own = replace(size, fused=replace(size.fused, ratio=ratio))
    assert text in read(iter_findings(replace(model, sizes=(own,))))


def test_a_busy_machine_and_lacking_memory_are_said(model: ModelInspection) -> None:
    assert list(iter_caveats(model)) == []
    shaken = replace(model, sizes=(make_size(320, spread=0.4),), skipped=(SkippedSize((640, 640), "memory ran out"),))
    text = read(iter_caveats(shaken))
    assert "out of memory at 640×640: memory ran out; 320×320 fits." in text
    assert "passes at 320×320 differ by 40% of their median" in text


def test_small_blocks_are_gathered_but_those_that_hold_attention(model: ModelInspection) -> None:
    shown = [row[0] for row in block_table(model.sizes[1], whole=False).rows]
    assert shown == ["model", "backbone", "  0 Conv", "  2 smaller", "encoder", "  1 AIFI"]
    assert len(block_table(model.sizes[1], whole=True).rows) == 8


def test_equal_attention_stands_in_one_row(model: ModelInspection) -> None:
    table = attention_table(model.sizes[1], whole=False)
    assert table is not None
    assert table.rows == (
        ("1 ma", "self, global", "8 × 32", "400 × 400", "1.00", "10.0"),
        ("2 cross_attn (2)", "cross, deformable", "8 × 32", "300 to 3·4 of 8,400", "2.00", "20.0"),
    )
    whole = attention_table(model.sizes[1], whole=True)
    assert whole is not None
    assert [row[0] for row in whole.rows] == ["1.ma", "2.decoder.layers.*.cross_attn (2)"]


def test_shares_and_savings_by_size(model: ModelInspection) -> None:
    assert ledger_table(model).rows[1] == ("640×640", "20.0", "100", "30.0", "15%", "30%", "15%", "10%", "20%")
    fused = fused_table(model)
    assert fused is not None
    assert fused.rows[1] == ("640×640", "20.0", "10.0", "2.00 (1.80–2.20)", "yes", "10.0", "10%")


def test_the_count_leads_to_the_published_figure(model: ModelInspection) -> None:
    assert model.reconciliation is not None
    assert count_table(model.reconciliation).rows == (
        ("convolutions", "91.80"),
        ("counted here", "105.65"),
        ("branches", "+3.93"),
        ("comes to", "109.58"),
        ("published (README)", "110"),
        ("left unexplained, rounding included", "+0.42"),
        ("Ultralytics' own counter on this model", "105.70"),
    )


def test_the_terminal_holds_it(model: ModelInspection) -> None:
    model = put_under_roof(model, ROOF)
    plots = [plot for plot in (plot_ledger([model]), plot_roofline([model])) if plot is not None]
    lines = render_terminal([model], "runs/seen", plots, ["my model.pt"])
    assert max(map(len, lines)) <= 80
    assert lines[-5:] == [
        "report    runs/seen/inspect.md",
        "figures   runs/seen/inspect.json",
        "plot      runs/seen/attention.png",
        "plot      runs/seen/roofline.png",
        "next      detectattn explain IMAGE -m 'my model.pt'",
    ]


def test_the_page_takes_names_for_text(model: ModelInspection) -> None:
    plot = plot_ledger([model])
    assert plot is not None
    text = render_markdown([model], [plot])
    assert "## some&#124;model" in text
    assert "| &emsp;&emsp;self-attention |" in text
    assert "| explicit softmax: bmm, \\_softmax |" in text


def test_the_plot_says_what_it_shows(model: ModelInspection) -> None:
    plot = plot_ledger([model, replace(model, name="plain", sizes=(replace(model.sizes[0], attention=()),))])
    assert plot is not None
    assert "% of time 30.0 at 320 px, 30.0 at 640 px and 30.0 at 960 px" in plot.alt
    assert "plain: no attention." in plot.caption
    assert len(plot.spec["layer"]) == 3
    assert render_png(plot, width_px=400, scale=1).startswith(b"\x89PNG")


def test_what_was_not_timed_has_no_panel_of_time(model: ModelInspection) -> None:
    counted = [
        replace(size, whole=replace(size.whole, time_ms=None), attention=tuple(
            replace(block, cost=replace(block.cost, time_ms=None)) for block in size.attention
        ))
        for size in model.sizes
    ]  # fmt: skip
    plot = plot_ledger([replace(model, sizes=tuple(counted))])
    assert plot is not None
    assert len(plot.spec["layer"]) == 2


def test_one_size_is_no_plot(model: ModelInspection) -> None:
    assert plot_ledger([replace(model, sizes=model.sizes[:1])]) is None


@pytest.mark.parametrize(
    ("per_token", "words"),
    [
        (0.0, "does not grow with the tokens"),
        (0.5, "grows slower than the tokens"),
        (1.0, "grows as the tokens"),
        (1.5, "grows faster than the tokens, slower than their square"),
        (2.0, "grows as the square of the tokens"),
        (2.5, "grows faster than the square of the tokens"),
    ],
)
def test_exponents_in_words(per_token: float, words: str) -> None:
    assert describe_growth(per_token) == words


def test_figures_as_people_read_them() -> None:
    assert [percent(part, 100) for part in (30.0, 9.96, 9.94, 0.95, 0.123, None)] == [
        "30%", "10%", "9.9%", "0.9%", "0.12%", "–"
    ]  # fmt: skip
    assert [short_count(n) for n in (0, 96, 1_000, 743_000, 32_148_140)] == ["0", "96", "1.00 k", "743 k", "32.1 M"]
