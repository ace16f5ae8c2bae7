"""Disputes: who may do what until when, and what makes a decision."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from identity.domain.dispute import (
    EVIDENCE_PER_PARTY_MAX,
    Dispute,
    DisputeDecision,
    DisputeState,
    Evidence,
    EvidenceKind,
    Party,
    new_dispute,
)
from identity.domain.errors import DisputeEvidenceFullError, DisputeNotReadyError
from identity.domain.policy import DisputePolicy

NOW = datetime(2028, 2, 14, 9, 30, tzinfo=UTC)
TICK = timedelta(microseconds=1)
POLICY = DisputePolicy(decide_within=timedelta(days=15), appeal_within=timedelta(days=10))
PIECE = Evidence(
    kind=EvidenceKind.BILLS,
    document_digest=b"\x05" * 32,
    place="Hoan Kiem shop, file 2028/118",
    is_for_claimant=True,
)
CLAIMANT, HOLDER, NOBODY = (
    DisputeDecision.CLAIMANT,
    DisputeDecision.HOLDER,
    DisputeDecision.NOBODY,
)


def opened() -> Dispute:
    return new_dispute(UUID(int=1), POLICY, opener="operator:north", identity=UUID(int=2), at=NOW)


def said(
    dispute: Dispute, caller: str, decision: DisputeDecision = CLAIMANT, *, at: datetime = NOW
) -> Dispute:
    return dispute.with_word(caller, decision, POLICY, at=at)


def decided(*, at: datetime = NOW) -> Dispute:
    return said(said(opened(), "a", at=at), "b", at=at)


def appealed(*, at: datetime = NOW) -> Dispute:
    return decided().appealed_by(Party.HOLDER, POLICY, at=at)


def closed() -> Dispute:
    return opened().closed(at=opened().deadline)


def added(dispute: Dispute, count: int, party: Party, *, at: datetime = NOW) -> Dispute:
    return dispute.with_evidence([PIECE] * count, party=party, caller="c", at=at)


def test_a_new_dispute_is_undecided_and_has_a_deadline() -> None:
    dispute = opened()
    assert (dispute.state, dispute.decision, dispute.deciders) == (DisputeState.OPEN, None, ())
    assert dispute.deadline == NOW + POLICY.decide_within


def test_one_person_decides_nothing() -> None:
    dispute = said(opened(), "a")
    assert (dispute.state, dispute.decision, dispute.deciders) == (DisputeState.OPEN, None, ())
    assert [word.caller for word in dispute.proposals] == ["a"]


def test_the_same_person_twice_is_one_person() -> None:
    with pytest.raises(DisputeNotReadyError, match="somebody else"):
        said(said(opened(), "a"), "a")


def test_two_who_disagree_decide_nothing_and_a_third_decides_with_one_of_them() -> None:
    dispute = said(said(opened(), "a", CLAIMANT), "b", HOLDER)
    assert dispute.decision is None
    dispute = said(dispute, "c", HOLDER)
    assert (dispute.decision, dispute.deciders) == (HOLDER, ("b", "c"))


def test_whoever_changes_their_mind_counts_once() -> None:
    dispute = said(said(said(opened(), "a", CLAIMANT), "a", HOLDER), "b", CLAIMANT)
    assert dispute.decision is None
    assert [(w.caller, w.decision) for w in dispute.proposals] == [("a", HOLDER), ("b", CLAIMANT)]
    assert said(dispute, "b", HOLDER).decision is HOLDER


def test_a_decision_waits_for_appeals_and_stands_when_their_time_is_over() -> None:
    at = NOW + timedelta(days=3)
    dispute = decided(at=at)
    assert (dispute.state, dispute.decision) == (DisputeState.DECIDED, CLAIMANT)
    assert dispute.deadline == at + POLICY.appeal_within
    assert dispute.proposals == ()
    assert not dispute.is_due(dispute.deadline - TICK)
    over = dispute.closed(at=dispute.deadline)
    assert (over.state, over.decision) == (DisputeState.CLOSED, CLAIMANT)
    assert over.closed_at == dispute.deadline


@pytest.mark.parametrize("side", [Party.HOLDER, Party.CLAIMANT])
def test_either_side_may_appeal_until_the_decision_stands(side: Party) -> None:
    last = decided().deadline - TICK
    dispute = decided().appealed_by(side, POLICY, at=last)
    assert (dispute.state, dispute.appeals) == (DisputeState.APPEALED, (side,))
    assert dispute.deadline == last + POLICY.decide_within
    assert (dispute.decision, dispute.proposals) == (CLAIMANT, ())
    with pytest.raises(DisputeNotReadyError, match="passed"):
        decided().appealed_by(side, POLICY, at=decided().deadline)


def test_a_side_appeals_once_and_the_other_once() -> None:
    dispute = appealed()
    with pytest.raises(DisputeNotReadyError, match="already"):
        dispute.appealed_by(Party.HOLDER, POLICY, at=NOW)
    both = dispute.appealed_by(Party.CLAIMANT, POLICY, at=NOW + POLICY.appeal_within - TICK)
    assert both.appeals == (Party.HOLDER, Party.CLAIMANT)
    assert (both.state, both.deadline) == (dispute.state, dispute.deadline)
    with pytest.raises(DisputeNotReadyError, match="passed"):
        dispute.appealed_by(Party.CLAIMANT, POLICY, at=NOW + POLICY.appeal_within)


def test_two_others_decide_an_appeal_for_good() -> None:
    dispute = appealed()
    for caller in ("a", "b"):
        with pytest.raises(DisputeNotReadyError, match="no say before"):
            said(dispute, caller, HOLDER)
    dispute = said(dispute, "c", HOLDER)
    assert (dispute.state, dispute.decision) == (DisputeState.APPEALED, CLAIMANT)
    dispute = said(dispute, "d", HOLDER, at=NOW + timedelta(days=2))
    assert (dispute.state, dispute.decision) == (DisputeState.CLOSED, HOLDER)
    assert dispute.closed_at == NOW + timedelta(days=2)
    assert dispute.deciders == ("a", "b", "c", "d")
    with pytest.raises(DisputeNotReadyError, match="closed"):
        dispute.appealed_by(Party.CLAIMANT, POLICY, at=NOW)


def test_whoever_disagreed_with_the_first_decision_has_no_say_in_the_appeal() -> None:
    dispute = said(said(said(opened(), "x", NOBODY), "a"), "b")
    dispute = dispute.appealed_by(Party.HOLDER, POLICY, at=NOW)
    with pytest.raises(DisputeNotReadyError, match="no say before"):
        said(dispute, "x", NOBODY)


def test_an_appeal_that_nobody_decides_leaves_the_first_decision() -> None:
    dispute = said(appealed(), "c", HOLDER)
    over = dispute.closed(at=dispute.deadline)
    assert (over.state, over.decision) == (DisputeState.CLOSED, CLAIMANT)
    assert over.deciders == ("a", "b")


def test_a_dispute_that_nobody_decides_ends_without_a_decision() -> None:
    dispute = said(opened(), "a")
    over = dispute.closed(at=dispute.deadline)
    assert (over.state, over.decision, over.deciders) == (DisputeState.CLOSED, None, ())


@pytest.mark.parametrize("make", [opened, decided, appealed])
def test_a_dispute_is_closed_when_its_time_is_over_and_once(make: Callable[[], Dispute]) -> None:
    dispute = make()
    with pytest.raises(ValueError, match="run out"):
        dispute.closed(at=dispute.deadline - TICK)
    over = dispute.closed(at=dispute.deadline)
    with pytest.raises(ValueError, match="once"):
        over.closed(at=dispute.deadline)


@pytest.mark.parametrize("make", [opened, appealed])
def test_nothing_is_decided_after_the_deadline_whether_or_not_a_run_has_come(
    make: Callable[[], Dispute],
) -> None:
    dispute = make()
    said(dispute, "x", at=dispute.deadline - TICK)
    with pytest.raises(DisputeNotReadyError, match="passed"):
        said(dispute, "x", at=dispute.deadline)


@pytest.mark.parametrize("make", [decided, closed])
def test_what_is_decided_is_not_decided_again(make: Callable[[], Dispute]) -> None:
    with pytest.raises(DisputeNotReadyError):
        said(make(), "x")


@pytest.mark.parametrize("make", [opened, closed])
def test_without_a_decision_there_is_nothing_to_appeal_against(make: Callable[[], Dispute]) -> None:
    with pytest.raises(DisputeNotReadyError):
        make().appealed_by(Party.HOLDER, POLICY, at=NOW)


@pytest.mark.parametrize("make", [decided, appealed, closed])
def test_evidence_after_the_decision_is_refused(make: Callable[[], Dispute]) -> None:
    with pytest.raises(DisputeNotReadyError):
        added(make(), 1, Party.CLAIMANT)


def test_evidence_is_taken_until_the_deadline() -> None:
    dispute = opened()
    last = added(dispute, 1, Party.CLAIMANT, at=dispute.deadline - TICK)
    assert [each.evidence for each in last.evidence] == [PIECE]
    with pytest.raises(DisputeNotReadyError, match="passed"):
        added(dispute, 1, Party.CLAIMANT, at=dispute.deadline)


def test_a_dispute_holds_a_hundred_pieces_and_no_party_keeps_another_from_being_heard() -> None:
    dispute = opened()
    for party in Party:
        dispute = added(dispute, EVIDENCE_PER_PARTY_MAX - 1, party)
        with pytest.raises(DisputeEvidenceFullError):
            added(dispute, 2, party)
        dispute = added(dispute, 1, party)
        with pytest.raises(DisputeEvidenceFullError):
            added(dispute, 1, party)
    assert len(dispute.evidence) == 100
    assert [each.party for each in dispute.evidence[::EVIDENCE_PER_PARTY_MAX]] == list(Party)
