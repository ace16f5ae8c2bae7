"""Tell operators what the registry can say of their own numbers and the holders of these.

Owns which number an operator may ask about, the record that each question leaves, and that guessing
at one number ends. What can be said is the domain's; how often anybody may ask at all is the
edge's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from identity.audit.log import AuditEntry, append
from identity.domain.calendar_date import day_of
from identity.domain.errors import RateLimitedError
from identity.domain.holder import PopulationRecord
from identity.domain.kyc import (
    IdentityClaim,
    beginning_of,
    compare_identity,
    is_changed_since,
    is_held_since,
    is_recycled,
    latest_change,
)
from identity.domain.link import FieldOutcome, FieldResult, LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.subscription import Subscription
from identity.services.call import Call, score_names
from identity.services.lookup_watch import count_lookup, refuse_stopped
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.kyc_history import present_stint
from identity.storage.subscriptions import msisdn_key


class Part(StrEnum):
    """What may change under a number."""

    SIM = "sim"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a number.

    Attributes:
        uow: The transaction that answers it.
        call: The circumstances; the caller is the operator.
        msisdn: The number.
    """

    uow: UnitOfWork
    call: Call
    msisdn: MSISDN

    def served(self) -> Subscription | None:
        """The number's subscription, if the caller serves it now; the look-up is counted.

        Raises:
            LookupsStoppedError: The caller's look-ups were stopped.
        """
        refuse_stopped(self.uow, self.call)
        item = self.uow.subscriptions.find_in_service(
            self.msisdn, operator_id=self.call.caller.name
        )
        key = msisdn_key(self.uow.sealer, self.msisdn)
        count_lookup(self.uow, self.call, key, is_unknown=item is None)
        return item

    def note(
        self, item: Subscription | None, action: str, outcome: str, *, fields: str | None = None
    ) -> None:
        """Put it on record, with the holder where it is the caller's number."""
        sealer = self.uow.sealer
        entry = AuditEntry(
            occurred_at=self.call.at,
            caller=str(self.call.caller),
            action=action,
            outcome=outcome,
            citizen_key=None if item is None else citizen_key(sealer, item.claim.personal_id),
            msisdn_key=msisdn_key(sealer, self.msisdn),
            fields=fields,
        )
        append(self.uow.connection, [entry])


@dataclass(frozen=True, slots=True)
class Said:
    """What can be said: a yes, a no, an instant; None where nothing can be."""

    value: bool | datetime | None


_CHANGED_AT: Mapping[Part, Callable[[Subscription], datetime | None]] = {
    Part.SIM: lambda item: item.sim_swapped_at,
    Part.DEVICE: lambda item: item.device_changed_at,
}


def match_identity(question: Question, claim: IdentityClaim) -> Mapping[str, FieldOutcome] | None:
    """Compare attributes with those of the number's holder.

    Of a holder who has had that suspended nothing is available.

    Args:
        question: Whose.
        claim: The attributes.

    Returns:
        An outcome for each attribute that was given; None when the caller does not serve the
        number, and the question is on record all the same.

    Raises:
        RateLimitedError: Enough false answers were given about the number today.
    """
    action, item = "kyc_match", question.served()
    if item is None:
        question.note(None, action, "not_found")
        return None
    call, history = question.call, question.uow.kyc_history
    day = day_of(call.at)
    if history.count_false(item, 0, day=day) >= call.rules.kyc.false_per_day_max:
        raise _exhausted(call.at, day)
    holder = _holder(question.uow, item)
    outcomes = compare_identity(claim, holder, score_names=score_names)
    results = [outcome.result for outcome in outcomes.values()]
    history.count_false(item, results.count(FieldResult.MISMATCH), day=day)
    question.note(item, action, _worst(results), fields=",".join(sorted(outcomes)))
    return outcomes


def check_swap(question: Question, part: Part, *, max_age: timedelta) -> Said | None:
    """Whether the SIM or the device was changed within a time; None as `match_identity`."""

    def say(item: Subscription) -> bool | None:
        since = question.call.at - max_age
        return is_changed_since(_CHANGED_AT[part](item), present_stint(item), since=since)

    return _say(question, f"kyc_{part.value}_swap", say)


def get_swap(question: Question, part: Part) -> Said | None:
    """When the SIM or the device was last changed; None as `match_identity`."""

    def say(item: Subscription) -> datetime | None:
        return latest_change(_CHANGED_AT[part](item), present_stint(item))

    return _say(question, f"kyc_{part.value}_swap_date", say)


def check_recycling(question: Question, since: date) -> Said | None:
    """Whether the number came to another person since a day; None as `match_identity`."""
    history = question.uow.kyc_history
    return _say(question, "kyc_recycling", lambda item: is_recycled(history.past_of(item), since))


def check_tenure(question: Question, since: date) -> Said | None:
    """Whether its holder has had the number since a day; None as `match_identity`."""
    history = question.uow.kyc_history
    return _say(question, "kyc_tenure", lambda item: is_held_since(history.past_of(item), since))


def _say(
    question: Question, action: str, say: Callable[[Subscription], bool | datetime | None]
) -> Said | None:
    item = question.served()
    if item is None:
        question.note(None, action, "not_found")
        return None
    value = say(item)
    question.note(item, action, "not_available" if value is None else "answered")
    return Said(value)


def _holder(uow: UnitOfWork, item: Subscription) -> PopulationRecord | None:
    """The record of the number's holder; None where it is not confirmed, or not to be used."""
    if item.link.state is not LinkState.LINKED:
        return None
    if uow.restrictions.suspended_among([citizen_key(uow.sealer, item.claim.personal_id)]):
        return None
    return uow.citizens.find(item.claim.personal_id)


def _worst(results: Iterable[FieldResult]) -> str:
    found = set(results)
    order = (FieldResult.MISMATCH, FieldResult.NOT_AVAILABLE)
    return next((each.value for each in order if each in found), FieldResult.MATCH.value)


def _exhausted(at: datetime, day: date) -> RateLimitedError:
    error = RateLimitedError("enough false answers were given about this number today")
    error.retry_after_s = (beginning_of(day + timedelta(days=1)) - at).total_seconds()
    return error
