"""A convolutional network of dlib written as ONNX with whole numbers of 8 bits inside.

Owns the choice of scales and the graph. Refuses to know what the network is for and where the
largest activations were measured. Only for what a decision is not read from directly: a detector
may be a little wrong, an embedder may not.

Each value between two convolutions becomes a whole number of 0..255, as a share of the largest
activation, and each filter whole numbers of -64..63 with a scale of its own. Seven bits and not
eight, because processors without VNNI add two products in 16 bits, which eight overflow
(Intel, "Lower Numerical Precision Deep Learning Inference and Training", 2018): so every processor
computes the same.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from biometrics.face.dlib_stream import Convolution, DlibNetwork, Rectifier
from biometrics.face.network_graph import INPUT, ExportError, Graph, folded_layers

ACTIVATION_STEPS = 255
"""Largest whole number of an activation: 8 bits, none below zero."""

WEIGHT_STEPS = 63
"""Largest whole number of a weight: 7 bits."""


def to_quantized_onnx(network: DlibNetwork, *, activations_max: Sequence[float]) -> bytes:
    """The network as the bytes of an ONNX file in QDQ form, which runtimes turn into int8 kernels.

    The first and the last convolution keep their numbers: with three channels in, or one out,
    whole numbers gain nothing. The last has one output for each cell; see `_scores`.

    Args:
        network: A chain of convolutions with rectifiers between them, nothing else.
        activations_max: The largest value after each rectifier; larger ones are cut off.

    Raises:
        ExportError: The network is something else, or a largest value is missing.
    """
    first, *others = _chain(network)
    if len(activations_max) != len(others):
        raise ExportError(f"{len(others)} largest values wanted, {len(activations_max)} given")
    last = others[-1]
    graph = Graph()
    planes = graph.node("Transpose", INPUT, perm=[0, 3, 1, 2])
    numbers = graph.node("Cast", planes, to=TensorProto.FLOAT)
    value = _convolve(
        graph, numbers, first, (graph.constant(first.filters), graph.constant(first.bias))
    )
    for convolution, largest in zip(others, activations_max, strict=True):
        step = largest / ACTIVATION_STEPS
        rectified = _in_steps(graph, graph.node("Relu", value), step=step)
        if convolution is last:
            value = _scores(graph, rectified, last)
        else:
            value = _quantized(graph, rectified, convolution, step=step)
    return graph.finish(value, shape=[1, "rows", "columns"], side=None)


def _scores(graph: Graph, value: str, last: Convolution) -> str:
    """The last convolution, which has one output, column by column of its filter.

    A matrix product with one row leaves most of a processor idle: of 9 x 9 filters a quarter of the
    detector's whole time. So each column of the filter becomes an output of its own, and a second
    convolution adds the columns up, each from its place.
    """
    columns = last.filters.shape[3]
    upright = graph.constant(last.filters.transpose(3, 1, 2, 0))
    diagonal = np.eye(columns, dtype=np.float32)[np.newaxis, :, np.newaxis, :]
    pad, one = last.padding, [1, 1]
    value = graph.node("Conv", value, upright, strides=one, pads=[pad, 0, pad, 0])
    parts = (graph.constant(diagonal), graph.constant(last.bias))
    return graph.node("Conv", value, *parts, strides=one, pads=[0, pad, 0, pad])


def _chain(network: DlibNetwork) -> list[Convolution]:
    """The convolutions, the first with the mean colour in its bias."""
    layers = folded_layers(network.layers)
    convolutions = [layer for layer in layers if isinstance(layer, Convolution)]
    kinds = [type(layer) for layer in layers]
    if kinds != [Convolution, *[Rectifier, Convolution] * (len(convolutions) - 1)]:
        raise ExportError("not a chain of convolutions with rectifiers between them")
    first = convolutions[0]
    if convolutions[-1].bias.size != 1 or convolutions[-1].stride != 1:
        raise ExportError("a last convolution of several outputs, or with a stride")
    if first.padding:
        raise ExportError("a padded first convolution, which would pad with the mean colour")
    mean = np.array(network.mean_rgb, dtype=np.float64)[None, :, None, None]
    bias = first.bias - (first.filters * mean).sum(axis=(1, 2, 3))
    convolutions[0] = Convolution(first.filters, bias.astype(np.float32), first.stride, 0)
    return convolutions


def _in_steps(graph: Graph, value: str, *, step: float) -> str:
    """The value as a whole number of 0..255 and back."""
    scale = graph.constant(np.array(step, dtype=np.float32))
    offset = graph.constant(np.array(0, dtype=np.uint8))
    whole = graph.node("QuantizeLinear", value, scale, offset)
    return graph.node("DequantizeLinear", whole, scale, offset)


def _quantized(graph: Graph, value: str, convolution: Convolution, *, step: float) -> str:
    """The convolution with filters, and then the bias, in whole numbers."""
    largest = np.abs(convolution.filters).max(axis=(1, 2, 3))
    # A channel that was filled up has no largest value; any step gives its zeros.
    steps = np.where(largest > 0, largest / WEIGHT_STEPS, 1.0).astype(np.float32)
    filters = np.rint(convolution.filters / steps[:, None, None, None]).astype(np.int8)
    sums = (steps * np.float32(step)).astype(np.float32)
    bias = np.rint(convolution.bias / sums.astype(np.float64)).astype(np.int32)
    return _convolve(
        graph,
        value,
        convolution,
        (_by_channel(graph, filters, steps), _by_channel(graph, bias, sums)),
    )


def _by_channel(
    graph: Graph, whole: npt.NDArray[np.signedinteger], steps: npt.NDArray[np.float32]
) -> str:
    zeros = np.zeros(steps.size, dtype=whole.dtype)
    return graph.node(
        "DequantizeLinear", *(graph.constant(item) for item in (whole, steps, zeros)), axis=0
    )


def _convolve(
    graph: Graph, value: str, convolution: Convolution, constants: tuple[str, str]
) -> str:
    return graph.node(
        "Conv",
        value,
        *constants,
        kernel_shape=list(convolution.filters.shape[2:]),
        strides=[convolution.stride] * 2,
        pads=[convolution.padding] * 4,
    )
