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

class ArrangementKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARRANGEMENT_KIND_UNSPECIFIED: _ClassVar[ArrangementKind]
    ARRANGEMENT_KIND_GUARDIANSHIP: _ClassVar[ArrangementKind]
    ARRANGEMENT_KIND_COMPANY_LINE: _ClassVar[ArrangementKind]

class ArrangementState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARRANGEMENT_STATE_UNSPECIFIED: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_PROPOSED: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_AGREED: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_REFUSED: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_LAPSED: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_ENDED: _ClassVar[ArrangementState]

class ArrangementEndCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARRANGEMENT_END_CAUSE_UNSPECIFIED: _ClassVar[ArrangementEndCause]
    ARRANGEMENT_END_CAUSE_PROPOSER: _ClassVar[ArrangementEndCause]
    ARRANGEMENT_END_CAUSE_CITIZEN: _ClassVar[ArrangementEndCause]
    ARRANGEMENT_END_CAUSE_REGULATOR: _ClassVar[ArrangementEndCause]
    ARRANGEMENT_END_CAUSE_OF_AGE: _ClassVar[ArrangementEndCause]
    ARRANGEMENT_END_CAUSE_PERSON_GONE: _ClassVar[ArrangementEndCause]
    ARRANGEMENT_END_CAUSE_NUMBER_GONE: _ClassVar[ArrangementEndCause]
ARRANGEMENT_KIND_UNSPECIFIED: ArrangementKind
ARRANGEMENT_KIND_GUARDIANSHIP: ArrangementKind
ARRANGEMENT_KIND_COMPANY_LINE: ArrangementKind
ARRANGEMENT_STATE_UNSPECIFIED: ArrangementState
ARRANGEMENT_STATE_PROPOSED: ArrangementState
ARRANGEMENT_STATE_AGREED: ArrangementState
ARRANGEMENT_STATE_REFUSED: ArrangementState
ARRANGEMENT_STATE_LAPSED: ArrangementState
ARRANGEMENT_STATE_ENDED: ArrangementState
ARRANGEMENT_END_CAUSE_UNSPECIFIED: ArrangementEndCause
ARRANGEMENT_END_CAUSE_PROPOSER: ArrangementEndCause
ARRANGEMENT_END_CAUSE_CITIZEN: ArrangementEndCause
ARRANGEMENT_END_CAUSE_REGULATOR: ArrangementEndCause
ARRANGEMENT_END_CAUSE_OF_AGE: ArrangementEndCause
ARRANGEMENT_END_CAUSE_PERSON_GONE: ArrangementEndCause
ARRANGEMENT_END_CAUSE_NUMBER_GONE: ArrangementEndCause

class Arrangement(_message.Message):
    __slots__ = ("arrangement_id", "kind", "state", "personal_id", "guardian_personal_id", "organisation_code", "msisdn", "operator_id", "propose_time", "lapse_time", "is_attested", "agree_time", "close_time", "end_cause")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    GUARDIAN_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANISATION_CODE_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAPSE_TIME_FIELD_NUMBER: _ClassVar[int]
    IS_ATTESTED_FIELD_NUMBER: _ClassVar[int]
    AGREE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_CAUSE_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: str
    kind: ArrangementKind
    state: ArrangementState
    personal_id: str
    guardian_personal_id: str
    organisation_code: str
    msisdn: str
    operator_id: str
    propose_time: _timestamp_pb2.Timestamp
    lapse_time: _timestamp_pb2.Timestamp
    is_attested: bool
    agree_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    end_cause: ArrangementEndCause
    def __init__(self, arrangement_id: _Optional[str] = ..., kind: _Optional[_Union[ArrangementKind, str]] = ..., state: _Optional[_Union[ArrangementState, str]] = ..., personal_id: _Optional[str] = ..., guardian_personal_id: _Optional[str] = ..., organisation_code: _Optional[str] = ..., msisdn: _Optional[str] = ..., operator_id: _Optional[str] = ..., propose_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lapse_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., is_attested: _Optional[bool] = ..., agree_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_cause: _Optional[_Union[ArrangementEndCause, str]] = ...) -> None: ...

class ProposeGuardianshipRequest(_message.Message):
    __slots__ = ("request_id", "guardian_personal_id", "child_personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GUARDIAN_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    CHILD_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    guardian_personal_id: str
    child_personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., guardian_personal_id: _Optional[str] = ..., child_personal_id: _Optional[str] = ...) -> None: ...

class ProposeGuardianshipResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class AttestGuardianshipRequest(_message.Message):
    __slots__ = ("request_id", "arrangement_id", "guardian_personal_id", "child_personal_id", "document_digest")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    GUARDIAN_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    CHILD_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    arrangement_id: str
    guardian_personal_id: str
    child_personal_id: str
    document_digest: bytes
    def __init__(self, request_id: _Optional[str] = ..., arrangement_id: _Optional[str] = ..., guardian_personal_id: _Optional[str] = ..., child_personal_id: _Optional[str] = ..., document_digest: _Optional[bytes] = ...) -> None: ...

class AttestGuardianshipResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class ProposeCompanyLineRequest(_message.Message):
    __slots__ = ("request_id", "msisdn", "organisation_code", "employee_personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    ORGANISATION_CODE_FIELD_NUMBER: _ClassVar[int]
    EMPLOYEE_PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    msisdn: str
    organisation_code: str
    employee_personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., organisation_code: _Optional[str] = ..., employee_personal_id: _Optional[str] = ...) -> None: ...

class ProposeCompanyLineResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class AcceptArrangementRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "arrangement_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    arrangement_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., arrangement_id: _Optional[str] = ...) -> None: ...

class AcceptArrangementResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class RefuseArrangementRequest(_message.Message):
    __slots__ = ("request_id", "personal_id", "arrangement_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    personal_id: str
    arrangement_id: str
    def __init__(self, request_id: _Optional[str] = ..., personal_id: _Optional[str] = ..., arrangement_id: _Optional[str] = ...) -> None: ...

class RefuseArrangementResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class EndArrangementRequest(_message.Message):
    __slots__ = ("request_id", "arrangement_id", "personal_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    arrangement_id: str
    personal_id: str
    def __init__(self, request_id: _Optional[str] = ..., arrangement_id: _Optional[str] = ..., personal_id: _Optional[str] = ...) -> None: ...

class EndArrangementResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class ListArrangementsRequest(_message.Message):
    __slots__ = ("personal_id", "page_size", "page_token")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    personal_id: str
    page_size: int
    page_token: str
    def __init__(self, personal_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListArrangementsResponse(_message.Message):
    __slots__ = ("arrangements", "next_page_token")
    ARRANGEMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    arrangements: _containers.RepeatedCompositeFieldContainer[Arrangement]
    next_page_token: str
    def __init__(self, arrangements: _Optional[_Iterable[_Union[Arrangement, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetArrangementRequest(_message.Message):
    __slots__ = ("arrangement_id",)
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: str
    def __init__(self, arrangement_id: _Optional[str] = ...) -> None: ...

class GetArrangementResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...
