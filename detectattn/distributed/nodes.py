"""Before work starts: every machine has the same versions, and sees what is read and where is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detectattn.distributed.failure_text import last_line
from detectattn.distributed.layout import RUN_FILE
from detectattn.distributed.session import Node
from detectattn.errors import ClusterError, DetectattnError, OutputError, SourceNotFound, VersionsDiffer
from detectattn.machine import collect_versions, find_version
from detectattn.storage.base import Store

_PATIENCE_S = 120.0
_CLUSTER_PACKAGES = ("ray", "pyarrow")


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a machine tells of itself.

    Attributes:
        versions: Of Python and packages.
        sees_input: Whether a path of the inputs is there.
        store_error: Why it cannot read the run's store; None where it can.
    """

    versions: Mapping[str, str]
    sees_input: bool
    store_error: str | None


def collect_cluster_versions() -> dict[str, str]:
    """Versions of all that has a say in what a cluster computes, and of Ray."""
    found = {name: version for name in _CLUSTER_PACKAGES if (version := find_version(name))}
    return {**collect_versions(), **found}


def report_node(store: Store, path: str | None) -> NodeReport:
    """What this machine tells of itself; runs on each of them."""
    try:
        found = store.exists(RUN_FILE)
        store_error = None if found else f"{store.describe(RUN_FILE)} is not there"
    except DetectattnError as error:
        store_error = error.problem
    return NodeReport(collect_cluster_versions(), path is None or Path(path).exists(), store_error)


def check_nodes(nodes: Sequence[Node], store: Store, path: str | None) -> None:
    """Ask every machine, and refuse where one cannot take part.

    Args:
        nodes: The machines.
        store: Where the run goes; ``run.json`` is there.
        path: A local path among the inputs, or None.

    Raises:
        VersionsDiffer: One has other versions than this machine.
        SourceNotFound: One does not see the inputs.
        OutputError: One does not see where the run goes.
        ClusterError: One does not answer, or cannot import this package.
    """
    for node, report in zip(nodes, _ask(nodes, store, path), strict=True):
        require_same(node.label, report.versions, collect_cluster_versions())
        if not report.sees_input:
            raise SourceNotFound(
                f"{path} is not there on {node.label}",
                hint="Put the inputs where all machines see them, such as s3:// or a shared folder",
            )
        if report.store_error is not None:
            raise OutputError(
                f"{node.label} does not see where the run goes: {report.store_error}",
                hint="Choose a place that all machines see with -o, such as s3:// or a shared folder",
            )


def require_same(label: str, theirs: Mapping[str, str], ours: Mapping[str, str]) -> None:
    """Refuse a machine whose versions differ.

    Args:
        label: The machine.
        theirs: Its versions.
        ours: This machine's.

    Raises:
        VersionsDiffer: They do.
    """
    differing = [
        f"{name} {theirs.get(name, 'absent')} (here {ours.get(name, 'absent')})"
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    ]
    if differing:
        raise VersionsDiffer(
            f"versions differ on {label}: {', '.join(differing)}",
            hint="Install the same versions on all machines, for example from one container image",
        )


def _ask(nodes: Sequence[Node], store: Store, path: str | None) -> list[NodeReport]:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(report_node)
    asked = [
        task.options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node.node_id, soft=False)).remote(
            store, path
        )
        for node in nodes
    ]
    reports: list[NodeReport] = []
    for node, answer in zip(nodes, asked, strict=True):
        try:
            reports.append(ray.get(answer, timeout=_PATIENCE_S))
        except Exception as error:
            problem = f"{node.label} cannot take part ({last_line(error)})"
            hint = "Install detectattn there, in the version and with the extras that this machine has"
            raise ClusterError(problem, hint=hint) from error
    return reports
