"""What the text of an option says: sizes, numbers, limits, and the name given to a model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from detectattn.config.checks import require
from detectattn.errors import ConfigError
from detectattn.user_paths import is_there

AUTO_BATCH = "auto"
FOREVER = "forever"
AUTO_REPLICAS = "auto"

_FEWEST_TRIED = 20
_ROTATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|min|m|h|d|kb|mb|gb|tb)", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


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


def check_replicas(replicas: str, cpus: int | None, gpus: float | None, shard_size: int) -> None:
    """Refuse replicas on a cluster that cannot be.

    Args:
        replicas: How many, as :func:`parse_replicas` takes it.
        cpus: Cores of each, or None.
        gpus: GPUs of each, or None.
        shard_size: Inputs that one works on at a time.

    Raises:
        ConfigError: One of them cannot.
    """
    parse_replicas(replicas)
    require("replica_cpus", cpus, cpus is None or cpus >= 1, "a whole number above 0")
    require("replica_gpus", gpus, gpus is None or gpus >= 0, "a number from 0")
    require("shard_size", shard_size, shard_size >= 1, "a whole number above 0")


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
