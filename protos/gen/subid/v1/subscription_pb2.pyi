import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServiceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_STATE_UNSPECIFIED: _ClassVar[ServiceState]
    SERVICE_STATE_INACTIVE: _ClassVar[ServiceState]
    SERVICE_STATE_ACTIVE: _ClassVar[ServiceState]
    SERVICE_STATE_OUTGOING_BLOCKED: _ClassVar[ServiceState]
    SERVICE_STATE_SUSPENDED: _ClassVar[ServiceState]
    SERVICE_STATE_TERMINATED: _ClassVar[ServiceState]

class LinkState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINK_STATE_UNSPECIFIED: _ClassVar[LinkState]
    LINK_STATE_LINKED: _ClassVar[LinkState]
    LINK_STATE_MISMATCHED: _ClassVar[LinkState]
    LINK_STATE_NOT_FOUND: _ClassVar[LinkState]
    LINK_STATE_DECEASED: _ClassVar[LinkState]

class FieldResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIELD_RESULT_UNSPECIFIED: _ClassVar[FieldResult]
    FIELD_RESULT_MATCH: _ClassVar[FieldResult]
    FIELD_RESULT_MISMATCH: _ClassVar[FieldResult]
    FIELD_RESULT_NOT_AVAILABLE: _ClassVar[FieldResult]
    FIELD_RESULT_UNDECIDED: _ClassVar[FieldResult]

class FieldSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIELD_SOURCE_UNSPECIFIED: _ClassVar[FieldSource]
    FIELD_SOURCE_CHIP: _ClassVar[FieldSource]
    FIELD_SOURCE_POPULATION_RECORD: _ClassVar[FieldSource]
    FIELD_SOURCE_CLAIM: _ClassVar[FieldSource]

class NameAgreement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NAME_AGREEMENT_UNSPECIFIED: _ClassVar[NameAgreement]
    NAME_AGREEMENT_UNACCENTED: _ClassVar[NameAgreement]
    NAME_AGREEMENT_ACCENTS_DIFFER: _ClassVar[NameAgreement]
    NAME_AGREEMENT_REORDERED: _ClassVar[NameAgreement]
    NAME_AGREEMENT_INITIALS: _ClassVar[NameAgreement]
    NAME_AGREEMENT_DIFFERENT: _ClassVar[NameAgreement]
SERVICE_STATE_UNSPECIFIED: ServiceState
SERVICE_STATE_INACTIVE: ServiceState
SERVICE_STATE_ACTIVE: ServiceState
SERVICE_STATE_OUTGOING_BLOCKED: ServiceState
SERVICE_STATE_SUSPENDED: ServiceState
SERVICE_STATE_TERMINATED: ServiceState
LINK_STATE_UNSPECIFIED: LinkState
LINK_STATE_LINKED: LinkState
LINK_STATE_MISMATCHED: LinkState
LINK_STATE_NOT_FOUND: LinkState
LINK_STATE_DECEASED: LinkState
FIELD_RESULT_UNSPECIFIED: FieldResult
FIELD_RESULT_MATCH: FieldResult
FIELD_RESULT_MISMATCH: FieldResult
FIELD_RESULT_NOT_AVAILABLE: FieldResult
FIELD_RESULT_UNDECIDED: FieldResult
FIELD_SOURCE_UNSPECIFIED: FieldSource
FIELD_SOURCE_CHIP: FieldSource
FIELD_SOURCE_POPULATION_RECORD: FieldSource
FIELD_SOURCE_CLAIM: FieldSource
NAME_AGREEMENT_UNSPECIFIED: NameAgreement
NAME_AGREEMENT_UNACCENTED: NameAgreement
NAME_AGREEMENT_ACCENTS_DIFFER: NameAgreement
NAME_AGREEMENT_REORDERED: NameAgreement
NAME_AGREEMENT_INITIALS: NameAgreement
NAME_AGREEMENT_DIFFERENT: NameAgreement

class FieldOutcome(_message.Message):
    __slots__ = ("result", "score", "source", "agreement")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    result: FieldResult
    score: int
    source: FieldSource
    agreement: NameAgreement
    def __init__(self, result: _Optional[_Union[FieldResult, str]] = ..., score: _Optional[int] = ..., source: _Optional[_Union[FieldSource, str]] = ..., agreement: _Optional[_Union[NameAgreement, str]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("state", "personal_id", "full_name", "birth_date")
    STATE_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    state: LinkState
    personal_id: FieldOutcome
    full_name: FieldOutcome
    birth_date: FieldOutcome
    def __init__(self, state: _Optional[_Union[LinkState, str]] = ..., personal_id: _Optional[_Union[FieldOutcome, _Mapping]] = ..., full_name: _Optional[_Union[FieldOutcome, _Mapping]] = ..., birth_date: _Optional[_Union[FieldOutcome, _Mapping]] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("subscription_id", "msisdn", "operator_id", "service_state", "applied_state", "link", "verify_time", "has_open_case", "is_primary", "create_time", "update_time", "is_company_line")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_STATE_FIELD_NUMBER: _ClassVar[int]
    APPLIED_STATE_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    HAS_OPEN_CASE_FIELD_NUMBER: _ClassVar[int]
    IS_PRIMARY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    IS_COMPANY_LINE_FIELD_NUMBER: _ClassVar[int]
    subscription_id: str
    msisdn: str
    operator_id: str
    service_state: ServiceState
    applied_state: ServiceState
    link: Link
    verify_time: _timestamp_pb2.Timestamp
    has_open_case: bool
    is_primary: bool
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    is_company_line: bool
    def __init__(self, subscription_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., operator_id: _Optional[str] = ..., service_state: _Optional[_Union[ServiceState, str]] = ..., applied_state: _Optional[_Union[ServiceState, str]] = ..., link: _Optional[_Union[Link, _Mapping]] = ..., verify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., has_open_case: _Optional[bool] = ..., is_primary: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_company_line: _Optional[bool] = ...) -> None: ...
