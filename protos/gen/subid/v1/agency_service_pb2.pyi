import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import agency_pb2 as _agency_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Right(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RIGHT_UNSPECIFIED: _ClassVar[Right]
    RIGHT_NUMBER: _ClassVar[Right]
    RIGHT_MASKED_NUMBER: _ClassVar[Right]
    RIGHT_RELAY_TOKEN: _ClassVar[Right]
    RIGHT_REACHABILITY: _ClassVar[Right]
    RIGHT_ABSENCE_CAUSE: _ClassVar[Right]
    RIGHT_CONTACT_CHANGES: _ClassVar[Right]
    RIGHT_NOTIFY: _ClassVar[Right]
    RIGHT_DELIVERY_STATE: _ClassVar[Right]
    RIGHT_RECORD_MATCH: _ClassVar[Right]
    RIGHT_CHIP_PRESENCE: _ClassVar[Right]
    RIGHT_FACE_PRESENCE: _ClassVar[Right]
    RIGHT_PERSONAL_ID: _ClassVar[Right]
    RIGHT_EMBARGO: _ClassVar[Right]

class AgencyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGENCY_STATE_UNSPECIFIED: _ClassVar[AgencyState]
    AGENCY_STATE_ACTIVE: _ClassVar[AgencyState]
    AGENCY_STATE_SUSPENDED: _ClassVar[AgencyState]
RIGHT_UNSPECIFIED: Right
RIGHT_NUMBER: Right
RIGHT_MASKED_NUMBER: Right
RIGHT_RELAY_TOKEN: Right
RIGHT_REACHABILITY: Right
RIGHT_ABSENCE_CAUSE: Right
RIGHT_CONTACT_CHANGES: Right
RIGHT_NOTIFY: Right
RIGHT_DELIVERY_STATE: Right
RIGHT_RECORD_MATCH: Right
RIGHT_CHIP_PRESENCE: Right
RIGHT_FACE_PRESENCE: Right
RIGHT_PERSONAL_ID: Right
RIGHT_EMBARGO: Right
AGENCY_STATE_UNSPECIFIED: AgencyState
AGENCY_STATE_ACTIVE: AgencyState
AGENCY_STATE_SUSPENDED: AgencyState

class Grant(_message.Message):
    __slots__ = ("purpose", "legal_bases", "rights", "people_per_day_max")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASES_FIELD_NUMBER: _ClassVar[int]
    RIGHTS_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_PER_DAY_MAX_FIELD_NUMBER: _ClassVar[int]
    purpose: _agency_pb2.Purpose
    legal_bases: _containers.RepeatedScalarFieldContainer[str]
    rights: _containers.RepeatedScalarFieldContainer[Right]
    people_per_day_max: int
    def __init__(self, purpose: _Optional[_Union[_agency_pb2.Purpose, str]] = ..., legal_bases: _Optional[_Iterable[str]] = ..., rights: _Optional[_Iterable[_Union[Right, str]]] = ..., people_per_day_max: _Optional[int] = ...) -> None: ...

class GrantUse(_message.Message):
    __slots__ = ("purpose", "people_count")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    purpose: _agency_pb2.Purpose
    people_count: int
    def __init__(self, purpose: _Optional[_Union[_agency_pb2.Purpose, str]] = ..., people_count: _Optional[int] = ...) -> None: ...

class Agency(_message.Message):
    __slots__ = ("name", "state", "grants")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: AgencyState
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[AgencyState, str]] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ...) -> None: ...

class RegisterAgencyRequest(_message.Message):
    __slots__ = ("request_id", "name", "grants")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ...) -> None: ...

class RegisterAgencyResponse(_message.Message):
    __slots__ = ("agency",)
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    agency: Agency
    def __init__(self, agency: _Optional[_Union[Agency, _Mapping]] = ...) -> None: ...

class SuspendAgencyRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class SuspendAgencyResponse(_message.Message):
    __slots__ = ("agency",)
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    agency: Agency
    def __init__(self, agency: _Optional[_Union[Agency, _Mapping]] = ...) -> None: ...

class ResumeAgencyRequest(_message.Message):
    __slots__ = ("request_id", "name")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ResumeAgencyResponse(_message.Message):
    __slots__ = ("agency",)
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    agency: Agency
    def __init__(self, agency: _Optional[_Union[Agency, _Mapping]] = ...) -> None: ...

class GetAgencyRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetAgencyResponse(_message.Message):
    __slots__ = ("agency", "uses_today", "register_time", "update_time", "updater")
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    USES_TODAY_FIELD_NUMBER: _ClassVar[int]
    REGISTER_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATER_FIELD_NUMBER: _ClassVar[int]
    agency: Agency
    uses_today: _containers.RepeatedCompositeFieldContainer[GrantUse]
    register_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    updater: str
    def __init__(self, agency: _Optional[_Union[Agency, _Mapping]] = ..., uses_today: _Optional[_Iterable[_Union[GrantUse, _Mapping]]] = ..., register_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updater: _Optional[str] = ...) -> None: ...

class ListAgenciesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAgenciesResponse(_message.Message):
    __slots__ = ("agencies", "next_page_token")
    AGENCIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    agencies: _containers.RepeatedCompositeFieldContainer[Agency]
    next_page_token: str
    def __init__(self, agencies: _Optional[_Iterable[_Union[Agency, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ResumeLookupsRequest(_message.Message):
    __slots__ = ("request_id", "caller")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    caller: str
    def __init__(self, request_id: _Optional[str] = ..., caller: _Optional[str] = ...) -> None: ...

class ResumeLookupsResponse(_message.Message):
    __slots__ = ("was_stopped",)
    WAS_STOPPED_FIELD_NUMBER: _ClassVar[int]
    was_stopped: bool
    def __init__(self, was_stopped: _Optional[bool] = ...) -> None: ...
