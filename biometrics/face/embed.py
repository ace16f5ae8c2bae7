"""A face as a vector: dlib's residual network.

Owns loading and running the network. Refuses to know how the face was aligned and how vectors are
compared.
"""

import threading

import dlib
import numpy as np

from biometrics.face.models import DLIB_RESNET29, EmbedderManifest, RGBImage, Vector
from biometrics.face.weights import installed_weights


class DlibEmbedder:
    """dlib's 29-layer residual network, 150 x 150 pixels in, 128 values out."""

    def __init__(self) -> None:
        """Load the network.

        Raises:
            WeightsError: The weights are missing or are not the pinned ones.
        """
        path = installed_weights(
            "dlib_face_recognition_resnet_model_v1.dat", sha256=DLIB_RESNET29.weights_sha256
        )
        self._network = dlib.face_recognition_model_v1(str(path))
        # A forward pass writes into the network's own tensors. dlib happens to hold the
        # interpreter lock meanwhile; two threads inside would mix two people's faces, so this
        # does not rest on that.
        self._lock = threading.Lock()

    @property
    def manifest(self) -> EmbedderManifest:
        """The manifest of dlib's network."""
        return DLIB_RESNET29

    def embed(self, aligned_face: RGBImage) -> Vector:
        """The 128 values of one aligned face; their Euclidean distance is the dissimilarity."""
        with self._lock:
            descriptor = self._network.compute_face_descriptor(aligned_face)
        return np.asarray(descriptor, dtype=np.float32)
