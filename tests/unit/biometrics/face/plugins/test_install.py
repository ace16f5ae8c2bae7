"""A model is installed whole, with the digest its manifest states, or not at all."""

import io
from pathlib import Path
from typing import IO

import pytest

from biometrics.face.plugins.install import InstallError, install, open_url
from biometrics.face.plugins.registry import (
    BUILT_IN,
    ModelNotFoundError,
    installed_embedder,
    installed_model,
    installed_models,
)
from biometrics.face.weights import WeightsError
from tests.unit.biometrics.face.plugins.conftest import Write, network, split_network

ADDRESS = "https://models.example/network.onnx"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def test_a_model_is_installed_from_a_file_and_found_again(write: Write, models: Path) -> None:
    path, manifest, text = write(network())
    installed = install(manifest, text=text, source=str(path), directory=models)
    assert installed.path == models / "test-network" / "network.onnx"
    assert installed.path.read_bytes() == path.read_bytes()
    assert list(installed_models(models)) == [installed]
    assert installed_embedder(models, "test-network") == installed
    assert [item.name for item in models.iterdir()] == ["test-network"]


def test_a_model_is_installed_from_an_address(write: Write, models: Path) -> None:
    path, manifest, text = write(network())
    asked: list[str] = []

    def opener(url: str) -> IO[bytes]:
        asked.append(url)
        return io.BytesIO(path.read_bytes())

    install(manifest, text=text, source=ADDRESS, directory=models, opener=opener)
    assert asked == [ADDRESS]
    installed_model(models, "test-network").verify()


def test_other_weights_are_refused_and_leave_nothing_behind(write: Write, models: Path) -> None:
    path, manifest, text = write(network())
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(WeightsError, match="expected"):
        install(manifest, text=text, source=str(path), directory=models)
    assert list(models.iterdir()) == []


def test_weights_kept_in_other_files_are_refused_and_leave_nothing_behind(
    write: Write, models: Path, tmp_path: Path
) -> None:
    path, manifest, text = write(split_network(tmp_path / "elsewhere"))
    with pytest.raises(WeightsError, match="in other files"):
        install(manifest, text=text, source=str(path), directory=models)
    assert list(models.iterdir()) == []


def test_an_address_that_is_not_encrypted_is_refused(write: Write, models: Path) -> None:
    _, manifest, text = write(network())
    for source in ("http://models.example/network.onnx", "file:///etc/hostname"):
        with pytest.raises(InstallError, match="https"):
            install(manifest, text=text, source=source, directory=models)


def test_an_address_that_cannot_be_reached_is_said_so(write: Write, models: Path) -> None:
    _, manifest, text = write(network())
    # Nobody listens on port 1 of this machine.
    with pytest.raises(InstallError, match=r"127\.0\.0\.1"):
        install(
            manifest, text=text, source="https://127.0.0.1:1/x", directory=models, opener=open_url
        )


def test_a_file_that_is_not_there_is_said_so(write: Write, models: Path) -> None:
    _, manifest, text = write(network())
    with pytest.raises(InstallError, match="No such file"):
        install(manifest, text=text, source=str(models / "absent.onnx"), directory=models)


def test_installing_the_same_again_changes_nothing(write: Write, models: Path) -> None:
    path, manifest, text = write(network())
    first = install(manifest, text=text, source=str(path), directory=models)
    assert install(manifest, text=text, source=str(path), directory=models) == first
    assert list(installed_models(models)) == [first]


def test_a_name_stands_for_one_model(write: Write, models: Path) -> None:
    path, manifest, text = write(network())
    install(manifest, text=text, source=str(path), directory=models)
    path, other, text = write(network(dimension=64), dimension=64)
    with pytest.raises(InstallError, match="another test-network is installed"):
        install(other, text=text, source=str(path), directory=models)
    path, built_in, text = write(network(), name=BUILT_IN)
    with pytest.raises(InstallError, match="built in"):
        install(built_in, text=text, source=str(path), directory=models)


def test_the_same_weights_fed_in_another_way_are_refused(write: Write, models: Path) -> None:
    path, manifest, text = write(network())
    install(manifest, text=text, source=str(path), directory=models)
    path, other, text = write(network(), name="second", colour_order="BGR")
    with pytest.raises(InstallError, match="feeds them in another way"):
        install(other, text=text, source=str(path), directory=models)


def test_weights_that_change_after_they_were_installed_are_noticed(
    write: Write, models: Path
) -> None:
    path, manifest, text = write(network())
    installed = install(manifest, text=text, source=str(path), directory=models)
    installed.path.write_bytes(b"something else")
    with pytest.raises(WeightsError, match=r"network\.onnx has SHA-256"):
        installed_embedder(models, "test-network")
    installed.path.unlink()
    with pytest.raises(WeightsError, match="missing"):
        installed.verify()


def test_a_model_that_is_not_there_is_not_found(models: Path) -> None:
    assert list(installed_models(models)) == []
    with pytest.raises(ModelNotFoundError):
        installed_model(models, "test-network")
