"""The folder of an unfinished run, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from detectattn.cli.predict_sinks import open_outputs
from detectattn.config import PredictConfig
from detectattn.engines.base import Hint
from detectattn.errors import ChecksumMismatch, ConfigError
from detectattn.pipeline.checkpoint import read_state
from detectattn.pipeline.run_folder import remove_drafts
from detectattn.pipeline.settled import cut_back, settle
from detectattn.pipeline.tally import RunTally
from detectattn.records import manifest_from_json, manifest_to_json
from detectattn.sinks import open_sink
from detectattn.sinks.base import Sink
from detectattn.types import Frame, FrameFailure, Media, ModelInfo, Prediction, RunManifest, WeightsFile

_FIXED = ("engine", "device", "precision", "net_hw", "batch", "fit", "class_names")
_FIXED_ENGINES = ("torch", "openvino", "onnx", "tensorrt")


@dataclass(frozen=True, slots=True)
class Resumed:
    """The folder of an earlier sitting; this process holds its lock.

    Attributes:
        folder: The folder.
        earlier: Its ``run.json``; None where the run was killed before it began.
        moved: A warning that its sources are read from another place than they were; None where they are not.
    """

    folder: Path
    earlier: RunManifest | None
    moved: str | None = None

    @property
    def model(self) -> Mapping[str, Any]:
        """What was recorded of the model; empty where nothing was."""
        return self.earlier.models[0] if self.earlier is not None and self.earlier.models else {}

    def fix(self, config: PredictConfig) -> PredictConfig:
        """The options that open the model as it was: what was left to choose then is not chosen again."""
        engine, batch = self.model.get("engine"), self.model.get("batch")
        if engine in _FIXED_ENGINES:
            config = replace(config, engine=str(engine))
        return config if batch is None else replace(config, batch=str(batch))

    def fix_hint(self, hint: Hint) -> Hint:
        """What the model was tuned for, or ``hint`` where that is not known."""
        recorded: Hint | None = {"latency": "latency", "throughput": "throughput"}.get(str(self.model.get("hint")))  # type: ignore[assignment]
        return recorded or hint

    def require_weights(self, weights: WeightsFile) -> None:
        """Refuse other weights than the run began with.

        Raises:
            ChecksumMismatch: They differ.
        """
        recorded = str(self.model.get("weights", {}).get("sha256", ""))
        if self.model and recorded != weights.sha256:
            raise ChecksumMismatch(
                f"{weights.path} is another model than the run began with: its SHA-256 is {weights.sha256[:16]}…, "
                f"and was {recorded[:16]}…",
                hint="Put the former file back, or begin a new run",
            )

    def continue_manifest(self, manifest: RunManifest) -> RunManifest:
        """``run.json`` of this sitting.

        Raises:
            ConfigError: The model runs in another way than the run began with.
        """
        if self.earlier is None:
            return manifest
        now = manifest_from_json(manifest_to_json(manifest)).models[0]
        differing = [
            f"{name} is {now.get(name)} and was {self.model[name]}"
            for name in _FIXED
            if name in self.model and now.get(name) != self.model[name]
        ]
        if _conversion_files(now) != _conversion_files(self.model):
            differing.append("the converted model is another one")
        if differing:
            raise ConfigError(
                f"the model would run in another way than the run began with: {', '.join(differing)}",
                hint="Resume on the machine where the run began, or begin a new run",
            )
        sittings = int(self.earlier.timing.get("sittings", 1)) + 1
        models = [{**manifest.models[0], **{name: self.model[name] for name in ("recovered",) if name in self.model}}]
        return replace(manifest, command=self.earlier.command, models=models, timing={"sittings": sittings})

    def find_other_versions(self, manifest: RunManifest) -> str | None:
        """A warning about packages that are not those that the run began with; None where all are."""
        before = {} if self.earlier is None else self.earlier.versions
        changed = [
            f"{name} was {before.get(name, 'absent')} and is {manifest.versions.get(name, 'absent')}"
            for name in sorted({*before, *manifest.versions} if before else ())
            if before.get(name) != manifest.versions.get(name)
        ]
        return f"{', '.join(changed)}: last digits may differ from here on" if changed else None


def _conversion_files(model: Mapping[str, Any]) -> Any:
    return (model.get("conversion") or {}).get("files")


def reopen_outputs(
    folder: Path,
    config: PredictConfig,
    model_info: ModelInfo,
    media: Iterator[Media | FrameFailure],
    tally: RunTally,
) -> tuple[list[Sink], Iterator[Media | FrameFailure]]:
    """Open the sinks of an unfinished run, that of the records last, as they were after the last input that is done.

    Args:
        folder: The run folder; its lock is held.
        config: What is written.
        model_info: The model.
        media: All inputs.
        tally: Counts what is done.

    Returns:
        The sinks, and the inputs that are left to do.

    Raises:
        SourceError: Other inputs than the run began with.
        OutputError: A file cannot be written.
    """
    remove_drafts(folder)
    sinks = open_outputs(folder, config, model_info, resume=True)

    def recall(frame: Frame, prediction: Prediction) -> None:
        for sink in sinks:
            sink.recall(frame, prediction)
        tally.add(frame, prediction)

    try:
        state = read_state(folder)
        settled = settle(media, folder, recall, state)
        cut_back(folder, settled, state)
        records = open_sink("jsonl", folder, model_info, resume=True)
    except BaseException:
        for sink in sinks:
            sink.abort()
        raise
    tally.failures += settled.failures
    tally.tried = tally.media + sum(failure.index is None for failure in settled.failures)
    tally.done_before = tally.done
    return [*sinks, records], settled.media
