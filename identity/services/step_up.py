"""The fresh verification that a citizen's choice takes.

Owns which verification may serve: the citizen's own, that ended VERIFIED, and that has served for
no other choice. How fresh it must be, and for which choices, is the domain's.
"""

from uuid import UUID

from identity.domain.primary_choice import Choices
from identity.domain.verification import Verdict, VerdictState
from identity.services.call import Call
from identity.storage.database import UnitOfWork


def fresh_verdict(
    uow: UnitOfWork, call: Call, key: bytes, before: Choices, verification_id: UUID | None
) -> Verdict | None:
    """The verdict of the citizen's own verification; None where none is needed, or none serves.

    Args:
        uow: The transaction, in which the citizen's choice is held.
        call: The circumstances.
        key: The citizen's.
        before: Where the choice stands.
        verification_id: The verification that was named.
    """
    if verification_id is None or not before.needs_step_up(call.rules.primary):
        return None
    session = uow.verifications.find(verification_id)
    if session is None or session.citizen_key != key or session.verdict is None:
        return None
    is_verified = session.verdict.state is VerdictState.VERIFIED
    if not is_verified or uow.choices.is_used(key, verification_id):
        return None
    return session.verdict
