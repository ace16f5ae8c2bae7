import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetReportRequest(_message.Message):
    __slots__ = ("day", "trend_days")
    DAY_FIELD_NUMBER: _ClassVar[int]
    TREND_DAYS_FIELD_NUMBER: _ClassVar[int]
    day: _date_pb2.Date
    trend_days: int
    def __init__(self, day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., trend_days: _Optional[int] = ...) -> None: ...

class Share(_message.Message):
    __slots__ = ("numerator", "denominator")
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    numerator: int
    denominator: int
    def __init__(self, numerator: _Optional[int] = ..., denominator: _Optional[int] = ...) -> None: ...

class QualityShares(_message.Message):
    __slots__ = ("correct", "sufficient", "clean", "alive", "unified", "shared")
    CORRECT_FIELD_NUMBER: _ClassVar[int]
    SUFFICIENT_FIELD_NUMBER: _ClassVar[int]
    CLEAN_FIELD_NUMBER: _ClassVar[int]
    ALIVE_FIELD_NUMBER: _ClassVar[int]
    UNIFIED_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    correct: Share
    sufficient: Share
    clean: Share
    alive: Share
    unified: Share
    shared: Share
    def __init__(self, correct: _Optional[_Union[Share, _Mapping]] = ..., sufficient: _Optional[_Union[Share, _Mapping]] = ..., clean: _Optional[_Union[Share, _Mapping]] = ..., alive: _Optional[_Union[Share, _Mapping]] = ..., unified: _Optional[_Union[Share, _Mapping]] = ..., shared: _Optional[_Union[Share, _Mapping]] = ...) -> None: ...

class QualityRowCounts(_message.Message):
    __slots__ = ("row_count", "linked_count", "mismatched_count", "not_found_count", "deceased_count", "full_name_mismatched_count", "birth_date_mismatched_count", "verified_count", "absent_count", "unconfirmed_count", "duplicated_count", "complete_count", "activated_on_missing_count", "point_of_sale_missing_count", "province_missing_count", "alive_count")
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    LINKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    MISMATCHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NOT_FOUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    DECEASED_COUNT_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_MISMATCHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_MISMATCHED_COUNT_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ABSENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCONFIRMED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_ON_MISSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    POINT_OF_SALE_MISSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_MISSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    ALIVE_COUNT_FIELD_NUMBER: _ClassVar[int]
    row_count: int
    linked_count: int
    mismatched_count: int
    not_found_count: int
    deceased_count: int
    full_name_mismatched_count: int
    birth_date_mismatched_count: int
    verified_count: int
    absent_count: int
    unconfirmed_count: int
    duplicated_count: int
    complete_count: int
    activated_on_missing_count: int
    point_of_sale_missing_count: int
    province_missing_count: int
    alive_count: int
    def __init__(self, row_count: _Optional[int] = ..., linked_count: _Optional[int] = ..., mismatched_count: _Optional[int] = ..., not_found_count: _Optional[int] = ..., deceased_count: _Optional[int] = ..., full_name_mismatched_count: _Optional[int] = ..., birth_date_mismatched_count: _Optional[int] = ..., verified_count: _Optional[int] = ..., absent_count: _Optional[int] = ..., unconfirmed_count: _Optional[int] = ..., duplicated_count: _Optional[int] = ..., complete_count: _Optional[int] = ..., activated_on_missing_count: _Optional[int] = ..., point_of_sale_missing_count: _Optional[int] = ..., province_missing_count: _Optional[int] = ..., alive_count: _Optional[int] = ...) -> None: ...

class QualityBookCounts(_message.Message):
    __slots__ = ("refused_count", "person_count", "plural_person_count", "agreeing_person_count", "reachable_person_count", "primary_person_count")
    REFUSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PERSON_COUNT_FIELD_NUMBER: _ClassVar[int]
    PLURAL_PERSON_COUNT_FIELD_NUMBER: _ClassVar[int]
    AGREEING_PERSON_COUNT_FIELD_NUMBER: _ClassVar[int]
    REACHABLE_PERSON_COUNT_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_PERSON_COUNT_FIELD_NUMBER: _ClassVar[int]
    refused_count: int
    person_count: int
    plural_person_count: int
    agreeing_person_count: int
    reachable_person_count: int
    primary_person_count: int
    def __init__(self, refused_count: _Optional[int] = ..., person_count: _Optional[int] = ..., plural_person_count: _Optional[int] = ..., agreeing_person_count: _Optional[int] = ..., reachable_person_count: _Optional[int] = ..., primary_person_count: _Optional[int] = ...) -> None: ...

class QualityAnomalyCounts(_message.Message):
    __slots__ = ("personal_id_province_unknown_count", "personal_id_sex_differs_count", "personal_id_birth_year_differs_count", "holder_deceased_count", "holder_below_age_count", "person_above_cap_count", "person_above_operator_cap_count", "point_of_sale_above_bound_count", "probe_of_two_people_count")
    PERSONAL_ID_PROVINCE_UNKNOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_SEX_DIFFERS_COUNT_FIELD_NUMBER: _ClassVar[int]
    PERSONAL_ID_BIRTH_YEAR_DIFFERS_COUNT_FIELD_NUMBER: _ClassVar[int]
    HOLDER_DECEASED_COUNT_FIELD_NUMBER: _ClassVar[int]
    HOLDER_BELOW_AGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PERSON_ABOVE_CAP_COUNT_FIELD_NUMBER: _ClassVar[int]
    PERSON_ABOVE_OPERATOR_CAP_COUNT_FIELD_NUMBER: _ClassVar[int]
    POINT_OF_SALE_ABOVE_BOUND_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROBE_OF_TWO_PEOPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    personal_id_province_unknown_count: int
    personal_id_sex_differs_count: int
    personal_id_birth_year_differs_count: int
    holder_deceased_count: int
    holder_below_age_count: int
    person_above_cap_count: int
    person_above_operator_cap_count: int
    point_of_sale_above_bound_count: int
    probe_of_two_people_count: int
    def __init__(self, personal_id_province_unknown_count: _Optional[int] = ..., personal_id_sex_differs_count: _Optional[int] = ..., personal_id_birth_year_differs_count: _Optional[int] = ..., holder_deceased_count: _Optional[int] = ..., holder_below_age_count: _Optional[int] = ..., person_above_cap_count: _Optional[int] = ..., person_above_operator_cap_count: _Optional[int] = ..., point_of_sale_above_bound_count: _Optional[int] = ..., probe_of_two_people_count: _Optional[int] = ...) -> None: ...

class QualityFigures(_message.Message):
    __slots__ = ("operator_id", "province_code", "shares", "rows", "book", "anomalies")
    OPERATOR_ID_FIELD_NUMBER: _ClassVar[int]
    PROVINCE_CODE_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    ANOMALIES_FIELD_NUMBER: _ClassVar[int]
    operator_id: str
    province_code: str
    shares: QualityShares
    rows: QualityRowCounts
    book: QualityBookCounts
    anomalies: QualityAnomalyCounts
    def __init__(self, operator_id: _Optional[str] = ..., province_code: _Optional[str] = ..., shares: _Optional[_Union[QualityShares, _Mapping]] = ..., rows: _Optional[_Union[QualityRowCounts, _Mapping]] = ..., book: _Optional[_Union[QualityBookCounts, _Mapping]] = ..., anomalies: _Optional[_Union[QualityAnomalyCounts, _Mapping]] = ...) -> None: ...

class QualityTrendPoint(_message.Message):
    __slots__ = ("day", "figures")
    DAY_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    day: _date_pb2.Date
    figures: QualityFigures
    def __init__(self, day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., figures: _Optional[_Union[QualityFigures, _Mapping]] = ...) -> None: ...

class GetReportResponse(_message.Message):
    __slots__ = ("day", "measure_time", "figures", "trend")
    DAY_FIELD_NUMBER: _ClassVar[int]
    MEASURE_TIME_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    TREND_FIELD_NUMBER: _ClassVar[int]
    day: _date_pb2.Date
    measure_time: _timestamp_pb2.Timestamp
    figures: _containers.RepeatedCompositeFieldContainer[QualityFigures]
    trend: _containers.RepeatedCompositeFieldContainer[QualityTrendPoint]
    def __init__(self, day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., measure_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., figures: _Optional[_Iterable[_Union[QualityFigures, _Mapping]]] = ..., trend: _Optional[_Iterable[_Union[QualityTrendPoint, _Mapping]]] = ...) -> None: ...
