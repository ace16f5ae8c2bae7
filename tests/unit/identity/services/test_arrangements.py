"""Two sides arrange something: who may say what, what nobody learns, what an agreed line does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from identity.audit.log import audit_entry, read_about_citizen
from identity.domain.arrangement import ArrangementState, EndCause
from identity.domain.caller import Role
from identity.domain.errors import (
    ArrangementExistsError,
    ArrangementInvalidError,
    ArrangementLimitError,
    ArrangementNotFoundError,
    ArrangementNotReadyError,
    ChoicesLockedError,
    DomainError,
    PrimaryNotEligibleError,
    SubscriptionNotFoundError,
)
from identity.domain.holder import PopulationRecord
from identity.domain.primary_choice import ChoiceKind, ClearCause
from identity.services.arrangements import (
    end_arrangement,
    get_arrangement,
    list_arrangements,
    propose_company_line,
)
from identity.services.citizen_locks import set_lock
from identity.services.primary_number import set_primary_number
from identity.services.read_subscriptions import list_of_citizen
from identity.storage.arrangement_tables import arrangement
from identity.storage.arrangements import Parties
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    find,
    make_personal_id,
    store_citizen,
    store_number,
)
from tests.unit.identity.services.households import (
    ORGANISATION,
    PAPERS,
    TEENAGER,
    Household,
    household,
)

DAY = timedelta(days=1)


@pytest.fixture
def home(uow: UnitOfWork) -> Household:
    """A guardian and a small child."""
    return household(uow)


@pytest.fixture
def teenage_home(uow: UnitOfWork) -> Household:
    """A guardian and a child who is asked."""
    return household(uow, TEENAGER)


def told(uow: UnitOfWork, person: PopulationRecord) -> list[tuple[str, str]]:
    """What the audit log says of somebody, oldest first."""
    entries = read_about_citizen(uow.connection, citizen_key(uow.sealer, person.personal_id))
    return [(each.action, each.outcome) for each in entries]


# Guardianships.


def test_a_guardianship_of_a_small_child_holds_once_its_papers_are_attested(
    home: Household,
) -> None:
    kept = home.propose()
    assert kept.arrangement.state is ArrangementState.PROPOSED
    assert home.attest(kept.arrangement.arrangement_id).arrangement.state == "agreed"
    for person in (home.guardian, home.child):
        (seen,) = home.listed(person)
        assert (seen.arrangement.state, seen.parties) == ("agreed", home.parties)
        assert ("propose_guardianship", "proposed") in told(home.uow, person)
        assert ("attest_guardianship", "agreed") in told(home.uow, person)


def test_who_attested_which_papers_is_kept(home: Household) -> None:
    kept = home.uow.arrangements.find(home.agreed())
    assert kept is not None
    assert kept.papers is not None
    assert kept.papers.attester == f"operator:{home.operator}"
    assert kept.papers.document_digest == PAPERS


def test_a_teenager_is_asked_too(teenage_home: Household) -> None:
    home = teenage_home
    arrangement_id = home.propose().arrangement.arrangement_id
    assert home.attest(arrangement_id).arrangement.state == "proposed"
    assert home.accept(arrangement_id).arrangement.state == "agreed"


def test_the_answer_to_a_proposal_is_the_same_whoever_is_named(home: Household) -> None:
    people = [
        home.child.personal_id,
        store_citizen(home.uow).personal_id,
        make_personal_id(),
    ]
    answers = [
        replace(home.propose(each).arrangement, arrangement_id=UUID(int=0)) for each in people
    ]
    assert answers[0] == answers[1] == answers[2]


def test_an_attester_learns_nothing_of_people_whom_the_papers_do_not_name(
    home: Household,
) -> None:
    arrangement_id = home.propose().arrangement.arrangement_id
    other = replace(home.parties, personal_id=make_personal_id())
    for wrong_id, parties in ((arrangement_id, other), (uuid4(), home.parties)):
        with pytest.raises(ArrangementNotFoundError, match="no such arrangement of yours"):
            home.attest(wrong_id, parties)


def test_papers_about_nobody_an_adult_and_a_teenager_are_answered_alike(
    teenage_home: Household,
) -> None:
    home = teenage_home
    answers = []
    for child in (home.child.personal_id, store_citizen(home.uow).personal_id, make_personal_id()):
        arrangement_id = home.propose(child).arrangement.arrangement_id
        parties = Parties(personal_id=child, guardian=home.guardian.personal_id)
        answers.append(
            replace(home.attest(arrangement_id, parties).arrangement, arrangement_id=UUID(int=0))
        )
    assert answers[0] == answers[1] == answers[2]


def test_a_refusal_looks_to_the_guardian_like_silence_and_stands_in_the_way(
    teenage_home: Household,
) -> None:
    home = teenage_home
    kept = home.propose()
    arrangement_id = kept.arrangement.arrangement_id
    assert home.refuse(arrangement_id).arrangement.state is ArrangementState.REFUSED
    assert [each.arrangement for each in home.listed(home.guardian)] == [kept.arrangement]
    assert home.listed(home.child)[0].arrangement.state is ArrangementState.REFUSED
    with pytest.raises(ArrangementExistsError):
        home.propose()
    home.at = kept.arrangement.lapses_at
    assert home.listed(home.guardian)[0].arrangement.state is ArrangementState.LAPSED
    assert home.propose().arrangement.state is ArrangementState.PROPOSED


def test_the_same_can_be_proposed_again_once_it_has_lapsed_before_any_clock_has_run(
    home: Household,
) -> None:
    first = home.propose().arrangement
    with pytest.raises(ArrangementExistsError):
        home.propose()
    home.at = first.lapses_at
    second = home.propose().arrangement
    states = {
        each.arrangement.arrangement_id: each.arrangement.state
        for each in home.listed(home.guardian)
    }
    assert states == {first.arrangement_id: "lapsed", second.arrangement_id: "proposed"}
    assert ("close_arrangement", "lapsed") in told(home.uow, home.child)


@pytest.mark.parametrize("fault", ["unknown", "dead", "minor", "self"])
def test_whoever_cannot_be_a_guardian_is_told_so(home: Household, fault: str) -> None:
    if fault == "unknown":
        home.guardian = replace(home.guardian, personal_id=make_personal_id())
    elif fault == "dead":
        home.bury(home.guardian)
    elif fault == "minor":
        home.guardian = store_citizen(home.uow, birth_date=TEENAGER)
    else:
        home.child = home.guardian
    with pytest.raises(ArrangementInvalidError):
        home.propose()


def test_a_child_has_two_guardians_and_a_third_must_wait_until_one_ends(home: Household) -> None:
    first = home.agreed()
    home.guardian = store_citizen(home.uow)
    home.agreed()
    home.guardian = store_citizen(home.uow)
    third = home.propose().arrangement.arrangement_id
    with home.uow.connection.begin_nested() as savepoint, pytest.raises(ArrangementLimitError):
        home.attest(third)
    assert savepoint is not None
    end_arrangement(home.uow, home.regulator, first, None)
    assert home.attest(third).arrangement.state is ArrangementState.AGREED
    kept = home.uow.arrangements.find(third)
    assert kept is not None
    assert kept.guardian_place == 1


def test_one_guardian_has_few_proposals_waiting_at_a_time(home: Household) -> None:
    most = home.app.rules.arrangements.open_proposal_count_max
    for _ in range(most):
        home.propose(make_personal_id())
    with pytest.raises(ArrangementLimitError):
        home.propose(make_personal_id())
    home.at += home.app.rules.arrangements.answer_within
    assert home.propose(make_personal_id()).arrangement.state == "proposed"


def test_a_guardian_who_died_meanwhile_gets_nothing(home: Household) -> None:
    arrangement_id = home.propose().arrangement.arrangement_id
    home.bury(home.guardian)
    assert home.attest(arrangement_id).arrangement.state is ArrangementState.PROPOSED


@pytest.mark.parametrize("act", ["accept", "refuse", "end"])
def test_to_strangers_there_is_no_arrangement(teenage_home: Household, act: str) -> None:
    home = teenage_home
    arrangement_id = home.propose().arrangement.arrangement_id
    stranger = store_citizen(home.uow)
    acts: dict[str, Callable[..., object]] = {
        "accept": home.accept,
        "refuse": home.refuse,
        "end": home.end,
    }
    reasons = set()
    for wrong in (arrangement_id, uuid4()):
        with pytest.raises(ArrangementNotFoundError) as caught:
            acts[act](wrong, stranger)
        reasons.add(str(caught.value))
    assert len(reasons) == 1
    assert home.listed(stranger) == []


def test_the_guardian_does_not_answer_for_the_child(teenage_home: Household) -> None:
    arrangement_id = teenage_home.propose().arrangement.arrangement_id
    with pytest.raises(ArrangementNotFoundError):
        teenage_home.accept(arrangement_id, teenage_home.guardian)


@pytest.mark.parametrize("who", ["guardian", "child", "regulator"])
def test_a_guardianship_is_ended_by_either_and_by_the_regulator(
    teenage_home: Household, who: str
) -> None:
    home = teenage_home
    arrangement_id = home.agreed()
    if who == "regulator":
        ended = end_arrangement(home.uow, home.regulator, arrangement_id, None)
    else:
        ended = home.end(arrangement_id, home.guardian if who == "guardian" else home.child)
    assert ended.arrangement.state is ArrangementState.ENDED
    assert ("end_arrangement", "ended") in told(home.uow, home.child)
    assert home.propose().arrangement.state is ArrangementState.PROPOSED


def test_an_operator_neither_sees_nor_ends_a_guardianship_it_attested(home: Household) -> None:
    arrangement_id = home.agreed()
    assert get_arrangement(home.uow, home.counter, arrangement_id) is None
    with pytest.raises(ArrangementNotFoundError):
        end_arrangement(home.uow, home.counter, arrangement_id, None)
    seen = get_arrangement(home.uow, home.regulator, arrangement_id)
    assert seen is not None
    assert seen.parties == home.parties


def test_pages_of_arrangements_name_each_once_from_both_sides(teenage_home: Household) -> None:
    home = teenage_home
    own = [home.propose(make_personal_id()).arrangement.arrangement_id for _ in range(3)]
    about = home.line(home.guardian)[0]
    found: list[UUID] = []
    after = None
    while True:
        page = list_arrangements(
            home.uow, home.app, home.guardian.personal_id, after=after, limit=2
        )
        found += [each.arrangement.arrangement_id for each in page.arrangements]
        after = page.next_after
        if after is None:
            break
    assert found == sorted([*own, about])


# Company lines.


def test_an_employee_agrees_and_the_number_is_used_and_not_owned(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    assert not find(home.uow, item).is_company_line
    accepted = home.accept(arrangement_id, home.guardian)
    assert accepted.arrangement.state is ArrangementState.AGREED
    assert accepted.parties.organisation_code == ORGANISATION
    page = list_of_citizen(home.uow, home.app, home.guardian.personal_id, after=None, limit=10)
    assert [view.subscription.is_company_line for view in page.views] == [True]
    seen = get_arrangement(home.uow, home.counter, arrangement_id)
    assert seen is not None
    assert seen.arrangement.state is ArrangementState.AGREED


def test_a_companys_line_is_nobodys_primary_number_from_then_on(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    person = home.guardian.personal_id
    set_primary_number(home.uow, home.app, person, item.msisdn)
    home.accept(arrangement_id, home.guardian)
    assert home.uow.primaries.find(person) is None
    key = citizen_key(home.uow.sealer, person)
    (line, *_) = home.uow.choices.history(key, before=None, limit=1)
    assert (line.kind, line.cause) == (ChoiceKind.CLEARED, ClearCause.COMPANY_LINE)
    with pytest.raises(PrimaryNotEligibleError):
        set_primary_number(home.uow, home.app, person, item.msisdn)


def test_a_proposal_alone_takes_nothing_from_the_employee(home: Household) -> None:
    _, item = home.line(home.guardian)
    set_primary_number(home.uow, home.app, home.guardian.personal_id, item.msisdn)
    primary = home.uow.primaries.find(home.guardian.personal_id)
    assert primary is not None
    assert primary.msisdn == item.msisdn


@pytest.mark.parametrize("who", ["employee", "organisation", "regulator"])
def test_each_side_ends_a_companys_line_alone(home: Household, who: str) -> None:
    arrangement_id, item = home.line(home.guardian)
    home.accept(arrangement_id, home.guardian)
    if who == "employee":
        ended = home.end(arrangement_id)
    else:
        call = home.counter if who == "organisation" else home.regulator
        ended = end_arrangement(home.uow, call, arrangement_id, None)
    assert ended.arrangement.state is ArrangementState.ENDED
    assert not find(home.uow, item).is_company_line
    set_primary_number(home.uow, home.app, home.guardian.personal_id, item.msisdn)


def test_other_operators_know_nothing_of_a_companys_line(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    stranger = home.call(Role.OPERATOR, "stranger")
    assert get_arrangement(home.uow, stranger, arrangement_id) is None
    with pytest.raises(ArrangementNotFoundError):
        end_arrangement(home.uow, stranger, arrangement_id, None)
    with pytest.raises(SubscriptionNotFoundError):
        propose_company_line(
            home.uow,
            stranger,
            item.msisdn,
            organisation_code=ORGANISATION,
            employee=home.guardian.personal_id,
        )


def test_an_operator_names_the_user_whom_its_own_book_names(home: Household) -> None:
    item = store_number(home.uow, home.guardian, operator_id=home.operator)
    with pytest.raises(ArrangementInvalidError):
        propose_company_line(
            home.uow,
            home.counter,
            item.msisdn,
            organisation_code=ORGANISATION,
            employee=home.child.personal_id,
        )


def test_a_number_has_one_proposal_at_a_time(home: Household) -> None:
    _, item = home.line(home.guardian)
    with pytest.raises(ArrangementExistsError):
        propose_company_line(
            home.uow,
            home.counter,
            item.msisdn,
            organisation_code="0100109107",
            employee=home.guardian.personal_id,
        )


def test_the_operator_sees_a_refusal_as_silence(home: Household) -> None:
    arrangement_id, _ = home.line(home.guardian)
    home.refuse(arrangement_id, home.guardian)
    seen = get_arrangement(home.uow, home.counter, arrangement_id)
    assert seen is not None
    assert seen.arrangement.state is ArrangementState.PROPOSED
    known = get_arrangement(home.uow, home.regulator, arrangement_id)
    assert known is not None
    assert known.arrangement.state is ArrangementState.REFUSED


def test_a_citizens_lock_keeps_company_lines_out(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    set_lock(home.uow, home.app, home.guardian.personal_id, is_locked=True, open_for=timedelta())
    with pytest.raises(ChoicesLockedError):
        home.accept(arrangement_id, home.guardian)
    assert not find(home.uow, item).is_company_line


def test_a_number_that_has_another_user_since_is_not_agreed_to(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    other = store_citizen(home.uow)
    claim = replace(item.claim, personal_id=other.personal_id)
    home.uow.subscriptions.save(item.transferred_to(claim, item.link, at=home.at))
    with pytest.raises(ArrangementNotReadyError):
        home.accept(arrangement_id, home.guardian)


# What stays where a request is refused.


@pytest.mark.parametrize("error", [ArrangementExistsError, ArrangementInvalidError])
def test_a_refused_proposal_leaves_no_row(home: Household, error: type[DomainError]) -> None:
    if error is ArrangementExistsError:
        home.propose()
    else:
        home.child = home.guardian
    count = select(func.count()).select_from(arrangement)
    before = home.uow.connection.execute(count).scalar_one()
    with pytest.raises(error):
        home.propose()
    assert home.uow.connection.execute(count).scalar_one() == before


def test_a_look_up_of_what_is_not_there_stays_on_record(home: Household) -> None:
    call = home.call(Role.REGULATOR, f"r-{uuid4().hex[:10]}")
    assert get_arrangement(home.uow, call, uuid4()) is None
    query = select(audit_entry.c.action, audit_entry.c.outcome).where(
        audit_entry.c.caller == str(call.caller)
    )
    assert home.uow.connection.execute(query).all() == [("get_arrangement", "not_found")]


def test_a_death_of_the_employee_frees_the_number_and_ends_the_line(home: Household) -> None:
    arrangement_id, item = home.line(home.guardian)
    home.accept(arrangement_id, home.guardian)
    home.bury(home.guardian)
    kept = home.uow.arrangements.find(arrangement_id)
    assert kept is not None
    assert kept.arrangement.end_cause is EndCause.PERSON_GONE
    assert not find(home.uow, item).is_company_line
