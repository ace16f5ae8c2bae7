"""The simulator's photographs seen by the service's face engine.

Owns one claim: probes of a built-in person match that person's portrait and nobody else's.
"""

from random import Random

import numpy as np
import pytest

from biometrics.face.engine import FaceEngine
from telco_sim.camera import PortraitFormat
from telco_sim.photographs import PhotographLibrary, PhotographsUnavailableError

PROBES_PER_PERSON = 30
MATED_DISTANCE_MAX = 0.40
NON_MATED_DISTANCE_MIN = 0.50


@pytest.fixture(scope="module")
def built_in() -> PhotographLibrary:
    try:
        return PhotographLibrary.built_in()
    except PhotographsUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def engine() -> FaceEngine:
    return FaceEngine()


def embedding(engine: FaceEngine, image: bytes) -> np.ndarray:
    acquisition = engine.reference(image)
    assert acquisition.template is not None, acquisition.failure
    return acquisition.template.vector


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first - second))


def test_probes_match_their_own_portrait_and_no_other(
    built_in: PhotographLibrary, engine: FaceEngine
) -> None:
    portraits = {person.name: embedding(engine, person.portrait()) for person in built_in.people}
    generator = Random(20260415)
    for person in built_in.people:
        for _ in range(PROBES_PER_PERSON):
            probe = embedding(engine, person.probe(generator=generator))
            for name, portrait in portraits.items():
                if name == person.name:
                    assert distance(probe, portrait) < MATED_DISTANCE_MAX, name
                else:
                    assert distance(probe, portrait) > NON_MATED_DISTANCE_MIN, name


def test_both_portrait_formats_show_one_face(
    built_in: PhotographLibrary, engine: FaceEngine
) -> None:
    for person in built_in.people:
        first, second = (
            embedding(engine, person.portrait(portrait_format=portrait_format))
            for portrait_format in PortraitFormat
        )
        assert distance(first, second) < 0.2
