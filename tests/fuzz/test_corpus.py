"""Every kept input of every fuzz target, run through its reader: what once broke stays mended. No fuzzer takes part."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from detectattn.errors import ConfigError
from fuzz.contract import read_or_refuse, require_line
from fuzz.mutate import mutate_json
from fuzz.replay import CORPUS, feed, iter_corpus
from fuzz.target import SEPARATOR, write_parts
from fuzz.targets import NAMES, load_target

ROOT = Path(__file__).resolve().parents[2]
MEMORY_BYTES = 1024**3
HANG_S = 30
INPUTS = [pytest.param(name, path, id=f"{name}-{path.stem}") for name in NAMES for path in iter_corpus(name)]


@pytest.fixture
def _limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A gigabyte and half a minute for each input."""
    # The page's own code takes seconds to bundle, and no input reaches it.
    monkeypatch.setattr("detectattn.report.html.frame.bundle_javascript", lambda *_: "")
    if sys.platform != "linux":
        yield
        return
    import resource

    def give_up(*_: object) -> None:
        raise TimeoutError(f"not done after {HANG_S} s")

    memory = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    handler = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_BYTES, memory[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, memory)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize(("name", "path"), INPUTS)
def test_a_kept_input_gives_a_value_or_one_clear_line(name: str, path: Path, tmp_path: Path) -> None:
    feed(load_target(name), path.read_bytes(), tmp_path / "input")


@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize("name", [name for name in NAMES if load_target(name).is_json])
def test_so_do_kept_inputs_with_values_changed(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    for path in iter_corpus(name):
        for seed in range(6):
            changed = mutate_json(path.read_bytes(), seed, 1 << 20)
            if changed is not None:
                feed(target, changed, tmp_path / "input")


def test_every_target_has_inputs_words_and_a_line_in_the_readme() -> None:
    readme = (ROOT / "fuzz" / "README.md").read_text()
    for name in NAMES:
        assert len(list(iter_corpus(name))) > 1
        assert (ROOT / "fuzz" / "words" / f"{name}.dict").is_file()
        assert f"`{name}`" in readme
    assert sorted(NAMES) == sorted(path.name for path in CORPUS.iterdir())
    assert sum(path.stat().st_size for path in CORPUS.rglob("*")) < 1_000_000


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "error", [ValueError("x"), RecursionError(), ConfigError("", hint="b"), ConfigError("a", hint="")], ids=repr
)
def test_the_contract_bites(error: Exception) -> None:
    with pytest.raises((AssertionError, ValueError, RecursionError)):
        read_or_refuse(_raise, error)
    assert read_or_refuse(_raise, ConfigError("a", hint="b")) is None
    assert read_or_refuse(len, b"abc") == 3


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31m", "\u2028", "\ud800", "x" * 4000, "\udce5" * 4000])
def test_a_message_is_one_short_line_whatever_goes_into_it(text: str) -> None:
    with pytest.raises(AssertionError):
        require_line(text)
    for error in (ConfigError(text, hint="b"), ConfigError("a", hint=text)):
        require_line(str(error))


def test_a_message_in_the_middle_of_which_much_is_left_out_keeps_its_ends() -> None:
    error = ConfigError(f"begin {'x' * 5000} end", hint="b")
    assert error.problem.startswith("begin xxx")
    assert error.problem.endswith("xxx end")
    assert len(error.problem) == 1500


def test_json_is_changed_by_its_structure() -> None:
    content = b'{"a": [1, 2]}' + SEPARATOR + b'{"b": 1}\n{"c": 2}'
    changed = {mutate_json(content, seed, 1000) for seed in range(50)}
    assert len(changed) > 25
    assert mutate_json(content, 7, 1000) == mutate_json(content, 7, 1000)
    assert mutate_json(b"no JSON", 1, 1000) is None
    assert mutate_json(content, 1, 3) is None


def test_parts_become_files(tmp_path: Path) -> None:
    write_parts(b"a" + SEPARATOR + b"b", tmp_path, ("x/1", "2", "3"))
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == {"1": b"a", "2": b"b"}
