"""The only HTTP in the project: one picture into memory, one file to disk, or a body as it arrives.

Every fetch has the same manners: http and https only, redirects followed by hand and re-checked, limits on bytes and
on time, certificates verified, ``HTTPS_PROXY``, ``NO_PROXY`` and ``SSL_CERT_FILE`` honoured, nothing sent but the
request. httpx is imported when a fetch happens, not before.
"""

from __future__ import annotations

from detectattn.fetch.addresses import check_scheme, redact_url
from detectattn.fetch.body import FetchedBody, OpenedBody, fetch_bytes, open_body
from detectattn.fetch.connection import Origin
from detectattn.fetch.file import OnProgress, fetch_file
from detectattn.fetch.limits import FetchLimits, format_bytes
from detectattn.fetch.live import LiveBody
from detectattn.fetch.partial import PartialFile
from detectattn.fetch.place import FetchedFile, compute_sha256, place_file

__all__ = [
    "FetchLimits",
    "FetchedBody",
    "FetchedFile",
    "LiveBody",
    "OnProgress",
    "OpenedBody",
    "Origin",
    "PartialFile",
    "check_scheme",
    "compute_sha256",
    "fetch_bytes",
    "fetch_file",
    "format_bytes",
    "open_body",
    "place_file",
    "redact_url",
]
