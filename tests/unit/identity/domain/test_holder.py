"""The two sides of a link as values."""

from datetime import date

from identity.domain.holder import HolderClaim, PopulationRecord, Sex
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID

PERSONAL_ID = PersonalID("001085012345")
FULL_NAME = PersonName("Nguyễn Văn An")
BIRTH_DATE = date(1985, 3, 1)


def test_a_claim_prints_nothing_personal() -> None:
    claim = HolderClaim(personal_id=PERSONAL_ID, full_name=FULL_NAME, birth_date=BIRTH_DATE)
    assert not any(character.isdigit() for character in repr(claim))
    assert "Nguyễn" not in repr(claim)


def test_a_record_prints_nothing_personal() -> None:
    record = PopulationRecord(
        personal_id=PERSONAL_ID,
        full_name=FULL_NAME,
        birth_date=BIRTH_DATE,
        sex=Sex.MALE,
        deceased_on=date(2020, 1, 2),
        card_issued_on=date(2019, 1, 2),
    )
    assert not any(character.isdigit() for character in repr(record))
    assert "Nguyễn" not in repr(record)
    assert "male" not in repr(record)


def test_what_a_record_does_not_say_is_none() -> None:
    record = PopulationRecord(personal_id=PERSONAL_ID, full_name=FULL_NAME, birth_date=BIRTH_DATE)
    assert (record.sex, record.deceased_on, record.card_issued_on) == (None, None, None)


def test_two_equal_claims_are_one() -> None:
    claims = {
        HolderClaim(personal_id=PERSONAL_ID, full_name=FULL_NAME, birth_date=BIRTH_DATE)
        for _ in range(2)
    }
    assert len(claims) == 1
