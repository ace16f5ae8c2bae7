"""What is common to all networks of dlib that are written as ONNX.

Owns the graph while it is written, its input and output, and the layers made ready for it. Refuses
to know in what order layers may stand and with what numbers they are computed.

The graph reads pixels as they are decoded (uint8, batch x height x width x 3, red first) and does
the rest itself. An affine layer is folded into the convolution before it, and dlib's division by
256 into the first filters, where it is exact because 256 is a power of two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from biometrics.face.dlib_stream import Affine, Convolution, Layer

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


@dataclass
class Graph:
    """The graph as far as it is written."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, values: npt.NDArray[np.generic]) -> str:
        """Add a constant; its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: int | list[int]) -> str:
        """Add an operator; the name of its value."""
        name = f"value_{len(self.nodes)}"
        node = helper.make_node(operator, list(inputs), [name])
        node.attribute.extend(helper.make_attribute(key, item) for key, item in attributes.items())
        self.nodes.append(node)
        return name

    def finish(self, value: str, *, shape: Sequence[str | int], side: int | None) -> bytes:
        """The graph with `value` as its output, as the bytes of an ONNX file.

        Args:
            value: Name of the last value.
            shape: Shape of the output after the batch; a name stands for a size that is free.
            side: Side of the input in pixels; None where any size goes.
        """
        self.nodes.append(helper.make_node("Identity", [value], [OUTPUT]))
        shape_in: list[str | int | None] = ["batch", side or "height", side or "width", 3]
        graph = helper.make_graph(
            self.nodes,
            "dlib",
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, shape_in)],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", *shape])],
            self.constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(model)
        return model.SerializeToString()


def folded_layers(layers: tuple[Layer, ...]) -> list[Layer]:
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
