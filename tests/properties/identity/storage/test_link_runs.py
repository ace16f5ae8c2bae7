"""Slices share out every key there can be: none left, none twice."""

from hypothesis import given
from hypothesis import strategies as st

from identity.storage.link_runs import slice_bounds

keys = st.binary(min_size=32, max_size=32)


@given(keys, st.integers(1, 64))
def test_every_key_lies_in_exactly_one_slice(key: bytes, slice_count: int) -> None:
    holding = [
        place
        for place in range(slice_count)
        for low, high in [slice_bounds(place, of=slice_count)]
        if low <= key and (high is None or key < high)
    ]
    assert len(holding) == 1


@given(st.data(), st.integers(1, 2**32))
def test_a_slice_ends_where_the_next_begins(data: st.DataObject, slice_count: int) -> None:
    place = data.draw(st.integers(0, slice_count - 1))
    low, high = slice_bounds(place, of=slice_count)
    assert (low == bytes(4)) is (place == 0)
    assert (high is None) is (place == slice_count - 1)
    if high is not None:
        assert low < high
        assert slice_bounds(place + 1, of=slice_count)[0] == high


@given(st.data(), st.integers(1, 100_000))
def test_slices_hold_about_as_many_keys(data: st.DataObject, slice_count: int) -> None:
    place = data.draw(st.integers(0, slice_count - 1))
    low, high = slice_bounds(place, of=slice_count)
    end = 2**32 if high is None else int.from_bytes(high)
    assert abs((end - int.from_bytes(low)) - 2**32 / slice_count) <= 1
