"""Vega-Lite's own schema, as it comes with Altair."""

from __future__ import annotations

from collections.abc import Iterable

import altair
import jsonschema

from detectattn.report.plots import Plot


def assert_schema(plots: Iterable[Plot]) -> None:
    """Fails with what the first plot has that Vega-Lite does not know.

    Altair would build an object of every part of a plot besides, each of which it validates again.
    """
    schema = altair.VegaLiteSchema._rootschema
    validator = jsonschema.validators.validator_for(schema)(schema)
    for plot in plots:
        error = jsonschema.exceptions.best_match(validator.iter_errors(dict(plot.spec)))
        assert error is None, f"{plot.name}: {error.message if error else ''}"
