"""What ends by itself: by its time, by a birthday, by a death, by the end of a number."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete

from identity.audit.log import read_about_citizen
from identity.domain.agency import Right
from identity.domain.arrangement import ArrangementState, EndCause, comes_of_age_at
from identity.domain.holder import PopulationRecord
from identity.domain.subscription import SubscriptionEnd
from identity.services.advance_enforcement import advance_enforcement
from identity.services.apply_population_changes import Correction, MergedRecords
from identity.services.end_arrangements import close_due
from identity.services.import_population import import_population
from identity.services.primary_number import set_primary_number
from identity.storage.arrangements import KeptArrangement
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.tables import enforcement_clock
from tests.databases import within
from tests.unit.identity.agency_makers import make_grant, store_agency
from tests.unit.identity.makers import (
    find,
    make_claim,
    make_personal_id,
    store_citizen,
    store_number,
)
from tests.unit.identity.services.households import TODDLER, Household, household

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


@pytest.fixture
def home(uow: UnitOfWork) -> Household:
    """A guardian and a small child, and a clock that has never run."""
    uow.connection.execute(delete(enforcement_clock))
    return household(uow)


def kept(home: Household, arrangement_id: UUID) -> KeptArrangement:
    """As it is stored."""
    found = home.uow.arrangements.find(arrangement_id)
    assert found is not None
    return found


def end_cause(home: Household, arrangement_id: UUID) -> EndCause | None:
    return kept(home, arrangement_id).arrangement.end_cause


def run(home: Household) -> None:
    """The clock runs up to the present."""
    advance_enforcement(within(home.uow), home.regulator)


def guardian_of(home: Household) -> bytes | None:
    """Whom agencies would reach for the child."""
    key = key_of(home, home.child)
    policy = home.app.rules.arrangements
    return home.uow.arrangements.guardians_of([key], policy, at=home.at).get(key)


def key_of(home: Household, person: PopulationRecord) -> bytes:
    return citizen_key(home.uow.sealer, person.personal_id)


def outcomes(home: Household, person: PopulationRecord) -> list[str]:
    """How arrangements of somebody were closed."""
    entries = read_about_citizen(home.uow.connection, key_of(home, person))
    return [each.outcome for each in entries if each.action == "close_arrangement"]


# The clock.


def test_the_clock_lets_proposals_lapse_at_their_time_slice_by_slice(home: Household) -> None:
    items = [home.propose(make_personal_id()).arrangement for _ in range(3)]
    home.at = items[0].lapses_at - TICK
    close_due(home.uow, home.regulator, limit=1_000)
    assert {kept(home, each.arrangement_id).arrangement.state for each in items} == {"proposed"}
    home.at += 40 * DAY
    while close_due(home.uow, home.regulator, limit=1):
        pass
    for each in items:
        lapsed = kept(home, each.arrangement_id).arrangement
        assert (lapsed.state, lapsed.closed_at) == (ArrangementState.LAPSED, each.lapses_at)
    assert outcomes(home, home.guardian) == ["lapsed"] * 3


@pytest.mark.parametrize("has_run_before", [True, False])
def test_a_guardianship_ends_on_the_birthday_by_reading_and_then_by_the_clock(
    home: Household, *, has_run_before: bool
) -> None:
    arrangement_id = home.agreed()
    if has_run_before:
        run(home)
    end = comes_of_age_at(TODDLER, home.app.rules.arrangements)
    home.at = end - TICK
    assert guardian_of(home) == key_of(home, home.guardian)
    home.at = end.astimezone(UTC)
    assert guardian_of(home) is None
    (seen,) = home.listed(home.child)
    assert (seen.arrangement.state, seen.arrangement.end_cause) == ("ended", EndCause.OF_AGE)
    assert kept(home, arrangement_id).arrangement.state is ArrangementState.AGREED
    home.at += 3 * DAY
    run(home)
    ended = kept(home, arrangement_id)
    assert (ended.arrangement.closed_at, ended.guardian_place) == (end, None)
    assert outcomes(home, home.child) == outcomes(home, home.guardian) == ["ended"]
    run(home)
    assert outcomes(home, home.child) == ["ended"]


def test_a_run_of_every_day_ends_it_on_the_day_and_not_before(home: Household) -> None:
    arrangement_id = home.agreed()
    end = comes_of_age_at(TODDLER, home.app.rules.arrangements).astimezone(UTC)
    for day in range(-2, 2):
        home.at = end + day * DAY
        run(home)
        assert (end_cause(home, arrangement_id) is not None) == (day >= 0)


def test_a_birth_date_that_is_corrected_moves_the_end(home: Household) -> None:
    arrangement_id = home.agreed()
    policy = home.app.rules.arrangements
    younger = replace(home.child, birth_date=TODDLER + 30 * DAY)
    home.change(Correction(younger))
    home.at = comes_of_age_at(TODDLER, policy).astimezone(UTC)
    run(home)
    assert end_cause(home, arrangement_id) is None
    assert guardian_of(home) is not None
    home.at = comes_of_age_at(younger.birth_date, policy).astimezone(UTC)
    run(home)
    assert end_cause(home, arrangement_id) is EndCause.OF_AGE


def test_a_birth_date_that_is_corrected_to_an_adults_ends_it_at_once_by_reading(
    home: Household,
) -> None:
    home.agreed()
    home.change(Correction(replace(home.child, birth_date=date(1990, 1, 1))))
    assert guardian_of(home) is None
    assert home.listed(home.guardian)[0].arrangement.end_cause is EndCause.OF_AGE


# Death and merged records.


@pytest.mark.parametrize("who", ["guardian", "child"])
@pytest.mark.parametrize("by", ["change", "import"])
def test_the_death_of_either_ends_a_guardianship_in_its_transaction(
    home: Household, who: str, by: str
) -> None:
    arrangement_id = home.agreed()
    person = home.guardian if who == "guardian" else home.child
    if by == "change":
        home.bury(person)
    else:
        dead = replace(person, deceased_on=home.at.date())
        import_population(home.uow, home.regulator, [dead])
    ended = kept(home, arrangement_id)
    assert (ended.arrangement.state, ended.arrangement.end_cause) == ("ended", "person_gone")
    assert guardian_of(home) is None
    assert outcomes(home, home.child) == outcomes(home, home.guardian) == ["ended"]


def test_a_personal_id_that_is_retired_has_no_guardian(home: Household) -> None:
    arrangement_id = home.agreed()
    surviving = store_citizen(home.uow, birth_date=TODDLER)
    home.change(MergedRecords(home.child.personal_id, surviving.personal_id))
    assert end_cause(home, arrangement_id) is EndCause.PERSON_GONE


def test_other_changes_of_a_record_end_nothing(home: Household) -> None:
    arrangement_id = home.agreed()
    home.change(Correction(replace(home.child, card_issued_on=date(2026, 1, 1))))
    assert end_cause(home, arrangement_id) is None


# Numbers.


def test_a_number_that_ends_ends_the_companys_line(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    home.accept(arrangement_id, home.guardian)
    at = home.at + DAY
    ended = find(home.uow, item).ended(SubscriptionEnd.RELEASED, at=at)
    home.uow.subscriptions.save(ended)
    closed = kept(home, arrangement_id).arrangement
    assert (closed.end_cause, closed.closed_at) == (EndCause.NUMBER_GONE, at)


def test_a_number_that_gets_another_user_is_the_companys_line_of_nobody(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    home.accept(arrangement_id, home.guardian)
    other = store_citizen(home.uow)
    moved = find(home.uow, item).transferred_to(make_claim(other), item.link, at=home.at)
    home.uow.subscriptions.save(moved)
    assert end_cause(home, arrangement_id) is EndCause.NUMBER_GONE
    assert not find(home.uow, item).is_company_line


def test_what_happens_to_other_numbers_ends_no_line(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    home.accept(arrangement_id, home.guardian)
    other = store_number(home.uow, home.guardian)
    home.uow.subscriptions.save(other.ended(SubscriptionEnd.RELEASED, at=home.at))
    home.uow.subscriptions.save(replace(find(home.uow, item), updated_at=home.at))
    assert end_cause(home, arrangement_id) is None
    assert find(home.uow, item).is_company_line


# Whom agencies reach.


def test_of_two_guardians_the_one_who_can_be_reached_stands_in(home: Household) -> None:
    first = home.guardian
    home.agreed()
    home.guardian = store_citizen(home.uow)
    home.agreed()
    assert guardian_of(home) == key_of(home, first)
    item = store_number(home.uow, home.guardian)
    set_primary_number(home.uow, home.app, home.guardian.personal_id, item.msisdn)
    assert guardian_of(home) == key_of(home, home.guardian)


def test_agencies_are_told_of_a_child_whom_a_guardian_stands_in_for(home: Household) -> None:
    agency = store_agency(home.uow, make_grant(Right.NUMBER, Right.CONTACT_CHANGES))
    child, guardian = key_of(home, home.child), key_of(home, home.guardian)
    home.uow.contact_changes.note_interest({(child, agency.name): home.at + timedelta(days=90)})

    def told() -> list[bytes]:
        after = home.uow.contact_changes.bounds().last
        while home.uow.contact_changes.pass_on(at=home.at, limit=100):
            pass
        found = home.uow.contact_changes.read_of(agency.name, after=after, until=10**9, limit=9)
        return [hint.citizen_key for hint in found]

    arrangement_id = home.agreed()
    assert told() == [child]
    item = store_number(home.uow, home.guardian)
    set_primary_number(home.uow, home.app, home.guardian.personal_id, item.msisdn)
    assert told() == [child]
    home.end(arrangement_id)
    assert told() == [child]
    home.uow.contact_changes.note_changed([guardian])
    assert told() == []


def test_nobody_stands_in_for_whom_nobody_is_guardian_of(home: Household) -> None:
    home.propose()
    keys = [key_of(home, home.child), key_of(home, home.guardian), b"\x00" * 16]
    policy = home.app.rules.arrangements
    assert home.uow.arrangements.guardians_of(keys, policy, at=home.at) == {}
    assert home.uow.arrangements.guardians_of([], policy, at=home.at) == {}


def test_the_first_run_of_a_clock_without_arrangements_does_nothing(home: Household) -> None:
    home.at = datetime(2100, 1, 1, tzinfo=UTC)
    while close_due(home.uow, home.regulator):
        pass
    assert close_due(home.uow, home.regulator) == 0
