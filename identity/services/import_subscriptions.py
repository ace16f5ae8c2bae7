"""Import one batch of an operator's existing subscribers: link each, flag what is unverified.

Owns the use case. A row of the operator's that is known and says the same changes nothing; one
that names another holder or date replaces the claim; a number in another operator's service is
refused for its row alone. Whoever a number is given to is a look-up: they are counted, and refused
row by row to an operator whose look-ups were stopped.

Most rows of a book are numbers that nobody had, or known ones that say the same. These never become
objects of the domain: new ones are compared by keyed digest, and what follows is settled once for
all that are alike (`settle_alike`). The others go one by one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.errors import (
    LookupsStoppedError,
    NumberInDisputeError,
    NumberInServiceElsewhereError,
    NumberQuarantinedError,
    RegistrationRequiredError,
    TerminationPendingError,
)
from identity.domain.link import Link, LinkState, agreed_link, compare_holder, not_found_link
from identity.domain.msisdn import MSISDN
from identity.domain.quarantine import quarantined_until
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.services.call import Call, score_names
from identity.services.imports import BatchResult, RefusedRow, RowError
from identity.services.link_history import note_claim_changes
from identity.services.lookup_watch import count_holders, is_stopped
from identity.services.settle_alike import open_alike
from identity.services.settle_subscriptions import settle_subscriptions
from identity.services.snapshots import Named, note_named
from identity.storage.book import BookRow, IndexedRow, NewNumber, Standing, content, new_ids
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun

_NOT_FOUND = not_found_link()
_AGREED = {is_deceased: agreed_link(is_deceased=is_deceased) for is_deceased in (False, True)}


@dataclass(slots=True)
class _Sifted:
    """The rows of a batch by what they need."""

    fresh: list[IndexedRow] = field(default_factory=list)
    known: list[IndexedRow] = field(default_factory=list)
    unchanged: Counter[str] = field(default_factory=Counter)
    errors: list[RowError] = field(default_factory=list)
    places: dict[bytes, int] = field(default_factory=dict)
    refused: set[bytes] = field(default_factory=set)
    absent: list[bytes] = field(default_factory=list)
    unidentified_count: int = 0
    is_stopped: bool = False

    @property
    def named(self) -> Named:
        """What the batch names."""
        keys = self.places.keys() | self.refused
        return Named(keys=keys, unidentified_count=self.unidentified_count)


def import_subscriptions(
    uow: UnitOfWork,
    call: Call,
    rows: Sequence[IndexedRow | RefusedRow[bytes]],
    *,
    run: ImportRun | None = None,
    is_last: bool = False,
) -> BatchResult:
    """Store, link and settle a batch.

    Args:
        uow: The transaction.
        call: The circumstances; the caller is the operator.
        rows: Each row parsed and indexed, or refused, in the order of the batch.
        run: The import that the batch belongs to; needed for a snapshot's.
        is_last: It is the import's last batch.
    """
    # Citizens are held before subscriptions are locked, as everybody does.
    uow.citizens.hold_still(row.citizen_key for row in rows if isinstance(row, IndexedRow))
    sifted = _sift(uow, call, rows)
    fresh_links = _add_fresh(uow, call, sifted.fresh)
    known = _change_known(uow, call, sifted)
    links = Counter(sifted.unchanged)
    links.update(link.state.value for link in fresh_links)
    links.update(item.link.state.value for item in known.items)
    result = BatchResult(
        received_count=len(rows),
        created_count=len(fresh_links) + known.created_count,
        changed_count=known.changed_count,
        unchanged_count=known.unchanged_count + sifted.unchanged.total(),
        row_errors=tuple(sorted(sifted.errors, key=lambda error: error.row_index)),
        link_counts=dict(links),
        gone_count=_note_presence(uow, call, sifted, run, is_last=is_last),
        unidentified_count=sifted.unidentified_count,
    )
    append(uow.connection, [_entry(call, result)])
    _count(uow, call, [*fresh_links, *known.new_holder_links], sifted)
    return result


def _count(uow: UnitOfWork, call: Call, links: Sequence[Link], sifted: _Sifted) -> None:
    unknown_count = sum(link.state is LinkState.NOT_FOUND for link in links)
    key = next(iter(sifted.places), b"\0")
    count_holders(uow, call, key, named_count=len(links), unknown_count=unknown_count)


def _sift(uow: UnitOfWork, call: Call, rows: Sequence[IndexedRow | RefusedRow[bytes]]) -> _Sifted:
    sifted = _Sifted(is_stopped=is_stopped(uow, call))
    standing = uow.book.standing(_keys(rows))
    for index, row in enumerate(rows):
        if isinstance(row, RefusedRow):
            _put_aside(call, sifted, row, standing)
        elif row.msisdn_key in sifted.places:
            sifted.errors.append(_refused(index, "ROW_DUPLICATE"))
        elif sifted.is_stopped and row.msisdn_key not in standing:
            sifted.refused.add(row.msisdn_key)
            sifted.errors.append(_refused(index, LookupsStoppedError.reason))
        else:
            sifted.places[row.msisdn_key] = index
            _put(call, sifted, row, standing.get(row.msisdn_key))
    return sifted


def _keys(rows: Sequence[IndexedRow | RefusedRow[bytes]]) -> Iterator[bytes]:
    for row in rows:
        key = row.key if isinstance(row, RefusedRow) else row.msisdn_key
        if key is not None:
            yield key


def _put_aside(
    call: Call, sifted: _Sifted, row: RefusedRow[bytes], standing: Mapping[bytes, Standing]
) -> None:
    sifted.errors.append(row.error)
    if row.key is None:
        sifted.unidentified_count += 1
        return
    sifted.refused.add(row.key)
    stands = standing.get(row.key)
    if stands is not None and stands.is_absent and _is_own(call, stands):
        sifted.absent.append(row.key)


def _is_own(call: Call, stands: Standing) -> bool:
    return stands.is_in_service and stands.operator_id == call.caller.name


def _put(call: Call, sifted: _Sifted, row: IndexedRow, stands: Standing | None) -> None:
    if stands is None:
        sifted.fresh.append(row)
        return
    is_own = _is_own(call, stands)
    if is_own and stands.is_absent:
        sifted.absent.append(row.msisdn_key)
    if is_own and stands.row == content(row):
        sifted.unchanged[stands.link_state] += 1
    else:
        sifted.known.append(row)


def _refused(index: int, reason: str) -> RowError:
    field = "holder.personal_id" if reason == LookupsStoppedError.reason else "msisdn"
    return RowError(row_index=index, field=field, reason=reason)


def _add_fresh(uow: UnitOfWork, call: Call, rows: Sequence[IndexedRow]) -> list[Link]:
    """Write numbers that nobody had; returns their links."""
    links = _link(uow, rows)
    numbers = list(map(NewNumber, rows, new_ids(len(rows)), links))
    # In key order: two books that share numbers can then only wait for each other.
    numbers.sort(key=lambda number: number.indexed.msisdn_key)
    uow.book.add_new(numbers, operator_id=call.caller.name, at=call.at)
    alike: dict[tuple[LinkState, frozenset[str]], list[NewNumber]] = defaultdict(list)
    for number in numbers:
        exempt = call.rules.exempt_from(number.indexed.row.activated_on)
        alike[number.link.state, exempt].append(number)
    for same in alike.values():
        open_alike(uow, call, _fresh(call, same[0]), same)
    return links


def _link(uow: UnitOfWork, rows: Sequence[IndexedRow]) -> list[Link]:
    holders = uow.citizens.holders(row.citizen_key for row in rows)
    differing = {
        row.row.claim.personal_id
        for row in rows
        if row.citizen_key in holders
        and holders[row.citizen_key].holder_digest != row.holder_digest
    }
    records = uow.citizens.find_many(differing) if differing else {}
    links: list[Link] = []
    for row in rows:
        holder, claim = holders.get(row.citizen_key), row.row.claim
        if holder is None:
            links.append(_NOT_FOUND)
        elif holder.holder_digest == row.holder_digest:
            links.append(_AGREED[holder.is_deceased])
        else:
            record = records[claim.personal_id]
            links.append(compare_holder(claim, record, score_names=score_names))
    return links


def _fresh(call: Call, number: NewNumber) -> Subscription:
    row = number.indexed.row
    return Subscription(
        subscription_id=number.identity,
        msisdn=row.msisdn,
        operator_id=call.caller.name,
        claim=row.claim,
        link=number.link,
        service_state=ServiceState.ACTIVE,
        applied_state=ServiceState.ACTIVE,
        activated_on=row.activated_on,
        point_of_sale=row.point_of_sale,
        province_code=row.province_code,
        created_at=call.at,
        updated_at=call.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What became of the rows whose numbers were known."""

    items: Sequence[Subscription] = ()
    new_holder_links: Sequence[Link] = ()
    created_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0


def _change_known(uow: UnitOfWork, call: Call, sifted: _Sifted) -> _Known:
    """Numbers that are known and not as the book says: each is looked at as a whole."""
    if not sifted.known:
        return _Known()
    accepted = _accept(uow, call, sifted)
    links = dict(zip((row for row, _ in accepted), _link(uow, [row for row, _ in accepted])))  # noqa: B905 - of equal length
    before = {row.row.msisdn: current for row, current in accepted if current is not None}
    items = [
        _fresh(call, NewNumber(row, call.new_id().bytes, links[row]))
        if current is None
        else _changed(call, row.row, links[row], current)
        for row, current in accepted
    ]
    changed = [item for item in items if item != before.get(item.msisdn)]
    settle_subscriptions(
        uow, call, changed, {item.subscription_id: _change(item, before) for item in changed}
    )
    note_claim_changes(
        uow, call, ((before[item.msisdn], item) for item in changed if item.msisdn in before)
    )
    created_count = len(items) - len(before)
    return _Known(
        items=items,
        new_holder_links=[links[row] for row, current in accepted if _is_new(row, current)],
        created_count=created_count,
        changed_count=len(changed) - created_count,
        unchanged_count=len(items) - len(changed),
    )


def _accept(
    uow: UnitOfWork, call: Call, sifted: _Sifted
) -> list[tuple[IndexedRow, Subscription | None]]:
    """Rows that may be stored, with what is known of their numbers; the others are refused."""
    numbers = [row.row.msisdn for row in sifted.known]
    in_service = dict(uow.subscriptions.find_many_in_service(numbers))
    in_service |= uow.subscriptions.find_many_in_service(
        numbers, lock=True, operator_id=call.caller.name
    )
    ended = uow.subscriptions.find_many_ended(numbers)
    served = uow.subscriptions.find_many_served_last(numbers)
    disputes = _Disputes(
        disputed=uow.disputes.disputed(in_service.values()),
        lost=uow.disputes.lost(in_service.values()),
    )
    accepted: list[tuple[IndexedRow, Subscription | None]] = []
    for row in sifted.known:
        current = in_service.get(row.row.msisdn)
        reason = _refusal(call, current, ended.get(row.row.msisdn))
        if not reason or reason == RegistrationRequiredError.reason:
            reason = _quarantine(call, row.row, current, served.get(row.row.msisdn)) or reason
        if not reason and current is not None:
            reason = disputes.refusal(row, current)
        if not reason and sifted.is_stopped and _is_new(row, current):
            reason = LookupsStoppedError.reason
        if reason:
            sifted.errors.append(_refused(sifted.places[row.msisdn_key], reason))
        else:
            accepted.append((row, current))
    return accepted


def _is_new(row: IndexedRow, current: Subscription | None) -> bool:
    """Whether a row names a holder whom the number did not have."""
    return current is None or current.claim.personal_id != row.row.claim.personal_id


def _refusal(call: Call, current: Subscription | None, last: Subscription | None) -> str:
    if current is not None:
        is_own = current.operator_id == call.caller.name
        return "" if is_own else NumberInServiceElsewhereError.reason
    if last is None:
        return ""
    if last.is_termination_pending:
        return TerminationPendingError.reason
    # Otherwise letting a number go and taking it back would shake off its enforcement clock.
    is_own = last.operator_id == call.caller.name
    return RegistrationRequiredError.reason if is_own else ""


def _quarantine(
    call: Call, row: BookRow, current: Subscription | None, past: Subscription | None
) -> str:
    if current is not None:
        return ""
    until = quarantined_until(
        past,
        call.rules.numbers,
        operator_id=call.caller.name,
        personal_id=row.claim.personal_id,
        at=call.at,
    )
    return "" if until is None else NumberQuarantinedError.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Disputes:
    """What was disputed of the numbers of a batch: a book settles none, and reopens none."""

    disputed: frozenset[UUID]
    lost: frozenset[tuple[bytes, bytes]]

    def refusal(self, row: IndexedRow, current: Subscription) -> str:
        if not _is_new(row, current):
            return ""
        is_open = current.subscription_id in self.disputed
        is_lost = (row.msisdn_key, row.citizen_key) in self.lost
        return NumberInDisputeError.reason if is_open or is_lost else ""


def _changed(call: Call, row: BookRow, link: Link, current: Subscription) -> Subscription:
    if current.claim.personal_id != row.claim.personal_id:
        current = current.transferred_to(row.claim, link, at=call.at)
    updated = replace(
        current,
        claim=row.claim,
        link=link,
        activated_on=row.activated_on,
        point_of_sale=row.point_of_sale,
        province_code=row.province_code,
    )
    return updated if updated == current else replace(updated, updated_at=call.at)


def _change(item: Subscription, before: Mapping[MSISDN, Subscription]) -> Change:
    known = before.get(item.msisdn)
    is_claim_changed = known is not None and known.claim != item.claim
    return Change(before=item.service_state, is_claim_changed=is_claim_changed)


def _note_presence(
    uow: UnitOfWork, call: Call, sifted: _Sifted, run: ImportRun | None, *, is_last: bool
) -> int:
    """Which numbers the book names; at the end of a whole one, how many it did not."""
    if sifted.absent:
        uow.book.mark_present(sifted.absent)
    ended = note_named(uow, run, sifted.named, is_last=is_last)
    if ended is None:
        return 0
    return uow.book.mark_absent(
        call.caller.name, import_id=ended.import_id, began_at=ended.began_at, at=call.at
    )


def _entry(call: Call, result: BatchResult) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="import_subscriptions",
        outcome="stored",
        details={
            "received": result.received_count,
            "rejected": len(result.row_errors),
            **result.link_counts,
        },
    )
