"""What an inspection says, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from detectattn.figures import format_factors, format_figure
from detectattn.report.inspection.roofline import iter_roof_caveats, tell_roof_share
from detectattn.report.inspection.words import (
    QUANTITY_NAMES,
    describe_growth,
    find_growth,
    find_shown_size,
    percent,
    short_count,
    size_text,
    value_of,
)
from detectattn.results.inspection import ModelInspection, SizeInspection
from detectattn.results.ledger import Crossing, Quantity

_FAMILIES = {"attention": "an attention model", "hybrid": "a hybrid", "cnn": "a convolutional network"}


def tell_headline(model: ModelInspection) -> str:
    """What the model is."""
    size = find_shown_size(model)
    time = "" if size.whole.time_ms is None else f", {format_figure(size.whole.time_ms)} ms a pass"
    return (
        f"{model.name}, {_FAMILIES[model.family]}: {short_count(model.params)} parameters; at "
        f"{size_text(size.net_hw)} {format_figure(size.whole.gflops)} GFLOPs{time}, activations of "
        f"{format_figure(size.peak_mb)} MB at most ({model.device}, {model.precision})."
    )


def iter_findings(model: ModelInspection) -> Iterator[str]:
    """Whole sentences about a model's attention, and how near it comes to what the device allows."""
    size = find_shown_size(model)
    if size.attention:
        yield from _tell_attention(model, size)
    else:
        yield f"{model.name} has no attention: no place of a feature map is compared with another."
    yield from tell_roof_share(model)


def _tell_attention(model: ModelInspection, size: SizeInspection) -> Iterator[str]:
    yield _tell_share(model, size)
    yield from _tell_growth(model)
    for crossing in model.crossings:
        if crossing.quantity != "written_mb":
            yield _tell_crossing(crossing)
    yield _tell_kernels(size)
    yield from _tell_fused(size)


def iter_caveats(model: ModelInspection) -> Iterator[str]:
    """What to know about the figures."""
    for skipped in model.skipped:
        fits = size_text(model.sizes[-1].net_hw)
        yield f"out of memory at {size_text(skipped.net_hw)}: {skipped.reason}; {fits} fits."
    for size in model.sizes:
        if size.timing is not None and not size.timing.trusted:
            yield (
                f"passes at {size_text(size.net_hw)} differ by {percent(size.timing.spread, 1)} of their median: the "
                "machine was busy, and these times are not to be trusted."
            )
    yield from iter_roof_caveats(model)
    if 1 < len(model.sizes) < 3:
        yield "two sizes give an exponent without an error; three or more give both."


def _tell_share(model: ModelInspection, size: SizeInspection) -> str:
    costs = size.split_cost()
    quantity: Quantity = "gflops" if size.whole.time_ms is None else "time_ms"
    shares = {part: percent(value_of(costs[part], quantity), value_of(size.whole, quantity)) for part in costs}
    split = f" (self {shares['self']}, cross {shares['cross']})" if costs["cross"].gflops else ""
    operations = percent(costs["attention"].gflops, size.whole.gflops)
    timed = f"{shares['attention']} of the time{split} and " if quantity == "time_ms" else ""
    return f"Attention takes {timed}{operations} of the operations at {size_text(size.net_hw)}" + (
        f"{split}." if not timed else "."
    )


def _tell_growth(model: ModelInspection) -> Iterator[str]:
    for part, name in (("global", "Global self-attention"), ("area", "Area attention")):
        growth = find_growth(model, part, "gflops")
        if growth is not None:
            timed = find_growth(model, part, "time_ms")
            time = "" if timed is None else f", in time tokens^{timed.per_token:.2f}"
            yield (
                f"{name} {describe_growth(growth.per_token)}: in operations tokens^{growth.per_token:.2f}{time}. Its "
                "products of tokens grow as their square, its projections as the tokens."
            )
    rest, all_of_it = (find_growth(model, part, "gflops") for part in ("rest", "attention"))
    if rest is not None and all_of_it is not None:
        yield (
            f"All attention together grows as side^{all_of_it.exponent:.2f} in operations, the rest as "
            f"side^{rest.exponent:.2f}."
        )


def _tell_crossing(crossing: Crossing) -> str:
    name = QUANTITY_NAMES[crossing.quantity].capitalize()
    side, searched = (f"{round(px or 0, -1):,.0f} px" for px in (crossing.side_px, crossing.searched_px))
    return {
        "dominates": f"{name}: attention costs more than the rest at every size here.",
        "measured": f"{name}: attention costs more than the rest from about {side} on.",
        "extrapolated": f"{name}: attention would cost more than the rest from about {side} on, if both go on as "
        "fitted: an extrapolation.",
        "beyond": f"{name}: attention does not come to dominate below {searched}, if both go on as fitted.",
        "never": f"{name}: attention's share falls as images grow, so that it never comes to dominate.",
    }[crossing.verdict]


def _tell_kernels(size: SizeInspection) -> str:
    kernels = Counter((block.kernel, block.operations) for block in size.attention)
    parts = [f"{kernel} in {number} ({', '.join(names)})" for (kernel, names), number in kernels.most_common()]
    explicit = any(kernel != "sampling" for kernel, _ in kernels)
    none_fused = explicit and not any(kernel == "fused" for kernel, _ in kernels)
    return f"Kernels: {'; '.join(parts)}{'. None is fused.' if none_fused else '.'}"


def _tell_fused(size: SizeInspection) -> Iterator[str]:
    ratio = None if size.fused is None else size.fused.ratio
    if ratio is None or size.fused is None:
        return
    at = f"at {size_text(size.net_hw)}"
    if not ratio.decided:
        yield f"Whether fused attention would be faster {at} is not decided: the rounds differ too much."
        return
    if ratio.ratio > 1:
        factor, low, high = format_factors(ratio.ratio, ratio.low, ratio.high, apart_from_one=True)
        saved = ratio.value_a - ratio.value_b
        yield (
            f"Fused attention ({size.fused.kernel}) computes the same {factor}× as fast ({low}–{high}) {at}: it would "
            f"save {format_figure(saved)} ms, {percent(saved, size.whole.time_ms)} of a pass."
        )
        return
    factor, low, high = format_factors(1 / ratio.ratio, 1 / ratio.high, 1 / ratio.low, apart_from_one=True)
    yield f"Fused attention ({size.fused.kernel}) would be {factor}× slower ({low}–{high}) {at}."
