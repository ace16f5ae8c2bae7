"""A short run of what `make fuzz` runs long: any octets get a code, fast and in little memory."""

import random

import pytest

from tests.fuzz.chip_targets import (
    CORPUS,
    MEMORY_OCTETS_MAX,
    TARGETS,
    TIME_S_MAX,
    BrokenPromiseError,
    Measurements,
    Target,
)

MUTATIONS = 400


def mutate(octets: bytes, generator: random.Random) -> bytes:
    """Flip, cut, insert or repeat at one to three places, mostly in front, where headers lie."""
    data = bytearray(octets)
    for _ in range(generator.randint(1, 3)):
        at = int(generator.random() ** 3 * (len(data) + 1))
        match generator.randrange(5):
            case 0 if at < len(data):
                data[at] ^= generator.randint(1, 255)
            case 1:
                data[at:at] = generator.randbytes(generator.randint(1, 6))
            case 2:
                del data[at : at + generator.randint(1, 6)]
            case 3:
                data[at:at] = data[at : at + generator.randint(1, 40)]
            case _:
                del data[at:]
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_in_order_and_each_is_accepted(name: str) -> None:
    accepted = [not TARGETS[name].answer(octets) for octets in TARGETS[name].seeds]

    # The second EF.SOD names a signer that nobody has, so that its branch is fuzzed too.
    assert accepted == ([True, False] if name == "sod" else [True] * len(accepted))


@pytest.mark.parametrize("name", TARGETS)
def test_what_reached_new_code_before_still_gets_a_code(name: str) -> None:
    target, measurements = TARGETS[name], Measurements()
    assert len(list((CORPUS / name).iterdir())) > 10

    for octets in target.corpus():
        target.examine(octets, measurements)

    assert measurements.n == len(target.corpus())


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_files_get_codes_fast_and_in_little_memory(name: str) -> None:
    target, measurements = TARGETS[name], Measurements()
    generator = random.Random(name)
    corpus = target.corpus()

    for _ in range(MUTATIONS):
        target.examine(mutate(generator.choice(corpus), generator), measurements)

    assert measurements.n == MUTATIONS
    assert measurements.refused > MUTATIONS / 2
    assert measurements.time_s_worst <= TIME_S_MAX
    assert measurements.memory_octets_worst <= MEMORY_OCTETS_MAX


def test_an_exception_without_a_code_is_not_swallowed() -> None:
    def stumble(octets: bytes) -> bool:
        raise IndexError(octets)

    with pytest.raises(IndexError):
        Target(name="x", answer=stumble, seeds=()).examine(b"", Measurements())


@pytest.mark.parametrize(
    ("time_s", "memory_octets"), [(TIME_S_MAX * 1.01, 0), (0.0, MEMORY_OCTETS_MAX + 1)]
)
def test_an_input_that_costs_too_much_is_complained_of(time_s: float, memory_octets: int) -> None:
    measurements = Measurements()
    measurements.add(was_refused=True, time_s=TIME_S_MAX, memory_octets=MEMORY_OCTETS_MAX)

    with pytest.raises(BrokenPromiseError, match="for one input"):
        measurements.add(was_refused=True, time_s=time_s, memory_octets=memory_octets)
