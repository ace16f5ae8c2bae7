"""What runs a network: onnxruntime, or OpenVINO.

Owns the two runtimes and how they are set up. Refuses to know what a network computes.

Each runs on one thread unless told otherwise: a service runs one process for each core, and
threads inside of it would only take the cores from each other. Both let other Python threads run
meanwhile. Which is the default and why: docs/decisions/0014.
"""

import io
from collections import deque
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from biometrics.face.models import Precision

Pixels = npt.NDArray[np.uint8]
"""Input: batch x height x width x 3."""

Values = npt.NDArray[np.float32]
"""Output, as the network shapes it."""


KEPT_INPUT_BYTES_MAX = 300_000
"""The memory of a run is kept for the next one up to this size of input, and given back after a
larger one: two faces, or the three coarsest looks for a face. Kept for every size it would grow to
110 MB in each process; kept for none, a verification takes 12 % longer."""


class Runtime(StrEnum):
    """The libraries that run networks."""

    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"


class RuntimeUnavailableError(RuntimeError):
    """The runtime or the processor cannot do what was asked."""


class Network(Protocol):
    """A loaded network with one input and one output. Safe between threads."""

    def run(self, pixels: Pixels) -> Values:
        """The output for `pixels`."""
        ...


def load_network(
    model: bytes,
    *,
    runtime: Runtime | None = None,
    precision: Precision = Precision.FP32,
    threads: int = 1,
) -> Network:
    """A network ready to run.

    Args:
        model: The bytes of an ONNX file.
        runtime: What runs it; by default onnxruntime for fp32, and OpenVINO for bf16, which
            onnxruntime's processor provider does not compute.
        precision: The numbers it is run with.
        threads: Threads for one run.

    Raises:
        RuntimeUnavailableError: The runtime cannot compute with `precision` here.
    """
    if runtime is None:
        runtime = Runtime.ONNXRUNTIME if precision is Precision.FP32 else Runtime.OPENVINO
    if runtime is Runtime.OPENVINO:
        return OpenVINONetwork(model, precision=precision, threads=threads)
    if precision is not Precision.FP32:
        raise RuntimeUnavailableError(f"onnxruntime does not compute in {precision} here")
    return OnnxruntimeNetwork(model, threads=threads)


class OnnxruntimeNetwork:
    """A network run by onnxruntime, in the thread that asks."""

    def __init__(self, model: bytes, *, threads: int) -> None:
        # Imported only here: 0.1 s and tens of megabytes, which the other runtime does not need.
        import onnxruntime  # noqa: PLC0415 - see above

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only: they are raised as well
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._shrinking = onnxruntime.RunOptions()
        self._shrinking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, pixels: Pixels) -> Values:
        """The output for `pixels`."""
        options = self._shrinking if pixels.nbytes > KEPT_INPUT_BYTES_MAX else None
        (output,) = self._session.run(None, {self._input: pixels}, options)
        return np.asarray(output, dtype=np.float32)


class OpenVINONetwork:
    """A network run by OpenVINO. Runs at once wait for each other."""

    def __init__(self, model: bytes, *, precision: Precision, threads: int) -> None:
        """Compile the network for this processor.

        Raises:
            RuntimeUnavailableError: The processor has no instructions for `precision`.
        """
        # Imported only here: 0.1 s and tens of megabytes, which the other runtime does not need.
        import openvino  # noqa: PLC0415 - see above

        core = openvino.Core()
        if precision is Precision.BF16 and not computes_bf16():
            raise RuntimeUnavailableError("this processor does not compute in bf16")
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if precision is Precision.BF16 else "f32",
        }
        self._compiled = core.compile_model(core.read_model(io.BytesIO(model)), "CPU", settings)
        # A request holds the memory of one run, so each run takes one for itself.
        self._requests: deque[openvino.InferRequest] = deque()

    def run(self, pixels: Pixels) -> Values:
        """The output for `pixels`."""
        try:
            request = self._requests.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            request.infer([pixels], share_inputs=True)
            # Copied, because the next run of this request writes into the same memory.
            return np.array(request.get_output_tensor(0).data, dtype=np.float32)
        finally:
            self._requests.append(request)


def computes_bf16() -> bool:
    """Whether the processor has instructions for bf16 (AVX-512 BF16 or AMX)."""
    import openvino  # noqa: PLC0415 - as in `OpenVINONetwork`

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
