"""Every shipped pack loads, they go together, and the regulation's day counts come out of them."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from itertools import accumulate

import pytest

from identity.config import DEFAULT_POLICIES, Settings
from identity.domain.anomalies import HolderPolicy
from identity.domain.calendar_date import DAY_ZONE
from identity.domain.msisdn import MSISDN
from identity.domain.notice import NextStep, fill
from identity.domain.policy import (
    OPTIONAL_CAUSES,
    Bilingual,
    CaseCause,
    DisputePolicy,
    PolicyPack,
    StepKind,
    Track,
    WavePolicy,
)
from identity.domain.policy_book import PolicyBook, Rules
from identity.policy_files import load_policies, load_policy

FOLDER = resources.files("identity.policies")
NAMES = sorted(
    file.name.removesuffix(".toml") for file in FOLDER.iterdir() if file.name.endswith(".toml")
)
CIRCULAR, DECREE = "vn-2026-04-15", "vn-decree-49-2017"
HOUR = timedelta(hours=1)
IN_FORCE = datetime(2026, 4, 15, tzinfo=DAY_ZONE)

# 3GPP TS 23.038, 6.2.1: what the texts of a message of 160 letters may hold, without the Greek.
GSM_7_BIT = re.compile(r"[A-Za-z0-9 @£$¥!\"#%&'()*+,\-./:;<=>?_\n]*")


@cache
def load(name: str) -> PolicyPack:
    return load_policy(name)


@cache
def book() -> PolicyBook:
    return load_policies(Settings())


def rules() -> Rules:
    return book().at(IN_FORCE)


def tracks() -> list[Track]:
    return [track for name in NAMES for track in load(name).tracks.values()]


def days(track: str) -> list[tuple[str, float]]:
    """Each rung of a track with the day on which it is due when every run is in time."""
    steps = rules().tracks[track].steps
    due = accumulate(step.after / timedelta(days=1) for step in steps)
    return list(zip((step.kind.value for step in steps), due, strict=True))


def notices(count: int) -> list[tuple[str, float]]:
    return [("notify", day) for day in range(count)]


def test_the_packs_that_apply_come_with_the_service() -> None:
    assert sorted(DEFAULT_POLICIES.split(",")) == NAMES == [CIRCULAR, DECREE]


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_loads_and_its_version_is_its_file_name(name: str) -> None:
    assert load(name).version == name


def test_a_pack_that_is_not_there_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        load_policy("vn-1999-01-01")


def test_the_rules_of_a_number_in_force_are_from_both_packs() -> None:
    assert load(CIRCULAR).effective_on == date(2026, 4, 15)
    assert load(DECREE).effective_on == date(2017, 4, 24)
    assert [pack.version for pack in book().in_force(date(2026, 4, 15))] == [DECREE, CIRCULAR]
    assert book().change_days == [date(2026, 4, 15)]
    assert sorted(rules().tracks) == ["T1", "T2", "T3", "T4"]
    assert rules().adoptions == ()


@pytest.mark.parametrize("track", tracks(), ids=lambda track: track.name)
def test_nobody_is_blocked_without_a_notice_a_reason_and_a_way_out(track: Track) -> None:
    assert track.steps[0].kind is StepKind.NOTIFY
    assert track.citation
    assert track.cure.vi
    assert track.cure.en


@pytest.mark.parametrize(
    ("cause", "track"),
    [
        (CaseCause.DEVICE_CHANGE, "T1"),
        (CaseCause.UNVERIFIED, "T2"),
        (CaseCause.MISMATCHED, "T2"),
        (CaseCause.FACE_UNDER_ANOTHER_ID, "T2"),
        (CaseCause.OPERATOR_REPORT, "T2"),
        (CaseCause.DISOWNED, "T3"),
        (CaseCause.NO_LONGER_USED, "T3"),
        (CaseCause.NOT_FOUND, "T4"),
        (CaseCause.DECEASED, "T4"),
    ],
)
def test_each_cause_is_on_its_track(cause: CaseCause, track: str) -> None:
    found = rules().track_for(cause)
    assert found is not None
    assert found.name == track


def test_a_sim_swap_alone_puts_no_number_on_a_ladder() -> None:
    assert rules().track_for(CaseCause.SIM_SWAP) is None
    without = [cause for cause in CaseCause if rules().track_for(cause) is None]
    assert set(without) < OPTIONAL_CAUSES


def test_t1_blocks_within_two_hours_then_after_30_and_5_days() -> None:
    assert days("T1") == [
        *(("notify", 0), ("block_outgoing", 0), ("suspend", 30), ("terminate", 35))
    ]
    track = rules().tracks["T1"]
    assert (track.execute_within, track.waits_for_notices) == (2 * HOUR, False)


def test_t2_blocks_after_5_days_of_notices_then_after_60_and_5_days() -> None:
    assert days("T2") == [
        *notices(5),
        *(("block_outgoing", 5), ("suspend", 65), ("terminate", 70)),
    ]
    assert rules().tracks["T2"].waits_for_notices


def test_t3_suspends_after_5_days_of_notices() -> None:
    assert days("T3") == [*notices(5), ("suspend", 5)]


def test_t4_blocks_on_day_15_suspends_on_day_30_terminates_on_day_60() -> None:
    assert days("T4") == [
        *notices(5),
        *(("block_outgoing", 15), ("suspend", 30), ("terminate", 60)),
    ]


def test_what_only_the_press_says_is_marked() -> None:
    marks = {track.name: track.is_unconfirmed for track in tracks()}
    assert marks == {"T1": False, "T2": True, "T3": True, "T4": True}
    marked = {name for name, source in load(CIRCULAR).sources.items() if source.is_unconfirmed}
    assert marked == {
        *("verification", "holders", "numbers", "disputes", "primary"),
        *("presence", "arrangements", "privacy"),
    }


def test_a_primary_number_has_extra_time_where_no_safeguard_of_the_law_forbids_it() -> None:
    extra = {track.name: track.primary_extra / HOUR for track in tracks()}
    assert extra == {"T1": 0, "T2": 120, "T3": 0, "T4": 0}
    t2 = rules().tracks["T2"]
    assert t2.primary_notice != t2.notice


def test_a_face_matches_below_the_distance_that_was_measured_for_the_people_served() -> None:
    policy = rules().verification
    assert (policy.version, policy.face_dissimilarity_max) == (CIRCULAR, 0.40)
    assert policy.session_lifetime == timedelta(minutes=10)
    assert policy.trust_profile == "vn-cccd"


def test_the_bounds_for_holders_are_the_decree_s_and_ours() -> None:
    assert rules().holders == HolderPolicy(
        numbers_per_operator_max=3,
        own_contract_age_min=14,
        numbers_per_person_max=9,
        numbers_per_point_of_sale_day_max=100,
    )


def test_numbers_rest_for_45_days_disputes_take_two_fortnights_and_waves_stop_themselves() -> None:
    assert rules().numbers.quarantine == timedelta(days=45)
    fortnight = timedelta(days=15)
    assert rules().disputes == DisputePolicy(decide_within=fortnight, appeal_within=fortnight)
    assert rules().waves == WavePolicy(cured_share_max=0.2, complaint_share_max=0.01)


# The words that reach a user.


def filled() -> list[tuple[str, Bilingual]]:
    """Every notice in the words of every step that it can tell of."""
    at = datetime.combine(date(2026, 12, 31), time(), tzinfo=DAY_ZONE)
    return [
        (
            f"{track.name}-{step.kind}-{place}",
            fill(
                template,
                msisdn=MSISDN("+84912345678"),
                upcoming=NextStep(kind=step.kind, at=at),
                cure=track.cure,
            ),
        )
        for track in tracks()
        for place, template in (("usual", track.notice), ("primary", track.primary_notice))
        for step in track.steps
        if step.kind is not StepKind.NOTIFY
    ]


@pytest.mark.parametrize(("name", "notice"), filled(), ids=lambda value: str(value)[:30])
def test_a_notice_fits_four_messages_in_vietnamese_and_two_in_english(
    name: str, notice: Bilingual
) -> None:
    # Of several messages each has room for 67 units of UCS-2 or 153 letters of the GSM alphabet.
    assert -(-len(notice.vi) // 67) <= 4, name
    assert GSM_7_BIT.fullmatch(notice.en), name
    assert -(-len(notice.en) // 153) <= 2, name


@pytest.mark.parametrize(("name", "notice"), filled(), ids=lambda value: str(value)[:30])
def test_a_notice_is_whole_sentences_with_the_number_the_day_and_the_way_out(
    name: str, notice: Bilingual
) -> None:
    for words in (notice.vi, notice.en):
        assert "091***678" in words, name
        assert "31/12/2026" in words, name
        assert words.endswith("."), name
        sentences = re.split(r"(?<=[.:;]) ", words)
        assert all(re.split(r"[.:;]", one)[0] for one in sentences), name
        assert words[0].isupper(), name
        assert "  " not in words, name
        # After a full stop a sentence begins anew.
        assert not re.search(r"\. [a-zà-ỹđ]", words), name
    assert any(unicodedata.decomposition(sign) for sign in notice.vi), name
