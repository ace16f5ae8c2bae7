from buf.validate import validate_pb2 as _validate_pb2
from subid.v1 import date_pb2 as _date_pb2
from subid.v1 import imports_pb2 as _imports_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Sex(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEX_UNSPECIFIED: _ClassVar[Sex]
    SEX_MALE: _ClassVar[Sex]
    SEX_FEMALE: _ClassVar[Sex]
SEX_UNSPECIFIED: Sex
SEX_MALE: Sex
SEX_FEMALE: Sex

class PopulationRecord(_message.Message):
    __slots__ = ("personal_id", "full_name", "birth_date", "sex", "deceased_on", "card_issued_on")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    DECEASED_ON_FIELD_NUMBER: _ClassVar[int]
    CARD_ISSUED_ON_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    full_name: str
    birth_date: _date_pb2.Date
    sex: Sex
    deceased_on: _date_pb2.Date
    card_issued_on: _date_pb2.Date
    def __init__(self, personal_id: _Optional[str] = ..., full_name: _Optional[str] = ..., birth_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., sex: _Optional[_Union[Sex, str]] = ..., deceased_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., card_issued_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class ImportPopulationRequest(_message.Message):
    __slots__ = ("request_id", "batch_index", "records", "kind", "is_last")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    IS_LAST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    batch_index: int
    records: _containers.RepeatedCompositeFieldContainer[PopulationRecord]
    kind: _imports_pb2.ImportKind
    is_last: bool
    def __init__(self, request_id: _Optional[str] = ..., batch_index: _Optional[int] = ..., records: _Optional[_Iterable[_Union[PopulationRecord, _Mapping]]] = ..., kind: _Optional[_Union[_imports_pb2.ImportKind, str]] = ..., is_last: _Optional[bool] = ...) -> None: ...

class GetPopulationImportRequest(_message.Message):
    __slots__ = ("import_id",)
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    def __init__(self, import_id: _Optional[str] = ...) -> None: ...

class GetPopulationImportResponse(_message.Message):
    __slots__ = ("next_batch_index", "is_complete", "summary")
    NEXT_BATCH_INDEX_FIELD_NUMBER: _ClassVar[int]
    IS_COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    next_batch_index: int
    is_complete: bool
    summary: _imports_pb2.ImportSummary
    def __init__(self, next_batch_index: _Optional[int] = ..., is_complete: _Optional[bool] = ..., summary: _Optional[_Union[_imports_pb2.ImportSummary, _Mapping]] = ...) -> None: ...

class ListPopulationImportErrorsRequest(_message.Message):
    __slots__ = ("import_id", "page_token")
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    page_token: str
    def __init__(self, import_id: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPopulationImportErrorsResponse(_message.Message):
    __slots__ = ("row_errors", "next_page_token")
    ROW_ERRORS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    row_errors: _containers.RepeatedCompositeFieldContainer[_imports_pb2.RowError]
    next_page_token: str
    def __init__(self, row_errors: _Optional[_Iterable[_Union[_imports_pb2.RowError, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ImportPopulationResponse(_message.Message):
    __slots__ = ("summary",)
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    summary: _imports_pb2.ImportSummary
    def __init__(self, summary: _Optional[_Union[_imports_pb2.ImportSummary, _Mapping]] = ...) -> None: ...

class Birth(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: PopulationRecord
    def __init__(self, record: _Optional[_Union[PopulationRecord, _Mapping]] = ...) -> None: ...

class Death(_message.Message):
    __slots__ = ("personal_id", "deceased_on")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    DECEASED_ON_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    deceased_on: _date_pb2.Date
    def __init__(self, personal_id: _Optional[str] = ..., deceased_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class Correction(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: PopulationRecord
    def __init__(self, record: _Optional[_Union[PopulationRecord, _Mapping]] = ...) -> None: ...

class NewCard(_message.Message):
    __slots__ = ("personal_id", "issued_on")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUED_ON_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    issued_on: _date_pb2.Date
    def __init__(self, personal_id: _Optional[str] = ..., issued_on: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class PopulationChange(_message.Message):
    __slots__ = ("birth", "death", "correction", "new_card")
    BIRTH_FIELD_NUMBER: _ClassVar[int]
    DEATH_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    NEW_CARD_FIELD_NUMBER: _ClassVar[int]
    birth: Birth
    death: Death
    correction: Correction
    new_card: NewCard
    def __init__(self, birth: _Optional[_Union[Birth, _Mapping]] = ..., death: _Optional[_Union[Death, _Mapping]] = ..., correction: _Optional[_Union[Correction, _Mapping]] = ..., new_card: _Optional[_Union[NewCard, _Mapping]] = ...) -> None: ...

class ApplyPopulationChangesRequest(_message.Message):
    __slots__ = ("request_id", "changes")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    changes: _containers.RepeatedCompositeFieldContainer[PopulationChange]
    def __init__(self, request_id: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[PopulationChange, _Mapping]]] = ...) -> None: ...

class ApplyPopulationChangesResponse(_message.Message):
    __slots__ = ("applied_count", "relinked_count")
    APPLIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    RELINKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    applied_count: int
    relinked_count: int
    def __init__(self, applied_count: _Optional[int] = ..., relinked_count: _Optional[int] = ...) -> None: ...
