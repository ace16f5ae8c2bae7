"""A short run of what `make fuzz` runs long, at the parsers that are not the chip's."""

import random

import pytest

from tests.fuzz.__main__ import TARGET_NAMES
from tests.fuzz.chip_targets import Measurements
from tests.fuzz.parser_targets import PARSER_TARGETS
from tests.fuzz.targets import ALL_TARGETS
from tests.fuzz.test_chip import mutate

MUTATIONS = 400


def test_the_command_knows_every_target() -> None:
    assert set(TARGET_NAMES) == set(ALL_TARGETS)


@pytest.mark.parametrize("name", PARSER_TARGETS)
def test_the_seeds_are_accepted(name: str) -> None:
    target = PARSER_TARGETS[name]
    assert not any(target.answer(octets) for octets in target.seeds)


@pytest.mark.parametrize("name", PARSER_TARGETS)
def test_mutated_texts_and_bodies_are_refused_by_name(name: str) -> None:
    target, measurements = PARSER_TARGETS[name], Measurements()
    generator = random.Random(name)
    for octets in target.seeds:
        target.answer(octets)  # what is compiled on first use is not the input's to pay for
    for _ in range(MUTATIONS):
        target.examine(mutate(generator.choice(target.seeds), generator), measurements)
    assert measurements.n == MUTATIONS
    assert measurements.refused > MUTATIONS / 4


@pytest.mark.parametrize("name", PARSER_TARGETS)
@pytest.mark.parametrize(
    "octets",
    [b"", b"[" * 15_000, b'{"a":' * 3_000, b"9" * 15_000, b'{"active_id": 1e999}', b"\xff" * 99],
    ids=["nothing", "brackets", "braces", "digits", "infinity", "no text"],
)
def test_what_breaks_parsers_of_others_is_refused_by_ours(name: str, octets: bytes) -> None:
    PARSER_TARGETS[name].examine(octets, Measurements())
