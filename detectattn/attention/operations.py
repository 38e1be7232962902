"""One forward pass, watched: what each module's operations cost, read, write and hold, and the shapes in and out."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from detectattn.attention.bytes_read import count_read_bytes, iter_tensors
from detectattn.engines.flops import watch_flops
from detectattn.results.inspection import Shape


@dataclass(slots=True)
class ModuleTally:
    """What was seen of one module, those inside it included.

    Attributes:
        flops: Operations by the name of what they are part of, in single ones.
        written_bytes: Of all tensors that operations wrote, in place or anew.
        read_bytes: Of all tensors that operations read, weights included; see :mod:`detectattn.attention.bytes_read`.
        peak_bytes: Most that were alive at once, beyond those alive when it began.
        inputs: Shapes of the tensors that it was first called with.
        outputs: Shapes of those that it then returned.
    """

    flops: Counter[str] = field(default_factory=Counter)
    written_bytes: int = 0
    read_bytes: int = 0
    peak_bytes: int = 0
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()


def watch_pass(model: nn.Module, pixels: torch.Tensor, modules: Iterable[str]) -> Mapping[str, ModuleTally]:
    """Run a model once and tell what each of some modules did.

    What operations return is counted as written and held; what a kernel keeps to itself while it runs is not seen.
    Self-attention's fast path, which no operation would be seen of, is off.

    Args:
        model: In evaluation mode; nothing of it is changed.
        pixels: [1, 3, h, w] on its device, in its precision.
        modules: Paths; the empty one is the model itself.

    Returns:
        One tally for each path, in their order; empty for a module that was not called.
    """
    watch = _PassWatch(dict.fromkeys(modules))
    with ExitStack() as stack:
        stack.enter_context(watch_flops(model, watch.add_flops))
        stack.enter_context(_follow_calls(model, watch))
        stack.enter_context(_TrafficWatch(watch.add_traffic, watch.add_held))
        model(pixels)
    return watch.tallies


@dataclass(slots=True)
class _Call:
    """A module that is running."""

    path: str
    held_before: int
    held_most: int


class _PassWatch:
    """Adds up what is seen, for all modules that are running."""

    def __init__(self, modules: Iterable[str]) -> None:
        self.tallies = {path: ModuleTally() for path in modules}
        self._running: list[_Call] = []
        self._held = 0

    def begin(self, path: str, inputs: object) -> None:
        tally = self.tallies[path]
        tally.inputs = tally.inputs or tuple(_iter_shapes(inputs))
        self._running.append(_Call(path, self._held, self._held))

    def end(self, path: str, outputs: object) -> None:
        call = self._running.pop()
        tally = self.tallies[path]
        tally.outputs = tally.outputs or tuple(_iter_shapes(outputs))
        tally.peak_bytes = max(tally.peak_bytes, call.held_most - call.held_before)

    def add_flops(self, name: str, flops: int) -> None:
        for tally in self._iter_tallies():
            tally.flops[name] += flops

    def add_traffic(self, read: int, written: int) -> None:
        for tally in self._iter_tallies():
            tally.read_bytes += read
            tally.written_bytes += written

    def add_held(self, size: int) -> None:
        """``size`` more bytes are alive; fewer where it is negative."""
        self._held += size
        for call in self._running:
            call.held_most = max(call.held_most, self._held)

    def _iter_tallies(self) -> Iterator[ModuleTally]:
        # A module inside another of the same path does not exist, so none is counted twice.
        return (self.tallies[call.path] for call in self._running)


@contextmanager
def _follow_calls(model: nn.Module, watch: _PassWatch) -> Iterator[None]:
    hooks = []
    for path in watch.tallies:
        module = model.get_submodule(path)
        hooks.append(module.register_forward_pre_hook(_make_begin(watch, path), with_kwargs=True))
        hooks.append(module.register_forward_hook(_make_end(watch, path)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _make_begin(watch: _PassWatch, path: str) -> Callable[[nn.Module, Any, Any], None]:
    return lambda _, inputs, named: watch.begin(path, (inputs, named))


def _make_end(watch: _PassWatch, path: str) -> Callable[[nn.Module, Any, Any], None]:
    return lambda _, __, outputs: watch.end(path, outputs)


def _iter_shapes(value: object) -> Iterator[Shape]:
    """Shapes of all tensors in nested tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        yield tuple(value.shape)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _iter_shapes(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _iter_shapes(item)


class _TrafficWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # PyTorch's
    """Tells of what each operation reads and writes, and of memory that is taken and given back."""

    def __init__(self, on_traffic: Callable[[int, int], None], on_held: Callable[[int], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # PyTorch's
        self._on_traffic = on_traffic
        self._on_held = on_held
        self._alive: set[int] = set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        given = {tensor.untyped_storage()._cdata for tensor in iter_tensors((args, named))}
        output = func(*args, **named)
        written = self._note_written(func, given, output)
        if written:
            # What writes nothing is a view, or asks for a shape: it reads nothing either.
            self._on_traffic(count_read_bytes(func, args, named, output), written)
        return output

    def _note_written(self, func: Any, given: Collection[int], output: object) -> int:
        written_in_place = any(r.alias_info is not None and r.alias_info.is_write for r in func._schema.returns)
        written = 0
        for tensor in iter_tensors(output):
            storage = tensor.untyped_storage()
            if storage._cdata not in given:
                written += storage.nbytes()
                self._hold(storage)
            elif written_in_place:
                written += tensor.numel() * tensor.element_size()
        return written

    def _hold(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive:
            return
        self._alive.add(key)
        self._on_held(size)
        weakref.finalize(storage, self._release, key, size).atexit = False

    def _release(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self._on_held(-size)
