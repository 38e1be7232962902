"""The detections of a study on a Ray cluster: its pictures in shards, through replicas of one model after another.

Only what grows with the pictures goes there. Models are timed where the study runs, before Ray is started or joined, so
that nothing competes with them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from detectattn.compare.cluster_model import ClusterModel, ClusterWish, Interrupts
from detectattn.compare.elsewhere import DetectAll
from detectattn.compare.measure import StudyEvents
from detectattn.compare.study_folder import CLUSTER_FOLDER, StudyFolder
from detectattn.distributed.manifest import Item, read_manifest, write_manifest
from detectattn.distributed.nodes import check_nodes
from detectattn.distributed.session import LOCAL, Node, open_ray
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.storage import Store, open_store
from detectattn.types import Media


@dataclass(frozen=True, slots=True, eq=False)
class ClusterDetection:
    """Detects on a cluster; an :data:`~detectattn.compare.elsewhere.OpenElsewhere`.

    Attributes:
        wish: Which cluster.
        items: What is detected on, and what cannot be found.
        read: How it is read.
        folder: The study.
        place: The study as all machines see it; ``run.json`` is there.
        sync: Brings what is measured so far from the study's folder to that place.
        events: Told how it goes.
        mind_signals: Keeps Ctrl-C from breaking into Ray while its block goes on, and tells whether it came.
    """

    wish: ClusterWish
    items: Sequence[Item]
    read: ReadOptions
    folder: StudyFolder
    place: Store
    sync: Callable[[], None]
    events: StudyEvents
    mind_signals: Callable[[], AbstractContextManager[Interrupts]]

    @contextmanager
    def __call__(self) -> Iterator[DetectAll]:
        """Start or join the cluster for as long as the block goes on.

        Raises:
            ClusterError, SourceError, OutputError: There is none, or one of its machines cannot take part.
            KeyboardInterrupt: A signal came; what replicas were at is finished.
        """
        self.sync()
        shared = open_store(f"{self.place.url}/{CLUSTER_FOLDER}", offline=self.read.offline)
        with open_ray(self.wish.address, verbose=self.wish.verbose) as nodes, self.mind_signals() as interrupts:
            self._check(nodes)
            size = self.wish.shard_size
            manifest = read_manifest(shared) or write_manifest(self.items, ReadCounts(), shared, size)
            model = ClusterModel(self.wish, nodes, manifest, shared, self.read, self.folder, self.events, interrupts)
            yield model.detect

    def check(self) -> None:
        """Ask every machine of a cluster that is there already, before anything is measured.

        Raises:
            ClusterError, SourceError, OutputError: As above.
        """
        self.sync()
        if self.wish.address != LOCAL:
            with open_ray(self.wish.address, verbose=self.wish.verbose) as nodes:
                self._check(nodes)

    def discard(self) -> None:
        """Remove what lies there for the cluster's sake, once the study has all of it in its own files.

        Raises:
            OutputError, FetchError: It cannot be removed.
        """
        for name in list(self.place.iter_names(f"{CLUSTER_FOLDER}/")):
            self.place.delete(name)
        shutil.rmtree(self.folder.root / CLUSTER_FOLDER, ignore_errors=True)  # empty folders, where it is on a disk

    def _check(self, nodes: Sequence[Node]) -> None:
        if self.wish.address == LOCAL:
            return
        paths = (item.location for item in self.items if isinstance(item, Media) and isinstance(item.location, Path))
        first = next(paths, None)
        check_nodes(nodes, self.place, None if first is None else str(first.absolute()))
