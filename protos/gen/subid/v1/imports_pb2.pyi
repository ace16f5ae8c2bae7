from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImportKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_KIND_UNSPECIFIED: _ClassVar[ImportKind]
    IMPORT_KIND_DELTA: _ClassVar[ImportKind]
    IMPORT_KIND_SNAPSHOT: _ClassVar[ImportKind]
IMPORT_KIND_UNSPECIFIED: ImportKind
IMPORT_KIND_DELTA: ImportKind
IMPORT_KIND_SNAPSHOT: ImportKind

class RowError(_message.Message):
    __slots__ = ("row_index", "field", "reason")
    ROW_INDEX_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    row_index: int
    field: str
    reason: str
    def __init__(self, row_index: _Optional[int] = ..., field: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ImportSummary(_message.Message):
    __slots__ = ("received_count", "created_count", "changed_count", "unchanged_count", "rejected_count", "row_errors", "gone_count", "unidentified_count")
    RECEIVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ROW_ERRORS_FIELD_NUMBER: _ClassVar[int]
    GONE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNIDENTIFIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    received_count: int
    created_count: int
    changed_count: int
    unchanged_count: int
    rejected_count: int
    row_errors: _containers.RepeatedCompositeFieldContainer[RowError]
    gone_count: int
    unidentified_count: int
    def __init__(self, received_count: _Optional[int] = ..., created_count: _Optional[int] = ..., changed_count: _Optional[int] = ..., unchanged_count: _Optional[int] = ..., rejected_count: _Optional[int] = ..., row_errors: _Optional[_Iterable[_Union[RowError, _Mapping]]] = ..., gone_count: _Optional[int] = ..., unidentified_count: _Optional[int] = ...) -> None: ...
