"""Waves on the wire: counts come in one order, whatever the database made of it."""

from identity.domain.wave import WavePreview
from identity.rpc.wave_servicer import _preview

COUNTS = WavePreview(
    subscription_count=6,
    # As jsonb gives it back: short keys first.
    by_operator={"cuu": 1, "north": 2, "a-far-one": 3},
    by_province={"": 1, "01": 2, "79": 3},
    by_age={"60+": 1, "0-13": 0, "14-17": 2, "18-59": 3},
    primary_count=0,
    last_number_count=0,
    recently_verified_count=0,
    held_count=0,
)


def test_counts_are_told_by_name_in_their_order() -> None:
    told = _preview(COUNTS)
    assert [each.name for each in told.by_age] == ["0-13", "14-17", "18-59", "60+"]
    assert [each.subscription_count for each in told.by_age] == [0, 2, 3, 1]
    assert [each.name for each in told.by_operator] == ["a-far-one", "cuu", "north"]
    assert [each.name for each in told.by_province] == ["", "01", "79"]
