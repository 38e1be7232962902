"""From what was measured on one machine to what many of them take: machines, hours, and what they wait for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DAY_H = 24.0
# What object storage takes below one prefix, by its provider's word (Amazon S3: 5,500 reads a second).
_READS_PER_S = 5_500


@dataclass(frozen=True, slots=True)
class Case:
    """Something to work out.

    Attributes:
        images: How many.
        image_s: What one takes a replica, in seconds.
        shard_size: Images a shard.
        replicas_per_machine: How many replicas a machine holds.
        what: The machine and the model, in words.
    """

    images: int
    image_s: float
    shard_size: int
    replicas_per_machine: int
    what: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What it takes to be done within a day.

    Attributes:
        replica_hours: Of all replicas together.
        replicas: How many.
        machines: How many.
        listing_h: Hours that the driver lists before.
        reads_per_s: What storage is asked for.
        bottleneck: What the run waits for.
    """

    replica_hours: float
    replicas: int
    machines: int
    listing_h: float
    reads_per_s: float
    bottleneck: str


def make_plan(case: Case, figures: Mapping[str, Any], hours: float = _DAY_H) -> Plan:
    """Work a case out.

    ``replica_hours = images · (image_s + shard_s / shard_size) / 3600``, and so many replicas that these and the
    listing (``images · list_s``, by the driver alone, before anything else) are done in ``hours``.

    Args:
        case: What is to be done.
        figures: ``shard_ms`` and ``list_us`` as measured.
        hours: In which it is to be done.
    """
    listing_h = case.images * figures["list_us"] / 1e6 / 3600
    each_s = case.image_s + figures["shard_ms"] / 1e3 / case.shard_size
    replica_hours = case.images * each_s / 3600
    left_h = max(hours - listing_h, hours / 10)
    replicas = math.ceil(replica_hours / left_h)
    reads_per_s = replicas / each_s
    shares = {
        "the model": case.image_s / each_s,
        "shards": 1 - case.image_s / each_s,
        "listing": listing_h / hours,
        "storage": reads_per_s / _READS_PER_S,
    }
    # The model is what one pays for: anything else is named once it holds the run up.
    others = {name: share for name, share in shares.items() if name != "the model"}
    worst = max(others, key=lambda name: others[name])
    bottleneck = worst if others[worst] > 0.5 else "the model"
    machines = math.ceil(replicas / case.replicas_per_machine)
    return Plan(replica_hours, replicas, machines, listing_h, reads_per_s, bottleneck)


def list_cases(figures: Mapping[str, Any]) -> list[Case]:
    """What the page works out: the model that was measured, on processors, and one that takes 5 ms, as a GPU may."""
    model_s = figures["real"]["image_ms"] / 1e3
    name = figures["real"]["model"]
    cpus = f"{name}, 32 cores in replicas of two"
    gpu = "5 ms an image, 4 GPUs"
    return [
        Case(images, *rest) for images in (10**6, 10**9) for rest in ((model_s, 256, 16, cpus), (0.005, 4096, 4, gpu))
    ]


def render_table(figures: Mapping[str, Any]) -> str:
    """The table of the page, as Markdown."""
    lines = [
        "| images | model and machine | shard | replica hours | replicas for a day | machines | listing | waits for |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in list_cases(figures):
        plan = make_plan(case, figures)
        listing = f"{plan.listing_h:.1f} h" if plan.listing_h >= 1 else f"{plan.listing_h * 60:.1f} min"
        lines.append(
            f"| {case.images:,} | {case.what} | {case.shard_size:,} | {plan.replica_hours:,.0f} | {plan.replicas:,} "
            f"| {plan.machines:,} | {listing} | {plan.bottleneck} |"
        )
    return "\n".join(lines)


def render_stub(figures: Mapping[str, Any]) -> str:
    """What replicas did of what they could do at best, as Markdown."""
    rows = figures["stub"]
    replicas = sorted({row["replicas"] for row in rows})
    lines = ["| inputs | " + " | ".join(f"{n} replica{'' if n == 1 else 's'}" for n in replicas) + " |"]
    lines.append("|---|" + "---|" * len(replicas))
    for inputs in sorted({row["inputs"] for row in rows}):
        shares = {row["replicas"]: row["of_ideal"] for row in rows if row["inputs"] == inputs}
        lines.append(f"| {inputs:,} | " + " | ".join(f"{shares[n]:.1%}" for n in replicas) + " |")
    real = figures["real"]
    lines.append("")
    lines.append(
        f"One replica of {real['model']}{_name_size(real)} on all cores did {real['cluster_images_per_s']:.2f} images "
        f"a second where a local run did {real['local_images_per_s']:.2f}: its images took {real['overhead']:+.1%} "
        f"time. A shard took {figures['shard_ms']:.0f} ms beside its images, an input {figures['list_us']:.0f} µs to "
        "list."
    )
    return "\n".join(lines)


def _name_size(real: Mapping[str, Any]) -> str:
    return f" at {real['imgsz']} px" if "imgsz" in real else ""
