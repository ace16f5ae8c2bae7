import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_SERVICE_DELIVERY: _ClassVar[Purpose]
    PURPOSE_LEGAL_NOTICE: _ClassVar[Purpose]
    PURPOSE_PUBLIC_SAFETY: _ClassVar[Purpose]

class ContactStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTACT_STATUS_UNSPECIFIED: _ClassVar[ContactStatus]
    CONTACT_STATUS_AVAILABLE: _ClassVar[ContactStatus]
    CONTACT_STATUS_NOT_AVAILABLE: _ClassVar[ContactStatus]
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_SERVICE_DELIVERY: Purpose
PURPOSE_LEGAL_NOTICE: Purpose
PURPOSE_PUBLIC_SAFETY: Purpose
CONTACT_STATUS_UNSPECIFIED: ContactStatus
CONTACT_STATUS_AVAILABLE: ContactStatus
CONTACT_STATUS_NOT_AVAILABLE: ContactStatus

class Contact(_message.Message):
    __slots__ = ("status", "msisdn", "set_time", "verify_time")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    SET_TIME_FIELD_NUMBER: _ClassVar[int]
    VERIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    status: ContactStatus
    msisdn: str
    set_time: _timestamp_pb2.Timestamp
    verify_time: _timestamp_pb2.Timestamp
    def __init__(self, status: _Optional[_Union[ContactStatus, str]] = ..., msisdn: _Optional[str] = ..., set_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., verify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetContactRequest(_message.Message):
    __slots__ = ("personal_id", "purpose", "legal_basis")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    purpose: Purpose
    legal_basis: str
    def __init__(self, personal_id: _Optional[str] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class GetContactResponse(_message.Message):
    __slots__ = ("contact",)
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    contact: Contact
    def __init__(self, contact: _Optional[_Union[Contact, _Mapping]] = ...) -> None: ...

class BatchGetContactsRequest(_message.Message):
    __slots__ = ("personal_ids", "purpose", "legal_basis")
    PERSONAL_IDS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    personal_ids: _containers.RepeatedScalarFieldContainer[str]
    purpose: Purpose
    legal_basis: str
    def __init__(self, personal_ids: _Optional[_Iterable[str]] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., legal_basis: _Optional[str] = ...) -> None: ...

class BatchGetContactsResponse(_message.Message):
    __slots__ = ("contacts",)
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    contacts: _containers.RepeatedCompositeFieldContainer[Contact]
    def __init__(self, contacts: _Optional[_Iterable[_Union[Contact, _Mapping]]] = ...) -> None: ...
