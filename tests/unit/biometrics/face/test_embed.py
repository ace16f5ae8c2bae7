"""The network gives what dlib gives, every time, and one face lies near itself."""

import dlib
import numpy as np
from PIL import Image, ImageOps

from biometrics.face.models import FaceModels, Vector
from biometrics.face.weights import installed_weights


def embedded(models: FaceModels, image: Image.Image) -> Vector:
    pixels = np.array(image)
    (box,) = models.detector.detect(pixels)
    aligned = models.aligner.align(pixels, models.landmarks_5.predict(pixels, box))
    return models.embedder.embed(aligned[np.newaxis])[0]


def test_an_embedding_is_a_row_of_float32_of_the_announced_dimension(
    models: FaceModels, face: Image.Image
) -> None:
    vector = embedded(models, face)
    assert vector.shape == (models.embedder.manifest.dimension,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()


def test_the_same_face_gives_the_same_embedding(models: FaceModels, face: Image.Image) -> None:
    assert (embedded(models, face) == embedded(models, face)).all()


def test_the_stages_give_what_dlib_gives_in_one_call(models: FaceModels, face: Image.Image) -> None:
    network_path = installed_weights(
        "dlib_face_recognition_resnet_model_v1.dat",
        sha256=models.embedder.manifest.weights_sha256,
    )
    landmarks_path = installed_weights(
        "shape_predictor_5_face_landmarks.dat", sha256=models.landmarks_5.manifest.weights_sha256
    )
    pixels = np.array(face)
    (box,) = models.detector.detect(pixels)
    rectangle = dlib.rectangle(
        box.left_px, box.top_px, box.left_px + box.width_px - 1, box.top_px + box.height_px - 1
    )
    landmarks = dlib.shape_predictor(str(landmarks_path))(pixels, rectangle)
    network = dlib.face_recognition_model_v1(str(network_path))
    expected = np.array(network.compute_face_descriptor(pixels, landmarks))
    assert np.abs(embedded(models, face) - expected).max() < 0.01


def test_a_mirrored_face_lies_near_the_face(models: FaceModels, face: Image.Image) -> None:
    mirrored = embedded(models, ImageOps.mirror(face))
    assert 0 < np.linalg.norm(embedded(models, face) - mirrored) < 0.4
