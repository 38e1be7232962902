"""What is said of models whose records begin at unlike scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from detectattn.compare.rules import ACCURACY_CONF
from detectattn.evaluation.verdict import describe_accuracy
from detectattn.report.content import Caveat, Difference, ModelReport


def is_unequal(difference: Difference, begins: Mapping[str, float]) -> bool:
    """Whether two models are compared by detections from unlike scores on."""
    return difference.min_score is None and begins[difference.a] != begins[difference.b]


def tell_accuracy(difference: Difference, begins: Mapping[str, float]) -> str:
    """Which of two models is more accurate, and from which score on.

    Args:
        difference: In AP.
        begins: Least score of the records of each model.
    """
    a, b, figures = difference.a, difference.b, difference.figures
    higher = max(a, b, key=lambda name: begins[name])
    if difference.min_score is not None:
        text = describe_accuracy(a, b, figures)
        return f"{text} Both count from score {difference.min_score:.3g} on, where the records of {higher} begin."
    if is_unequal(difference, begins) and not figures.decided:
        return (
            f"Which of {a} and {b} is more accurate cannot be said: the scores of {higher} begin at "
            f"{begins[higher]:.3g}, and what it finds below could raise its AP."
        )
    return describe_accuracy(a, b, figures)


def find_cut_caveats(models: Sequence[ModelReport]) -> Iterator[Caveat]:
    """Models whose AP is cut short."""
    cut = [m for m in models if m.judgement is not None and (m.scores_from or 0.0) > ACCURACY_CONF]
    if not cut:
        return
    begin = [f"those of {m.name} at {m.scores_from:.3g}" for m in cut[1:]]
    told = ", ".join([f"the records of {cut[0].name} begin at score {cut[0].scores_from:.3g}", *begin])
    text = (
        f"AP looks down to score {ACCURACY_CONF:g}, and {told}: {'its' if len(cut) == 1 else 'their'} AP is cut short."
    )
    if len({m.scores_from for m in models if m.judgement is not None}) > 1:
        text += " Differences between two models count both from the higher score on, where they can."
    yield Caveat(
        "accuracy", f"{text} predict --conf {ACCURACY_CONF:g} writes whole records.", tuple(m.name for m in cut)
    )
