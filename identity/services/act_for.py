"""One citizen acts for another: a guardian for a child.

Owns the check that every call of a citizen's passes when it names somebody who acts, and the record
of it on both sides. Whether such a person exists is never told: without a guardianship that holds,
all are refused alike.
"""

from identity.audit.log import AuditEntry, append
from identity.domain.arrangement import GuardianAct
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork


def may_act_for(
    uow: UnitOfWork,
    call: Call,
    actor: PersonalID | None,
    subject: PersonalID,
    *,
    act: GuardianAct,
) -> bool:
    """Whether what the caller asks for a citizen may be done by who asks it.

    Args:
        uow: The transaction in which it is done.
        call: The circumstances.
        actor: Who acts, whom the app has proved to be there; None when the citizen does.
        subject: The citizen.
        act: What is asked.

    Returns:
        False without a guardianship that holds, or where the policy pack allows no guardian this.
        What is done stands on record for both, next to its own record. That a read was refused
        stays on record for the citizen.
    """
    if actor is None or actor == subject:
        return True
    policy = call.rules.arrangements
    guardian, child = (citizen_key(uow.sealer, each) for each in (actor, subject))
    arrangement_id = uow.arrangements.guardianship(guardian, child, policy, at=call.at)
    is_allowed = arrangement_id is not None and act in policy.guardian_acts
    entries = [
        AuditEntry(
            occurred_at=call.at,
            caller=str(call.caller),
            action="act_for",
            outcome="allowed" if is_allowed else "refused",
            citizen_key=key,
            details={"act": act.value}
            | ({} if arrangement_id is None else {"arrangement": str(arrangement_id)}),
        )
        for key in ((child, guardian) if is_allowed else (child,))
    ]
    append(uow.connection, entries)
    return is_allowed
