"""Detections of two models in the same pictures: what both find, and how far the two differ."""

from __future__ import annotations

import numpy as np

from detectattn.conversion.gate_figures import GateFigures
from detectattn.matching import match_boxes
from detectattn.types import Detections, Resize

MATCH_IOU = 0.5
"""Overlap from which two detections of a class are the same."""
PARTNER_SHARE = 0.6
"""Share of the operating threshold from which a detection may be a partner."""


class PairTally:
    """Counts what two models find, picture by picture.

    A detection counts where its score is above the operating threshold. Its partner may score less, down to
    :data:`PARTNER_SHARE` of the threshold: else a score that slips from .251 to .249 would be a lost detection, when it
    is a drift of .002, and is measured as one. What falls further is lost. Neither model is favoured: what only the
    candidate finds counts as much as what only the reference finds.

    Where a model finds as many as may be kept, its lowest score takes the threshold's place: of an untrained model,
    whose scores tie by the thousand, chance decides which are kept. Too few may count then, and raw outputs are judged.

    Args:
        conf: The operating threshold.
        max_det: Detections of a picture that are kept, at most.
    """

    def __init__(self, conf: float, max_det: int = 300) -> None:
        self.conf = conf
        self.max_det = max_det
        self.pair_count = 0
        self._pictures = self._reference = self._candidate = self._unmatched = 0
        self._boxes: list[float] = []
        self._shares: list[float] = []
        self._scores: list[float] = []

    @property
    def partner_conf(self) -> float:
        """The score above which both models' detections are to be given."""
        return self.conf * PARTNER_SHARE

    def add(self, reference: Detections, candidate: Detections, resize: Resize) -> None:
        """Count one picture.

        Args:
            reference: Above :attr:`partner_conf`, boxes in image pixels.
            candidate: The same, of the other model.
            resize: How the picture was fitted into the network's input.
        """
        self._pictures += 1
        least = max(self.conf, *(self._find_cut(found) for found in (reference, candidate)))
        counts_a, counts_b = reference.score > least, candidate.score > least
        matches = match_boxes(reference, candidate, MATCH_IOU)
        pairs = matches.pairs[counts_a[matches.pairs[:, 0]] | counts_b[matches.pairs[:, 1]]]
        a, b = reference.take(pairs[:, 0].astype(np.intp)), candidate.take(pairs[:, 1].astype(np.intp))
        self._reference += int(counts_a.sum())
        self._candidate += int(counts_b.sum())
        self._unmatched += int(counts_a[matches.only_a].sum() + counts_b[matches.only_b].sum())
        boxes_a, boxes_b = resize.to_net(a.xyxy), resize.to_net(b.xyxy)
        moved_px = np.abs(boxes_a - boxes_b).max(axis=1, initial=0)
        sides_px = (boxes_a[:, 2:] - boxes_a[:, :2] + boxes_b[:, 2:] - boxes_b[:, :2]).mean(axis=1) / 2
        self._boxes += moved_px.tolist()
        self._shares += (moved_px / np.maximum(sides_px, 1)).tolist()
        self._scores += np.abs(a.score - b.score).tolist()
        self.pair_count += len(pairs)

    def _find_cut(self, found: Detections) -> float:
        """The score above which a detection's partner cannot have been among those that were not kept."""
        return float(found.score.min()) / PARTNER_SHARE if len(found) >= self.max_det else 0.0

    def to_figures(self) -> GateFigures:
        """What was counted so far."""
        return GateFigures(
            picture_count=self._pictures,
            conf=self.conf,
            reference_count=self._reference,
            candidate_count=self._candidate,
            unmatched_count=self._unmatched,
            pair_count=self.pair_count,
            box_px_p50=_quantile(self._boxes, 0.5),
            box_px_p99=_quantile(self._boxes, 0.99),
            box_share_p50=_quantile(self._shares, 0.5),
            box_share_p99=_quantile(self._shares, 0.99),
            score_p50=_quantile(self._scores, 0.5),
            score_p99=_quantile(self._scores, 0.99),
        )


def _quantile(values: list[float], share: float) -> float | None:
    # The lower of two neighbours: one pair that NMS decided the other way must not be the p99 of few.
    return float(np.quantile(values, share, method="lower")) if values else None
