"""Attention as plain arrays in one ``.npz`` file, for those who study it.

Weights are float32, rows (last axis, or levels × points) sum to 1. Tokens are the cells of a feature map,
row-major: token ``t`` of a grid of width ``w`` is row ``t // w``, column ``t % w``, and covers an equal share of
the network's input, padding and all. *Picture pixels* are those of the upright picture, continuous: a pixel ``i``
reaches from ``i`` to ``i + 1``. A network's point ``p`` lies in the picture at ``(p - offset_xy) / scale_xy``.

Every model:

==================  ===========================  ==================================================================
``schema_version``  i32[]                        :data:`SCHEMA_VERSION`
``xyxy``            f32[D, 4]                    boxes, picture pixels
``score``           f32[D]                       0 to 1
``class_id``        i32[D]                       the model's own class index
``query_id``        i32[D]                       the query (RT-DETR) or the anchor (YOLO: cells of all levels in
                                                 the order of ``grid_hw``, row-major) behind each; -1 if unknown
``image_hw``        i32[2]                       height and width of the picture
``net_hw``          i32[2]                       height and width of the network's input
``scale_xy``        f32[2]                       network pixels a picture pixel
``offset_xy``       f32[2]                       padding at the left and the top, network pixels
``grid_hw``         i32[levels, 2]               feature maps that the head was given, finest first
==================  ===========================  ==================================================================

With a decoder (RT-DETR; layers from the first to the last that ran):

==================  ===========================  ==================================================================
``encoder_self``    [heads, tokens, tokens]      the encoder's self-attention (AIFI), queries by keys
``encoder_hw``      i32[2]                       its grid
``decoder_self``    [layers, heads, D, queries]  what each detection's query attended to among all queries
``cross_points``    [layers, D, heads, levels,   sampled places, x and y, picture pixels; they may lie outside
                    points, 2]
``cross_weights``   [layers, D, heads, levels,   their weights
                    points]
``layer_xyxy``      f32[1 + layers, D, 4]        where the query was: the encoder's proposal, then after each
                                                 layer; picture pixels
``layer_score``     f32[layers, D]               what each layer's classifier gave it for the detection's class
==================  ===========================  ==================================================================

Modules of YOLO, whose sizes differ, each under its own name: ``PATH`` is its place in the model, ``10.m.0.attn``
(block 10):

==================  ===========================  ==================================================================
``psa_self.PATH``   [heads, tokens, tokens]      self-attention of YOLO11 and YOLO26 (PSA)
``psa_hw.PATH``     i32[2]                       its grid
``area_self.PATH``  [areas, heads, tokens,       area attention of YOLO12: token ``t`` of area ``a`` is token
                    tokens]                      ``a × tokens + t`` of the grid
``area_hw.PATH``    i32[2]                       its grid
==================  ===========================  ==================================================================

A model with several multi-head attentions over grids has ``encoder_self.PATH`` and ``encoder_hw.PATH`` instead of
``encoder_self`` and ``encoder_hw``. Self-attention takes 4 × heads × tokens² bytes: 5 MB for RT-DETR-L at 640
pixels (400 tokens), 82 MB at 1280 (1,600).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectattn.attention.capture import CapturedPicture
from detectattn.attention.trace import trace_boxes, trace_scores
from detectattn.results.attention import CrossAttention, SelfAttention
from detectattn.sinks.files import open_new_file
from detectattn.types import F32, Detections, Resize

SCHEMA_VERSION = 1
"""Version of the names and shapes that :func:`to_arrays` gives."""

_UNTRACED = -1


def to_arrays(captured: CapturedPicture, rows: Sequence[int] | NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """A picture's attention, for some of its detections, under the names and in the shapes that this module describes.

    Args:
        captured: What was captured.
        rows: Which of its detections, by place.
    """
    chosen = captured.detections.take(np.asarray(rows, np.intp))
    arrays = _describe_picture(captured, chosen) | _collect_grids(captured)
    query_id = chosen.query_id
    if query_id is None:
        return arrays
    queries = [s for s in captured.record.self_attention if s.kind == "query"]
    if queries:
        arrays["decoder_self"] = np.stack([s.weights[0][:, query_id] for s in queries])
    if captured.record.cross_attention:
        arrays |= _collect_cross(captured.record.cross_attention, query_id, captured.resize)
    if captured.decoder is not None:
        arrays["layer_xyxy"] = trace_boxes(captured.decoder, query_id, captured.resize)
        arrays["layer_score"] = trace_scores(captured.decoder, query_id, chosen.class_id)
    return arrays


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as an uncompressed ``.npz`` (weights hardly compress), whole or not at all.

    The same arrays give the same bytes.

    Raises:
        OutputExists: ``path`` is there already.
        DiskFull: No space, or no permission.
        WriteFailed: Any other reason.
    """
    with open_new_file(path) as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # the stubs take a name for the option `allow_pickle`


def points_to_pixels(points: F32, resize: Resize) -> F32:
    """Points f32[…, 2] as shares of the network's input to pixels of the upright picture.

    Args:
        points: x and y, 0 to 1 inside.
        resize: How the picture was fitted.
    """
    net_wh = np.array([resize.net_hw[1], resize.net_hw[0]])
    pixels: F32 = ((points * net_wh - np.array(resize.offset_xy)) / np.array(resize.scale_xy)).astype(np.float32)
    return pixels


def _describe_picture(captured: CapturedPicture, chosen: Detections) -> dict[str, NDArray[Any]]:
    resize = captured.resize
    untraced = np.full(len(chosen), _UNTRACED, np.int32)
    return {
        "schema_version": np.array(SCHEMA_VERSION, np.int32),
        "xyxy": chosen.xyxy,
        "score": chosen.score,
        "class_id": chosen.class_id,
        "query_id": untraced if chosen.query_id is None else chosen.query_id,
        "image_hw": np.array(resize.image_hw, np.int32),
        "net_hw": np.array(resize.net_hw, np.int32),
        "scale_xy": np.array(resize.scale_xy, np.float32),
        "offset_xy": np.array(resize.offset_xy, np.float32),
        "grid_hw": np.array(captured.grid_hw, np.int32),
    }


def _collect_grids(captured: CapturedPicture) -> dict[str, NDArray[Any]]:
    """Attention among the tokens of feature maps, with each grid beside it."""
    types = {site.module: site.module_type for site in captured.sites}
    grids = [s for s in captured.record.self_attention if s.kind != "query"]
    encoders = [s for s in grids if types[s.module] == "MultiheadAttention"]
    arrays: dict[str, NDArray[Any]] = {}
    for attention in grids:
        name = {"Attention": "psa", "AAttn": "area"}.get(types[attention.module], "encoder")
        place = "" if encoders == [attention] else f".{attention.module.removeprefix('model.')}"
        arrays[f"{name}_self{place}"] = attention.weights if name == "area" else attention.weights[0]
        arrays[f"{name}_hw{place}"] = _to_hw(attention)
    return arrays


def _to_hw(attention: SelfAttention) -> NDArray[np.int32]:
    assert attention.grid_hw is not None
    return np.array(attention.grid_hw, np.int32)


def _collect_cross(
    layers: Sequence[CrossAttention], query_id: NDArray[np.int32], resize: Resize
) -> dict[str, NDArray[Any]]:
    points = np.stack([layer.points[query_id] for layer in layers])
    return {
        "cross_points": points_to_pixels(points, resize),
        "cross_weights": np.stack([layer.weights[query_id] for layer in layers]),
    }
