"""A caller's identity as a URI, and which role may call what.

Owns the form `urn:subid:ROLE:NAME` and the permission table. Deny is the default: a method that is
not in the table is nobody's.
"""

from collections.abc import Iterable, Mapping

from identity.domain.caller import Caller, Role
from identity.domain.errors import CallerUnknownError, PermissionRefusedError

_PREFIX = "urn:subid:"

PERMISSIONS: Mapping[str, frozenset[Role]] = {
    "PopulationService/ImportPopulation": frozenset({Role.POPULATION}),
    "PopulationService/GetPopulationImport": frozenset({Role.POPULATION}),
    "PopulationService/ListPopulationImportErrors": frozenset({Role.POPULATION}),
    "PopulationService/ApplyPopulationChanges": frozenset({Role.POPULATION}),
    "PopulationService/PullSubscriberUpdates": frozenset({Role.POPULATION}),
    "PopulationService/AcknowledgeSubscriberUpdates": frozenset({Role.POPULATION}),
    "SubscriptionService/ImportSubscriptions": frozenset({Role.OPERATOR}),
    "SubscriptionService/RegisterSubscription": frozenset({Role.OPERATOR}),
    "SubscriptionService/GetSubscription": frozenset({Role.OPERATOR}),
    "SubscriptionService/GetSubscriptionImport": frozenset({Role.OPERATOR}),
    "SubscriptionService/ListSubscriptionImportErrors": frozenset({Role.OPERATOR}),
    "SubscriptionService/ListSubscriptions": frozenset({Role.OPERATOR}),
    "SubscriptionService/ReportEvents": frozenset({Role.OPERATOR}),
    "VerificationService/StartVerification": frozenset({Role.OPERATOR, Role.CITIZEN_APP}),
    "VerificationService/CompleteVerification": frozenset({Role.OPERATOR, Role.CITIZEN_APP}),
    "VerificationService/GetVerification": frozenset({Role.OPERATOR, Role.CITIZEN_APP}),
    "VerificationService/StartPresence": frozenset({Role.AGENCY}),
    "VerificationService/CompletePresence": frozenset({Role.AGENCY}),
    "VerificationService/GetPresenceKeys": frozenset({Role.AGENCY}),
    "CitizenService/ListSubscriptions": frozenset({Role.CITIZEN_APP}),
    "CitizenService/SetPrimaryNumber": frozenset({Role.CITIZEN_APP}),
    "CitizenService/GetPrimaryNumber": frozenset({Role.CITIZEN_APP}),
    "CitizenService/VetoPrimaryChange": frozenset({Role.CITIZEN_APP}),
    "CitizenService/ConfirmPrimaryNumber": frozenset({Role.CITIZEN_APP}),
    "CitizenService/SetFallbackNumbers": frozenset({Role.CITIZEN_APP}),
    "CitizenService/SetLock": frozenset({Role.CITIZEN_APP}),
    "CitizenService/ListChoices": frozenset({Role.CITIZEN_APP}),
    "CitizenService/ListAccesses": frozenset({Role.CITIZEN_APP}),
    "CitizenService/DisownSubscription": frozenset({Role.CITIZEN_APP}),
    "ContactService/GetContact": frozenset({Role.AGENCY}),
    "ContactService/BatchGetContacts": frozenset({Role.AGENCY}),
    "ContactService/CanNotify": frozenset({Role.AGENCY}),
    "AgencyService/RegisterAgency": frozenset({Role.REGULATOR}),
    "AgencyService/SuspendAgency": frozenset({Role.REGULATOR}),
    "AgencyService/ResumeAgency": frozenset({Role.REGULATOR}),
    "AgencyService/ResumeLookups": frozenset({Role.REGULATOR}),
    "AgencyService/GetAgency": frozenset({Role.REGULATOR}),
    "AgencyService/ListAgencies": frozenset({Role.REGULATOR}),
    "NotificationService/RegisterTemplate": frozenset({Role.REGULATOR}),
    "NotificationService/ListTemplates": frozenset({Role.REGULATOR, Role.AGENCY}),
    "NotificationService/SendNotification": frozenset({Role.AGENCY}),
    "NotificationService/GetNotification": frozenset({Role.AGENCY}),
    "NotificationService/ListNotifications": frozenset({Role.AGENCY}),
    "NotificationService/GetNotificationStatistics": frozenset({Role.REGULATOR, Role.AGENCY}),
    "NotificationService/PullMessages": frozenset({Role.OPERATOR}),
    "NotificationService/AcknowledgeMessages": frozenset({Role.OPERATOR}),
    "MatchService/MatchRecord": frozenset({Role.AGENCY}),
    "MatchService/MatchRecords": frozenset({Role.AGENCY}),
    "MatchService/ResumeMatching": frozenset({Role.REGULATOR}),
    "KycService/MatchIdentity": frozenset({Role.OPERATOR}),
    "KycService/CheckSimSwap": frozenset({Role.OPERATOR}),
    "KycService/GetSimSwap": frozenset({Role.OPERATOR}),
    "KycService/CheckDeviceSwap": frozenset({Role.OPERATOR}),
    "KycService/GetDeviceSwap": frozenset({Role.OPERATOR}),
    "KycService/CheckNumberRecycling": frozenset({Role.OPERATOR}),
    "KycService/CheckTenure": frozenset({Role.OPERATOR}),
    "ContactService/WatchContactChanges": frozenset({Role.AGENCY}),
    "ComplianceService/GetKpis": frozenset({Role.REGULATOR, Role.OPERATOR}),
    "ComplianceService/GetMonthlyScore": frozenset({Role.REGULATOR, Role.OPERATOR}),
    "WaveService/PreviewWave": frozenset({Role.REGULATOR}),
    "WaveService/ApproveWave": frozenset({Role.REGULATOR}),
    "WaveService/ExecuteWave": frozenset({Role.REGULATOR}),
    "WaveService/StopWave": frozenset({Role.REGULATOR}),
    "WaveService/RevertWave": frozenset({Role.REGULATOR}),
    "WaveService/GetWave": frozenset({Role.REGULATOR}),
    "DisputeService/OpenDispute": frozenset({Role.OPERATOR, Role.REGULATOR, Role.CITIZEN_APP}),
    "DisputeService/AddEvidence": frozenset({Role.OPERATOR, Role.REGULATOR, Role.CITIZEN_APP}),
    "DisputeService/DecideDispute": frozenset({Role.REGULATOR}),
    "DisputeService/AppealDispute": frozenset({Role.REGULATOR, Role.CITIZEN_APP}),
    "DisputeService/GetDispute": frozenset({Role.OPERATOR, Role.REGULATOR, Role.CITIZEN_APP}),
    "ArrangementService/ProposeGuardianship": frozenset({Role.CITIZEN_APP}),
    "ArrangementService/AttestGuardianship": frozenset({Role.OPERATOR, Role.REGULATOR}),
    "ArrangementService/ProposeCompanyLine": frozenset({Role.OPERATOR}),
    "ArrangementService/AcceptArrangement": frozenset({Role.CITIZEN_APP}),
    "ArrangementService/RefuseArrangement": frozenset({Role.CITIZEN_APP}),
    "ArrangementService/EndArrangement": frozenset(
        {Role.OPERATOR, Role.REGULATOR, Role.CITIZEN_APP}
    ),
    "ArrangementService/ListArrangements": frozenset({Role.CITIZEN_APP}),
    "ArrangementService/GetArrangement": frozenset({Role.OPERATOR, Role.REGULATOR}),
    "EnforcementService/AdvanceEnforcement": frozenset({Role.REGULATOR}),
    "EnforcementService/PullDirectives": frozenset({Role.OPERATOR}),
    "EnforcementService/AcknowledgeDirectives": frozenset({Role.OPERATOR}),
    "EnforcementService/ReconcileServiceState": frozenset({Role.OPERATOR}),
    "EnforcementService/OpenCase": frozenset({Role.OPERATOR, Role.REGULATOR}),
    "EnforcementService/FileComplaint": frozenset({Role.OPERATOR, Role.CITIZEN_APP}),
    "EnforcementService/ExplainSubscription": frozenset(
        {Role.OPERATOR, Role.REGULATOR, Role.CITIZEN_APP}
    ),
    "PrivacyService/RequestExport": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/GetExport": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/Object": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/WithdrawObjection": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/Restrict": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/LiftRestriction": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/RequestErasure": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/GetDataRequest": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/ListDataRequests": frozenset({Role.CITIZEN_APP}),
    "PrivacyService/AcknowledgeDataRequest": frozenset({Role.REGULATOR}),
    "PrivacyService/DecideDataRequest": frozenset({Role.REGULATOR}),
    "PrivacyService/ListOpenDataRequests": frozenset({Role.REGULATOR}),
    "QualityService/GetReport": frozenset({Role.OPERATOR, Role.REGULATOR}),
}
"""Who may call what: `Service/Method` of package subid.v1, and the roles."""


def caller_uri(caller: Caller) -> str:
    """The URI that stands in a caller's certificate."""
    return f"{_PREFIX}{caller.role}:{caller.name}"


def identify(names: Iterable[str]) -> Caller:
    """The caller that a certificate's alternative names tell of.

    Raises:
        CallerUnknownError: None of them, or more than one, is an identity of ours.
    """
    ours = [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
    try:
        (identity,) = ours
        role, _, name = identity.partition(":")
        return Caller(Role(role), name)
    except ValueError as error:
        raise CallerUnknownError("the certificate names no caller of subid") from error


def authorise(caller: Caller, method: str) -> None:
    """Refuse a caller whose role may not call a method.

    Raises:
        PermissionRefusedError: The table does not allow it.
    """
    if caller.role not in PERMISSIONS.get(method, frozenset()):
        raise PermissionRefusedError(f"role {caller.role} may not call {method}")
