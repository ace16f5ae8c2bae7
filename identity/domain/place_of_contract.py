"""Where a contract was signed: the point of sale, and the province.

Owns their forms. Whether there is such a point of sale only the operator knows.
"""

import re

from identity.domain.errors import PointOfSaleMalformedError, ProvinceCodeMalformedError

# Codes of operators' own: what can stand in a file name or a spreadsheet without a second thought.
_POINT_OF_SALE = re.compile(r"[A-Za-z0-9._/-]{1,64}")
# Decision 19/2025/QD-TTg of 30 June 2025: provinces have two digits. Which of them are taken is not
# judged, since provinces merge and split.
_PROVINCE_CODE = re.compile(r"[0-9]{2}")


def parse_point_of_sale(text: str) -> str | None:
    """A point of sale, as the operator names it; None for an empty text.

    Raises:
        PointOfSaleMalformedError: Not 1 to 64 letters, digits and `. _ - /` of ASCII.
    """
    if not text:
        return None
    if not _POINT_OF_SALE.fullmatch(text):
        raise PointOfSaleMalformedError("a point of sale has 1 to 64 letters, digits and . _ - /")
    return text


def parse_province_code(text: str) -> str | None:
    """The code of a province; None for an empty text.

    Raises:
        ProvinceCodeMalformedError: Not two digits.
    """
    if not text:
        return None
    if not _PROVINCE_CODE.fullmatch(text):
        raise ProvinceCodeMalformedError("a province has a code of two digits")
    return text
