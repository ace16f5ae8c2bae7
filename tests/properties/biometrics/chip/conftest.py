"""Seeds of the chip properties: the files of one good card.

Owns nothing else; the card is that of the unit tests.
"""

import pytest

from biometrics.chip.trust import TrustProfile
from tests.unit.biometrics.chip.chip_files import Card, make_card


@pytest.fixture(scope="session")
def card() -> Card:
    """A card that passes every check."""
    return make_card()


@pytest.fixture(scope="session")
def trust(card: Card) -> TrustProfile:
    """Trusts the card's authority."""
    return TrustProfile.from_certificates(
        name="vn-test", country="VN", certificates=[card.authority.certificate]
    )
