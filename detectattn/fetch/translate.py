"""From the HTTP client's errors to this project's: what failed, why, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detectattn.errors import ConnectionFailed, FetchError, FetchTimedOut, ForbiddenAddress, HttpStatus
from detectattn.fetch.addresses import redact_url
from detectattn.fetch.limits import FetchLimits

if TYPE_CHECKING:
    import httpx

_STATUS_HINTS = {
    401: "Put the user and password into the address, as https://user:password@host/path",
    403: "Check that the address may be read without a login",
    404: "Check the address for a typing error",
    407: "Put the proxy's user and password into HTTPS_PROXY",
    410: "It is gone for good; look for a new address",
    429: "Wait a while and try again",
}


def check_status(response: httpx.Response, url: str, also_accept: frozenset[int]) -> None:
    """Refuse an answer that is an error, unless its status is one of those that are accepted.

    Raises:
        HttpStatus: It is.
    """
    status = response.status_code
    if 200 <= status < 300 or status in also_accept:
        return
    fallback = "Try again later" if status >= 500 else "Check the address"
    raise HttpStatus(
        f"{redact_url(url)} answered {status} {response.reason_phrase}".rstrip(),
        hint=_STATUS_HINTS.get(status, fallback),
    )


def timed_out(url: str, limits: FetchLimits) -> FetchTimedOut:
    """The error for a fetch that took longer than it may in all."""
    return FetchTimedOut(
        f"{redact_url(url)} was not complete after {limits.total_s:g} s",
        hint="Try again on a faster connection, or download it by other means and give the local file",
    )


def translate_error(error: Exception, url: str, limits: FetchLimits) -> FetchError:
    """The error of this project for one of the HTTP client's."""
    import httpx

    shown = redact_url(url)
    match error:
        case httpx.ConnectTimeout():
            problem = f"{shown} was not reached within {limits.connect_s:g} s"
            return FetchTimedOut(problem, hint="Check the address and the network, then try again")
        case httpx.TimeoutException():
            problem = f"{shown} sent nothing for {limits.idle_s:g} s"
            return FetchTimedOut(problem, hint="Try again later")
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return ForbiddenAddress(f"{shown} is not a usable address ({error})", hint="Check its spelling")
        case httpx.ProxyError():
            return ConnectionFailed(f"The proxy refused {shown} ({error})", hint="Check HTTPS_PROXY and NO_PROXY")
        case httpx.ConnectError():
            return _explain_connect_error(str(error), shown)
        case _:
            return ConnectionFailed(f"The transfer of {shown} broke off ({error})", hint="Try again")


def _explain_connect_error(reason: str, shown: str) -> ConnectionFailed:
    lowered = reason.lower()
    if "certificate" in lowered:
        hint = (
            "If your network or server uses a certificate of its own, point SSL_CERT_FILE at it; otherwise distrust it"
        )
        return ConnectionFailed(f"The certificate of {shown} cannot be verified ({reason})", hint=hint)
    if "ssl" in lowered:
        return ConnectionFailed(
            f"No encrypted connection to {shown} ({reason})", hint="Check whether it is https at all"
        )
    if "name" in lowered or "getaddrinfo" in lowered:
        hint = "Check the spelling and the network; behind a proxy set HTTPS_PROXY"
        return ConnectionFailed(f"The host of {shown} was not found ({reason})", hint=hint)
    hint = "Check the address and the network; behind a proxy set HTTPS_PROXY"
    return ConnectionFailed(f"No connection to {shown} ({reason})", hint=hint)
