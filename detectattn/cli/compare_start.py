"""What a study begins with: sources and options as given, or those of an interrupted one that goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from detectattn.cli.compare_place import StudyPlace, reopen_place
from detectattn.cli.console import Notices
from detectattn.compare.entrants import names_predictions
from detectattn.compare.study_folder import read_config
from detectattn.config import CompareConfig
from detectattn.errors import ConfigError
from detectattn.pipeline.run_folder import lock_run_folder
from detectattn.shipped import shipped_dir

# They decide who works and what that may do, not what comes of it.
_FREE = ("cluster", "replicas", "replica_cpus", "replica_gpus", "trust_weights")

EMBEDDED_PAIR = ("demo-rtdetr", "demo-yolo")


@dataclass(frozen=True, slots=True)
class Start:
    """What a study begins with.

    Attributes:
        sources: As given.
        config: The options that apply.
        out: Folder or address of the study, or None for the next free folder.
        resumed: The study that goes on; None for a new one.
    """

    sources: tuple[str, ...]
    config: CompareConfig
    out: str | None
    resumed: StudyPlace | None = None


def start_study(sources: Sequence[str], config: CompareConfig, out: str | None, notices: Notices) -> Start:
    """A new study; without models the embedded pair, without sources the shipped samples."""
    if not config.model:
        config = replace(config, model=EMBEDDED_PAIR)
        notices.say(f"no model was named: comparing the embedded {' and '.join(EMBEDDED_PAIR)}")
    if not sources and not all(map(names_predictions, config.model)):
        samples = shipped_dir("samples") / "street"
        notices.say(f"no source was named: comparing on the shipped samples, {samples}")
        sources = [str(samples / "images")]
    return Start(tuple(sources), config, out)


def resume_study(run: str, given: Mapping[str, Any], notices: Notices, stack: ExitStack) -> Start:
    """A study that was interrupted, with the options that it began with.

    Args:
        run: Its folder or address.
        given: What else was given, by name; None or empty where it was not.
        notices: Where it is told.
        stack: Holds the folder's lock.

    Raises:
        ConfigError: Other options were given too, or the study is complete.
        SourceNotFound: ``run`` is no run of compare.
        RunInUse: Another process writes it.
    """
    changes = {name: given[name] for name in _FREE if given.get(name)}
    others = [name for name, value in given.items() if value and name not in _FREE]
    if others:
        raise ConfigError(
            f"--resume goes on with the options of {run}, and {others[0]} was given too",
            hint="Give --resume alone, or begin a new study",
        )
    place = reopen_place(run, stack, notices)
    folder = place.folder
    if folder.read_manifest().status != "finished":
        stack.enter_context(lock_run_folder(folder.root))
    manifest = folder.read_manifest()  # as whoever held the lock left it
    if manifest.status == "finished":
        raise ConfigError(f"{run} is complete", hint=f"Build its report anew with `detectattn report {run}`")
    notices.say(f"going on with {run}: what is complete there is not measured again")
    config = read_config(manifest)
    if config.trust_weights and not given.get("trust_weights"):
        raise ConfigError(
            "the study began with --trust-weights, which is never taken from a file",
            hint="Give --trust-weights again if the weights are still trusted",
        )
    return Start(tuple(manifest.config["sources"]), replace(config, **changes), None, place)
