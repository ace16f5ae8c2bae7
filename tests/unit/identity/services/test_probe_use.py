"""Each live photograph counts once, whoever brings it again, and on whatever server."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from identity.audit.log import audit_entry
from identity.domain.anomalies import AnomalyKind, HolderPolicy
from identity.domain.probe_replay import ProbeReplay
from identity.domain.subscription import Subscription
from identity.domain.verification import FaceEvidence, VerdictReason, VerdictState
from identity.services.complete_verification import Completed, claim_session, record_verdict
from identity.services.probe_use import with_replay
from identity.services.transactions import Transactions
from identity.services.verification_sessions import start_verification
from identity.storage.abuse_tables import probe_conflict, probe_mark
from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.probes import ProbeUse
from identity.storage.verifications import Claimant
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_chip,
    make_face,
    rules,
    store_citizen,
    store_number,
)

ONE, OTHER = b"\x01" * 16, b"\x02" * 16
CALL = make_call()
KEPT = rules().probes.kept


def use_of(
    citizen_key: bytes, *, verification_id: UUID | None = None, after: timedelta = timedelta()
) -> ProbeUse:
    session = verification_id or uuid4()
    return ProbeUse(citizen_key=citizen_key, verification_id=session, at=NOW + after)


def photograph() -> FaceEvidence:
    """A photograph that nobody has used, with a look of its own."""
    return replace(make_face(), probe_looks=(uuid4().bytes + uuid4().bytes,))


def copy_of(face: FaceEvidence, *flipped: int) -> FaceEvidence:
    """Another file that looks the same, but for some bits."""
    look = int.from_bytes(face.probe_looks[0], "big")
    for bit in flipped:
        look ^= 1 << bit
    return replace(make_face(), probe_looks=(look.to_bytes(32, "big"),))


def replay(uow: UnitOfWork, face: FaceEvidence, use: ProbeUse) -> ProbeReplay | None:
    return with_replay(uow, CALL, face, use).replay


def test_a_photograph_counts_once(uow: UnitOfWork) -> None:
    face, first = photograph(), use_of(ONE)
    assert replay(uow, face, first) is None
    # The same session, judged again after a crash, is no second use.
    assert replay(uow, face, first) is None
    assert replay(uow, face, use_of(ONE)) is ProbeReplay.SAME_PERSON
    assert replay(uow, face, use_of(OTHER)) is ProbeReplay.OTHER_PERSON
    assert replay(uow, photograph(), use_of(ONE)) is None


@pytest.mark.parametrize(
    ("flipped", "own", "others"),
    [
        # Bits 0 to 7 from the right are of eight parts, so each of these spoils a part of its own.
        ((), ProbeReplay.SAME_PERSON, ProbeReplay.OTHER_PERSON),
        ((0, 1), ProbeReplay.SAME_PERSON, ProbeReplay.OTHER_PERSON),
        ((0, 1, 2), ProbeReplay.SAME_PERSON, None),
        ((0, 1, 2, 3), ProbeReplay.SAME_PERSON, None),
        ((0, 1, 2, 3, 4), None, None),
    ],
)
def test_a_copy_is_known_by_its_look_and_more_surely_between_people(
    uow: UnitOfWork,
    flipped: tuple[int, ...],
    own: ProbeReplay | None,
    others: ProbeReplay | None,
) -> None:
    for key, expected in ((ONE, own), (OTHER, others)):
        face = photograph()
        assert replay(uow, face, use_of(ONE)) is None
        assert replay(uow, copy_of(face, *flipped), use_of(key)) is expected


def test_any_photograph_of_several_is_enough(uow: UnitOfWork) -> None:
    first, second = photograph(), photograph()
    replay(uow, first, use_of(ONE))
    both = replace(
        second,
        probe_digests=(*second.probe_digests, *first.probe_digests),
        probe_looks=(*second.probe_looks, *first.probe_looks),
    )
    assert replay(uow, both, use_of(ONE)) is ProbeReplay.SAME_PERSON


def test_a_photograph_that_was_not_compared_is_not_remembered(uow: UnitOfWork) -> None:
    face = photograph()
    blank = replace(face, dissimilarity=None, failure="NO_FACE")
    assert replay(uow, blank, use_of(ONE)) is None
    assert replay(uow, face, use_of(OTHER)) is None


def test_after_the_policys_time_nobody_knows_it_and_its_marks_are_gone(uow: UnitOfWork) -> None:
    face, mine = photograph(), uuid4().bytes
    replay(uow, face, use_of(mine))
    late = use_of(OTHER, after=KEPT + timedelta(seconds=1))
    assert replay(uow, photograph(), late) is None
    count = select(func.count()).select_from(probe_mark).where(probe_mark.c.citizen_key == mine)
    assert uow.connection.execute(count).scalar_one() == 0
    assert replay(uow, face, late) is None


def test_no_digest_and_no_look_is_stored_as_it_is(uow: UnitOfWork) -> None:
    face = photograph()
    replay(uow, face, use_of(ONE))
    marks = set(uow.connection.execute(select(probe_mark.c.mark)).scalars())
    parts = {bytes(face.probe_looks[0][at : at + 4]) for at in range(29)}
    assert len(marks) >= 9
    assert not marks & {*face.probe_digests, face.probe_digests[0][:16], *parts}


def verify(uow: UnitOfWork, number: Subscription, face: FaceEvidence) -> Completed:
    call = make_call(number.operator_id)
    session = start_verification(uow, call, number.msisdn, None)
    claimant = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)
    claim_session(uow, call, session.verification_id, claimant)
    return record_verdict(uow, call, session, make_chip(number.claim), face)


def test_a_replayed_photograph_verifies_nobody(uow: UnitOfWork) -> None:
    number, face = store_number(uow, store_citizen(uow)), photograph()
    assert verify(uow, number, face).verdict.state is VerdictState.VERIFIED
    again = verify(uow, number, face).verdict
    assert again.state is VerdictState.NOT_VERIFIED
    assert again.reasons == (VerdictReason.PROBE_REPLAYED,)


def test_one_photograph_of_two_people_is_refused_and_shown_to_whoever_looks(
    uow: UnitOfWork,
) -> None:
    one, other, third = (store_number(uow, store_citizen(uow)) for _ in range(3))
    face = photograph()
    verify(uow, one, face)
    verify(uow, third, photograph())
    found = verify(uow, other, face).verdict
    assert found.reasons == (VerdictReason.PROBE_OF_ANOTHER_PERSON,)
    flagged = set(uow.connection.execute(select(probe_conflict.c.citizen_key)).scalars())
    keys = [uow.primaries.key_of(each.claim.personal_id) for each in (one, other)]
    assert flagged == set(keys)
    noted = select(audit_entry.c.citizen_key).where(audit_entry.c.action == "flag_probe")
    assert set(uow.connection.execute(noted).scalars()) == set(keys)
    counts = uow.anomalies.count_above_bounds(HolderPolicy())
    for number, expected in ((one, 1), (other, 1), (third, 0)):
        kinds = counts[number.operator_id]
        assert kinds[AnomalyKind.PROBE_OF_TWO_PEOPLE] >= expected


@pytest.mark.parametrize("make", [lambda face: face, copy_of])
def test_of_two_uses_at_once_on_two_servers_one_comes_first(
    database: Database, database_url: str, make: Callable[[FaceEvidence], FaceEvidence]
) -> None:
    engine = connect(database_url)
    servers = [Transactions(database), Transactions(Database(engine, database.sealer))]
    for _ in range(5):
        face, start = photograph(), threading.Barrier(2)
        faces = (face, make(face))

        def present(place: int) -> ProbeReplay | None:
            start.wait()  # noqa: B023 - run to its end in this round
            return servers[place].run(lambda uow: replay(uow, faces[place], use_of(ONE)))  # noqa: B023

        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(present, range(2)))
        assert sorted(found, key=str) == [None, ProbeReplay.SAME_PERSON]
    engine.dispose()
