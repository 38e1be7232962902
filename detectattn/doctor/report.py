"""What an examination finds: checks in groups, and whether ``predict`` can run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["ok", "absent", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        name: What was looked at.
        status: ``ok``; ``absent``, not there and not needed; ``warn``, something will not work, or work badly;
            ``fail``, ``predict`` cannot run.
        detail: What was found.
        hint: What to do about it; empty when there is nothing to do.
    """

    name: str
    status: Status
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Checks of one kind, in the order in which they are shown."""

    name: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All that was found.

    Attributes:
        groups: The checks.
        runnable: What ``predict`` can run here, as in ``("PyTorch .pt", "ONNX")``; empty when nothing.
        devices: Where it can run, as ``--device`` names it.
    """

    groups: tuple[Group, ...]
    runnable: tuple[str, ...]
    devices: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether ``predict`` can run: an engine is there, and nothing that every run needs is missing."""
        return bool(self.runnable) and not any(c.status == "fail" for c in self.checks)

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of all groups."""
        return tuple(check for group in self.groups for check in group.checks)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {"ready": self.ready, **asdict(self)}
