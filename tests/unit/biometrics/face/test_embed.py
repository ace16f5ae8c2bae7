"""The network gives what dlib gives, every time, and one face lies near itself."""

from dataclasses import replace
from pathlib import Path

import dlib
import numpy as np
from PIL import Image, ImageOps

from biometrics.face.models import DLIB_RESNET29, FaceModels, Precision, Vector, Views
from biometrics.face.weights import installed_weights


def embedded(models: FaceModels, image: Image.Image) -> Vector:
    pixels = np.array(image)
    (box,) = models.detector.detect(pixels)
    aligned = models.aligner.align(pixels, models.landmarks_5.predict(pixels, box))
    (vector,) = models.embedder.embed(aligned[np.newaxis])
    return np.asarray(vector, dtype=np.float32)


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


def dlib_embedder() -> dlib.face_recognition_model_v1:
    path = installed_weights(
        "dlib_face_recognition_resnet_model_v1.dat", sha256=DLIB_RESNET29.weights_sha256
    )
    return dlib.face_recognition_model_v1(str(path))


def test_the_embedder_agrees_with_dlib_on_shifted_and_mirrored_faces(
    models: FaceModels, face: Image.Image
) -> None:
    images = [
        np.array(view.crop((shift, 0, shift + 180, 200)).resize((150, 150)))
        for view in (face, ImageOps.mirror(face))
        for shift in (0, 10, 20)
    ]
    expected = [dlib_embedder().compute_face_descriptor(image) for image in images]
    assert np.abs(models.embedder.embed(np.stack(images)) - np.array(expected)).max() < 1e-5


def test_the_embedder_agrees_with_dlib_on_200_real_faces(models: FaceModels, faces: Path) -> None:
    paths = sorted((faces / "lfw").glob("*/*_0001.jpg"))[:220]
    aligned = []
    for path in paths:
        pixels = np.array(Image.open(path).convert("RGB"))
        for box in models.detector.detect(pixels)[:1]:
            landmarks = models.landmarks_5.predict(pixels, box)
            aligned.append(models.aligner.align(pixels, landmarks))
    assert len(aligned) >= 200
    network = dlib_embedder()
    expected = np.array([network.compute_face_descriptor(face) for face in aligned])
    assert np.abs(models.embedder.embed(np.stack(aligned)) - expected).max() < 1e-5


def test_no_faces_give_no_rows(models: FaceModels) -> None:
    assert models.embedder.embed(np.empty((0, 150, 150, 3), np.uint8)).shape == (0, 128)


def test_each_way_of_making_templates_has_its_own_digest() -> None:
    plain = DLIB_RESNET29
    rough = replace(plain, precision=Precision.BF16)
    digests = {manifest.template_digest(views) for manifest in (plain, rough) for views in Views}
    assert len(digests) == 6
    assert all(len(digest) == 64 for digest in digests)
    assert plain.template_digest() == plain.weights_sha256
    assert rough.template_digest() == rough.template_digest(Views.PLAIN)
