"""Judge whether captured weights explain what a module gave: they must, or a picture of them would be an invention."""

from __future__ import annotations

import torch

from detectattn.errors import EngineError
from detectattn.results.attention import AttentionSite, CaptureCheck

ROW_TOLERANCE = 1e-5
"""How far from 1 the weights of one query may sum up."""
OUTPUT_TOLERANCE = 1e-4
"""How far the output that follows from the weights may lie from the module's own, relative to its largest value."""

UNKNOWN_VERSION_HINT = (
    "Try ultralytics 8.4.190 with torch 2.13.0, for which this was made, and report the output of `detectattn doctor`"
)
"""What to do about a module that computes something else than is expected of it."""


def check_explained(
    site: AttentionSite, row_sums: torch.Tensor, rebuilt: torch.Tensor, own: torch.Tensor
) -> CaptureCheck:
    """The figures of the check.

    Args:
        site: The module.
        row_sums: Sum of the weights of every query and head, any shape.
        rebuilt: What follows from the weights: attention × values through the output projection, any shape.
        own: What the module gave, the same shape.

    Raises:
        EngineError: Either figure is above its tolerance, or is no number.
    """
    row_error = _largest(row_sums - 1)
    peak = _largest(own)
    output_error = _largest(rebuilt - own) / (peak or 1.0)
    if not (row_error <= ROW_TOLERANCE and output_error <= OUTPUT_TOLERANCE):
        raise EngineError(
            f"the attention of {site.module} ({site.module_type}) cannot be captured: what was computed anew does not "
            f"explain the module's output (rows of weights sum to 1 within {row_error:.1e}, allowed {ROW_TOLERANCE:g}; "
            f"output equal within {output_error:.1e} of its peak, allowed {OUTPUT_TOLERANCE:g})",
            hint=UNKNOWN_VERSION_HINT,
        )
    return CaptureCheck(row_error, output_error)


def to_unknown_module(site: AttentionSite, error: Exception) -> EngineError:
    """The error for a module that cannot even be computed anew: it lacks an attribute, or a shape does not fit."""
    return EngineError(
        f"the attention of {site.module} ({site.module_type}) cannot be captured: it is not built as expected "
        f"({type(error).__name__}: {str(error)[:160]})",
        hint=UNKNOWN_VERSION_HINT,
    )


def _largest(values: torch.Tensor) -> float:
    """The largest absolute value; NaN if there is any."""
    return float(values.abs().max())
