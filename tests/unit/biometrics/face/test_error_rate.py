"""An error rate holds numbers that a count can have, and reads well."""

import pytest

from biometrics.face.error_rate import ErrorRate, percent


def test_a_rate_is_errors_over_trials_and_reads_with_its_interval() -> None:
    made = ErrorRate(errors=3, trials=1000, independent=500, low=0.001, high=0.009)
    assert made.rate == 0.003
    assert str(made) == "0.3 % (3 of 1000; 95 %: 0.1 % to 0.9 %)"


def test_no_trials_mean_anything() -> None:
    assert ErrorRate.unknown().rate is None
    assert (ErrorRate.unknown().low, ErrorRate.unknown().high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("errors", "trials", "independent", "low", "high"),
    [
        (-1, 10, 10, 0, 1),
        (11, 10, 10, 0, 1),
        (1, 10, 11, 0, 1),
        (1, 10, 10, 0.5, 0.4),
        (1, 10, 10, -0.1, 0.4),
        (1, 10, 10, 0.1, 1.1),
        (1, 10, 10, 0.1, float("nan")),
    ],
)
def test_numbers_that_no_count_can_have_are_refused(
    errors: int, trials: int, independent: int, low: float, high: float
) -> None:
    with pytest.raises(ValueError, match=r"trials|interval"):
        ErrorRate(errors=errors, trials=trials, independent=independent, low=low, high=high)


def test_per_cent_have_two_digits_and_no_exponent() -> None:
    assert [percent(share) for share in (1, 0.1234, 1e-7)] == ["100 %", "12 %", "0.00001 %"]
