"""How near a model comes to what the device allows, as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator

from detectattn.figures import format_figure
from detectattn.report.cells import MISSING, figure
from detectattn.report.inspection.words import find_shown_size, percent, short_label, size_text
from detectattn.report.tables.base import Table, make_table
from detectattn.results.inspection import BlockCost, ModelInspection, SizeInspection
from detectattn.results.ledger import Cost
from detectattn.results.roofline import Roof, RoofShare

_INDENT = "  "
_BOUND_BY = {"compute": "computing", "bandwidth": "memory"}
# Beyond so little above the roof is noise of either figure.
_ABOVE = 1.05


def roof_table(model: ModelInspection, *, whole: bool) -> Table:
    """What a pass moves and reaches, and what the roofs allow, by image size; counted figures alone without roofs.

    Args:
        model: The model.
        whole: What is read and what is written each for itself; otherwise both together.
    """
    moved = ("read MB", "written MB") if whole else ("moved MB",)
    header = ("size", *moved, "FLOPs/byte", "GFLOP/s", "of peak", "bound by", "roof ms", "reached")
    rows = []
    for size in model.sizes:
        cost = size.whole
        parts = (cost.read_mb, cost.written_mb) if whole else (cost.moved_mb,)
        rows.append((size_text(size.net_hw), *map(figure, parts), *_cells(cost, size.at_roof, model.roof)))
    caption = "memory read and written" if model.roof is None else f"roofline: {_tell_roof(model.roof)}"
    text = header.index("bound by")
    numbers = [column for column in range(1, len(header)) if column != text]
    return make_table("roofline", caption, header, rows, numbers=numbers, sparse=True)


def roof_block_table(model: ModelInspection, *, whole: bool) -> Table | None:
    """The same by block at the size that is shown; None without roofs.

    Args:
        model: The model.
        whole: Every block; otherwise its parts.
    """
    size = find_shown_size(model)
    if model.roof is None or size.at_roof is None:
        return None
    shown = [block for block in size.blocks if whole or block.depth == 1]
    header = ("block" if whole else "part", "FLOPs/byte", "GFLOP/s", "bound by", "ms", "roof ms", "reached")
    rows = []
    for block in shown:
        intensity, rate, _, bound, roof_ms, reached = _cells(block.cost, block.at_roof, model.roof)
        rows.append((_name(block, whole=whole), intensity, rate, bound, figure(block.cost.time_ms), roof_ms, reached))
    caption = f"{'blocks' if whole else 'parts'} under the roofline at {size_text(size.net_hw)}"
    return make_table("roofline-blocks", caption, header, rows, numbers=(1, 2, 4, 5, 6))


def _name(block: BlockCost, *, whole: bool) -> str:
    return f"{_INDENT * max(0, block.depth - 1)}{block.label}" if whole else short_label(block.label)


def _cells(cost: Cost, at_roof: RoofShare | None, roof: Roof | None) -> tuple[str, ...]:
    """Operations a byte, rate, its share of the peak, the lower roof, the time it allows, and its share."""
    intensity = 1e3 * cost.gflops / cost.moved_mb if cost.moved_mb else None
    if at_roof is None or roof is None:
        return (figure(intensity), *(MISSING,) * 5)
    return (
        figure(intensity),
        figure(at_roof.gflop_s),
        percent(at_roof.gflop_s, roof.gflop_s),
        _BOUND_BY[at_roof.bound],
        figure(at_roof.roof_ms),
        percent(at_roof.share, 1),
    )


def _tell_roof(roof: Roof) -> str:
    """``198 GFLOP/s and 21.4 GB/s measured on cpu (2 threads, fp32)``."""
    threads = "" if roof.threads is None else f"{roof.threads} thread{'s' if roof.threads != 1 else ''}, "
    rates = f"{format_figure(roof.gflop_s)} GFLOP/s and {format_figure(roof.gbyte_s)} GB/s"
    return f"{rates} at best on {roof.device} ({threads}{roof.precision})"


def tell_roof_share(model: ModelInspection) -> Iterator[str]:
    """How near a pass at the shown size comes to the roofs; nothing where that is not known."""
    size = find_shown_size(model)
    roof, at_roof = model.roof, size.at_roof
    if roof is None or at_roof is None:
        return
    if at_roof.bound == "compute":
        rate = f"{format_figure(at_roof.gflop_s)} of {format_figure(roof.gflop_s)} GFLOP/s"
        side = "at least"
    else:
        rate = f"{format_figure(at_roof.share * roof.gbyte_s)} of {format_figure(roof.gbyte_s)} GB/s"
        side = "below"
    yield (
        f"At {size_text(size.net_hw)} it reaches {percent(at_roof.share, 1)} of what {roof.device} allows: {rate}. It "
        f"is bound by {_BOUND_BY[at_roof.bound]}, with {format_figure(at_roof.intensity)} operations for each byte "
        f"moved, {side} the {format_figure(roof.ridge)} from which computing is the limit; a pass at the roof would "
        f"take {format_figure(at_roof.roof_ms)} ms."
    )


def iter_roof_caveats(model: ModelInspection) -> Iterator[str]:
    """What to know about these figures."""
    roof = model.roof
    if roof is None:
        return
    if not roof.trusted:
        yield (
            f"what {roof.device} can reach was measured on a busy machine: timings differ by "
            f"{percent(roof.gflop_s_spread, 1)} of their median in computing and by {percent(roof.gbyte_s_spread, 1)} "
            "in moving memory. Shares of it are not to be trusted."
        )
    above = [size for size in model.sizes if size.at_roof is not None and size.at_roof.share > _ABOVE]
    for size in above:
        yield f"faster than the roof at {size_text(size.net_hw)}: {_explain(size, roof)}."


def _explain(size: SizeInspection, roof: Roof) -> str:
    if size.at_roof is not None and size.at_roof.bound == "bandwidth":
        return "much of what it moves stays in a cache, which is faster than memory"
    return f"{roof.device} was slower while its peak was measured than while the model ran"
