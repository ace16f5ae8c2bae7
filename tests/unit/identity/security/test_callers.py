"""Who a certificate names, and which role may call what."""

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import CallerUnknownError, PermissionRefusedError
from identity.security.callers import PERMISSIONS, authorise, caller_uri, identify

WRITES_OF_OPERATORS = {
    "SubscriptionService/ImportSubscriptions",
    "SubscriptionService/RegisterSubscription",
    "SubscriptionService/ReportEvents",
}


@pytest.mark.parametrize("role", list(Role))
def test_a_caller_is_known_again_by_its_uri(role: Role) -> None:
    caller = Caller(role, "a-1")
    assert identify(["localhost", caller_uri(caller), "https://example.org"]) == caller


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["localhost"],
        ["urn:subid:operator:a", "urn:subid:agency:a"],
        ["urn:subid:operator:a", "urn:subid:operator:a"],
        ["urn:subid:king:a"],
        ["urn:subid:operator"],
        ["urn:subid:operator:"],
        ["urn:subid:operator:A"],
        ["urn:subid:operator:a:b"],
        ["urn:subid:OPERATOR:a"],
        ["URN:SUBID:operator:a"],
        [" urn:subid:operator:a"],
        ["urn:subid:operator:a "],
        ["urn:subid:operator:a\n"],
        ["urn:subid:operator:а"],  # noqa: RUF001 - a Cyrillic letter
        ["urn:subidx:operator:a"],
    ],
)
def test_anything_else_names_nobody(names: list[str]) -> None:
    with pytest.raises(CallerUnknownError):
        identify(names)


def test_a_method_that_is_not_in_the_table_is_nobodys() -> None:
    for role in Role:
        for method in ("", "ContactService/DropEverything", "GetContact", "subid.v1.X/Y"):
            with pytest.raises(PermissionRefusedError):
                authorise(Caller(role, "x"), method)


@pytest.mark.parametrize("method", PERMISSIONS)
def test_each_method_is_open_to_its_roles_alone(method: str) -> None:
    assert PERMISSIONS[method]
    for role in Role:
        if role in PERMISSIONS[method]:
            authorise(Caller(role, "x"), method)
        else:
            with pytest.raises(PermissionRefusedError):
                authorise(Caller(role, "x"), method)


PROOFS = {
    "AuditService/GetTreeHead",
    "AuditService/GetConsistencyProof",
    "AuditService/GetInclusionProof",
    "AuditService/GetReceipt",
    "AuditService/ListEntries",
}
"""Of what each has done itself."""


def test_what_must_never_be_mixed_is_not() -> None:
    open_to = {
        role: {method for method, roles in PERMISSIONS.items() if role in roles} for role in Role
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
    assert {m for m in PERMISSIONS if m.startswith("PopulationService/")} == open_to[
        Role.POPULATION
    ]
    assert open_to[Role.WITNESS] == {
        "AuditService/GetTreeHead",
        "AuditService/GetConsistencyProof",
        "AuditService/AddWitnessSignature",
    }
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
        *(method for method in PERMISSIONS if method.startswith("WaveService/")),
        *(method for method in PERMISSIONS if method.startswith("AgencyService/")),
    }
