"""Every reason has an advice in both languages, and each says something else."""

import unicodedata

import pytest

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.advice import ADVICE, advice


def test_there_is_an_advice_for_every_reason_and_for_nothing_else() -> None:
    assert set(ADVICE) == set(AcquisitionFailure)


@pytest.mark.parametrize("reason", AcquisitionFailure)
def test_an_advice_is_one_or_two_sentences_in_each_language(reason: AcquisitionFailure) -> None:
    told = advice(reason)
    for text in (told.vi, told.en):
        assert 15 < len(text) <= 100
        assert text.endswith(".")
        assert text == text.strip()
    assert told.en.isascii()
    assert told.vi == unicodedata.normalize("NFC", told.vi)
    assert not told.vi.isascii()


def test_no_two_reasons_give_the_same_advice() -> None:
    assert len({told.en for told in ADVICE.values()}) == len(ADVICE)
    assert len({told.vi for told in ADVICE.values()}) == len(ADVICE)


def test_no_advice_speaks_of_a_match() -> None:
    assert not any("match" in told.en or "khớp" in told.vi for told in ADVICE.values())
