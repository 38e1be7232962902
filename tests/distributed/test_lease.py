"""One driver at a time, where a store has no locks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from detectattn.distributed import lease
from detectattn.distributed.lease import Lease, hold_lease
from detectattn.errors import RunInUse
from detectattn.storage import Store, open_store
from tests.object_store import Bucket, FailingFront, front, s3, s3_endpoint

__all__ = ["front", "s3", "s3_endpoint"]


@pytest.fixture(params=["s3", "memory"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(lease, "LOOK_S", 0.01)
    if request.param == "s3":
        yield open_store(f"{request.getfixturevalue('s3').url}/out")
        return
    store = open_store("memory://lease/out")
    yield store
    for name in list(store.iter_names()):
        store.delete(name)


def fail(text: object) -> None:
    pytest.fail(str(text))


def take(store: Store, monkeypatch: pytest.MonkeyPatch, *, dead_s: float = 0.0) -> Lease:
    """A driver that takes a place for which nobody gives a sign of life."""
    monkeypatch.setattr(lease, "DEAD_S", dead_s)
    taken = Lease(store)
    taken.take(lambda text: None)
    return taken


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_released_however_it_ends(place: Store, error: type[BaseException]) -> None:
    def drive() -> None:
        with hold_lease(place, fail, fail):
            assert list(place.iter_names()) == [".detectattn/driver-00001.json"]
            raise error

    with pytest.raises(error):
        drive()
    assert list(place.iter_names()) == []


def test_driver_that_lives_is_left_alone(place: Store) -> None:
    """What tells is that its mark changes, whatever the clocks of the two machines say."""
    first = Lease(place)
    first.take(fail)
    said = list[str]()

    def wait(text: str) -> None:
        said.append(text)
        first.renew()

    with pytest.raises(RunInUse, match=r"out is being written by \S+ \(process \d+, since .* UTC\)"):
        Lease(place).take(wait)
    assert len(said) == 1
    assert "waiting up to 30 s for a sign of life" in said[0]
    first.require_held()


def test_dead_driver_is_followed(place: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = take(place, monkeypatch)
    heir = take(place, monkeypatch, dead_s=0.05)
    heir.renew()
    assert list(place.iter_names()) == [".detectattn/driver-00002.json"]
    with pytest.raises(RunInUse, match=r"was taken over by .* had shown no sign of life"):
        dead.renew()
    dead.release()  # not its own any more
    heir.require_held()
    heir.release()
    with pytest.raises(RunInUse, match="another driver, which has ended since"):
        dead.renew()
    assert list(place.iter_names()) == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b'{"host": 3}'])
def test_mark_that_cannot_be_read_is_some_drivers(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LOOK_S", 0.01)
    store = open_store("memory://lease/damaged")
    store.put(".detectattn/driver-00001.json", content)
    said = list[str]()
    monkeypatch.setattr(lease, "DEAD_S", 0.0)
    with hold_lease(store, said.append, fail):
        assert "is driven by another driver, or was" in said[0]
    assert list(store.iter_names()) == []


def test_holder_is_told_that_it_lost(place: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told, errors = threading.Event(), list[RunInUse]()

    def lose(error: RunInUse) -> None:
        errors.append(error)
        told.set()

    monkeypatch.setattr(lease, "RENEW_S", 0.02)
    with hold_lease(place, fail, lose):
        heir = take(place, monkeypatch)
        assert told.wait(30)
    heir.require_held()
    assert "--resume" in errors[0].hint


def test_of_two_that_follow_one_does(place: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    take(place, monkeypatch)
    quick = Lease(place)

    class Slow:
        """Lets the other go first, at the very last moment."""

        def __getattr__(self, name: str) -> Any:
            return getattr(place, name)

        def create(self, name: str, content: bytes) -> bool:
            quick.take(lambda text: None)
            monkeypatch.setattr(lease, "DEAD_S", 30.0)
            return place.create(name, content)

    waits = iter([lambda: None, quick.renew])
    with pytest.raises(RunInUse, match="is being written by"):
        Lease(Slow()).take(lambda text: next(waits)())
    quick.require_held()
    assert list(place.iter_names()) == [".detectattn/driver-00002.json"]


def test_answer_that_was_lost() -> None:
    """The store has the mark, and refuses it when it is sent once more."""
    store = open_store("memory://lease/lost-answer")

    class Lossy:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def create(self, name: str, content: bytes) -> bool:
            return store.create(name, content) and store.create(name, content)

    held = Lease(Lossy())
    held.take(fail)
    held.require_held()
    held.release()
    assert list(store.iter_names()) == []


def test_fault_that_passes_loses_nothing(s3: Bucket, front: FailingFront, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_S", 0.02)
    store = open_store(f"{s3.url}/out")
    with hold_lease(store, fail, fail) as held:
        before, front.asked = store.get(".detectattn/driver-00001.json"), []
        front.always = lambda asked: 403
        while len(front.asked) < 4:
            threading.Event().wait(0.01)
        front.always = lambda asked: None
        while store.get(".detectattn/driver-00001.json") == before:
            threading.Event().wait(0.01)
        held.require_held()
