"""The options of a run: their defaults, presets in YAML, and what applies when both are given."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from detectattn.errors import ConfigError
from detectattn.shipped import shipped_dir
from detectattn.user_paths import is_there
from detectattn.yaml_text import BrokenYaml, read_yaml

AUTO_BATCH = "auto"
FOREVER = "forever"
AUTO_REPLICAS = "auto"

_FEWEST_TRIED = 20
_ROTATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|min|m|h|d|kb|mb|gb|tb)", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_ENGINES = ("auto", "torch", "openvino", "onnx", "tensorrt")
_PRECISIONS = ("auto", "fp32", "fp16", "bf16", "int8")


@dataclass(frozen=True, slots=True)
class PredictConfig:
    """Everything that decides what ``predict`` does, apart from its sources. A preset may set any of it.

    Attributes:
        model: Registry name, file, OpenVINO folder or URL, optionally ``NAME=MODEL``.
        conf: Keep detections scored above this.
        iou: Overlap above which non-maximum suppression drops the weaker box of a class.
        max_det: Detections kept an image, at most.
        classes: Names or indices to keep; empty for all.
        imgsz: ``640`` or ``480x640`` (height × width); empty for the model's own.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        engine: ``auto``, ``torch``, ``openvino``, ``onnx``.
        precision: ``auto``, ``fp32``, ``fp16``, ``bf16``, ``int8``.
        calibrate: Pictures that INT8 is calibrated on, as sources are named; empty for a sample of the sources.
        batch: Images that go through the network together: a number, ``auto`` to find the fastest by trying; empty or
            0 for what suits the device.
        vid_stride: Take every n-th frame of a video or stream.
        decode: ``full``, or ``reduced``: the model is shown JPEGs far larger than its input at a half, a quarter or an
            eighth of their size.
        isolate: What is decoded in processes of their own, whose crash does no harm: ``auto`` (videos, and pictures but
            for sound JPEG and PNG), ``all``, ``none``.
        save: More outputs: parquet, csv, coco, yolo, voc, crops.
        images: Whether annotated images and videos are written.
        show: Whether annotated output is shown in a window as it is made.
        offline: Refuse every download.
        trust_weights: Load checkpoints that ask for more than the allow-list.
        allow_truncated: Take pictures that are cut short as far as they decode.
        max_failures: Stop once more inputs failed than this: a number, or ``10%`` of those tried; empty for no limit.
        reconnect: Attempts in a row to get a stream back that was lost: a number, or ``forever``.
        rotate: When the files of a stream begin a new part: ``1h``, ``500MB``, or ``1h,500MB``; empty for never.
        cluster: Ray cluster that does the work: ``local``, ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``; empty for
            this process.
        replicas: How often the model is loaded on a cluster: a number, or ``auto`` for as often as it fits.
        replica_cpus: Cores of each replica; None to choose.
        replica_gpus: GPUs of each replica; None for one where there are any.
        shard_size: Inputs that a replica works on before they count as done.
    """

    model: str = "rtdetr-l"
    conf: float = 0.25
    iou: float = 0.7
    max_det: int = 300
    classes: tuple[str, ...] = ()
    imgsz: str = ""
    device: str = "auto"
    engine: str = "auto"
    precision: str = "auto"
    calibrate: str = ""
    batch: str = ""
    vid_stride: int = 1
    decode: str = "full"
    isolate: str = "auto"
    save: tuple[str, ...] = ()
    images: bool = True
    show: bool = False
    offline: bool = False
    trust_weights: bool = False
    allow_truncated: bool = False
    max_failures: str = ""
    reconnect: str = FOREVER
    rotate: str = ""
    cluster: str = ""
    replicas: str = AUTO_REPLICAS
    replica_cpus: int | None = None
    replica_gpus: float | None = None
    shard_size: int = 256

    def __post_init__(self) -> None:
        _require("conf", self.conf, 0 <= self.conf <= 1, "a number from 0 to 1")
        _require("iou", self.iou, 0 <= self.iou <= 1, "a number from 0 to 1")
        _require("max_det", self.max_det, self.max_det >= 1, "a whole number above 0")
        parse_batch(self.batch)
        _require("vid_stride", self.vid_stride, self.vid_stride >= 1, "a whole number above 0")
        _require("decode", self.decode, self.decode in ("full", "reduced"), "full or reduced")
        _require("isolate", self.isolate, self.isolate in ("auto", "all", "none"), "auto, all or none")
        _require("engine", self.engine, self.engine in _ENGINES, ", ".join(_ENGINES))
        _require("precision", self.precision, self.precision in _PRECISIONS, ", ".join(_PRECISIONS))
        _require("calibrate", self.calibrate, self.precision == "int8" or not self.calibrate, "--precision int8 too")
        parse_imgsz(self.imgsz)
        parse_max_failures(self.max_failures)
        parse_reconnect(self.reconnect)
        parse_rotate(self.rotate)
        parse_replicas(self.replicas)
        cpus, gpus = self.replica_cpus, self.replica_gpus
        _require("replica_cpus", cpus, cpus is None or cpus >= 1, "a whole number above 0")
        _require("replica_gpus", gpus, gpus is None or gpus >= 0, "a number from 0")
        _require("shard_size", self.shard_size, self.shard_size >= 1, "a whole number above 0")


@dataclass(frozen=True, slots=True)
class CompareConfig:
    """Everything that decides what ``compare`` does, apart from its sources. A preset may set any of it.

    Attributes:
        model: The models: registry names, files, folders, URLs, or predictions made elsewhere, optionally ``NAME=…``;
            empty for the embedded pair.
        truth: Ground truth; empty to look for it beside the images.
        class_map: YAML file of lines ``truth name: model name``; empty for none.
        difficult: ``ignore`` or ``count``: what becomes of VOC's difficult objects.
        conf: Operating point of all models, for pictures, counts and agreement; None for each model's own: that of its
            best F1 where there is ground truth, else 0.25.
        rounds: Rounds of timing, 0 for no timing; None for ten, or more until 50 pictures are timed.
        imgsz: ``640`` or ``480x640`` (height × width) for all; empty for that of the first model.
        own_size: Let every model run at the size that it was made for, whatever the others take.
        device: As for ``predict``.
        engine: ``auto`` (PyTorch, but OpenVINO for a precision that only that has), ``torch``, ``openvino``, ``onnx``.
        precision: As for ``predict``.
        calibrate: As for ``predict``, also of a sweep's INT8.
        sweep: Axes such as ``imgsz=320,480`` or ``queries=100..300:50``.
        sweep_product: Cross the axes, rather than going along one at a time.
        budget: Limits such as ``50ms`` or ``500MB``.
        fail_if: Conditions that fail the study, such as ``demo-rtdetr.ap50_95 < 0.6``.
        baseline: ``report.json`` of an earlier study that must not be fallen short of; empty for none.
        limit: Take at most so many pictures; 0 for all.
        vid_stride: Take every n-th frame of a video or stream.
        seed: Of the bootstrap.
        images: Whether pictures are kept for the report: disputed ones side by side, and a small copy of each.
        explain: Whether models explain their disputed detections in the most disputed pictures.
        offline: Refuse every download.
        trust_weights: Load checkpoints that ask for more than the allow-list.
        allow_truncated: Take pictures that are cut short as far as they decode.
    """

    model: tuple[str, ...] = ()
    truth: str = ""
    class_map: str = ""
    difficult: str = "ignore"
    conf: float | None = None
    rounds: int | None = None
    imgsz: str = ""
    own_size: bool = False
    device: str = "auto"
    engine: str = "auto"
    precision: str = "auto"
    calibrate: str = ""
    sweep: tuple[str, ...] = ()
    sweep_product: bool = False
    budget: tuple[str, ...] = ()
    fail_if: tuple[str, ...] = ()
    baseline: str = ""
    limit: int = 0
    vid_stride: int = 1
    seed: int = 0
    images: bool = True
    explain: bool = False
    offline: bool = False
    trust_weights: bool = False
    allow_truncated: bool = False

    def __post_init__(self) -> None:
        _require("conf", self.conf, self.conf is None or 0 <= self.conf <= 1, "a number from 0 to 1")
        _require("rounds", self.rounds, self.rounds is None or self.rounds >= 0, "a whole number, or 0 for no timing")
        _require("difficult", self.difficult, self.difficult in ("ignore", "count"), "ignore or count")
        _require("limit", self.limit, self.limit >= 0, "a whole number, or 0 for all pictures")
        _require("seed", self.seed, self.seed >= 0, "a whole number from 0")
        _require("vid_stride", self.vid_stride, self.vid_stride >= 1, "a whole number above 0")
        _require("explain", self.explain, self.images or not self.explain, "it without --no-images: maps are pictures")
        is_int8 = self.precision == "int8" or any("int8" in axis for axis in self.sweep)
        _require("calibrate", self.calibrate, is_int8 or not self.calibrate, "--precision int8 too")
        _require("engine", self.engine, self.engine in _ENGINES, ", ".join(_ENGINES))
        _require("precision", self.precision, self.precision in _PRECISIONS, ", ".join(_PRECISIONS))
        parse_imgsz(self.imgsz)


@dataclass(frozen=True, slots=True)
class ExplainConfig:
    """Everything that decides what ``explain`` does, apart from its sources. A preset may set any of it.

    Attributes:
        model: The models: registry names, files, URLs, optionally ``NAME=…``.
        conf: Detections scored above this are explained; where there are none, the best below.
        iou: As for ``predict``.
        classes: As for ``predict``.
        top: Objects a picture at most, the surest first.
        maps: Which maps are made; empty for all but those whose gradients go as far as the picture.
        layer: Of maps that show one layer: its number, from 0; None for the last.
        head: Of maps of attention: one head, from 0; None for the mean of all.
        score: Whether every map is scored by deletion and insertion.
        imgsz: ``640`` or ``480x640`` (height × width) for all; empty for each model's own.
        device: As for ``predict``.
        precision: ``auto`` or ``fp32``: attention is checked to the fifth decimal.
        vid_stride: Take every n-th frame of a video or stream.
        limit: Take at most so many pictures; 0 for all.
        seed: Of the random maps that others are held against.
        images: Whether sheets are drawn.
        offline: Refuse every download.
        trust_weights: Load checkpoints that ask for more than the allow-list.
        allow_truncated: Take pictures that are cut short as far as they decode.
    """

    model: tuple[str, ...] = ("rtdetr-l",)
    conf: float = 0.25
    iou: float = 0.7
    classes: tuple[str, ...] = ()
    top: int = 8
    maps: tuple[str, ...] = ()
    layer: int | None = None
    head: int | None = None
    score: bool = False
    imgsz: str = ""
    device: str = "auto"
    precision: str = "auto"
    vid_stride: int = 1
    limit: int = 0
    seed: int = 0
    images: bool = True
    offline: bool = False
    trust_weights: bool = False
    allow_truncated: bool = False

    def __post_init__(self) -> None:
        _require("model", self.model, len(self.model) > 0, "one model at least")
        _require("conf", self.conf, 0 <= self.conf <= 1, "a number from 0 to 1")
        _require("iou", self.iou, 0 <= self.iou <= 1, "a number from 0 to 1")
        _require("top", self.top, self.top >= 1, "a whole number above 0")
        _require("layer", self.layer, self.layer is None or self.layer >= 0, "a whole number from 0")
        _require("head", self.head, self.head is None or self.head >= 0, "a whole number from 0")
        _require("precision", self.precision, self.precision in ("auto", "fp32"), "fp32, in which attention is exact")
        _require("vid_stride", self.vid_stride, self.vid_stride >= 1, "a whole number above 0")
        _require("limit", self.limit, self.limit >= 0, "a whole number, or 0 for all pictures")
        _require("seed", self.seed, self.seed >= 0, "a whole number from 0")
        parse_imgsz(self.imgsz)


ConfigKind = TypeVar("ConfigKind", PredictConfig, CompareConfig, ExplainConfig)
_MAX_NUMBER = 1e15
# Commas separate the items of other lists; here they are part of an item.
_WHOLE_ITEMS = frozenset({"model", "sweep", "fail_if"})


def _require(name: str, value: object, fine: bool, wanted: str) -> None:
    if not fine:
        raise ConfigError(f"{option_name(name)} is {value!r}", hint=f"Give {wanted}")


def option_name(field_name: str) -> str:
    """A field's name on the command line: ``max_det`` is ``--max-det``."""
    return "--" + field_name.replace("_", "-")


def parse_imgsz(text: str) -> tuple[int, int] | None:
    """Height and width from ``640`` or ``480x640``; None from an empty text.

    Raises:
        ConfigError: It is neither.
    """
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,5})(?:\s*[x×,]\s*(\d{1,5}))?", text.strip())
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"--imgsz is {text!r}", hint="Give one side, such as 640, or height x width, such as 480x640")
    return int(match[1]), int(match[2] or match[1])


def parse_batch(text: str) -> int:
    """Images that go through together, from ``8``; 0 from an empty text and from ``auto``, which leave it open.

    Raises:
        ConfigError: It is none of these.
    """
    if text in ("", AUTO_BATCH):
        return 0
    if not re.fullmatch(r"\d{1,4}", text.strip()):
        raise ConfigError(f"--batch is {text!r}", hint="Give a whole number, or auto to find the fastest by trying")
    return int(text)


def parse_replicas(text: str) -> int | None:
    """Replicas on a cluster, from ``4``; None from ``auto``, which leaves it open.

    Raises:
        ConfigError: It is neither.
    """
    if text == AUTO_REPLICAS:
        return None
    if not re.fullmatch(r"\d{1,6}", text.strip()) or int(text) == 0:
        raise ConfigError(f"--replicas is {text!r}", hint="Give a whole number above 0, or auto for as many as fit")
    return int(text)


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """How many inputs of a run may fail.

    Attributes:
        number: So many, or None.
        share: So large a part of those tried, of which there are taken to be twenty at least; or None.
    """

    number: int | None = None
    share: float | None = None

    def is_passed(self, failures: int, tried: int) -> bool:
        """Whether ``failures`` among ``tried`` inputs are too many."""
        if self.share is not None:
            return failures > self.share * max(tried, _FEWEST_TRIED)
        return self.number is not None and failures > self.number


def parse_max_failures(text: str) -> FailureLimit:
    """The limit in ``50`` or ``10%``; none from an empty text.

    Raises:
        ConfigError: It is neither.
    """
    if not text:
        return FailureLimit()
    match = re.fullmatch(r"(\d{1,9})|(\d{1,3}(?:\.\d{1,4})?)\s*%", text.strip())
    if match is None or (match[2] and float(match[2]) > 100):
        raise ConfigError(f"--max-failures is {text!r}", hint="Give a number of inputs, or a share of them such as 10%")
    return FailureLimit(int(match[1])) if match[1] else FailureLimit(share=float(match[2]) / 100)


def parse_reconnect(text: str) -> int | None:
    """How many times in a row a lost stream is called again; None for as many as it takes.

    Raises:
        ConfigError: It is neither a number nor ``forever``.
    """
    if text == FOREVER:
        return None
    if not re.fullmatch(r"\d{1,9}", text):
        raise ConfigError(f"--reconnect is {text!r}", hint="Give a number of attempts, 0 for none, or forever")
    return int(text)


def parse_rotate(text: str) -> tuple[float | None, int | None]:
    """Seconds and bytes after which files begin a new part, from ``1h``, ``500MB`` or both; None for no such limit.

    Raises:
        ConfigError: It is no time and no size, or one of them twice.
    """
    after_s: float | None = None
    size_bytes: int | None = None
    for part in text.split(",") if text else ():
        match = _ROTATE.fullmatch(part.strip())
        unit = match[2].lower() if match else ""
        amount = float(match[1]) if match else 0.0
        if amount > 0 and unit in _SECONDS and after_s is None:
            after_s = amount * _SECONDS[unit]
        elif amount > 0 and unit in _BYTES and size_bytes is None:
            size_bytes = round(amount * _BYTES[unit])
        else:
            raise ConfigError(f"--rotate is {text!r}", hint="Give a time, a size, or both: 1h, 500MB, 30min,2GB")
    return after_s, size_bytes


def split_model_name(text: str) -> tuple[str | None, str]:
    """The name and the model in ``NAME=MODEL``; the name is None where only a model is given."""
    name, equals, model = text.partition("=")
    if equals and model and re.fullmatch(r"[\w.@+-]+", name) and not is_there(text):
        return name, model
    return None, text


def find_preset(path: Path) -> Path:
    """A preset's file: the path itself or, for a bare name that is no file, the shipped preset of that name."""
    if path.is_file() or len(path.parts) != 1:
        return path
    shipped = shipped_dir("configs") / f"{path.name.removesuffix('.yaml')}.yaml"
    return shipped if shipped.is_file() else path


def load_preset(
    path: Path, kind: type[PredictConfig | CompareConfig | ExplainConfig] = PredictConfig
) -> dict[str, Any]:
    """The options that a YAML preset sets, by field name.

    Args:
        path: The preset's file, or the bare name of a shipped one.
        kind: The options that it may set.

    Raises:
        ConfigError: The file is missing, no YAML, or names an option that does not exist.
    """
    path = find_preset(path)
    try:
        raw = read_yaml(path)
    except FileNotFoundError as error:
        names = ", ".join(sorted(preset.stem for preset in shipped_dir("configs").glob("*.yaml")))
        hint = f"Check the path given to --config; shipped presets are {names}"
        raise ConfigError(f"there is no preset {path}", hint=hint) from error
    except OSError as error:
        raise ConfigError(f"the preset {path} cannot be read ({error})", hint="Give a YAML text file") from error
    except BrokenYaml as error:
        raise ConfigError(f"the preset {path} is not YAML ({error})", hint="Mend that line") from error
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise ConfigError(f"the preset {path} holds no `option: value` lines", hint="See configs/ for examples")
    known = [f.name for f in fields(kind)]
    return {_field_name(str(key), known, path): value for key, value in raw.items()}


def _field_name(key: str, known: list[str], path: Path) -> str:
    name = key.replace("-", "_")
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"Options are {', '.join(known)}"
    raise ConfigError(f"the preset {path} sets {key!r}, which is no option", hint=hint.rstrip("?"))


def resolve_config(preset: Mapping[str, Any], command_line: Mapping[str, Any]) -> PredictConfig:
    """The options of ``predict`` that apply; see :func:`resolve_options`."""
    return resolve_options(PredictConfig, preset, command_line)


def resolve_options(kind: type[ConfigKind], preset: Mapping[str, Any], command_line: Mapping[str, Any]) -> ConfigKind:
    """The options that apply: the command line wins over the preset, the preset over the defaults.

    Args:
        kind: The options that there are.
        preset: From :func:`load_preset`.
        command_line: By field name; None where an option was not given.

    Raises:
        ConfigError: A value of the wrong kind or out of range.
    """
    given = {name: value for name, value in command_line.items() if value is not None}
    hints = get_type_hints(kind)
    return kind(**{name: _coerce(name, value, hints[name]) for name, value in {**preset, **given}.items()})


def _coerce(name: str, value: Any, hint: Any) -> Any:
    kind = next((k for k in get_args(hint) if k is not type(None)), hint) if type(None) in get_args(hint) else hint
    texts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise ConfigError(f"{option_name(name)} has a null character in it", hint="Take it out: no name can have one")
    if kind is bool and isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MAX_NUMBER:
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == tuple[str, ...] and isinstance(value, str | int | list | tuple) and not isinstance(value, bool):
        return _split_items(name, [value] if isinstance(value, str | int) else value)
    wanted = {bool: "true or false", str: "a text", float: "a number", int: "a whole number"}.get(kind, "a list")
    raise ConfigError(f"{option_name(name)} is {value!r}", hint=f"Give {wanted}")


def _split_items(name: str, items: Sequence[Any]) -> tuple[str, ...]:
    parts = [str(item).strip() for item in items]
    if name not in _WHOLE_ITEMS:
        parts = [part.strip() for item in parts for part in item.split(",")]
    return tuple(part for part in parts if part)
