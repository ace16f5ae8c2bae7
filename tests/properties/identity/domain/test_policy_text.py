"""Whatever stands in a pack, it is read as it says or refused as a pack, never otherwise."""

import json
from functools import cache
from importlib import resources
from itertools import accumulate, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from identity.domain.message_text import LENGTH_MAX
from identity.domain.policy import CaseCause, PolicyPack, PolicyPackError, StepKind
from identity.domain.policy_text import parse_policy_pack
from tests.unit.identity.domain.packs import PACK

KINDS = list(StepKind)
NAMES = ("vn-2026-04-15", "vn-decree-49-2017")

hours = st.integers(0, 87_600) | st.floats(0, 87_600)
notices = st.lists(st.just(StepKind.NOTIFY), max_size=6)
blocks = st.sets(st.sampled_from(KINDS[1:]), min_size=1).map(lambda kinds: sorted(kinds, key=order))
ladders = st.builds(list.__add__, notices, blocks).flatmap(
    lambda kinds: st.tuples(*(st.tuples(st.just(kind), hours) for kind in kinds))
)
odd_values = st.sampled_from(
    [
        *("-1", "0", "0.7", "1", "nan", "inf", "-inf", "1e999", "true", "9" * 4_300),
        *('""', '"x"', '"\\u0000"', '"{date}"', "[]", "[[]]", "[1]", "{}", "{ vi = 1 }"),
        *("2026-01-01", "2026-02-30", "2026-01-01T00:00:00", "00:00:00"),
    ]
)


def order(kind: StepKind) -> int:
    return KINDS.index(kind)


@cache
def shipped_text(name: str) -> str:
    return (resources.files("identity.policies") / f"{name}.toml").read_text(encoding="utf-8")


def toml(ladder: tuple[tuple[StepKind, float], ...]) -> str:
    """A pack with all causes on one track with this ladder."""
    rows = ", ".join(f'{{ kind = "{kind}", after_hours = {after} }}' for kind, after in ladder)
    return f"""
        version = "drawn"
        series = "drawn"
        effective_on = 2026-01-01
        [tracks.T]
        causes = {json.dumps(list(CaseCause))}
        citation = "c"
        confirm_in_gazette = true
        assurance = "chip_and_face"
        cure = {{ vi = "v", en = "e" }}
        notice = {{ vi = "{{step}} {{date}} {{cure}}", en = "{{step}} {{date}} {{cure}}" }}
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
    is_sound = bool(kinds) and all(
        order(one) < order(other) or one is other is StepKind.NOTIFY
        for one, other in pairwise(kinds)
    )
    if is_sound:
        assert len(parse_policy_pack(toml(ladder)).tracks["T"].steps) == len(kinds)
    else:
        with pytest.raises(PolicyPackError, match=r"tracks\.T\.steps"):
            parse_policy_pack(toml(ladder))


@given(st.sampled_from(NAMES), st.data())
def test_a_spoilt_value_is_refused_as_a_pack_or_read_within_its_bounds(
    name: str, data: st.DataObject
) -> None:
    rows = shipped_text(name).splitlines()
    places = [at for at, row in enumerate(rows) if " = " in row and not row.startswith(("#", " "))]
    at = data.draw(st.sampled_from(places))
    rows[at] = rows[at].partition(" = ")[0] + " = " + data.draw(odd_values)
    assert_sound_or_refused("\n".join(rows))


@given(st.sampled_from(NAMES), st.integers(0, 200), st.integers(0, 200))
@example("vn-2026-04-15", 0, 200)
def test_a_pack_with_lines_cut_out_is_refused_as_a_pack_or_still_sound(
    name: str, start: int, end: int
) -> None:
    rows = shipped_text(name).splitlines()
    assert_sound_or_refused("\n".join(rows[: min(start, end)] + rows[max(start, end) :]))


@given(st.text(max_size=400))
@example("[" * 50_000)
@example("a = " + "9" * 5_000)
def test_any_text_is_a_pack_or_refused_as_one(text: str) -> None:
    assert_sound_or_refused(text)
    assert_sound_or_refused(f"{PACK}\n{text}")


@given(st.text(max_size=320))
def test_a_text_is_taken_only_when_it_is_one_visible_line(citation: str) -> None:
    text = PACK.replace('"Rule A."', json.dumps(citation))
    pack, refusal = read(text)
    if pack is None:
        assert "tracks.A.citation" in refusal or "not TOML" in refusal
        return
    taken = pack.tracks["A"].citation
    assert taken == citation
    assert taken.strip()
    assert len(taken.splitlines()) == 1


def read(text: str) -> tuple[PolicyPack | None, str]:
    """The pack, or why there is none."""
    try:
        return parse_policy_pack(text), ""
    except PolicyPackError as refusal:
        return None, str(refusal)


def assert_sound_or_refused(text: str) -> None:
    pack, refusal = read(text)
    if pack is None:
        assert 0 < len(refusal) < 600
        return
    verification = pack.verification
    assert verification is None or 0 < verification.face_dissimilarity_max <= 0.6
    assert len(pack.digest) == 32
    for track in pack.tracks.values():
        amounts = [step.after for step in track.steps] + [track.primary_extra]
        assert all(0 <= amount.total_seconds() <= 87_600 * 3600 for amount in amounts)
        assert track.execute_within.total_seconds() > 0
        assert len(track.notice.vi) <= LENGTH_MAX + len("{number}{step}{date}{cure}")
