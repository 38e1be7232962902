"""From what a study recorded to what it found: records in, :class:`~detectattn.report.content.Report` out.

Nothing here loads a model or opens a picture, so that a report can be built anew at any time.
"""

from detectattn.compare.judge.build import build_report
from detectattn.compare.judge.study_records import StudyRecords

__all__ = ["StudyRecords", "build_report"]
