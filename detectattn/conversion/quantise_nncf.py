"""NNCF, imported without its telemetry and run without its progress bars."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detectattn.engines.openvino_runtime import fix_shape, import_openvino
from detectattn.errors import EngineError, MissingExtra
from detectattn.types import F32, Family

if TYPE_CHECKING:
    from collections.abc import Iterator

Infer = Callable[[F32], tuple[F32, ...]]


def require_nncf() -> None:
    """Refuse INT8 where what it needs is not installed, before any work is done for it.

    Raises:
        MissingExtra: NNCF or OpenVINO is not.
    """
    for package, title in (("nncf", "NNCF"), ("openvino", "OpenVINO")):
        if find_spec(package) is None:
            raise MissingExtra(
                f"INT8 needs {title}, which is not installed", hint='Install it: pip install "detectattn[int8]"'
            )


def quantise_model(
    model: Any,
    inputs: Sequence[F32],
    family: Family,
    float_operations: Sequence[str] = (),
) -> Any:
    """NNCF's post-training quantisation of an OpenVINO model.

    Weights are rounded symmetrically, a scale a channel; activations to the range they were seen in. A transformer is
    smoothed first (SmoothQuant), so that no channel of an activation takes the whole range.

    Args:
        model: An ``openvino.Model``, height and width of whose input may be free; left as it is.
        inputs: f32[N, 3, h, w] each, that activations' ranges are measured on, gone through several times.
        family: ``attention`` for a transformer.
        float_operations: Names of operations to leave in float.

    Returns:
        The model with the rounding of weights and activations written into it; :func:`write_quantised` rounds the
        weights themselves.

    Raises:
        EngineError: NNCF cannot quantise the model.
    """
    nncf = _import_nncf()
    try:
        with _quiet():
            return nncf.quantize(
                model,
                nncf.Dataset(list(inputs)),
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(inputs),
                model_type=nncf.ModelType.TRANSFORMER if family == "attention" else None,
                ignored_scope=nncf.IgnoredScope(names=list(float_operations), validate=False),
                advanced_parameters=nncf.AdvancedQuantizationParameters(backend_params={"compress_weights": False}),
            )
    except (RuntimeError, nncf.ValidationError, nncf.UnsupportedModelError) as error:
        raise EngineError(
            f"the model cannot be quantised to INT8 ({str(error).strip().splitlines()[0][:160]})",
            hint="Use --precision fp32 or fp16",
        ) from error


def write_quantised(quantised: Any, xml: Path) -> None:
    """Write a model of :func:`quantise_model` with its weights as INT8.

    Raises:
        OSError: The files cannot be written.
    """
    openvino = import_openvino()
    from openvino._offline_transformations import compress_quantize_weights_transformation

    copy = quantised.clone()
    compress_quantize_weights_transformation(copy)
    openvino.save_model(copy, xml, compress_to_fp16=False)


def compile_model(model: Any) -> Infer:
    """An OpenVINO model ready to run on the CPU, other than what is to be rounded in single precision.

    It is compiled for each shape that comes: with free ones INT8 crashes on processors with AMX.
    """
    core = import_openvino().Core()
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    requests: dict[tuple[int, ...], Any] = {}

    def infer(tensor: F32) -> tuple[F32, ...]:
        if tensor.shape not in requests:
            compiled = core.compile_model(fix_shape(model, tensor.shape), "CPU", settings)
            requests[tensor.shape] = compiled.create_infer_request()
        request = requests[tensor.shape]
        request.infer([tensor], share_inputs=True)
        return tuple(request.get_output_tensor(i).data.copy() for i in range(len(model.outputs)))

    return infer


def _import_nncf() -> Any:
    require_nncf()
    # Both are looked at when NNCF is imported: the variable, and the module that OpenVINO's import closes.
    os.environ["NNCF_CI"] = "1"
    import_openvino()
    import nncf

    nncf.set_log_level(logging.ERROR)
    return nncf


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep NNCF's progress bars off the terminal: they go to standard output, where results are."""
    from nncf.common.logging.track_progress import WeightedProgress

    console = WeightedProgress().console
    before = console.quiet
    console.quiet = True
    try:
        yield
    finally:
        console.quiet = before
