"""Which rules hold on a day, and which packs do not go together."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from identity.domain.anomalies import HolderPolicy
from identity.domain.arrangement import ArrangementPolicy
from identity.domain.kyc import KycPolicy
from identity.domain.policy import (
    OPTIONAL_CAUSES,
    CaseCause,
    DisputePolicy,
    PolicyPack,
    PolicyPackError,
    WavePolicy,
)
from identity.domain.policy_book import Adoption, PolicyBook
from identity.domain.policy_text import parse_policy_pack
from identity.domain.quality import QualityPolicy
from identity.domain.quarantine import NumberPolicy
from identity.domain.record_match import MatchPolicy
from tests.unit.identity.domain.packs import PACK, changed, made

MANDATORY_CAUSES = sorted(set(CaseCause) - OPTIONAL_CAUSES)
FIRST = date(2026, 1, 1)
SECOND = date(2026, 6, 1)
THIRD = date(2026, 9, 1)
NOON = 12


def pack(text: str = PACK) -> PolicyPack:
    return parse_policy_pack(text)


def at(day: date, *, hour: int = NOON) -> datetime:
    """An instant of a day in UTC, which is seven hours later in Viet Nam."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def assert_refused(packs: list[PolicyPack], message: str) -> None:
    with pytest.raises(PolicyPackError, match=re.escape(message)):
        PolicyBook(packs)


def part(version: str, body: str) -> PolicyPack:
    """A pack of a series of its own that says one thing."""
    head = f'version = "{version}"\nseries = "{version}"\neffective_on = 2026-06-01\n'
    return pack(head + body)


# What holds.


@pytest.mark.parametrize("cause", MANDATORY_CAUSES)
def test_every_cause_leads_to_its_track(cause: CaseCause) -> None:
    track = PolicyBook([pack()]).at(at(FIRST)).track_for(cause)
    assert track is not None
    assert cause in track.causes


def test_a_sim_swap_puts_a_number_on_a_ladder_only_where_a_pack_says_so() -> None:
    assert PolicyBook([pack()]).at(at(FIRST)).track_for(CaseCause.SIM_SWAP) is None
    text = changed('"device_change", ', '"device_change", "sim_swap", ')
    track = PolicyBook([pack(text)]).at(at(FIRST)).track_for(CaseCause.SIM_SWAP)
    assert track is not None
    assert track.name == "A"


def test_what_no_pack_speaks_of_is_as_without_a_rule() -> None:
    rules = PolicyBook([pack()]).at(at(FIRST))
    assert rules.holders == HolderPolicy()
    assert rules.quality == QualityPolicy()
    assert rules.numbers == NumberPolicy()
    assert rules.disputes == DisputePolicy()
    assert rules.waves == WavePolicy()
    assert rules.arrangements == ArrangementPolicy()
    assert rules.arrangements.guardian_acts == frozenset()
    assert rules.match == MatchPolicy()
    assert rules.kyc == KycPolicy()
    assert rules.adoptions == ()


def test_several_packs_hold_together_each_for_what_it_speaks_of() -> None:
    body = '[numbers]\ncitation = "R."\nconfirm_in_gazette = true\nquarantine_days = 45\n'
    book = PolicyBook([pack(), part("numbers-only", body)])
    assert book.at(at(FIRST)).numbers.quarantine == timedelta(0)
    assert book.at(at(SECOND)).numbers.quarantine == timedelta(days=45)
    assert [each.version for each in book.in_force(SECOND)] == ["test-2026-01-01", "numbers-only"]
    assert set(book.at(at(SECOND)).tracks) == {"A", "B"}


def test_of_a_series_the_latest_pack_holds_and_one_of_before_never_comes_back() -> None:
    first, third = made("a", on=FIRST), made("c", on=THIRD)
    other = part("other", "effective_until = 2026-07-01\n")
    book = PolicyBook([third, first, made("b", on=SECOND, until=THIRD), other])
    july = date(2026, 7, 1)
    assert book.change_days == [FIRST, SECOND, july, THIRD]
    assert [each.version for each in book.in_force(FIRST)] == ["a"]
    assert {each.version for each in book.in_force(SECOND)} == {"b", "other"}
    assert [each.version for each in book.in_force(july)] == ["b"]
    assert [each.version for each in book.in_force(THIRD)] == ["c"]
    gap = [third, first, made("b", on=SECOND, until=july)]
    assert_refused(gap, "on 2026-07-01 no pack says how holders are verified")


def test_rules_change_at_midnight_in_viet_nam() -> None:
    book = PolicyBook([made("a", on=FIRST), made("b", on=SECOND)])
    midnight = datetime(2026, 5, 31, 17, tzinfo=UTC)
    before, after = book.at(midnight - timedelta(microseconds=1)), book.at(midnight)
    assert (before.verification.version, after.verification.version) == ("a", "b")


def test_before_the_first_pack_there_are_no_rules_and_that_is_said() -> None:
    book = PolicyBook([pack()])
    with pytest.raises(
        PolicyPackError, match="on 2025-12-31 no pack says how holders are verified"
    ):
        book.at(datetime(2025, 12, 31, 16, 59, 59, tzinfo=UTC))
    assert book.at(datetime(2025, 12, 31, 17, tzinfo=UTC)).verification.version == "test-2026-01-01"


# Cases and the packs they run under.


def test_a_case_finds_the_ladder_that_it_began_on_whatever_holds_now() -> None:
    old, new = made("a", on=FIRST), made("b", on=SECOND, suspend_after_hours=48)
    gone = made("draft", on=FIRST, series="gone")
    rules = PolicyBook([old, new], past=[gone]).at(at(THIRD))
    assert rules.track_of("a", "B") is old.tracks["B"]
    assert rules.track_of("b", "B") is new.tracks["B"]
    assert rules.track_of("draft", "A") is gone.tracks["A"]
    for unknown in (("c", "B"), ("a", "C")):
        with pytest.raises(PolicyPackError, match="which is not here"):
            rules.track_of(*unknown)


def test_a_pack_of_the_past_that_stored_cases_may_name_changes_no_rule() -> None:
    book = PolicyBook([pack()], past=[made("later", on=SECOND, suspend_after_hours=1)])
    assert book.at(at(THIRD)).verification.version == "test-2026-01-01"
    assert [each.version for each in book.packs] == ["test-2026-01-01", "later"]


def test_only_a_retroactive_pack_takes_open_cases_over() -> None:
    old = made("a", on=FIRST)
    new = made("b", on=SECOND, suspend_after_hours=48)
    assert PolicyBook([old, new]).at(at(THIRD)).adoptions == ()
    book = PolicyBook([old, replace(new, is_retroactive=True)])
    assert book.at(at(FIRST)).adoptions == ()
    moved = {"from_version": "a", "to_version": "b"}
    zero = timedelta()
    assert set(book.at(at(SECOND)).adoptions) == {
        *(
            Adoption(**moved, track="A", steps_taken=rung, later=zero, waits_for_wave=False)
            for rung in range(4)
        ),
        Adoption(**moved, track="B", steps_taken=0, later=zero, waits_for_wave=False),
        Adoption(
            **moved, track="B", steps_taken=1, later=timedelta(hours=24), waits_for_wave=False
        ),
        Adoption(**moved, track="B", steps_taken=2, later=zero, waits_for_wave=False),
    }


def test_cases_that_no_run_has_moved_are_still_moved_when_a_later_pack_holds() -> None:
    packs = [
        made("a", on=FIRST),
        made("b", on=SECOND, is_retroactive=True),
        made("c", on=THIRD),
    ]
    adoptions = PolicyBook(packs).at(at(THIRD)).adoptions
    assert {(each.from_version, each.to_version) for each in adoptions} == {("a", "b")}


def test_the_last_retroactive_pack_takes_over_from_all_before_it() -> None:
    packs = [
        made("a", on=FIRST),
        made("b", on=SECOND, is_retroactive=True, suspend_after_hours=36),
        made("c", on=THIRD, is_retroactive=True, suspend_after_hours=12),
    ]
    rules = PolicyBook(packs[1:], past=packs[:1]).at(at(THIRD))
    later = {
        each.from_version: each.later
        for each in rules.adoptions
        if (each.track, each.steps_taken) == ("B", 1)
    }
    assert later == {"a": timedelta(hours=-12), "b": timedelta(hours=-24)}
    assert {each.to_version for each in rules.adoptions} == {"c"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{ kind = "suspend", after_hours = 24 }', '{ kind = "terminate", after_hours = 24 }'),
        (
            '{ kind = "suspend", after_hours = 24 }',
            '{ kind = "notify", after_hours = 1 }, { kind = "suspend", after_hours = 24 }',
        ),
        (
            '["unverified", "mismatched", "not_found", "deceased"]',
            "[]\n[tracks.C]\ncauses = []",
        ),
    ],
    ids=["other step", "one more", "another track"],
)
def test_a_retroactive_pack_with_other_steps_is_refused(old: str, new: str) -> None:
    text = changed('"test-2026-01-01"', '"next"')
    text = changed("= 2026-01-01\n", "= 2026-06-01\nretroactive = true\n", text=text)
    if "[tracks.C]" in new:
        later = pack(text.replace("[tracks.B", "[tracks.C"))
    else:
        later = pack(changed(old, new, text=text))
    assert_refused(
        [pack(), later],
        "next is retroactive, so it needs a track B with the kinds of steps that test-2026-01-01",
    )


# Packs that do not go together.


def test_nothing_holds_without_rules_for_verifications() -> None:
    assert_refused([], "no pack says how holders are verified")
    assert_refused([replace(pack(), verification=None)], "no pack says how holders are verified")


def test_two_packs_of_one_name_are_refused() -> None:
    assert_refused([pack(), pack()], "two packs have the version test-2026-01-01")
    with pytest.raises(PolicyPackError, match="two packs have the version test-2026-01-01"):
        PolicyBook([pack()], past=[pack()])


def test_two_packs_of_one_series_that_begin_together_are_refused() -> None:
    assert_refused(
        [made("a", on=FIRST), made("b", on=FIRST)],
        "a and b are of one series, test, and both begin on 2026-01-01",
    )


@pytest.mark.parametrize("cause", MANDATORY_CAUSES)
def test_a_cause_without_a_track_is_named(cause: CaseCause) -> None:
    text = re.sub(rf'"{cause}", |, "{cause}"', "", PACK)
    assert_refused([pack(text)], f"on 2026-01-01 cause {cause} needs one track, has none")


def test_two_packs_with_a_track_for_one_cause_are_named() -> None:
    other = pack(PACK.replace("[tracks.B", "[tracks.C"))
    cut = {"C": other.tracks["C"]}
    both = replace(other, version="other", series="other", tracks=cut, verification=None)
    assert_refused([pack(), both], "on 2026-01-01 cause unverified needs one track, has B, C")


def test_two_packs_with_a_track_of_one_name_are_named() -> None:
    other = made("other", on=SECOND, series="other")
    assert_refused(
        [pack(), replace(other, verification=None)],
        "on 2026-06-01 test-2026-01-01 and other both have a track A: rename one",
    )


@pytest.mark.parametrize("name", ["verification", "holders", "quality", "numbers"])
def test_two_packs_in_force_that_speak_of_the_same_are_named(name: str) -> None:
    source = 'citation = "R."\nconfirm_in_gazette = true\n'
    body = {
        "verification": "face_dissimilarity_max = 0.4\nsession_lifetime_s = 600",
        "holders": "",
        "quality": "snapshot_age_max_days = 31",
        "numbers": "quarantine_days = 45",
    }[name]
    section = f"[{name}]\n{source}{body}"
    packs = [part("one", section), part("two", section)]
    assert_refused([pack(), *packs], f"on 2026-06-01 {_both(name)} both have {name}")


def _both(name: str) -> str:
    return "test-2026-01-01 and one and two" if name == "verification" else "one and two"
