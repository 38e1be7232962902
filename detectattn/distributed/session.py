"""Ray itself: started on this machine or joined, quiet, without telemetry, and never left running."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from detectattn.distributed.failure_text import last_line
from detectattn.errors import ConfigError, MissingExtra, NoCluster, VersionsDiffer
from detectattn.machine import count_usable_cores

LOCAL, AUTO = "local", "auto"

# Nothing large goes by it: numbers of shards, and what came of them.
_STORE_BYTES = 200_000_000
_ANSWER_S = 5.0
_ADDRESS = re.compile(r"(ray://)?[\w.\-\[\]:]+:\d{1,5}")
# A socket's path may have 107 bytes; Ray puts session_2026-01-01_00-00-00_000000_0000000/sockets/raylet.1 below it.
_SOCKET_BYTES, _BELOW_BYTES = 107, 72
_QUIET = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster.

    Attributes:
        node_id: Ray's own name of it.
        address: Its address.
        cpus: Cores that Ray hands out.
        gpus: GPUs that Ray hands out.
    """

    node_id: str
    address: str
    cpus: int
    gpus: float

    @property
    def label(self) -> str:
        """What a person reads; an address alone would not tell several on one machine apart."""
        return f"{self.address} ({self.node_id[:6]})"


def require_ray() -> None:
    """Refuse where Ray, or what Ray Data needs, is not installed.

    Raises:
        MissingExtra: It is not.
    """
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise MissingExtra(
            "--cluster needs Ray, which is not installed", hint='Install it: pip install "detectattn[cluster]"'
        )


def check_address(address: str) -> None:
    """Refuse what cannot be the address of a cluster.

    Raises:
        ConfigError: It is none.
    """
    if address not in (LOCAL, AUTO) and not _ADDRESS.fullmatch(address):
        raise ConfigError(f"--cluster is {address!r}", hint="Give local, auto, HOST:PORT or ray://HOST:PORT")


@contextmanager
def open_ray(address: str, *, verbose: bool = False) -> Iterator[list[Node]]:
    """Join a cluster, or start one on this machine, for as long as the block goes on.

    Args:
        address: ``local``, ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``.
        verbose: Let Ray say what it does.

    Yields:
        The machines that are there.

    Raises:
        MissingExtra: Ray is not installed.
        NoCluster: There is none, or it cannot be started or reached.
        VersionsDiffer: The cluster has another Ray or Python.
    """
    require_ray()
    check_address(address)
    _require_answer(os.environ.get("RAY_ADDRESS", AUTO) if address == AUTO else address)
    for name, value in _QUIET.items() if not verbose else ():
        os.environ.setdefault(name, value)
    # Whatever still calls Ray when it has been shut down would otherwise start a new one.
    os.environ.update({"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_AUTO_CONNECT": "0"})
    with ExitStack() as stack:
        stack.enter_context(_environment(_choose_authentication(address)))
        if not verbose:
            stack.enter_context(_divert_stderr())
        temp_dir = None
        if address == LOCAL:
            temp_dir = _make_temp_dir()
            stack.callback(shutil.rmtree, temp_dir, ignore_errors=True)
        import ray

        if not verbose:
            stack.enter_context(_mute_messages())
        stack.callback(_shut_down, ray)
        _connect(ray, address, temp_dir, verbose=verbose)
        if not verbose:
            _quieten()
        yield list_nodes()


def list_nodes() -> list[Node]:
    """The machines that are alive and have something to hand out, the largest first."""
    import ray

    found = [
        Node(node["NodeID"], node["NodeManagerAddress"], int(given.get("CPU", 0)), float(given.get("GPU", 0)))
        for node in ray.nodes()
        if node["Alive"]
        for given in [node["Resources"]]
    ]
    return sorted((node for node in found if node.cpus), key=lambda node: (-node.gpus, -node.cpus, node.node_id))


def _require_answer(address: str) -> None:
    """Refuse an address where nobody listens: Ray would try for minutes.

    Raises:
        NoCluster: Nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not _ADDRESS.fullmatch(address):
        return  # of this machine, or one that Ray finds in a way of its own
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
    except OSError as error:
        raise _to_error(address, error) from error


def _connect(ray: Any, address: str, temp_dir: Path | None, *, verbose: bool) -> None:
    common: dict[str, Any] = {"log_to_driver": verbose, "logging_level": logging.INFO if verbose else logging.CRITICAL}
    if address.startswith("ray://") and find_spec("grpc") is None:
        raise MissingExtra(
            f"{address} is reached by Ray's client, which needs grpcio", hint='Install it: pip install "ray[client]"'
        )
    try:
        if temp_dir is not None:
            ray.init(
                num_cpus=count_usable_cores(),
                include_dashboard=False,
                object_store_memory=_STORE_BYTES,
                _temp_dir=str(temp_dir),
                **common,
            )
        else:
            ray.init(address=address, **common)
    except Exception as error:
        raise _to_error(address, error) from error


def _to_error(address: str, error: Exception) -> NoCluster | VersionsDiffer:
    text = str(error)
    if "ersion mismatch" in text:
        return VersionsDiffer(
            f"the cluster at {address} has another version of Ray or Python: {' '.join(text.split())[:300]}",
            hint="Install the same versions on all machines",
        )
    if address == LOCAL:
        problem = f"Ray cannot be started on this machine ({last_line(error)})"
        return NoCluster(problem, hint="Free some memory, or run without --cluster")
    # Somebody listens, or it would have been said before Ray was asked.
    if _may_want_token() and ("ailed to connect" in text or "timeout" in text):
        return NoCluster(
            f"the Ray cluster at {address} does not let this program in ({last_line(error)})",
            hint="Set RAY_AUTH_MODE=token, for there is a token here, and the cluster may ask for it",
        )
    if address == AUTO:
        hint = "Start one with `ray start --head`, give its address, or use --cluster local"
        return NoCluster("no Ray cluster runs on this machine, and RAY_ADDRESS names none that answers", hint=hint)
    return NoCluster(
        f"no Ray cluster answers at {address} ({last_line(error)})",
        hint="Check address and port; the head's own port is 6379, that of ray:// is 10001",
    )


def _choose_authentication(address: str) -> dict[str, str]:
    """What the environment lacks: a cluster of our own gets a token that is told to nobody.

    Ray itself would keep one in the home folder. Of a cluster that is there already nobody can see whether it asks for
    a token, and Ray with one does not get along with a cluster without.
    """
    if address != LOCAL or "RAY_AUTH_MODE" in os.environ:
        return {}
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _may_want_token() -> bool:
    """Whether a cluster that does not let us in may want a token that we have and do not show."""
    kept = any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return "RAY_AUTH_MODE" not in os.environ and (kept or Path("~/.ray/auth_token").expanduser().is_file())


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment while the block goes on."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _shut_down(ray: Any) -> None:
    with suppress(Exception):  # on the way out of an error, which matters more
        ray.shutdown()


@contextmanager
def _divert_stderr() -> Iterator[None]:
    """Within the block, keep standard error for Python alone: Ray's core writes warnings to it, past all settings."""
    sys.stderr.flush()
    before, kept = sys.stderr, os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    os.close(silent)
    encoding = before.encoding or "utf-8"
    sys.stderr = os.fdopen(os.dup(kept), "w", buffering=1, encoding=encoding, errors="backslashreplace")
    try:
        yield
    finally:
        diverted, sys.stderr = sys.stderr, before
        diverted.close()
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _mute_messages() -> Iterator[None]:
    """Within the block, keep Ray from printing what befell machines and tasks to standard output, which it always does.

    What of it matters comes by the board and by errors.
    """
    from ray._private import worker

    before = getattr(worker, "print_to_stdstream", None)  # of its own, and so it may go
    if before is None:
        yield
        return
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = before


def _make_temp_dir() -> Path:
    """A folder for Ray's session, short enough for the sockets in it."""
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the system's own, where another one's path is too long
        folder = Path(tempfile.mkdtemp(prefix="ray-", dir=base)).resolve()
        if sys.platform == "win32" or len(str(folder).encode()) + _BELOW_BYTES <= _SOCKET_BYTES:
            return folder
        folder.rmdir()
    raise NoCluster("no temporary folder has a path short enough for Ray's sockets", hint="Point TMPDIR at /tmp")


def _quieten() -> None:
    """Ray Data says a good deal on the terminal; its log file has all of it."""
    warnings.filterwarnings("ignore", module=r"ray\.")
    import ray.data

    ray.data.DataContext.get_current().enable_progress_bars = False
    for handler in logging.getLogger("ray.data").handlers:
        if type(handler).__name__ == "PlainRayHandler":
            handler.setLevel(logging.CRITICAL)
