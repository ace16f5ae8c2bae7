"""A template that passes can be filled for any number, step and day, and stays short."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from identity.domain.calendar_date import day_of
from identity.domain.message_text import LENGTH_MAX, TextError
from identity.domain.msisdn import MSISDN
from identity.domain.notice import (
    NextStep,
    check_template,
    fill,
)
from identity.domain.policy import Bilingual, StepKind

pieces = st.sampled_from(
    [
        *("{number}", "{step}", "{date}", "{cure}", "{{", "}}", "{", "}", "{}", "{0}", "{cure!r}"),
        *("{step} {date} {cure}", "Thuê bao ", "x" * 60, "\N{MOBILE PHONE}" * 40, "{date:>9}"),
    ]
)
texts = st.lists(pieces | st.text(max_size=5), max_size=6).map("".join)
instants = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    datetime(2199, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
numbers = st.integers(0, 10**8 - 1).map(lambda digits: MSISDN(f"+849{digits % 8}{digits:07d}"[:12]))


def refused(template: Bilingual, cure: Bilingual) -> str | None:
    try:
        check_template(template, cure=cure)
    except TextError as refusal:
        return str(refusal)
    return None


@given(texts, st.text(max_size=80), numbers, st.sampled_from(StepKind), instants)
def test_a_template_is_refused_or_can_be_filled_for_any_number_and_stays_within_its_length(
    text: str, cure: str, msisdn: MSISDN, kind: StepKind, at: datetime
) -> None:
    template, way_out = Bilingual(vi=text, en=text), Bilingual(vi=cure, en=cure)
    refusal = refused(template, way_out)
    if refusal is not None:
        assert refusal.startswith(("vi: ", "en: "))
        return
    upcoming = NextStep(kind=kind, at=at)
    filled = fill(template, msisdn=msisdn, upcoming=upcoming, cure=way_out)
    for words in (filled.vi, filled.en):
        assert len(words.encode("utf-16-le")) <= 2 * LENGTH_MAX
        assert cure in words
        assert f"{day_of(at):%d/%m/%Y}" in words
        assert msisdn.value[5:9] not in words or msisdn.value[5:9] in text + cure
