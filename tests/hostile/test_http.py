"""Servers that answer with what no browser was made for. Each answer is one of our errors, in time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from detectattn.errors import FetchError
from detectattn.fetch import FetchLimits, fetch_bytes

LIMITS = FetchLimits(max_bytes=100_000, total_s=1, idle_s=1, connect_s=1)
pytestmark = pytest.mark.usefixtures("limited")
Talk = Callable[[socket.socket, threading.Event], None]


@pytest.fixture
def talker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Talk], str]]:
    """Serves one connection after another by what it is given; its address."""
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    ended = threading.Event()
    servers, threads = list[socket.socket](), list[threading.Thread]()

    def start(talk: Talk) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        server.settimeout(0.1)
        servers.append(server)

        def accept() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    connection, _ = server.accept()
                    with connection:
                        connection.settimeout(5)
                        connection.recv(65536)
                        talk(connection, ended)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        threads.append(thread)
        return f"http://127.0.0.1:{server.getsockname()[1]}/a.jpg"

    yield start
    ended.set()
    for thread in threads:
        thread.join()
    for server in servers:
        server.close()


def _say(answer: bytes) -> Talk:
    return lambda connection, _: connection.sendall(answer)


def _repeat(first: bytes, again: bytes, pause_s: float = 0.0) -> Talk:
    def talk(connection: socket.socket, ended: threading.Event) -> None:
        connection.sendall(first)
        while not ended.wait(pause_s) if pause_s else not ended.is_set():
            connection.sendall(again)

    return talk


OK = b"HTTP/1.1 200 OK\r\n"
TALKS: dict[str, Talk] = {
    "headers without end": _repeat(OK, b"X-A: " + b"a" * 4000 + b"\r\n"),
    "one header without end": _repeat(OK + b"X-A: ", b"a" * 4000),
    "headers that drip": _repeat(OK, b"X-A: a\r\n", 0.2),
    "interim answers without end": _repeat(b"", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
    "a body without end": _repeat(OK + b"\r\n", b"a" * 4000),
    "a body that drips": _repeat(OK + b"\r\n", b"a", 0.2),
    "chunks of one byte that drip": _repeat(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", 0.2),
    "a chunk of all bytes there are": _say(OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\naaa"),
    "a chunk of no size": _say(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\naaa"),
    "trailers without end": _repeat(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: " + b"a" * 4000 + b"\r\n"),
    "a length of 5000 digits": _say(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
    "a length below zero": _say(OK + b"Content-Length: -1\r\n\r\naaa"),
    "two lengths": _say(OK + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\naaa"),
    "less than announced": _say(OK + b"Content-Length: 100\r\n\r\naaa"),
    "no HTTP": _say(b"220 smtp.example ESMTP\r\n"),
    "nothing": _say(b""),
    "a status of no kind": _say(b"HTTP/1.1 999 \x1b[31mRed\r\nContent-Length: 0\r\n\r\n"),
    "compression twice": _say(OK + b"Content-Encoding: gzip, gzip\r\nContent-Length: 3\r\n\r\naaa"),
    "compression that is none": _say(OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\naaa"),
    "a redirect to itself": _say(b"HTTP/1.1 302 Found\r\nLocation: /a.jpg\r\nContent-Length: 0\r\n\r\n"),
    "a redirect to a file": _say(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
    "a redirect to no name": _say(b"HTTP/1.1 302 Found\r\nLocation: http://xn--bch19er-kva.example/\r\n\r\n"),
    "a redirect to no address": _say(b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n"),
    "a redirect to no port": _say(b"HTTP/1.1 302 Found\r\nLocation: http://host:99999/\r\n\r\n"),
    "a redirect with a new line": _say(b"HTTP/1.1 302 Found\r\nLocation: /a\rb\r\n\r\n"),
}


@pytest.mark.parametrize("name", TALKS)
def test_a_hostile_answer_is_an_error(name: str, talker: Callable[[Talk], str]) -> None:
    with pytest.raises(FetchError) as caught:
        fetch_bytes(talker(TALKS[name]), LIMITS)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 3200


def test_the_server_of_these_tests_can_be_read(talker: Callable[[Talk], str]) -> None:
    assert fetch_bytes(talker(_say(OK + b"Content-Length: 3\r\n\r\nabc")), LIMITS).content == b"abc"
