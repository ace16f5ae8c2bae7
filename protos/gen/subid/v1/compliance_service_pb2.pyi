import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from subid.v1 import date_pb2 as _date_pb2
from subid.v1 import quality_service_pb2 as _quality_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetKpisRequest(_message.Message):
    __slots__ = ("first_day", "last_day")
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    first_day: _date_pb2.Date
    last_day: _date_pb2.Date
    def __init__(self, first_day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., last_day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class ExecutionTimes(_message.Message):
    __slots__ = ("executed_count", "late_count", "p50_s", "p95_s", "open_late_count", "overtaken_late_count")
    EXECUTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    P50_S_FIELD_NUMBER: _ClassVar[int]
    P95_S_FIELD_NUMBER: _ClassVar[int]
    OPEN_LATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    OVERTAKEN_LATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    executed_count: int
    late_count: int
    p50_s: float
    p95_s: float
    open_late_count: int
    overtaken_late_count: int
    def __init__(self, executed_count: _Optional[int] = ..., late_count: _Optional[int] = ..., p50_s: _Optional[float] = ..., p95_s: _Optional[float] = ..., open_late_count: _Optional[int] = ..., overtaken_late_count: _Optional[int] = ...) -> None: ...

class OperatorKpis(_message.Message):
    __slots__ = ("operator", "coverage", "orders", "notices", "device_changes", "drift", "reconcile_time", "false_acknowledgements", "cures", "reverted_blocks", "complaint_count", "failures")
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    DEVICE_CHANGES_FIELD_NUMBER: _ClassVar[int]
    DRIFT_FIELD_NUMBER: _ClassVar[int]
    RECONCILE_TIME_FIELD_NUMBER: _ClassVar[int]
    FALSE_ACKNOWLEDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    CURES_FIELD_NUMBER: _ClassVar[int]
    REVERTED_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    COMPLAINT_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    operator: str
    coverage: _quality_service_pb2.Share
    orders: ExecutionTimes
    notices: ExecutionTimes
    device_changes: ExecutionTimes
    drift: _quality_service_pb2.Share
    reconcile_time: _timestamp_pb2.Timestamp
    false_acknowledgements: _quality_service_pb2.Share
    cures: _quality_service_pb2.Share
    reverted_blocks: _quality_service_pb2.Share
    complaint_count: int
    failures: _quality_service_pb2.Share
    def __init__(self, operator: _Optional[str] = ..., coverage: _Optional[_Union[_quality_service_pb2.Share, _Mapping]] = ..., orders: _Optional[_Union[ExecutionTimes, _Mapping]] = ..., notices: _Optional[_Union[ExecutionTimes, _Mapping]] = ..., device_changes: _Optional[_Union[ExecutionTimes, _Mapping]] = ..., drift: _Optional[_Union[_quality_service_pb2.Share, _Mapping]] = ..., reconcile_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., false_acknowledgements: _Optional[_Union[_quality_service_pb2.Share, _Mapping]] = ..., cures: _Optional[_Union[_quality_service_pb2.Share, _Mapping]] = ..., reverted_blocks: _Optional[_Union[_quality_service_pb2.Share, _Mapping]] = ..., complaint_count: _Optional[int] = ..., failures: _Optional[_Union[_quality_service_pb2.Share, _Mapping]] = ...) -> None: ...

class GetKpisResponse(_message.Message):
    __slots__ = ("count_time", "first_day", "last_day", "operators")
    COUNT_TIME_FIELD_NUMBER: _ClassVar[int]
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    OPERATORS_FIELD_NUMBER: _ClassVar[int]
    count_time: _timestamp_pb2.Timestamp
    first_day: _date_pb2.Date
    last_day: _date_pb2.Date
    operators: _containers.RepeatedCompositeFieldContainer[OperatorKpis]
    def __init__(self, count_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., first_day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., last_day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., operators: _Optional[_Iterable[_Union[OperatorKpis, _Mapping]]] = ...) -> None: ...

class GetMonthlyScoreRequest(_message.Message):
    __slots__ = ("year", "month")
    YEAR_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    year: int
    month: int
    def __init__(self, year: _Optional[int] = ..., month: _Optional[int] = ...) -> None: ...

class ScorePart(_message.Message):
    __slots__ = ("name", "points", "weight")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    name: str
    points: float
    weight: float
    def __init__(self, name: _Optional[str] = ..., points: _Optional[float] = ..., weight: _Optional[float] = ...) -> None: ...

class MonthlyScore(_message.Message):
    __slots__ = ("operator", "score", "parts")
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    operator: str
    score: float
    parts: _containers.RepeatedCompositeFieldContainer[ScorePart]
    def __init__(self, operator: _Optional[str] = ..., score: _Optional[float] = ..., parts: _Optional[_Iterable[_Union[ScorePart, _Mapping]]] = ...) -> None: ...

class GetMonthlyScoreResponse(_message.Message):
    __slots__ = ("is_final", "scores")
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    is_final: bool
    scores: _containers.RepeatedCompositeFieldContainer[MonthlyScore]
    def __init__(self, is_final: _Optional[bool] = ..., scores: _Optional[_Iterable[_Union[MonthlyScore, _Mapping]]] = ...) -> None: ...
