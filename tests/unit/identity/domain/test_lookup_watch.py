"""When a day's look-ups look like guesses."""

import pytest

from identity.domain.lookup_watch import Looked, LookupPolicy, sequential_count
from identity.domain.personal_id import PersonalID

POLICY = LookupPolicy(unknown_share_max=0.5, sequential_share_max=0.25, judged_from=100)


@pytest.mark.parametrize(
    ("asked", "unknown", "sequential", "is_guessing"),
    [
        (99, 99, 99, False),
        (100, 50, 25, False),
        (100, 51, 0, True),
        (100, 0, 26, True),
        (1_000, 400, 200, False),
    ],
)
def test_of_few_nothing_is_said_and_of_many_the_shares(
    asked: int,
    unknown: int,
    sequential: int,
    is_guessing: bool,  # noqa: FBT001 - a case
) -> None:
    looked = Looked(asked_count=asked, unknown_count=unknown, sequential_count=sequential)
    assert POLICY.is_guessing(looked) is is_guessing


def test_neighbours_are_counted_in_the_order_of_asking() -> None:
    people = [PersonalID(f"00118700{n:04d}") for n in (1, 2, 3, 9, 8, 20, 21, 1)]
    assert sequential_count(people) == 4
    assert sequential_count([]) == 0
