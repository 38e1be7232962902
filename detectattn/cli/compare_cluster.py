"""``detectattn compare --cluster``: what of a study goes to a Ray cluster, and what is refused before it begins."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from detectattn.cli.compare_place import StudyPlace
from detectattn.cli.console import Notices
from detectattn.cli.interrupt import interrupt_on_termination, stop_on_signal
from detectattn.cli.standard_streams import bear_losses
from detectattn.compare.measure import StudyEvents
from detectattn.compare.study import StudyPlan, run_study
from detectattn.config import CompareConfig, parse_replicas
from detectattn.errors import ConfigError
from detectattn.pipeline.channel import StopSignal
from detectattn.types import FrameFailure, Media

if TYPE_CHECKING:
    from detectattn.compare.cluster_model import Interrupts


def require_cluster(config: CompareConfig, media: Sequence[Media | FrameFailure]) -> None:
    """Refuse what cannot be done on a cluster.

    Raises:
        MissingExtra: Ray is not installed.
        ConfigError: The address is none, or there is nothing for a cluster to do.
    """
    from detectattn.distributed.session import check_address, require_ray

    require_ray()
    check_address(config.cluster)
    if not media:
        raise ConfigError("--cluster has nothing to detect on", hint="Name pictures, or leave --cluster out")
    if config.limit and any(isinstance(item, Media) and item.kind != "image" for item in media):
        raise ConfigError(
            "--limit counts pictures, and on a cluster nobody counts those of videos before they are read",
            hint="Leave --limit out, or take videos with --vid-stride",
        )


def run_study_on_cluster(
    plan: StudyPlan, place: StudyPlace, config: CompareConfig, events: StudyEvents, notices: Notices
) -> None:
    """Run a study whose detections are made on a cluster; models are timed here.

    Args:
        plan: What to do.
        place: Where it goes; ``run.json`` is there.
        config: The options that apply.
        events: Told how it goes.
        notices: Told of signals.

    Raises:
        DetectattnError: As :func:`~detectattn.compare.study.run_study` raises it, or of the cluster.
    """
    from detectattn.compare.cluster import ClusterDetection
    from detectattn.compare.cluster_model import ClusterWish

    wish = ClusterWish(
        address=config.cluster,
        replicas=parse_replicas(config.replicas),
        replica_cpus=config.replica_cpus,
        replica_gpus=config.replica_gpus,
        shard_size=config.shard_size,
        verbose=notices.verbose,
    )
    items = plan.media if plan.limit is None else plan.media[: plan.limit]
    detection = ClusterDetection(
        wish, items, plan.read, place.folder, place.store, place.sync, events, partial(_mind_signals, notices)
    )
    with interrupt_on_termination():
        detection.check()
        run_study(replace(plan, elsewhere=detection), place.folder, events)
        detection.discard()


@contextmanager
def _mind_signals(notices: Notices) -> Iterator[Interrupts]:
    from detectattn.compare.cluster_model import Interrupts

    stop, hurry = StopSignal(), threading.Event()
    with bear_losses(), stop_on_signal(stop, notices, hurry):  # standard error is another one since Ray came
        yield Interrupts(stop.is_set, hurry.is_set)
