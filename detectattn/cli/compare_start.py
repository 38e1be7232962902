"""What a study begins with: sources and options as given, or those of an interrupted one that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from detectattn.cli.console import Notices
from detectattn.compare.study_folder import StudyFolder, read_config
from detectattn.config import CompareConfig
from detectattn.errors import ConfigError
from detectattn.pipeline.run_folder import lock_run_folder
from detectattn.shipped import shipped_dir

EMBEDDED_PAIR = ("demo-rtdetr", "demo-yolo")


@dataclass(frozen=True, slots=True)
class Start:
    """What a study begins with.

    Attributes:
        sources: As given.
        config: The options that apply.
        out: Folder of the run, or None for the next free one.
        resumed: The run that goes on; None for a new one.
    """

    sources: tuple[str, ...]
    config: CompareConfig
    out: Path | None
    resumed: StudyFolder | None = None


def start_study(sources: Sequence[str], config: CompareConfig, out: Path | None, notices: Notices) -> Start:
    """A new study; without models the embedded pair, without sources the shipped samples."""
    if not config.model:
        config = replace(config, model=EMBEDDED_PAIR)
        notices.say(f"no model was named: comparing the embedded {' and '.join(EMBEDDED_PAIR)}")
    only_files = all(text.lower().endswith((".json", ".jsonl")) for text in config.model)
    if not sources and not only_files:
        samples = shipped_dir("samples") / "street"
        notices.say(f"no source was named: comparing on the shipped samples, {samples}")
        sources = [str(samples / "images")]
    return Start(tuple(sources), config, out)


def resume_study(run: Path, others: Sequence[str], notices: Notices, stack: ExitStack) -> Start:
    """A study that was interrupted, with the options that it began with.

    Args:
        run: Its folder.
        others: What else was given.
        notices: Where it is told.
        stack: Holds the folder's lock.

    Raises:
        ConfigError: Other options were given too, or the study is complete.
        SourceNotFound: ``run`` is no run of compare.
        RunInUse: Another process writes it.
    """
    if others:
        raise ConfigError(
            f"--resume goes on with the options of {run}, and {others[0]} was given too",
            hint="Give --resume alone, or begin a new study",
        )
    folder = StudyFolder(run)
    if folder.read_manifest().status != "finished":
        stack.enter_context(lock_run_folder(run))
    manifest = folder.read_manifest()  # as whoever held the lock left it
    if manifest.status == "finished":
        raise ConfigError(f"{run} is complete", hint=f"Build its report anew with `detectattn report {run}`")
    notices.say(f"going on with {run}: what is complete there is not measured again")
    return Start(tuple(manifest.config["sources"]), read_config(manifest), None, folder)
