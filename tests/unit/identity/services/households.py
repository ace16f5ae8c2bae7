"""A guardian, a child, an organisation's number and its employee, and what they arrange.

Owns the steps that the tests of arrangements begin with. Judges no answer.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from identity.domain.caller import Role
from identity.domain.holder import PopulationRecord
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import Subscription
from identity.services.apply_population_changes import (
    Death,
    PopulationChange,
    apply_population_changes,
)
from identity.services.arrangements import (
    accept_arrangement,
    attest_guardianship,
    end_arrangement,
    list_arrangements,
    propose_company_line,
    propose_guardianship,
    refuse_arrangement,
)
from identity.services.call import Call
from identity.storage.arrangements import KeptArrangement, Parties
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import NOW, make_call, make_operator, store_citizen, store_number

TODDLER = date(2022, 7, 9)
TEENAGER = date(2011, 7, 9)
ORGANISATION = "0100109106-001"
PAPERS = bytes(range(32))


@dataclass
class Household:
    """A guardian, a child, and the present."""

    uow: UnitOfWork
    guardian: PopulationRecord
    child: PopulationRecord
    operator: str = field(default_factory=make_operator)
    at: datetime = NOW

    def call(self, role: Role, name: str) -> Call:
        """A call at the present instant."""
        return make_call(name, role=role, at=self.at)

    @property
    def app(self) -> Call:
        """By the citizen app."""
        return self.call(Role.CITIZEN_APP, "vneid")

    @property
    def counter(self) -> Call:
        """By an operator."""
        return self.call(Role.OPERATOR, self.operator)

    @property
    def regulator(self) -> Call:
        """By the regulator."""
        return self.call(Role.REGULATOR, "mic")

    @property
    def parties(self) -> Parties:
        """As the papers name them."""
        return Parties(personal_id=self.child.personal_id, guardian=self.guardian.personal_id)

    def propose(self, child: PersonalID | None = None) -> KeptArrangement:
        """The guardian asks."""
        named = child or self.child.personal_id
        return propose_guardianship(self.uow, self.app, self.guardian.personal_id, named)

    def attest(self, arrangement_id: UUID, parties: Parties | None = None) -> KeptArrangement:
        """The operator has seen the papers."""
        return attest_guardianship(
            self.uow,
            self.counter,
            arrangement_id,
            parties or self.parties,
            document_digest=PAPERS,
        )

    def accept(self, arrangement_id: UUID, by: PopulationRecord | None = None) -> KeptArrangement:
        """The child or somebody else says yes."""
        person = by or self.child
        return accept_arrangement(self.uow, self.app, person.personal_id, arrangement_id)

    def refuse(self, arrangement_id: UUID, by: PopulationRecord | None = None) -> KeptArrangement:
        """The child or somebody else says no."""
        person = by or self.child
        return refuse_arrangement(self.uow, self.app, person.personal_id, arrangement_id)

    def end(self, arrangement_id: UUID, by: PopulationRecord | None = None) -> KeptArrangement:
        """One of the two ends it; the guardian unless somebody else is named."""
        person = by or self.guardian
        return end_arrangement(self.uow, self.app, arrangement_id, person.personal_id)

    def listed(self, person: PopulationRecord) -> list[KeptArrangement]:
        """What somebody sees."""
        page = list_arrangements(self.uow, self.app, person.personal_id, after=None, limit=100)
        return list(page.arrangements)

    def agreed(self) -> UUID:
        """A guardianship that holds."""
        arrangement_id = self.propose().arrangement.arrangement_id
        self.attest(arrangement_id)
        if self.child.birth_date <= TEENAGER:
            self.accept(arrangement_id)
        return arrangement_id

    def line(self, user: PopulationRecord) -> tuple[UUID, Subscription]:
        """A company's line that waits for its user."""
        item = store_number(self.uow, user, operator_id=self.operator)
        kept = propose_company_line(
            self.uow,
            self.counter,
            item.msisdn,
            organisation_code=ORGANISATION,
            employee=user.personal_id,
        )
        return kept.arrangement.arrangement_id, item

    def change(self, *changes: PopulationChange) -> None:
        """The register tells of changes."""
        apply_population_changes(self.uow, self.call(Role.POPULATION, "npd"), changes)

    def bury(self, person: PopulationRecord) -> None:
        """The register tells of a death."""
        self.change(Death(person.personal_id, self.at.date()))


def household(uow: UnitOfWork, birth_date: date = TODDLER) -> Household:
    """A guardian and a child of this birth date."""
    return Household(
        uow=uow, guardian=store_citizen(uow), child=store_citizen(uow, birth_date=birth_date)
    )
