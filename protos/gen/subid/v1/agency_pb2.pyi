import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_SERVICE_DELIVERY: _ClassVar[Purpose]
    PURPOSE_LEGAL_NOTICE: _ClassVar[Purpose]
    PURPOSE_PUBLIC_SAFETY: _ClassVar[Purpose]
    PURPOSE_RECORD_UPKEEP: _ClassVar[Purpose]
    PURPOSE_IDENTITY_CHECK: _ClassVar[Purpose]
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_SERVICE_DELIVERY: Purpose
PURPOSE_LEGAL_NOTICE: Purpose
PURPOSE_PUBLIC_SAFETY: Purpose
PURPOSE_RECORD_UPKEEP: Purpose
PURPOSE_IDENTITY_CHECK: Purpose

class Grounds(_message.Message):
    __slots__ = ("purpose", "legal_basis", "case_id", "shown_time")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    CASE_ID_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TIME_FIELD_NUMBER: _ClassVar[int]
    purpose: Purpose
    legal_basis: str
    case_id: str
    shown_time: _timestamp_pb2.Timestamp
    def __init__(self, purpose: _Optional[_Union[Purpose, str]] = ..., legal_basis: _Optional[str] = ..., case_id: _Optional[str] = ..., shown_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
