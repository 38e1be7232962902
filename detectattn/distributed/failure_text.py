"""Errors on their way from one machine to another: as words, so that nothing has to be imported to read them."""

from __future__ import annotations

from typing import Any

from detectattn import errors
from detectattn.errors import ClusterError, DetectattnError


def describe_error(error: Exception, node: str) -> dict[str, str]:
    """An error as plain words.

    Args:
        error: What was raised.
        node: Where.
    """
    if isinstance(error, DetectattnError):
        return {"kind": type(error).__name__, "problem": error.problem, "hint": error.hint}
    problem = f"a replica on {node} failed with {type(error).__name__}: {last_line(error)}"
    return {"kind": ClusterError.__name__, "problem": problem, "hint": "Report this, with the command line"}


def to_error(words: dict[str, Any]) -> DetectattnError:
    """The error that the words describe."""
    kind = getattr(errors, str(words["kind"]), ClusterError)
    is_ours = isinstance(kind, type) and issubclass(kind, DetectattnError)
    return (kind if is_ours else ClusterError)(str(words["problem"]), hint=str(words["hint"]))


def last_line(error: BaseException) -> str:
    """The last line of what an error says: where Ray puts a traceback before it, that is the error itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
