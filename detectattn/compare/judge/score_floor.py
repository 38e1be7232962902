"""From which score on the records of a model hold its detections, and how two that begin at unlike scores are compared.

AP is the area under a curve that a threshold cuts off. Of one model, records that begin at 0.25 give less of it than
those that begin at 0.001; set against each other, the model would seem to be worse than itself. So both are cut where
the one that begins higher does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from detectattn.compare.judge.single_label import keep_best_label
from detectattn.compare.measured import Measured
from detectattn.compare.rules import ACCURACY_CONF
from detectattn.types import Prediction

_LEAST_CUT = 0.01
"""Detections below this score next to never decide anything: records that begin lower are whole."""
_LIKELY_THRESHOLD = 0.5
"""A file that begins above this score was hardly cut there: its detector gives no other scores."""


@dataclass(frozen=True, slots=True)
class ScoreFloor:
    """Where the records of a model begin.

    Attributes:
        score: Detections below are missing; that of every model that a study runs, where none are.
        known: Whether the run that made them says so, rather than its lowest score.
    """

    score: float = ACCURACY_CONF
    known: bool = True

    @property
    def cuts(self) -> bool:
        """Whether AP is cut short."""
        return self.score > ACCURACY_CONF

    @property
    def is_threshold(self) -> bool:
        """Whether another model can be cut there too."""
        return self.known or self.score <= _LIKELY_THRESHOLD


def find_floor(measured: Measured, predictions: Iterable[Prediction]) -> ScoreFloor:
    """Where the records of an entrant begin: of a file, where its run says, or else at its lowest score."""
    if measured.kind == "model":
        return ScoreFloor()
    known = measured.scores_from is not None
    lowest = measured.scores_from
    if lowest is None:
        found = [float(p.detections.score.min()) for p in predictions if len(p.detections)]
        lowest = min(found, default=ACCURACY_CONF)
    return ScoreFloor(lowest, known) if lowest > _LEAST_CUT else ScoreFloor()


def find_common_score(a: ScoreFloor, b: ScoreFloor) -> float | None:
    """From which score on two models are compared; None where all their detections count."""
    higher = max(a, b, key=lambda floor: floor.score)
    return higher.score if a.score != b.score and higher.is_threshold else None


def is_lopsided(a: ScoreFloor, b: ScoreFloor) -> bool:
    """Whether two models begin at unlike scores, and cannot be compared from one on either."""
    return a.score != b.score and find_common_score(a, b) is None


def cut(predictions: Iterable[Prediction], score: float, *, best_label: bool) -> Sequence[Prediction]:
    """Records without detections below a score.

    Args:
        predictions: Of one model.
        score: Detections from here on stay.
        best_label: Whether a box stands for its surest class alone, as ``predict`` leaves them.
    """
    kept = []
    for prediction in predictions:
        one = keep_best_label(prediction) if best_label else prediction
        # Records round scores, to 1e-5: what was above a threshold may be written just below it.
        rows = (one.detections.score >= score - 1e-5).nonzero()[0]
        kept.append(replace(one, detections=one.detections.take(rows)))
    return kept


def cut_alike(
    a: tuple[ScoreFloor, Sequence[Prediction]], b: tuple[ScoreFloor, Sequence[Prediction]]
) -> tuple[Sequence[Prediction], Sequence[Prediction], float | None]:
    """The records of two models from one score on, and that score; as they are, and None, where they begin alike.

    Args:
        a: Where the records of one begin, and they themselves.
        b: Those of the other.
    """
    score = find_common_score(a[0], b[0])
    if score is None:
        return a[1], b[1], None
    best_label = max(a[0], b[0], key=lambda floor: floor.score).known
    return cut(a[1], score, best_label=best_label), cut(b[1], score, best_label=best_label), score
