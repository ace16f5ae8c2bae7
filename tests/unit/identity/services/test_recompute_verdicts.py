"""Every verdict is judged again, and each that is not as it should be is named."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update

from identity.domain.policy import PolicyPack, PolicyPackError
from identity.domain.verification import Evidence, Verdict, VerdictState, decide
from identity.policy_files import load_policy
from identity.security.vault import Vault
from identity.services.call import score_names
from identity.services.recompute_verdicts import (
    Finding,
    FindingKind,
    Recomputation,
    recompute,
)
from identity.storage.database import UnitOfWork
from identity.storage.tables import verification
from identity.storage.verifications import Claimant
from tests.unit.identity.makers import (
    NOW,
    alone,
    judge,
    make_evidence,
    make_face,
    make_session,
    rules,
    store_citizen,
    store_number,
)

CLAIMANT = Claimant(request_id=UUID(int=1), body_digest=b"\x01" * 32)
VERSION = rules().verification.version
OLD = "vn-of-before"
Load = Callable[[str], PolicyPack]


@pytest.fixture
def registry(quiet_engine: Engine, vault: Vault) -> Iterator[UnitOfWork]:
    """A registry in which nobody else verifies; what happens in it is undone."""
    with quiet_engine.connect() as connection:
        transaction = connection.begin()
        yield UnitOfWork(connection, vault)
        transaction.rollback()


def verified(
    uow: UnitOfWork, *, distance: float = 0.2, verdict: Callable[[Evidence], Verdict] = judge
) -> UUID:
    """A verification that is over."""
    record = store_citizen(uow)
    session = make_session(uow, store_number(uow, record))
    uow.verifications.claim(session, CLAIMANT, at=NOW)
    evidence = make_evidence(record, face=make_face(distance))
    uow.verifications.complete(session, evidence, verdict(evidence))
    return session.verification_id


def change(uow: UnitOfWork, verification_id: UUID, **values: Any) -> None:  # noqa: ANN401 - any column
    """What nobody but an administrator of the database can do."""
    uow.connection.execute(
        update(verification)
        .where(verification.c.verification_id == verification_id)
        .values(**values)
    )


def stored(uow: UnitOfWork, verification_id: UUID, name: str) -> Any:  # noqa: ANN401 - any column
    column = verification.c[name]
    query = select(column).where(verification.c.verification_id == verification_id)
    return uow.connection.execute(query).scalar_one()


def load(version: str) -> PolicyPack:
    """The pack in force, and one of before that allowed more."""
    pack = load_policy(VERSION)
    if version == VERSION:
        return pack
    if version != OLD:
        raise FileNotFoundError(version)
    assert pack.verification is not None
    lax = replace(pack.verification, version=OLD, face_dissimilarity_max=0.6)
    return replace(pack, version=OLD, digest=b"\x05" * 32, verification=lax)


def judge_by_old(evidence: Evidence) -> Verdict:
    policy = load(OLD).verification
    assert policy is not None
    return decide(evidence, policy, at=NOW, score_names=score_names)


def run(uow: UnitOfWork, load_pack: Load = load) -> tuple[Recomputation, list[Finding]]:
    findings: list[Finding] = []
    done: list[int] = []
    result = recompute(
        alone(uow),
        load_pack,
        at=NOW,
        tell=findings.append,
        progress=done.append,
        slice_verdicts=2,
    )
    assert done == sorted(done)
    assert done[-1:] in ([], [result.total_count])
    return result, findings


def test_nothing_is_found_in_an_empty_registry(registry: UnitOfWork) -> None:
    assert run(registry) == (Recomputation(), [])


def test_all_verdicts_of_all_slices_come_out_the_same(registry: UnitOfWork) -> None:
    for distance in (0.2, 0.5, 0.2, 0.39, 0.41):
        verified(registry, distance=distance)
    make_session(registry, store_number(registry, store_citizen(registry)))
    assert run(registry) == (Recomputation(verdict_count=5), [])


def test_a_verdict_is_judged_by_the_pack_that_it_was_reached_under(registry: UnitOfWork) -> None:
    verified(registry, distance=0.5, verdict=judge_by_old)
    verified(registry, distance=0.5)
    assert run(registry) == (Recomputation(verdict_count=2), [])


def test_a_changed_verdict_is_named_with_what_differs(registry: UnitOfWork) -> None:
    good, forged = verified(registry), verified(registry, distance=0.5)
    verdict = stored(registry, forged, "verdict")
    change(registry, forged, verdict=verdict | {"state": "verified", "reasons": []})
    result, (finding,) = run(registry)
    assert result == Recomputation(verdict_count=2, difference_count=1)
    assert good != finding.verification_id == forged
    assert (finding.kind, set(finding.differences)) == (
        FindingKind.DIFFERENT,
        {"state", "reasons"},
    )
    assert finding.differences["state"] == ("verified", "not_verified")
    assert finding.differences["reasons"] == ("none", "FACE_NON_MATCH")


@pytest.mark.parametrize("name", ["personal_id", "full_name", "birth_date", "face"])
def test_a_changed_field_is_named(registry: UnitOfWork, name: str) -> None:
    forged = verified(registry)
    verdict = stored(registry, forged, "verdict")
    changed = verdict[name] | {"result": "mismatch"}
    change(registry, forged, verdict=verdict | {name: changed})
    _, (finding,) = run(registry)
    assert set(finding.differences) == {name}


def test_a_verdict_moved_in_time_or_to_another_pack_is_named(registry: UnitOfWork) -> None:
    later, laxer = verified(registry), verified(registry, distance=0.5)
    change(registry, later, decided_at=NOW + timedelta(days=1))
    lax = stored(registry, laxer, "verdict") | {
        "policy_version": OLD,
        "state": "verified",
        "reasons": [],
    }
    change(registry, laxer, verdict=lax)
    result, findings = run(registry)
    assert result == Recomputation(verdict_count=2, difference_count=2)
    named = {each.verification_id: set(each.differences) for each in findings}
    assert named == {later: {"decided_at"}, laxer: {"policy_version", "state", "reasons"}}


def test_changed_evidence_does_not_open_and_is_named(registry: UnitOfWork) -> None:
    good, moved, broken = (verified(registry) for _ in range(3))
    change(registry, moved, evidence_sealed=stored(registry, good, "evidence_sealed"))
    sealed = stored(registry, broken, "evidence_sealed")
    change(registry, broken, evidence_sealed=sealed[:-1] + bytes([sealed[-1] ^ 1]))
    result, findings = run(registry)
    assert result == Recomputation(verdict_count=1, unreadable_count=2)
    assert {each.verification_id for each in findings} == {moved, broken}
    assert {each.kind for each in findings} == {FindingKind.UNREADABLE}


@pytest.mark.parametrize("verdict", [{}, {"state": "certainly"}, [], "verified"])
def test_what_is_no_verdict_is_named_and_the_others_are_judged(
    registry: UnitOfWork, verdict: object
) -> None:
    verified(registry)
    change(registry, spoilt := verified(registry), verdict=verdict)
    result, (finding,) = run(registry)
    assert result == Recomputation(verdict_count=1, unreadable_count=1)
    assert (finding.verification_id, finding.kind) == (spoilt, FindingKind.UNREADABLE)


def test_erased_evidence_is_counted_apart_and_no_fault(registry: UnitOfWork) -> None:
    change(registry, verified(registry), evidence_sealed=None, evidence_erased_at=NOW)
    result, findings = run(registry)
    assert (result, findings) == (Recomputation(erased_count=1), [])
    assert result.is_clean


def missing(version: str) -> PolicyPack:
    raise FileNotFoundError(version)


def broken(version: str) -> PolicyPack:
    raise PolicyPackError(version)


def silent(version: str) -> PolicyPack:
    return replace(load(version), verification=None)


@pytest.mark.parametrize("load_pack", [missing, broken, silent])
def test_a_verdict_whose_pack_is_not_at_hand_is_named(
    registry: UnitOfWork, load_pack: Load
) -> None:
    unjudged = verified(registry)
    result, (finding,) = run(registry, load_pack)
    assert result == Recomputation(unjudged_count=1)
    assert (finding.verification_id, finding.kind) == (unjudged, FindingKind.UNJUDGED)
    assert VERSION in finding.detail
    assert not result.is_clean


def test_a_pack_that_is_not_what_it_was_judges_nothing(registry: UnitOfWork) -> None:
    verified(registry)
    registry.policy_packs.keep(VERSION, b"\x07" * 32, at=NOW)
    result, (finding,) = run(registry)
    assert result == Recomputation(unjudged_count=1)
    assert "not what it was" in finding.detail


def test_evidence_from_before_it_was_sealed_with_its_verdicts_time_is_judged_by_the_row(
    registry: UnitOfWork,
) -> None:
    verification_id = verified(registry)
    before = registry.stored_verdicts.list_after(None, limit=10)
    (row,) = [each for each in before if each.verification_id == verification_id]
    assert row.judged is not None
    assert row.judged.policy_version == VERSION
    assert row.verdict is not None
    assert row.verdict.state is VerdictState.VERIFIED
