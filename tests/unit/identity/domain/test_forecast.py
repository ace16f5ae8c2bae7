"""What would become of a number, step by step."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from identity.domain.forecast import Forecast, forecast
from identity.domain.policy import CaseCause, Exemption, PolicyPackError, StepKind
from identity.domain.policy_book import PolicyBook
from identity.domain.policy_text import parse_policy_pack
from tests.unit.identity.domain.packs import PACK, changed, made

BEGIN = datetime(2026, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def steps(found: Forecast) -> list[tuple[StepKind, timedelta, str]]:
    return [(step.kind, step.at - BEGIN, step.policy_version) for step in found.steps]


def test_each_step_comes_on_its_day_with_the_time_to_execute_it() -> None:
    book = PolicyBook([parse_policy_pack(PACK)])
    found = forecast(book, CaseCause.DEVICE_CHANGE, opened_at=BEGIN)
    assert steps(found) == [
        (StepKind.NOTIFY, timedelta(0), "test-2026-01-01"),
        (StepKind.BLOCK_OUTGOING, 1.5 * HOUR, "test-2026-01-01"),
        (StepKind.TERMINATE, 1.5 * HOUR + 30 * DAY, "test-2026-01-01"),
    ]
    assert [step.execute_by - step.at for step in found.steps] == [2 * HOUR] * 3


def test_a_primary_has_its_extra_time_before_each_block() -> None:
    book = PolicyBook([parse_policy_pack(PACK)])
    found = forecast(book, CaseCause.UNVERIFIED, opened_at=BEGIN, is_primary=True)
    assert [after for _, after, _ in steps(found)] == [timedelta(0), DAY + 5 * DAY]


def test_a_wave_s_step_and_one_that_waits_for_notices_are_marked() -> None:
    text = changed("after_hours = 24 ", "after_hours = 0, by_wave = true ")
    text = changed(
        "primary_extra_hours = 120",
        "primary_extra_hours = 120\nwaits_for_notices = true",
        text=text,
    )
    found = forecast(PolicyBook([parse_policy_pack(text)]), CaseCause.UNVERIFIED, opened_at=BEGIN)
    assert [(step.at, step.is_by_wave, step.waits_for_notices) for step in found.steps] == [
        (BEGIN, False, False),
        (BEGIN, True, True),
    ]


def test_a_contract_that_is_exempt_has_no_steps_unless_an_event_is_the_cause() -> None:
    pack = parse_policy_pack(PACK)
    spared = Exemption(activated_from=date(2026, 1, 1), activated_before=None, citation="R.")
    tracks = {name: replace(track, exemptions=(spared,)) for name, track in pack.tracks.items()}
    book = PolicyBook([replace(pack, tracks=tracks)])
    new = date(2026, 1, 1)
    found = forecast(book, CaseCause.UNVERIFIED, opened_at=BEGIN, activated_on=new)
    assert (found.exemption, found.steps) == (spared, ())
    for activated_on in (None, new - DAY):
        old = forecast(book, CaseCause.UNVERIFIED, opened_at=BEGIN, activated_on=activated_on)
        assert (old.exemption, len(old.steps)) == (None, 2)
    event = forecast(book, CaseCause.DEVICE_CHANGE, opened_at=BEGIN, activated_on=new)
    assert len(event.steps) == 3


def test_a_cause_without_a_ladder_leads_to_nothing() -> None:
    book = PolicyBook([parse_policy_pack(PACK)])
    assert forecast(book, CaseCause.SIM_SWAP, opened_at=BEGIN) == Forecast(track=None)


def test_before_the_first_pack_nothing_can_be_foretold() -> None:
    book = PolicyBook([parse_policy_pack(PACK)])
    with pytest.raises(PolicyPackError, match="no pack says how holders are verified"):
        forecast(book, CaseCause.UNVERIFIED, opened_at=BEGIN - 90 * DAY)


@pytest.mark.parametrize(
    ("is_retroactive", "hours", "after", "version"),
    [
        (False, 48, timedelta(hours=24), "a"),
        (True, 48, timedelta(hours=48), "b"),
        (True, 20, timedelta(hours=20), "b"),
        # Shortened to before midnight of the new pack's first day: taken then, and not skipped.
        (True, 1, timedelta(hours=17), "b"),
    ],
)
def test_a_new_pack_moves_an_open_case_only_when_it_is_retroactive(
    *, is_retroactive: bool, hours: float, after: timedelta, version: str
) -> None:
    new = made("b", on=date(2026, 2, 2), is_retroactive=is_retroactive, suspend_after_hours=hours)
    book = PolicyBook([made("a", on=date(2026, 1, 1)), new])
    found = forecast(book, CaseCause.UNVERIFIED, opened_at=BEGIN)
    assert steps(found) == [
        (StepKind.NOTIFY, timedelta(0), "a"),
        (StepKind.SUSPEND, after, version),
    ]
