"""What is asked of an option's value, and how a refusal names the option."""

from __future__ import annotations

from detectattn.errors import ConfigError

ENGINES = ("auto", "torch", "openvino", "onnx", "tensorrt")
PRECISIONS = ("auto", "fp32", "fp16", "bf16", "int8")


def option_name(field_name: str) -> str:
    """A field's name on the command line: ``max_det`` is ``--max-det``."""
    return "--" + field_name.replace("_", "-")


def require(name: str, value: object, fine: bool, wanted: str) -> None:
    """Refuse the value of the option ``name`` unless it is ``fine``.

    Raises:
        ConfigError: It is not; the hint is to give what is ``wanted``.
    """
    if not fine:
        raise ConfigError(f"{option_name(name)} is {value!r}", hint=f"Give {wanted}")
