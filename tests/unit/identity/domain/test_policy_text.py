"""A pack with one thing wrong is refused, with a message that names the place."""

import re
from datetime import date, timedelta

import pytest

from identity.domain.anomalies import HolderPolicy
from identity.domain.arrangement import ArrangementPolicy, GuardianAct, GuardianshipParty
from identity.domain.data_request import PrivacyPolicy
from identity.domain.kyc import KycPolicy
from identity.domain.policy import (
    DisputePolicy,
    PolicyPackError,
    Source,
    WavePolicy,
)
from identity.domain.policy_text import parse_policy_pack
from identity.domain.presence import PresencePolicy
from identity.domain.primary_choice import PrimaryPolicy
from identity.domain.quality import QualityPolicy
from identity.domain.quarantine import NumberPolicy
from identity.domain.record_match import MatchPolicy
from tests.unit.identity.domain.packs import LAST_STEPS, PACK, assert_refused, changed

HUGE = "9" * 5_000  # more digits than Python reads as a number
DEEP = "[" * 100_000
STATED = "session_lifetime_s = 600"


# What is read.


def test_a_whole_pack_is_read_to_the_letter() -> None:
    pack = parse_policy_pack(PACK)
    assert (pack.version, pack.series) == ("test-2026-01-01", "test")
    assert (pack.effective_on, pack.effective_until) == (date(2026, 1, 1), None)
    assert not pack.is_retroactive
    assert pack.sources == {"verification": Source(citation="A circular.", is_unconfirmed=False)}
    assert set(pack.tracks) == {"A", "B"}
    for part in (pack.holders, pack.quality, pack.numbers, pack.disputes, pack.waves, pack.match):
        assert part is None


def test_a_pack_without_ladders_or_without_rules_for_verifications_is_one_all_the_same() -> None:
    bare = parse_policy_pack('version = "a"\nseries = "b"\neffective_on = 2026-01-01\n')
    assert (dict(bare.tracks), bare.verification, dict(bare.sources)) == ({}, None, {})


def test_a_pack_may_end_and_may_take_open_cases_over() -> None:
    day = "effective_on = 2026-01-01\n"
    text = changed(day, f"{day}effective_until = 2026-01-02\nretroactive = true\n")
    pack = parse_policy_pack(text)
    assert (pack.effective_until, pack.is_retroactive) == (date(2026, 1, 2), True)


# The digest.


@pytest.mark.parametrize(
    "text",
    [
        f"# Comments do not count.\n\n{PACK}\n",
        PACK.replace(" = ", "="),
        changed("execute_within_hours = 24", "execute_within_hours = 24.0"),
        changed('version = "test-2026-01-01"\nseries = "test"\n', "")
        .lstrip()
        .join(["series = 'test'\nversion = 'test-2026-01-01'\n", ""]),
    ],
    ids=["comment", "space", "24.0", "order"],
)
def test_the_digest_is_of_what_a_pack_says_and_not_of_how_it_is_written(text: str) -> None:
    digest = parse_policy_pack(PACK).digest
    assert len(digest) == 32
    assert text != PACK
    assert parse_policy_pack(text).digest == digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("after_hours = 720", "after_hours = 719.5"),
        ('"Rule A."', '"Rule A,"'),
        ("effective_on = 2026-01-01", "effective_on = 2026-01-02"),
        ("confirm_in_gazette = true", "confirm_in_gazette = false"),
        ('vi = "Lối ra của A."', 'vi = "Lối ra của Á."'),
        ('version = "test-2026-01-01"', 'version = "test"'),
    ],
)
def test_whatever_a_pack_says_counts_for_its_digest(old: str, new: str) -> None:
    assert parse_policy_pack(changed(old, new)).digest != parse_policy_pack(PACK).digest


# What is no pack at all.


@pytest.mark.parametrize(
    "text",
    [
        *("version =", "[tracks", PACK + PACK, f"deep = {DEEP}", "\ufeff" + PACK),
        changed("after_hours = 24 ", "= "),
        changed("after_hours = 720", f"after_hours = {HUGE}"),
    ],
    ids=["cut", "bracket", "twice", "deep", "bom", "no key", "huge"],
)
def test_what_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(PolicyPackError, match="not TOML"):
        parse_policy_pack(text)


def test_a_track_that_stands_twice_is_refused() -> None:
    with pytest.raises(PolicyPackError, match=r"not TOML: Cannot declare .*'tracks', 'A'.* twice"):
        parse_policy_pack(PACK + PACK[PACK.index("[tracks.A]") : PACK.index("[tracks.A.cure]")])


# Keys.


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('version = "test-2026-01-01"\n', "pack: missing version"),
        ('series = "test"\n', "pack: missing series"),
        ("effective_on = 2026-01-01\n", "pack: missing effective_on"),
        ('citation = "A circular."\n', "verification: missing citation"),
        ("face_dissimilarity_max = 0.4\n", "verification: missing face_dissimilarity_max"),
        ("session_lifetime_s = 600\n", "verification: missing session_lifetime_s"),
        ('causes = ["device_change", "disowned"]\n', "tracks.A: missing causes"),
        ('citation = "Rule B."\n', "tracks.B: missing citation"),
        ("confirm_in_gazette = true\n", "tracks.B: missing confirm_in_gazette"),
        ("execute_within_hours = 24\n", "tracks.B: missing execute_within_hours"),
        ("primary_extra_hours = 120\n", "tracks.B: missing primary_extra_hours"),
        ('vi = "Lối ra của A."\n', "tracks.A.cure: missing vi"),
        (", after_hours = 24", "tracks.B.steps[1]: missing after_hours"),
        (", after_hours = 1.5", "tracks.A.steps[1]: missing after_hours"),
        ('kind = "suspend", ', "tracks.B.steps[1]: missing kind"),
        (LAST_STEPS, "tracks.B: missing steps"),
    ],
)
def test_anything_missing_is_named(line: str, place: str) -> None:
    assert_refused(changed(line, " "), place)


def test_everything_missing_is_named_at_once() -> None:
    assert_refused("", "pack: missing effective_on, series, version")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("effective_on", "colour = 1\neffective_on", "pack: unknown colour"),
        ("effective_on", '"a\\nb" = 1\neffective_on', r"pack: unknown 'a\nb'"),
        ("effective_on", f"{'k' * 500} = 1\neffective_on", f"pack: unknown '{'k' * 39}…"),
        ('citation = "A circular."', 'citation = "A."\nmax = 1', "verification: unknown max"),
        ('citation = "Rule A."', 'citation = "A."\ncures = 1', "tracks.A: unknown cures"),
        ('"suspend", after', '"suspend", when = 1, after', "tracks.B.steps[1]: unknown when"),
        ("after_hours = 720", "after_days = 720", "tracks.A.steps[2]: unknown after_days"),
        ('vi = "Lối ra của A."', 'vi = "A"\nfr = "A"', "tracks.A.cure: unknown fr"),
    ],
)
def test_an_unknown_key_is_named(old: str, new: str, place: str) -> None:
    text = PACK.replace(old, new, 1)
    assert text != PACK
    assert_refused(text, place)


# Types and bounds.


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('version = "test-2026-01-01"', "version = 1", "version must be a sentence"),
        ('version = "test-2026-01-01"', 'version = "  "', "version must be a sentence"),
        ('version = "test-2026-01-01"', 'version = "Test"', "version must be 1 to 64 small"),
        ('version = "test-2026-01-01"', 'version = "../x"', "version must be 1 to 64 small"),
        ('version = "test-2026-01-01"', f'version = "{"a" * 65}"', "version must be 1 to 64"),
        ('series = "test"', 'series = "Test"', "series must be 1 to 64 small letters"),
        ("= 2026-01-01\n", '= "2026-01-01"\n', "effective_on must be a date"),
        ("= 2026-01-01\n", "= 2026\n", "effective_on must be a date"),
        ("= 2026-01-01\n", "= 2026-01-01T00:00:00Z\n", "effective_on must be a date"),
        ("= 2026-01-01\n", "= 00:00:00\n", "effective_on must be a date"),
        ("= 2026-01-01\n", "= 1026-01-01\n", "effective_on: the year must be 1900 to 2199"),
        ("= 2026-01-01\n", "= 2026-01-01\neffective_until = 1\n", "effective_until must be a date"),
        ("= 2026-01-01\n", "= 2026-01-01\nretroactive = 1\n", "retroactive must be true or false"),
        ('"A circular."', "7", "verification.citation must be a sentence"),
        ('"Rule A."', '""', "tracks.A.citation must be a sentence"),
        ('"Lối ra của B."', "true", "tracks.B.cure.vi must be a sentence"),
        ("= true", '= "yes"', "tracks.B.confirm_in_gazette must be true or false"),
        ("= true", "= 1", "tracks.B.confirm_in_gazette must be true or false"),
        ('["device_change", "disowned"]', '"device_change"', "tracks.A.causes must be a list"),
        ('["device_change", "disowned"]', "[1]", "tracks.A.causes must be a sentence"),
        ('["device_change", "disowned"]', '[["disowned"]]', "tracks.A.causes must be a sentence"),
        ('["device_change", "disowned"]', '["disownd"]', "tracks.A.causes: 'disownd' is none of"),
        ('"device_change", ', '"disowned", ', "tracks.A.causes: disowned stands twice"),
        (
            '"suspend"',
            '"suspended"',
            "tracks.B.steps[1].kind: 'suspended' is none of notify, block",
        ),
        ('"suspend"', "3", "tracks.B.steps[1].kind must be a sentence"),
        ('"suspend"', '["suspend"]', "tracks.B.steps[1].kind must be a sentence"),
        ("after_hours = 24 ", "after_hours = 24, by_wave = 1 ", "tracks.B.steps[1].by_wave must"),
    ],
)
def test_a_value_of_the_wrong_type_or_word_is_named(old: str, new: str, place: str) -> None:
    assert_refused(changed(old, new), place)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * 301, "is longer than 300 characters"),
        ("a\\u0007b", "holds U+0007, which nobody sees"),
        ("a\\nb", "holds U+000A, which nobody sees"),
        ("a\\u202Eb", "holds U+202E, which nobody sees"),
        ("a\\u2028b", "holds U+2028, which nobody sees"),
        ("a\\u200Bb", "holds U+200B, which nobody sees"),
        ("Lo\\u0302\\u0301i ra", "has accents apart from their letters"),
        ("\\u2003", "must be a sentence"),
    ],
)
def test_a_text_that_no_telephone_shows_as_it_was_meant_is_named(text: str, says: str) -> None:
    assert_refused(changed('"Rule B."', f'"{text}"'), f"tracks.B.citation {says}")
    assert_refused(changed('"Way out of A."', f'"{text}"'), f"tracks.A.cure.en {says}")
    notice = "Number {number}: {step} on {date}. {cure}"
    assert_refused(changed(f'"{notice}"', f'"{text}"'), f"tracks.A.notice.en {says}")


def test_sections_that_are_no_tables_are_named() -> None:
    head = 'version = "a"\nseries = "b"\neffective_on = 2026-01-01\n'
    for name in ("tracks", "verification", *SECTIONS):
        assert_refused(f"{head}{name} = 5\n", f"{name} must be a table")
        assert_refused(f"{head}[[{name}]]\nx = 1\n", f"{name} must be a table")
    assert_refused(f"{head}tracks = {{ A = 5 }}\n", "tracks.A must be a table")


@pytest.mark.parametrize(
    "threshold",
    [
        *("0.7", "0.6000001", "1.0", "2.0", "0.0", "-0.4"),
        *("nan", "-nan", "inf", "-inf", "true", "false", "1", "0", '"0.4"', "[0.4]"),
    ],
)
def test_a_threshold_that_is_unsafe_or_no_number_is_named(threshold: str) -> None:
    text = changed("face_dissimilarity_max = 0.4", f"face_dissimilarity_max = {threshold}")
    assert_refused(text, "verification.face_dissimilarity_max must be")


@pytest.mark.parametrize("lifetime", ["29", "3601", "-600", "600.0", "true", '"600"', "inf"])
def test_a_session_lifetime_out_of_bounds_is_named(lifetime: str) -> None:
    text = changed(STATED, f"session_lifetime_s = {lifetime}")
    assert_refused(text, "verification.session_lifetime_s must be a whole number, 30 to 3600")


def test_a_pack_that_ends_before_it_begins_is_refused() -> None:
    for end in ("2026-01-01", "2025-12-31"):
        text = changed("= 2026-01-01\n", f"= 2026-01-01\neffective_until = {end}\n")
        assert_refused(text, "effective_until must lie after effective_on")


# Verifications.

RATES = f"{STATED}\nregulated = true\nfar_max = 0.0001\nfrr_max = 0.05"


def test_rates_bind_only_when_the_pack_says_so() -> None:
    plain = parse_policy_pack(PACK).verification
    bound = parse_policy_pack(changed(STATED, RATES)).verification
    unbound = parse_policy_pack(changed(STATED, RATES.replace("true", "false"))).verification
    assert plain is not None
    assert plain.regulated is None
    assert bound is not None
    assert bound.regulated is not None
    assert (bound.regulated.far_max, bound.regulated.frr_max) == (0.0001, 0.05)
    assert unbound is not None
    assert unbound.regulated is None


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("regulated = true\n", "", "verification.regulated, far_max and frr_max belong together"),
        ("\nfrr_max = 0.05", "", "verification.regulated, far_max and frr_max belong together"),
        ("regulated = true", "regulated = 1", "verification.regulated must be true or false"),
        ("far_max = 0.0001", "far_max = 0", "verification.far_max must be a number with"),
        ("far_max = 0.0001", "far_max = 1.0", "verification.far_max must be above 0 and below 1"),
        ("frr_max = 0.05", "frr_max = nan", "verification.frr_max must be above 0 and below 1"),
        ("frr_max = 0.05", "frr_max = 0.05\nregulate = true", "verification: unknown regulate"),
    ],
)
def test_rates_that_are_incomplete_or_out_of_bounds_are_refused(
    old: str, new: str, place: str
) -> None:
    assert_refused(changed(STATED, changed(old, new, text=RATES)), place)


@pytest.mark.parametrize(
    ("line", "attribute", "value", "otherwise"),
    [
        ("portrait_review_after_years = 10", "portrait_review_after_years", 10, None),
        ("keep_evidence_days = 30", "keep_evidence_for", timedelta(days=30), None),
        ("nonce_lifetime_s = 90", "nonce_lifetime", timedelta(seconds=90), timedelta(seconds=120)),
        ('trust_profile = "vn-passport"', "trust_profile", "vn-passport", "vn-cccd"),
    ],
)
def test_a_pack_may_say_more_of_verifications_or_leave_it(
    line: str, attribute: str, value: object, otherwise: object
) -> None:
    said = parse_policy_pack(changed(STATED, f"{STATED}\n{line}")).verification
    assert getattr(said, attribute) == value
    assert getattr(parse_policy_pack(PACK).verification, attribute) == otherwise


def test_a_nonce_never_outlasts_its_session() -> None:
    short = parse_policy_pack(changed(STATED, "session_lifetime_s = 60")).verification
    assert short is not None
    assert short.nonce_lifetime == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("portrait_review_after_years", ("0", "61", "true", "10.0", "'ten'")),
        ("keep_evidence_days", ("0", "36601", "true", "30.0")),
        ("nonce_lifetime_s", ("29", "601", "true", '"90"', "90.0")),
        ("trust_profile", ('""', '"VN"', '"../icao"', "7", f'"{"a" * 33}"')),
    ],
)
def test_what_more_a_pack_says_of_verifications_has_bounds(
    key: str, values: tuple[str, ...]
) -> None:
    for value in values:
        assert_refused(changed(STATED, f"{STATED}\n{key} = {value}"), f"verification.{key} must be")


# The other sections.

SOURCE = 'citation = "Rule."\nconfirm_in_gazette = true\n'
SECTIONS = {
    "holders": (
        "numbers_per_operator_max = 3\nown_contract_age_min = 14",
        HolderPolicy(numbers_per_operator_max=3, own_contract_age_min=14),
    ),
    "numbers": ("quarantine_days = 45", NumberPolicy(quarantine=timedelta(days=45))),
    "quality": (
        "snapshot_age_max_days = 31",
        QualityPolicy(snapshot_age_max=timedelta(days=31)),
    ),
    "disputes": (
        "decide_within_days = 15\nappeal_within_days = 10",
        DisputePolicy(decide_within=timedelta(days=15), appeal_within=timedelta(days=10)),
    ),
    "privacy": (
        """acknowledge_working_days = 2
act_working_days = 15
keep_after_end_days = 180
holidays = [2026-01-01,2026-02-17]""",
        PrivacyPolicy(
            acknowledge_working_days=2,
            act_working_days=15,
            keep_after_end=timedelta(days=180),
            holidays=(date(2026, 1, 1), date(2026, 2, 17)),
        ),
    ),
    "arrangements": (
        """answer_within_days = 7
consent_age = 15
majority_age = 19
guardians_max = 3
open_proposals_max = 4
guardian_acts = ["set_lock"]
ended_by = ["child"]""",
        ArrangementPolicy(
            answer_within=timedelta(days=7),
            consent_age=15,
            majority_age=19,
            guardian_count_max=3,
            open_proposal_count_max=4,
            guardian_acts=frozenset({GuardianAct.SET_LOCK}),
            ended_by=frozenset({GuardianshipParty.CHILD}),
        ),
    ),
    "waves": (
        "cured_share_max = 0.2\ncomplaint_share_max = 0.01",
        WavePolicy(cured_share_max=0.2, complaint_share_max=0.01),
    ),
    "presence": ("token_lifetime_s = 90", PresencePolicy(token_lifetime=timedelta(seconds=90))),
    "primary": (
        (
            "step_up_within_minutes = 5\ncool_down_hours = 48\nfallbacks_max = 2"
            "\nconfirm_within_days = 400\nask_after_days = 300\nunlock_minutes_max = 30"
        ),
        PrimaryPolicy(
            step_up_within=timedelta(minutes=5),
            cool_down=timedelta(hours=48),
            fallback_count_max=2,
            confirm_within=timedelta(days=400),
            ask_after=timedelta(days=300),
            unlock_max=timedelta(minutes=30),
        ),
    ),
    "match": (
        "failed_share_max = 0.3\njudged_from = 500",
        MatchPolicy(failed_share_max=0.3, judged_from=500),
    ),
    "kyc": (
        "false_per_day_max = 3\ncaller_per_minute_max = 100\nnumber_per_hour_max = 10",
        KycPolicy(false_per_day_max=3, caller_per_minute_max=100, number_per_hour_max=10),
    ),
}


def with_section(name: str, body: str) -> str:
    return f"{PACK}\n[{name}]\n{body}"


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_is_read_with_its_source(name: str) -> None:
    body, value = SECTIONS[name]
    pack = parse_policy_pack(with_section(name, SOURCE + body))
    assert getattr(pack, name) == value
    assert pack.sources[name] == Source(citation="Rule.", is_unconfirmed=True)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_says_where_it_comes_from(name: str) -> None:
    body, _ = SECTIONS[name]
    text = with_section(name, SOURCE + body)
    assert_refused(text.replace('"Rule."', '" "'), f"{name}.citation must be a sentence")
    assert_refused(text.replace('citation = "Rule."\n', ""), f"{name}: missing citation")
    assert_refused(with_section(name, f"{SOURCE}{body}\nx = 1"), f"{name}: unknown x")
    assert_refused(
        with_section(name, SOURCE.replace("true", "1") + body),
        f"{name}.confirm_in_gazette must be true or false",
    )


@pytest.mark.parametrize(
    ("name", "key", "values", "says"),
    [
        ("numbers", "quarantine_days", ("-1", "367", "true", "45.0"), "a whole number, 0 to 366"),
        ("quality", "snapshot_age_max_days", ("0", "367", "true"), "a whole number, 1 to 366"),
        ("disputes", "decide_within_days", ("0", "367", "false"), "a whole number, 1 to 366"),
        ("disputes", "appeal_within_days", ("0", "367", "0.5"), "a whole number, 1 to 366"),
        ("privacy", "acknowledge_working_days", ("0", "61", "2.0"), "a whole number, 1 to 60"),
        ("privacy", "act_working_days", ("0", "121", "true"), "a whole number, 1 to 120"),
        ("privacy", "keep_after_end_days", ("0", "3661"), "a whole number, 1 to 3660"),
        ("privacy", "holidays", ("7", '"2026-01-01"'), "a list"),
        (
            *("privacy", "holidays", ("[2026-02-17,2026-01-01]", "[2026-01-01,2026-01-01]")),
            "in the order of time, each day once",
        ),
        ("arrangements", "answer_within_days", ("0", "367", "1.5"), "a whole number, 1 to 366"),
        ("arrangements", "consent_age", ("0", "22", "true"), "a whole number, 1 to 21"),
        ("arrangements", "majority_age", ("0", "22"), "a whole number, 1 to 21"),
        ("arrangements", "guardians_max", ("0", "11"), "a whole number, 1 to 10"),
        ("arrangements", "open_proposals_max", ("0", "101"), "a whole number, 1 to 100"),
        ("waves", "cured_share_max", ("0.0", "1.0", "nan", "-inf"), "above 0 and below 1"),
        ("waves", "complaint_share_max", ("1", "true", '"0.1"'), "a number with a decimal point"),
        ("match", "failed_share_max", ("0.0", "1.0", "nan"), "above 0 and below 1"),
        ("match", "judged_from", ("0", "1000001", "true"), "1 to 1000000"),
        ("kyc", "false_per_day_max", ("0", "101", "3.0"), "1 to 100"),
        ("kyc", "caller_per_minute_max", ("0", "1000001"), "1 to 1000000"),
        ("kyc", "number_per_hour_max", ("0", "10001"), "1 to 10000"),
        ("holders", "numbers_per_operator_max", ("0", "1001", "3.0", "true"), "1 to 1000"),
        ("holders", "own_contract_age_min", ("0", "22"), "1 to 21"),
        ("presence", "token_lifetime_s", ("29", "901", "60.0", "true"), "30 to 900"),
        ("primary", "step_up_within_minutes", ("-1", "1441", "0.5"), "a whole number, 0 to 1440"),
        ("primary", "cool_down_hours", ("-1", "721"), "0 to 720"),
        ("primary", "fallbacks_max", ("-1", "11"), "0 to 10"),
        ("primary", "confirm_within_days", ("0", "3661"), "1 to 3660"),
        ("primary", "ask_after_days", ("0", "3661"), "1 to 3660"),
        ("primary", "ask_after_days", ("400", "401"), "less than confirm_within_days"),
        ("primary", "unlock_minutes_max", ("0", "1441"), "1 to 1440"),
    ],
)
def test_what_a_section_sets_has_bounds(
    name: str, key: str, values: tuple[str, ...], says: str
) -> None:
    body, _ = SECTIONS[name]
    for value in values:
        lines = re.sub(rf"{key} = \S+", f"{key} = {value}", body)
        with pytest.raises(PolicyPackError, match=rf"^{name}\.{key} must be .*{re.escape(says)}"):
            parse_policy_pack(with_section(name, SOURCE + lines))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("majority_age = 15", "arrangements.consent_age must be less than majority_age"),
        ('guardian_acts = ["port"]', "arrangements.guardian_acts: 'port' is none of"),
        ('guardian_acts = "set_lock"', "arrangements.guardian_acts must be a list"),
        ('ended_by = ["mother"]', "arrangements.ended_by: 'mother' is none of guardian, child"),
        ('ended_by = ["child", "child"]', "arrangements.ended_by: child stands twice"),
    ],
)
def test_what_guardians_may_do_is_said_in_known_words(line: str, says: str) -> None:
    body, _ = SECTIONS["arrangements"]
    key = line.partition(" ")[0]
    kept = "\n".join(each for each in body.split("\n") if not each.startswith(key))
    assert_refused(with_section("arrangements", f"{SOURCE}{kept}\n{line}"), says)


def test_nothing_is_to_be_done_before_it_is_acknowledged() -> None:
    body, _ = SECTIONS["privacy"]
    text = with_section(
        "privacy", SOURCE + body.replace("act_working_days = 15", "act_working_days = 1")
    )
    assert_refused(text, "privacy.act_working_days must not be less than acknowledge_working_days")


@pytest.mark.parametrize("value", ["7", '"2026-01-01"', "2026-01-01T00:00:00", "1899-12-31"])
def test_a_holiday_is_a_day_and_is_named_by_its_place(value: str) -> None:
    body, _ = SECTIONS["privacy"]
    lines = body.replace("2026-02-17", value)
    with pytest.raises(PolicyPackError, match=r"^privacy\.holidays\[1\]"):
        parse_policy_pack(with_section("privacy", SOURCE + lines))


@pytest.mark.parametrize(
    "name", ["numbers", "disputes", "arrangements", "waves", "presence", "privacy", "match", "kyc"]
)
def test_a_section_without_what_it_is_for_is_refused(name: str) -> None:
    assert_refused(with_section(name, SOURCE), f"{name}: missing")
