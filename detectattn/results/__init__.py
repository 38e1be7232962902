"""What evaluation and timing produce: plain data that a report can show and a test can compare."""

from detectattn.results.accuracy import (
    IOU_THRESHOLDS,
    Accuracy,
    ClassAccuracy,
    ConfusionMatrix,
    MatchTable,
    OperatingPoint,
    PrecisionRecall,
)
from detectattn.results.attention import (
    AttentionKind,
    AttentionRecord,
    AttentionSite,
    CaptureCheck,
    CrossAttention,
    DetectionMap,
    SelfAttention,
    SelfKind,
)
from detectattn.results.calibration import Calibration, ReliabilityBin
from detectattn.results.error_breakdown import ErrorBreakdown, ErrorCost
from detectattn.results.pairs import ClassAgreement, PairAgreement, PairedDifference, PairedRatio
from detectattn.results.speed import SpeedFigures

__all__ = [
    "IOU_THRESHOLDS",
    "Accuracy",
    "AttentionKind",
    "AttentionRecord",
    "AttentionSite",
    "Calibration",
    "CaptureCheck",
    "ClassAccuracy",
    "ClassAgreement",
    "ConfusionMatrix",
    "CrossAttention",
    "DetectionMap",
    "ErrorBreakdown",
    "ErrorCost",
    "MatchTable",
    "OperatingPoint",
    "PairAgreement",
    "PairedDifference",
    "PairedRatio",
    "PrecisionRecall",
    "ReliabilityBin",
    "SelfAttention",
    "SelfKind",
    "SpeedFigures",
]
