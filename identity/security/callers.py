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
    "CitizenService/ListSubscriptions": frozenset({Role.CITIZEN_APP}),
    "CitizenService/SetPrimaryNumber": frozenset({Role.CITIZEN_APP}),
    "CitizenService/GetPrimaryNumber": frozenset({Role.CITIZEN_APP}),
    "CitizenService/DisownSubscription": frozenset({Role.CITIZEN_APP}),
    "ContactService/GetContact": frozenset({Role.AGENCY}),
    "ContactService/BatchGetContacts": frozenset({Role.AGENCY}),
    "EnforcementService/AdvanceEnforcement": frozenset({Role.REGULATOR}),
    "EnforcementService/PullDirectives": frozenset({Role.OPERATOR}),
    "EnforcementService/AcknowledgeDirectives": frozenset({Role.OPERATOR}),
    "EnforcementService/ExplainSubscription": frozenset(
        {Role.OPERATOR, Role.REGULATOR, Role.CITIZEN_APP}
    ),
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
