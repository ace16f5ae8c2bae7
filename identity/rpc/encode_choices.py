"""From citizens' choices to messages. Owns no decision: every answer comes from a service."""

from collections.abc import Sequence
from uuid import UUID

from identity.domain.primary_choice import ChoiceKind, ClearCause
from identity.rpc.encode import enforcement_case, timestamp
from identity.services.explain_subscription import ExplainedCase
from identity.services.primary_number import Chosen
from identity.storage.choices import ChoiceEvent
from identity.storage.primaries import PrimaryNumber
from subid.v1 import citizen_service_pb2 as pb

CHOICE_KINDS = {
    ChoiceKind.SET: pb.CHOICE_KIND_SET,
    ChoiceKind.CHANGE_ASKED: pb.CHOICE_KIND_CHANGE_ASKED,
    ChoiceKind.CHANGE_VETOED: pb.CHOICE_KIND_CHANGE_VETOED,
    ChoiceKind.CHANGE_WITHDRAWN: pb.CHOICE_KIND_CHANGE_WITHDRAWN,
    ChoiceKind.CHANGE_LAPSED: pb.CHOICE_KIND_CHANGE_LAPSED,
    ChoiceKind.CHANGED: pb.CHOICE_KIND_CHANGED,
    ChoiceKind.CONFIRMED: pb.CHOICE_KIND_CONFIRMED,
    ChoiceKind.CLEARED: pb.CHOICE_KIND_CLEARED,
    ChoiceKind.FALLBACKS_RANKED: pb.CHOICE_KIND_FALLBACKS_RANKED,
    ChoiceKind.LOCKED: pb.CHOICE_KIND_LOCKED,
    ChoiceKind.UNLOCKED: pb.CHOICE_KIND_UNLOCKED,
}
CLEAR_CAUSES = {
    ClearCause.BLOCKED: pb.CLEAR_CAUSE_BLOCKED,
    ClearCause.UNLINKED: pb.CLEAR_CAUSE_UNLINKED,
    ClearCause.ENDED: pb.CLEAR_CAUSE_ENDED,
    ClearCause.HANDED_OVER: pb.CLEAR_CAUSE_HANDED_OVER,
    ClearCause.DECEASED: pb.CLEAR_CAUSE_DECEASED,
    ClearCause.DISOWNED: pb.CLEAR_CAUSE_DISOWNED,
    ClearCause.COMPANY_LINE: pb.CLEAR_CAUSE_COMPANY_LINE,
}


def primary_number(value: PrimaryNumber | None) -> pb.PrimaryNumber | None:
    """A primary number, or nothing."""
    if value is None:
        return None
    return pb.PrimaryNumber(
        msisdn=value.msisdn.value,
        set_time=timestamp(value.set_at),
        confirm_time=timestamp(value.confirmed_at),
    )


def pending_change(value: Chosen) -> pb.PendingChange | None:
    """A change that waits, or nothing."""
    pending = value.choices.pending
    if pending is None:
        return None
    return pb.PendingChange(
        change_id=str(pending.change_id),
        msisdn="" if value.pending_msisdn is None else value.pending_msisdn.value,
        effective_time=timestamp(pending.effective_at),
    )


def choice(value: ChoiceEvent) -> pb.Choice:
    """A line of a citizen's history."""
    return pb.Choice(
        sequence=value.sequence,
        happen_time=timestamp(value.happened_at),
        kind=CHOICE_KINDS[value.kind],
        caller=value.caller or "",
        subscription_id="" if value.subscription_id is None else str(value.subscription_id),
        cause=(pb.CLEAR_CAUSE_UNSPECIFIED if value.cause is None else CLEAR_CAUSES[value.cause]),
    )


def open_cases(subscription_id: UUID, cases: Sequence[ExplainedCase]) -> pb.OpenCases:
    """What is held against a number."""
    return pb.OpenCases(
        subscription_id=str(subscription_id), cases=[enforcement_case(case) for case in cases]
    )
