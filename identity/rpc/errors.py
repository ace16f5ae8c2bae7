"""The one table from domain errors to gRPC statuses.

Owns how a refusal looks on the wire: code, message, `ErrorInfo` with the stable reason,
`BadRequest` with the fields at fault, `RetryInfo` where a retry helps. Anything that is not a
domain error is a bug: constant text and a correlation id, details only in the log.
"""

from collections.abc import Mapping

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from identity.domain import errors

DOMAIN = "subid"
"""The `domain` of every ErrorInfo."""

VIOLATIONS_MAX = 20
"""Fields that one refusal names; a person corrects no more at once."""

VIOLATION_BYTES_MAX = 4 * 1024
"""What they take at most. They travel as metadata, of which common clients accept 8 KiB in all."""

STATUS_CODES: Mapping[type[errors.DomainError], grpc.StatusCode] = {
    errors.PersonalIDMalformedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.MSISDNMalformedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.FullNameMalformedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.PointOfSaleMalformedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.ProvinceCodeMalformedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.DateImpossibleError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.ValueMissingError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.RequestInvalidError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.RequestIDReusedError: grpc.StatusCode.ALREADY_EXISTS,
    errors.ImportSequenceError: grpc.StatusCode.INVALID_ARGUMENT,
    # Not DEADLINE_EXCEEDED, which is the caller's own deadline, nor UNAVAILABLE, on which clients
    # repeat a call by themselves: ABORTED asks for the whole stream again, from its beginning.
    errors.StreamIdleError: grpc.StatusCode.ABORTED,
    errors.SubscriptionNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.SubscriptionExistsError: grpc.StatusCode.ALREADY_EXISTS,
    errors.NumberInServiceElsewhereError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.TerminationPendingError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.RegistrationRequiredError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.NumberQuarantinedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.CitizenNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.CitizenExistsError: grpc.StatusCode.ALREADY_EXISTS,
    errors.PersonalIDRetiredError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.VerificationNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.VerificationUsedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.VerificationExpiredError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.VerificationThrottledError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.VerificationChannelClosedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.PrimaryNotEligibleError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.EventInvalidError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.AcknowledgementUnsignedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.WaveNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.WaveInvalidError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.WaveNotReadyError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ChoicesLockedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.StepUpRequiredError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ChangeNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.DataRequestNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.DataRequestClosedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ErasureNotYetError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.DisputeNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.DisputeExistsError: grpc.StatusCode.ALREADY_EXISTS,
    errors.DisputeInvalidError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.DisputeNotReadyError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.DisputeEvidenceFullError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.NumberInDisputeError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ArrangementNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.ArrangementExistsError: grpc.StatusCode.ALREADY_EXISTS,
    errors.ArrangementInvalidError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ArrangementNotReadyError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ArrangementLimitError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ActingRefusedError: grpc.StatusCode.PERMISSION_DENIED,
    errors.ClockBackwardsError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.InstantInFutureError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.QualityNotMeasuredError: grpc.StatusCode.NOT_FOUND,
    errors.PageTokenInvalidError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.CallerUnknownError: grpc.StatusCode.UNAUTHENTICATED,
    errors.CertificateRefusedError: grpc.StatusCode.UNAUTHENTICATED,
    errors.AssertionMissingError: grpc.StatusCode.UNAUTHENTICATED,
    errors.AssertionInvalidError: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionRefusedError: grpc.StatusCode.PERMISSION_DENIED,
    errors.AgencyNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.PurposeNotAllowedError: grpc.StatusCode.PERMISSION_DENIED,
    errors.QuotaExceededError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.TemplateExistsError: grpc.StatusCode.ALREADY_EXISTS,
    errors.TemplateNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.NotificationNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.MatchingStoppedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.LookupsStoppedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.RateLimitedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    # Sent again it ends the same way: the caller must begin anew.
    errors.PositionExpiredError: grpc.StatusCode.OUT_OF_RANGE,
    errors.WatcherTooSlowError: grpc.StatusCode.ABORTED,
    errors.AuditEntryNotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.AuditNotSealedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.TreeSizeInvalidError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.CosignatureRefusedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.CallTooLongError: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.OverloadedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.ContendedError: grpc.StatusCode.ABORTED,
    errors.StorageUnavailableError: grpc.StatusCode.UNAVAILABLE,
    # Sent again it ends the same way: only the owner of the service can put it right.
    errors.RecordUnreadableError: grpc.StatusCode.DATA_LOSS,
}


def status_of(error: errors.DomainError, *, correlation_id: str) -> status_pb2.Status:
    """The rich status of a refusal."""
    details = [_packed(_error_info(error.reason, correlation_id))]
    message = str(error)
    if violations := _violations(error):
        bad_request = _bad_request(violations)
        details.append(_packed(bad_request))
        if len(bad_request.field_violations) < len(violations):
            message += f"; the first {len(bad_request.field_violations)} are named"
    if error.retry_after_s is not None:
        details.append(_packed(_retry_info(error.retry_after_s)))
    code: int = STATUS_CODES[type(error)].value[0]
    return status_pb2.Status(code=code, message=message, details=details)


def status_of_bug(*, correlation_id: str) -> status_pb2.Status:
    """The status of anything unexpected: it tells nothing but where to look it up."""
    code: int = grpc.StatusCode.INTERNAL.value[0]
    return status_pb2.Status(
        code=code,
        message="internal error",
        details=[_packed(_error_info("INTERNAL", correlation_id))],
    )


def _violations(error: errors.DomainError) -> tuple[errors.FieldViolation, ...]:
    if isinstance(error, errors.RequestInvalidError):
        return error.violations
    if isinstance(error, errors.MalformedValueError):
        return (violation_of(error, field=error.field),)
    return ()


def violation_of(error: errors.MalformedValueError, *, field: str) -> errors.FieldViolation:
    """A malformed value as the violation of the field it stood in."""
    return errors.FieldViolation(field=field, reason=error.reason, description=str(error))


def _error_info(reason: str, correlation_id: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(
        reason=reason, domain=DOMAIN, metadata={"correlation_id": correlation_id}
    )


def _bad_request(violations: tuple[errors.FieldViolation, ...]) -> error_details_pb2.BadRequest:
    """As many violations, from the first, as may be named."""
    told = error_details_pb2.BadRequest()
    for violation in violations[:VIOLATIONS_MAX]:
        told.field_violations.add(
            field=violation.field, reason=violation.reason, description=violation.description
        )
        if told.ByteSize() > VIOLATION_BYTES_MAX:
            del told.field_violations[-1]
            break
    return told


def _retry_info(delay_s: float) -> error_details_pb2.RetryInfo:
    seconds = int(delay_s)
    nanos = int((delay_s - seconds) * 1e9)
    return error_details_pb2.RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos))


def _packed(
    detail: error_details_pb2.ErrorInfo
    | error_details_pb2.BadRequest
    | error_details_pb2.RetryInfo,
) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed
