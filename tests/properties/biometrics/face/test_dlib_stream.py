"""Whatever happens to a stream, reading it ends with a network or a coded refusal."""

import tracemalloc

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biometrics.face import detect
from biometrics.face.dlib_stream import DlibNetwork, DlibStreamError, StreamFault, read_network
from biometrics.face.weights import installed_weights

DETECTOR = installed_weights(detect.WEIGHTS_FILE, sha256=detect.MMOD.weights_sha256).read_bytes()
STRUCTURE_BYTES = 256
"""Where the losses, the versions and the first shapes stand; after them come weights."""


def outcome(data: bytes) -> DlibNetwork | StreamFault:
    try:
        return read_network(data)
    except DlibStreamError as error:
        return error.fault


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=400))
def test_noise_is_refused_with_a_code(data: bytes) -> None:
    assert isinstance(outcome(data), StreamFault)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, STRUCTURE_BYTES - 1), st.integers(0, 255)), min_size=1, max_size=4
    )
)
def test_a_changed_byte_ends_in_a_network_or_a_code(changes: list[tuple[int, int]]) -> None:
    data = bytearray(DETECTOR)
    for position, value in changes:
        data[position] = value
    assert isinstance(outcome(bytes(data)), DlibNetwork | StreamFault)


@settings(max_examples=100, deadline=None)
@given(position=st.integers(0, len(DETECTOR) - 1), value=st.integers(0, 255))
def test_a_changed_byte_anywhere_ends_in_a_network_or_a_code(position: int, value: int) -> None:
    data = bytearray(DETECTOR)
    data[position] = value
    assert isinstance(outcome(bytes(data)), DlibNetwork | StreamFault)


@settings(max_examples=60, deadline=None)
@given(length=st.integers(0, len(DETECTOR) - 1))
def test_every_beginning_is_refused(length: int) -> None:
    assert isinstance(outcome(DETECTOR[:length]), StreamFault)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    position=st.integers(0, STRUCTURE_BYTES - 10),
    length=st.integers(1, 8),
    value=st.binary(min_size=8, max_size=8),
)
def test_no_number_makes_the_reader_allocate_more_than_the_file(
    position: int, length: int, value: bytes
) -> None:
    number = bytes([length]) + value[:length]
    data = DETECTOR[:position] + number + DETECTOR[position + len(number) :]
    tracemalloc.start()
    outcome(data)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 * len(DETECTOR)
