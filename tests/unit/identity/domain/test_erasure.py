"""A person is not erased while something stands against it, and is told what."""

from datetime import timedelta

import pytest

from identity.domain.erasure import ErasureObstacle, Obstacle, refuse_standing
from identity.domain.errors import ErasureNotYetError
from tests.unit.identity.makers import NOW

DAY = timedelta(days=1)


def test_nothing_in_the_way_refuses_nothing() -> None:
    refuse_standing([], at=NOW)


def test_a_refusal_says_what_stands_and_until_when() -> None:
    kept = Obstacle(kind=ErasureObstacle.RETENTION, until=NOW + 3 * DAY)
    with pytest.raises(ErasureNotYetError) as caught:
        refuse_standing([kept], at=NOW)
    assert str(caught.value) == (
        "RETENTION: what was verified must be kept until 2026-05-04T09:30:00+00:00"
    )
    assert caught.value.retry_after_s == 3 * 86_400


def test_what_depends_on_people_has_no_end_that_could_be_told() -> None:
    standing = [
        Obstacle(kind=ErasureObstacle.RETENTION, until=NOW + 3 * DAY),
        Obstacle(kind=ErasureObstacle.DISPUTE_OPEN),
    ]
    with pytest.raises(ErasureNotYetError, match="DISPUTE_OPEN: a dispute is open") as caught:
        refuse_standing(standing, at=NOW)
    assert caught.value.retry_after_s is None
