"""Where a study goes: a folder, or an address of object storage with a folder here that stands for it meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from detectattn.cli.console import Notices
from detectattn.cli.predict_start import require_empty, require_folder
from detectattn.compare.study_folder import CLUSTER_FOLDER, StudyFolder
from detectattn.errors import ConfigError, DetectattnError, SourceNotFound
from detectattn.pipeline.run_folder import create_run_folder, lock_run_folder, require_new_folder
from detectattn.sources.temp_folder import open_temp_folder
from detectattn.storage import Store, check_name, is_storage_url, open_store

_RUN_FILE = "run.json"
_NOT_MIRRORED = (".", f"{CLUSTER_FOLDER}/")
"""Hidden files are of this machine alone; what machines of a cluster write is there already."""


def do_nothing() -> None:
    """A folder needs no copying."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyPlace:
    """Where a study goes.

    Attributes:
        folder: Its folder on this machine.
        store: The same as other machines see it.
        shown: What it is called in messages.
        sync: Brings what was written into the folder to where it goes; nothing to do for a folder.
    """

    folder: StudyFolder
    store: Store
    shown: str
    sync: Callable[[], None] = do_nothing


def require_new_place(out: str | None, *, cluster: bool, offline: bool) -> None:
    """Refuse a place where something is, before any work is done for it.

    Args:
        out: As typed; None for the next free folder.
        cluster: Whether the study is one on a cluster, which may go elsewhere.
        offline: Refuse every request to object storage.

    Raises:
        ConfigError: It is no folder, and the study needs one.
        OutputExists: Something is there.
        FetchError: Nobody can tell.
    """
    if out is None or not cluster or not is_storage_url(out):
        require_new_folder(require_folder(out))
        return
    require_empty(open_store(out, offline=offline))


def begin_place(out: str | None, stack: ExitStack, notices: Notices, *, offline: bool) -> StudyPlace:
    """The place of a new study, kept from others until the stack unwinds; taken away if its options are impossible.

    Raises:
        OutputExists, OutputError: It cannot be made.
        RunInUse: Another process writes it.
    """
    if out is not None and is_storage_url(out):
        mirror = _open_mirror(open_store(out, offline=offline), stack, notices)
        require_empty(mirror.store)
        stack.enter_context(_keep_mirrored(mirror))
        return mirror.to_place()
    root = create_run_folder(None if out is None else Path(out), "compare")
    stack.enter_context(_discard_unbegun(root))
    stack.enter_context(lock_run_folder(root))
    return StudyPlace(StudyFolder(root), open_store(root), str(root))


def reopen_place(place: str, stack: ExitStack, notices: Notices) -> StudyPlace:
    """The place of a study that goes on; not locked where it is a folder.

    Raises:
        SourceNotFound: There is none.
        FetchError: It cannot be read.
        RunInUse: Another process writes it, elsewhere than in a folder.
    """
    if not is_storage_url(place):
        root = Path(place)
        return StudyPlace(StudyFolder(root), open_store(root), str(root))
    store = open_store(place)
    if not store.exists(_RUN_FILE):
        raise SourceNotFound(
            f"{store.url} is no run of compare: it has no run.json", hint="Check the address given to --resume"
        )
    mirror = _open_mirror(store, stack, notices)
    mirror.fetch()
    stack.enter_context(_keep_mirrored(mirror))
    return mirror.to_place()


def _open_mirror(store: Store, stack: ExitStack, notices: Notices) -> _Mirror:
    from detectattn.distributed.lease import hold_lease

    root = stack.enter_context(open_temp_folder("detectattn-study-"))
    # Whoever took it over is found when something is to be sent next.
    lease = stack.enter_context(hold_lease(store, notices.warn, lambda _: None))
    return _Mirror(store, root, lease.require_held)


@dataclass(slots=True, eq=False)
class _Mirror:
    """A folder whose files are copied to an address whenever that is asked for, and were fetched from there before."""

    store: Store
    root: Path
    require_held: Callable[[], None]
    _sent: dict[str, tuple[int, int]] = field(default_factory=dict)

    def to_place(self) -> StudyPlace:
        return StudyPlace(StudyFolder(self.root), self.store, self.store.url, self.send)

    def fetch(self) -> None:
        for name in self.store.iter_names():
            if not name.startswith(_NOT_MIRRORED):
                path = self.root / check_name(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.store.get(name))
                self._sent[name] = _look(path)

    def send(self) -> None:
        """Send what has changed, ``run.json`` last: it may say that the study is finished."""
        self.require_held()
        names = {path.relative_to(self.root).as_posix(): path for path in self.root.rglob("*") if path.is_file()}
        for name in sorted(names, key=lambda name: (name == _RUN_FILE, name)):
            if name.startswith(_NOT_MIRRORED):
                continue
            look = _look(names[name])
            if self._sent.get(name) != look:
                self.store.put(name, names[name])
                self._sent[name] = look

    def discard(self) -> None:
        """Take away what was sent."""
        for name in self._sent:
            self.store.delete(name)


@contextmanager
def _keep_mirrored(mirror: _Mirror) -> Iterator[None]:
    """Send what there is when the block ends, however it ends; nothing of a study that proved impossible at once."""
    is_new = not (mirror.root / _RUN_FILE).exists()
    try:
        yield
    except ConfigError:
        if is_new and not (mirror.root / "measured").exists():
            mirror.discard()
        else:
            mirror.send()
        raise
    except BaseException:
        with suppress(DetectattnError):  # on the way out of an error, which matters more
            mirror.send()
        raise
    mirror.send()


def _look(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@contextmanager
def _discard_unbegun(root: Path) -> Iterator[None]:
    """Take a new folder away where options turn out to be impossible before anything is measured."""
    try:
        yield
    except ConfigError:
        if not (root / "measured").exists():
            shutil.rmtree(root)  # holds nothing but what this call wrote
        raise
