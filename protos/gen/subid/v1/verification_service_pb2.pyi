import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import agency_pb2 as _agency_pb2
from subid.v1 import subscription_pb2 as _subscription_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Requirement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REQUIREMENT_UNSPECIFIED: _ClassVar[Requirement]
    REQUIREMENT_CHIP_FILES: _ClassVar[Requirement]
    REQUIREMENT_ACTIVE_AUTHENTICATION: _ClassVar[Requirement]
    REQUIREMENT_PROBE_PHOTOGRAPHS: _ClassVar[Requirement]

class VerdictState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_STATE_UNSPECIFIED: _ClassVar[VerdictState]
    VERDICT_STATE_VERIFIED: _ClassVar[VerdictState]
    VERDICT_STATE_NOT_VERIFIED: _ClassVar[VerdictState]
    VERDICT_STATE_FAILURE_TO_ACQUIRE: _ClassVar[VerdictState]
    VERDICT_STATE_REVIEW: _ClassVar[VerdictState]

class VerificationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERIFICATION_STATE_UNSPECIFIED: _ClassVar[VerificationState]
    VERIFICATION_STATE_PENDING: _ClassVar[VerificationState]
    VERIFICATION_STATE_PROCESSING: _ClassVar[VerificationState]
    VERIFICATION_STATE_COMPLETED: _ClassVar[VerificationState]
    VERIFICATION_STATE_EXPIRED: _ClassVar[VerificationState]

class PresenceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRESENCE_STATE_UNSPECIFIED: _ClassVar[PresenceState]
    PRESENCE_STATE_PRESENT: _ClassVar[PresenceState]
    PRESENCE_STATE_NOT_PRESENT: _ClassVar[PresenceState]
    PRESENCE_STATE_INCONCLUSIVE: _ClassVar[PresenceState]
REQUIREMENT_UNSPECIFIED: Requirement
REQUIREMENT_CHIP_FILES: Requirement
REQUIREMENT_ACTIVE_AUTHENTICATION: Requirement
REQUIREMENT_PROBE_PHOTOGRAPHS: Requirement
VERDICT_STATE_UNSPECIFIED: VerdictState
VERDICT_STATE_VERIFIED: VerdictState
VERDICT_STATE_NOT_VERIFIED: VerdictState
VERDICT_STATE_FAILURE_TO_ACQUIRE: VerdictState
VERDICT_STATE_REVIEW: VerdictState
VERIFICATION_STATE_UNSPECIFIED: VerificationState
VERIFICATION_STATE_PENDING: VerificationState
VERIFICATION_STATE_PROCESSING: VerificationState
VERIFICATION_STATE_COMPLETED: VerificationState
VERIFICATION_STATE_EXPIRED: VerificationState
PRESENCE_STATE_UNSPECIFIED: PresenceState
PRESENCE_STATE_PRESENT: PresenceState
PRESENCE_STATE_NOT_PRESENT: PresenceState
PRESENCE_STATE_INCONCLUSIVE: PresenceState

class Verdict(_message.Message):
    __slots__ = ("state", "reasons", "personal_id", "full_name", "birth_date", "face", "chip_codes", "acquisition_failure", "decide_time", "policy_version", "portrait_age_years", "acquisition_advice")
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    FACE_FIELD_NUMBER: _ClassVar[int]
    CHIP_CODES_FIELD_NUMBER: _ClassVar[int]
    ACQUISITION_FAILURE_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    PORTRAIT_AGE_YEARS_FIELD_NUMBER: _ClassVar[int]
    ACQUISITION_ADVICE_FIELD_NUMBER: _ClassVar[int]
    state: VerdictState
    reasons: _containers.RepeatedScalarFieldContainer[str]
    personal_id: _subscription_pb2.FieldOutcome
    full_name: _subscription_pb2.FieldOutcome
    birth_date: _subscription_pb2.FieldOutcome
    face: _subscription_pb2.FieldOutcome
    chip_codes: _containers.RepeatedScalarFieldContainer[str]
    acquisition_failure: str
    decide_time: _timestamp_pb2.Timestamp
    policy_version: str
    portrait_age_years: int
    acquisition_advice: AcquisitionAdvice
    def __init__(self, state: _Optional[_Union[VerdictState, str]] = ..., reasons: _Optional[_Iterable[str]] = ..., personal_id: _Optional[_Union[_subscription_pb2.FieldOutcome, _Mapping]] = ..., full_name: _Optional[_Union[_subscription_pb2.FieldOutcome, _Mapping]] = ..., birth_date: _Optional[_Union[_subscription_pb2.FieldOutcome, _Mapping]] = ..., face: _Optional[_Union[_subscription_pb2.FieldOutcome, _Mapping]] = ..., chip_codes: _Optional[_Iterable[str]] = ..., acquisition_failure: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., policy_version: _Optional[str] = ..., portrait_age_years: _Optional[int] = ..., acquisition_advice: _Optional[_Union[AcquisitionAdvice, _Mapping]] = ...) -> None: ...

class AcquisitionAdvice(_message.Message):
    __slots__ = ("vietnamese", "english")
    VIETNAMESE_FIELD_NUMBER: _ClassVar[int]
    ENGLISH_FIELD_NUMBER: _ClassVar[int]
    vietnamese: str
    english: str
    def __init__(self, vietnamese: _Optional[str] = ..., english: _Optional[str] = ...) -> None: ...

class StartVerificationRequest(_message.Message):
    __slots__ = ("request_id", "msisdn", "personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    msisdn: str
    personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class StartVerificationResponse(_message.Message):
    __slots__ = ("verification_id", "chip_nonce", "requirements", "expire_time", "further_chip_nonces", "nonce_expire_time")
    VERIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHIP_NONCE_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    FURTHER_CHIP_NONCES_FIELD_NUMBER: _ClassVar[int]
    NONCE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    verification_id: str
    chip_nonce: bytes
    requirements: _containers.RepeatedScalarFieldContainer[Requirement]
    expire_time: _timestamp_pb2.Timestamp
    further_chip_nonces: _containers.RepeatedScalarFieldContainer[bytes]
    nonce_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, verification_id: _Optional[str] = ..., chip_nonce: _Optional[bytes] = ..., requirements: _Optional[_Iterable[_Union[Requirement, str]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., further_chip_nonces: _Optional[_Iterable[bytes]] = ..., nonce_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ChipFiles(_message.Message):
    __slots__ = ("sod", "dg1", "dg2", "dg13", "dg14", "dg15")
    SOD_FIELD_NUMBER: _ClassVar[int]
    DG1_FIELD_NUMBER: _ClassVar[int]
    DG2_FIELD_NUMBER: _ClassVar[int]
    DG13_FIELD_NUMBER: _ClassVar[int]
    DG14_FIELD_NUMBER: _ClassVar[int]
    DG15_FIELD_NUMBER: _ClassVar[int]
    sod: bytes
    dg1: bytes
    dg2: bytes
    dg13: bytes
    dg14: bytes
    dg15: bytes
    def __init__(self, sod: _Optional[bytes] = ..., dg1: _Optional[bytes] = ..., dg2: _Optional[bytes] = ..., dg13: _Optional[bytes] = ..., dg14: _Optional[bytes] = ..., dg15: _Optional[bytes] = ...) -> None: ...

class CompleteVerificationRequest(_message.Message):
    __slots__ = ("request_id", "verification_id", "chip_files", "active_authentication_signature", "probe_photographs", "further_active_authentication_signatures", "chip_nonce")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHIP_FILES_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_AUTHENTICATION_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    PROBE_PHOTOGRAPHS_FIELD_NUMBER: _ClassVar[int]
    FURTHER_ACTIVE_AUTHENTICATION_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    CHIP_NONCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    verification_id: str
    chip_files: ChipFiles
    active_authentication_signature: bytes
    probe_photographs: _containers.RepeatedScalarFieldContainer[bytes]
    further_active_authentication_signatures: _containers.RepeatedScalarFieldContainer[bytes]
    chip_nonce: bytes
    def __init__(self, request_id: _Optional[str] = ..., verification_id: _Optional[str] = ..., chip_files: _Optional[_Union[ChipFiles, _Mapping]] = ..., active_authentication_signature: _Optional[bytes] = ..., probe_photographs: _Optional[_Iterable[bytes]] = ..., further_active_authentication_signatures: _Optional[_Iterable[bytes]] = ..., chip_nonce: _Optional[bytes] = ...) -> None: ...

class CompleteVerificationResponse(_message.Message):
    __slots__ = ("verdict", "service_state")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_STATE_FIELD_NUMBER: _ClassVar[int]
    verdict: Verdict
    service_state: _subscription_pb2.ServiceState
    def __init__(self, verdict: _Optional[_Union[Verdict, _Mapping]] = ..., service_state: _Optional[_Union[_subscription_pb2.ServiceState, str]] = ...) -> None: ...

class GetVerificationRequest(_message.Message):
    __slots__ = ("verification_id",)
    VERIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    verification_id: str
    def __init__(self, verification_id: _Optional[str] = ...) -> None: ...

class GetVerificationResponse(_message.Message):
    __slots__ = ("state", "verdict", "expire_time")
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    state: VerificationState
    verdict: Verdict
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, state: _Optional[_Union[VerificationState, str]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StartPresenceRequest(_message.Message):
    __slots__ = ("request_id", "grounds", "with_face")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    WITH_FACE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    grounds: _agency_pb2.Grounds
    with_face: bool
    def __init__(self, request_id: _Optional[str] = ..., grounds: _Optional[_Union[_agency_pb2.Grounds, _Mapping]] = ..., with_face: _Optional[bool] = ...) -> None: ...

class StartPresenceResponse(_message.Message):
    __slots__ = ("verification_id", "chip_nonce", "requirements", "expire_time", "further_chip_nonces", "nonce_expire_time")
    VERIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHIP_NONCE_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    FURTHER_CHIP_NONCES_FIELD_NUMBER: _ClassVar[int]
    NONCE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    verification_id: str
    chip_nonce: bytes
    requirements: _containers.RepeatedScalarFieldContainer[Requirement]
    expire_time: _timestamp_pb2.Timestamp
    further_chip_nonces: _containers.RepeatedScalarFieldContainer[bytes]
    nonce_expire_time: _timestamp_pb2.Timestamp
    def __init__(self, verification_id: _Optional[str] = ..., chip_nonce: _Optional[bytes] = ..., requirements: _Optional[_Iterable[_Union[Requirement, str]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., further_chip_nonces: _Optional[_Iterable[bytes]] = ..., nonce_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CompletePresenceRequest(_message.Message):
    __slots__ = ("request_id", "verification_id", "chip_files", "active_authentication_signature", "probe_photographs", "further_active_authentication_signatures", "chip_nonce")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHIP_FILES_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_AUTHENTICATION_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    PROBE_PHOTOGRAPHS_FIELD_NUMBER: _ClassVar[int]
    FURTHER_ACTIVE_AUTHENTICATION_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    CHIP_NONCE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    verification_id: str
    chip_files: ChipFiles
    active_authentication_signature: bytes
    probe_photographs: _containers.RepeatedScalarFieldContainer[bytes]
    further_active_authentication_signatures: _containers.RepeatedScalarFieldContainer[bytes]
    chip_nonce: bytes
    def __init__(self, request_id: _Optional[str] = ..., verification_id: _Optional[str] = ..., chip_files: _Optional[_Union[ChipFiles, _Mapping]] = ..., active_authentication_signature: _Optional[bytes] = ..., probe_photographs: _Optional[_Iterable[bytes]] = ..., further_active_authentication_signatures: _Optional[_Iterable[bytes]] = ..., chip_nonce: _Optional[bytes] = ...) -> None: ...

class CompletePresenceResponse(_message.Message):
    __slots__ = ("state", "reasons", "chip_codes", "acquisition_failure", "acquisition_advice", "decide_time", "policy_version", "token")
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    CHIP_CODES_FIELD_NUMBER: _ClassVar[int]
    ACQUISITION_FAILURE_FIELD_NUMBER: _ClassVar[int]
    ACQUISITION_ADVICE_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    state: PresenceState
    reasons: _containers.RepeatedScalarFieldContainer[str]
    chip_codes: _containers.RepeatedScalarFieldContainer[str]
    acquisition_failure: str
    acquisition_advice: AcquisitionAdvice
    decide_time: _timestamp_pb2.Timestamp
    policy_version: str
    token: str
    def __init__(self, state: _Optional[_Union[PresenceState, str]] = ..., reasons: _Optional[_Iterable[str]] = ..., chip_codes: _Optional[_Iterable[str]] = ..., acquisition_failure: _Optional[str] = ..., acquisition_advice: _Optional[_Union[AcquisitionAdvice, _Mapping]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., policy_version: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class GetPresenceKeysRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPresenceKeysResponse(_message.Message):
    __slots__ = ("key_set",)
    KEY_SET_FIELD_NUMBER: _ClassVar[int]
    key_set: str
    def __init__(self, key_set: _Optional[str] = ...) -> None: ...
