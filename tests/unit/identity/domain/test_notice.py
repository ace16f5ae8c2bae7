"""What a user is told: filled with this number's own dates, short enough to be read."""

from datetime import UTC, datetime

import pytest

from identity.domain.message_text import LENGTH_MAX, TextError
from identity.domain.msisdn import MSISDN
from identity.domain.notice import (
    NextStep,
    check_template,
    fill,
    masked,
)
from identity.domain.policy import Bilingual, StepKind

CURE = Bilingual(vi="Hãy xác thực.", en="Verify.")
TEMPLATE = Bilingual(
    vi="Thuê bao {number} sẽ {step} từ ngày {date}. {cure}",
    en="{number}: {step} on {date}. {cure}",
)
NUMBER = MSISDN("+84912345678")


def both(text: str) -> Bilingual:
    return Bilingual(vi=text, en=text)


def test_a_template_is_filled_in_both_languages() -> None:
    upcoming = NextStep(kind=StepKind.SUSPEND, at=datetime(2026, 7, 4, 3, tzinfo=UTC))
    assert fill(TEMPLATE, msisdn=NUMBER, upcoming=upcoming, cure=CURE) == Bilingual(
        vi="Thuê bao 091***678 sẽ bị khóa hai chiều từ ngày 04/07/2026. Hãy xác thực.",
        en="091***678: a block both ways on 04/07/2026. Verify.",
    )


@pytest.mark.parametrize("kind", StepKind)
def test_every_step_has_words_in_both_languages(kind: StepKind) -> None:
    upcoming = NextStep(kind=kind, at=datetime(2026, 7, 4, tzinfo=UTC))
    words = fill(both("{step}"), msisdn=NUMBER, upcoming=upcoming, cure=CURE)
    assert words.vi != words.en
    assert words.en.isascii()


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC), "31/12/2026"),
        (datetime(2026, 12, 31, 17, tzinfo=UTC), "01/01/2027"),
        (datetime(2028, 2, 28, 17, tzinfo=UTC), "29/02/2028"),
        (datetime(2028, 2, 29, 17, tzinfo=UTC), "01/03/2028"),
    ],
)
def test_the_day_is_that_of_viet_nam(at: datetime, day: str) -> None:
    upcoming = NextStep(kind=StepKind.SUSPEND, at=at)
    assert fill(both("{date}"), msisdn=NUMBER, upcoming=upcoming, cure=CURE).vi == day


def test_a_way_out_with_braces_is_put_in_as_it_is() -> None:
    upcoming = NextStep(kind=StepKind.SUSPEND, at=datetime(2026, 7, 4, tzinfo=UTC))
    filled = fill(both("{cure}"), msisdn=NUMBER, upcoming=upcoming, cure=both("{number}"))
    assert filled == both("{number}")


def test_a_number_is_shown_by_its_first_and_last_digits_only() -> None:
    assert masked(NUMBER) == "091***678"
    assert "345" not in masked(MSISDN("+84703451111"))


def test_a_filled_text_may_be_as_long_as_four_messages_and_no_longer() -> None:
    upcoming = NextStep(kind=StepKind.BLOCK_OUTGOING, at=datetime(2026, 7, 4, tzinfo=UTC))
    words = "{step} {date} {cure}"
    spare = LENGTH_MAX - max(
        len(filled)
        for filled in (
            fill(both(words), msisdn=NUMBER, upcoming=upcoming, cure=both("x")).vi,
            fill(both(words), msisdn=NUMBER, upcoming=upcoming, cure=both("x")).en,
        )
    )
    check_template(both(words + "y" * spare), cure=both("x"))
    with pytest.raises(TextError, match=r"(vi|en): 269 characters when filled, and 268"):
        check_template(both(words + "y" * (spare + 1)), cure=both("x"))
    with pytest.raises(TextError, match="269 characters"):
        check_template(both(words + "y" * spare), cure=both("xx"))


def test_a_sign_outside_the_basic_plane_takes_two_places() -> None:
    words = "{step} {date} {cure}"
    check_template(both(words + "y" * 120), cure=both("x"))
    with pytest.raises(TextError, match=r"\d+ characters when filled"):
        check_template(both(words + "\N{MOBILE PHONE}" * 120), cure=both("x"))


@pytest.mark.parametrize("text", ["{step}, {date}", "{{step}} {date} {cure}", "", "{cure"])
def test_a_text_without_what_comes_when_and_the_way_out_is_refused(text: str) -> None:
    with pytest.raises(TextError, match="vi: "):
        check_template(Bilingual(vi=text, en=TEMPLATE.en), cure=CURE)
    with pytest.raises(TextError, match="en: "):
        check_template(Bilingual(vi=TEMPLATE.vi, en=text), cure=CURE)
