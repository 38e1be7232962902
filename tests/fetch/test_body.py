from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from detectattn import __version__
from detectattn.errors import (
    ConnectionFailed,
    DetectattnError,
    FetchTimedOut,
    FetchTooLarge,
    ForbiddenAddress,
    HttpStatus,
    Offline,
)
from detectattn.fetch import FetchLimits, addresses, connection, fetch_bytes, open_body
from detectattn.fetch.addresses import Reach
from tests.own_certificate import use_certificate

LIMITS = FetchLimits(max_bytes=100_000, total_s=5, connect_s=2, idle_s=2)
QUICK = FetchLimits(max_bytes=100_000, total_s=0.3, connect_s=2, idle_s=2)


def test_a_body_comes_with_its_type_and_final_address(http_server: Any) -> None:
    http_server.serve("/real.jpg", b"picture", content_type="Image/JPEG; charset=x")
    url = http_server.redirect("/bus.jpg", "/real.jpg")
    body = fetch_bytes(url, LIMITS)
    assert (body.content, body.content_type) == (b"picture", "image/jpeg")
    assert body.final_url == f"{http_server.url}/real.jpg"


def test_the_request_says_who_asks_and_wants_no_compression(http_server: Any) -> None:
    fetch_bytes(http_server.serve("/a", b"x"), LIMITS)
    _, headers = http_server.requests[0]
    assert headers["user-agent"] == f"detectattn/{__version__}"
    assert headers["accept-encoding"] == "identity"
    assert "authorization" not in headers


def test_credentials_go_to_the_host_they_are_for_and_into_no_message(http_server: Any) -> None:
    http_server.serve("/b", status=401)
    http_server.redirect("/a", "/b")
    other = http_server.url.replace("127.0.0.1", "localhost")
    http_server.redirect("/away", f"{other}/b")
    url = http_server.url.replace("http://", "http://me:hunter2@")
    for path in ("/a", "/away"):
        with pytest.raises(HttpStatus) as caught:
            fetch_bytes(url + path, LIMITS)
        assert "hunter2" not in str(caught.value)
    sent = [(path, "authorization" in headers) for path, headers in http_server.requests]
    assert sent == [("/a", True), ("/b", True), ("/away", True), ("/b", False)]


def test_offline_refuses_before_anything_is_sent(http_server: Any) -> None:
    url = http_server.serve("/a", b"x")
    with pytest.raises(Offline):
        fetch_bytes(url, LIMITS, offline=True)
    assert http_server.requests == []


@pytest.mark.parametrize(("status", "hint"), [(404, "typing error"), (401, "user"), (503, "later")])
def test_an_error_status_is_named_with_what_to_do(http_server: Any, status: int, hint: str) -> None:
    with pytest.raises(HttpStatus) as caught:
        fetch_bytes(http_server.serve("/a", status=status), LIMITS)
    assert str(status) in caught.value.problem
    assert hint in caught.value.hint


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:image/png;base64,AA"])
def test_a_redirect_to_another_scheme_is_refused(http_server: Any, target: str) -> None:
    with pytest.raises(ForbiddenAddress):
        fetch_bytes(http_server.redirect("/a", target), LIMITS)


def test_endless_redirects_end(http_server: Any) -> None:
    with pytest.raises(ForbiddenAddress, match="10 times"):
        fetch_bytes(http_server.redirect("/a", "/a"), LIMITS)
    assert len(http_server.requests) == 11


def test_a_public_server_may_not_redirect_inward(http_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server plays a public one; localhost stays what it is.
    monkeypatch.setattr(connection, "classify_address", lambda _: Reach.PUBLIC)
    http_server.serve("/secret", b"x")
    url = http_server.redirect("/a", http_server.url.replace("127.0.0.1", "localhost") + "/secret")
    with pytest.raises(ForbiddenAddress, match="inside your network"):
        fetch_bytes(url, LIMITS)
    assert [path for path, _ in http_server.requests] == ["/a"]


def test_a_name_that_resolves_differently_when_dialled_is_caught(
    http_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reaches = iter([Reach.PUBLIC, Reach.MACHINE])
    monkeypatch.setattr(connection, "classify_address", lambda _: next(reaches))
    monkeypatch.setattr(addresses, "classify_host", lambda *_: Reach.PUBLIC)
    http_server.serve("/secret", b"x")
    url = http_server.redirect("/a", "/secret")
    with pytest.raises(ForbiddenAddress, match=r"answers at 127\.0\.0\.1"):
        fetch_bytes(url, LIMITS)
    assert [path for path, _ in http_server.requests] == ["/a"], "nothing is sent to the inner address"


def _drip_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopping.wait(0.02):
        handler.wfile.write(b".")


def _drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.stopping.wait(0.02):
        handler.wfile.write(b"X-Slow: 1\r\n")


@pytest.mark.parametrize("drip", [_drip_body, _drip_headers])
def test_a_server_that_drips_is_given_up_in_time(http_server: Any, drip: Any) -> None:
    http_server.http.stopping = http_server.stopping
    http_server.routes["/a"] = drip
    begin = time.monotonic()
    with pytest.raises(FetchTimedOut, match=r"0\.3 s"):
        fetch_bytes(f"{http_server.url}/a", QUICK)
    assert time.monotonic() - begin < 2


def test_a_server_that_says_nothing_is_given_up(http_server: Any) -> None:
    http_server.routes["/a"] = lambda _: http_server.stopping.wait(5)
    limits = FetchLimits(total_s=5, idle_s=0.2)
    with pytest.raises(FetchTimedOut, match=r"sent nothing for 0\.2 s"):
        fetch_bytes(f"{http_server.url}/a", limits)


def test_an_announced_size_over_the_limit_is_not_read(http_server: Any) -> None:
    url = http_server.serve("/a", b"", content_length="100001")
    with pytest.raises(FetchTooLarge, match="100 kB"):
        fetch_bytes(url, LIMITS)


def test_a_body_without_end_is_cut_at_the_limit(http_server: Any) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(10_000))

    http_server.routes["/a"] = endless
    with pytest.raises(FetchTooLarge):
        fetch_bytes(f"{http_server.url}/a", LIMITS)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compression_nobody_asked_for_is_undone_within_the_limit(
    http_server: Any, encoding: str, compress: Any
) -> None:
    content = os.urandom(50_000)
    url = http_server.serve("/a", compress(content), content_encoding=encoding)
    assert fetch_bytes(url, LIMITS).content == content
    bomb = http_server.serve("/bomb", compress(bytes(50_000_000)), content_encoding=encoding)
    with pytest.raises(FetchTooLarge, match="more arrived"):
        fetch_bytes(bomb, LIMITS)


@pytest.mark.parametrize(
    ("encoding", "body"), [("br", b"x"), ("gzip", b"not gzip"), ("gzip", gzip.compress(os.urandom(5000))[:-900])]
)
def test_an_unknown_or_damaged_encoding_is_an_error(http_server: Any, encoding: str, body: bytes) -> None:
    with pytest.raises(ConnectionFailed):
        fetch_bytes(http_server.serve("/a", body, content_encoding=encoding), LIMITS)


def test_a_body_that_breaks_off_is_an_error(http_server: Any) -> None:
    with pytest.raises(ConnectionFailed, match="broke off"):
        fetch_bytes(http_server.serve("/a", b"half", content_length="8"), LIMITS)


def test_a_refused_connection_is_named(refusing_url: str) -> None:
    with pytest.raises(ConnectionFailed, match=r"refused.*HTTPS_PROXY"):
        fetch_bytes(f"{refusing_url}/a", LIMITS)


@pytest.mark.parametrize("url", ["http://exa mple/a", "http://127.0.0.1:99999/a", "http://[::1/a", "http://\x00/"])
def test_an_unusable_address_is_one_of_our_errors(http_server: Any, url: str) -> None:
    with pytest.raises(DetectattnError):
        fetch_bytes(url, LIMITS)


def test_a_proxy_is_used_and_no_proxy_honoured(http_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    http_server.serve("http://pictures.example/a.jpg", b"through the proxy")
    monkeypatch.setenv("http_proxy", http_server.url)
    assert fetch_bytes("http://pictures.example/a.jpg", LIMITS).content == b"through the proxy"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert fetch_bytes(http_server.serve("/b", b"direct"), LIMITS).content == b"direct"


def test_a_redirect_through_a_proxy_is_followed_without_looking_names_up(
    http_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", http_server.url)
    monkeypatch.setattr(socket, "getaddrinfo", _resolve_only_loopback)
    http_server.redirect("http://pictures.example/a", "http://cdn.example/b")
    http_server.serve("http://cdn.example/b", b"picture")
    assert fetch_bytes("http://pictures.example/a", LIMITS).content == b"picture"
    for inner in ("127.0.0.1", "[::1]", "localhost", "192.168.0.1", "169.254.169.254"):
        http_server.redirect("http://pictures.example/in", f"http://{inner}/secret")
        with pytest.raises(ForbiddenAddress, match="inside your network"):
            fetch_bytes("http://pictures.example/in", LIMITS)


def _resolve_only_loopback(host: str, *rest: Any, **options: Any) -> Any:
    assert host == "127.0.0.1", f"{host} was looked up"
    return _getaddrinfo(host, *rest, **options)


_getaddrinfo = socket.getaddrinfo


def test_a_certificate_file_that_cannot_be_read_is_named(
    http_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    for name in ("bad.pem", "missing.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / name))
        with pytest.raises(ConnectionFailed, match=name):
            fetch_bytes(http_server.serve("/a", b"x"), LIMITS)


def test_a_proxy_that_cannot_be_used_is_named(http_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://127.0.0.1:9")
    with pytest.raises(ConnectionFailed, match="HTTPS_PROXY"):
        fetch_bytes(http_server.serve("/b", b"x"), LIMITS)


def test_a_certificate_is_verified_and_ssl_cert_file_honoured(
    http_server: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = http_server.serve("/a", b"secret")
    url = f"{use_certificate(http_server, certificate)}/a"
    with pytest.raises(ConnectionFailed, match=r"certificate.*SSL_CERT_FILE"):
        fetch_bytes(url, LIMITS)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch_bytes(url, LIMITS).content == b"secret"
    http_server.redirect("/down", plain)
    with pytest.raises(ForbiddenAddress, match="not encrypted"):
        fetch_bytes(url.replace("/a", "/down"), LIMITS)


def test_the_head_can_be_read_without_the_rest(http_server: Any) -> None:
    http_server.serve("/a", b"x" * 90_000)
    with open_body(f"{http_server.url}/a", LIMITS) as body:
        assert body.length == 90_000
        assert next(body.chunks).startswith(b"x")


def test_httpx_is_imported_only_when_something_is_fetched() -> None:
    code = "import sys, detectattn.fetch; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
