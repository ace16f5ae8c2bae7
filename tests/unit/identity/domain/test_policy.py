"""A pack with one thing wrong is refused, with a message that names the place."""

import re
from dataclasses import FrozenInstanceError
from datetime import date, timedelta

import pytest

from identity.domain.anomalies import HolderPolicy
from identity.domain.policy import (
    OPTIONAL_CAUSES,
    CaseCause,
    PolicyPackError,
    Step,
    StepKind,
    parse_policy_pack,
)

MANDATORY_CAUSES = sorted(set(CaseCause) - OPTIONAL_CAUSES)

PACK = """
version = "test-2026-01-01"
effective_on = 2026-01-01

[verification]
citation = "A circular."
face_dissimilarity_max = 0.4
session_lifetime_s = 600

[tracks.A]
causes = ["device_change", "disowned"]
citation = "Rule A."
confirm_in_gazette = false
cure = "Way out of A."
execute_within_hours = 2
primary_extra_hours = 0
steps = [
  { kind = "notify", after_hours = 0 },
  { kind = "block_outgoing", after_hours = 1.5 },
  { kind = "terminate", after_hours = 720 },
]

[tracks.B]
causes = ["unverified", "mismatched", "not_found", "deceased"]
citation = "Rule B."
confirm_in_gazette = true
cure = "Way out of B."
execute_within_hours = 24
primary_extra_hours = 120
steps = [{ kind = "notify", after_hours = 0 }, { kind = "suspend", after_hours = 24 }]
"""

HUGE = "9" * 5_000  # more digits than Python reads as a number


def with_change(old: str, new: str) -> str:
    assert PACK.count(old) == 1, f"{old!r} must stand once in the sample"
    return PACK.replace(old, new)


def assert_refused(text: str, place: str) -> None:
    with pytest.raises(PolicyPackError, match=re.escape(place)):
        parse_policy_pack(text)


def test_a_whole_pack_is_read_to_the_letter() -> None:
    pack = parse_policy_pack(PACK)
    assert (pack.version, pack.effective_on) == ("test-2026-01-01", date(2026, 1, 1))
    assert pack.verification.version == "test-2026-01-01"
    assert pack.verification.face_dissimilarity_max == 0.4
    assert pack.verification.session_lifetime == timedelta(seconds=600)
    assert set(pack.tracks) == {"A", "B"}
    track = pack.tracks["A"]
    assert track.name == "A"
    assert track.causes == {CaseCause.DEVICE_CHANGE, CaseCause.DISOWNED}
    assert track.steps == (
        Step(kind=StepKind.NOTIFY, after=timedelta(0)),
        Step(kind=StepKind.BLOCK_OUTGOING, after=timedelta(hours=1, minutes=30)),
        Step(kind=StepKind.TERMINATE, after=timedelta(days=30)),
    )
    assert (track.citation, track.cure) == ("Rule A.", "Way out of A.")
    assert (track.execute_within, track.primary_extra) == (timedelta(hours=2), timedelta(0))
    assert pack.tracks["B"].primary_extra == timedelta(days=5)


@pytest.mark.parametrize("cause", MANDATORY_CAUSES)
def test_every_cause_leads_to_its_track(cause: CaseCause) -> None:
    pack = parse_policy_pack(PACK)
    assert cause in pack.track_for(cause).causes


def test_a_pack_cannot_be_changed() -> None:
    pack = parse_policy_pack(PACK)
    with pytest.raises(FrozenInstanceError):
        pack.version = "other"  # type: ignore[misc] # that it is refused is the point


@pytest.mark.parametrize(
    "text", ["", "version =", "[tracks", PACK + PACK, with_change("after_hours = 24 ", "= ")]
)
def test_what_is_no_toml_or_no_pack_is_refused(text: str) -> None:
    with pytest.raises(PolicyPackError, match=r"not TOML|pack: missing"):
        parse_policy_pack(text)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('version = "test-2026-01-01"\n', "pack: missing version"),
        ("effective_on = 2026-01-01\n", "pack: missing effective_on"),
        ('citation = "A circular."\n', "verification: missing citation"),
        ("face_dissimilarity_max = 0.4\n", "verification: missing face_dissimilarity_max"),
        ("session_lifetime_s = 600\n", "verification: missing session_lifetime_s"),
        ('causes = ["device_change", "disowned"]\n', "tracks.A: missing causes"),
        ('citation = "Rule B."\n', "tracks.B: missing citation"),
        ("confirm_in_gazette = true\n", "tracks.B: missing confirm_in_gazette"),
        ('cure = "Way out of A."\n', "tracks.A: missing cure"),
        ("execute_within_hours = 24\n", "tracks.B: missing execute_within_hours"),
        ("primary_extra_hours = 120\n", "tracks.B: missing primary_extra_hours"),
        (", after_hours = 24", "tracks.B.steps[1]: missing after_hours"),
        (", after_hours = 1.5", "tracks.A.steps[1]: missing after_hours"),
        ('kind = "suspend", ', "tracks.B.steps[1]: missing kind"),
    ],
)
def test_anything_missing_is_named(line: str, place: str) -> None:
    assert_refused(with_change(line, " "), place)


def test_a_missing_section_is_named() -> None:
    head, _, rest = PACK.partition("[verification]")
    tracks = rest[rest.index("[tracks.A]") :]
    assert_refused(head + tracks, "pack: missing verification")
    assert_refused(PACK[: PACK.index("[tracks.A]")], "pack: missing tracks")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("effective_on", "colour = 1\neffective_on", "pack: unknown colour"),
        ('citation = "A circular."', 'citation = "A."\nmax = 1', "verification: unknown max"),
        ('citation = "Rule A."', 'citation = "A."\ncures = 1', "tracks.A: unknown cures"),
        ('"suspend", after', '"suspend", when = 1, after', "tracks.B.steps[1]: unknown when"),
        ("after_hours = 720", "after_days = 720", "tracks.A.steps[2]: unknown after_days"),
    ],
)
def test_an_unknown_key_is_named(old: str, new: str, place: str) -> None:
    assert_refused(with_change(old, new), place)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"test-2026-01-01"', "1", "version"),
        ('"test-2026-01-01"', '"  "', "version"),
        ("= 2026-01-01\n", '= "2026-01-01"\n', "effective_on"),
        ("= 2026-01-01\n", "= 2026\n", "effective_on"),
        ("= 2026-01-01\n", "= 2026-01-01T00:00:00Z\n", "effective_on"),
        ("= 2026-01-01\n", "= 00:00:00\n", "effective_on"),
        ('"A circular."', "7", "verification.citation"),
        ('"Rule A."', '""', "tracks.A.citation"),
        ('"Way out of B."', "true", "tracks.B.cure"),
        ("= true", '= "yes"', "tracks.B.confirm_in_gazette"),
        ("= true", "= 1", "tracks.B.confirm_in_gazette"),
        ('["device_change", "disowned"]', '"device_change"', "tracks.A.causes"),
        ('["device_change", "disowned"]', "[1]", "tracks.A.causes"),
        ('["device_change", "disowned"]', '[["disowned"]]', "tracks.A.causes"),
        ('["device_change", "disowned"]', '["disownd"]', "tracks.A.causes: 'disownd'"),
        ('"suspend"', '"suspended"', "tracks.B.steps[1].kind: 'suspended'"),
        ('"suspend"', "3", "tracks.B.steps[1].kind"),
        ('"suspend"', '["suspend"]', "tracks.B.steps[1].kind"),
    ],
)
def test_a_value_of_the_wrong_type_or_word_is_named(old: str, new: str, place: str) -> None:
    assert_refused(with_change(old, new), place)


@pytest.mark.parametrize("value", ["5", '"notify"', "[5]", '{ kind = "notify" }'])
def test_steps_that_are_no_list_of_tables_are_named(value: str) -> None:
    start = PACK.rindex("steps = ")
    assert_refused(PACK[:start] + f"steps = {value}\n", "tracks.B.steps")


def test_sections_that_are_no_tables_are_named() -> None:
    head = 'version = "a"\neffective_on = 2026-01-01\n'
    section = PACK[PACK.index("[verification]") : PACK.index("[tracks.A]")]
    assert_refused(f"{head}tracks = 5\n{section}", "tracks must be a table")
    assert_refused(f"{head}tracks = {{ A = 5 }}\n{section}", "tracks.A must be a table")
    tracks = PACK[PACK.index("[tracks.A]") :]
    assert_refused(f"{head}verification = 5\n{tracks}", "verification must be a table")


@pytest.mark.parametrize(
    "hours", ["-1", "-0.001", "87601", "1e9", "nan", "-nan", "inf", "-inf", "true", '"24"', "[1]"]
)
@pytest.mark.parametrize(
    ("old", "place"),
    [
        ("execute_within_hours = 24", "tracks.B.execute_within_hours"),
        ("primary_extra_hours = 120", "tracks.B.primary_extra_hours"),
        ("after_hours = 720", "tracks.A.steps[2].after_hours"),
    ],
)
def test_hours_that_no_regulation_has_are_named(old: str, place: str, hours: str) -> None:
    key = old.partition(" = ")[0]
    assert_refused(with_change(old, f"{key} = {hours}"), place)


@pytest.mark.parametrize(
    "threshold",
    [
        *("0.7", "0.6000001", "1.0", "2.0", "0.0", "-0.4"),
        *("nan", "-nan", "inf", "-inf", "true", "false", "1", "0", '"0.4"', "[0.4]"),
    ],
)
def test_a_threshold_that_is_unsafe_or_no_number_is_named(threshold: str) -> None:
    text = with_change("face_dissimilarity_max = 0.4", f"face_dissimilarity_max = {threshold}")
    assert_refused(text, "verification.face_dissimilarity_max")


@pytest.mark.parametrize("lifetime", ["29", "3601", "-600", "600.0", "true", '"600"', "inf"])
def test_a_session_lifetime_out_of_bounds_is_named(lifetime: str) -> None:
    text = with_change("session_lifetime_s = 600", f"session_lifetime_s = {lifetime}")
    assert_refused(text, "verification.session_lifetime_s")


def test_a_number_too_long_to_read_is_refused_like_any_other_fault() -> None:
    assert_refused(with_change("after_hours = 720", f"after_hours = {HUGE}"), "not TOML")


def test_a_sim_swap_puts_a_number_on_a_ladder_only_where_a_pack_says_so() -> None:
    assert not parse_policy_pack(PACK).has_track_for(CaseCause.SIM_SWAP)
    pack = parse_policy_pack(with_change('"device_change", ', '"device_change", "sim_swap", '))
    assert pack.has_track_for(CaseCause.SIM_SWAP)
    assert pack.track_for(CaseCause.SIM_SWAP).name == "A"


NUMBERS = """
[numbers]
citation = "Rule N."
confirm_in_gazette = true
quarantine_days = 45
[verification]"""


def test_a_pack_says_how_long_a_number_is_kept_from_everybody() -> None:
    assert parse_policy_pack(PACK).numbers.quarantine == timedelta(0)
    pack = parse_policy_pack(with_change("[verification]", NUMBERS))
    assert pack.numbers.quarantine == timedelta(days=45)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("= 45", "= -1", "numbers.quarantine_days must be 0 to 366"),
        ("= 45", "= 367", "numbers.quarantine_days must be 0 to 366"),
        ("= 45", "= true", "numbers.quarantine_days must be 0 to 366"),
        ("quarantine_days = 45", "", "numbers: missing quarantine_days"),
        ("= 45", "= 45\nhours = 2", "numbers: unknown hours"),
        ('"Rule N."', '""', "numbers.citation"),
        ("confirm_in_gazette = true", "confirm_in_gazette = 1", "numbers.confirm_in_gazette"),
    ],
)
def test_a_broken_rule_for_numbers_is_named(old: str, new: str, place: str) -> None:
    assert_refused(with_change("[verification]", NUMBERS.replace(old, new)), place)


@pytest.mark.parametrize("cause", MANDATORY_CAUSES)
def test_a_cause_without_a_track_is_named(cause: CaseCause) -> None:
    quoted = f'"{cause.value}"'
    text = re.sub(rf"{quoted}, |, {quoted}", "", PACK)
    assert_refused(text, f"cause {cause.value} needs exactly one track, has []")


def test_two_tracks_for_one_cause_are_named() -> None:
    text = with_change('"device_change", "disowned"', '"device_change", "disowned", "deceased"')
    assert_refused(text, "cause deceased needs exactly one track, has ['A', 'B']")


def test_a_ladder_without_rungs_is_named() -> None:
    start = PACK.rindex("steps = ")
    assert_refused(PACK[:start] + "steps = []\n", "tracks.B.steps is empty")


@pytest.mark.parametrize(
    "kinds",
    [
        ("suspend", "block_outgoing"),
        ("terminate", "suspend"),
        ("block_outgoing", "notify"),
        ("notify", "suspend", "notify"),
    ],
)
def test_a_later_rung_that_is_milder_is_refused(kinds: tuple[str, ...]) -> None:
    rows = ", ".join(f'{{ kind = "{kind}", after_hours = 1 }}' for kind in kinds)
    start = PACK.rindex("steps = ")
    assert_refused(PACK[:start] + f"steps = [{rows}]\n", "tracks.B.steps must grow stricter")


@pytest.mark.parametrize("kind", ["block_outgoing", "suspend", "terminate"])
def test_a_blocking_rung_taken_twice_is_refused(kind: str) -> None:
    row = f'{{ kind = "{kind}", after_hours = 1 }}'
    start = PACK.rindex("steps = ")
    text = PACK[:start] + f"steps = [{row}, {row}]\n"
    assert_refused(text, "tracks.B.steps takes the same blocking step twice")


STATED = "session_lifetime_s = 600"
RATES = f"{STATED}\nregulated = true\nfar_max = 0.0001\nfrr_max = 0.05"


def test_rates_bind_only_when_the_pack_says_so() -> None:
    assert parse_policy_pack(PACK).verification.regulated is None
    bound = parse_policy_pack(with_change(STATED, RATES)).verification.regulated
    assert bound is not None
    assert (bound.far_max, bound.frr_max) == (0.0001, 0.05)
    unbound = with_change(STATED, RATES.replace("true", "false"))
    assert parse_policy_pack(unbound).verification.regulated is None


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("regulated = true\n", "", "belong together"),
        ("\nfrr_max = 0.05", "", "belong together"),
        ("regulated = true", "regulated = 1", "belong together"),
        ("far_max = 0.0001", "far_max = 0", "verification.far_max"),
        ("far_max = 0.0001", "far_max = 1.0", "verification.far_max"),
        ("frr_max = 0.05", "frr_max = nan", "verification.frr_max"),
        ("frr_max = 0.05", "frr_max = 0.05\nregulate = true", "unknown regulate"),
    ],
)
def test_rates_that_are_incomplete_or_out_of_bounds_are_refused(
    old: str, new: str, place: str
) -> None:
    assert old in RATES
    assert_refused(with_change(STATED, RATES.replace(old, new)), place)


def test_a_pack_may_send_old_portraits_to_a_person() -> None:
    assert parse_policy_pack(PACK).verification.portrait_review_after_years is None
    text = with_change(STATED, f"{STATED}\nportrait_review_after_years = 10")
    assert parse_policy_pack(text).verification.portrait_review_after_years == 10
    for wrong in ("0", "61", "true", "10.0", "'ten'"):
        assert_refused(text.replace("= 10", f"= {wrong}"), "portrait_review_after_years")


def test_a_nonce_lasts_two_minutes_unless_the_pack_says_otherwise() -> None:
    assert parse_policy_pack(PACK).verification.nonce_lifetime == timedelta(seconds=120)
    text = with_change(STATED, f"{STATED}\nnonce_lifetime_s = 90")
    assert parse_policy_pack(text).verification.nonce_lifetime == timedelta(seconds=90)
    for wrong in ("29", "3601", "true", '"90"', "90.0"):
        assert_refused(text.replace("= 90", f"= {wrong}"), "nonce_lifetime_s")


def test_cards_are_judged_as_identity_cards_unless_the_pack_says_otherwise() -> None:
    assert parse_policy_pack(PACK).verification.trust_profile == "vn-cccd"
    text = with_change(STATED, f'{STATED}\ntrust_profile = "vn-passport"')
    assert parse_policy_pack(text).verification.trust_profile == "vn-passport"
    for wrong in ('""', '"VN"', '"../icao"', "7"):
        assert_refused(text.replace('"vn-passport"', wrong), "trust_profile")


HOLDERS = """
[holders]
citation = "A decree."
confirm_in_gazette = true
numbers_per_operator_max = 3
own_contract_age_min = 14
"""


def test_the_bounds_for_holders_are_read_and_those_not_set_are_none() -> None:
    assert parse_policy_pack(PACK + HOLDERS).holders == HolderPolicy(
        numbers_per_operator_max=3, own_contract_age_min=14
    )


def test_a_pack_from_before_the_bounds_for_holders_has_none() -> None:
    assert parse_policy_pack(PACK).holders == HolderPolicy()


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('citation = "A decree."\n', "", "holders: missing citation"),
        ("confirm_in_gazette = true\n", "", "holders: missing confirm_in_gazette"),
        ("numbers_per_operator_max", "numbers_per_operator", "holders: unknown"),
        ('"A decree."', '" "', "holders.citation"),
        ("true", "1", "holders.confirm_in_gazette"),
        ("= 3", "= 0", "holders.numbers_per_operator_max must be 1 to 1000"),
        ("= 3", "= 1001", "holders.numbers_per_operator_max must be 1 to 1000"),
        ("= 3", "= 3.0", "holders.numbers_per_operator_max"),
        ("= 3", "= true", "holders.numbers_per_operator_max"),
        ("= 14", "= 22", "holders.own_contract_age_min must be 1 to 21"),
        ("[holders]", "[[holders]]", "holders must be a table"),
    ],
)
def test_a_bound_for_holders_that_cannot_be_is_refused(old: str, new: str, place: str) -> None:
    assert HOLDERS.count(old) == 1
    assert_refused(PACK + HOLDERS.replace(old, new), place)
