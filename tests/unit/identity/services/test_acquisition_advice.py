"""Whoever gave no usable photograph is told what to do, in Vietnamese and in English."""

import pytest

from identity.services.acquisition_advice import advise


@pytest.mark.parametrize("failure", ["NO_FACE", "PROCESSING_FAILED", "REFERENCE_NO_FACE"])
def test_every_failure_has_advice_in_both_languages(failure: str) -> None:
    advice = advise(failure)
    assert advice.vietnamese.endswith(".")
    assert advice.english.endswith(".")
    assert not advice.vietnamese.isascii()
    assert advice.english.isascii()


def test_a_portrait_that_cannot_be_used_is_not_cured_by_another_photograph() -> None:
    about_the_card = {advise("REFERENCE_NOT_AVAILABLE"), advise("REFERENCE_NO_FACE")}
    assert len(about_the_card) == 1
    assert "card" in about_the_card.pop().english
    assert "card" not in advise("NO_FACE").english
