"""What a plot of times says where the machine was too noisy."""

from __future__ import annotations

from collections.abc import Iterable

from detectattn.report.cells import UNTRUSTED
from detectattn.report.content import ModelReport
from detectattn.report.plots.names import clean_name, join_words

_SPACE = "\N{NO-BREAK SPACE}"


def doubt_note(models: Iterable[ModelReport]) -> str:
    """A sentence, after a space, for a caption: whose times should not be trusted; nothing where all should."""
    names = [clean_name(m.name, 40) for m in models if m.speed is not None and not m.speed.noise.trusted]
    return f" {UNTRUSTED}{_SPACE}Times of {join_words(names, 4)} are not to be trusted." if names else ""


def doubt_reasons(models: Iterable[ModelReport]) -> str:
    """The same with the reasons."""
    told = [
        f"{clean_name(m.name, 40)}, {'; '.join(m.speed.noise.reasons) or 'the machine was too noisy'}"
        for m in models
        if m.speed is not None and not m.speed.noise.trusted
    ]
    return f" {UNTRUSTED}{_SPACE}Grey, not to be trusted: {'. '.join(told)}." if told else ""
