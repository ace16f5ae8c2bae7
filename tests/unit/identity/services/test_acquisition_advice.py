"""Whoever gave no usable photograph is told what to do, in Vietnamese and in English."""

import pytest

from biometrics.face.acquisition import AcquisitionFailure
from identity.services.acquisition_advice import REFERENCE_PREFIX, advise

FAILURES = [str(failure).upper() for failure in AcquisitionFailure]


@pytest.mark.parametrize("failure", [*FAILURES, "PROCESSING_FAILED", "SOMETHING_OF_OLD"])
def test_every_failure_has_advice_in_both_languages(failure: str) -> None:
    advice = advise(failure)
    assert advice.vietnamese.endswith(".")
    assert advice.english.endswith(".")
    assert not advice.vietnamese.isascii()
    assert advice.english.isascii()


def test_each_fault_of_a_photograph_has_its_own_advice() -> None:
    assert len({advise(failure) for failure in FAILURES}) == len(FAILURES)


def test_a_portrait_that_cannot_be_used_is_not_cured_by_another_photograph() -> None:
    failures = [REFERENCE_PREFIX + failure for failure in ("NOT_AVAILABLE", *FAILURES)]
    (advice,) = {advise(failure) for failure in failures}
    assert "card" in advice.english
