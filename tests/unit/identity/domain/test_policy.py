"""Who is exempt from a ladder."""

from dataclasses import FrozenInstanceError, replace
from datetime import date, timedelta

import pytest

from identity.domain.policy import Exemption
from identity.domain.policy_text import parse_policy_pack
from tests.unit.identity.domain.packs import PACK

FROM = date(2020, 2, 29)
BEFORE = date(2026, 4, 15)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("begin", "end", "day", "is_covered"),
    [
        (FROM, BEFORE, FROM, True),
        (FROM, BEFORE, FROM - DAY, False),
        (FROM, BEFORE, BEFORE - DAY, True),
        (FROM, BEFORE, BEFORE, False),
        (FROM, None, date(2199, 12, 31), True),
        (FROM, None, FROM - DAY, False),
        (None, BEFORE, date(1990, 1, 1), True),
        (None, BEFORE, BEFORE, False),
        (None, BEFORE, None, False),
        (FROM, None, None, False),
    ],
)
def test_a_contract_is_exempt_from_one_day_on_and_before_another_and_never_without_a_day(
    begin: date | None, end: date | None, day: date | None, *, is_covered: bool
) -> None:
    exemption = Exemption(activated_from=begin, activated_before=end, citation="Rule.")
    assert exemption.covers(day) is is_covered
    track = replace(parse_policy_pack(PACK).tracks["A"], exemptions=(exemption,))
    assert track.is_exempt(day) is is_covered
    assert track.exemption(day) is (exemption if is_covered else None)


def test_a_ladder_without_exemptions_spares_nobody() -> None:
    track = parse_policy_pack(PACK).tracks["A"]
    assert not track.is_exempt(FROM)
    assert track.exemption(FROM) is None


def test_a_pack_cannot_be_changed() -> None:
    pack = parse_policy_pack(PACK)
    with pytest.raises(FrozenInstanceError):
        pack.version = "other"  # type: ignore[misc] # that it is refused is the point
