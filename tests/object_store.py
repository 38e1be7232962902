"""Object storage for tests: a real S3 server on the loopback, in a process of its own, and one in front that fails.

``python -m tests.object_store PID`` is that server: moto's, which prints its port and ends when process PID does.
"""

from __future__ import annotations

import functools
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]


class Bucket:
    """A bucket of a test's own, as the user's program sees it: by its address.

    Attributes:
        name: Its name.
        endpoint: The address of the server.
    """

    def __init__(self, endpoint: str) -> None:
        self.name = f"test-{uuid.uuid4().hex[:12]}"
        self.endpoint = endpoint
        self._ask("PUT", f"/{self.name}")

    @property
    def url(self) -> str:
        """``s3://NAME``."""
        return f"s3://{self.name}"

    def put(self, key: str, content: bytes | Path) -> str:
        """Put an object there, past the code under test. Returns its address."""
        body = content.read_bytes() if isinstance(content, Path) else content
        self._ask("PUT", f"/{self.name}/{quote(key)}", body)
        return f"{self.url}/{key}"

    def put_tree(self, folder: Path, key: str) -> str:
        """Put the files below a folder there. Returns the address of the folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{key}/{path.relative_to(folder).as_posix()}", path)
        return f"{self.url}/{key}/"

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._ask("DELETE", f"/{self.name}/{quote(key)}")

    def _ask(self, method: str, path: str, body: bytes = b"") -> None:
        status, _, answer = _request(self.endpoint, method, path, body, _UNSIGNED)
        assert status < 300, answer


# moto asks for no signature to be right, but for one to name a service.
_UNSIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}


class FailingFront:
    """A server in front of the real one that passes on what it is asked, or fails as a test wants it to.

    Attributes:
        url: Its address.
        asked: Method and path of every request.
        answers: What is answered in place of the real server, one a request, before it is asked again.
        always: What is answered in its place each time that this gives a status.
    """

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self.reset()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                front.answer(self)

            do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = handle_any  # noqa: N815 - as the class wants them

            def log_message(self, *_: object) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def reset(self) -> None:
        """Pass everything on, and forget what was asked."""
        self.asked: list[str] = []
        self.answers: list[int | str] = []
        self.always: Callable[[str], int | str | None] = lambda asked: None

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        handler.close_connection = True
        asked = f"{handler.command} {handler.path}"
        self.asked.append(asked)
        wanted = self.answers.pop(0) if self.answers else self.always(asked)
        if wanted == "gone":
            return
        if isinstance(wanted, int):
            code = {403: "AccessDenied", 503: "ServiceUnavailable", 500: "InternalError"}[wanted]
            page = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as told</Message></Error>".encode()
            _send(handler, wanted, {"content-type": "application/xml"}, page, len(page))
            return
        status, headers, content = _request(self._behind, handler.command, handler.path, body, dict(handler.headers))
        sent = content[: len(content) // 2] if wanted == "half" else content
        _send(handler, status, headers, sent, len(content))


def _request(
    endpoint: str, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
    try:
        connection.request(method, path, body or None, {**headers, "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def _send(
    handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], content: bytes, announced: int
) -> None:
    handler.send_response_only(status)
    dropped = {"content-length", "connection", "transfer-encoding"}
    given = {name.lower(): value for name, value in headers.items()}
    length = given["content-length"] if handler.command == "HEAD" and "content-length" in given else str(announced)
    for name, value in {**{k: v for k, v in given.items() if k not in dropped}, "content-length": length}.items():
        handler.send_header(name, value)
    handler.send_header("connection", "close")
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the one server of this test run, started when the first test wants it."""
    own = tmp_path_factory.getbasetemp()
    in_parts = "PYTEST_XDIST_WORKER" in os.environ
    notes = (own.parent if in_parts else own) / "s3-endpoint.json"
    with FileLock(f"{notes}.lock"):
        if not notes.exists():
            notes.write_text(json.dumps(_start(os.getppid() if in_parts else os.getpid())))
    return str(json.loads(notes.read_text()))


@functools.cache
def _open_front(behind: str) -> FailingFront:
    """One for all tests: what talks to a store keeps its address, and takes a while to be made."""
    server = FailingFront(behind)
    threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket; ``s3://`` addresses lead to its server, with credentials that it takes."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "FSSPEC"))]:
        monkeypatch.delenv(name)
    server = _open_front(s3_endpoint)
    server.reset()
    settings = {"ENDPOINT_URL": server.url, "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "s3cret-of-tests"}
    for name, value in {**settings, "DEFAULT_REGION": "us-east-1", "EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", os.devnull)
    return Bucket(s3_endpoint)


@pytest.fixture
def front(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingFront]:
    """What stands between the program and the bucket's server, with no time lost before another try."""
    monkeypatch.setattr("detectattn.storage.requests.WAITS_S", (0.0, 0.0))
    monkeypatch.setattr("detectattn.storage.connect._S3_CONFIG", {"retries": {"total_max_attempts": 1}})
    server = _open_front(s3.endpoint)
    yield server
    server.reset()


@pytest.fixture
def new_session(s3: Bucket) -> Iterator[None]:
    """For a test that changes the settings of ``s3``: fsspec keeps file systems with those they were made with."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    yield
    S3FileSystem.clear_instance_cache()


def _start(until: int) -> str:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.object_store", str(until)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _serve(until: int) -> None:
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while True:
        time.sleep(0.5)
        try:
            os.kill(until, 0)
        except OSError:
            return


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
