"""Metrics: what they count, and that labels come from closed sets whatever is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from identity.domain.caller import Role
from identity.telemetry.metrics import CODES, NO_REASON, OTHER, EndedCall, Metrics, ReadGauge

METHODS = ("CitizenService/SetLock", "ContactService/GetContact")
REASONS = ("CITIZEN_NOT_FOUND",)


def made() -> Metrics:
    return Metrics(methods=METHODS, reasons=REASONS)


def text_of(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def ended(
    method: str = METHODS[0],
    *,
    role: Role | None = Role.CITIZEN_APP,
    code: str = "OK",
    reason: str = NO_REASON,
) -> EndedCall:
    return EndedCall(method=method, role=role, code=code, reason=reason, seconds=0.02)


def test_a_call_is_counted_while_it_runs_and_when_it_has_ended() -> None:
    metrics = made()
    metrics.begin(METHODS[0])
    labels = {"method": METHODS[0]}
    under_way = metrics.registry.get_sample_value
    assert under_way("subid_calls_under_way", labels) == 1
    metrics.end(ended())
    assert under_way("subid_calls_under_way", labels) == 0
    told = {**labels, "role": "citizen-app", "code": "OK", "reason": "none"}
    assert under_way("subid_calls_total", told) == 1
    seconds = {**labels, "code": "OK"}
    assert under_way("subid_call_duration_seconds_sum", seconds) == 0.02


@given(method=st.text(), code=st.text(), reason=st.text())
def test_a_label_is_of_a_closed_set_whatever_is_told(method: str, code: str, reason: str) -> None:
    metrics = made()
    metrics.begin(method)
    metrics.end(ended(method, role=None, code=code, reason=reason))
    allowed = {
        "method": {*METHODS, OTHER},
        "role": {"unknown", *Role},
        "code": {*CODES, OTHER},
        "reason": {NO_REASON, *REASONS, OTHER},
    }
    for family in metrics.registry.collect():
        for sample in family.samples:
            for name, value in sample.labels.items():
                assert name == "le" or value in allowed[name]


def test_a_gauge_is_read_when_asked_and_left_out_when_it_cannot_be_read() -> None:
    metrics, numbers = made(), {"": 7.0}

    def read_broken() -> dict[str, float]:
        raise OSError("0901234567")

    metrics.add(
        [
            ReadGauge(name="subid_one", text="One.", read=lambda: numbers),
            ReadGauge(name="subid_broken", text="Broken.", read=read_broken),
            ReadGauge(
                name="subid_each",
                text="Each.",
                read=lambda: {"vn-cccd": 1.0, "0901234567": 2.0},
                label="profile",
                values=("vn-cccd",),
            ),
        ]
    )
    assert "subid_one 7.0" in text_of(metrics)
    numbers[""] = 8.0
    text = text_of(metrics)
    assert "subid_one 8.0" in text
    assert "subid_broken" not in text
    assert 'subid_each{profile="vn-cccd"} 1.0' in text
    assert 'subid_each{profile="other"} 2.0' in text
    assert "0901234567" not in text


def test_two_gauges_of_one_name_are_refused() -> None:
    metrics = made()
    gauge = ReadGauge(name="subid_one", text="One.", read=dict)
    metrics.add([gauge])
    with pytest.raises(ValueError, match="subid_one"):
        metrics.add([gauge])
