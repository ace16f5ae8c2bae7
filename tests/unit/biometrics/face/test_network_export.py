"""A network in ONNX computes what its layers say, and refuses layers it cannot put together."""

import numpy as np
import numpy.typing as npt
import pytest

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
from biometrics.face.network_export import to_onnx
from biometrics.face.network_graph import CHANNEL_BLOCK, ExportError
from biometrics.face.network_quantize import to_quantized_onnx
from biometrics.face.runtime import load_network

MEAN = (100.0, 110.0, 120.0)
Values = npt.NDArray[np.float32]


def random(*shape: int, seed: int = 0) -> Values:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def convolution(outputs: int, inputs: int, *, side: int = 3, seed: int = 0) -> Convolution:
    filters = random(outputs, inputs, side, side, seed=seed) / np.float32(side * inputs**0.5)
    return Convolution(filters, random(outputs, seed=seed + 1), stride=1, padding=0)


def network(*layers: Layer, side: int | None = 8) -> DlibNetwork:
    return DlibNetwork(mean_rgb=MEAN, input_side_px=side, layers=layers, detection=None)


def pixels(side: int = 8, *, batch: int = 1) -> npt.NDArray[np.uint8]:
    shape = (batch, side, side, 3)
    return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)


def convolved(layer: Convolution, values: Values) -> Values:
    """The convolution of one image, channels first, straight from its definition."""
    side = layer.filters.shape[2]
    padded = np.pad(values, ((0, 0), (layer.padding,) * 2, (layer.padding,) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride]
    sums = np.einsum("crsij,ocij->ors", windows, layer.filters)
    return np.asarray(sums + layer.bias[:, None, None], dtype=np.float32)


def prepared(image: npt.NDArray[np.uint8]) -> Values:
    values = (image.astype(np.float32) - np.array(MEAN, dtype=np.float32)) / 256
    return np.asarray(values.transpose(2, 0, 1), dtype=np.float32)


def test_a_convolution_with_its_affine_computes_both() -> None:
    first, affine = convolution(16, 3), Affine(random(16, seed=7), random(16, seed=8))
    output = load_network(to_onnx(network(first, affine, side=None))).run(pixels())
    expected = convolved(first, prepared(pixels()[0]))
    expected = expected * affine.gamma[:, None, None] + affine.beta[:, None, None]
    assert np.abs(output[0] - expected).max() < 1e-5


def test_channels_are_filled_up_without_a_trace() -> None:
    first, second = convolution(5, 3), convolution(2, 5, seed=3)
    model = to_onnx(network(first, Rectifier(), second, side=None))
    output = load_network(model).run(pixels())
    expected = convolved(second, np.maximum(convolved(first, prepared(pixels()[0])), 0))
    assert output.shape == (1, 2, 4, 4)
    assert np.abs(output[0] - expected).max() < 1e-5


def test_a_block_adds_its_beginning() -> None:
    first = convolution(CHANNEL_BLOCK, 3)
    inner = Convolution(random(16, 16, 3, 3) / np.float32(12), random(16), stride=1, padding=1)
    model = to_onnx(network(first, Marker(), inner, AddPrevious(), side=6))
    begin = convolved(first, prepared(pixels(6)[0]))
    expected = convolved(inner, begin) + begin
    assert np.abs(load_network(model).run(pixels(6))[0] - expected).max() < 1e-5


def test_a_halving_block_adds_its_pooled_beginning_with_zeros() -> None:
    first = convolution(CHANNEL_BLOCK, 3)
    inner = Convolution(random(32, 16, 3, 3) / np.float32(12), random(32), stride=2, padding=0)
    layers = (first, Marker(), inner, Marker(), Marker(), AveragePooling(2, 2), AddPrevious())
    begin = convolved(first, prepared(pixels(10)[0]))
    pooled = begin.reshape(16, 4, 2, 4, 2).mean(axis=(2, 4))
    expected = np.pad(pooled, ((0, 16), (0, 0), (0, 0)))
    expected[:, :3, :3] += convolved(inner, begin)
    output = load_network(to_onnx(network(*layers, side=10))).run(pixels(10))
    assert np.abs(output[0] - expected).max() < 1e-5


def test_pooling_and_the_last_layer_end_in_a_row_for_each_image() -> None:
    weights = random(16, 4)
    layers = (convolution(16, 3), MaxPooling(2, 2), AveragePooling(0, 1), FullyConnected(weights))
    output = load_network(to_onnx(network(*layers))).run(pixels(batch=3))
    expected = [
        convolved(convolution(16, 3), prepared(image))
        .reshape(16, 3, 2, 3, 2)
        .max(axis=(2, 4))
        .mean(axis=(1, 2))
        @ weights
        for image in pixels(batch=3)
    ]
    assert np.abs(output - np.stack(expected)).max() < 1e-5


@pytest.mark.parametrize(
    "layers",
    [
        (),
        (Rectifier(),),
        (convolution(4, 3), Rectifier(), Affine(random(4), random(4))),
        (convolution(4, 3), Affine(random(5), random(5))),
        (convolution(4, 3), AddPrevious()),
        (convolution(4, 3), Marker()),
        (convolution(4, 3), convolution(4, 99)),
        (convolution(4, 3), MaxPooling(9, 1)),
        (convolution(4, 3), FullyConnected(random(4, 2))),
        (Convolution(random(4, 3, 3, 3), random(4), stride=1, padding=1),),
    ],
)
def test_layers_that_do_not_follow_each_other_are_refused(layers: tuple[Layer, ...]) -> None:
    with pytest.raises(ExportError):
        to_onnx(network(*layers))


def test_whole_numbers_come_close_to_the_network() -> None:
    first = convolution(16, 3)
    second = convolution(16, 16, seed=3)
    last = convolution(1, 16, seed=4)
    chain = network(first, Rectifier(), second, Rectifier(), last, side=None)
    exact = load_network(to_onnx(chain)).run(pixels(16))
    rough = load_network(to_quantized_onnx(chain, activations_max=(6.0, 6.0))).run(pixels(16))
    assert rough.shape == exact.shape
    assert np.abs(rough - exact).max() < 0.15
    assert np.abs(rough - exact).mean() < 0.03


def test_only_chains_are_written_in_whole_numbers() -> None:
    with pytest.raises(ExportError, match="chain"):
        to_quantized_onnx(network(convolution(4, 3), MaxPooling(2, 2)), activations_max=())
    with pytest.raises(ExportError, match="1 largest values wanted, 0 given"):
        to_quantized_onnx(
            network(convolution(4, 3), Rectifier(), convolution(1, 4)), activations_max=()
        )
    with pytest.raises(ExportError, match="several outputs"):
        to_quantized_onnx(
            network(convolution(4, 3), Rectifier(), convolution(2, 4)), activations_max=(6.0,)
        )
