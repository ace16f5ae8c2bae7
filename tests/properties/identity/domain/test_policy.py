"""Whatever stands in a pack, it is read as it says or refused as a pack, never otherwise."""

import json
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from identity.domain.policy import (
    OPTIONAL_CAUSES,
    CaseCause,
    PolicyPackError,
    StepKind,
    parse_policy_pack,
)
from tests.unit.identity.domain.samples import shipped_text

KINDS = list(StepKind)

hours = st.integers(0, 87_600) | st.floats(0, 87_600)
notices = st.lists(st.just(StepKind.NOTIFY), max_size=6)
blocks = st.sets(st.sampled_from(KINDS[1:]), min_size=1).map(lambda kinds: sorted(kinds, key=order))
ladders = st.builds(list.__add__, notices, blocks).flatmap(
    lambda kinds: st.tuples(*(st.tuples(st.just(kind), hours) for kind in kinds))
)
odd_values = st.sampled_from(
    [
        "-1",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "true",
        '""',
        '"x"',
        "[]",
        "[[]]",
        "{}",
        "0",
        "0.7",
        "[1]",
    ]
)


def order(kind: StepKind) -> int:
    return KINDS.index(kind)


def toml(ladder: tuple[tuple[StepKind, float], ...]) -> str:
    """A pack with all causes on one track with this ladder."""
    rows = ", ".join(f'{{ kind = "{kind}", after_hours = {after} }}' for kind, after in ladder)
    causes = json.dumps([cause.value for cause in CaseCause])
    return f"""
        version = "drawn"
        effective_on = 2026-01-01
        verification = {{ citation = "c", face_dissimilarity_max = 0.4, session_lifetime_s = 60 }}
        [tracks.T]
        causes = {causes}
        citation = "c"
        confirm_in_gazette = true
        cure = "w"
        execute_within_hours = 1
        primary_extra_hours = 0
        steps = [{rows}]
    """


@given(ladders)
def test_a_ladder_that_grows_stricter_is_read_rung_by_rung(
    ladder: tuple[tuple[StepKind, float], ...],
) -> None:
    track = parse_policy_pack(toml(ladder)).tracks["T"]
    assert [step.kind for step in track.steps] == [kind for kind, _ in ladder]
    total = sum(step.after.total_seconds() for step in track.steps)
    assert total == pytest.approx(3600 * sum(after for _, after in ladder), abs=1e-4)
    days = list(accumulate(step.after for step in track.steps))
    assert days == sorted(days)


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.just(1.0)), max_size=5).map(tuple))
def test_a_ladder_is_refused_exactly_when_it_is_empty_or_turns_milder_or_repeats_a_block(
    ladder: tuple[tuple[StepKind, float], ...],
) -> None:
    kinds = [kind for kind, _ in ladder]
    later = list(pairwise(kinds))
    is_sound = bool(kinds) and all(
        order(one) < order(other) or one is other is StepKind.NOTIFY for one, other in later
    )
    if is_sound:
        assert len(parse_policy_pack(toml(ladder)).tracks["T"].steps) == len(kinds)
    else:
        with pytest.raises(PolicyPackError, match=r"tracks\.T\.steps"):
            parse_policy_pack(toml(ladder))


def lines() -> list[str]:
    return shipped_text().splitlines()


@given(st.data())
def test_a_spoilt_value_is_refused_as_a_pack_or_read_within_its_bounds(data: st.DataObject) -> None:
    rows = lines()
    places = [at for at, row in enumerate(rows) if " = " in row and not row.startswith(("#", " "))]
    at = data.draw(st.sampled_from(places))
    rows[at] = rows[at].partition(" = ")[0] + " = " + data.draw(odd_values)
    assert_sound_or_refused("\n".join(rows))


@given(st.integers(0, 200), st.integers(0, 200))
@example(0, 200)
def test_a_pack_with_lines_cut_out_is_refused_as_a_pack_or_still_sound(
    start: int, end: int
) -> None:
    rows = lines()
    assert_sound_or_refused("\n".join(rows[: min(start, end)] + rows[max(start, end) :]))


def assert_sound_or_refused(text: str) -> None:
    try:
        pack = parse_policy_pack(text)
    except PolicyPackError:
        return
    assert 0 < pack.verification.face_dissimilarity_max <= 0.6
    assert [pack.track_for(cause).name for cause in set(CaseCause) - OPTIONAL_CAUSES]
    amounts: list[Any] = [step.after for track in pack.tracks.values() for step in track.steps]
    amounts += [track.primary_extra for track in pack.tracks.values()]
    assert all(0 <= amount.total_seconds() <= 87_600 * 3600 for amount in amounts)
