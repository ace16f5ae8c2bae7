"""What is odd about a number and its holder, and yet forbidden by nobody.

Owns the kinds of anomalies and when each is there. An anomaly is counted and shown to a person who
looks; it never refuses, blocks or unlinks. Knows neither rows nor clocks: it is given counts and
the day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from identity.domain.calendar_date import whole_years
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.personal_id import StructureWarning, structure_warnings


class AnomalyKind(StrEnum):
    """What is odd. Append-only: reports and stored counts hold these names."""

    PERSONAL_ID_PROVINCE_UNKNOWN = "personal_id_province_unknown"
    PERSONAL_ID_SEX_DIFFERS = "personal_id_sex_differs"
    PERSONAL_ID_BIRTH_YEAR_DIFFERS = "personal_id_birth_year_differs"
    HOLDER_DECEASED = "holder_deceased"
    HOLDER_BELOW_AGE = "holder_below_age"
    PERSON_ABOVE_CAP = "person_above_cap"
    PERSON_ABOVE_OPERATOR_CAP = "person_above_operator_cap"
    POINT_OF_SALE_ABOVE_BOUND = "point_of_sale_above_bound"
    PROBE_OF_TWO_PEOPLE = "probe_of_two_people"
    """One live photograph was presented for the holder and for somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderPolicy:
    """Settings of a policy pack that anomalies depend on; None where it sets no bound.

    Attributes:
        numbers_per_person_max: Numbers in service that one person has at all operators, at most.
        numbers_per_operator_max: The same at one operator.
        numbers_per_point_of_sale_day_max: Numbers that one point of sale starts in one day.
        own_contract_age_min: Age in whole years from which a person signs a contract alone.
    """

    numbers_per_person_max: int | None = None
    numbers_per_operator_max: int | None = None
    numbers_per_point_of_sale_day_max: int | None = None
    own_contract_age_min: int | None = None


_OF_STRUCTURE = {
    StructureWarning.UNKNOWN_PROVINCE: AnomalyKind.PERSONAL_ID_PROVINCE_UNKNOWN,
    StructureWarning.SEX_DIFFERS: AnomalyKind.PERSONAL_ID_SEX_DIFFERS,
    StructureWarning.BIRTH_YEAR_DIFFERS: AnomalyKind.PERSONAL_ID_BIRTH_YEAR_DIFFERS,
}


def holder_anomalies(
    claim: HolderClaim, record: PopulationRecord | None, policy: HolderPolicy, *, on: date
) -> frozenset[AnomalyKind]:
    """What is odd about the holder of one subscription.

    The record's birth date and sex are judged where there is one, else the claim's birth date: a
    claim that differs from the record is a mismatch, not an anomaly.

    Args:
        claim: What the operator says.
        record: The population record of the claimed personal ID; None when there is none.
        policy: The bounds.
        on: The day for which ages are told.

    Returns:
        Every kind that applies. An age is that of the living only.
    """
    return frozenset(_holder_anomalies(claim, record, policy, on=on))


def person_anomalies(
    number_counts: Mapping[str, int], policy: HolderPolicy
) -> frozenset[AnomalyKind]:
    """What is odd about how many numbers one person has.

    Args:
        number_counts: For each operator, how many numbers in service it gave to this person.
        policy: The bounds.

    Returns:
        Every kind that applies.
    """
    found = {
        AnomalyKind.PERSON_ABOVE_CAP: _exceeds(
            sum(number_counts.values()), policy.numbers_per_person_max
        ),
        AnomalyKind.PERSON_ABOVE_OPERATOR_CAP: _exceeds(
            max(number_counts.values(), default=0), policy.numbers_per_operator_max
        ),
    }
    return frozenset(kind for kind, applies in found.items() if applies)


def point_of_sale_anomalies(number_count: int, policy: HolderPolicy) -> frozenset[AnomalyKind]:
    """What is odd about one point of sale on one day.

    Args:
        number_count: How many numbers it started on that day.
        policy: The bounds.

    Returns:
        Every kind that applies.
    """
    applies = _exceeds(number_count, policy.numbers_per_point_of_sale_day_max)
    return frozenset({AnomalyKind.POINT_OF_SALE_ABOVE_BOUND} if applies else ())


def _holder_anomalies(
    claim: HolderClaim, record: PopulationRecord | None, policy: HolderPolicy, *, on: date
) -> Iterator[AnomalyKind]:
    birth_date = claim.birth_date if record is None else record.birth_date
    sex = None if record is None else record.sex
    for warning in structure_warnings(claim.personal_id, birth_date=birth_date, sex=sex):
        yield _OF_STRUCTURE[warning]
    if record is not None and record.deceased_on is not None:
        yield AnomalyKind.HOLDER_DECEASED
    elif _is_below(whole_years(birth_date, on=on), policy.own_contract_age_min):
        yield AnomalyKind.HOLDER_BELOW_AGE


def _exceeds(count: int, bound: int | None) -> bool:
    return bound is not None and count > bound


def _is_below(years: int, bound: int | None) -> bool:
    return bound is not None and years < bound
