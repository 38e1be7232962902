"""Studies to render: one in which everything occurs, and what is left where there is less."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detectattn.report.content import Report
from samples.studies.hostile import make_hostile
from samples.studies.reports import keep_one, leave_truth_out, make_study


@pytest.fixture
def study() -> Report:
    """Two models with variants, one that failed, predictions made elsewhere, and ground truth."""
    return make_study()


@pytest.fixture
def without_truth(study: Report) -> Report:
    """The same two models where nobody knows what is right."""
    return leave_truth_out(study)


@pytest.fixture
def lone(study: Report) -> Report:
    """A single model, neither timed nor judged."""
    return keep_one(study)


@pytest.fixture
def hostile() -> Callable[[Report, str], Report]:
    """A study in which a text stands wherever a text can come from outside."""
    return make_hostile
