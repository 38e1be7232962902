from __future__ import annotations

from tests.object_store import front, new_session, s3, s3_endpoint

__all__ = ["front", "new_session", "s3", "s3_endpoint"]
