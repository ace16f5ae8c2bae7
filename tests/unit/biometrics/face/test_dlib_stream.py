"""dlib's two networks are read whole, and anything else is refused with a code."""

import numpy as np
import pytest

from biometrics.face import detect, embed
from biometrics.face.dlib_stream import (
    AddPrevious,
    Convolution,
    DlibStreamError,
    FullyConnected,
    Marker,
    StreamFault,
    read_network,
)
from biometrics.face.models import DLIB_RESNET29
from biometrics.face.weights import installed_weights


def stream(file_name: str, sha256: str) -> bytes:
    return installed_weights(file_name, sha256=sha256).read_bytes()


@pytest.fixture(scope="module")
def detector() -> bytes:
    return stream(detect.WEIGHTS_FILE, detect.MMOD.weights_sha256)


@pytest.fixture(scope="module")
def embedder() -> bytes:
    return stream(embed.WEIGHTS_FILE, DLIB_RESNET29.weights_sha256)


def refused(data: bytes) -> StreamFault:
    with pytest.raises(DlibStreamError) as caught:
        read_network(data)
    return caught.value.fault


def test_the_embedder_has_29_convolutions_in_14_residual_blocks(embedder: bytes) -> None:
    network = read_network(embedder)
    kinds = [type(layer) for layer in network.layers]
    assert kinds.count(Convolution) == 29
    assert kinds.count(AddPrevious) == 14
    assert kinds.count(Marker) == 14 + 2 * 4  # one a block, two more where the size is halved
    assert isinstance(network.layers[-1], FullyConnected)
    assert network.layers[-1].weights.shape == (256, 128)
    assert network.input_side_px == 150
    assert network.detection is None
    assert network.mean_rgb == pytest.approx((122.782, 117.001, 104.298), abs=1e-3)


def test_the_detector_says_how_it_is_read(detector: bytes) -> None:
    network = read_network(detector)
    assert network.input_side_px is None
    assert network.detection is not None
    assert network.detection.window_width_px == detect.WINDOW_PX
    assert network.detection.window_height_px == detect.WINDOW_PX
    assert network.detection.overlap_max == detect.OVERLAP_MAX
    first, last = network.layers[0], network.layers[-1]
    assert isinstance(first, Convolution)
    assert isinstance(last, Convolution)
    assert first.filters.shape == (16, 3, 5, 5)
    assert last.filters.shape == (1, 45, 9, 9)
    assert np.isfinite(last.filters).all()


def test_a_stream_that_breaks_off_is_refused(detector: bytes) -> None:
    assert refused(b"") is StreamFault.TRUNCATED
    assert refused(detector[:-1]) is StreamFault.TRUNCATED
    assert refused(detector[: len(detector) // 2]) is StreamFault.TRUNCATED


def test_bytes_after_the_network_are_refused(detector: bytes) -> None:
    assert refused(detector + b"\0") is StreamFault.TRAILING_BYTES


def test_other_files_are_refused() -> None:
    assert refused(b"\xff" * 64) is StreamFault.MALFORMED
    assert refused(b"\x01\x07") is StreamFault.UNSUPPORTED
    assert refused(b"\x01\x01\x01\x04loss") is StreamFault.UNSUPPORTED


def test_a_layer_that_is_not_known_is_refused(detector: bytes) -> None:
    assert refused(detector.replace(b"con_4", b"con_9")) is StreamFault.UNSUPPORTED
    assert refused(detector.replace(b"relu_", b"tanh_")) is StreamFault.UNSUPPORTED


def test_a_name_of_absurd_length_is_refused_before_it_is_read() -> None:
    assert refused(b"\x01\x01\x08" + b"\xff" * 8 + b"x" * 100) is StreamFault.MALFORMED


def test_a_tensor_of_absurd_size_is_refused_before_it_is_allocated(detector: bytes) -> None:
    at = detector.index(b"con_4") + len(b"con_4")
    huge = b"\x01\x02" + b"\x08" + b"\xff" * 7 + b"\x7f" + b"\x01\x01" * 3
    assert refused(detector[:at] + huge + detector[at + 11 :]) is StreamFault.TRUNCATED


def test_weights_that_are_not_finite_are_refused(detector: bytes) -> None:
    at = detector.index(b"con_4") + len(b"con_4") + 11
    nan = np.float32("nan").tobytes()
    assert refused(detector[:at] + nan + detector[at + 4 :]) is StreamFault.INCONSISTENT


def test_the_error_carries_its_code_and_says_where() -> None:
    with pytest.raises(DlibStreamError, match="truncated: 1 bytes wanted at 0"):
        read_network(b"")
