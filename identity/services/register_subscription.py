"""Register a new number: known, linked, inactive until its holder is verified."""

from identity.audit.log import AuditEntry, append
from identity.domain.errors import (
    NumberInServiceElsewhereError,
    NumberQuarantinedError,
    SubscriptionExistsError,
    TerminationPendingError,
)
from identity.domain.holder import HolderClaim
from identity.domain.link import Link, LinkState, compare_holder
from identity.domain.msisdn import MSISDN
from identity.domain.quarantine import quarantined_until
from identity.domain.settlement import Change
from identity.domain.subscription import ServiceState, Subscription
from identity.services.call import Call, score_names
from identity.services.citizen_locks import refuse_locked
from identity.services.lookup_watch import count_holders, refuse_stopped
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key


def register_subscription(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, claim: HolderClaim
) -> Subscription:
    """Register a number for the calling operator.

    Raises:
        SubscriptionExistsError: The operator has it in service already.
        NumberInServiceElsewhereError: Another operator has.
        TerminationPendingError: It was ordered terminated and is still served.
        NumberQuarantinedError: It was given up of late.
        ChoicesLockedError: The claimed holder has locked new numbers.
        LookupsStoppedError: The operator's look-ups were stopped.
    """
    refuse_stopped(uow, call)
    _refuse_taken(uow, call, msisdn)
    refuse_quarantined(uow, call, msisdn, claim)
    refuse_locked(uow, call, claim.personal_id)
    # Nothing is refused from here on: whoever was looked up is counted, and costs a number.
    item = new_subscription(uow, call, msisdn, claim)
    settled = settle_subscription(uow, call, item, Change(before=item.service_state)).subscription
    append(uow.connection, [_entry(uow, call, settled)])
    key = citizen_key(uow.sealer, claim.personal_id)
    is_unknown = item.link.state is LinkState.NOT_FOUND
    count_holders(uow, call, key, named_count=1, unknown_count=int(is_unknown))
    return settled


def _refuse_taken(uow: UnitOfWork, call: Call, msisdn: MSISDN) -> None:
    """Refuse a number that is not free, before anything of a person is looked at."""
    current = uow.subscriptions.find_in_service(msisdn)
    if current is not None and current.operator_id == call.caller.name:
        raise SubscriptionExistsError("the number is in your service already")
    if current is not None:
        raise NumberInServiceElsewhereError("another operator has this number in service")
    last = uow.subscriptions.find_many_ended([msisdn]).get(msisdn)
    if last is not None and last.is_termination_pending:
        raise TerminationPendingError("the number's termination is not acknowledged yet")


def refuse_quarantined(uow: UnitOfWork, call: Call, msisdn: MSISDN, claim: HolderClaim) -> None:
    """Keep a number that was given up of late from whoever must not have it yet.

    Raises:
        NumberQuarantinedError: With the instant from which it may be had.
    """
    until = quarantined_until(
        uow.subscriptions.find_many_served_last([msisdn]).get(msisdn),
        call.rules.numbers,
        operator_id=call.caller.name,
        personal_id=claim.personal_id,
        at=call.at,
    )
    if until is not None:
        instant = until.isoformat(timespec="seconds")
        raise NumberQuarantinedError(f"the number is in quarantine until {instant}")


def link_claim(uow: UnitOfWork, claim: HolderClaim) -> Link:
    """Compare a claim with the population record, which stays as it is until the end."""
    records = uow.citizens.find_many_shared([claim.personal_id])
    return compare_holder(claim, records.get(claim.personal_id), score_names=score_names)


def new_subscription(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, claim: HolderClaim
) -> Subscription:
    """An inactive subscription of the calling operator, linked, not yet saved."""
    link = link_claim(uow, claim)
    return Subscription(
        subscription_id=call.new_id(),
        msisdn=msisdn,
        operator_id=call.caller.name,
        claim=claim,
        link=link,
        service_state=ServiceState.INACTIVE,
        applied_state=ServiceState.INACTIVE,
        created_at=call.at,
        updated_at=call.at,
    )


def _entry(uow: UnitOfWork, call: Call, item: Subscription) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="register_subscription",
        outcome=item.link.state.value,
        citizen_key=citizen_key(uow.sealer, item.claim.personal_id),
        msisdn_key=msisdn_key(uow.sealer, item.msisdn),
    )
