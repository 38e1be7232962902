from __future__ import annotations

from tests.object_store import front, new_session, s3, s3_endpoint
from tests.own_certificate import certificate

__all__ = ["certificate", "front", "new_session", "s3", "s3_endpoint"]
