"""Country codes of two and three letters meet."""

import pytest

from biometrics.chip.countries import find_country, normalise_country


@pytest.mark.parametrize(
    ("code", "country"),
    [
        ("VNM", "VN"),
        ("VN", "VN"),
        ("vn", "VN"),
        ("D", "DE"),
        ("D<<", "DE"),
        ("DEU", "DE"),
        ("GBR", "GB"),
        ("GBD", "GB"),
        ("RKS", "KS"),
        ("UNO", "UN"),
        ("UTO", "UT"),
    ],
)
def test_a_code_leads_to_two_letters(code: str, country: str) -> None:
    assert find_country(code) == country
    assert normalise_country(code) == country


@pytest.mark.parametrize("code", ["", "<<<", "XX", "XXX", "V", "VNMM"])
def test_an_unknown_code_leads_nowhere(code: str) -> None:
    assert find_country(code) is None
    with pytest.raises(ValueError, match="unknown country"):
        normalise_country(code)
