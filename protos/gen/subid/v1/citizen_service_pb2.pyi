import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import agency_pb2 as _agency_pb2
from subid.v1 import enforcement_service_pb2 as _enforcement_service_pb2
from subid.v1 import subscription_pb2 as _subscription_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChoiceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHOICE_KIND_UNSPECIFIED: _ClassVar[ChoiceKind]
    CHOICE_KIND_SET: _ClassVar[ChoiceKind]
    CHOICE_KIND_CHANGE_ASKED: _ClassVar[ChoiceKind]
    CHOICE_KIND_CHANGE_VETOED: _ClassVar[ChoiceKind]
    CHOICE_KIND_CHANGE_LAPSED: _ClassVar[ChoiceKind]
    CHOICE_KIND_CHANGED: _ClassVar[ChoiceKind]
    CHOICE_KIND_CONFIRMED: _ClassVar[ChoiceKind]
    CHOICE_KIND_CLEARED: _ClassVar[ChoiceKind]
    CHOICE_KIND_FALLBACKS_RANKED: _ClassVar[ChoiceKind]
    CHOICE_KIND_LOCKED: _ClassVar[ChoiceKind]
    CHOICE_KIND_UNLOCKED: _ClassVar[ChoiceKind]
    CHOICE_KIND_CHANGE_WITHDRAWN: _ClassVar[ChoiceKind]

class ClearCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLEAR_CAUSE_UNSPECIFIED: _ClassVar[ClearCause]
    CLEAR_CAUSE_BLOCKED: _ClassVar[ClearCause]
    CLEAR_CAUSE_UNLINKED: _ClassVar[ClearCause]
    CLEAR_CAUSE_ENDED: _ClassVar[ClearCause]
    CLEAR_CAUSE_HANDED_OVER: _ClassVar[ClearCause]
    CLEAR_CAUSE_DECEASED: _ClassVar[ClearCause]
    CLEAR_CAUSE_DISOWNED: _ClassVar[ClearCause]
    CLEAR_CAUSE_COMPANY_LINE: _ClassVar[ClearCause]

class DisownKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DISOWN_KIND_UNSPECIFIED: _ClassVar[DisownKind]
    DISOWN_KIND_NOT_MINE: _ClassVar[DisownKind]
    DISOWN_KIND_NO_LONGER_USED: _ClassVar[DisownKind]

class AccessKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_KIND_UNSPECIFIED: _ClassVar[AccessKind]
    ACCESS_KIND_READ: _ClassVar[AccessKind]
    ACCESS_KIND_CHANGE: _ClassVar[AccessKind]
CHOICE_KIND_UNSPECIFIED: ChoiceKind
CHOICE_KIND_SET: ChoiceKind
CHOICE_KIND_CHANGE_ASKED: ChoiceKind
CHOICE_KIND_CHANGE_VETOED: ChoiceKind
CHOICE_KIND_CHANGE_LAPSED: ChoiceKind
CHOICE_KIND_CHANGED: ChoiceKind
CHOICE_KIND_CONFIRMED: ChoiceKind
CHOICE_KIND_CLEARED: ChoiceKind
CHOICE_KIND_FALLBACKS_RANKED: ChoiceKind
CHOICE_KIND_LOCKED: ChoiceKind
CHOICE_KIND_UNLOCKED: ChoiceKind
CHOICE_KIND_CHANGE_WITHDRAWN: ChoiceKind
CLEAR_CAUSE_UNSPECIFIED: ClearCause
CLEAR_CAUSE_BLOCKED: ClearCause
CLEAR_CAUSE_UNLINKED: ClearCause
CLEAR_CAUSE_ENDED: ClearCause
CLEAR_CAUSE_HANDED_OVER: ClearCause
CLEAR_CAUSE_DECEASED: ClearCause
CLEAR_CAUSE_DISOWNED: ClearCause
CLEAR_CAUSE_COMPANY_LINE: ClearCause
DISOWN_KIND_UNSPECIFIED: DisownKind
DISOWN_KIND_NOT_MINE: DisownKind
DISOWN_KIND_NO_LONGER_USED: DisownKind
ACCESS_KIND_UNSPECIFIED: AccessKind
ACCESS_KIND_READ: AccessKind
ACCESS_KIND_CHANGE: AccessKind

class CitizenServiceListSubscriptionsRequest(_message.Message):
    __slots__ = ("personal_id", "page_size", "page_token", "acting_personal_id")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    page_size: int
    page_token: str
    acting_personal_id: str
    def __init__(self, personal_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., acting_personal_id: _Optional[str] = ...) -> None: ...

class OpenCases(_message.Message):
    __slots__ = ("subscription_id", "cases")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    subscription_id: str
    cases: _containers.RepeatedCompositeFieldContainer[_enforcement_service_pb2.EnforcementCase]
    def __init__(self, subscription_id: _Optional[str] = ..., cases: _Optional[_Iterable[_Union[_enforcement_service_pb2.EnforcementCase, _Mapping]]] = ...) -> None: ...

class CitizenServiceListSubscriptionsResponse(_message.Message):
    __slots__ = ("subscriptions", "next_page_token", "open_cases")
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OPEN_CASES_FIELD_NUMBER: _ClassVar[int]
    subscriptions: _containers.RepeatedCompositeFieldContainer[_subscription_pb2.Subscription]
    next_page_token: str
    open_cases: _containers.RepeatedCompositeFieldContainer[OpenCases]
    def __init__(self, subscriptions: _Optional[_Iterable[_Union[_subscription_pb2.Subscription, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., open_cases: _Optional[_Iterable[_Union[OpenCases, _Mapping]]] = ...) -> None: ...

class SetPrimaryNumberRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "msisdn", "verification_id", "acting_personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    msisdn: str
    verification_id: str
    acting_personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., verification_id: _Optional[str] = ..., acting_personal_id: _Optional[str] = ...) -> None: ...

class PrimaryNumber(_message.Message):
    __slots__ = ("msisdn", "set_time", "confirm_time")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    SET_TIME_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_TIME_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    set_time: _timestamp_pb2.Timestamp
    confirm_time: _timestamp_pb2.Timestamp
    def __init__(self, msisdn: _Optional[str] = ..., set_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confirm_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PendingChange(_message.Message):
    __slots__ = ("change_id", "msisdn", "effective_time")
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    change_id: str
    msisdn: str
    effective_time: _timestamp_pb2.Timestamp
    def __init__(self, change_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SetPrimaryNumberResponse(_message.Message):
    __slots__ = ("primary_number", "pending_change")
    PRIMARY_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PENDING_CHANGE_FIELD_NUMBER: _ClassVar[int]
    primary_number: PrimaryNumber
    pending_change: PendingChange
    def __init__(self, primary_number: _Optional[_Union[PrimaryNumber, _Mapping]] = ..., pending_change: _Optional[_Union[PendingChange, _Mapping]] = ...) -> None: ...

class GetPrimaryNumberRequest(_message.Message):
    __slots__ = ("personal_id", "acting_personal_id")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    acting_personal_id: str
    def __init__(self, personal_id: _Optional[str] = ..., acting_personal_id: _Optional[str] = ...) -> None: ...

class GetPrimaryNumberResponse(_message.Message):
    __slots__ = ("primary_number", "pending_change", "fallback_msisdns", "is_locked", "open_until_time", "is_confirmation_due")
    PRIMARY_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PENDING_CHANGE_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_MSISDNS_FIELD_NUMBER: _ClassVar[int]
    IS_LOCKED_FIELD_NUMBER: _ClassVar[int]
    OPEN_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    IS_CONFIRMATION_DUE_FIELD_NUMBER: _ClassVar[int]
    primary_number: PrimaryNumber
    pending_change: PendingChange
    fallback_msisdns: _containers.RepeatedScalarFieldContainer[str]
    is_locked: bool
    open_until_time: _timestamp_pb2.Timestamp
    is_confirmation_due: bool
    def __init__(self, primary_number: _Optional[_Union[PrimaryNumber, _Mapping]] = ..., pending_change: _Optional[_Union[PendingChange, _Mapping]] = ..., fallback_msisdns: _Optional[_Iterable[str]] = ..., is_locked: _Optional[bool] = ..., open_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_confirmation_due: _Optional[bool] = ...) -> None: ...

class VetoPrimaryChangeRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "change_id", "acting_personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    change_id: str
    acting_personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., change_id: _Optional[str] = ..., acting_personal_id: _Optional[str] = ...) -> None: ...

class VetoPrimaryChangeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ConfirmPrimaryNumberRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "acting_personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    acting_personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., acting_personal_id: _Optional[str] = ...) -> None: ...

class ConfirmPrimaryNumberResponse(_message.Message):
    __slots__ = ("primary_number",)
    PRIMARY_NUMBER_FIELD_NUMBER: _ClassVar[int]
    primary_number: PrimaryNumber
    def __init__(self, primary_number: _Optional[_Union[PrimaryNumber, _Mapping]] = ...) -> None: ...

class SetFallbackNumbersRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "msisdns", "acting_personal_id", "verification_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDNS_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    msisdns: _containers.RepeatedScalarFieldContainer[str]
    acting_personal_id: str
    verification_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., msisdns: _Optional[_Iterable[str]] = ..., acting_personal_id: _Optional[str] = ..., verification_id: _Optional[str] = ...) -> None: ...

class SetFallbackNumbersResponse(_message.Message):
    __slots__ = ("msisdns",)
    MSISDNS_FIELD_NUMBER: _ClassVar[int]
    msisdns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, msisdns: _Optional[_Iterable[str]] = ...) -> None: ...

class SetLockRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "is_locked", "open_minutes", "acting_personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    IS_LOCKED_FIELD_NUMBER: _ClassVar[int]
    OPEN_MINUTES_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    is_locked: bool
    open_minutes: int
    acting_personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., is_locked: _Optional[bool] = ..., open_minutes: _Optional[int] = ..., acting_personal_id: _Optional[str] = ...) -> None: ...

class SetLockResponse(_message.Message):
    __slots__ = ("is_locked", "open_until_time")
    IS_LOCKED_FIELD_NUMBER: _ClassVar[int]
    OPEN_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    is_locked: bool
    open_until_time: _timestamp_pb2.Timestamp
    def __init__(self, is_locked: _Optional[bool] = ..., open_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListChoicesRequest(_message.Message):
    __slots__ = ("personal_id", "page_size", "page_token", "acting_personal_id")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    page_size: int
    page_token: str
    acting_personal_id: str
    def __init__(self, personal_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., acting_personal_id: _Optional[str] = ...) -> None: ...

class Choice(_message.Message):
    __slots__ = ("sequence", "happen_time", "kind", "caller", "subscription_id", "cause")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HAPPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    happen_time: _timestamp_pb2.Timestamp
    kind: ChoiceKind
    caller: str
    subscription_id: str
    cause: ClearCause
    def __init__(self, sequence: _Optional[int] = ..., happen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[ChoiceKind, str]] = ..., caller: _Optional[str] = ..., subscription_id: _Optional[str] = ..., cause: _Optional[_Union[ClearCause, str]] = ...) -> None: ...

class ListChoicesResponse(_message.Message):
    __slots__ = ("choices", "next_page_token")
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    choices: _containers.RepeatedCompositeFieldContainer[Choice]
    next_page_token: str
    def __init__(self, choices: _Optional[_Iterable[_Union[Choice, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListAccessesRequest(_message.Message):
    __slots__ = ("personal_id", "page_size", "page_token")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    page_size: int
    page_token: str
    def __init__(self, personal_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class Access(_message.Message):
    __slots__ = ("access_time", "caller", "kind", "action", "outcome", "fields", "purpose", "legal_basis", "case_id", "entry_id")
    ACCESS_TIME_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    access_time: _timestamp_pb2.Timestamp
    caller: str
    kind: AccessKind
    action: str
    outcome: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    purpose: _agency_pb2.Purpose
    legal_basis: str
    case_id: str
    entry_id: int
    def __init__(self, access_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., caller: _Optional[str] = ..., kind: _Optional[_Union[AccessKind, str]] = ..., action: _Optional[str] = ..., outcome: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., purpose: _Optional[_Union[_agency_pb2.Purpose, str]] = ..., legal_basis: _Optional[str] = ..., case_id: _Optional[str] = ..., entry_id: _Optional[int] = ...) -> None: ...

class ListAccessesResponse(_message.Message):
    __slots__ = ("accesses", "withheld_count", "next_page_token")
    ACCESSES_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    accesses: _containers.RepeatedCompositeFieldContainer[Access]
    withheld_count: int
    next_page_token: str
    def __init__(self, accesses: _Optional[_Iterable[_Union[Access, _Mapping]]] = ..., withheld_count: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DisownSubscriptionRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "msisdn", "kind", "acting_personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ACTING_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    msisdn: str
    kind: DisownKind
    acting_personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., kind: _Optional[_Union[DisownKind, str]] = ..., acting_personal_id: _Optional[str] = ...) -> None: ...

class DisownSubscriptionResponse(_message.Message):
    __slots__ = ("next_step_time",)
    NEXT_STEP_TIME_FIELD_NUMBER: _ClassVar[int]
    next_step_time: _timestamp_pb2.Timestamp
    def __init__(self, next_step_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
