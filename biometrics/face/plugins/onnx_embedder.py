"""A face as a vector: any network in ONNX, fed as its manifest says.

Owns the preparation of the input, the run and the checks that manifest and network agree. Refuses
to know how the face was aligned and how vectors are compared.
"""

import numpy as np
import numpy.typing as npt
import onnxruntime

from biometrics.face.models import EmbedderManifest, RGBImage, RGBImages, Vector, Vectors
from biometrics.face.plugins.manifest import (
    ColourOrder,
    InputFormat,
    Layout,
    ManifestError,
    PluginScoreType,
)
from biometrics.face.plugins.registry import InstalledModel, embedder_manifest
from biometrics.face.weights import WeightsError


class EmbeddingError(RuntimeError):
    """The network gave something that is no embedding."""


class OnnxEmbedder:
    """An installed network, run by onnxruntime on one thread. Safe between threads."""

    def __init__(self, model: InstalledModel) -> None:
        """Load the network.

        Raises:
            ManifestError: The manifest is a detector's, or the network reads or gives something
                other than it says.
            WeightsError: The weights are missing, are not the manifest's, are no ONNX, or lie
                partly in other files.
        """
        embedding, side_px = model.manifest.embedding, model.manifest.input.side_px
        if embedding is None or side_px is None:
            raise ManifestError(f"{model.manifest.name} is no embedder")
        self._input, self._embedding, self._side_px = model.manifest.input, embedding, side_px
        self._manifest = embedder_manifest(model.manifest)
        self._session = _session(model)
        self._input_name = _check_input(self._session, self._input, side_px)
        self._check_output()

    @property
    def manifest(self) -> EmbedderManifest:
        """Which network this is."""
        return self._manifest

    def embed(self, aligned_faces: RGBImages) -> Vectors:
        """One row for each face; rows have unit length when cosines compare them.

        Raises:
            EmbeddingError: The network gave a value that is not finite, or nothing but zeros.
        """
        # One by one: many published networks have a batch of one written into their graph.
        vectors = np.stack([self._run(face) for face in aligned_faces])
        if not np.isfinite(vectors).all():
            raise EmbeddingError(f"{self._manifest.name} gave values that are not finite")
        if self._embedding.score_type is PluginScoreType.DISTANCE:
            return vectors
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise EmbeddingError(f"{self._manifest.name} gave nothing but zeros")
        return np.asarray(vectors / lengths, dtype=np.float32)

    def _run(self, face: RGBImage) -> Vector:
        (output,) = self._session.run(None, {self._input_name: prepare(face, self._input)})
        return np.asarray(output, dtype=np.float32).reshape(-1)

    def _check_output(self) -> None:
        """One run on grey tells more than the shapes that a file declares."""
        grey = np.full((self._side_px, self._side_px, 3), 128, dtype=np.uint8)
        outputs = self._session.run(None, {self._input_name: prepare(grey, self._input)})
        sizes = [np.asarray(output).size for output in outputs]
        if sizes != [self._embedding.dimension]:
            raise ManifestError(
                f"{self._manifest.name}: the manifest says one output of"
                f" {self._embedding.dimension} values, the network gives {sizes}"
            )


def prepare(image: RGBImage, form: InputFormat) -> npt.NDArray[np.float32]:
    """The input of a network for one image: 1 x 3 x H x W, or 1 x H x W x 3."""
    colours = image if form.colour_order is ColourOrder.RGB else image[..., ::-1]
    mean = np.array(form.mean, dtype=np.float32)
    values = (colours.astype(np.float32) - mean) * np.float32(form.scale)
    axes = values.transpose(2, 0, 1) if form.layout is Layout.NCHW else values
    return np.ascontiguousarray(axes[np.newaxis])


def _session(model: InstalledModel) -> onnxruntime.InferenceSession:
    weights = model.read_weights()
    options = onnxruntime.SessionOptions()
    # A service runs one process for each core: threads inside would only get in each other's way.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: they are raised as well
    # What was checked as ONNX is not to be read as onnxruntime's own format.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no public class
        raise WeightsError(f"{model.path.name} is no ONNX network that can be run") from error


def _check_input(session: onnxruntime.InferenceSession, form: InputFormat, side_px: int) -> str:
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        raise ManifestError("the network must have one input, of 32-bit floating-point numbers")
    sides = [side_px, side_px]
    expected = [1, 3, *sides] if form.layout is Layout.NCHW else [1, *sides, 3]
    # Names and negative numbers stand for sizes that are free.
    declared = [size if isinstance(size, int) and size > 0 else None for size in inputs[0].shape]
    agrees = len(declared) == len(expected) and all(
        size in {None, wanted} for size, wanted in zip(declared, expected, strict=True)
    )
    if not agrees:
        raise ManifestError(f"the manifest says an input of {expected}, the network {declared}")
    name: str = inputs[0].name
    return name
