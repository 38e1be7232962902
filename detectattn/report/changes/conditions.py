"""What changed around the models: the pictures, their ground truth, options, versions, the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

ConditionTopic = Literal["images", "truth", "model", "options", "versions", "machine", "command"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, as in records."""

    source: str
    index: int


@dataclass(frozen=True, slots=True)
class ImageChanges:
    """Which pictures took part. Pictures are the same where name and size are.

    Attributes:
        shared: How many both studies saw.
        removed: Those of the first alone.
        added: Those of the second alone.
        resized: Of the same name and another size.
        relabelled: Shared ones whose ground truth is another; None where either study has none.
    """

    shared: int
    removed: tuple[Picture, ...]
    added: tuple[Picture, ...]
    resized: tuple[Picture, ...]
    relabelled: tuple[Picture, ...] | None


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """Something that is not as it was.

    Attributes:
        topic: What it is part of.
        what: What it is: ``openvino``, ``weights of demo-yolo (SHA-256)``.
        before: Text, a number, a truth value, a list of those, or None where there was none.
        after: Likewise.
    """

    topic: ConditionTopic
    what: str
    before: Any
    after: Any
