"""How much and how long a fetch may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What a fetch may cost.

    Attributes:
        max_bytes: Refuse a body larger than this, counted as sent and again after decompression.
        total_s: Give up when the whole fetch (redirects, retries, a server that drips) takes longer than this.
        connect_s: Give up when a connection is not made within this.
        idle_s: Give up when nothing arrives for this long.
        redirects: How many redirects are followed.
        retries: How often a file that broke off is taken up again before the error is raised.
        retry_wait_s: Pause before the first of those retries; it doubles each time.
    """

    max_bytes: int = 2_000_000_000
    total_s: float = 600.0
    connect_s: float = 15.0
    idle_s: float = 30.0
    redirects: int = 10
    retries: int = 3
    retry_wait_s: float = 1.0

    def __post_init__(self) -> None:
        if min(self.max_bytes, self.total_s, self.connect_s, self.idle_s) <= 0:
            raise ValueError(f"every limit must be positive, got {self}")


def format_bytes(count: int) -> str:
    """A size for people, three significant digits: ``66.5 MB``."""
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"
