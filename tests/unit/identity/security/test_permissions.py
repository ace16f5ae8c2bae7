"""Which role may call which method: the table, and how it is read."""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.domain.caller import Caller, Role
from identity.domain.errors import PermissionRefusedError
from identity.domain.personal_id import PersonalID
from identity.security.permissions import (
    Permission,
    PermissionTableError,
    Scope,
    authorise,
    parse_permissions,
    permissions,
    refuse_another_person,
)

DECISION = Path(__file__).parents[4] / "docs/decisions/0036-who-may-call.md"
READS = re.compile(r"(Get|List|Explain)[A-Z]")

PROVED = PersonalID("001090123456")
ANOTHER = "001090654321"
WRITES_OF_OPERATORS = {
    "SubscriptionService/ImportSubscriptions",
    "SubscriptionService/RegisterSubscription",
    "SubscriptionService/ReportEvents",
}


@dataclass(frozen=True)
class Request:
    """A request with the fields that name people."""

    personal_id: str = ""
    acting_personal_id: str = ""


def people_by_decision() -> dict[str, str]:
    """For each method in the decision's table, whether it takes one person or two."""
    text = DECISION.read_text().partition("## One person or two")[2].partition("\n## ")[0]
    rows = [row.split("|") for row in text.splitlines() if row.startswith("| `")]
    return {name: row[2].strip() for row in rows for name in re.findall(r"`(\w+)`", row[1])}


def test_of_each_change_by_the_regulator_it_is_decided_whether_it_takes_two_people() -> None:
    changes = {
        method.partition("/")[2]: "two" if said.is_by_two else "one"
        for method, said in permissions().items()
        if Role.REGULATOR in said.scopes and not READS.match(method.partition("/")[2])
    }
    assert people_by_decision() == changes


def test_a_method_that_is_not_in_the_table_is_nobodys() -> None:
    for role in Role:
        for method in ("", "ContactService/DropEverything", "GetContact", "subid.v1.X/Y"):
            with pytest.raises(PermissionRefusedError):
                authorise(Caller(role, "x"), method)


@pytest.mark.parametrize("method", permissions())
def test_each_method_is_open_to_its_roles_alone(method: str) -> None:
    for role in Role:
        if role in permissions()[method].scopes:
            authorise(Caller(role, "x"), method)
        else:
            with pytest.raises(PermissionRefusedError):
                authorise(Caller(role, "x"), method)


HEADS = {"AuditService/GetTreeHead", "AuditService/GetConsistencyProof"}
PROOFS = HEADS | {
    "AuditService/GetInclusionProof",
    "AuditService/GetReceipt",
    "AuditService/ListEntries",
}
"""Of what each has done itself."""


def test_what_must_never_be_mixed_is_not() -> None:
    open_to = {
        role: {method for method, said in permissions().items() if role in said.scopes}
        for role in Role
    }
    assert open_to[Role.AGENCY] == PROOFS | {
        "ContactService/GetContact",
        "ContactService/BatchGetContacts",
        "ContactService/CanNotify",
        "NotificationService/SendNotification",
        "NotificationService/GetNotification",
        "NotificationService/ListNotifications",
        "NotificationService/ListTemplates",
        "NotificationService/GetNotificationStatistics",
        "MatchService/MatchRecord",
        "MatchService/MatchRecords",
        "VerificationService/StartPresence",
        "VerificationService/CompletePresence",
        "VerificationService/GetPresenceKeys",
        "ContactService/WatchContactChanges",
    }
    assert open_to[Role.OPERATOR] >= WRITES_OF_OPERATORS
    assert open_to[Role.OPERATOR] & open_to[Role.AGENCY] == PROOFS
    others = (Role.AGENCY, Role.CITIZEN_APP, Role.REGULATOR, Role.POPULATION)
    assert not any(WRITES_OF_OPERATORS & open_to[role] for role in others)
    assert {m for m in permissions() if m.startswith("PopulationService/")} == open_to[
        Role.POPULATION
    ]
    assert open_to[Role.WITNESS] == HEADS | {"AuditService/AddWitnessSignature"}
    assert open_to[Role.REGULATOR] == PROOFS | {
        "ArrangementService/AttestGuardianship",
        "ArrangementService/EndArrangement",
        "ArrangementService/GetArrangement",
        "DisputeService/OpenDispute",
        "DisputeService/AddEvidence",
        "DisputeService/DecideDispute",
        "DisputeService/AppealDispute",
        "DisputeService/GetDispute",
        "EnforcementService/AdvanceEnforcement",
        "EnforcementService/ExplainSubscription",
        "EnforcementService/OpenCase",
        "MatchService/ResumeMatching",
        "NotificationService/RegisterTemplate",
        "NotificationService/ListTemplates",
        "NotificationService/GetNotificationStatistics",
        "QualityService/GetReport",
        "ComplianceService/GetKpis",
        "ComplianceService/GetMonthlyScore",
        "PrivacyService/AcknowledgeDataRequest",
        "PrivacyService/DecideDataRequest",
        "PrivacyService/ListOpenDataRequests",
        *(method for method in permissions() if method.startswith("WaveService/")),
        *(method for method in permissions() if method.startswith("AgencyService/")),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[S", "no TOML"),
        ("S = 1", "S is no table of methods"),
        ("[S]", "S is no table of methods"),
        ("[S]\nM = 1", "S/M is no table"),
        ("[S]\nM = {}", "nobody's"),
        ("[S]\nM = { king = 'any' }", "no role 'king'"),
        ("[S]\nM = { operator = 'all' }", "no scope 'all'"),
        ("[S]\nM = { operator = ['any'] }", "no scope"),
        ("[S]\nM = { operator = 'any', two_people = 1 }", "two_people"),
        ("[S]\nM = { operator = 'any', person = ['a'] }", "belong together"),
        ("[S]\nM = { citizen-app = 'citizen' }", "belong together"),
        ("[S]\nM = { citizen-app = 'citizen', person = 'a' }", "list of fields"),
        ("[S]\nM = { citizen-app = 'citizen', person = [1] }", "list of fields"),
        ("[S]\nM = { operator = 'any', operator = 'own' }", "no TOML"),
    ],
)
def test_a_table_with_an_unknown_word_is_refused(text: str, says: str) -> None:
    with pytest.raises(PermissionTableError, match=says):
        parse_permissions(text)


def test_a_table_says_scope_person_and_two_people() -> None:
    text = "[S]\nM = { operator = 'own', citizen-app = 'citizen', person = ['a', 'b'] }\n"
    text += "N = { regulator = 'any', two_people = true }"
    assert parse_permissions(text) == {
        "S/M": Permission(
            scopes={Role.OPERATOR: Scope.OWN, Role.CITIZEN_APP: Scope.CITIZEN}, person=("a", "b")
        ),
        "S/N": Permission(scopes={Role.REGULATOR: Scope.ANY}, is_by_two=True),
    }


def test_a_citizen_app_reaches_nothing_but_one_citizens() -> None:
    for method, said in permissions().items():
        # Heads tell of nobody.
        usual = Scope.ANY if method in HEADS else Scope.CITIZEN
        assert said.scopes.get(Role.CITIZEN_APP) in {None, usual}, method


@pytest.mark.parametrize(
    ("request_", "is_refused"),
    [
        (Request(personal_id=PROVED.value), False),
        (Request(personal_id=ANOTHER), True),
        (Request(), True),
        (Request(personal_id=ANOTHER, acting_personal_id=PROVED.value), False),
        (Request(personal_id=PROVED.value, acting_personal_id=ANOTHER), True),
    ],
)
def test_who_acts_must_be_who_is_proved(request_: Request, *, is_refused: bool) -> None:
    said = Permission(
        scopes={Role.CITIZEN_APP: Scope.CITIZEN}, person=("acting_personal_id", "personal_id")
    )
    if is_refused:
        with pytest.raises(PermissionRefusedError):
            refuse_another_person(said, request_, PROVED)
    else:
        refuse_another_person(said, request_, PROVED)


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_refused(text: str) -> None:
    with contextlib.suppress(PermissionTableError):
        parse_permissions(text)
