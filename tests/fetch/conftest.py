from __future__ import annotations

from tests.own_certificate import certificate

__all__ = ["certificate"]
