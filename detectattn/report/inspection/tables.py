"""The tables of an inspection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from detectattn.report.cells import MISSING, count, figure, figure_interval, yes_no
from detectattn.report.inspection.words import (
    KIND_NAMES,
    exponent_text,
    find_growth,
    percent,
    shape_text,
    short_count,
    size_text,
    value_of,
)
from detectattn.report.tables.base import Code, Table, make_table
from detectattn.results.inspection import AttentionBlock, BlockCost, ModelInspection, SizeInspection, add_costs
from detectattn.results.ledger import Cost, Quantity, Reconciliation

# Blocks below this share of operations and of time are gathered in one row, unless they are attention.
_SMALL = 0.01
_INDENT = "  "
_GROWTH_PARTS = (
    ("rest", "all but attention"),
    ("attention", "attention"),
    ("global", "self, global"),
    ("products", "  its products"),
    ("area", "self, in areas"),
    ("query", "self, queries"),
    ("deformable", "cross, deformable"),
)


def block_table(size: SizeInspection, *, whole: bool) -> Table:
    """The tree of a model at one size.

    Args:
        size: The size.
        whole: Every block, with shapes of inputs; otherwise down to blocks, small ones gathered.
    """
    blocks = list(size.blocks if whole else _gather(size))
    header = ("block", "params", "GFLOPs", "ms", "peak MB", *(("input",) if whole else ()), "output")
    rows = [
        (
            f"{_INDENT * max(0, block.depth - 1)}{block.label}",
            short_count(block.params),
            figure(block.cost.gflops),
            figure(block.cost.time_ms),
            figure(block.peak_mb) if block.modules or block.inputs else MISSING,
            *((shape_text(block.inputs),) if whole else ()),
            shape_text(block.outputs),
        )
        for block in blocks
    ]
    return make_table("blocks", f"blocks at {size_text(size.net_hw)}", header, rows, numbers=(1, 2, 3, 4), sparse=True)


def _gather(size: SizeInspection) -> Iterator[BlockCost]:
    """Parts and their blocks; small ones of a part as one, below the others."""
    part: list[BlockCost] = []
    for block in size.blocks:
        if block.depth < 2:
            yield from _gather_small(part, size)
            part = []
            yield block
        elif block.depth == 2:
            part.append(block)
    yield from _gather_small(part, size)


def _gather_small(blocks: Sequence[BlockCost], size: SizeInspection) -> Iterator[BlockCost]:
    small = [block for block in blocks if _is_small(block, size)]
    if len(small) < 2:
        yield from blocks
        return
    yield from (block for block in blocks if block not in small)
    yield _merge(small)


def _is_small(block: BlockCost, size: SizeInspection) -> bool:
    slow = block.cost.time_ms is not None and block.cost.time_ms >= _SMALL * (size.whole.time_ms or 0.0)
    inside = tuple(f"{module}." for module in block.modules)
    attends = any(other.site.module.startswith(inside) for other in size.attention) if inside else False
    return block.cost.gflops < _SMALL * size.whole.gflops and not slow and not attends


def _merge(small: Sequence[BlockCost]) -> BlockCost:
    params, peak_mb = sum(block.params for block in small), max(block.peak_mb for block in small)
    return BlockCost(f"{len(small)} smaller", 2, (), params, add_costs(block.cost for block in small), peak_mb)


def attention_table(size: SizeInspection, *, whole: bool) -> Table | None:
    """Every attention block, equal ones in one row; None without attention.

    Args:
        size: The size.
        whole: With kernels and the matrix of weights.
    """
    if not size.attention:
        return None
    header = ("module", "kind", "heads", "tokens", "GFLOPs", "ms", *(("matrix MB", "kernel") if whole else ()))
    rows = []
    for blocks in group_alike(size.attention):
        first, times = blocks[0], [block.cost.time_ms for block in blocks]
        row = (
            _name_group(blocks) if whole else _name_shortly(blocks),
            KIND_NAMES[first.site.kind],
            _heads_text(first),
            _tokens_text(first),
            figure(sum(block.cost.gflops for block in blocks)),
            figure(None if None in times else sum(t for t in times if t is not None)),
        )
        shown = (
            figure(first.matrix_mb) if first.matrix_mb else MISSING,
            f"{first.kernel}: {', '.join(first.operations)}",
        )
        rows.append((*row, *(shown if whole else ())))
    return make_table(
        "attention", f"attention at {size_text(size.net_hw)}", header, rows, numbers=(4, 5, 6), sparse=True
    )


def group_alike(blocks: Sequence[AttentionBlock]) -> list[list[AttentionBlock]]:
    """Blocks that differ in nothing but their place, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[AttentionBlock]] = {}
    for block in blocks:
        site = block.site
        key = (
            site.kind, site.heads, site.head_size, site.value_size, site.areas, site.levels, site.points,
            block.queries, block.keys, block.kernel,
        )  # fmt: skip
        groups.setdefault(key, []).append(block)
    return list(groups.values())


def _name_group(blocks: Sequence[AttentionBlock]) -> str:
    """A module's path, or what the paths of several have in common: ``28.decoder.layers.*.self_attn (6)``."""
    paths = [block.site.module.removeprefix("model.").split(".") for block in blocks]
    if len(paths) == 1:
        return Code(".".join(paths[0]))
    head = _common_start(paths)
    tail = _common_start([path[len(head) :][::-1] for path in paths])[::-1]
    return Code(f"{'.'.join([*head, '*', *tail])} ({len(paths)})")


def _name_shortly(blocks: Sequence[AttentionBlock]) -> str:
    """Number of the layer and name of the module: ``28 self_attn (6)``."""
    paths = [block.site.module.removeprefix("model.").split(".") for block in blocks]
    layers = "+".join(dict.fromkeys(path[0] for path in paths))
    return f"{layers} {paths[0][-1]}" + (f" ({len(paths)})" if len(paths) > 1 else "")


def _common_start(paths: Sequence[Sequence[str]]) -> list[str]:
    return [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))]


def _heads_text(block: AttentionBlock) -> str:
    site = block.site
    size = f"{site.value_size}" if site.head_size in (0, site.value_size) else f"{site.head_size}/{site.value_size}"
    return f"{site.heads} × {size}"


def _tokens_text(block: AttentionBlock) -> str:
    site = block.site
    if site.is_cross:
        return f"{count(block.queries)} to {site.levels}·{site.points} of {count(block.keys)}"
    pairs = f"{count(block.queries)} × {count(block.keys)}"
    return pairs if site.areas == 1 else f"{site.areas} · {pairs}"


def ledger_table(model: ModelInspection) -> Table:
    """Costs and attention's share of them, by image size."""
    header = ("size", "GFLOPs", "ms", "peak MB", "of operations", "of time", "of bytes", "self", "cross")
    rows = []
    for size in model.sizes:
        costs = size.split_cost()
        by: Quantity = "gflops" if size.whole.time_ms is None else "time_ms"
        rows.append(
            (
                size_text(size.net_hw),
                figure(size.whole.gflops),
                figure(size.whole.time_ms),
                figure(size.peak_mb),
                *(_share(costs["attention"], size.whole, q) for q in ("gflops", "time_ms", "written_mb")),
                *(_share(costs[part], size.whole, by) for part in ("self", "cross")),
            )
        )
    of = "operations" if model.sizes[0].whole.time_ms is None else "time"
    caption = "costs by image size"
    if model.sizes[0].attention:
        caption += f"; attention's share of them (self, cross: of {of})"
    return make_table("ledger", caption, header, rows, numbers=range(1, len(header)), sparse=True)


def _share(part: Cost, whole: Cost, quantity: Quantity) -> str:
    own = value_of(part, quantity)
    return MISSING if own == 0 else percent(own, value_of(whole, quantity))


def growth_table(model: ModelInspection) -> Table | None:
    """Fitted exponents in the side of the image; None where nothing was fitted."""
    if not model.growth:
        return None
    rows = []
    for part, name in _GROWTH_PARTS:
        found = [find_growth(model, part, quantity) for quantity in ("gflops", "time_ms", "written_mb")]
        first = found[0]
        if first is not None:
            rows.append((name, *map(exponent_text, found), f"{first.per_token:.2f}".replace("-0.00", "0.00")))
    header = ("part", "operations", "time", "bytes", "operations by tokens")
    return make_table(
        "growth", "growth: cost ∝ image side to the power of", header, rows, numbers=(1, 2, 3, 4), sparse=True
    )


def fused_table(model: ModelInspection) -> Table | None:
    """Explicit against fused attention at each size; None where that was not tried."""
    rows = []
    for size in model.sizes:
        ratio = None if size.fused is None else size.fused.ratio
        if ratio is not None:
            saved = ratio.value_a - ratio.value_b
            rows.append(
                (
                    size_text(size.net_hw),
                    figure(ratio.value_a),
                    figure(ratio.value_b),
                    figure_interval(ratio.ratio, ratio.low, ratio.high),
                    yes_no(ratio.decided),
                    figure(saved),
                    percent(saved, size.whole.time_ms) if saved > 0 else MISSING,
                )
            )
    if not rows:
        return None
    header = ("size", "today ms", "fused ms", "times faster (95%)", "decided", "saves ms", "of a pass")
    caption = "self-attention without its projections, as it runs today and fused"
    return make_table("fused", caption, header, rows, numbers=(1, 2, 3, 5, 6))


def count_table(found: Reconciliation) -> Table:
    """Where operations are, and what leads to the published figure."""
    rows = [(name, _fine(value)) for name, value in found.by_operation.items() if value > 0]
    rows.append(("counted here", _fine(found.own_gflops)))
    rows += [(step.text, _fine(step.gflops, signed=True)) for step in found.steps]
    if found.published_gflops is not None and found.explained_gflops is not None:
        if found.steps:
            rows.append(("comes to", _fine(found.explained_gflops)))
        source = (found.source or "").partition(" (")[0]
        rows.append((f"published ({source})", f"{found.published_gflops:g}"))
        unexplained = found.published_gflops - found.explained_gflops
        rows.append(("left unexplained, rounding included", _fine(unexplained, signed=True)))
    if found.library_gflops is not None:
        rows.append(("Ultralytics' own counter on this model", _fine(found.library_gflops)))
    return make_table("count", f"operations at {size_text(found.net_hw)}", ("what", "GFLOPs"), rows, numbers=(1,))


def _fine(gflops: float, *, signed: bool = False) -> str:
    """More digits than elsewhere, for sums that are to be followed."""
    digits = 2 if abs(gflops) >= 0.1 else 4
    return f"{gflops:{'+' if signed else ''},.{digits}f}".replace("-", "−")
