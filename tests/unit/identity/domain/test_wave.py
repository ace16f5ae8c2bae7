"""Waves: who may do what with one, how many each slice takes, and when it stops itself."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from identity.domain.errors import WaveNotReadyError
from identity.domain.policy import StepKind, WavePolicy
from identity.domain.wave import (
    Aftermath,
    Rung,
    Wave,
    WaveCriteria,
    WavePreview,
    WaveState,
    reason_to_stop,
    rungs_before,
    steps_behind,
)
from tests.unit.identity.makers import rules

T2 = WaveCriteria(track="T2", step=StepKind.BLOCK_OUTGOING)
PREVIEW = WavePreview(
    subscription_count=0,
    by_operator={},
    by_province={},
    by_age={},
    primary_count=0,
    last_number_count=0,
    recently_verified_count=0,
    held_count=0,
)
WAVE = Wave(
    wave_id=uuid4(),
    criteria=T2,
    state=WaveState.PREVIEWED,
    creator="regulator:a",
    created_at=datetime(2026, 5, 1, tzinfo=UTC),
    preview=PREVIEW,
)
POLICY = WavePolicy(cured_share_max=0.2, complaint_share_max=0.01)


@pytest.mark.parametrize("state", WaveState)
def test_only_a_wave_that_was_tried_or_stopped_waits_for_approvals(state: WaveState) -> None:
    wave = replace(WAVE, state=state)
    if state in {WaveState.PREVIEWED, WaveState.STOPPED}:
        wave.refuse_approval("regulator:a")
    else:
        with pytest.raises(WaveNotReadyError, match=state):
            wave.refuse_approval("regulator:a")


@pytest.mark.parametrize("state", WaveState)
def test_only_what_two_have_approved_is_executed(state: WaveState) -> None:
    wave = replace(WAVE, state=state)
    if state in {WaveState.APPROVED, WaveState.RUNNING}:
        wave.refuse_execution()
    else:
        with pytest.raises(WaveNotReadyError, match=state):
            wave.refuse_execution()


def test_nobody_approves_twice_in_a_round() -> None:
    wave = replace(WAVE, approvers=("regulator:a",))
    with pytest.raises(WaveNotReadyError, match="somebody else"):
        wave.refuse_approval("regulator:a")
    wave.refuse_approval("regulator:b")


@pytest.mark.parametrize(("most", "of"), [(1, 1), (5, 3), (7, 7), (100_001, 6), (2, 5)])
def test_the_shares_of_all_slices_are_what_the_wave_may_take(most: int, of: int) -> None:
    wave = replace(WAVE, criteria=replace(T2, subscription_count_max=most), slice_count=of)
    shares = [wave.share_of(place) for place in range(of)]
    assert sum(share or 0 for share in shares) == most
    assert {share in {most // of, -(-most // of)} for share in shares} == {True}


def test_a_wave_of_all_takes_all_of_each_slice() -> None:
    assert replace(WAVE, slice_count=3).share_of(1) is None


@pytest.mark.parametrize(
    ("cured", "complaints", "stops"),
    [
        (0, 0, False),
        (200, 10, False),  # as many as are allowed
        (201, 0, True),
        (0, 11, True),
    ],
)
def test_a_wave_stops_beyond_what_its_policy_allows(
    cured: int, complaints: int, *, stops: bool
) -> None:
    after = Aftermath(number_count=1_000, cured_count=cured, complaint_count=complaints)
    reason = reason_to_stop(after, POLICY)
    assert (reason is not None) is stops
    if reason is not None:
        assert f"{max(cured, complaints)} " in reason


def test_a_slice_that_took_nobody_stops_nothing() -> None:
    nothing = Aftermath(number_count=0, cured_count=0, complaint_count=0)
    assert reason_to_stop(nothing, POLICY) is None


def test_a_case_stood_before_the_step_whether_or_not_its_pack_leaves_it_to_waves() -> None:
    ours = rules()
    key = next(each for each in ours.known_tracks if each[1] == "T2")
    track = ours.known_tracks[key]
    without = replace(track, steps=tuple(replace(step, is_by_wave=False) for step in track.steps))
    both = replace(
        ours, known_tracks={**ours.known_tracks, ("other", "T2"): without, ("other", "T9"): track}
    )
    assert steps_behind(T2, both) == {key[0]: 5}
    assert rungs_before(T2, both) == {
        key[0]: Rung(5, is_by_wave=True),
        "other": Rung(5, is_by_wave=False),
    }
