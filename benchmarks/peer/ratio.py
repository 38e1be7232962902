"""From times taken in turn to a ratio with its spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Ratio:
    """Our time over the peer's.

    Attributes:
        ours_s: Median of ours, in seconds.
        peer_s: Median of the peer's, in seconds.
        value: Median of the ratios of each round.
        low: The smallest of them.
        high: The largest of them.
    """

    ours_s: float
    peer_s: float
    value: float
    low: float
    high: float

    def meets(self, limit: float) -> bool:
        """Whether the ratio is within the limit."""
        return self.value <= limit


def compute_ratio(ours_s: Sequence[float], peer_s: Sequence[float]) -> Ratio:
    """The ratio of paired times.

    Args:
        ours_s: Ours, a value a round.
        peer_s: The peer's of the same rounds.

    Raises:
        ValueError: They are not paired, there are none, or a time is not positive, as happens where the difference of
            two folders drowns in noise.
    """
    if not ours_s or len(ours_s) != len(peer_s):
        raise ValueError(f"{len(ours_s)} times of ours and {len(peer_s)} of the peer's make no pairs")
    if min(*ours_s, *peer_s) <= 0:
        raise ValueError(
            "a large folder took no longer than a small one: the machine is too busy, or the folders too small"
        )
    paired = [a / b for a, b in zip(ours_s, peer_s, strict=True)]
    return Ratio(median(ours_s), median(peer_s), median(paired), min(paired), max(paired))


def compute_an_image_s(few: int, few_s: float, many: int, many_s: float) -> float:
    """Seconds an image, start-up left out: what more images took more.

    Args:
        few: Images of the small folder.
        few_s: Wall time of the whole process on it.
        many: Images of the large folder.
        many_s: Wall time of the whole process on that.
    """
    return (many_s - few_s) / (many - few)


def take_turns(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Time every side once a round, in reversed order every other round so that a drift hits all alike.

    Args:
        sides: What returns seconds, by name.
        rounds: How often.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
            taken[name].append(sides[name]())
    return taken
