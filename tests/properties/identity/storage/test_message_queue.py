"""Whatever is written, pulled, reported and left to pass: the next ones are those of a plain list.

The list knows one rule: what is open, not out and not past its end goes, the most urgent first,
then the oldest. What was reported delivered is never handed out again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.domain.message import MessageFailure, ReceiptOutcome, Urgency
from identity.security.vault import Vault
from identity.services.messages import RECEIPT_GRACE_S
from identity.storage.database import UnitOfWork
from identity.storage.messages import Address, NewMessage
from identity.storage.subscriptions import msisdn_key
from tests.unit.identity.makers import NOW, make_operator, make_subscription
from tests.unit.identity.notification_makers import LEASE, Desk

LIVES = 3 * LEASE
GRACE = timedelta(seconds=RECEIPT_GRACE_S)


@dataclass
class Note:
    """A message that is open."""

    message_id: UUID
    urgency: Urgency
    end: datetime
    lease_id: UUID | None = None
    back_at: datetime | None = None
    was_out: bool = False


@dataclass
class World:
    """An operator, a citizen's number, and what is open, in its order."""

    uow: UnitOfWork
    desk: Desk
    address: Address
    key: bytes
    open: list[Note] = field(default_factory=list)
    delivered: set[UUID] = field(default_factory=set)

    @property
    def at(self) -> datetime:
        """The time."""
        return self.desk.at

    def next(self) -> list[Note]:
        """What may go now, in its order."""
        free = [
            note
            for note in self.open
            if note.end > self.at and (note.back_at is None or note.back_at <= self.at)
        ]
        return sorted(free, key=lambda note: note.urgency.priority)


Deed = Callable[[World, int], None]


def _write(world: World, place: int) -> None:
    note = Note(uuid4(), list(Urgency)[place % 4], world.at + LIVES)
    world.uow.messages.add_many(
        [
            NewMessage(
                citizen_key=world.key,
                message_id=note.message_id,
                urgency=note.urgency,
                template="lock_changed",
                text={"vi": "x"},
                created_at=world.at,
                expires_at=note.end,
                destination=world.address,
            )
        ]
    )
    world.open.append(note)


def _pull(world: World, place: int) -> None:
    expected = world.next()[: place + 1]
    assert world.desk.pull(limit=place + 1) == [note.message_id for note in expected]
    assert world.desk.lease is not None
    for note in expected:
        note.lease_id, note.back_at = world.desk.lease.lease_id, world.desk.lease.expires_at
        note.was_out = True


def _held(world: World) -> list[Note]:
    lease = world.desk.lease
    return [
        note
        for note in world.open
        if lease is not None
        and note.lease_id == lease.lease_id
        and note.back_at is not None
        and note.back_at > world.at
    ]


def _deliver(world: World, place: int) -> None:
    """Report one delivered that was ever out, whoever has it now."""
    if world.desk.lease is None:
        return
    out = [note for note in world.open if note.was_out][place : place + 1]
    ids = [note.message_id for note in out]
    results = world.desk.say(ReceiptOutcome.DELIVERED, *ids)
    assert [result.value for result in results] == ["accepted"] * len(ids)
    world.delivered |= set(ids)
    world.open = [note for note in world.open if note not in out]


def _fail(world: World, place: int) -> None:
    if world.desk.lease is None:
        return
    held = _held(world)[place : place + 1]
    others = [note for note in world.open if note.was_out and note not in _held(world)][:1]
    for note in held + others:
        (result,) = world.desk.say(
            ReceiptOutcome.FAILED, note.message_id, failure=MessageFailure.ABSENT
        )
        assert (result.value == "accepted") == (note in held)
    world.open = [note for note in world.open if note not in held]


def _submit(world: World, place: int) -> None:
    for note in _held(world)[place : place + 1]:
        world.desk.say(ReceiptOutcome.SUBMITTED, note.message_id)
        note.back_at = note.end + GRACE


def _wait(world: World, place: int) -> None:
    world.desk.wait(LEASE * (place % 2) or timedelta(minutes=1))


def _expire(world: World, _place: int) -> None:
    over = [
        note
        for note in world.open
        if note.end <= world.at and (note.back_at is None or note.back_at <= world.at)
    ]
    mine = {note.message_id for note in over}
    world.uow.messages.queue.expire(at=world.at, limit=10_000)
    world.open = [note for note in world.open if note.message_id not in mine]


DEEDS: Sequence[Deed] = (
    *(_write, _write, _write, _pull, _pull, _deliver, _fail, _submit, _wait, _wait, _expire),
)


@settings(max_examples=20, deadline=None)
@given(history=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 3)), max_size=30))
def test_the_next_are_those_of_a_plain_list(
    engine: Engine, vault: Vault, history: list[tuple[Deed, int]]
) -> None:
    with engine.connect() as connection:
        uow = UnitOfWork(connection, vault)
        item = make_subscription(operator_id=make_operator())
        uow.subscriptions.save_many([item])
        address = Address(
            msisdn_key=msisdn_key(vault, item.msisdn),
            subscription_id=item.subscription_id,
            operator_id=item.operator_id,
        )
        key = uow.primaries.key_of(item.claim.personal_id)
        world = World(uow, Desk(uow, item.operator_id, at=NOW), address, key)
        for deed, place in history:
            deed(world, place)
        left = [note.message_id for note in world.next()]
        assert world.desk.pull(limit=1_000) == left
        assert not world.delivered & set(left)
        connection.rollback()
