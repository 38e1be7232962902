"""The first call has the runtime to itself; those after it do not wait for each other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from detectattn.engines.first_call import FirstAlone


@pytest.mark.timeout(20)
def test_first_call_is_alone_and_later_ones_are_not() -> None:
    first, lock = FirstAlone(), threading.Lock()
    begun: list[int] = []
    may_end = threading.Event()
    both = threading.Barrier(2)

    def call(number: int) -> int:
        with lock:
            begun.append(number)
            is_first = len(begun) == 1
        if is_first:
            assert may_end.wait(10)
        else:
            both.wait(10)  # passes only if two calls run at once
        return number

    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(first.run, lambda n=n: call(n)) for n in range(3)]
        assert not threading.Event().wait(0.2)
        assert len(begun) == 1
        may_end.set()
        assert sorted(done.result(10) for done in calls) == [0, 1, 2]


def test_a_call_that_failed_was_not_the_first() -> None:
    first = FirstAlone()
    with pytest.raises(ZeroDivisionError):
        first.run(lambda: 1 // 0)
    assert first.run(lambda: 7) == 7
