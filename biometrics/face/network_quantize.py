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


SCORE_STEPS = 64
"""Steps between a score of 0 and 1. Scores below -1 and above 2.98 are cut off."""


def to_quantized_onnx(network: DlibNetwork, *, activations_max: Sequence[float]) -> bytes:
    """The network as the bytes of an ONNX file in QDQ form, which runtimes turn into int8 kernels.

    The first convolution stays as it is: with three channels, whole numbers gain nothing.

    Args:
        network: A chain of convolutions with rectifiers between them, nothing else.
        activations_max: The largest value after each rectifier; larger ones are cut off.

    Raises:
        ExportError: The network is something else, or a largest value is missing.
    """
    first, *others = _chain(network)
    if len(activations_max) != len(others):
        raise ExportError(f"{len(others)} largest values wanted, {len(activations_max)} given")
    graph = Graph()
    planes = graph.node("Transpose", INPUT, perm=[0, 3, 1, 2])
    numbers = graph.node("Cast", planes, to=TensorProto.FLOAT)
    value = _convolve(
        graph, numbers, first, (graph.constant(first.filters), graph.constant(first.bias))
    )
    for convolution, largest in zip(others, activations_max, strict=True):
        step = largest / ACTIVATION_STEPS
        rectified = _in_steps(graph, graph.node("Relu", value), step=step, zero=0)
        value = _quantized(graph, rectified, convolution, step=step)
    value = _in_steps(graph, value, step=1 / SCORE_STEPS, zero=SCORE_STEPS)
    return graph.finish(value, shape=[others[-1].bias.size, "rows", "columns"], side=None)


def _chain(network: DlibNetwork) -> list[Convolution]:
    """The convolutions, the first with the mean colour in its bias."""
    layers = folded_layers(network.layers)
    convolutions = [layer for layer in layers if isinstance(layer, Convolution)]
    kinds = [type(layer) for layer in layers]
    if kinds != [Convolution, *[Rectifier, Convolution] * (len(convolutions) - 1)]:
        raise ExportError("not a chain of convolutions with rectifiers between them")
    first = convolutions[0]
    if first.padding:
        raise ExportError("a padded first convolution, which would pad with the mean colour")
    mean = np.array(network.mean_rgb, dtype=np.float64)[None, :, None, None]
    bias = first.bias - (first.filters * mean).sum(axis=(1, 2, 3))
    convolutions[0] = Convolution(first.filters, bias.astype(np.float32), first.stride, 0)
    return convolutions


def _in_steps(graph: Graph, value: str, *, step: float, zero: int) -> str:
    """The value as a whole number of 0..255 and back, where `zero` stands for 0."""
    scale = graph.constant(np.array(step, dtype=np.float32))
    offset = graph.constant(np.array(zero, dtype=np.uint8))
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
