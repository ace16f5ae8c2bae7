from buf.validate import validate_pb2 as _validate_pb2
from subid.v1 import agency_pb2 as _agency_pb2
from subid.v1 import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PersonMatch(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERSON_MATCH_UNSPECIFIED: _ClassVar[PersonMatch]
    PERSON_MATCH_KNOWN: _ClassVar[PersonMatch]
    PERSON_MATCH_UNKNOWN: _ClassVar[PersonMatch]
    PERSON_MATCH_NOT_AVAILABLE: _ClassVar[PersonMatch]

class FieldMatch(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIELD_MATCH_UNSPECIFIED: _ClassVar[FieldMatch]
    FIELD_MATCH_EXACT: _ClassVar[FieldMatch]
    FIELD_MATCH_SIMILAR: _ClassVar[FieldMatch]
    FIELD_MATCH_DIFFERENT: _ClassVar[FieldMatch]
    FIELD_MATCH_NOT_GIVEN: _ClassVar[FieldMatch]
    FIELD_MATCH_NOT_AVAILABLE: _ClassVar[FieldMatch]
PERSON_MATCH_UNSPECIFIED: PersonMatch
PERSON_MATCH_KNOWN: PersonMatch
PERSON_MATCH_UNKNOWN: PersonMatch
PERSON_MATCH_NOT_AVAILABLE: PersonMatch
FIELD_MATCH_UNSPECIFIED: FieldMatch
FIELD_MATCH_EXACT: FieldMatch
FIELD_MATCH_SIMILAR: FieldMatch
FIELD_MATCH_DIFFERENT: FieldMatch
FIELD_MATCH_NOT_GIVEN: FieldMatch
FIELD_MATCH_NOT_AVAILABLE: FieldMatch

class RecordClaim(_message.Message):
    __slots__ = ("personal_id", "full_name", "birth_date")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    full_name: str
    birth_date: _date_pb2.Date
    def __init__(self, personal_id: _Optional[str] = ..., full_name: _Optional[str] = ..., birth_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class RecordMatch(_message.Message):
    __slots__ = ("personal_id", "full_name", "full_name_score", "birth_date", "reason")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_SCORE_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    personal_id: PersonMatch
    full_name: FieldMatch
    full_name_score: int
    birth_date: FieldMatch
    reason: str
    def __init__(self, personal_id: _Optional[_Union[PersonMatch, str]] = ..., full_name: _Optional[_Union[FieldMatch, str]] = ..., full_name_score: _Optional[int] = ..., birth_date: _Optional[_Union[FieldMatch, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class MatchRecordRequest(_message.Message):
    __slots__ = ("request_id", "grounds", "record")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    grounds: _agency_pb2.Grounds
    record: RecordClaim
    def __init__(self, request_id: _Optional[str] = ..., grounds: _Optional[_Union[_agency_pb2.Grounds, _Mapping]] = ..., record: _Optional[_Union[RecordClaim, _Mapping]] = ...) -> None: ...

class MatchRecordResponse(_message.Message):
    __slots__ = ("match",)
    MATCH_FIELD_NUMBER: _ClassVar[int]
    match: RecordMatch
    def __init__(self, match: _Optional[_Union[RecordMatch, _Mapping]] = ...) -> None: ...

class MatchRecordsRequest(_message.Message):
    __slots__ = ("request_id", "batch_index", "grounds", "records")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    GROUNDS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    batch_index: int
    grounds: _agency_pb2.Grounds
    records: _containers.RepeatedCompositeFieldContainer[RecordClaim]
    def __init__(self, request_id: _Optional[str] = ..., batch_index: _Optional[int] = ..., grounds: _Optional[_Union[_agency_pb2.Grounds, _Mapping]] = ..., records: _Optional[_Iterable[_Union[RecordClaim, _Mapping]]] = ...) -> None: ...

class MatchRecordsResponse(_message.Message):
    __slots__ = ("batch_index", "matches")
    BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    batch_index: int
    matches: _containers.RepeatedCompositeFieldContainer[RecordMatch]
    def __init__(self, batch_index: _Optional[int] = ..., matches: _Optional[_Iterable[_Union[RecordMatch, _Mapping]]] = ...) -> None: ...

class ResumeMatchingRequest(_message.Message):
    __slots__ = ("request_id", "agency")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AGENCY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    agency: str
    def __init__(self, request_id: _Optional[str] = ..., agency: _Optional[str] = ...) -> None: ...

class ResumeMatchingResponse(_message.Message):
    __slots__ = ("was_stopped",)
    WAS_STOPPED_FIELD_NUMBER: _ClassVar[int]
    was_stopped: bool
    def __init__(self, was_stopped: _Optional[bool] = ...) -> None: ...
