"""What ``compare --explain`` adds to a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from detectattn.cli.console import Notices
from detectattn.cli.study_progress import show_study
from detectattn.compare.entrants import Entrant, FileEntrant
from detectattn.compare.explained import FOLDER
from detectattn.compare.study import StudyPlan
from detectattn.compare.study_folder import StudyFolder
from detectattn.evaluation.agreement import Agreement


def find_explainer(plan: StudyPlan, folder: StudyFolder, notices: Notices) -> Callable[[Agreement], None] | None:
    """What lets models explain their disputed detections, for :func:`~detectattn.compare.finish.finish_study`.

    Args:
        plan: The study.
        folder: Its run folder.
        notices: Where it is told how it goes.

    Returns:
        None for a study of one model, which is told.
    """
    entrants: Sequence[Entrant] = [*plan.models, *plan.files]
    if sum(isinstance(e, FileEntrant) or e.base == e.name for e in entrants) < 2:
        notices.warn("one model alone disputes nothing: `detectattn explain` explains what it finds")
        return None

    def explain(agreement: Agreement) -> None:
        # Imported here: it needs PyTorch in this process, which studies leave to children.
        from detectattn.compare.explain_disputed import explain_disputed

        with show_study(len(plan.models), notices) as events:
            done = explain_disputed(
                agreement,
                entrants=entrants,
                measured=folder.load().measured,
                media=plan.media,
                read=plan.read,
                root=folder.root,
                on_notice=notices.say,
                on_warning=events.warn,
                on_picture=lambda place, total: events.advance("explain", "disputed pictures", place, total),
            )
        if done is not None and done.pictures:
            number = len(done.pictures)
            pictures = "1 disputed picture is" if number == 1 else f"{number:,} disputed pictures are"
            notices.say(f"{pictures} explained: maps in the report, sheets in {folder.root / FOLDER}")

    return explain
