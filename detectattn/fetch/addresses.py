"""Which addresses a fetch may go to: pure checks, and how a URL is shown without its secrets."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from enum import IntEnum
from urllib.parse import urlsplit

from detectattn.errors import ForbiddenAddress

Resolver = Callable[[str], Iterable[str]]

_NO_UTF8 = re.compile("[\ud800-\udfff]")  # what undecodable bytes of a command line or list become
# Prefixes whose last four bytes are an IPv4 address: compatible, translated and NAT64 (RFC 4291, 2765, 6052).
_WRAPPING = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
# Translators of a network of one's own (RFC 8215). Where in it the IPv4 address lies is for that network to choose.
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_DELIMITER = re.compile("([&;#=])")
_SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|signature|credential|api[_-]?key|auth|(?:^|\?)(?:sig|key)$", re.IGNORECASE
)


class Reach(IntEnum):
    """How far out an address lies. A redirect may lead outward or stay, never inward."""

    MACHINE = 0
    """This machine or its link: loopback, link-local (cloud metadata too), unspecified."""
    PRIVATE = 1
    """A private, shared or reserved network."""
    PUBLIC = 2
    """The internet."""


def classify_address(address: str) -> Reach:
    """How far out an IP address lies; an IPv4 address wrapped in IPv6 counts as what is inside.

    Args:
        address: IPv4 or IPv6 in text form, a zone (``%eth0``) allowed.

    Raises:
        ValueError: The text is not an IP address.
    """
    ip = ipaddress.ip_address(address)
    if ip.is_loopback or ip.is_link_local or ip.is_unspecified:
        return Reach.MACHINE
    if isinstance(ip, ipaddress.IPv6Address):
        if (inner := _unwrap(ip)) is not None:
            return classify_address(str(inner))
        if ip in _LOCAL_NAT64 or ip.is_site_local:
            return Reach.PRIVATE
    return Reach.PUBLIC if ip.is_global and not ip.is_multicast else Reach.PRIVATE


def _unwrap(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if any(ip in network for network in _WRAPPING):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def resolve_host(host: str) -> list[str]:
    """The IP addresses of a host name; none where it cannot be resolved (a proxy may still know it)."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(entry[4][0]) for entry in found]


def resolve_literal(host: str) -> list[str]:
    """The address of a host that needs no look-up, an IP address or ``localhost``; none of a name.

    Behind a proxy names are the proxy's to resolve, and asking for them here may take long and tell others.
    """
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return ["127.0.0.1"]
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return []


def classify_host(host: str, resolve: Resolver = resolve_host) -> Reach:
    """How far out the innermost of a host's addresses lies; public where none is known.

    Args:
        host: A name or an IP address, without brackets.
        resolve: From a name to its addresses.
    """
    return min((classify_address(address) for address in resolve(host)), default=Reach.PUBLIC)


def check_scheme(url: str) -> None:
    """Refuse everything but http and https.

    Raises:
        ForbiddenAddress: Another scheme, no host, or no address at all.
    """
    shown = redact_url(url)
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        raise ForbiddenAddress(
            f"{shown} is not fetched, for {scheme}: addresses are not allowed",
            hint="Use an http or https address, or the path of a local file",
        )
    if not re.match(r"https?://[^/?#]", url, re.IGNORECASE):
        raise ForbiddenAddress(f"{shown} names no host", hint="Write the address as https://host/path")
    try:
        urlsplit(url)
    except ValueError as error:
        raise ForbiddenAddress(f"{shown} is not a usable address ({error})", hint="Check its spelling") from error
    if _NO_UTF8.search(url):
        raise ForbiddenAddress(f"{shown} holds bytes that are no UTF-8", hint="Write the address in UTF-8")


def check_redirect(
    url: str, target: str, target_host: str, reach: Reach, resolve: Resolver = resolve_host, leads: str = "redirects to"
) -> None:
    """Refuse a redirect that leads to another scheme, to less security, or inward.

    Args:
        url: The address that redirects.
        target: Where it leads, absolute.
        target_host: The host of ``target``, as the HTTP client reads it.
        reach: How far out the redirecting server lies.
        resolve: From a name to its addresses.
        leads: What stands between the two addresses in a message.

    Raises:
        ForbiddenAddress: The redirect must not be followed.
    """
    shown = f"{redact_url(url)} {leads} {redact_url(target)}"
    if not target.lower().startswith(("http://", "https://")):
        raise ForbiddenAddress(f"{shown}, which is no http or https address", hint="Give the file's own address")
    if url.lower().startswith("https:") and not target.lower().startswith("https:"):
        raise ForbiddenAddress(
            f"{shown}, which is not encrypted while the first address was",
            hint="Give the second address itself if an unencrypted transfer is what you want",
        )
    if classify_host(target_host, resolve) < reach:
        raise inward_error(shown)


def inward_error(shown: str) -> ForbiddenAddress:
    """The error for a server that leads to an address further inward than its own."""
    return ForbiddenAddress(
        f"{shown}, an address inside your network or machine, which a server outside it must not reach through you",
        hint="Give that inner address itself if you trust it",
    )


def redact_url(url: str) -> str:
    """The URL with credentials, and query values that look like secrets, replaced by ``***``.

    >>> redact_url("rtsp://admin:secret@10.0.0.7/live")
    'rtsp://***@10.0.0.7/live'
    >>> redact_url("https://host/a.jpg?width=640&token=abc")
    'https://host/a.jpg?width=640&token=***'
    """
    head, separator, rest = url.partition("://")
    if not separator:
        return url
    return f"{head}://{_mask_parameters(_without_userinfo(rest))}"


def _mask_parameters(rest: str) -> str:
    # In pieces: one expression for it all would take quadratic time on what a server may answer.
    pieces = _DELIMITER.split(rest)
    hidden = False
    for at in range(0, len(pieces), 2):
        before = pieces[at - 1] if at else ""
        hidden = hidden and before.startswith("=")
        if hidden:
            pieces[at - 1 : at + 1] = ["" if before == "=" else before, ""]
        else:
            name = pieces[at] if before in ("&", ";") else pieces[at].partition("?")[2]
            hidden = pieces[at + 1 : at + 2] == ["="] and _SECRET_NAME.search(name) is not None
            if hidden:
                pieces[at + 1] = "=***"
    return "".join(pieces)


def _without_userinfo(rest: str) -> str:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return "***@" + rest[authority.rindex("@") + 1 :]
    # A password with an unescaped / ? or # ends the authority early: what follows the colon is then no port.
    port = authority.partition(":")[2]
    if port and not port.isdigit() and not authority.startswith("[") and "@" in rest:
        return "***@" + rest.partition("@")[2]
    return rest
