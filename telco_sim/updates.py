"""How the population authority takes in what it is told of numbers.

Owns the register's own page on each person's numbers, and the habits of an office: most days it
works off what there is, on some it leases updates and goes home, and it says some things twice. It
refuses to know what happened to a number: it knows what it was told.
"""

from collections.abc import Sequence
from datetime import timedelta

from subid.v1.population_service_pb2 import (
    SUBSCRIBER_UPDATE_RESULT_ACCEPTED,
    SUBSCRIBER_UPDATE_RESULT_ALREADY_ACKNOWLEDGED,
    SUBSCRIBER_UPDATE_RESULT_LEASE_LOST,
    SUBSCRIBER_UPDATE_RESULT_SUPERSEDED,
    PullSubscriberUpdatesResponse,
    SubscriberUpdate,
    SubscriberUpdateResult,
)
from telco_sim.authorities import PopulationAuthority
from telco_sim.journal import Invariant, Journal

_PULL_COUNT_MAX = 7
"""So few that even a small country's updates come in several leases."""

_LEASE = timedelta(minutes=5)
_SHORT_LEASE = timedelta(minutes=1)
_ROUNDS_MAX = 500
"""More rounds at one time mean that acknowledged updates come back for ever."""

_FORGETS_EVERY_DAYS = 4
"""From the first: then on days on which holders verify (`chapters.passing_days`)."""

_SAYS_TWICE_EVERY = 3


class UpdateDesk:
    """The desk at the population authority where updates arrive."""

    def __init__(self, authority: PopulationAuthority, *, journal: Journal) -> None:
        """Open the desk."""
        self._authority = authority
        self._journal = journal
        self._entered: dict[tuple[str, str], SubscriberUpdate] = {}
        self._last_sequence: dict[str, int] = {}
        self._lapsing: PullSubscriberUpdatesResponse | None = None
        self._days_worked = 0
        self._rounds = 0

    @property
    def entered(self) -> tuple[SubscriberUpdate, ...]:
        """The register as it stands: the newest word on each person and subscription."""
        return tuple(self._entered.values())

    def work_for_a_day(self) -> None:
        """Do what an office does; time must have moved a day since the last time."""
        self._days_worked += 1
        if self._lapsing is not None:
            self._return_late()
        elif self._days_worked % _FORGETS_EVERY_DAYS == 1:
            pulled = self._authority.pull_updates(_PULL_COUNT_MAX, lease=_SHORT_LEASE)
            self._lapsing = pulled if pulled.updates else None
        else:
            self.work_off()

    def work_off(self) -> set[tuple[str, str]]:
        """Pull and enter until nothing is left; return whose standings were pulled."""
        seen: set[tuple[str, str]] = set()
        for _ in range(_ROUNDS_MAX):
            pulled = self._authority.pull_updates(_PULL_COUNT_MAX, lease=_LEASE)
            if not pulled.updates:
                return seen
            seen.update(_key(each) for each in pulled.updates)
            self._enter(pulled.updates)
            self._acknowledge(pulled)
        self._journal.check(
            Invariant.UPDATES_IN_SEQUENCE,
            holds=False,
            detail=f"updates still come after {_ROUNDS_MAX} rounds",
        )
        return seen

    def _enter(self, updates: Sequence[SubscriberUpdate]) -> None:
        for update in updates:
            before = self._entered.get(_key(update))
            if before is not None and update.sequence == before.sequence:
                self._journal.check(
                    Invariant.UPDATES_IN_SEQUENCE,
                    holds=update == before,
                    detail="an update that came back says something else than before",
                )
                continue
            self._check_sequence(update)
            self._entered[_key(update)] = update
            self._last_sequence[update.personal_id] = update.sequence
            self._check_one_primary(update.personal_id)
            self._journal.count("updates entered in the register")

    def _acknowledge(self, pulled: PullSubscriberUpdatesResponse) -> None:
        self._expect(pulled, SUBSCRIBER_UPDATE_RESULT_ACCEPTED)
        self._rounds += 1
        if self._rounds % _SAYS_TWICE_EVERY == 0:
            self._expect(pulled, SUBSCRIBER_UPDATE_RESULT_ALREADY_ACKNOWLEDGED)

    def _return_late(self) -> None:
        """Come back a day later: what the lease held is to be had again, or something newer."""
        lapsed, self._lapsing = self._lapsing, None
        assert lapsed is not None
        self._expect(
            lapsed, SUBSCRIBER_UPDATE_RESULT_LEASE_LOST, SUBSCRIBER_UPDATE_RESULT_SUPERSEDED
        )
        missing = {_key(each) for each in lapsed.updates} - self.work_off()
        self._journal.count("updates of lapsed leases", len(lapsed.updates))
        self._journal.check(
            Invariant.UPDATES_IN_SEQUENCE,
            holds=not missing,
            detail=f"{len(missing)} of {len(lapsed.updates)} lapsed updates did not come back",
        )

    def _expect(
        self, pulled: PullSubscriberUpdatesResponse, *allowed: SubscriberUpdateResult
    ) -> None:
        results = self._authority.acknowledge_updates(pulled.lease_id, pulled.updates)
        strange = [SubscriberUpdateResult.Name(each) for each in results if each not in allowed]
        self._journal.check(
            Invariant.UPDATES_IN_SEQUENCE,
            holds=not strange and len(results) == len(pulled.updates),
            detail=f"acknowledgements answered with {strange}",
        )

    def _check_sequence(self, update: SubscriberUpdate) -> None:
        last = self._last_sequence.get(update.personal_id, 0)
        self._journal.check(
            Invariant.UPDATES_IN_SEQUENCE,
            holds=update.sequence > last,
            detail=f"update {update.sequence} came after update {last} of the same person",
        )

    def _check_one_primary(self, personal_id: str) -> None:
        primaries = [
            each
            for (person, _), each in self._entered.items()
            if person == personal_id and each.HasField("primary_time")
        ]
        self._journal.check(
            Invariant.ONE_PRIMARY,
            holds=len(primaries) <= 1,
            detail="the register was told of two primary numbers of one person",
        )


def _key(update: SubscriberUpdate) -> tuple[str, str]:
    return update.personal_id, update.subscription_id
