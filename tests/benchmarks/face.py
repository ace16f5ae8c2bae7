"""How fast faces are compared, against face_recognition in the same run.

Every time is that of all stages, from the bytes of the files to the score. Rounds of both kinds
take turns, so that a slow moment of the machine hits both.
"""

import io
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import cv2
import dlib
import numpy as np
import onnxruntime
import psutil
from onnx import TensorProto, helper
from PIL import Image

from biometrics.face import embed
from biometrics.face.decode import DecodedImage, decode
from biometrics.face.dlib_stream import Convolution, MaxPooling, read_network
from biometrics.face.engine import FaceEngine
from biometrics.face.models import DLIB_RESNET29, Precision
from biometrics.face.pipeline import dlib_models
from biometrics.face.runtime import computes_bf16
from biometrics.face.weights import installed_weights
from tests.benchmarks.face_photographs import portrait, selfie
from tests.benchmarks.harness import ROOT, Benchmark, NotMeasurableError, benchmark

ROUNDS = 15
WARM_UP_ROUNDS = 2
THROUGHPUT_S = 4.0

Times = list[float]


def verify_large() -> Benchmark:
    """A portrait and a selfie with a large face, at fp32."""
    return _verify("face_verify_large", selfie(640, 480, share=0.4), Precision.FP32, goal=18)


def verify_small() -> Benchmark:
    """A portrait and a photograph with a face of 100 pixels, at fp32."""
    return _verify("face_verify_small", selfie(640, 480, share=100 / 480), Precision.FP32, goal=12)


def verify_large_bf16() -> Benchmark:
    """As `verify_large`, the embedder at bf16 where the processor has it."""
    return _verify("face_verify_large_bf16", selfie(640, 480, share=0.4), Precision.BF16, goal=25)


def verify_small_bf16() -> Benchmark:
    """As `verify_small`, the embedder at bf16 where the processor has it."""
    small = selfie(640, 480, share=100 / 480)
    return _verify("face_verify_small_bf16", small, Precision.BF16, goal=15)


def probe_720p() -> Benchmark:
    """A probe of 1280 x 720 against one of 640 x 480."""
    return _larger_probe("face_probe_720p", selfie(1280, 720, share=0.4), goal=1.5)


def probe_1080p() -> Benchmark:
    """A probe of 1920 x 1080 against one of 640 x 480."""
    return _larger_probe("face_probe_1080p", selfie(1920, 1080, share=0.4), goal=2)


def portrait_jpeg2000() -> Benchmark:
    """Decoding a JPEG 2000 portrait against a JPEG one, so that it is seen when it grows."""
    jpeg2000, jpeg = portrait("JPEG2000"), portrait()
    ours, theirs = _in_turn(lambda: _decoded(jpeg2000), lambda: _decoded(jpeg))
    return benchmark(
        "face_portrait_jpeg2000",
        ratio=_ratio(ours, theirs),
        goal=60,
        is_at_most=True,
        times_ms=ours,
        notes=f"decoding 480 x 640 as JPEG 2000 against JPEG in {median(theirs):.2f} ms, at most",
    )


def embedder() -> Benchmark:
    """One face through the embedder at fp32 against dlib's own."""
    path = installed_weights(embed.WEIGHTS_FILE, sha256=DLIB_RESNET29.weights_sha256)
    network = dlib.face_recognition_model_v1(str(path))
    ours_model = dlib_models().embedder
    face = np.asarray(cv2.resize(_decoded(portrait()).pixels, (150, 150)), np.uint8)
    faces = face[np.newaxis]
    ours, theirs = _in_turn(
        lambda: ours_model.embed(faces), lambda: network.compute_face_descriptor(face)
    )
    difference = np.abs(ours_model.embed(faces)[0] - network.compute_face_descriptor(face)).max()
    assert difference < 1e-5
    flops = 2 * _multiplications(path.read_bytes())
    speed, peak = flops / (min(ours) * 1e6), _peak_gflops()
    return benchmark(
        "face_embedder",
        ratio=_ratio(theirs, ours),
        goal=15,
        times_ms=ours,
        notes=(
            f"dlib {median(theirs):.1f} ms for one face of ours, at least; difference "
            f"{difference:.1e}; {speed:.0f} of {peak:.0f} GFLOP/s of a matrix product on one core "
            f"({100 * speed / peak:.0f} %)"
        ),
    )


def two_processes() -> Benchmark:
    """Verifications a second of two processes against one."""
    one = median(_throughput(1) for _ in range(3))
    two = median(_throughput(2) for _ in range(3))
    return benchmark(
        "face_two_processes",
        ratio=two / one,
        goal=1.8,
        times_ms=[1000 / one],
        notes=f"{two:.1f} verifications/s of two processes against {one:.1f} of one, at least",
    )


def memory() -> Benchmark:
    """Memory of a server with a warm pool of two processes, without its database's."""
    identity = str(Path(sys.executable).with_name("identity"))
    with tempfile.TemporaryDirectory() as state:
        server = subprocess.Popen(
            [identity, "serve", "--listen", "127.0.0.1:0", "--state", state],
            env={**os.environ, "SUBID_FACE_WORKERS": "2"},
            stdout=subprocess.PIPE,
        )
        try:
            assert server.stdout is not None
            assert server.stdout.readline(), "the server did not start"
            sizes = [_megabytes(process) for process in _with_workers(server.pid)]
        finally:
            server.terminate()
            server.wait(60)
    return benchmark(
        "server_memory",
        ratio=sum(sizes),
        goal=600,
        is_at_most=True,
        times_ms=[0.0],
        notes=f"MB of the {len(sizes)} processes of a warm server (shared pages once), at most",
    )


def import_time() -> Benchmark:
    """Importing the engine, above starting Python: processor time, which waits for nobody."""
    code = "import biometrics, biometrics.face.engine"
    ours_s = [_python_s(code) for _ in range(ROUNDS)]
    empty_s = [_python_s("pass") for _ in range(ROUNDS)]
    numpy_s = [_python_s("import numpy") for _ in range(ROUNDS)]
    return benchmark(
        "face_import",
        ratio=min(ours_s) - min(empty_s),
        goal=0.2,
        is_at_most=True,
        times_ms=[1000 * seconds for seconds in ours_s],
        notes=f"s above an empty Python, at most; numpy alone {min(numpy_s) - min(empty_s):.3f} s",
    )


def _verify(name: str, probe: bytes, precision: Precision, *, goal: float) -> Benchmark:
    if precision is Precision.BF16 and not computes_bf16():
        raise NotMeasurableError("the processor does not compute in bf16")
    # Imported here: it makes Pillow accept broken files in the whole process.
    import face_recognition  # noqa: PLC0415 - explained above

    engine = _engine(precision)
    reference = portrait()

    def theirs() -> None:
        for image in (reference, probe):
            pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
            assert face_recognition.face_encodings(pixels, face_recognition.face_locations(pixels))

    ours_ms, theirs_ms = _in_turn(lambda: _verification(engine, reference, probe), theirs)
    return benchmark(
        name,
        ratio=_ratio(theirs_ms, ours_ms),
        goal=goal,
        times_ms=ours_ms,
        notes=(
            f"face_recognition {median(theirs_ms):.0f} ms for both files in one verification of "
            f"ours at {precision}, at least"
        ),
    )


def _larger_probe(name: str, probe: bytes, *, goal: float) -> Benchmark:
    engine, usual = _engine(Precision.FP32), selfie(640, 480, share=0.4)
    larger, small = _in_turn(lambda: _probe(engine, probe), lambda: _probe(engine, usual))
    return benchmark(
        name,
        ratio=_ratio(larger, small),
        goal=goal,
        is_at_most=True,
        times_ms=larger,
        notes=f"against a probe of 640 x 480 in {median(small):.1f} ms, at most",
    )


def _engine(precision: Precision) -> FaceEngine:
    return FaceEngine(load_models=lambda: dlib_models(precision=precision))


def _verification(engine: FaceEngine, reference: bytes, probe: bytes) -> None:
    first, second = engine.reference_and_probe(reference, [probe])
    assert first.template is not None, first.failure
    assert second.template is not None, second.failure
    assert np.linalg.norm(first.template.vector - second.template.vector) < 1


def _probe(engine: FaceEngine, probe: bytes) -> None:
    assert engine.probe([probe]).template is not None


def _decoded(image: bytes) -> DecodedImage:
    decoded = decode(image, has_orientation=False)
    assert isinstance(decoded, DecodedImage)
    return decoded


def _in_turn(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[Times, Times]:
    """Times of both, ms, in rounds of one each."""
    rounds = [(_time(ours), _time(theirs)) for _ in range(WARM_UP_ROUNDS + ROUNDS)]
    kept = rounds[WARM_UP_ROUNDS:]
    return [first for first, _ in kept], [second for _, second in kept]


def _ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """The median over the rounds."""
    return median(n / d for n, d in zip(numerator, denominator, strict=True))


def _times(call: Callable[[], object], count: int) -> Times:
    return [_time(call) for _ in range(count)]


def _time(call: Callable[[], object]) -> float:
    began_at = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began_at)


def _python_s(code: str) -> float:
    """Processor time of a Python that runs `code`, s."""
    # With compiled modules beside the source, as they are wherever Python may write.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _multiplications(weights: bytes) -> int:
    """Multiplications of the embedder's convolutions for one face."""
    network = read_network(weights)
    side, total = network.input_side_px or 0, 0
    for layer in network.layers:
        if isinstance(layer, Convolution):
            side = (side + 2 * layer.padding - layer.filters.shape[2]) // layer.stride + 1
            total += layer.filters.size * side * side
        elif isinstance(layer, MaxPooling):
            side = (side - layer.side) // layer.stride + 1
    return total


def _peak_gflops() -> float:
    """Speed of a large matrix product in float32 on one core, by the runtime that is measured."""
    side = 1024
    product = helper.make_graph(
        [helper.make_node("MatMul", ["a", "a"], ["b"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, [side, side])],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, [side, side])],
    )
    model = helper.make_model(product, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    factors = {"a": np.ones((side, side), dtype=np.float32)}
    return 2 * side**3 / (min(_times(lambda: session.run(None, factors), ROUNDS)) * 1e6)


def _throughput(processes: int) -> float:
    """Verifications a second of so many processes at once."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(processes)]
    workers = [context.Process(target=_work, args=(theirs,)) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    for ours, _ in pipes:
        ours.recv()  # warm
    for ours, _ in pipes:
        ours.send(THROUGHPUT_S)
    total = sum(ours.recv() for ours, _ in pipes)
    for worker in workers:
        worker.join()
    return float(total)


def _work(pipe: Connection) -> None:
    engine, reference, probe = _warm_engine()
    pipe.send("warm")
    duration_s, began_at, count = pipe.recv(), time.perf_counter(), 0
    while time.perf_counter() - began_at < duration_s:
        _verification(engine, reference, probe)
        count += 1
    pipe.send(count / (time.perf_counter() - began_at))


def _warm_engine() -> tuple[FaceEngine, bytes, bytes]:
    cv2.setNumThreads(1)
    engine, reference, probe = _engine(Precision.FP32), portrait(), selfie(640, 480, share=0.4)
    _verification(engine, reference, probe)
    return engine, reference, probe


def _with_workers(pid: int) -> Sequence[psutil.Process]:
    server = psutil.Process(pid)
    children = server.children(recursive=True)
    return [server, *(child for child in children if "postgres" not in child.name())]


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss / 1e6)
