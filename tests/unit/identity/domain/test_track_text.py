"""A ladder with one thing wrong is refused, with a message that names the place."""

import re
from datetime import date, timedelta

import pytest

from identity.domain.policy import Assurance, CaseCause, Exemption, PolicyPackError, Step, StepKind
from identity.domain.policy_text import parse_policy_pack
from tests.unit.identity.domain.packs import LAST_STEPS, PACK, assert_refused, changed


def with_steps(steps: str) -> str:
    return changed(LAST_STEPS, f"steps = {steps}\n")


def rows(*kinds: str) -> str:
    steps = ", ".join(f'{{ kind = "{kind}", after_hours = 1 }}' for kind in kinds)
    return f"[{steps}]"


def test_a_ladder_is_read_to_the_letter() -> None:
    track = parse_policy_pack(PACK).tracks["A"]
    assert (track.name, track.policy_version) == ("A", "test-2026-01-01")
    assert track.causes == {CaseCause.DEVICE_CHANGE, CaseCause.DISOWNED}
    assert track.steps == (
        Step(kind=StepKind.NOTIFY, after=timedelta(0)),
        Step(kind=StepKind.BLOCK_OUTGOING, after=timedelta(hours=1, minutes=30)),
        Step(kind=StepKind.TERMINATE, after=timedelta(days=30)),
    )
    assert (track.citation, track.is_unconfirmed) == ("Rule A.", False)
    assert track.assurance is Assurance.CHIP_AND_FACE
    assert (track.cure.vi, track.cure.en) == ("Lối ra của A.", "Way out of A.")
    assert track.notice.en == "Number {number}: {step} on {date}. {cure}"
    assert (track.execute_within, track.primary_extra) == (timedelta(hours=2), timedelta(0))
    assert not track.waits_for_notices
    assert track.exemptions == ()


def test_a_primary_is_told_in_words_of_its_own_where_a_ladder_has_them() -> None:
    tracks = parse_policy_pack(PACK).tracks
    assert tracks["A"].primary_notice == tracks["A"].notice
    assert tracks["B"].primary_notice.en == "Notice to primary {number}: {step} on {date}. {cure}"
    assert tracks["B"].primary_extra == timedelta(days=5)


def test_a_ladder_may_wait_for_notices_leave_a_step_to_waves_and_spare_old_contracts() -> None:
    text = changed("after_hours = 24 ", "after_hours = 24, by_wave = true ")
    extra = 'waits_for_notices = true\nexempt = [{ activated_from = 2026-04-15, citation = "R." }]'
    track = parse_policy_pack(
        changed("primary_extra_hours = 120", f"primary_extra_hours = 120\n{extra}", text=text)
    ).tracks["B"]
    assert [step.is_by_wave for step in track.steps] == [False, True]
    assert track.waits_for_notices
    assert track.exemptions == (
        Exemption(activated_from=date(2026, 4, 15), activated_before=None, citation="R."),
    )


def test_a_ladder_that_nothing_leads_to_is_kept_for_open_cases() -> None:
    text = changed('["device_change", "disowned"]', "[]")
    assert parse_policy_pack(text).tracks["A"].causes == frozenset()


@pytest.mark.parametrize("track", ["A", "B"])
def test_an_assurance_that_does_not_exist_is_named(track: str) -> None:
    head, mark, tail = PACK.partition(f"[tracks.{track}]")
    text = head + mark + tail.replace('"chip_and_face"', '"face"', 1)
    assert_refused(text, f"tracks.{track}.assurance: 'face' is none of chip_and_face")


@pytest.mark.parametrize(
    ("notice", "says"),
    [
        ("{step} {date} {cure} {name}", "{name} is none of cure, date, number, step"),
        ("{step} {date} {cure} {}", "{} is none of"),
        ("{step} {date} {cure} {0}", "{0} is none of"),
        ("{step} {date} {cure.vi}", "{cure.vi} is none of"),
        ("{step} {date!r} {cure}", "a place is its name in braces and nothing else"),
        ("{step} {date:>400} {cure}", "a place is its name in braces and nothing else"),
        ("{step} {date} {cure", "expected '}'"),
        ("{step} {date} {cure} }", "Single '}'"),
        ("{step} {cure}", "{date} is missing"),
        ("{number}", "{cure} is missing"),
        ("{step} {date} {cure} " + "x" * 240, "characters when filled, and 268 are allowed"),
    ],
)
def test_a_notice_that_cannot_be_filled_or_leaves_something_out_is_named(
    notice: str, says: str
) -> None:
    for language in ("vi", "en"):
        line = "Báo số chính" if language == "vi" else "Notice to primary"
        (old,) = re.findall(rf'"{line}.*"', PACK)
        text = changed(old, f'"{notice}"')
        with pytest.raises(PolicyPackError, match=re.escape(says)) as refusal:
            parse_policy_pack(text)
        assert str(refusal.value).startswith(f"tracks.B.primary_notice.{language}: ")


@pytest.mark.parametrize("value", ["5", '"notify"', "[5]", '{ kind = "notify" }'])
def test_steps_that_are_no_list_of_tables_are_named(value: str) -> None:
    assert_refused(with_steps(value), "tracks.B.steps")


@pytest.mark.parametrize("name", ["", " ", "T 1", "T.1", "T\\n1", "T" * 41, "Tá"])
def test_a_ladder_has_a_name_that_can_be_stored_and_told(name: str) -> None:
    text = PACK.replace("[tracks.B]", f'[tracks."{name}"]')
    assert_refused(text.replace("[tracks.B.", f'[tracks."{name}".'), "must be 1 to 40 letters")


@pytest.mark.parametrize(
    "hours",
    [
        *("-1", "-0.001", "87601", "1e9", "1e999", "nan", "-nan", "inf", "-inf"),
        *("true", "false", '"24"', "[1]", "1" * 4_000),
    ],
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
    assert_refused(changed(old, f"{key} = {hours}"), f"{place} must be a number of hours, 0 to")


def test_an_order_that_must_be_executed_in_no_time_is_refused() -> None:
    text = changed("execute_within_hours = 24", "execute_within_hours = 0")
    assert_refused(text, "tracks.B.execute_within_hours must be above 0")


@pytest.mark.parametrize(
    ("exemption", "place"),
    [
        ('{ citation = "R." }', "tracks.B.exempt[0] needs activated_from or activated_before"),
        ("{ activated_from = 2026-01-01 }", "tracks.B.exempt[0]: missing citation"),
        ('{ activated_from = 1, citation = "R." }', "tracks.B.exempt[0].activated_from must be"),
        (
            '{ activated_from = 2026-01-01, activated_before = 2026-01-01, citation = "R." }',
            "tracks.B.exempt[0].activated_before must lie after activated_from",
        ),
        ('{ since = 2026-01-01, citation = "R." }', "tracks.B.exempt[0]: unknown since"),
        ("1", "tracks.B.exempt[0] must be a table"),
    ],
)
def test_an_exemption_that_spares_nobody_or_says_not_why_is_named(
    exemption: str, place: str
) -> None:
    text = changed("primary_extra_hours = 120", f"primary_extra_hours = 120\nexempt=[{exemption}]")
    assert_refused(text, place)


def test_two_tracks_for_one_cause_are_named() -> None:
    text = changed('"device_change", "disowned"', '"device_change", "disowned", "deceased"')
    assert_refused(text, "cause deceased needs one track, has A, B")


def test_a_ladder_without_rungs_is_named() -> None:
    assert_refused(with_steps("[]"), "tracks.B.steps is empty")


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
    assert_refused(with_steps(rows(*kinds)), "tracks.B.steps must grow stricter")


@pytest.mark.parametrize("kind", ["block_outgoing", "suspend", "terminate"])
def test_a_blocking_rung_taken_twice_is_refused(kind: str) -> None:
    assert_refused(
        with_steps(rows(kind, kind)), "tracks.B.steps takes the same blocking step twice"
    )


def test_a_wave_gives_no_notice_and_a_ladder_leaves_one_step_to_waves() -> None:
    notice = changed(
        '"notify", after_hours = 0 }, ', '"notify", after_hours = 0, by_wave = true }, '
    )
    assert_refused(notice, "tracks.B.steps[0].by_wave: a notice is given by the clock")
    both = rows("suspend", "terminate").replace("= 1", "= 1, by_wave = true")
    assert_refused(with_steps(both), "tracks.B.steps leaves more than one step to waves")
