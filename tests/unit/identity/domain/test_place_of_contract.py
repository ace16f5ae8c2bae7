"""Where a contract was signed: what names a point of sale and a province, and what does not."""

import pytest

from identity.domain.errors import PointOfSaleMalformedError, ProvinceCodeMalformedError
from identity.domain.place_of_contract import parse_point_of_sale, parse_province_code


@pytest.mark.parametrize(
    "text", ["1", "HN-012", "hcm/q1/0045", "A_b.C", "-", "..", "x" * 64, "0" * 64]
)
def test_a_point_of_sale_is_taken_as_it_is_named(text: str) -> None:
    assert parse_point_of_sale(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *(" ", "HN 012", " HN", "HN ", "x" * 65, "x" * 100_000, "Đ1", "điểm-1", "\uff21", "a\n"),
        *("\n", "a\x00", "\x00", "a,b", "a;b", "a\\b", "=1+1", "a@b", "\u202ea", "a\u0301", "(1)"),
    ],
)
def test_what_cannot_stand_in_a_file_name_is_no_point_of_sale(text: str) -> None:
    with pytest.raises(PointOfSaleMalformedError) as caught:
        parse_point_of_sale(text)
    assert text not in str(caught.value) or text in {" ", "\n"}


@pytest.mark.parametrize("text", ["00", "01", "48", "79", "96", "99"])
def test_a_province_has_two_digits_whether_taken_or_not(text: str) -> None:
    assert parse_province_code(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "001",
        "1 ",
        " 1",
        "1a",
        "VN",
        "-1",
        "+1",
        "1.",
        "01\n",
        "\x00\x00",
        "\u0660\u0661",
        "²³",
    ],
)
def test_anything_else_is_no_province(text: str) -> None:
    with pytest.raises(ProvinceCodeMalformedError):
        parse_province_code(text)


def test_what_is_left_empty_is_not_known() -> None:
    assert parse_point_of_sale("") is None
    assert parse_province_code("") is None
