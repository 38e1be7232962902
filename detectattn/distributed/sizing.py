"""How many replicas, and what each takes of a machine: by option, or from what machines have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from detectattn.distributed.drive import Pool
from detectattn.distributed.session import Node
from detectattn.distributed.settings import ReplicaSize
from detectattn.errors import ClusterError


def choose_size(nodes: Sequence[Node], device: str, cpus: int | None, gpus: float | None) -> ReplicaSize:
    """What a replica takes: a GPU with its share of the cores, or all cores of a machine as most of them are.

    Args:
        nodes: The machines.
        device: As in :class:`~detectattn.engines.base.EngineOptions`.
        cpus: Cores, or None to choose.
        gpus: GPUs, or None to choose.

    Raises:
        ClusterError: No machine has a core to give.
    """
    if not nodes:
        raise ClusterError(
            "no machine of the cluster has a core to give", hint="Start Ray there with --num-cpus above 0"
        )
    if gpus is None:
        has_gpu = any(node.gpus >= 1 for node in nodes)
        gpus = 1.0 if has_gpu and (device == "auto" or device.startswith("cuda")) else 0.0
    if cpus is None:
        fitting = [node for node in nodes if node.gpus >= gpus] or list(nodes)
        shares = Counter(max(1, int(node.cpus * gpus / node.gpus)) if gpus else node.cpus for node in fitting)
        cpus = max(shares, key=lambda share: (shares[share], share))
    return ReplicaSize(cpus, gpus)


def plan_pool(nodes: Sequence[Node], size: ReplicaSize, wanted: int | None, shards: int) -> Pool:
    """How many replicas are started, and how many there may be.

    Args:
        nodes: The machines.
        size: What a replica takes.
        wanted: So many, whether they fit now or not; None for as many as fit.
        shards: What there is to do.

    Raises:
        ClusterError: Not one fits, and no number was asked for.
    """
    fits = sum(count_fitting(node, size) for node in nodes)
    if fits == 0 and wanted is None:
        takes = f"{size.cpus} cores" + (f" and {size.gpus:g} GPUs" if size.gpus else "")
        most = max((node.cpus for node in nodes), default=0)
        gpus = max((node.gpus for node in nodes), default=0)
        has = f"{most} cores" + (f" and {gpus:g} GPUs" if size.gpus else "")
        raise ClusterError(
            f"a replica takes {takes}, and no machine has that; the largest has {has}",
            hint="Give less with --replica-cpus and --replica-gpus, or --replicas N to wait for machines to come",
        )
    most = max(1, min(wanted or fits, shards))
    return Pool(size, max(1, min(most, fits)), most)


def count_fitting(node: Node, size: ReplicaSize) -> int:
    """How many replicas fit on a machine."""
    by_cpus = node.cpus // size.cpus
    return min(by_cpus, int(node.gpus / size.gpus + 1e-9)) if size.gpus else by_cpus
