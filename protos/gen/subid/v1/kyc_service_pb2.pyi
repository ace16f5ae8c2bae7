import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import date_pb2 as _date_pb2
from subid.v1 import population_service_pb2 as _population_service_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttributeMatch(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTRIBUTE_MATCH_UNSPECIFIED: _ClassVar[AttributeMatch]
    ATTRIBUTE_MATCH_TRUE: _ClassVar[AttributeMatch]
    ATTRIBUTE_MATCH_FALSE: _ClassVar[AttributeMatch]
    ATTRIBUTE_MATCH_NOT_AVAILABLE: _ClassVar[AttributeMatch]
ATTRIBUTE_MATCH_UNSPECIFIED: AttributeMatch
ATTRIBUTE_MATCH_TRUE: AttributeMatch
ATTRIBUTE_MATCH_FALSE: AttributeMatch
ATTRIBUTE_MATCH_NOT_AVAILABLE: AttributeMatch

class AttributeResult(_message.Message):
    __slots__ = ("match", "score")
    MATCH_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    match: AttributeMatch
    score: int
    def __init__(self, match: _Optional[_Union[AttributeMatch, str]] = ..., score: _Optional[int] = ...) -> None: ...

class MatchIdentityRequest(_message.Message):
    __slots__ = ("request_id", "msisdn", "personal_id", "full_name", "birth_date", "sex")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    msisdn: str
    personal_id: str
    full_name: str
    birth_date: _date_pb2.Date
    sex: _population_service_pb2.Sex
    def __init__(self, request_id: _Optional[str] = ..., msisdn: _Optional[str] = ..., personal_id: _Optional[str] = ..., full_name: _Optional[str] = ..., birth_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., sex: _Optional[_Union[_population_service_pb2.Sex, str]] = ...) -> None: ...

class MatchIdentityResponse(_message.Message):
    __slots__ = ("personal_id", "full_name", "birth_date", "sex")
    PERSONAL_ID_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    personal_id: AttributeResult
    full_name: AttributeResult
    birth_date: AttributeResult
    sex: AttributeResult
    def __init__(self, personal_id: _Optional[_Union[AttributeResult, _Mapping]] = ..., full_name: _Optional[_Union[AttributeResult, _Mapping]] = ..., birth_date: _Optional[_Union[AttributeResult, _Mapping]] = ..., sex: _Optional[_Union[AttributeResult, _Mapping]] = ...) -> None: ...

class CheckSimSwapRequest(_message.Message):
    __slots__ = ("msisdn", "max_age_hours")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_HOURS_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    max_age_hours: int
    def __init__(self, msisdn: _Optional[str] = ..., max_age_hours: _Optional[int] = ...) -> None: ...

class CheckSimSwapResponse(_message.Message):
    __slots__ = ("is_swapped",)
    IS_SWAPPED_FIELD_NUMBER: _ClassVar[int]
    is_swapped: bool
    def __init__(self, is_swapped: _Optional[bool] = ...) -> None: ...

class GetSimSwapRequest(_message.Message):
    __slots__ = ("msisdn",)
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    def __init__(self, msisdn: _Optional[str] = ...) -> None: ...

class GetSimSwapResponse(_message.Message):
    __slots__ = ("latest_change_time",)
    LATEST_CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    latest_change_time: _timestamp_pb2.Timestamp
    def __init__(self, latest_change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CheckDeviceSwapRequest(_message.Message):
    __slots__ = ("msisdn", "max_age_hours")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_HOURS_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    max_age_hours: int
    def __init__(self, msisdn: _Optional[str] = ..., max_age_hours: _Optional[int] = ...) -> None: ...

class CheckDeviceSwapResponse(_message.Message):
    __slots__ = ("is_swapped",)
    IS_SWAPPED_FIELD_NUMBER: _ClassVar[int]
    is_swapped: bool
    def __init__(self, is_swapped: _Optional[bool] = ...) -> None: ...

class GetDeviceSwapRequest(_message.Message):
    __slots__ = ("msisdn",)
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    def __init__(self, msisdn: _Optional[str] = ...) -> None: ...

class GetDeviceSwapResponse(_message.Message):
    __slots__ = ("latest_change_time",)
    LATEST_CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    latest_change_time: _timestamp_pb2.Timestamp
    def __init__(self, latest_change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CheckNumberRecyclingRequest(_message.Message):
    __slots__ = ("msisdn", "specified_date")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    SPECIFIED_DATE_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    specified_date: _date_pb2.Date
    def __init__(self, msisdn: _Optional[str] = ..., specified_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class CheckNumberRecyclingResponse(_message.Message):
    __slots__ = ("is_recycled",)
    IS_RECYCLED_FIELD_NUMBER: _ClassVar[int]
    is_recycled: bool
    def __init__(self, is_recycled: _Optional[bool] = ...) -> None: ...

class CheckTenureRequest(_message.Message):
    __slots__ = ("msisdn", "tenure_date")
    MSISDN_FIELD_NUMBER: _ClassVar[int]
    TENURE_DATE_FIELD_NUMBER: _ClassVar[int]
    msisdn: str
    tenure_date: _date_pb2.Date
    def __init__(self, msisdn: _Optional[str] = ..., tenure_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class CheckTenureResponse(_message.Message):
    __slots__ = ("is_since_tenure_date",)
    IS_SINCE_TENURE_DATE_FIELD_NUMBER: _ClassVar[int]
    is_since_tenure_date: bool
    def __init__(self, is_since_tenure_date: _Optional[bool] = ...) -> None: ...
