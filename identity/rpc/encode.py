"""From domain values to messages. Owns no decision: every answer comes from a service."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

from identity.domain.directive import AcknowledgementResult
from identity.domain.drift import DriftKind
from identity.domain.enforcement import DirectiveKind
from identity.domain.link import FieldOutcome, FieldResult, FieldSource, Link, LinkState
from identity.domain.name_agreement import NameAgreement
from identity.domain.policy import Bilingual, CaseCause, StepKind
from identity.domain.subscriber_update import Standing, SubscriberUpdate
from identity.domain.subscription import ServiceState, SubscriptionEnd
from identity.domain.verification import Verdict, VerdictState
from identity.services.acquisition_advice import advise
from identity.services.directives import Handout
from identity.services.explain_subscription import ExplainedCase
from identity.services.imports import ImportSummary, RowError
from identity.services.read_subscriptions import SubscriptionView
from identity.storage.link_changes import LinkAction, PastLinkChange
from subid.v1 import (
    date_pb2,
    enforcement_service_pb2,
    imports_pb2,
    localized_text_pb2,
    population_service_pb2,
    subscription_pb2,
    verification_service_pb2,
)

SERVICE_STATES = {
    ServiceState.INACTIVE: subscription_pb2.SERVICE_STATE_INACTIVE,
    ServiceState.ACTIVE: subscription_pb2.SERVICE_STATE_ACTIVE,
    ServiceState.OUTGOING_BLOCKED: subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED,
    ServiceState.SUSPENDED: subscription_pb2.SERVICE_STATE_SUSPENDED,
    ServiceState.TERMINATED: subscription_pb2.SERVICE_STATE_TERMINATED,
}
LINK_STATES = {
    LinkState.LINKED: subscription_pb2.LINK_STATE_LINKED,
    LinkState.MISMATCHED: subscription_pb2.LINK_STATE_MISMATCHED,
    LinkState.NOT_FOUND: subscription_pb2.LINK_STATE_NOT_FOUND,
    LinkState.DECEASED: subscription_pb2.LINK_STATE_DECEASED,
}
FIELD_RESULTS = {
    FieldResult.MATCH: subscription_pb2.FIELD_RESULT_MATCH,
    FieldResult.MISMATCH: subscription_pb2.FIELD_RESULT_MISMATCH,
    FieldResult.NOT_AVAILABLE: subscription_pb2.FIELD_RESULT_NOT_AVAILABLE,
    FieldResult.UNDECIDED: subscription_pb2.FIELD_RESULT_UNDECIDED,
}
FIELD_SOURCES = {
    FieldSource.CHIP: subscription_pb2.FIELD_SOURCE_CHIP,
    FieldSource.POPULATION_RECORD: subscription_pb2.FIELD_SOURCE_POPULATION_RECORD,
    FieldSource.CLAIM: subscription_pb2.FIELD_SOURCE_CLAIM,
}
NAME_AGREEMENTS = {
    NameAgreement.UNACCENTED: subscription_pb2.NAME_AGREEMENT_UNACCENTED,
    NameAgreement.ACCENTS_DIFFER: subscription_pb2.NAME_AGREEMENT_ACCENTS_DIFFER,
    NameAgreement.REORDERED: subscription_pb2.NAME_AGREEMENT_REORDERED,
    NameAgreement.INITIALS: subscription_pb2.NAME_AGREEMENT_INITIALS,
    NameAgreement.DIFFERENT: subscription_pb2.NAME_AGREEMENT_DIFFERENT,
}
VERDICT_STATES = {
    VerdictState.VERIFIED: verification_service_pb2.VERDICT_STATE_VERIFIED,
    VerdictState.NOT_VERIFIED: verification_service_pb2.VERDICT_STATE_NOT_VERIFIED,
    VerdictState.FAILURE_TO_ACQUIRE: verification_service_pb2.VERDICT_STATE_FAILURE_TO_ACQUIRE,
    VerdictState.REVIEW: verification_service_pb2.VERDICT_STATE_REVIEW,
}
CASE_CAUSES = {
    CaseCause.UNVERIFIED: enforcement_service_pb2.CASE_CAUSE_UNVERIFIED,
    CaseCause.MISMATCHED: enforcement_service_pb2.CASE_CAUSE_MISMATCHED,
    CaseCause.NOT_FOUND: enforcement_service_pb2.CASE_CAUSE_NOT_FOUND,
    CaseCause.DECEASED: enforcement_service_pb2.CASE_CAUSE_DECEASED,
    CaseCause.DEVICE_CHANGE: enforcement_service_pb2.CASE_CAUSE_DEVICE_CHANGE,
    CaseCause.DISOWNED: enforcement_service_pb2.CASE_CAUSE_DISOWNED,
    CaseCause.SIM_SWAP: enforcement_service_pb2.CASE_CAUSE_SIM_SWAP,
    CaseCause.FACE_UNDER_ANOTHER_ID: enforcement_service_pb2.CASE_CAUSE_FACE_UNDER_ANOTHER_ID,
    CaseCause.OPERATOR_REPORT: enforcement_service_pb2.CASE_CAUSE_OPERATOR_REPORT,
    CaseCause.NO_LONGER_USED: enforcement_service_pb2.CASE_CAUSE_NO_LONGER_USED,
}
LINK_CHANGE_CAUSES = {
    LinkAction.POPULATION_IMPORT: enforcement_service_pb2.LINK_CHANGE_CAUSE_POPULATION_IMPORT,
    LinkAction.POPULATION_CHANGE: enforcement_service_pb2.LINK_CHANGE_CAUSE_POPULATION_CHANGE,
    LinkAction.COMPARISON: enforcement_service_pb2.LINK_CHANGE_CAUSE_COMPARISON,
    LinkAction.BOOK_CORRECTED: enforcement_service_pb2.LINK_CHANGE_CAUSE_BOOK_CORRECTED,
    LinkAction.NEW_HOLDER: enforcement_service_pb2.LINK_CHANGE_CAUSE_NEW_HOLDER,
    LinkAction.DISPUTE_DECIDED: enforcement_service_pb2.LINK_CHANGE_CAUSE_DISPUTE_DECIDED,
}
DIRECTIVE_KINDS = {
    DirectiveKind.NOTIFY: enforcement_service_pb2.DIRECTIVE_KIND_NOTIFY,
    DirectiveKind.BLOCK_OUTGOING: enforcement_service_pb2.DIRECTIVE_KIND_BLOCK_OUTGOING,
    DirectiveKind.SUSPEND: enforcement_service_pb2.DIRECTIVE_KIND_SUSPEND,
    DirectiveKind.TERMINATE: enforcement_service_pb2.DIRECTIVE_KIND_TERMINATE,
    DirectiveKind.RESTORE: enforcement_service_pb2.DIRECTIVE_KIND_RESTORE,
}
STEP_KINDS = {
    StepKind.NOTIFY: enforcement_service_pb2.DIRECTIVE_KIND_NOTIFY,
    StepKind.BLOCK_OUTGOING: enforcement_service_pb2.DIRECTIVE_KIND_BLOCK_OUTGOING,
    StepKind.SUSPEND: enforcement_service_pb2.DIRECTIVE_KIND_SUSPEND,
    StepKind.TERMINATE: enforcement_service_pb2.DIRECTIVE_KIND_TERMINATE,
}
ACKNOWLEDGEMENT_RESULTS = {
    AcknowledgementResult.ACCEPTED: enforcement_service_pb2.ACKNOWLEDGEMENT_RESULT_ACCEPTED,
    AcknowledgementResult.ALREADY_ACKNOWLEDGED: (
        enforcement_service_pb2.ACKNOWLEDGEMENT_RESULT_ALREADY_ACKNOWLEDGED
    ),
    AcknowledgementResult.LEASE_LOST: enforcement_service_pb2.ACKNOWLEDGEMENT_RESULT_LEASE_LOST,
    AcknowledgementResult.SUPERSEDED: enforcement_service_pb2.ACKNOWLEDGEMENT_RESULT_SUPERSEDED,
    AcknowledgementResult.UNKNOWN: enforcement_service_pb2.ACKNOWLEDGEMENT_RESULT_UNKNOWN,
}

DRIFT_KINDS = {
    DriftKind.NOT_APPLIED: enforcement_service_pb2.DRIFT_KIND_NOT_APPLIED,
    DriftKind.STRICTER_THAN_ORDERED: enforcement_service_pb2.DRIFT_KIND_STRICTER_THAN_ORDERED,
    DriftKind.UNKNOWN_NUMBER: enforcement_service_pb2.DRIFT_KIND_UNKNOWN_NUMBER,
    DriftKind.NOT_REPORTED: enforcement_service_pb2.DRIFT_KIND_NOT_REPORTED,
}
SUBSCRIPTION_ENDS = {
    SubscriptionEnd.RELEASED: population_service_pb2.SUBSCRIPTION_END_RELEASED,
    SubscriptionEnd.PORTED_OUT: population_service_pb2.SUBSCRIPTION_END_PORTED_OUT,
    SubscriptionEnd.TERMINATED: population_service_pb2.SUBSCRIPTION_END_TERMINATED,
    SubscriptionEnd.TRANSFERRED: population_service_pb2.SUBSCRIPTION_END_TRANSFERRED,
}
SUBSCRIBER_UPDATE_RESULTS = {
    AcknowledgementResult.ACCEPTED: population_service_pb2.SUBSCRIBER_UPDATE_RESULT_ACCEPTED,
    AcknowledgementResult.ALREADY_ACKNOWLEDGED: (
        population_service_pb2.SUBSCRIBER_UPDATE_RESULT_ALREADY_ACKNOWLEDGED
    ),
    AcknowledgementResult.LEASE_LOST: population_service_pb2.SUBSCRIBER_UPDATE_RESULT_LEASE_LOST,
    AcknowledgementResult.SUPERSEDED: population_service_pb2.SUBSCRIBER_UPDATE_RESULT_SUPERSEDED,
    AcknowledgementResult.UNKNOWN: population_service_pb2.SUBSCRIBER_UPDATE_RESULT_UNKNOWN,
}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_PER_DAY = 24 * 60 * 60
_NANOS_PER_MICROSECOND = 1_000


def timestamp(instant: datetime | None) -> Timestamp | None:
    """An instant, or nothing."""
    if instant is None:
        return None
    # A third of what `FromDatetime` takes: each contact has three.
    since = instant - _EPOCH
    return Timestamp(
        seconds=since.days * _SECONDS_PER_DAY + since.seconds,
        nanos=since.microseconds * _NANOS_PER_MICROSECOND,
    )


@lru_cache(maxsize=1024)
def _shared_timestamp(instant: datetime) -> Timestamp | None:
    """The instant of many orders, made once. Messages take copies of it."""
    return timestamp(instant)


def outcome(value: FieldOutcome) -> subscription_pb2.FieldOutcome:
    """One compared field."""
    return subscription_pb2.FieldOutcome(
        result=FIELD_RESULTS[value.result],
        score=value.score,
        source=FIELD_SOURCES[value.source],
        agreement=None if value.agreement is None else NAME_AGREEMENTS[value.agreement],
    )


def link(value: Link) -> subscription_pb2.Link:
    """A link."""
    return subscription_pb2.Link(
        state=LINK_STATES[value.state],
        personal_id=outcome(value.personal_id),
        full_name=outcome(value.full_name),
        birth_date=outcome(value.birth_date),
    )


def subscription(view: SubscriptionView) -> subscription_pb2.Subscription:
    """A subscription."""
    item = view.subscription
    return subscription_pb2.Subscription(
        subscription_id=str(item.subscription_id),
        msisdn=item.msisdn.value,
        operator_id=item.operator_id,
        service_state=SERVICE_STATES[item.service_state],
        applied_state=SERVICE_STATES[item.applied_state],
        link=link(item.link),
        verify_time=timestamp(item.verified_at),
        has_open_case=view.has_open_case,
        is_primary=view.is_primary,
        create_time=timestamp(item.created_at),
        update_time=timestamp(item.updated_at),
        is_company_line=item.is_company_line,
    )


def import_summary(summary: ImportSummary) -> imports_pb2.ImportSummary:
    """The reconciliation of an import."""
    return imports_pb2.ImportSummary(
        received_count=summary.received_count,
        created_count=summary.created_count,
        changed_count=summary.changed_count,
        unchanged_count=summary.unchanged_count,
        rejected_count=summary.rejected_count,
        gone_count=summary.gone_count,
        unidentified_count=summary.unidentified_count,
        row_errors=row_errors(summary.row_errors),
    )


def row_errors(errors: Iterable[RowError]) -> list[imports_pb2.RowError]:
    """Refused rows."""
    return [
        imports_pb2.RowError(row_index=e.row_index, field=e.field, reason=e.reason) for e in errors
    ]


def verdict(value: Verdict) -> verification_service_pb2.Verdict:
    """A verdict."""
    return verification_service_pb2.Verdict(
        state=VERDICT_STATES[value.state],
        reasons=[reason.value for reason in value.reasons],
        personal_id=outcome(value.personal_id),
        full_name=outcome(value.full_name),
        birth_date=outcome(value.birth_date),
        face=outcome(value.face),
        chip_codes=value.chip_codes,
        acquisition_failure=value.acquisition_failure or "",
        decide_time=timestamp(value.decided_at),
        policy_version=value.policy_version,
        portrait_age_years=value.portrait_age_years,
        acquisition_advice=acquisition_advice(value.acquisition_failure),
    )


def acquisition_advice(failure: str | None) -> verification_service_pb2.AcquisitionAdvice | None:
    """What to do about a failure to acquire, or nothing."""
    if failure is None:
        return None
    advice = advise(failure)
    return verification_service_pb2.AcquisitionAdvice(
        vietnamese=advice.vietnamese, english=advice.english
    )


_BLOCKS = frozenset({DirectiveKind.BLOCK_OUTGOING, DirectiveKind.SUSPEND})

# Vietnam 2023: who was blocked both ways could not be verified online.
_KEPT_ROUTES = (
    enforcement_service_pb2.KEPT_ROUTE_EMERGENCY_CALLS,
    enforcement_service_pb2.KEPT_ROUTE_VERIFICATION,
)


def directive(value: Handout) -> enforcement_service_pb2.Directive:
    """An order."""
    order, track = value.directive, value.track
    return enforcement_service_pb2.Directive(
        directive_id=str(order.directive_id),
        msisdn=value.msisdn.value,
        kind=DIRECTIVE_KINDS[order.kind],
        causes=[CASE_CAUSES[cause] for cause in order.causes],
        citation="" if track is None else track.citation,
        due_time=_shared_timestamp(order.due_at),
        create_time=_shared_timestamp(order.created_at),
        way_out=None if track is None else localized(track.cure),
        notice=None if value.notice is None else localized(value.notice),
        kept_routes=_KEPT_ROUTES if order.kind in _BLOCKS else (),
        track=order.track or "",
        is_primary=order.is_primary,
        is_last_number=order.is_last_number,
        wave_id="" if order.wave_id is None else str(order.wave_id),
    )


def day(value: date) -> date_pb2.Date:
    """A day of the calendar."""
    return date_pb2.Date(year=value.year, month=value.month, day=value.day)


def localized(value: Bilingual) -> localized_text_pb2.LocalizedText:
    """A sentence in both languages."""
    return localized_text_pb2.LocalizedText(vi=value.vi, en=value.en)


def enforcement_case(value: ExplainedCase) -> enforcement_service_pb2.EnforcementCase:
    """A case, explained."""
    step, case, track = value.next_step, value.case, value.track
    return enforcement_service_pb2.EnforcementCase(
        track=track.name,
        cause=CASE_CAUSES[case.cause],
        open_time=timestamp(case.opened_at),
        citation=track.citation,
        next_step=(
            enforcement_service_pb2.DIRECTIVE_KIND_UNSPECIFIED if step is None else STEP_KINDS[step]
        ),
        next_step_time=timestamp(value.next_step_at),
        way_out=localized(track.cure),
        explanation=localized(value.explanation),
        freeze_time=timestamp(case.frozen_at),
        waits_for_wave=case.waits_for_wave,
        is_unconfirmed=track.is_unconfirmed,
        policy_version=case.policy_version,
    )


def link_change(value: PastLinkChange) -> enforcement_service_pb2.LinkChange:
    """A line of a link's history."""
    return enforcement_service_pb2.LinkChange(
        change_time=timestamp(value.changed_at),
        cause=LINK_CHANGE_CAUSES[value.action],
        from_state=LINK_STATES[value.from_state],
        to_state=LINK_STATES[value.to_state],
    )


def subscriber_update(value: SubscriberUpdate) -> population_service_pb2.SubscriberUpdate:
    """What the population authority is told of a person and a number."""
    standing = value.standing
    return population_service_pb2.SubscriberUpdate(
        personal_id=value.personal_id.value,
        sequence=value.sequence,
        subscription_id=str(value.subscription_id),
        msisdn=value.msisdn.value,
        operator_id=value.operator_id,
        link_state=LINK_STATES[standing.link_state],
        assurance=_assurance(standing),
        primary_time=timestamp(standing.primary_since),
        disown_time=timestamp(standing.disowned_at),
        end=None if standing.end is None else SUBSCRIPTION_ENDS[standing.end],
        update_time=timestamp(value.changed_at),
    )


def _assurance(standing: Standing) -> population_service_pb2.Assurance | None:
    """Nobody is verified in another way."""
    if standing.verified_at is None:
        return None
    return population_service_pb2.Assurance(
        method=population_service_pb2.ASSURANCE_METHOD_CHIP_AND_FACE,
        verify_time=timestamp(standing.verified_at),
        policy_version=standing.policy_version or "",
    )
