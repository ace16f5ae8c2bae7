"""A network of dlib written as ONNX, the form that every runtime reads.

Owns the translation: which graph gives what the layers give, in the numbers dlib computes with.
Refuses to know where the network comes from, where the graph is kept and what runs it.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from biometrics.face.dlib_stream import (
    AddPrevious,
    Affine,
    AveragePooling,
    Convolution,
    DlibNetwork,
    FullyConnected,
    Layer,
    Marker,
    MaxPooling,
    Rectifier,
)
from biometrics.face.network_graph import INPUT, ExportError, Graph, folded_layers


@dataclass(frozen=True)
class _Value:
    """A value in the graph: its name, its channels and, where known, its side in pixels."""

    name: str
    channels: int
    side: int | None


def to_onnx(network: DlibNetwork) -> bytes:
    """The network as the bytes of an ONNX file.

    Raises:
        ExportError: The layers cannot be put together.
    """
    graph = Graph()
    value = _Walk(graph, folded_layers(network.layers)).run(_pixels(graph, network))
    is_map = network.input_side_px is None
    shape: list[str | int] = [value.channels, "rows", "columns"] if is_map else [value.channels]
    return graph.finish(value.name, shape=shape, side=network.input_side_px)


def _pixels(graph: Graph, network: DlibNetwork) -> _Value:
    """Channels first, as numbers, minus the mean; the division is in the first filters."""
    planes = graph.node("Transpose", INPUT, perm=[0, 3, 1, 2])
    numbers = graph.node("Cast", planes, to=TensorProto.FLOAT)
    mean = graph.constant(np.array(network.mean_rgb, dtype=np.float32).reshape(1, 3, 1, 1))
    return _Value(graph.node("Sub", numbers, mean), 3, network.input_side_px)


class _Walk:
    """Writes layer after layer, remembering the values that residual blocks come back to.

    dlib writes tags and skips alike and without their numbers. Its residual networks use them in
    two ways only, which the order tells apart: a block begins at a marker and ends in a sum with
    the value there; or, when it halves the size, two markers stand before the pooling of the
    value at the beginning, and the sum is with the value at those two.
    """

    def __init__(self, graph: Graph, layers: list[Layer]) -> None:
        self._graph = graph
        self._layers = layers
        self._begin: _Value | None = None
        self._aside: _Value | None = None

    def run(self, value: _Value) -> _Value:
        for index, layer in enumerate(self._layers):
            value = self._write(layer, value, is_first=index == 0)
        if self._begin is not None or self._aside is not None:
            raise ExportError("a residual block without its end")
        return value

    def _write(self, layer: Layer, value: _Value, *, is_first: bool) -> _Value:
        match layer:
            case Marker():
                written = self._mark(value)
            case AddPrevious():
                written = self._add(value)
            case Convolution():
                written = self._convolve(layer, value, is_first=is_first)
            case Rectifier():
                name = self._graph.node("Relu", value.name)
                written = _Value(name, value.channels, value.side)
            case MaxPooling(side=side, stride=stride):
                written = self._pool("MaxPool", value, side=side, stride=stride)
            case AveragePooling(side=0):
                name = self._graph.node("GlobalAveragePool", value.name)
                written = _Value(name, value.channels, 1)
            case AveragePooling(side=side, stride=stride):
                written = self._pool("AveragePool", value, side=side, stride=stride)
            case FullyConnected():
                written = self._connect(layer, value)
            case Affine():
                raise ExportError("an affine layer was not folded")
        return written

    def _mark(self, value: _Value) -> _Value:
        if self._begin is None:
            self._begin = value
            return value
        if self._aside is None:
            self._aside = value
            return value
        return self._begin

    def _add(self, value: _Value) -> _Value:
        other = self._begin if self._aside is None else self._aside
        if other is None:
            raise ExportError("a sum without a value to add")
        self._begin = self._aside = None
        channels = max(value.channels, other.channels)
        side = _larger(value.side, other.side)
        left = self._padded(value, channels=channels, side=side)
        right = self._padded(other, channels=channels, side=side)
        return _Value(self._graph.node("Add", left, right), channels, side)

    def _padded(self, value: _Value, *, channels: int, side: int | None) -> str:
        """The value with zeros at the end of each dimension that is too short (dlib's add_prev)."""
        if (value.channels, value.side) == (channels, side):
            return value.name
        if side is None or value.side is None:
            raise ExportError("a sum of different shapes in a network of any input size")
        edge = side - value.side
        ends = np.array([0, 0, 0, 0, 0, channels - value.channels, edge, edge], dtype=np.int64)
        return self._graph.node("Pad", value.name, self._graph.constant(ends))

    def _convolve(self, layer: Convolution, value: _Value, *, is_first: bool) -> _Value:
        if layer.filters.shape[1] != value.channels:
            raise ExportError(
                f"a convolution of {layer.filters.shape[1]} channels after {value.channels}"
            )
        if is_first and layer.padding:
            raise ExportError("a padded first convolution, which would pad with the mean colour")
        name = self._graph.node(
            "Conv",
            value.name,
            self._graph.constant(layer.filters),
            self._graph.constant(layer.bias),
            kernel_shape=list(layer.filters.shape[2:]),
            strides=[layer.stride] * 2,
            pads=[layer.padding] * 4,
        )
        rows = layer.filters.shape[2]
        return _Value(
            name,
            layer.bias.size,
            _smaller(value.side, side=rows, stride=layer.stride, padding=layer.padding),
        )

    def _pool(self, operator: str, value: _Value, *, side: int, stride: int) -> _Value:
        name = self._graph.node(
            operator, value.name, kernel_shape=[side, side], strides=[stride, stride]
        )
        return _Value(name, value.channels, _smaller(value.side, side=side, stride=stride))

    def _connect(self, layer: FullyConnected, value: _Value) -> _Value:
        inputs, outputs = layer.weights.shape
        if (value.channels, value.side) != (inputs, 1):
            raise ExportError(f"{inputs} weights after {value.channels} channels")
        row = self._graph.node("Flatten", value.name, axis=1)
        weights = self._graph.constant(layer.weights)
        return _Value(self._graph.node("MatMul", row, weights), outputs, 1)


def _smaller(value_side: int | None, *, side: int, stride: int, padding: int = 0) -> int | None:
    """The side after a window of `side` has walked over it."""
    if value_side is None:
        return None
    if value_side + 2 * padding < side:
        raise ExportError(f"a window of {side} on {value_side} pixels")
    return (value_side + 2 * padding - side) // stride + 1


def _larger(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else max(left, right)
