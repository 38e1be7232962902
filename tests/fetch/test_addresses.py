from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectattn.errors import ForbiddenAddress
from detectattn.fetch.addresses import (
    Reach,
    check_redirect,
    check_scheme,
    classify_address,
    classify_host,
    redact_url,
)

NAMES = {
    "public.example": ["93.184.216.34", "2606:2800:220:1::1"],
    "camera.lan": ["192.168.1.20"],
    "localhost": ["127.0.0.1", "::1"],
    "metadata.example": ["169.254.169.254"],
    "half.example": ["93.184.216.34", "10.0.0.1"],
    "unknown.example": [],
}


def resolve(host: str) -> list[str]:
    return NAMES.get(host, [host])


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("127.0.0.1", Reach.MACHINE),
        ("127.8.9.1", Reach.MACHINE),
        ("::1", Reach.MACHINE),
        ("0.0.0.0", Reach.MACHINE),
        ("169.254.169.254", Reach.MACHINE),
        ("fe80::1%eth0", Reach.MACHINE),
        ("::ffff:127.0.0.1", Reach.MACHINE),
        ("2002:7f00:0001::", Reach.MACHINE),
        ("64:ff9b::7f00:1", Reach.MACHINE),
        ("::127.0.0.1", Reach.MACHINE),
        ("::ffff:0:127.0.0.1", Reach.MACHINE),
        ("::", Reach.MACHINE),
        ("64:ff9b:1::7f00:1", Reach.PRIVATE),
        ("64:ff9b:1:a00:1::", Reach.PRIVATE),
        ("fec0::1", Reach.PRIVATE),
        ("::10.0.0.1", Reach.PRIVATE),
        ("::ffff:0:10.0.0.1", Reach.PRIVATE),
        ("10.1.2.3", Reach.PRIVATE),
        ("192.168.0.1", Reach.PRIVATE),
        ("172.31.255.255", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd00::1", Reach.PRIVATE),
        ("::ffff:192.168.0.1", Reach.PRIVATE),
        ("224.0.0.1", Reach.PRIVATE),
        ("240.0.0.1", Reach.PRIVATE),
        ("8.8.8.8", Reach.PUBLIC),
        ("172.32.0.1", Reach.PUBLIC),
        ("2606:4700::1111", Reach.PUBLIC),
        ("64:ff9b::808:808", Reach.PUBLIC),
    ],
)
def test_an_address_is_classified_by_how_far_out_it_lies(address: str, reach: Reach) -> None:
    assert classify_address(address) is reach


def test_a_host_counts_as_its_innermost_address() -> None:
    assert classify_host("half.example", resolve) is Reach.PRIVATE
    assert classify_host("unknown.example", resolve) is Reach.PUBLIC


@pytest.mark.parametrize(
    ("url", "target", "host", "reach"),
    [
        ("http://public.example/a", "http://localhost/x", "localhost", Reach.PUBLIC),
        ("http://public.example/a", "http://camera.lan/x", "camera.lan", Reach.PUBLIC),
        ("http://public.example/a", "http://[::1]/x", "::1", Reach.PUBLIC),
        ("http://public.example/a", "http://metadata.example/x", "metadata.example", Reach.PUBLIC),
        ("http://public.example/a", "http://half.example/x", "half.example", Reach.PUBLIC),
        ("http://camera.lan/a", "http://metadata.example/x", "metadata.example", Reach.PRIVATE),
        ("https://public.example/a", "http://public.example/a", "public.example", Reach.PUBLIC),
        ("http://public.example/a", "file:///etc/passwd", "", Reach.PUBLIC),
        ("http://public.example/a", "ftp://public.example/x", "public.example", Reach.PUBLIC),
        ("http://public.example/a", "data:image/png;base64,AA", "", Reach.PUBLIC),
    ],
)
def test_a_redirect_inward_or_to_less_security_is_refused(url: str, target: str, host: str, reach: Reach) -> None:
    with pytest.raises(ForbiddenAddress) as caught:
        check_redirect(url, target, host, reach, resolve)
    assert url in str(caught.value)


@pytest.mark.parametrize(
    ("url", "target", "host", "reach"),
    [
        ("http://public.example/a", "https://public.example/b", "public.example", Reach.PUBLIC),
        ("http://camera.lan/a", "http://camera.lan/b", "camera.lan", Reach.PRIVATE),
        ("http://camera.lan/a", "http://public.example/b", "public.example", Reach.PRIVATE),
        ("http://localhost/a", "http://camera.lan/b", "camera.lan", Reach.MACHINE),
        ("http://localhost/a", "http://localhost:81/b", "localhost", Reach.MACHINE),
    ],
)
def test_a_redirect_outward_or_sideways_is_followed(url: str, target: str, host: str, reach: Reach) -> None:
    assert check_redirect(url, target, host, reach, resolve) is None


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/a.jpg", "data:image/png;base64,AA", "gopher://h/"])
def test_other_schemes_are_refused_by_name(url: str) -> None:
    with pytest.raises(ForbiddenAddress, match=url.partition(":")[0]):
        check_scheme(url)


@pytest.mark.parametrize("url", ["http://", "https:///a.jpg", "http:/host/a.jpg", "https://?a"])
def test_an_address_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress, match="no host"):
        check_scheme(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/a.jpg", "https://host/a.jpg"),
        ("https://user:pass@host/a.jpg", "https://***@host/a.jpg"),
        ("https://user@host/a.jpg", "https://***@host/a.jpg"),
        ("rtsp://admin:p@ss@10.0.0.7:554/live", "rtsp://***@10.0.0.7:554/live"),
        ("rtsp://admin:p/a?s#s@10.0.0.7/live", "rtsp://***@10.0.0.7/live"),
        ("https://host:8080/photo@2x.jpg", "https://host:8080/photo@2x.jpg"),
        ("https://[::1]:80/photo@2x.jpg", "https://[::1]:80/photo@2x.jpg"),
        ("https://host/a?width=640&token=abc&b=1", "https://host/a?width=640&token=***&b=1"),
        ("https://host/a?X-Amz-Signature=abc#f", "https://host/a?X-Amz-Signature=***#f"),
        ("http://cam/snap?usr=me&pwd=x;y=2", "http://cam/snap?usr=me&pwd=***;y=2"),
        ("https://host/a?monkey=1&key=2&sig=3", "https://host/a?monkey=1&key=***&sig=***"),
        ("street/bus.jpg", "street/bus.jpg"),
    ],
)
def test_credentials_are_not_shown(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@given(
    user=st.text(st.characters(categories=["L", "Nd"]), min_size=1),
    secret=st.text(st.characters(categories=["L", "P", "S"]), min_size=1).map(lambda text: f"S3{text}CR3T"),
)
def test_no_password_survives(user: str, secret: str) -> None:
    shown = redact_url(f"https://{user}:{secret}@host.example/a.jpg")
    assert "S3" not in shown or "CR3T" not in shown
    assert shown.endswith("host.example/a.jpg")
