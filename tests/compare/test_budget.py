"""Budgets are a time or an amount of memory, and nothing else."""

from __future__ import annotations

import pytest

from detectattn.compare.budget import parse_budget
from detectattn.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "limit", "unit"),
    [
        ("50ms", 50, "ms"),
        ("50 ms", 50, "ms"),
        (" 0.05 s ", 50, "ms"),
        ("1e2ms", 100, "ms"),
        ("1 second", 1000, "ms"),
        ("500us", 0.5, "ms"),
        ("500MB", 500, "MB"),
        ("0.5GB", 500, "MB"),
        ("500 mb", 500, "MB"),
        (".5 gb", 500, "MB"),
    ],
)
def test_limits(text, limit, unit):
    budget = parse_budget(text)
    assert (budget.limit, budget.unit) == (limit, unit)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no number"),
        ("fast", "no number"),
        ("ms", "no number"),
        ("nan ms", "no number"),
        ("inf ms", "no number"),
        ("1e999ms", "no number"),
        ("50ms 500MB", "no number"),
        ("٥٠ms", "no number"),
        ("50", "has no unit: it could be ms or MB"),
        ("50 fps", "fps is neither a unit of time"),
        ("500MiB", "MiB is not used here; MB is 10^6 bytes"),
        ("5%", "is a share"),
        ("0ms", "must be above 0"),
        ("-5MB", "must be above 0"),
    ],
)
def test_refusals_name_what_is_wrong(text, problem):
    with pytest.raises(ConfigError, match=r"--budget") as raised:
        parse_budget(text)
    assert problem in raised.value.problem
    assert repr(text) in raised.value.problem
    assert "--budget 50ms" in raised.value.hint
