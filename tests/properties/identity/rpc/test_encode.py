"""Whatever is encoded says what the library itself would make of it."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.rpc import encode


@given(
    instant=st.datetimes(
        min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone itself
        max_value=datetime(9999, 1, 1),  # noqa: DTZ001 - as above
        timezones=st.timezones(),
    )
)
@settings(max_examples=300)
def test_an_instant_is_what_the_library_makes_of_it(instant: datetime) -> None:
    expected = Timestamp()
    expected.FromDatetime(instant)
    assert encode.timestamp(instant) == expected
