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

class ContactStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTACT_STATUS_UNSPECIFIED: _ClassVar[ContactStatus]
    CONTACT_STATUS_AVAILABLE: _ClassVar[ContactStatus]
    CONTACT_STATUS_NOT_AVAILABLE: _ClassVar[ContactStatus]
    CONTACT_STATUS_DEGRADED: _ClassVar[ContactStatus]
    CONTACT_STATUS_STALE: _ClassVar[ContactStatus]

class AbsenceCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ABSENCE_CAUSE_UNSPECIFIED: _ClassVar[AbsenceCause]
    ABSENCE_CAUSE_UNKNOWN_PERSON: _ClassVar[AbsenceCause]
    ABSENCE_CAUSE_DECEASED: _ClassVar[AbsenceCause]
    ABSENCE_CAUSE_NO_NUMBER: _ClassVar[AbsenceCause]
    ABSENCE_CAUSE_OBJECTED: _ClassVar[AbsenceCause]
    ABSENCE_CAUSE_RESTRICTED: _ClassVar[AbsenceCause]
CONTACT_STATUS_UNSPECIFIED: ContactStatus
CONTACT_STATUS_AVAILABLE: ContactStatus
CONTACT_STATUS_NOT_AVAILABLE: ContactStatus
CONTACT_STATUS_DEGRADED: ContactStatus
CONTACT_STATUS_STALE: ContactStatus
ABSENCE_CAUSE_UNSPECIFIED: AbsenceCause
ABSENCE_CAUSE_UNKNOWN_PERSON: AbsenceCause
ABSENCE_CAUSE_DECEASED: AbsenceCause
ABSENCE_CAUSE_NO_NUMBER: AbsenceCause
ABSENCE_CAUSE_OBJECTED: AbsenceCause
ABSENCE_CAUSE_RESTRICTED: AbsenceCause

class Contact(_message.Message):
    __slots__ = ("status", "msisdn", "masked_msisdn", "relay_token", "set_time", "verify_time", "relay_expire_time", "confirm_time", "subject_token", "absence_cause")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    MASKED_MSISDN_FIELD_NUMBER: _ClassVar[int]
    RELAY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SET_TIME_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    RELAY_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_TIME_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ABSENCE_CAUSE_FIELD_NUMBER: _ClassVar[int]
    status: ContactStatus
    msisdn: str
    masked_msisdn: str
    relay_token: bytes
    set_time: _timestamp_pb2.Timestamp
    verify_time: _timestamp_pb2.Timestamp
    relay_expire_time: _timestamp_pb2.Timestamp
    confirm_time: _timestamp_pb2.Timestamp
    subject_token: str
    absence_cause: AbsenceCause
    def __init__(self, status: _Optional[_Union[ContactStatus, str]] = ..., msisdn: _Optional[str] = ..., masked_msisdn: _Optional[str] = ..., relay_token: _Optional[bytes] = ..., set_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., verify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., relay_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., confirm_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., subject_token: _Optional[str] = ..., absence_cause: _Optional[_Union[AbsenceCause, str]] = ...) -> None: ...

class GetContactRequest(_message.Message):
    __slots__ = ("personal_id", "grounds")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    grounds: _agency_pb2.Grounds
    def __init__(self, personal_id: _Optional[str] = ..., grounds: _Optional[_Union[_agency_pb2.Grounds, _Mapping]] = ...) -> None: ...

class GetContactResponse(_message.Message):
    __slots__ = ("contact",)
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ...) -> None: ...

class BatchGetContactsRequest(_message.Message):
    __slots__ = ("personal_ids", "grounds")
    PERSONAL_IDS_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    personal_ids: _containers.RepeatedScalarFieldContainer[str]
    grounds: _agency_pb2.Grounds
    def __init__(self, personal_ids: _Optional[_Iterable[str]] = ..., grounds: _Optional[_Union[_agency_pb2.Grounds, _Mapping]] = ...) -> None: ...

class BatchGetContactsResponse(_message.Message):
    __slots__ = ("contacts",)
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    contacts: _containers.RepeatedCompositeFieldContainer[Contact]
    def __init__(self, contacts: _Optional[_Iterable[_Union[Contact, _Mapping]]] = ...) -> None: ...

class WatchContactChangesRequest(_message.Message):
    __slots__ = ("position",)
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: str
    def __init__(self, position: _Optional[str] = ...) -> None: ...

class WatchContactChangesResponse(_message.Message):
    __slots__ = ("subject_tokens", "position")
    SUBJECT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    subject_tokens: _containers.RepeatedScalarFieldContainer[str]
    position: str
    def __init__(self, subject_tokens: _Optional[_Iterable[str]] = ..., position: _Optional[str] = ...) -> None: ...

class CanNotifyRequest(_message.Message):
    __slots__ = ("personal_ids", "grounds")
    PERSONAL_IDS_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    personal_ids: _containers.RepeatedScalarFieldContainer[str]
    grounds: _agency_pb2.Grounds
    def __init__(self, personal_ids: _Optional[_Iterable[str]] = ..., grounds: _Optional[_Union[_agency_pb2.Grounds, _Mapping]] = ...) -> None: ...

class CanNotifyResponse(_message.Message):
    __slots__ = ("can_notify",)
    CAN_NOTIFY_FIELD_NUMBER: _ClassVar[int]
    can_notify: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, can_notify: _Optional[_Iterable[bool]] = ...) -> None: ...
