"""A synthetic population.

Owns who lives in the simulated country: personal identification number, name, birth, sex,
origin and death of each citizen, all drawn from one seed. It refuses to know numbers, cards,
operators and the service. Nobody in it is real; a name that fits somebody is chance.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from random import Random

from telco_sim.names import Ethnicity, Sex, draw_full_name
from telco_sim.provinces import PROVINCES, Province, Region

AGE_MAX_YEARS = 95

_AGE_BANDS = (
    (0, 14, 23),
    (15, 24, 13),
    (25, 34, 16),
    (35, 44, 16),
    (45, 54, 13),
    (55, 64, 10),
    (65, 74, 6),
    (75, AGE_MAX_YEARS, 3),
)
"""First age, last age, share in percent: the age structure of the 2024 mid-term census, rounded."""

_SERIAL_COUNT = 1_000_000
"""Six digits end a personal identification number (Circular 07/2016/TT-BCA, article 7)."""

_SERIAL_STEP = 618_033
"""Coprime to the number of serials, so that counting by it visits each of them exactly once."""

_DAYS_PER_YEAR_AT_MOST = 365.2
"""A little short of a year, so that nobody reaches the age after the last."""

_ISSUED_OLD_ID_BEFORE = 2002
"""People born later were 14 after the nine-digit card had been given up everywhere."""


@dataclass(frozen=True, slots=True)
class Citizen:
    """One population record, as the National Population Database would hold it.

    Attributes:
        personal_id: Personal identification number, 12 digits: province, century and sex, year
            of birth, serial.
        full_name: Unicode NFC with diacritics, family name first.
        birth_date: Date of birth.
        sex: Sex.
        province_code: Province of birth registration, three digits.
        ethnicity: People, by its official name.
        religion: As a card states it; "Không" for none.
        place_of_origin: Province name.
        place_of_residence: Address in one line.
        father_name: Full name.
        mother_name: Full name.
        old_id_number: The nine-digit number of an earlier card, or None.
        deceased_on: Day of death, or None for the living.
    """

    personal_id: str
    full_name: str
    birth_date: date
    sex: Sex
    province_code: str
    ethnicity: Ethnicity
    religion: str
    place_of_origin: str
    place_of_residence: str
    father_name: str
    mother_name: str
    old_id_number: str | None = None
    deceased_on: date | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the record shows no death."""
        return self.deceased_on is None


def draw_population(count: int, *, seed: int, today: date) -> tuple[Citizen, ...]:
    """Draw a population; the same seed and day give the same people, a larger count gives more.

    Args:
        count: Number of citizens, at least 0.
        seed: Any integer.
        today: The day on which everybody is 0 to 95 years old.
    """
    return tuple(islice(citizens(seed=seed, today=today), count))


def citizens(*, seed: int, today: date) -> Iterator[Citizen]:
    """Draw citizens without end, one at a time, no two with the same personal ID."""
    generator = Random(seed)
    serials = _SerialNumbers(seed)
    while True:
        yield _draw_citizen(generator, serials=serials, today=today)


def personal_id_prefix(*, province_code: str, sex: Sex, birth_date: date) -> str:
    """Return the first six digits of a personal ID: PPP, C, YY.

    C is 0 or 1 for men or women born in 1900 to 1999, 2 or 3 for 2000 to 2099, and so on
    (Circular 07/2016/TT-BCA, annex 3).

    Raises:
        ValueError: The year lies outside 1900 to 2399, the centuries that C can state.
    """
    century = birth_date.year // 100 - 19
    if not 0 <= century <= 4:  # noqa: PLR2004 - C has ten values, two for each century
        raise ValueError(f"no century digit for the year {birth_date.year}")
    century_and_sex = 2 * century + (1 if sex is Sex.FEMALE else 0)
    return f"{province_code}{century_and_sex}{birth_date.year % 100:02d}"


class _SerialNumbers:
    """Gives each prefix its own order of the million serials, without remembering any."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._given: Counter[str] = Counter()

    def next(self, prefix: str) -> str:
        position = self._given[prefix]
        if position == _SERIAL_COUNT:
            raise OverflowError(f"all serials of prefix {prefix} are given out")
        self._given[prefix] += 1
        first = Random(f"{self._seed}/{prefix}").randrange(_SERIAL_COUNT)
        return f"{(first + position * _SERIAL_STEP) % _SERIAL_COUNT:06d}"


def _draw_citizen(generator: Random, *, serials: _SerialNumbers, today: date) -> Citizen:
    sex = generator.choices((Sex.MALE, Sex.FEMALE), (49.9, 50.1))[0]
    province = generator.choices(PROVINCES, [each.weight for each in PROVINCES])[0]
    birth_date = _draw_birth_date(generator, today=today)
    ethnicity = _draw_ethnicity(generator, province=province)
    prefix = personal_id_prefix(province_code=province.code, sex=sex, birth_date=birth_date)
    father_name, full_name, mother_name = _draw_family(
        generator, sex=sex, region=province.region, birth_year=birth_date.year, ethnicity=ethnicity
    )
    return Citizen(
        personal_id=prefix + serials.next(prefix),
        full_name=full_name,
        birth_date=birth_date,
        sex=sex,
        province_code=province.code,
        ethnicity=ethnicity,
        religion=generator.choices(("Không", "Phật giáo", "Công giáo"), (86, 6, 8))[0],
        place_of_origin=province.name,
        place_of_residence=_draw_address(generator, province=province),
        father_name=father_name,
        mother_name=mother_name,
        old_id_number=_draw_old_id_number(generator, birth_year=birth_date.year),
        deceased_on=_draw_death(generator, birth_date=birth_date, today=today),
    )


def _draw_birth_date(generator: Random, *, today: date) -> date:
    first_age, last_age, _ = generator.choices(_AGE_BANDS, [share for *_, share in _AGE_BANDS])[0]
    age_days = generator.uniform(first_age, last_age + 1) * _DAYS_PER_YEAR_AT_MOST
    return today - timedelta(days=int(age_days))


def _draw_ethnicity(generator: Random, *, province: Province) -> Ethnicity:
    """Draw a people where it lives; shares of the whole come near the census of 2019."""
    if province.region is Region.NORTH:
        shares = {Ethnicity.TAY: 4, Ethnicity.THAI: 4, Ethnicity.HMONG: 4}
    elif province.region is Region.CENTRE:
        shares = {Ethnicity.THAI: 2, Ethnicity.EDE: 2}
    else:
        shares = {Ethnicity.KHMER: 4}
    shares[Ethnicity.KINH] = 100 - sum(shares.values())
    return generator.choices(list(shares), list(shares.values()))[0]


def _draw_family(
    generator: Random, *, sex: Sex, region: Region, birth_year: int, ethnicity: Ethnicity
) -> tuple[str, str, str]:
    """Draw father, child and mother; the child carries the father's family name."""
    parents_born = birth_year - generator.randint(20, 38)
    father = draw_full_name(
        generator, sex=Sex.MALE, region=region, birth_year=parents_born, ethnicity=ethnicity
    )
    mother = draw_full_name(
        generator, sex=Sex.FEMALE, region=region, birth_year=parents_born, ethnicity=ethnicity
    )
    child = draw_full_name(
        generator,
        sex=sex,
        region=region,
        birth_year=birth_year,
        ethnicity=ethnicity,
        family_name=_family_name(father),
    )
    return father, child, mother


def _family_name(full_name: str) -> str:
    words = full_name.split()
    return "Âu Dương" if words[:2] == ["Âu", "Dương"] else words[0]


def _draw_address(generator: Random, *, province: Province) -> str:
    return f"Tổ {generator.randint(1, 40)}, Phường {generator.randint(1, 20)}, {province.name}"


def _draw_old_id_number(generator: Random, *, birth_year: int) -> str | None:
    number = f"{generator.randrange(10**9):09d}"
    return number if birth_year < _ISSUED_OLD_ID_BEFORE else None


def _draw_death(generator: Random, *, birth_date: date, today: date) -> date | None:
    """Draw a death that the operators' books may not know of yet.

    The yearly risk doubles with about every eight years of age, as Gompertz's law says, and the
    dead stay in the books for some three years.
    """
    age_years = (today - birth_date).days / _DAYS_PER_YEAR_AT_MOST
    share_dead = min(0.5, 3 * 0.0001 * 2 ** (age_years / 8))
    days_ago = generator.randint(0, min((today - birth_date).days, 3 * 365))
    is_dead = generator.random() < share_dead
    return today - timedelta(days=days_ago) if is_dead else None
