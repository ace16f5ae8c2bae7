"""What citizens are told of their choices: in both languages, with all that they must know."""

from datetime import UTC, datetime

import pytest

from identity.domain.message_text import LENGTH_MAX, TextError, units
from identity.domain.msisdn import MSISDN
from identity.domain.policy import Bilingual
from identity.domain.tiding import PLACES, TidingKind, TidingValue, check_tiding, fill_tiding
from tests.unit.identity.makers import rules

OLD, NEW = MSISDN("+84912345678"), MSISDN("+84987654321")
AT = datetime(2026, 12, 31, 17, 5, tzinfo=UTC)
VALUES: dict[str, TidingValue] = {"old": OLD, "new": NEW, "number": OLD, "time": AT, "date": AT}


def values_of(kind: TidingKind) -> dict[str, TidingValue]:
    return {name: VALUES[name] for name in PLACES[kind]}


@pytest.mark.parametrize("kind", TidingKind)
def test_the_pack_that_applies_has_words_for_every_kind(kind: TidingKind) -> None:
    filled = fill_tiding(kind, rules().messages[kind], values_of(kind))
    assert filled.keys() == {"vi", "en"}
    assert filled["vi"] != filled["en"]
    for words in filled.values():
        assert "{" not in words
        assert units(words) <= LENGTH_MAX
        assert OLD.value[5:9] not in words


def test_numbers_are_masked_and_instants_are_those_of_viet_nam() -> None:
    text = Bilingual(vi="{old} {new} {time}", en="{time} {new} {old}")
    kind = TidingKind.PRIMARY_CHANGE_ASKED
    assert fill_tiding(kind, text, values_of(kind)) == {
        "vi": "091***678 098***321 00:05 01/01/2027",
        "en": "00:05 01/01/2027 098***321 091***678",
    }


@pytest.mark.parametrize("text", ["{new}", "{new} {time} {old}", "{new} {time", "{new} {time!r}"])
def test_words_that_leave_something_out_or_cannot_be_filled_are_refused(text: str) -> None:
    good = "{new} {time}"
    with pytest.raises(TextError, match="vi: "):
        check_tiding(TidingKind.PRIMARY_CHANGED, Bilingual(vi=text, en=good))
    with pytest.raises(TextError, match="en: "):
        check_tiding(TidingKind.PRIMARY_CHANGED, Bilingual(vi=good, en=text))


def test_words_that_take_more_than_four_messages_when_filled_are_refused() -> None:
    spare = LENGTH_MAX - len("23:59 31/12/2026")
    fits = "{time}" + "x" * spare
    check_tiding(TidingKind.LOCK_CHANGED, Bilingual(vi=fits, en=fits))
    with pytest.raises(TextError, match="269 characters when filled, and 268 are allowed"):
        check_tiding(TidingKind.LOCK_CHANGED, Bilingual(vi=fits + "x", en=fits))


@pytest.mark.parametrize("change", [{"old": OLD}, {"time": None}])
def test_what_is_not_what_the_kind_takes_is_no_value(change: dict[str, TidingValue | None]) -> None:
    given = {**values_of(TidingKind.PRIMARY_CHANGED), **change}
    values = {name: value for name, value in given.items() if value is not None}
    with pytest.raises(ValueError, match="primary_changed takes new, time"):
        fill_tiding(
            TidingKind.PRIMARY_CHANGED, rules().messages[TidingKind.PRIMARY_CHANGED], values
        )
