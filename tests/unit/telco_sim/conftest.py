"""People, portraits and one authority for the tests of the simulator."""

import io
from datetime import date

import pytest
from PIL import Image

from telco_sim.cards import CardAuthority
from telco_sim.names import Ethnicity, Sex
from telco_sim.population import Citizen


@pytest.fixture(scope="session")
def citizen() -> Citizen:
    """The fictitious person of the published machine readable zone example."""
    return Citizen(
        personal_id="001090999999",
        full_name="Nguyễn Văn Thử",
        birth_date=date(1990, 1, 1),
        sex=Sex.MALE,
        province_code="001",
        ethnicity=Ethnicity.KINH,
        religion="Không",
        place_of_origin="Hà Nội",
        place_of_residence="Số 1 Đường Giả, Hà Nội",
        father_name="Nguyễn Văn Cha",
        mother_name="Trần Thị Mẹ",
        old_id_number="012345678",
    )


@pytest.fixture(scope="session")
def portrait() -> bytes:
    """A JPEG of 480 x 640 without a face: cards do not look at it."""
    encoded = io.BytesIO()
    Image.new("RGB", (480, 640), (120, 90, 80)).save(encoded, "JPEG")
    return encoded.getvalue()


@pytest.fixture(scope="session")
def portrait_jpeg2000() -> bytes:
    """A JPEG 2000 of 240 x 320 without a face."""
    encoded = io.BytesIO()
    Image.new("RGB", (240, 320), (20, 90, 180)).save(encoded, "JPEG2000")
    return encoded.getvalue()


@pytest.fixture(scope="module")
def authority() -> CardAuthority:
    """An authority that shares two keys among its cards, to save time."""
    return CardAuthority(established_on=date(2022, 1, 10), active_authentication_keys=2)
