"""An operator's network runs as its manifest says, and one that does not fit is refused."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biometrics.face.models import RGBImage
from biometrics.face.plugins.install import install
from biometrics.face.plugins.manifest import ManifestError
from biometrics.face.plugins.onnx_embedder import EmbeddingError, OnnxEmbedder
from biometrics.face.plugins.registry import InstalledModel
from biometrics.face.weights import WeightsError
from tests.unit.biometrics.face.plugins.conftest import (
    DIMENSION,
    SIDE_PX,
    Write,
    network,
    split_network,
)

WEIGHTS = np.random.default_rng(2).normal(size=(3, DIMENSION)).astype(np.float32)


@pytest.fixture
def face() -> RGBImage:
    return np.random.default_rng(3).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)


def installed(write: Write, tmp_path: Path, weights: bytes, **given: object) -> InstalledModel:
    path, manifest, text = write(weights, **given)
    return install(manifest, text=text, source=str(path), directory=tmp_path / "models")


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("colour_order", ["RGB", "BGR"])
def test_a_network_is_fed_as_its_manifest_says(
    write: Write, tmp_path: Path, face: RGBImage, layout: str, colour_order: str
) -> None:
    weights = network(layout=layout, weights=WEIGHTS)
    model = installed(write, tmp_path, weights, layout=layout, colour_order=colour_order)
    means = (face.astype(np.float64).mean(axis=(0, 1)) - 127.5) / 128
    expected = (means if colour_order == "RGB" else means[::-1]) @ WEIGHTS
    embedder = OnnxEmbedder(model)
    (vector,) = embedder.embed(face[None])
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)
    assert embedder.manifest.weights_sha256 == model.manifest.sha256
    assert (embedder.manifest.dimension, embedder.manifest.input_side_px) == (DIMENSION, SIDE_PX)


def test_vectors_compared_by_distance_keep_their_length(
    write: Write, tmp_path: Path, face: RGBImage
) -> None:
    model = installed(
        write, tmp_path, network(weights=100 * WEIGHTS), score_type="distance", dimension=DIMENSION
    )
    means = (face.astype(np.float64).mean(axis=(0, 1)) - 127.5) / 128
    (vector,) = OnnxEmbedder(model).embed(face[None])
    np.testing.assert_allclose(vector, means @ (100 * WEIGHTS), atol=1e-3)


def test_threads_share_a_network(write: Write, tmp_path: Path) -> None:
    embedder = OnnxEmbedder(installed(write, tmp_path, network(weights=WEIGHTS)))
    faces = [np.full((SIDE_PX, SIDE_PX, 3), value, dtype=np.uint8) for value in range(0, 250, 10)]
    faces = [np.stack([f[..., 0], f[..., 0] // 2, f[..., 0] // 3], axis=-1) for f in faces]
    alone = embedder.embed(np.stack(faces))
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda face: embedder.embed(face[None])[0], faces))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"dimension": 512}, "one output of 512 values, the network gives \\[128\\]"),
        ({"layout": "NHWC"}, "the manifest says an input of \\[1, 112, 112, 3\\]"),
    ],
)
def test_a_network_other_than_its_manifest_says_is_refused(
    write: Write, tmp_path: Path, given: dict[str, object], says: str
) -> None:
    with pytest.raises(ManifestError, match=says):
        OnnxEmbedder(installed(write, tmp_path, network(), **given))


def test_a_file_that_is_no_network_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no ONNX network"):
        OnnxEmbedder(installed(write, tmp_path, b"not a network"))


def test_weights_in_the_working_directory_are_not_read(write: Write, tmp_path: Path) -> None:
    """No digest covers them, and onnxruntime would take them from wherever the process stands."""
    model = installed(write, tmp_path, network())
    split = split_network(tmp_path / "elsewhere")
    model.path.write_bytes(split)
    manifest = replace(model.manifest, sha256=hashlib.sha256(split).hexdigest())
    with chdir(tmp_path / "elsewhere"), pytest.raises(WeightsError, match="other files"):
        OnnxEmbedder(replace(model, manifest=manifest))


def test_nothing_but_zeros_and_infinity_are_no_embedding(
    write: Write, tmp_path: Path, face: RGBImage
) -> None:
    zeros = OnnxEmbedder(installed(write, tmp_path, network(weights=0 * WEIGHTS)))
    with pytest.raises(EmbeddingError, match="nothing but zeros"):
        zeros.embed(face[None])
    large = np.full((3, DIMENSION), 3e38, dtype=np.float32)
    other = tmp_path / "other"
    endless = OnnxEmbedder(installed(write, other, network(weights=large)))
    with pytest.raises(EmbeddingError, match="not finite"):
        endless.embed(np.full((1, SIDE_PX, SIDE_PX, 3), 255, dtype=np.uint8))
