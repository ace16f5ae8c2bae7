"""Through whose number people can be reached: their own, or a guardian's where a child has none.

Owns the order, and that whoever cannot be reached takes one path: the same statements over as many
keys, whoever they are. What a number is good for, and who must not be contacted, is the caller's to
judge.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from identity.domain.arrangement import ArrangementPolicy
from identity.storage.database import UnitOfWork
from identity.storage.reachable import Reachable
from identity.storage.restrictions import Restriction


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The number that a person can be reached through.

    Attributes:
        number: It. A guardian's stands in, like a number behind the primary one.
        holder_key: Blind index of whose it is.
        wishes: What the guardian whose number it is does not want; nothing of one's own.
    """

    number: Reachable
    holder_key: bytes
    wishes: Restriction = field(default_factory=Restriction)


def reach(
    uow: UnitOfWork,
    keys: Iterable[bytes],
    policy: ArrangementPolicy,
    *,
    at: datetime,
    is_even: bool = False,
) -> Mapping[bytes, Reached]:
    """How some people can be reached, by their keys; others are left out.

    Args:
        uow: The transaction.
        keys: Blind indexes of people, a thousand or so at most.
        policy: Until when somebody has guardians.
        at: The instant.
        is_even: Look for guardians of those too who have a number: for callers who must not know
            who has one.
    """
    wanted = set(keys)
    own = uow.reachable.find(wanted, at=at)
    absent = wanted if is_even else wanted - own.keys()
    guardians = uow.arrangements.guardians_of(absent, policy, at=at)
    # Who has no guardian is looked up all the same, under a key that nobody has.
    asked = {key: guardians.get(key, nobodys_key(key)) for key in absent}
    wishes = uow.restrictions.find(asked.values())
    theirs = uow.reachable.find(asked.values(), at=at)
    lent = {
        key: Reached(
            number=replace(theirs[guardian], is_fallback=True),
            holder_key=guardian,
            wishes=wishes.get(guardian, Restriction()),
        )
        for key, guardian in asked.items()
        if guardian in theirs
    }
    return lent | {key: Reached(number=number, holder_key=key) for key, number in own.items()}


def nobodys_key(key: bytes) -> bytes:
    """A key as long as another, that nobody has."""
    return hashlib.sha256(key).digest()[: len(key)]
