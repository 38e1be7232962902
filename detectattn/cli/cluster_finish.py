"""The end of a run on a cluster, however it came: ``run.json`` as it stands, and the closing tables."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from detectattn.cli.cluster_summary import ClusterOutcome, render_cluster_summary
from detectattn.cli.console import Notices
from detectattn.config import PredictConfig
from detectattn.distributed.layout import RUN_FILE
from detectattn.distributed.recorded import read_failures
from detectattn.errors import DetectattnError
from detectattn.records import manifest_to_json
from detectattn.types import RunManifest

_MOST_FAILURES = 100
_ENDED = ("finished", "stopped", "interrupted")


def finish_run(
    run: RunManifest, outcome: ClusterOutcome, config: PredictConfig, notices: Notices, *, as_json: bool
) -> None:
    """Write ``run.json`` and say how the run went.

    Args:
        run: What it said so far.
        outcome: What came of it.
        config: The options that applied.
        notices: Told how to go on.
        as_json: Print one JSON object in place of the closing tables.

    Raises:
        OutputError: ``run.json`` cannot be written, where nothing else went wrong.
    """
    assert outcome.store is not None
    if outcome.status == "finished":
        _write(run, outcome)
    else:
        with suppress(DetectattnError):  # on the way out of an error, which matters more
            if outcome.begun:
                outcome.catch_up()
            _write(run, outcome)
    if outcome.status in _ENDED and outcome.begun:
        _report(outcome, config, notices, as_json=as_json)
    if outcome.status != "finished":
        notices.say(f"`detectattn predict --resume {outcome.place}` goes on from there")
    elif notices.quiet and outcome.counts.failures:
        notices.warn_of_failures(outcome.counts.failures.total(), f"{outcome.place}/failures/")


def _write(run: RunManifest, outcome: ClusterOutcome) -> None:
    assert outcome.store is not None
    if outcome.counts.failures:
        outcome.failures = read_failures(outcome.store, _MOST_FAILURES)
    counts = {**outcome.counts.to_run_counts(), "skipped": dict(outcome.skipped), "shards": len(outcome.counted)}
    recovered = outcome.counts.to_recovered()
    final = replace(
        run,
        status=outcome.status,
        models=[{**model, "recovered": recovered} for model in run.models] if recovered else run.models,
        counts=counts,
        timing={**run.timing, **_to_timing(outcome)},
        failures=outcome.failures,
    )
    outcome.store.put(RUN_FILE, manifest_to_json(final).encode())


def _to_timing(outcome: ClusterOutcome) -> dict[str, Any]:
    before = {"done_before": outcome.done_before} if outcome.done_before else {}
    machines = {
        outcome.labels.get(name, name): {"replicas": node.replicas, "images": node.pictures}
        for name, node in outcome.progress.nodes.items()
    }
    return {
        "wall_s": round(outcome.wall_s, 3),
        "images_per_s": round(outcome.rate, 3),
        "work_s": round(outcome.counts.work_s, 3),
        "mean": outcome.counts.to_mean_timing(),
        "machines": machines,
        "redone": outcome.progress.redone,
        **before,
    }


def _report(outcome: ClusterOutcome, config: PredictConfig, notices: Notices, *, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {"run": outcome.place, "status": outcome.status}
        told["counts"] = outcome.counts.to_run_counts()
        told["timing"] = _to_timing(outcome)
        told["failures"] = [asdict(failure) for failure in outcome.failures]
        print(json.dumps({"schema": 1, "command": "predict", "data": told}, ensure_ascii=False))
    elif not notices.quiet:
        print("\n".join(render_cluster_summary(outcome, config)))
