"""How long a look-up takes does not say why somebody cannot be reached.

A statistical test, and the only kind here that takes times. It says that kinds differ, though they
do not, once in a million runs. That it can say so is shown with a delay that is planted in one kind
more of the same; the smallest delay that it would find stands in every failure, and in
docs/reference/performance.md.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from identity.bootstrap import open_current_database
from identity.domain.personal_id import PersonalID
from identity.storage.database import UnitOfWork
from subid.v1.agency_pb2 import PURPOSE_SERVICE_DELIVERY
from subid.v1.contact_service_pb2 import CONTACT_STATUS_NOT_AVAILABLE
from tests.integration.absence_timing import (
    POWER,
    Times,
    measure,
    p_value,
    smallest_shift_found,
    told_apart,
)
from tests.integration.conftest import World
from tests.integration.scene import Scene
from tests.unit.identity.services.absentees import (
    dead,
    objecting,
    restricted,
    unknown,
    without_number,
)

ROUNDS = 150
PEOPLE_OF_A_KIND = 15
WARM_UP = 20
REFERENCE = "unknown"
CONTROL = "unknown too"

Maker = Callable[[UnitOfWork], PersonalID]


KINDS: Mapping[str, Maker] = {
    REFERENCE: unknown,
    CONTROL: unknown,
    "none": without_number,
    "dead": dead,
    "objected": objecting,
    "restricted": restricted,
}


@pytest.fixture(scope="module")
def absent(world: World) -> Mapping[str, Sequence[str]]:
    """Some people of each kind."""
    with open_current_database(world.settings) as database, database.transaction() as uow:
        return {
            kind: [make(uow).value for _ in range(PEOPLE_OF_A_KIND)] for kind, make in KINDS.items()
        }


def test_the_time_of_a_look_up_does_not_tell_one_kind_of_absence_from_another(
    scene: Scene,
    absent: Mapping[str, Sequence[str]],
) -> None:
    asks = {kind: [_ask(scene, each) for each in listed] for kind, listed in absent.items()}
    measure(asks, rounds=WARM_UP, seed=1)
    times = measure(asks, rounds=ROUNDS, seed=2)
    same = times[CONTROL] - times[REFERENCE]
    shift = smallest_shift_found(same, comparisons=len(KINDS) - 1, seed=3)
    middle = float(np.median(times[REFERENCE]))
    told = f"n = {ROUNDS}: {shift:.2f} ms of {middle:.2f} ms found with {POWER:.0%}"
    assert told_apart(times, reference=REFERENCE) == [], told
    # The same rounds with a delay in one kind of them: it is found, and nothing else is.
    planted: dict[str, Times] = {**times, CONTROL: times[CONTROL] + 3 * shift}
    assert told_apart(planted, reference=REFERENCE) == [CONTROL], told


def test_false_alarms_are_as_rare_as_is_said() -> None:
    generator = np.random.default_rng(20260415)
    runs = generator.standard_t(df=2, size=(4_000, 40))  # heavy tails, as times have
    for allowed in (0.05, 0.01, 0.001):
        alarms = float(np.mean([p_value(run) <= allowed for run in runs]))
        # Four standard deviations of a share of 4,000 above what is allowed.
        assert alarms <= allowed + 4 * np.sqrt(allowed / len(runs))


def _ask(scene: Scene, personal_id: str) -> Callable[[], object]:
    def ask() -> None:
        contact = scene.contact(personal_id, PURPOSE_SERVICE_DELIVERY).contact
        assert contact.status == CONTACT_STATUS_NOT_AVAILABLE

    return ask
