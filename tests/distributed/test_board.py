"""What replicas tell each other: attempts, suspects, progress."""

from __future__ import annotations

from detectattn.distributed.board import Board
from detectattn.distributed.counts import Counts
from detectattn.pipeline.recovery import Recovery


def test_third_attempt_goes_one_by_one() -> None:
    board = Board()
    attempts = [board.begin(4, "r", "n") for _ in range(3)]
    assert [(a.number, a.one_by_one) for a in attempts] == [(1, False), (2, False), (3, True)]


def test_input_that_kills_twice_is_poisoned() -> None:
    board = Board()
    for _ in range(3):
        board.begin(0, "r", "n")
    board.trying(0, 6)
    board.trying(0, 7)
    assert board.begin(0, "r", "n").poisoned == frozenset()  # once may be an accident
    board.trying(0, 7)
    attempt = board.begin(0, "r", "n")
    assert attempt.poisoned == {7}
    assert not attempt.hopeless
    board.trying(0, 9)
    assert board.begin(0, "r", "n").poisoned == {7}


def test_shards_that_kill_before_any_input_do_not_go_on_for_ever() -> None:
    board = Board()
    attempts = [board.begin(0, "r", "n") for _ in range(9)]
    assert [a.hopeless for a in attempts] == [False] * 8 + [True]


def test_many_poisoned_inputs_are_not_hopeless() -> None:
    board = Board()
    for _ in range(3):
        board.begin(0, "r", "n")
    for place in range(6):
        for _ in range(2):
            board.trying(0, place)
            attempt = board.begin(0, "r", "n")
    assert attempt.poisoned == set(range(6))
    assert not attempt.hopeless


def test_progress_counts_nothing_twice() -> None:
    board = Board()
    board.begin(0, "r1", "a")
    board.begin(1, "r2", "b")
    board.tell(0, 5, 4, 1)
    board.tell(1, 3, 3, 0)
    seen = board.look()
    assert (seen.inputs, seen.pictures, seen.failures, seen.busy, seen.redone) == (8, 7, 1, 2, 0)
    board.begin(0, "r2", "b")  # r1 died
    board.tell(0, 2, 2, 0)
    seen = board.look()
    assert (seen.inputs, seen.pictures, seen.failures, seen.redone) == (5, 5, 0, 1)
    assert {name: (node.replicas, node.pictures) for name, node in seen.nodes.items()} == {"a": (1, 0), "b": (1, 5)}
    board.end(0, "b", Counts(inputs=10, images=9, failures={"x": 1}).to_dict())  # type: ignore[arg-type]
    seen = board.look()
    assert (seen.inputs, seen.pictures, seen.failures, seen.busy) == (13, 12, 1, 1)


def test_error_stops_all() -> None:
    board = Board()
    board.begin(0, "r", "n")
    board.fail(0, {"kind": "OutputError", "problem": "no room", "hint": "x"})
    assert board.begin(1, "r", "n").leave
    seen = board.look()
    assert seen.busy == 0
    assert seen.error is not None
    assert seen.error["problem"] == "no room"


def test_stop_begins_nothing_more() -> None:
    board = Board()
    board.begin(0, "r", "n")
    board.stop()
    assert board.begin(1, "r", "n").leave
    assert board.look().busy == 1
    board.end(0, "n", Counts().to_dict())
    assert board.look().busy == 0


def test_what_many_replicas_got_over_is_told_once() -> None:
    board = Board()
    board.recover(Recovery("engine", "openvino on cpu", "torch on cpu", 3, "x did not answer for 62 s"), "10.0.0.1")
    board.recover(Recovery("engine", "openvino on cpu", "torch on cpu", 9, "x did not answer for 60 s"), "10.0.0.2")
    board.recover(Recovery("batch", "4", "2", 0, "x has too little memory"), "10.0.0.2")
    engine, batch = board.look().warnings
    assert engine.startswith("on 10.0.0.1: x did not answer for 62 s. torch on cpu, goes on")
    assert batch.startswith("on 10.0.0.2: x has too little memory: from here on 2")
