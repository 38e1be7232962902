"""What changed from one study to a later one, as data. Every renderer shows these figures; ``changes.json`` has all.

*Before* is the study that was named first, *after* the second. Accuracies are 0 to 1, times milliseconds, memory
megabytes (10^6 bytes); nothing is rounded. A figure that does not exist is None or NaN, never 0.
"""

from detectattn.report.changes.conditions import ConditionChange, ConditionTopic, ImageChanges, Picture
from detectattn.report.changes.findings import Finding, Question, Weight
from detectattn.report.changes.model import (
    AccuracyChange,
    AccuracyDifference,
    ChangedImage,
    ClassCounts,
    DetectionChange,
    FigureChange,
    ModelChange,
    SpeedChange,
    TimeRatio,
    to_figures,
)
from detectattn.report.changes.rankings import Outcome, RankingChange, Standing
from detectattn.report.changes.studies import SCHEMA, Changes, ComparedRun

__all__ = [
    "SCHEMA",
    "AccuracyChange",
    "AccuracyDifference",
    "ChangedImage",
    "Changes",
    "ClassCounts",
    "ComparedRun",
    "ConditionChange",
    "ConditionTopic",
    "DetectionChange",
    "FigureChange",
    "Finding",
    "ImageChanges",
    "ModelChange",
    "Outcome",
    "Picture",
    "Question",
    "RankingChange",
    "SpeedChange",
    "Standing",
    "TimeRatio",
    "Weight",
    "to_figures",
]
