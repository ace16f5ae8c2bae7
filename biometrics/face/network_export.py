"""A network of dlib written as ONNX, the form that every runtime reads.

Owns the translation: which graph gives what the layers give. Refuses to know where the network
comes from, where the graph is kept and what runs it.

The graph reads pixels as they are decoded (uint8, batch x height x width x 3, red first) and does
the rest itself. An affine layer is folded into the convolution before it, and dlib's division by
256 into the first filters, where it is exact because 256 is a power of two.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

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
    Weights,
)

OPSET = 17
"""ONNX operator set: old enough for every runtime of the last years."""

IR_VERSION = 8
"""File format that goes with `OPSET` 17."""

INPUT = "pixels"
"""Name of the input: uint8, batch x height x width x 3, red first."""

OUTPUT = "output"
"""Name of the output: float32, batch x values, or batch x 1 x rows x columns of a detector."""

CHANNEL_BLOCK = 16
"""Channels between two convolutions are filled up to a multiple of this with channels that stay
zero: sixteen float32 are one AVX-512 register, and runtimes fall back to slow code for the rest."""

PIXEL_RANGE = 256.0
"""What dlib divides pixels by (`dlib/dnn/input.h`)."""


class ExportError(ValueError):
    """The layers do not follow each other in a way that is understood here."""


@dataclass(frozen=True)
class _Value:
    """A value in the graph: its name, its channels and, where known, its side in pixels."""

    name: str
    channels: int
    side: int | None


@dataclass
class _Graph:
    """The graph as far as it is written."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, values: npt.NDArray[np.generic]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: int | list[int]) -> str:
        name = f"value_{len(self.nodes)}"
        node = helper.make_node(operator, list(inputs), [name])
        node.attribute.extend(helper.make_attribute(key, item) for key, item in attributes.items())
        self.nodes.append(node)
        return name


def to_onnx(network: DlibNetwork) -> bytes:
    """The network as the bytes of an ONNX file.

    Raises:
        ExportError: The layers cannot be put together.
    """
    graph = _Graph()
    value = _pixels(graph, network)
    layers = _folded(network.layers)
    value = _Walk(graph, layers).run(value)
    graph.nodes.append(helper.make_node("Identity", [value.name], [OUTPUT]))
    side = network.input_side_px
    shape_in: list[str | int | None] = ["batch", side or "height", side or "width", 3]
    shape_out: list[str | int | None] = ["batch", value.channels]
    if side is None:
        shape_out += ["rows", "columns"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "dlib",
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, shape_in)],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape_out)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _pixels(graph: _Graph, network: DlibNetwork) -> _Value:
    """Channels first, as numbers, minus the mean; the division is in the first filters."""
    planes = graph.node("Transpose", INPUT, perm=[0, 3, 1, 2])
    numbers = graph.node("Cast", planes, to=TensorProto.FLOAT)
    mean = graph.constant(np.array(network.mean_rgb, dtype=np.float32).reshape(1, 3, 1, 1))
    return _Value(graph.node("Sub", numbers, mean), 3, network.input_side_px)


def _folded(layers: tuple[Layer, ...]) -> list[Layer]:
    """The layers with each affine inside its convolution and the channels filled up."""
    folded: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Affine):
            if not folded or not isinstance(folded[-1], Convolution):
                raise ExportError("an affine layer follows something else than a convolution")
            folded[-1] = _with_affine(folded[-1], layer)
        else:
            folded.append(layer)
    first = next((i for i, layer in enumerate(folded) if isinstance(layer, Convolution)), None)
    if first != 0:
        raise ExportError("the first layer is not a convolution")
    folded[0] = _scaled(folded[0], 1 / PIXEL_RANGE)
    return _filled_up(folded)


def _with_affine(convolution: Convolution, affine: Affine) -> Convolution:
    if affine.gamma.size != convolution.bias.size:
        raise ExportError("an affine layer of another number of channels than its convolution")
    # In float64, so that folding adds no rounding of its own beyond the last bit.
    gamma = affine.gamma.astype(np.float64)
    return Convolution(
        filters=(convolution.filters * gamma[:, None, None, None]).astype(np.float32),
        bias=(convolution.bias * gamma + affine.beta).astype(np.float32),
        stride=convolution.stride,
        padding=convolution.padding,
    )


def _scaled(layer: Layer, factor: float) -> Layer:
    if not isinstance(layer, Convolution):
        return layer
    filters = layer.filters * np.float32(factor)
    return Convolution(filters, layer.bias, layer.stride, layer.padding)


def _filled_up(layers: list[Layer]) -> list[Layer]:
    """Convolutions with outputs and the next inputs at a multiple of `CHANNEL_BLOCK`."""
    last = max(i for i, layer in enumerate(layers) if isinstance(layer, Convolution))
    channels = 3
    filled: list[Layer] = []
    for index, layer in enumerate(layers):
        if isinstance(layer, Convolution):
            outputs = layer.bias.size
            # A detector's output is one map; it is read as it is.
            wanted = outputs if index == last else -(-outputs // CHANNEL_BLOCK) * CHANNEL_BLOCK
            more_outputs = wanted - outputs
            more_inputs = max(0, channels - layer.filters.shape[1])
            widths = ((0, more_outputs), (0, more_inputs), (0, 0), (0, 0))
            filled.append(
                Convolution(
                    np.pad(layer.filters, widths),
                    np.pad(layer.bias, (0, more_outputs)),
                    layer.stride,
                    layer.padding,
                )
            )
            channels = wanted
        else:
            filled.append(layer)
    return filled


class _Walk:
    """Writes layer after layer, remembering the values that residual blocks come back to.

    dlib writes tags and skips alike and without their numbers. Its residual networks use them in
    two ways only, which the order tells apart: a block begins at a marker and ends in a sum with
    the value there; or, when it halves the size, two markers stand before the pooling of the
    value at the beginning, and the sum is with the value at those two.
    """

    def __init__(self, graph: _Graph, layers: list[Layer]) -> None:
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
        weights: Weights = layer.weights
        return _Value(self._graph.node("MatMul", row, self._graph.constant(weights)), outputs, 1)


def _smaller(value_side: int | None, *, side: int, stride: int, padding: int = 0) -> int | None:
    """The side after a window of `side` has walked over it."""
    if value_side is None:
        return None
    if value_side + 2 * padding < side:
        raise ExportError(f"a window of {side} on {value_side} pixels")
    return (value_side + 2 * padding - side) // stride + 1


def _larger(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else max(left, right)
