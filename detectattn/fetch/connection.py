"""One request and its redirects: every hop checked, every connection under one clock, every failure named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from detectattn import __version__
from detectattn.errors import ConnectionFailed, ForbiddenAddress, Offline
from detectattn.fetch.addresses import (
    Reach,
    check_redirect,
    check_scheme,
    classify_address,
    classify_host,
    inward_error,
    redact_url,
    resolve_host,
    resolve_literal,
)
from detectattn.fetch.clock import Clock
from detectattn.fetch.limits import FetchLimits
from detectattn.fetch.translate import check_status, timed_out, translate_error

if TYPE_CHECKING:
    import ssl

    import httpx

_OWN_ADDRESS = "Give the file's own address"


@dataclass(frozen=True, slots=True)
class Origin:
    """An answer that may name other addresses.

    Attributes:
        url: Where it came from, unredacted.
        reach: How far out that lies, or the farthest on the way there.
        is_proxied: Whether a proxy fetched it, which looks names up itself.
    """

    url: str
    reach: Reach
    is_proxied: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's final answer, its body not yet read.

    Attributes:
        response: The open response.
        origin: Where it came from, after redirects.
        clock: The fetch's time.
        is_redirected: Whether that is another address than the first.
    """

    response: httpx.Response
    origin: Origin
    clock: Clock
    is_redirected: bool

    @property
    def final_url(self) -> str:
        """The address after redirects, unredacted."""
        return self.origin.url

    @property
    def content_type(self) -> str:
        """The media type it claims, in lower case without parameters; empty where it claims none."""
        return str(self.response.headers.get("content-type", "")).partition(";")[0].strip().lower()


class _PeerGuard:
    """Looks at each connection as it is made, before anything is sent over it (httpx's ``trace`` extension).

    The address is that of the connection itself, so a name that resolves to something else the second time (DNS
    rebinding) is caught. A connection to another host than the URL's goes to a proxy, which resolves names itself.
    """

    def __init__(self, host: str, least: Reach, clock: Clock) -> None:
        self._host = host
        self._least = least
        self._clock = clock
        self._dialled = ""
        self.reach: Reach | None = None

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.started"):
            self._dialled = str(info["host"])
        elif event.endswith("connect_tcp.complete"):
            self._clock.watch(info["return_value"].get_extra_info("socket"))
            if self._dialled.lower() == self._host.lower():
                self._check(info["return_value"])

    def _check(self, stream: Any) -> None:
        address = str(stream.get_extra_info("server_addr")[0])
        self.reach = classify_address(address)
        if self.reach < self._least:
            stream.close()
            raise inward_error(f"Another server's answer led to {self._host}, which answers at {address}")


@contextmanager
def open_response(
    url: str,
    limits: FetchLimits,
    *,
    offline: bool = False,
    headers: Mapping[str, str] | None = None,
    also_accept: frozenset[int] = frozenset(),
    origin: Origin | None = None,
) -> Iterator[Answer]:
    """Send a GET and follow its redirects; yield the answer with its body unread.

    Errors of the HTTP client that happen while the caller reads the body are translated too.

    Args:
        url: An http or https address; a private one is fine here, where the user named it.
        limits: Time and redirects.
        offline: Refuse before anything is sent.
        headers: Sent along, on every hop.
        also_accept: Status codes of 400 and above that the caller wants to see.
        origin: The answer that named the address, where the user did not; it is held to the rules of redirects.

    Raises:
        FetchError: Any of its leaves.
    """
    check_scheme(url)
    if offline:
        raise Offline(
            f"{redact_url(url)} was not fetched, for the network is forbidden (--offline)",
            hint="Leave --offline out, or give a local file",
        )
    # The client comes first: what it takes to load is not the server's time.
    with _open_client(limits) as client, Clock(limits.total_s) as clock, translate_client_errors(url, limits, clock):
        answer = _follow(client, url, limits, clock, headers or {}, origin)
        try:
            check_status(answer.response, answer.final_url, also_accept)
            yield answer
        finally:
            answer.response.close()


@contextmanager
def translate_client_errors(url: str, limits: FetchLimits, clock: Clock) -> Iterator[None]:
    """Turn the HTTP client's errors into this project's."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise (timed_out(url, limits) if clock.expired else translate_error(error, url, limits)) from error


def _open_client(limits: FetchLimits) -> httpx.Client:
    import httpx

    try:
        return httpx.Client(
            verify=_load_tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            timeout=httpx.Timeout(limits.idle_s, connect=limits.connect_s),
            headers={"User-Agent": f"detectattn/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"},
            # One connection a hop, so that each hop's address is looked at.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ConnectionFailed(
            f"The proxy named in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used ({error})",
            hint="Correct or unset that variable; a SOCKS proxy needs pip install 'httpx[socks]'",
        ) from error


@cache
def _load_tls(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    # Reading the certificates takes longer than a small picture; the variables are the key to the cache.
    import httpx

    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConnectionFailed(
            f"The certificates in {cert_file or cert_dir or 'the default bundle'} cannot be read ({error})",
            hint="Correct or unset SSL_CERT_FILE and SSL_CERT_DIR",
        ) from error


def _follow(
    client: httpx.Client,
    url: str,
    limits: FetchLimits,
    clock: Clock,
    headers: Mapping[str, str],
    origin: Origin | None,
) -> Answer:
    here, least = _to_address(url), Reach.MACHINE
    if origin is not None:
        least = origin.reach
        _check_hop(origin, here, "names")
    for hop in range(limits.redirects + 1):
        guard = _PeerGuard(here.raw_host.decode("ascii"), least, clock)
        request = client.build_request("GET", here, headers=dict(headers), extensions={"trace": guard})
        try:
            response = client.send(request, stream=True)
        except ValueError as error:  # the client looks at where an answer leads before anyone asks it to go there
            shown = redact_url(str(here))
            raise ForbiddenAddress(f"{shown} leads to no usable address ({error})", hint=_OWN_ADDRESS) from error
        is_proxied = guard.reach is None
        least = max(least, classify_host(here.host, resolve_literal) if guard.reach is None else guard.reach)
        found = Origin(str(here), least, is_proxied)
        if not response.has_redirect_location:
            return Answer(response, found, clock, is_redirected=hop > 0)
        response.close()
        there = _to_address(response.headers["location"], here)
        _check_hop(found, there, "redirects to")
        here = there
    raise ForbiddenAddress(f"{redact_url(url)} redirects more than {limits.redirects} times", hint=_OWN_ADDRESS)


def _check_hop(origin: Origin, there: httpx.URL, leads: str) -> None:
    resolve = resolve_literal if origin.is_proxied else resolve_host
    check_redirect(origin.url, str(there), there.host, origin.reach, resolve, leads)


def _to_address(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """An address, relative to ``base`` if that is given, whose host can be read.

    Raises:
        ForbiddenAddress: It is none.
    """
    import httpx

    try:
        address = httpx.URL(text) if base is None else base.join(text)
        # An international name is decoded here, and may be none.
        if not address.host:
            raise ValueError("it names no host")
        return address
    except (httpx.InvalidURL, ValueError) as error:
        shown = redact_url(text) if base is None else f"{redact_url(str(base))} redirects to {redact_url(text)}, which"
        raise ForbiddenAddress(f"{shown} is not a usable address ({error})", hint="Check its spelling") from error
