"""Small networks made on the spot, with manifests that fit them.

Owns a network whose output can be computed by hand: each output value is the mean of one colour,
times a weight. Knows no test.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from biometrics.face.plugins.manifest import PluginManifest, parse_manifest

SIDE_PX = 112
DIMENSION = 128

MANIFEST = """
name = "{name}"
version = "1"
kind = "embedder"
file = "network.onnx"
sha256 = "{sha256}"
licence = "Apache-2.0"
source = "made in a test"

[input]
side_px = 112
layout = "{layout}"
colour_order = "{colour_order}"
mean = [127.5, 127.5, 127.5]
scale = 0.0078125

[embedding]
alignment = "arcface-five-points"
dimension = {dimension}
score_type = "{score_type}"
"""

Write = Callable[..., tuple[Path, PluginManifest, str]]


def network(
    *, dimension: int = DIMENSION, layout: str = "NCHW", weights: np.ndarray | None = None
) -> bytes:
    """A network that averages each colour and maps the three means to `dimension` values."""
    if weights is None:
        weights = np.random.default_rng(1).normal(size=(3, dimension)).astype(np.float32)
    shape = [1, 3, SIDE_PX, SIDE_PX] if layout == "NCHW" else [1, SIDE_PX, SIDE_PX, 3]
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    nodes = [
        helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, dimension])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(axes, dtype=np.int64), "axes"),
        ],
    )
    opsets = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def split_network(folder: Path) -> bytes:
    """A network that reads its weights from `outside.bin`, which is written into a folder."""
    folder.mkdir()
    path = folder / "split.onnx"
    onnx.save_model(
        onnx.load_from_string(network()),
        str(path),
        save_as_external_data=True,
        location="outside.bin",
        size_threshold=0,
    )
    return path.read_bytes()


def manifest_text(weights: bytes, **given: object) -> str:
    usual: dict[str, object] = {
        "name": "test-network",
        "sha256": hashlib.sha256(weights).hexdigest(),
        "layout": "NCHW",
        "colour_order": "RGB",
        "dimension": DIMENSION,
        "score_type": "cosine",
    }
    return MANIFEST.format(**usual | given)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a network; gives its path, its manifest and the manifest's text."""

    def to_file(weights: bytes, **given: object) -> tuple[Path, PluginManifest, str]:
        path = tmp_path / "weights.onnx"
        path.write_bytes(weights)
        text = manifest_text(weights, **given)
        return path, parse_manifest(text), text

    return to_file
