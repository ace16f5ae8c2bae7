"""Evidence for operating points in tests: rates that no network here has."""

from datetime import date

from biometrics.face.error_rate import ErrorRate
from biometrics.face.operating_point import Evidence


def rate(errors: int, trials: int, *, high: float) -> ErrorRate:
    return ErrorRate(errors=errors, trials=trials, independent=trials, low=0.0, high=high)


GOOD = Evidence(
    target_fmr=1e-4,
    fmr=rate(1, 100_000, high=9e-5),
    fnmr=rate(10, 1000, high=0.02),
    held_out_fmr=rate(1, 100_000, high=9e-5),
    fta=rate(1, 1000, high=0.006),
    quality_gate="live",
    identities=500,
    margin=0.01,
    data_digest="cd" * 32,
    population="people of the test",
    measured_on=date(2026, 1, 2),
)
"""What a regulation asks for."""
