"""Both runtimes compute the same, from several threads at once; bf16 only where it exists."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from biometrics.face import embed
from biometrics.face.models import DLIB_RESNET29, Precision, RGBImages
from biometrics.face.runtime import (
    Network,
    Runtime,
    RuntimeUnavailableError,
    computes_bf16,
    load_network,
)
from biometrics.face.weights import installed_weights


@pytest.fixture(scope="module")
def model() -> bytes:
    path = installed_weights(embed.WEIGHTS_FILE, sha256=DLIB_RESNET29.weights_sha256)
    return embed.translate(path.read_bytes())


@pytest.fixture(scope="module")
def usual(model: bytes) -> Network:
    return load_network(model)


def faces(count: int) -> RGBImages:
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (count, 15, 15, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(10, axis=1).repeat(10, axis=2))


def test_openvino_computes_what_onnxruntime_computes(model: bytes, usual: Network) -> None:
    other = load_network(model, runtime=Runtime.OPENVINO)
    assert np.abs(other.run(faces(3)) - usual.run(faces(3))).max() < 1e-5


def test_a_batch_gives_what_its_images_give(usual: Network) -> None:
    single = np.concatenate([usual.run(faces(3)[i : i + 1]) for i in range(3)])
    assert np.abs(usual.run(faces(3)) - single).max() < 1e-5


@pytest.mark.parametrize("runtime", list(Runtime))
def test_threads_do_not_mix_their_faces(model: bytes, runtime: Runtime) -> None:
    network = load_network(model, runtime=runtime)
    images = faces(8)
    expected = network.run(images)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda i: (i, network.run(images[i : i + 1])), [*range(8)] * 4):
            assert np.abs(found[1] - expected[found[0]]).max() < 1e-5


def test_a_later_run_leaves_an_earlier_output_alone(model: bytes) -> None:
    network = load_network(model, runtime=Runtime.OPENVINO)
    first = network.run(faces(2)[:1])
    copy = first.copy()
    network.run(faces(2)[1:])
    assert (first == copy).all()


def test_bf16_comes_close_where_the_processor_has_it(model: bytes, usual: Network) -> None:
    if not computes_bf16():
        pytest.skip("this processor has no bf16")
    rough = load_network(model, precision=Precision.BF16).run(faces(3))
    difference = np.abs(rough - usual.run(faces(3))).max()
    assert 1e-5 < difference < 0.05


def test_onnxruntime_does_not_pretend_to_compute_bf16(model: bytes) -> None:
    with pytest.raises(RuntimeUnavailableError):
        load_network(model, runtime=Runtime.ONNXRUNTIME, precision=Precision.BF16)
