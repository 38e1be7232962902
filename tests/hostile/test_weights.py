"""Models from elsewhere run no code and read no other files."""

from __future__ import annotations

import ast
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn.cli.app import run
from detectattn.errors import CorruptWeights, UnsafeWeights
from detectattn.weights.embedded_model import build_model
from detectattn.weights.locate import locate_weights
from detectattn.weights.onnx_data import check_external_data

PACKAGE = Path(__file__).resolve().parents[2] / "detectattn"


class Evil:
    """Unpickling it writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def _save_zip(path: Path, evil: Evil) -> None:
    import torch

    torch.save({"model": evil}, path)


def _save_legacy(path: Path, evil: Evil) -> None:
    import torch

    torch.save({"model": evil}, path, _use_new_zipfile_serialization=False)


def _save_pickle(path: Path, evil: Evil) -> None:
    path.write_bytes(pickle.dumps(evil))


def _save_script(path: Path, evil: Evil) -> None:
    """As TorchScript lies in its archive, with constants of its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.pkl", "constants.pkl"):
            archive.writestr(f"model/{name}", pickle.dumps(evil))
        archive.writestr("model/version", "3")


def _save_arrays(path: Path, evil: Evil) -> None:
    with path.open("wb") as stream:
        np.savez(stream, model=np.array([evil], object))


SAVERS = (_save_zip, _save_legacy, _save_pickle, _save_script, _save_arrays)


@pytest.mark.parametrize("save", SAVERS, ids=lambda save: save.__name__.removeprefix("_save_"))
def test_a_pickle_never_runs_however_it_is_named(
    save: Callable[[Path, Evil], None], noon: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "made"
    for name in ("evil.pt", "evil.onnx", "evil.engine", "evil.safetensors"):
        save(tmp_path / name, Evil(target))
        for words in (["predict", str(noon)], ["inspect"], ["explain", str(noon)]):
            model = [name] if words == ["inspect"] else ["-m", name]
            assert run([*words, *model]) == 1
            errors = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error: ")]
            assert len(errors) == 1, (name, words)
            assert "bug" not in errors[0], errors
            assert not target.exists(), (name, words)
    pickle.loads(pickle.dumps(Evil(target)))
    assert target.exists(), "it does nothing, so that this test could not fail"


def _calls(tree: ast.AST) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_one_place_alone_unpickles_and_none_runs_text() -> None:
    forbidden = {
        "eval", "exec", "pickle.load", "pickle.loads", "torch.load", "torch.jit.load", "torch.hub.load", "joblib.load",
        "marshal.loads", "shelve.open", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen",
    }  # fmt: skip
    found = {
        (path.relative_to(PACKAGE).as_posix(), call)
        for path in PACKAGE.rglob("*.py")
        for call in _calls(ast.parse(path.read_text(encoding="utf-8")))
        if call in forbidden
    }
    assert {name for name, _ in found} <= {"weights/safe_load.py"}


def _write_onnx(path: Path, location: str) -> Path:
    """A model that adds a tensor kept under ``location``."""
    from onnx import TensorProto, helper

    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.dims.append(8)
    for key, value in {"location": location, "offset": "0", "length": "32"}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8]) for name in "xy"]
    inner = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [tensor])
    opset = [helper.make_opsetid("", 13)]
    path.write_bytes(helper.make_model(inner, opset_imports=opset, ir_version=8).SerializeToString())
    return path


OUTSIDE = [
    "../secret.bin",
    "/dev/zero",
    "{tmp}/secret.bin",
    "sub/../../secret.bin",
    "link.bin",
    "..\\secret.bin",
    "*/_ORT_MEM_ADDR_/*",
]


@pytest.mark.parametrize("location", OUTSIDE)
def test_weights_outside_the_models_folder_are_refused(location: str, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(32))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    path = _write_onnx(folder / "Model.ONNX", location.format(tmp=tmp_path))
    with pytest.raises(UnsafeWeights, match="asks for weights outside its folder"):
        locate_weights(str(path), offline=True, on_notice=print)


def test_weights_beside_the_model_are_read(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    (tmp_path / "w.bin").write_bytes(np.arange(8, dtype=np.float32).tobytes())
    path = _write_onnx(tmp_path / "model.onnx", "w.bin")
    assert locate_weights(str(path), offline=True, on_notice=print).format == "onnx"
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": np.zeros(8, np.float32)})[0].tolist() == list(range(8))


def test_weights_are_found_wherever_a_model_may_hold_them(tmp_path: Path) -> None:
    """In a constant of a branch of a function, three messages deep."""
    from onnx import ModelProto

    tensor = _make_outside()
    for field in ("t", "tensors"):
        model = ModelProto(ir_version=8)
        attribute = model.functions.add().node.add().attribute.add().g.node.add().attribute.add()
        (getattr(attribute, field).add() if field == "tensors" else attribute.t).CopyFrom(tensor)
        path = tmp_path / "m.onnx"
        path.write_bytes(model.SerializeToString())
        with pytest.raises(UnsafeWeights):
            check_external_data(path)


def _make_outside() -> Any:
    """A tensor that is kept outside the model's folder."""
    from onnx import TensorProto

    tensor = TensorProto(data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../secret.bin"
    return tensor


def test_weights_are_found_in_what_a_function_takes_by_default(tmp_path: Path) -> None:
    from onnx import ModelProto

    model = ModelProto(ir_version=8)
    model.functions.add().attribute_proto.add().t.CopyFrom(_make_outside())
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnsafeWeights):
        check_external_data(path)


def test_weights_are_found_behind_a_field_of_more_bits_than_count(tmp_path: Path) -> None:
    """ONNX Runtime takes 32 of a tag's 35 bits, so this is the graph, field 7."""
    from onnx import GraphProto, ModelProto

    content = GraphProto(initializer=[_make_outside()]).SerializeToString()
    path = tmp_path / "m.onnx"
    path.write_bytes(ModelProto(ir_version=8).SerializeToString() + b"\xba\x80\x80\x80\x10" + _sized(content))
    with pytest.raises(UnsafeWeights):
        check_external_data(path)


@pytest.mark.parametrize("before", [b"", b"\n<" + b"a" * 60, b" \x01"])
@pytest.mark.parametrize("as_folder", [False, True])
def test_onnx_by_the_name_of_openvino_is_refused(before: bytes, as_folder: bool, tmp_path: Path) -> None:
    """OpenVINO goes by the content, and what is before may be unknown fields of ONNX."""
    path = _write_onnx(tmp_path / "model.xml", "../secret.bin")
    path.write_bytes(before + path.read_bytes())
    (tmp_path / "model.bin").write_bytes(b"weights")
    with pytest.raises(CorruptWeights, match="does not begin as XML"):
        locate_weights(str(tmp_path if as_folder else path), offline=True, on_notice=print)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_xml_is_taken_for_openvino(mark: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_bytes(mark + b'<?xml version="1.0"?><net/>')
    (tmp_path / "model.bin").write_bytes(b"weights")
    assert locate_weights(str(tmp_path), offline=True, on_notice=print).format == "openvino"


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize(
    "content", [b"\x3a" * 100_000, b"\x72" + b"\xff" * 9 + b"\x7f", b"\x3a\x05a", b"\x0b\x0c", b"\xff" * 64]
)
def test_what_is_no_onnx_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(CorruptWeights, match="no ONNX model, or damaged"):
        check_external_data(path)


def test_messages_within_messages_take_no_stack(tmp_path: Path) -> None:
    """Graphs in attributes in nodes, 1,500 deep, and then a tensor that reaches outside."""
    from onnx import ModelProto

    content = b"\x2a" + _sized(_make_outside().SerializeToString())  # initializer of a graph
    for _ in range(1500):
        content = b"\x32" + _sized(content)  # a graph of an attribute
        content = b"\x0a" + _sized(b"\x2a" + _sized(content))  # an attribute of a node of a graph
    path = tmp_path / "m.onnx"
    path.write_bytes(ModelProto(ir_version=8).SerializeToString() + b"\x3a" + _sized(content))
    with pytest.raises(UnsafeWeights):
        check_external_data(path)


def _sized(content: bytes) -> bytes:
    """A message with its length before it, in Protocol Buffers' encoding."""
    length, digits = len(content), b""
    while length > 0x7F:
        digits += bytes([length & 0x7F | 0x80])
        length >>= 7
    return digits + bytes([length]) + content


@pytest.mark.parametrize(
    "row",
    [[-1, 10**9, "Conv", [8, 3]], [-1, 1, "Conv", [10**9, 3]], [-1, 0, "Conv", [8]], [-1, 1, "Conv", [float("nan")]]],
    ids=str,
)  # fmt: skip
def test_an_embedded_model_of_absurd_size_is_not_built(row: list[Any]) -> None:
    with pytest.raises(ValueError, match="the model YAML"):
        build_model({"backbone": [row], "head": [[[-1], 1, "Detect", ["nc"]]]}, ["cat"])
