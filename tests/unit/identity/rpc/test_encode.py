"""Every value of the domain has its place in the contract, and the other way round."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from google.protobuf.descriptor import EnumDescriptor

from identity.domain.agency import Purpose, Right
from identity.domain.contact import AbsenceCause, ContactStatus
from identity.domain.directive import AcknowledgementResult
from identity.domain.enforcement import DirectiveKind
from identity.domain.link import FieldOutcome, FieldResult, FieldSource, LinkState
from identity.domain.name_agreement import NameAgreement
from identity.domain.personal_id import Sex
from identity.domain.policy import CaseCause, StepKind
from identity.domain.primary_choice import ChoiceKind, ClearCause
from identity.domain.subscription import ServiceState
from identity.domain.verification import Verdict, VerdictReason, VerdictState
from identity.rpc import decode, encode, encode_choices, subscription_servicer
from identity.rpc import verification_servicer as verification
from identity.rpc.agency_servicer import RIGHTS
from identity.rpc.contact_servicer import CAUSES, STATUSES
from identity.rpc.grounds import PURPOSES
from identity.services.imports import ImportSummary, RowError
from identity.services.report_events import EventKind
from identity.storage.link_changes import LinkAction
from identity.storage.verifications import SessionState
from subid.v1 import (
    agency_pb2,
    agency_service_pb2,
    citizen_service_pb2,
    contact_service_pb2,
    enforcement_service_pb2,
    subscription_pb2,
)
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_service_pb
from subid.v1 import verification_service_pb2 as verification_pb

NOW = datetime(2026, 4, 15, 3, 0, 0, 123456, tzinfo=UTC)


def enumeration(file: Any, name: str) -> EnumDescriptor:  # noqa: ANN401 - a generated module
    found: EnumDescriptor = file.DESCRIPTOR.enum_types_by_name[name]
    return found


OUTWARD = [
    (encode.SERVICE_STATES, ServiceState, enumeration(subscription_pb2, "ServiceState")),
    (encode.LINK_STATES, LinkState, enumeration(subscription_pb2, "LinkState")),
    (encode.FIELD_RESULTS, FieldResult, enumeration(subscription_pb2, "FieldResult")),
    (encode.FIELD_SOURCES, FieldSource, enumeration(subscription_pb2, "FieldSource")),
    (
        encode.LINK_CHANGE_CAUSES,
        LinkAction,
        enumeration(enforcement_service_pb2, "LinkChangeCause"),
    ),
    (STATUSES, ContactStatus, enumeration(contact_service_pb2, "ContactStatus")),
    (CAUSES, AbsenceCause, enumeration(contact_service_pb2, "AbsenceCause")),
    (RIGHTS, Right, enumeration(agency_service_pb2, "Right")),
    (encode_choices.CHOICE_KINDS, ChoiceKind, enumeration(citizen_service_pb2, "ChoiceKind")),
    (encode_choices.CLEAR_CAUSES, ClearCause, enumeration(citizen_service_pb2, "ClearCause")),
    (encode.VERDICT_STATES, VerdictState, enumeration(verification_pb, "VerdictState")),
    (encode.CASE_CAUSES, CaseCause, enumeration(enforcement_service_pb2, "CaseCause")),
    (encode.DIRECTIVE_KINDS, DirectiveKind, enumeration(enforcement_service_pb2, "DirectiveKind")),
    (
        encode.ACKNOWLEDGEMENT_RESULTS,
        AcknowledgementResult,
        enumeration(enforcement_service_pb2, "AcknowledgementResult"),
    ),
]
INWARD = [
    (
        subscription_service_pb,
        "SubscriptionEventKind",
        subscription_servicer._EVENT_KINDS,  # noqa: SLF001 - the table itself is tested
        EventKind,
    ),
    (agency_pb2, "Purpose", PURPOSES, Purpose),
]


@pytest.mark.parametrize(
    ("table", "domain", "contract"), OUTWARD, ids=lambda value: getattr(value, "__name__", "")
)
def test_every_value_of_the_domain_has_one_name_in_the_contract(
    table: Mapping[Any, int], domain: type[StrEnum], contract: EnumDescriptor
) -> None:
    assert set(table) == set(domain)
    assert sorted(table.values()) == sorted(contract.values_by_number)[1:]
    for value, number in table.items():
        assert contract.values_by_number[number].name.endswith(f"_{value.name}")


@pytest.mark.parametrize(("file", "name", "table", "domain"), INWARD)
def test_every_value_of_the_contract_has_one_meaning(
    file: Any,  # noqa: ANN401 - a generated module
    name: str,
    table: Mapping[int, Any],
    domain: type[StrEnum],
) -> None:
    contract = enumeration(file, name)
    assert set(table) == set(contract.values_by_number) - {0}
    assert set(table.values()) == set(domain)
    for number, value in table.items():
        assert contract.values_by_number[number].name.endswith(f"_{value.name}")


def test_every_step_is_an_order() -> None:
    assert set(encode.STEP_KINDS) == set(StepKind)
    for step, number in encode.STEP_KINDS.items():
        assert encode.DIRECTIVE_KINDS[DirectiveKind[step.name]] == number


def test_every_agreement_of_names_that_differ_has_its_name() -> None:
    contract = enumeration(subscription_pb2, "NameAgreement")
    table = encode.NAME_AGREEMENTS
    assert set(table) == set(NameAgreement) - {NameAgreement.EXACT}
    assert sorted(table.values()) == sorted(contract.values_by_number)[1:]
    for value, number in table.items():
        assert contract.values_by_number[number].name.endswith(f"_{value.name}")


def test_every_state_of_a_session_has_its_name() -> None:
    table = verification._SESSION_STATES  # noqa: SLF001 - the table itself is tested
    assert set(table) == set(SessionState)
    shown = {*table.values(), verification_pb.VERIFICATION_STATE_EXPIRED}
    assert shown == set(verification_pb.VerificationState.values()) - {0}


def test_every_sex_is_read() -> None:
    table = decode._SEXES  # noqa: SLF001 - the table itself is tested
    assert set(table) == set(population_pb.Sex.values())
    assert set(table.values()) == {None, *Sex}


def test_an_instant_keeps_its_microseconds_and_absence_stays_absent() -> None:
    message = encode.timestamp(NOW)
    assert message is not None
    assert message.ToDatetime(tzinfo=UTC) == NOW
    assert encode.timestamp(None) is None


def test_only_a_name_that_differs_carries_a_score() -> None:
    differs = FieldOutcome(
        result=FieldResult.MISMATCH, score=0, source=FieldSource.POPULATION_RECORD
    )
    assert encode.outcome(differs).HasField("score")
    assert encode.outcome(differs).agreement == subscription_pb2.NAME_AGREEMENT_UNSPECIFIED
    spelt = replace(differs, agreement=NameAgreement.REORDERED)
    assert encode.outcome(spelt).agreement == subscription_pb2.NAME_AGREEMENT_REORDERED
    agrees = FieldOutcome(result=FieldResult.MATCH, source=FieldSource.CHIP)
    assert not encode.outcome(agrees).HasField("score")


def test_a_verdict_is_told_whole() -> None:
    agrees = FieldOutcome(result=FieldResult.MATCH, source=FieldSource.CHIP)
    verdict = Verdict(
        state=VerdictState.NOT_VERIFIED,
        reasons=tuple(VerdictReason),
        personal_id=agrees,
        full_name=agrees,
        birth_date=agrees,
        face=agrees,
        chip_codes=("DG_HASH_MISMATCH",),
        acquisition_failure=None,
        decided_at=NOW,
        policy_version="vn-2026-04-15",
    )
    message = encode.verdict(verdict)
    assert list(message.reasons) == [reason.value for reason in VerdictReason]
    assert list(message.chip_codes) == ["DG_HASH_MISMATCH"]
    assert message.acquisition_failure == ""
    assert message.decide_time.ToDatetime(tzinfo=UTC) == NOW
    assert {field.name for field, _ in message.ListFields()} >= {
        "state",
        "personal_id",
        "full_name",
        "birth_date",
        "face",
        "policy_version",
    }
    assert not message.HasField("portrait_age_years")
    assert not message.HasField("acquisition_advice")
    poor = replace(verdict, acquisition_failure="NO_FACE", portrait_age_years=0)
    advised = encode.verdict(poor)
    assert advised.HasField("portrait_age_years")
    assert advised.portrait_age_years == 0
    assert advised.acquisition_advice.vietnamese
    assert advised.acquisition_advice.english


def test_no_primary_number_is_nothing() -> None:
    assert encode_choices.primary_number(None) is None


def test_a_summary_keeps_its_counts_and_row_errors() -> None:
    summary = ImportSummary(
        received_count=5, created_count=2, changed_count=1, unchanged_count=1, rejected_count=1
    )
    summary.row_errors.append(RowError(row_index=4, field="msisdn", reason="ROW_DUPLICATE"))
    message = encode.import_summary(summary)
    assert message.received_count == 5
    parts = (message.created_count, message.changed_count, message.unchanged_count)
    assert parts == (2, 1, 1)
    assert [(e.row_index, e.field, e.reason) for e in message.row_errors] == [
        (4, "msisdn", "ROW_DUPLICATE")
    ]


def test_each_count_of_a_summary_has_its_own_place() -> None:
    names = ("received", "created", "changed", "unchanged", "rejected", "gone", "unidentified")
    counts = {f"{name}_count": 2**40 + place for place, name in enumerate(names)}
    summary = ImportSummary()
    for name, count in counts.items():
        setattr(summary, name, count)
    message = encode.import_summary(summary)
    assert {name: getattr(message, name) for name in counts} == counts
    fields = {field.name for field in message.DESCRIPTOR.fields}
    assert fields == {*counts, "row_errors"}


def test_refused_rows_keep_their_order_and_a_place_beyond_two_thousand_million() -> None:
    errors = [
        RowError(row_index=place, field="holder.full_name", reason="FULL_NAME_MALFORMED")
        for place in (0, 7, 3, 2**33)
    ]
    told = encode.row_errors(errors)
    assert [(each.row_index, each.field, each.reason) for each in told] == [
        (error.row_index, error.field, error.reason) for error in errors
    ]
    assert encode.row_errors([]) == []
