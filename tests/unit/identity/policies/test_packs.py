"""Every shipped pack loads, and the day counts of the regulation come out of it."""

from datetime import date, timedelta
from importlib import resources
from itertools import accumulate

import pytest

from identity.bootstrap import load_policy
from identity.domain.anomalies import HolderPolicy
from identity.domain.policy import CaseCause, PolicyPack, StepKind

FOLDER = resources.files("identity.policies")
NAMES = sorted(
    file.name.removesuffix(".toml") for file in FOLDER.iterdir() if file.name.endswith(".toml")
)
PACK = "vn-2026-04-15"
HOUR = timedelta(hours=1)


def days(pack: PolicyPack, track: str) -> list[tuple[str, float]]:
    """Each rung of a track with the day on which it is due when every run is in time."""
    steps = pack.tracks[track].steps
    due = accumulate(step.after / timedelta(days=1) for step in steps)
    return list(zip((step.kind.value for step in steps), due, strict=True))


def notices(count: int) -> list[tuple[str, float]]:
    return [("notify", day) for day in range(count)]


def test_there_is_a_pack() -> None:
    assert PACK in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_loads_and_its_version_is_its_file_name(name: str) -> None:
    assert load_policy(name).version == name


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_holds_from_the_day_in_its_name(name: str) -> None:
    assert name.endswith(load_policy(name).effective_on.isoformat())


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_blocked_without_a_notice_a_reason_and_a_way_out(name: str) -> None:
    for track in load_policy(name).tracks.values():
        assert track.steps[0].kind is StepKind.NOTIFY
        assert track.citation
        assert track.cure


def test_a_pack_that_is_not_there_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        load_policy("vn-1999-01-01")


def test_the_circular_is_in_force_from_15_april_2026() -> None:
    assert load_policy(PACK).effective_on == date(2026, 4, 15)


@pytest.mark.parametrize(
    ("cause", "track"),
    [
        (CaseCause.DEVICE_CHANGE, "T1"),
        (CaseCause.UNVERIFIED, "T2"),
        (CaseCause.MISMATCHED, "T2"),
        (CaseCause.DISOWNED, "T3"),
        (CaseCause.NOT_FOUND, "T4"),
        (CaseCause.DECEASED, "T4"),
    ],
)
def test_each_cause_is_on_its_track(cause: CaseCause, track: str) -> None:
    assert load_policy(PACK).track_for(cause).name == track


def test_t1_blocks_within_two_hours_then_after_30_and_5_days() -> None:
    pack = load_policy(PACK)
    assert days(pack, "T1") == [
        *(("notify", 0), ("block_outgoing", 0), ("suspend", 30), ("terminate", 35))
    ]
    assert pack.tracks["T1"].execute_within == 2 * HOUR
    assert pack.tracks["T1"].primary_extra == 0 * HOUR


def test_t2_blocks_after_5_days_of_notices_then_after_60_and_5_days() -> None:
    assert days(load_policy(PACK), "T2") == [
        *notices(5),
        *(("block_outgoing", 5), ("suspend", 65), ("terminate", 70)),
    ]


def test_t3_suspends_after_5_days_of_notices() -> None:
    assert days(load_policy(PACK), "T3") == [*notices(5), ("suspend", 5)]


def test_t4_blocks_on_day_15_suspends_on_day_30_terminates_on_day_60() -> None:
    assert days(load_policy(PACK), "T4") == [
        *notices(5),
        *(("block_outgoing", 15), ("suspend", 30), ("terminate", 60)),
    ]


def test_a_primary_number_has_extra_time_where_no_safeguard_of_the_law_forbids_it() -> None:
    tracks = load_policy(PACK).tracks
    extra = {name: track.primary_extra / HOUR for name, track in tracks.items()}
    assert extra == {"T1": 0, "T2": 120, "T3": 0, "T4": 0}


def test_a_face_matches_below_the_distance_that_was_measured_for_the_people_served() -> None:
    policy = load_policy(PACK).verification
    assert (policy.version, policy.face_dissimilarity_max) == (PACK, 0.40)
    assert policy.session_lifetime == timedelta(minutes=10)


def test_the_bounds_for_holders_are_the_decree_s_and_ours() -> None:
    assert load_policy(PACK).holders == HolderPolicy(
        numbers_per_operator_max=3,
        own_contract_age_min=14,
        numbers_per_person_max=9,
        numbers_per_point_of_sale_day_max=100,
    )
