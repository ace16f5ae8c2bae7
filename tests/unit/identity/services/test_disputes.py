"""Two people claim one number: who may say what, and what a decision does to the number."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from identity.audit.log import audit_entry, read_about_citizen
from identity.domain.caller import Role
from identity.domain.dispute import (
    EVIDENCE_PER_PARTY_MAX,
    DisputeDecision,
    DisputeState,
    Evidence,
    EvidenceKind,
    Party,
)
from identity.domain.enforcement import CaseState, DirectiveKind
from identity.domain.errors import (
    DisputeEvidenceFullError,
    DisputeExistsError,
    DisputeInvalidError,
    DisputeNotFoundError,
    DisputeNotReadyError,
    DomainError,
    SubscriptionNotFoundError,
)
from identity.domain.holder import PopulationRecord
from identity.domain.link import LinkState
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState, SubscriptionEnd
from identity.services.call import Call
from identity.services.complete_verification import record_verdict
from identity.services.disown_subscription import disown_subscription
from identity.services.disputes import (
    add_evidence,
    appeal_dispute,
    get_dispute,
    open_dispute,
)
from identity.services.end_disputes import close_due
from identity.services.explain_subscription import explain_subscription
from identity.services.import_subscriptions import import_subscriptions
from identity.services.report_events import EventKind
from identity.services.transactions import Transactions
from identity.services.verification_sessions import start_verification
from identity.storage.book import BookRow, index_row
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkAction
from identity.storage.tables import enforcement_case
from tests.unit.identity.makers import (
    NOW,
    find,
    make_call,
    make_chip,
    make_claim,
    make_face,
    make_msisdn,
    make_operator,
    make_personal_id,
    reference_of,
    store_citizen,
)
from tests.unit.identity.services.quarrels import DAY, POLICY, Quarrel, quarrel

CLAIMANT, HOLDER, NOBODY = (
    DisputeDecision.CLAIMANT,
    DisputeDecision.HOLDER,
    DisputeDecision.NOBODY,
)
PIECE = Evidence(
    kind=EvidenceKind.RECENT_CALLS,
    document_digest=b"\x07" * 32,
    place="Hoan Kiem shop, file 2026/118",
    is_for_claimant=True,
)


@pytest.fixture
def verified(uow: UnitOfWork) -> Quarrel:
    """About a verified number that is its holder's primary."""
    made = quarrel(uow)
    uow.primaries.set(made.item, at=NOW)
    return made


@pytest.fixture
def unverified(uow: UnitOfWork) -> Quarrel:
    """About a number on the ladder, some days before it is blocked."""
    made = quarrel(uow, verified_at=None)
    # The book says where the contract is from, and so puts the number on the ladder.
    row = BookRow(msisdn=made.item.msisdn, claim=made.item.claim, province_code="01")
    import_subscriptions(uow, made.operator, [index_row(uow.sealer, row)])
    made.item = find(uow, made.item)
    assert [case.cause for case in made.cases()] == [CaseCause.UNVERIFIED]
    made.pass_time(3 * DAY)
    return made


def refusal(action: Callable[[], object]) -> type[DomainError]:
    with pytest.raises(DomainError) as caught:
        action()
    return caught.type


# Opening.


def test_a_dispute_holds_the_clocks_and_takes_nothing_from_the_holder(verified: Quarrel) -> None:
    before = verified.item
    view = verified.open()
    assert (view.msisdn, view.dispute.state) == (before.msisdn, DisputeState.OPEN)
    assert view.dispute.deadline == NOW + POLICY.decide_within
    assert find(verified.uow, before) == before
    assert verified.uow.primaries.find(verified.holder.personal_id) is not None


def test_while_a_dispute_is_open_no_step_is_taken(unverified: Quarrel) -> None:
    (before,) = unverified.cases()
    unverified.obey()
    unverified.open()
    opened_at = unverified.at
    unverified.pass_time(POLICY.decide_within - DAY)
    assert unverified.cases() == [replace(before, frozen_at=opened_at)]
    assert find(unverified.uow, unverified.item).service_state is ServiceState.ACTIVE


def test_what_happens_in_a_dispute_is_held_too_but_a_change_of_device(verified: Quarrel) -> None:
    verified.open()
    disown_subscription(
        verified.uow, verified.app, verified.holder.personal_id, verified.item.msisdn
    )
    assert verified.event(EventKind.DEVICE_CHANGE) == ""
    frozen = {case.cause: case.frozen_at for case in verified.cases()}
    assert frozen == {CaseCause.DISOWNED: NOW, CaseCause.DEVICE_CHANGE: None}
    assert find(verified.uow, verified.item).service_state is ServiceState.OUTGOING_BLOCKED


@pytest.mark.parametrize("role", [Role.CITIZEN_APP, Role.OPERATOR, Role.REGULATOR])
def test_a_dispute_by_the_holder_himself_is_refused(verified: Quarrel, role: Role) -> None:
    call = verified.call(role, verified.item.operator_id)
    with pytest.raises(DisputeInvalidError):
        open_dispute(verified.uow, call, verified.item.msisdn, verified.holder.personal_id)
    assert verified.uow.disputes.open_of(verified.item.msisdn) == {}


def test_whoever_cannot_be_verified_claims_nothing_and_why_is_not_told(verified: Quarrel) -> None:
    dead = store_citizen(verified.uow, deceased_on=date(2026, 1, 2))
    retired = store_citizen(verified.uow, merged_into=verified.claimant.personal_id)
    told = set()
    for person in (dead.personal_id, retired.personal_id, make_personal_id()):
        with pytest.raises(DisputeInvalidError) as caught:
            open_dispute(verified.uow, verified.operator, verified.item.msisdn, person)
        told.add(str(caught.value))
    assert len(told) == 1


def test_a_number_is_in_one_dispute_at_a_time(verified: Quarrel) -> None:
    verified.open()
    assert refusal(verified.open) is DisputeExistsError
    third = store_citizen(verified.uow).personal_id
    for call in (verified.operator, verified.regulator()):
        with pytest.raises(DisputeExistsError):
            open_dispute(verified.uow, call, verified.item.msisdn, third)


def test_to_a_stranger_a_disputed_number_and_none_look_the_same(verified: Quarrel) -> None:
    verified.open()
    third = store_citizen(verified.uow).personal_id
    told = set()
    for msisdn in (verified.item.msisdn, make_msisdn()):
        with pytest.raises(SubscriptionNotFoundError) as caught:
            open_dispute(verified.uow, verified.app, msisdn, third)
        told.add(str(caught.value))
    assert len(told) == 1


def test_an_operator_opens_disputes_about_its_own_numbers(verified: Quarrel) -> None:
    stranger = make_call(make_operator())
    assert refusal(lambda: verified.open(stranger)) is SubscriptionNotFoundError
    assert verified.open(verified.operator).dispute.opener == str(verified.operator.caller)


def test_a_claim_that_was_decided_is_not_heard_again(verified: Quarrel) -> None:
    verified.settled(HOLDER)
    assert refusal(verified.open) is DisputeInvalidError


def test_who_has_lost_a_number_by_a_dispute_does_not_claim_it_back(verified: Quarrel) -> None:
    verified.settled(DisputeDecision.CLAIMANT)
    with pytest.raises(DisputeInvalidError):
        open_dispute(verified.uow, verified.app, verified.item.msisdn, verified.holder.personal_id)


def test_a_claim_that_nobody_decided_may_be_made_again(verified: Quarrel) -> None:
    verified.open()
    verified.at += POLICY.decide_within
    verified.run()
    assert verified.open().dispute.state is DisputeState.OPEN


@pytest.mark.parametrize("decision", [HOLDER, None])
def test_a_number_does_not_stay_in_service_from_dispute_to_dispute(
    unverified: Quarrel, decision: DisputeDecision | None
) -> None:
    identity = unverified.open().dispute.dispute_id
    if decision is not None:
        unverified.decide(identity, decision)
    unverified.at += POLICY.decide_within
    unverified.run()
    unverified.claimant = store_citizen(unverified.uow)
    unverified.open(unverified.operator)
    assert [case.frozen_at for case in unverified.cases()] == [None]
    assert unverified.event(EventKind.PORT_OUT) == "NUMBER_IN_DISPUTE"
    (before,) = unverified.cases()
    unverified.pass_time(DAY)
    assert unverified.cases()[0].steps_taken == before.steps_taken + 1


# Who sees what.


def test_each_side_the_operator_and_the_regulator_see_a_dispute(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    for person in (verified.holder, verified.claimant):
        assert get_dispute(verified.uow, verified.app, identity, person.personal_id) is not None
    for call in (verified.operator, verified.regulator()):
        assert get_dispute(verified.uow, call, identity, None) is not None


def test_to_everybody_else_there_is_none(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    third = store_citizen(verified.uow).personal_id
    strangers: list[tuple[Call, PersonalID | None]] = [
        (verified.app, third),
        (verified.app, None),
        (make_call(make_operator()), None),
        (make_call(make_operator()), verified.holder.personal_id),
    ]
    for call, person in strangers:
        for which in (identity, uuid4()):
            assert get_dispute(verified.uow, call, which, person) is None
            with pytest.raises(DisputeNotFoundError):
                add_evidence(verified.uow, call, which, [PIECE], personal_id=person)
    for which in (identity, uuid4()):
        with pytest.raises(DisputeNotFoundError):
            appeal_dispute(verified.uow, verified.regulator(), which, third)


def test_the_holder_is_told_of_the_dispute_by_the_explanation(verified: Quarrel) -> None:
    def told(person: PersonalID) -> UUID | None:
        found = explain_subscription(verified.uow, verified.app, verified.item.msisdn, person)
        return None if found is None else found.dispute_id

    assert told(verified.holder.personal_id) is None
    identity = verified.open().dispute.dispute_id
    assert told(verified.holder.personal_id) == identity
    assert told(verified.claimant.personal_id) is None
    verified.at += POLICY.decide_within
    verified.run()
    assert told(verified.holder.personal_id) is None


def test_all_that_is_done_stands_in_the_log_for_each_side(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    add_evidence(
        verified.uow, verified.app, identity, [PIECE], personal_id=verified.holder.personal_id
    )
    get_dispute(verified.uow, verified.operator, identity, None)
    verified.decide(identity, HOLDER)
    verified.appeal(identity, verified.claimant)
    verified.decide(identity, NOBODY, "c", "d")
    for person in (verified.holder, verified.claimant):
        key = citizen_key(verified.uow.sealer, person.personal_id)
        entries = [
            (each.action, each.outcome)
            for each in read_about_citizen(verified.uow.connection, key)
            if "dispute" in each.details
        ]
        assert entries == [
            ("open_dispute", "open"),
            ("add_evidence", "open"),
            ("get_dispute", "open"),
            ("decide_dispute", "open"),
            ("decide_dispute", "decided"),
            ("appeal_dispute", "appealed"),
            ("decide_dispute", "appealed"),
            ("decide_dispute", "closed"),
            ("close_dispute", "nobody"),
        ]


def test_a_look_that_finds_nothing_stands_in_the_log(verified: Quarrel) -> None:
    name = make_operator()
    get_dispute(verified.uow, make_call(name), uuid4(), None)
    query = select(audit_entry.c.outcome).where(audit_entry.c.caller == f"operator:{name}")
    assert verified.uow.connection.execute(query).scalars().all() == ["not_found"]


# Evidence.


def test_evidence_says_who_added_it(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    for call, person in (
        (verified.app, verified.holder.personal_id),
        (verified.app, verified.claimant.personal_id),
        (verified.operator, None),
        (verified.regulator("x"), None),
    ):
        add_evidence(verified.uow, call, identity, [PIECE], personal_id=person)
    seen = get_dispute(verified.uow, verified.regulator(), identity, None)
    assert seen is not None
    assert [(each.party, each.caller, each.evidence) for each in seen.dispute.evidence] == [
        (Party.HOLDER, "citizen-app:vneid", PIECE),
        (Party.CLAIMANT, "citizen-app:vneid", PIECE),
        (Party.OPERATOR, str(verified.operator.caller), PIECE),
        (Party.REGULATOR, "regulator:x", PIECE),
    ]


def test_one_side_cannot_keep_the_other_from_being_heard(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id

    def add(person: PopulationRecord, count: int) -> None:
        pieces = [PIECE] * count
        add_evidence(verified.uow, verified.app, identity, pieces, personal_id=person.personal_id)

    add(verified.claimant, EVIDENCE_PER_PARTY_MAX)
    assert refusal(lambda: add(verified.claimant, 1)) is DisputeEvidenceFullError
    add(verified.holder, EVIDENCE_PER_PARTY_MAX)


def test_evidence_after_the_decision_is_refused(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    verified.decide(identity, HOLDER)
    with pytest.raises(DisputeNotReadyError):
        add_evidence(verified.uow, verified.operator, identity, [PIECE], personal_id=None)


# No single act.


def test_one_caller_of_the_regulator_decides_nothing(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    verified.decide(identity, CLAIMANT, "a")
    assert refusal(lambda: verified.decide(identity, CLAIMANT, "a")) is DisputeNotReadyError
    verified.at += POLICY.decide_within
    verified.run()
    assert find(verified.uow, verified.item) == verified.item


@pytest.mark.parametrize("kind", [EventKind.TRANSFER, EventKind.PORT_OUT, EventKind.RELEASE])
def test_an_operator_settles_no_dispute_by_an_event(verified: Quarrel, kind: EventKind) -> None:
    verified.open()
    assert verified.event(kind, verified.claimant) == "NUMBER_IN_DISPUTE"
    assert find(verified.uow, verified.item) == verified.item


def test_a_book_settles_no_dispute(verified: Quarrel) -> None:
    verified.open()
    assert verified.book(verified.claimant) == ["NUMBER_IN_DISPUTE"]
    assert find(verified.uow, verified.item) == verified.item
    corrected = replace(verified.holder, birth_date=date(1987, 11, 24))
    assert verified.book(corrected) == []
    assert find(verified.uow, verified.item).link.state is LinkState.MISMATCHED


@pytest.mark.parametrize("decision", [HOLDER, NOBODY])
def test_after_a_dispute_numbers_move_again(verified: Quarrel, decision: DisputeDecision) -> None:
    verified.settled(decision)
    assert verified.event(EventKind.TRANSFER, verified.claimant) == ""


# What a decision does.


@pytest.mark.parametrize("decision", [HOLDER, NOBODY, None])
def test_the_clock_goes_on_with_what_was_left(
    unverified: Quarrel, decision: DisputeDecision | None
) -> None:
    (before,) = unverified.cases()
    opened_at = unverified.at
    identity = unverified.open().dispute.dispute_id
    if decision is not None:
        unverified.decide(identity, decision)
    unverified.at += POLICY.decide_within
    assert close_due(unverified.uow, unverified.regulator()) == 1
    assert before.next_due_at is not None
    held_for = unverified.at - opened_at
    assert unverified.cases() == [replace(before, next_due_at=before.next_due_at + held_for)]
    assert find(unverified.uow, unverified.item) == unverified.item


def test_a_number_is_the_holders_until_the_decision_stands(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    verified.decide(identity, CLAIMANT)
    verified.at += POLICY.appeal_within - timedelta(seconds=1)
    verified.run()
    assert find(verified.uow, verified.item) == verified.item
    verified.at += timedelta(seconds=1)
    verified.run()
    assert verified.now_in_service().claim == make_claim(verified.claimant)


def test_the_claimants_number_inherits_nothing(verified: Quarrel) -> None:
    session = start_verification(verified.uow, verified.operator, verified.item.msisdn, None)
    verified.settled(CLAIMANT)
    ended, heir = find(verified.uow, verified.item), verified.now_in_service()
    assert (ended.service_state, ended.ended_by) == (
        ServiceState.TERMINATED,
        SubscriptionEnd.TRANSFERRED,
    )
    assert heir.subscription_id != ended.subscription_id
    assert (heir.claim, heir.operator_id) == (make_claim(verified.claimant), ended.operator_id)
    assert (heir.verified_at, heir.activated_on, heir.link.state) == (None, None, LinkState.LINKED)
    assert (heir.service_state, heir.created_at) == (ServiceState.ACTIVE, verified.at)
    for person in (verified.holder, verified.claimant):
        assert verified.uow.primaries.find(person.personal_id) is None
    assert [(c.cause, c.opened_at) for c in verified.cases(heir)] == [
        (CaseCause.UNVERIFIED, verified.at)
    ]
    assert verified.cases(ended) == []
    chip = make_chip(make_claim(verified.holder))
    with pytest.raises(SubscriptionNotFoundError):
        record_verdict(verified.uow, verified.operator, session, chip, make_face())


def test_the_number_is_the_claimants_by_their_own_verification_only(verified: Quarrel) -> None:
    verified.settled(CLAIMANT)
    assert verified.verify(verified.holder).verified_at is None
    proved = verified.verify(verified.claimant)
    assert (proved.verified_at, proved.is_eligible_as_primary) == (verified.at, True)
    assert verified.cases(proved) == []


def test_a_claimant_who_is_not_verified_is_on_a_clock_of_their_own(
    verified: Quarrel,
) -> None:
    verified.settled(CLAIMANT)
    heir = verified.now_in_service()
    verified.pass_time(8 * DAY)
    # Five notices; the block waits for the next wave of the regulator.
    assert [(c.steps_taken, c.waits_for_wave) for c in verified.cases(heir)] == [(5, True)]


def test_what_the_holder_has_brought_about_does_not_block_the_claimant(verified: Quarrel) -> None:
    disown_subscription(
        verified.uow, verified.app, verified.holder.personal_id, verified.item.msisdn
    )
    verified.pass_time(8 * DAY)
    assert find(verified.uow, verified.item).service_state is ServiceState.SUSPENDED
    verified.settled(CLAIMANT)
    heir = verified.now_in_service()
    assert heir.service_state is ServiceState.ACTIVE
    assert [(order.kind, order.subscription_id) for order in verified.obey()] == [
        (DirectiveKind.RESTORE, heir.subscription_id)
    ]
    assert verified.now_in_service().applied_state is ServiceState.ACTIVE


def test_a_sim_in_another_device_stays_blocked_for_the_claimant_too(verified: Quarrel) -> None:
    verified.event(EventKind.DEVICE_CHANGE)
    verified.settled(CLAIMANT)
    heir = verified.now_in_service()
    assert heir.service_state is ServiceState.OUTGOING_BLOCKED
    opened = {case.cause: case.opened_at for case in verified.cases(heir)}
    assert opened == {
        CaseCause.UNVERIFIED: verified.at,
        CaseCause.DEVICE_CHANGE: verified.at,
    }
    due = {order.due_at for order in verified.obey() if order.track == "T1"}
    assert due == {verified.at + timedelta(hours=2)}
    assert verified.verify(verified.claimant).service_state is ServiceState.ACTIVE


def test_the_history_says_why_the_number_is_the_claimants(verified: Quarrel) -> None:
    verified.settled(CLAIMANT)
    key, identity = reference_of(verified.uow, verified.now_in_service())
    (line,) = verified.uow.link_changes.list_of(key, identity)
    assert (line.action, line.changed_at) == (LinkAction.DISPUTE_DECIDED, verified.at)
    own = explain_subscription(
        verified.uow, verified.app, verified.item.msisdn, verified.claimant.personal_id
    )
    assert own is not None
    # How the holder's claim stood is nobody else's business.
    assert own.link_history == ()


def test_the_register_is_told_that_the_holders_number_went_to_somebody_else(
    verified: Quarrel,
) -> None:
    verified.verify(verified.holder)
    verified.settled(CLAIMANT)
    lease = verified.uow.subscriber_updates.lease(
        lease_id=uuid4(), expires_at=verified.at + DAY, at=verified.at, limit=999
    )
    ends = {
        each.personal_id: each.standing.end for each in lease if each.msisdn == verified.item.msisdn
    }
    assert ends == {verified.holder.personal_id: SubscriptionEnd.TRANSFERRED}


def test_the_book_of_before_does_not_undo_the_decision(verified: Quarrel) -> None:
    verified.settled(CLAIMANT)
    assert verified.book(verified.holder) == ["NUMBER_IN_DISPUTE"]
    assert verified.book(verified.claimant) == []
    assert verified.now_in_service().claim == make_claim(verified.claimant)
    # A contract of the two is another matter.
    assert verified.event(EventKind.TRANSFER, verified.holder) == ""
    assert verified.book(verified.holder) == []


def test_an_appeal_keeps_the_number_with_the_holder_until_two_others_decide(
    verified: Quarrel,
) -> None:
    identity = verified.open().dispute.dispute_id
    verified.decide(identity, CLAIMANT)
    verified.appeal(identity, verified.holder)
    verified.at += POLICY.decide_within - timedelta(seconds=1)
    verified.run()
    assert find(verified.uow, verified.item) == verified.item
    assert refusal(lambda: verified.decide(identity, CLAIMANT, "b")) is DisputeNotReadyError
    view = verified.decide(identity, CLAIMANT, "c", "d")
    assert view.dispute.deciders == ("regulator:a", "regulator:b", "regulator:c", "regulator:d")
    # For good, and so at once.
    assert verified.now_in_service().claim == make_claim(verified.claimant)


def test_an_appeal_that_is_won_leaves_everything_as_it_was(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    verified.decide(identity, CLAIMANT)
    verified.appeal(identity, verified.holder)
    verified.decide(identity, HOLDER, "c", "d")
    verified.at += 99 * DAY
    assert close_due(verified.uow, verified.regulator()) == 0
    assert find(verified.uow, verified.item) == verified.item
    assert verified.uow.primaries.find(verified.holder.personal_id) is not None


def test_the_regulator_appeals_for_a_side_that_has_no_app(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    verified.decide(identity, HOLDER)
    person = verified.claimant.personal_id
    view = appeal_dispute(verified.uow, verified.regulator(), identity, person)
    assert view.dispute.appeals == (Party.CLAIMANT,)


def test_a_number_that_ends_in_the_dispute_is_given_to_nobody(verified: Quarrel) -> None:
    verified.event(EventKind.DEVICE_CHANGE)
    identity = verified.open().dispute.dispute_id
    verified.decide(identity, CLAIMANT)
    verified.appeal(identity, verified.holder)
    item = find(verified.uow, verified.item)
    verified.uow.subscriptions.save(item.ordered(ServiceState.TERMINATED, at=verified.at))
    verified.decide(identity, CLAIMANT, "c", "d")
    assert verified.uow.subscriptions.find_in_service(verified.item.msisdn) is None


def test_a_number_that_was_never_served_goes_over_unserved(uow: UnitOfWork) -> None:
    made = quarrel(uow, verified_at=None, service_state=ServiceState.INACTIVE)
    made.settled(CLAIMANT)
    heir = made.now_in_service()
    assert (heir.service_state, made.cases(heir), made.obey()) == (ServiceState.INACTIVE, [], [])


def test_a_claimant_who_has_died_meanwhile_gets_a_number_on_the_ladder(verified: Quarrel) -> None:
    identity = verified.open().dispute.dispute_id
    verified.decide(identity, CLAIMANT)
    died = replace(verified.claimant, deceased_on=date(2026, 5, 2))
    verified.uow.citizens.save_many([died], at=verified.at)
    verified.at += POLICY.appeal_within
    verified.run()
    assert verified.now_in_service().link.state is LinkState.DECEASED


def test_a_cure_in_the_dispute_ends_the_cases_and_not_the_dispute(unverified: Quarrel) -> None:
    identity = unverified.open().dispute.dispute_id
    proved = unverified.verify(unverified.holder)
    assert proved.verified_at == unverified.at
    assert unverified.cases() == []
    seen = get_dispute(unverified.uow, unverified.regulator(), identity, None)
    assert seen is not None
    assert seen.dispute.state is DisputeState.OPEN
    states = select(enforcement_case.c.state).where(
        enforcement_case.c.subscription_id == proved.subscription_id
    )
    assert set(unverified.uow.connection.execute(states).scalars()) == {CaseState.CURED.value}


# Runs.


def test_a_run_closes_disputes_slice_by_slice_and_steps_what_it_thawed(uow: UnitOfWork) -> None:
    quarrels = [quarrel(uow) for _ in range(3)]
    for each in quarrels:
        each.open()
    at = NOW + POLICY.decide_within
    clock = quarrels[0].regulator("clock")
    assert close_due(uow, replace(clock, at=at - timedelta(seconds=1))) == 0
    assert [close_due(uow, replace(clock, at=at), limit=2) for _ in range(3)] == [2, 1, 0]


def test_a_run_of_the_clock_closes_what_is_due(transactions: Transactions) -> None:
    made = transactions.run(quarrel)
    identity = transactions.run(lambda uow: replace(made, uow=uow).open().dispute.dispute_id)
    at = NOW + POLICY.decide_within
    call = make_call("clock", role=Role.REGULATOR, at=at)
    transactions.run(lambda uow: [close_due(uow, call), close_due(uow, call)])
    seen = transactions.run(lambda uow: get_dispute(uow, call, identity, None))
    assert seen is not None
    assert (seen.dispute.state, seen.dispute.closed_at) == (DisputeState.CLOSED, at)
