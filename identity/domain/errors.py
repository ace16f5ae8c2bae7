"""Every way in which a caller can be told no.

Owns the vocabulary of domain errors: one leaf class for each thing a caller can act on, each with
a stable, append-only `reason`. Knows nothing of gRPC: `identity/rpc/errors.py` maps each leaf to a
status. Expected ends (a non-match, a mismatch) are returned values, never errors.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class FieldViolation:
    """One field of a request at fault.

    Attributes:
        field: Path in the request message, such as `holder.personal_id`.
        reason: Stable reason of the fault, such as `PERSONAL_ID_MALFORMED`.
        description: What is wrong, in a sentence that never repeats the value.
    """

    field: str
    reason: str
    description: str


class DomainError(Exception):
    """A refusal that the caller can act on. Only leaves are raised."""

    reason: ClassVar[str]
    retry_after_s: float | None = None


class MalformedValueError(DomainError):
    """A value that cannot be what its field demands. The message never repeats the value."""

    field: ClassVar[str]


class PersonalIDMalformedError(MalformedValueError):
    """Not exactly twelve digits 0-9."""

    reason = "PERSONAL_ID_MALFORMED"
    field = "personal_id"


class MSISDNMalformedError(MalformedValueError):
    """Not a Vietnamese mobile number in any accepted form."""

    reason = "MSISDN_MALFORMED"
    field = "msisdn"


class FullNameMalformedError(MalformedValueError):
    """Empty, longer than 100 characters, or holding what no name holds."""

    reason = "FULL_NAME_MALFORMED"
    field = "full_name"


class DateImpossibleError(MalformedValueError):
    """A day that is not in the calendar, or outside the years that the field allows."""

    reason = "DATE_IMPOSSIBLE"
    field = "date"


class PointOfSaleMalformedError(MalformedValueError):
    """Not 1 to 64 letters, digits and `. _ - /` of ASCII."""

    reason = "POINT_OF_SALE_MALFORMED"
    field = "point_of_sale"


class ProvinceCodeMalformedError(MalformedValueError):
    """Not two digits."""

    reason = "PROVINCE_CODE_MALFORMED"
    field = "province_code"


class ValueMissingError(MalformedValueError):
    """A field that must be there is not."""

    reason = "VALUE_MISSING"
    field = ""


class RequestInvalidError(DomainError):
    """A request that breaks the limits its contract states.

    Attributes:
        violations: Every field at fault, at least one.
    """

    reason = "REQUEST_INVALID"

    def __init__(self, violations: tuple[FieldViolation, ...]) -> None:
        super().__init__(f"{len(violations)} field(s) break the limits of the contract")
        self.violations = violations


class RequestIDReusedError(DomainError):
    """The request_id was used before with another method or body."""

    reason = "REQUEST_ID_REUSED"


class ImportSequenceError(DomainError):
    """An import's batches do not follow one another."""

    reason = "IMPORT_SEQUENCE_BROKEN"


class StreamIdleError(DomainError):
    """A call was opened and its next message did not come in time."""

    reason = "STREAM_IDLE"


class SubscriptionNotFoundError(DomainError):
    """No such number, or none that this caller may know of: the two are never told apart."""

    reason = "SUBSCRIPTION_NOT_FOUND"


class SubscriptionExistsError(DomainError):
    """The operator has this number in its book already."""

    reason = "SUBSCRIPTION_EXISTS"


class NumberInServiceElsewhereError(DomainError):
    """Another operator has the number; it must report PORT_OUT or RELEASE first."""

    reason = "NUMBER_IN_SERVICE_ELSEWHERE"


class TerminationPendingError(DomainError):
    """The number was ordered terminated, and its operator has not acknowledged it yet."""

    reason = "TERMINATION_PENDING"


class RegistrationRequiredError(DomainError):
    """The operator has had this number before: it comes back by registration and verification."""

    reason = "REGISTRATION_REQUIRED"


class NumberQuarantinedError(DomainError):
    """The number was given up of late: nobody gets it before the quarantine ends."""

    reason = "NUMBER_QUARANTINED"


class CitizenNotFoundError(DomainError):
    """No population record has this personal ID."""

    reason = "CITIZEN_NOT_FOUND"


class CitizenExistsError(DomainError):
    """A birth was reported for a personal ID that has a record."""

    reason = "CITIZEN_EXISTS"


class PersonalIDRetiredError(DomainError):
    """The records under this personal ID were merged into another's; nothing is changed there."""

    reason = "PERSONAL_ID_RETIRED"


class VerificationNotFoundError(DomainError):
    """No such session, or none that this caller may know of."""

    reason = "VERIFICATION_NOT_FOUND"


class VerificationUsedError(DomainError):
    """The session has served its one CompleteVerification."""

    reason = "VERIFICATION_USED"


class VerificationExpiredError(DomainError):
    """The session's time ran out, or its number has another holder since."""

    reason = "VERIFICATION_EXPIRED"


class VerificationThrottledError(DomainError):
    """Several attempts failed in a row: the next one waits."""

    reason = "VERIFICATION_THROTTLED"
    retry_after_s = 30.0


class VerificationChannelClosedError(DomainError):
    """So many attempts failed here that the holder is to be verified through another channel."""

    reason = "VERIFICATION_CHANNEL_CLOSED"


class PrimaryNotEligibleError(DomainError):
    """The number is not the citizen's own, linked, verified and in service."""

    reason = "PRIMARY_NOT_ELIGIBLE"


class EventInvalidError(DomainError):
    """The event does not fit the state that the subscription is in."""

    reason = "EVENT_INVALID"


class AcknowledgementUnsignedError(DomainError):
    """The signature over the acknowledgements is not by the key of the caller's certificate."""

    reason = "ACKNOWLEDGEMENT_UNSIGNED"


class WaveNotFoundError(DomainError):
    """There is no such wave."""

    reason = "WAVE_NOT_FOUND"


class WaveInvalidError(DomainError):
    """No ladder in force leaves this step to waves."""

    reason = "WAVE_INVALID"


class WaveNotReadyError(DomainError):
    """The wave is not in a state in which this can be done with it."""

    reason = "WAVE_NOT_READY"


class DisputeNotFoundError(DomainError):
    """No such dispute, or none that this caller may know of: the two are never told apart."""

    reason = "DISPUTE_NOT_FOUND"


class DisputeExistsError(DomainError):
    """The number is in dispute already."""

    reason = "DISPUTE_EXISTS"


class DisputeInvalidError(DomainError):
    """This person cannot claim this number: its holder, nobody to verify, or heard already."""

    reason = "DISPUTE_INVALID"


class DisputeNotReadyError(DomainError):
    """The dispute is not in a state in which this can be done with it, or not by this caller."""

    reason = "DISPUTE_NOT_READY"


class DisputeEvidenceFullError(DomainError):
    """This party has added as much evidence as one may."""

    reason = "DISPUTE_EVIDENCE_FULL"


class NumberInDisputeError(DomainError):
    """Two people claim the number: it is given to nobody before there is a decision."""

    reason = "NUMBER_IN_DISPUTE"


class ClockBackwardsError(DomainError):
    """Enforcement has run up to a later instant already."""

    reason = "CLOCK_BACKWARDS"


class InstantInFutureError(DomainError):
    """The instant lies after now, and the clock is a real one."""

    reason = "INSTANT_IN_FUTURE"


class ChoicesLockedError(DomainError):
    """The citizen has locked new numbers and new choices of the primary one."""

    reason = "CHOICES_LOCKED"


class StepUpRequiredError(DomainError):
    """It takes a fresh verification of the citizen by chip and face."""

    reason = "STEP_UP_REQUIRED"


class ChangeNotFoundError(DomainError):
    """No such change of the primary number is pending."""

    reason = "CHANGE_NOT_FOUND"


class DataRequestNotFoundError(DomainError):
    """No such request of this citizen about their data."""

    reason = "DATA_REQUEST_NOT_FOUND"


class DataRequestClosedError(DomainError):
    """The request about a citizen's data is over, or is none that anybody decides."""

    reason = "DATA_REQUEST_CLOSED"


class ErasureNotYetError(DomainError):
    """Something stands against erasing the person; the message says what, and until when."""

    reason = "ERASURE_NOT_YET"


class ArrangementNotFoundError(DomainError):
    """No such arrangement, or none that this caller may know of: the two are never told apart."""

    reason = "ARRANGEMENT_NOT_FOUND"


class ArrangementExistsError(DomainError):
    """The same was proposed before, and stands."""

    reason = "ARRANGEMENT_EXISTS"


class ArrangementInvalidError(DomainError):
    """The guardian cannot be one, or the operator's book names another user of the number."""

    reason = "ARRANGEMENT_INVALID"


class ArrangementNotReadyError(DomainError):
    """The arrangement is not in a state in which this can be done with it, or not by this side."""

    reason = "ARRANGEMENT_NOT_READY"


class ArrangementLimitError(DomainError):
    """There are as many as the policy pack allows."""

    reason = "ARRANGEMENT_LIMIT"


class ActingRefusedError(DomainError):
    """No guardianship holds between these two that allows this; whether one exists is not told."""

    reason = "ACTING_REFUSED"


class QualityNotMeasuredError(DomainError):
    """The quality of the data was not measured on that day, or never yet."""

    reason = "QUALITY_NOT_MEASURED"


class PageTokenInvalidError(MalformedValueError):
    """The page token was not issued by this method."""

    reason = "PAGE_TOKEN_INVALID"
    field = "page_token"


class CallerUnknownError(DomainError):
    """The connection carries no client certificate of ours."""

    reason = "CALLER_UNKNOWN"


class CertificateRefusedError(DomainError):
    """The certificate is revoked, has ended, or is by no authority that may name its caller."""

    reason = "CERTIFICATE_REFUSED"


class AssertionMissingError(DomainError):
    """A citizen app has not proved which citizen is there."""

    reason = "ASSERTION_MISSING"


class AssertionInvalidError(DomainError):
    """What a citizen app shows proves nothing: not signed, ended, or bound to somebody else."""

    reason = "ASSERTION_INVALID"


class PermissionRefusedError(DomainError):
    """The caller's role may not call this method."""

    reason = "PERMISSION_REFUSED"


class AgencyNotFoundError(DomainError):
    """No such agency is registered."""

    reason = "AGENCY_NOT_FOUND"


class PurposeNotAllowedError(DomainError):
    """The agency has no grant for this purpose on this legal basis, or none that covers this."""

    reason = "PURPOSE_NOT_ALLOWED"


class QuotaExceededError(DomainError):
    """The agency has asked about as many people as it may in a day."""

    reason = "QUOTA_EXCEEDED"
    retry_after_s = 86_400.0


class TemplateExistsError(DomainError):
    """The agency has a template of this name with other words; a template is never changed."""

    reason = "TEMPLATE_EXISTS"


class TemplateNotFoundError(DomainError):
    """The agency has no template of this name."""

    reason = "TEMPLATE_NOT_FOUND"


class NotificationNotFoundError(DomainError):
    """No such notification, or another agency's."""

    reason = "NOTIFICATION_NOT_FOUND"


class MatchingStoppedError(DomainError):
    """So much of the agency's matching failed that it looks like guessing; a person decides."""

    reason = "MATCHING_STOPPED"


class LookupsStoppedError(DomainError):
    """The caller's look-ups look like personal IDs or numbers tried out; a person decides."""

    reason = "LOOKUPS_STOPPED"


class RateLimitedError(DomainError):
    """Asked too often, or wrong too often; says when to ask again."""

    reason = "RATE_LIMITED"
    retry_after_s = 60.0


class PositionExpiredError(DomainError):
    """What came after this position of the feed is not kept any more."""

    reason = "POSITION_EXPIRED"


class WatcherTooSlowError(DomainError):
    """More has come than may wait for one who watches."""

    reason = "WATCHER_TOO_SLOW"


class CallTooLongError(DomainError):
    """The service gave the call up; what it was to change may be changed all the same."""

    reason = "CALL_TOO_LONG"
    retry_after_s = 1.0


class OverloadedError(DomainError):
    """More work is waiting than the service finishes in good time."""

    reason = "OVERLOADED"
    retry_after_s = 1.0


class AuditEntryNotFoundError(DomainError):
    """No such entry of the audit log, or not the caller's to know."""

    reason = "AUDIT_ENTRY_NOT_FOUND"


class AuditNotSealedError(DomainError):
    """The entry, or a head as it is asked for, is not sealed yet; soon it will be."""

    reason = "AUDIT_NOT_SEALED"
    retry_after_s = 1.0


class TreeSizeInvalidError(DomainError):
    """A tree of that size was not signed yet, or the sizes are the wrong way round."""

    reason = "TREE_SIZE_INVALID"


class CosignatureRefusedError(DomainError):
    """Not a co-signature of this witness under a head of this log."""

    reason = "COSIGNATURE_REFUSED"


class ContendedError(DomainError):
    """Others are changing the same numbers; the same request may come again."""

    reason = "CONTENDED"
    retry_after_s = 0.5


class StorageUnavailableError(DomainError):
    """The database cannot be reached; nothing was changed."""

    reason = "STORAGE_UNAVAILABLE"
    retry_after_s = 5.0


class RecordUnreadableError(DomainError):
    """What is stored does not open: its key is gone, or its bytes are not what was sealed."""

    reason = "RECORD_UNREADABLE"


def leaves(root: type[DomainError] = DomainError) -> tuple[type[DomainError], ...]:
    """Every error that can be raised, in order of definition."""
    below = root.__subclasses__()
    if not below:
        return (root,)
    return tuple(leaf for child in below for leaf in leaves(child))
