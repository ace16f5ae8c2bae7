"""Durations and percentiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telco_sim.measurements import Latency, Measurements, percentile


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(each) for each in range(1, 101)]
    assert percentile(values, 0.50) == 50
    assert percentile(values, 0.95) == 95
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1) == 100


def test_a_single_value_is_every_percentile() -> None:
    assert percentile([7.0], 0.01) == percentile([7.0], 0.99) == 7.0


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=50),
    st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]),
)
def test_percentiles_agree_with_numpy(values: list[float], share: float) -> None:
    assert percentile(values, share) == np.quantile(values, share, method="inverted_cdf")


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile([1.0], share)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="0 values"):
        percentile([], 0.5)


def test_what_happens_inside_is_measured_by_method() -> None:
    ticks = iter([10.0, 10.25, 20.0, 20.75])
    measurements = Measurements(stopwatch=lambda: next(ticks))
    with measurements.measured("GetContact"):
        pass
    with measurements.measured("GetContact"):
        pass
    assert measurements.latencies() == {
        "GetContact": Latency(answer_count=2, p50_ms=250, p95_ms=750, p99_ms=750, longest_ms=750)
    }


def test_a_refusal_is_not_measured() -> None:
    measurements = Measurements()
    with pytest.raises(KeyError), measurements.measured("GetContact"):
        raise KeyError
    assert measurements.latencies() == {}
