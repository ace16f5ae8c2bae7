"""Scores stay between 0 and 100, follow each figure in its direction, and weigh everything once."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.domain.compliance import ExecutionTimes, OperatorKpis, score
from identity.domain.quality import Share
from tests.unit.identity.kpi_reports import kpis

COUNT_MAX = 10**9
SHARES = ("coverage", "drift", "false_acknowledgements", "failures")
TIMES = ("orders", "notices", "device_changes")


@st.composite
def shares(draw: st.DrawFn) -> Share:
    whole = draw(st.integers(0, COUNT_MAX))
    return Share(draw(st.integers(0, whole)), whole)


@st.composite
def times(draw: st.DrawFn) -> ExecutionTimes:
    executed, open_late = draw(st.integers(0, COUNT_MAX)), draw(st.integers(0, COUNT_MAX))
    overtaken = draw(st.integers(0, COUNT_MAX))
    late = open_late + overtaken + draw(st.integers(0, executed))
    return ExecutionTimes(
        executed_count=executed,
        late_count=late,
        open_late_count=open_late,
        overtaken_late_count=overtaken,
    )


@st.composite
def figures(draw: st.DrawFn) -> OperatorKpis:
    drawn: dict[str, Any] = {name: draw(shares()) for name in SHARES}
    drawn |= {name: draw(times()) for name in TIMES}
    return kpis(**drawn)


@given(made=figures())
def test_a_score_lies_between_0_and_100_and_its_weights_add_up(made: OperatorKpis) -> None:
    found = score(made)
    if found.score is None:
        assert not found.parts
        return
    assert 0 <= found.score <= 100
    assert all(0 <= part.points <= 100 for part in found.parts)
    assert sum(part.weight for part in found.parts) == pytest.approx(1)
    points = [part.points for part in found.parts]
    assert min(points) - 1e-9 <= found.score <= max(points) + 1e-9


@given(made=figures(), name=st.sampled_from((*SHARES, *TIMES)), data=st.data())
def test_a_score_follows_each_share(made: OperatorKpis, name: str, data: st.DataObject) -> None:
    """More of what is good never costs points; more of what is bad never earns any."""
    other = replace(made, **{name: _with_more(getattr(made, name), data)})
    before, after = score(made).score, score(other).score
    if before is None or after is None:
        assert before is after
    elif name == "coverage":
        assert after >= before - 1e-9
    else:
        assert after <= before + 1e-9


def _with_more(value: Any, data: st.DataObject) -> Any:  # noqa: ANN401 - a share or times
    if isinstance(value, Share):
        more = data.draw(st.integers(value.numerator, value.denominator))
        return Share(more, value.denominator)
    whole = value.executed_count + value.open_late_count + value.overtaken_late_count
    return replace(value, late_count=data.draw(st.integers(value.late_count, whole)))


@given(made=figures())
def test_what_is_no_part_of_a_score_does_not_move_it(made: OperatorKpis) -> None:
    other = replace(
        made, complaint_count=9, cures=Share(0, 9), reverted_blocks=Share(9, 9), operator_id="x"
    )
    assert score(other).parts == score(made).parts
