"""Everything that a report says, as data. Every renderer shows these figures, and ``report.json`` holds all of them.

Accuracies are 0 to 1, times milliseconds, memory and sizes megabytes (10^6 bytes); nothing is rounded. A figure that
does not exist is None (or NaN inside of :mod:`detectattn.results`), never 0.
"""

from detectattn.report.content.conditions import Conditions, TruthNote
from detectattn.report.content.cost import Energy, Memory, Noise, Size, Speed
from detectattn.report.content.model import Conversion, Judgement, ModelReport
from detectattn.report.content.relations import (
    AgreementReport,
    Difference,
    DisputedImage,
    Frontier,
    FrontierPoint,
    Ratio,
)
from detectattn.report.content.study import SCHEMA, Report
from detectattn.report.content.words import Caveat, Gate, Question, Sentence, Topic

__all__ = [
    "SCHEMA",
    "AgreementReport",
    "Caveat",
    "Conditions",
    "Conversion",
    "Difference",
    "DisputedImage",
    "Energy",
    "Frontier",
    "FrontierPoint",
    "Gate",
    "Judgement",
    "Memory",
    "ModelReport",
    "Noise",
    "Question",
    "Ratio",
    "Report",
    "Sentence",
    "Size",
    "Speed",
    "Topic",
    "TruthNote",
]
