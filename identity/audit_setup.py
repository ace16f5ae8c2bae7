"""What seals the audit log of one server, and what watches that it is sealed.

Part of the composition root: owns which key, which transactions and which clock are handed to whom.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from identity.audit.watch import SealingWatch
from identity.audit_sealer import AuditSealer
from identity.services.seal_audit import AuditKeys, seal
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork


def made_audit_sealer(
    state: Path, transactions: Transactions, *, now: Callable[[], float] = monotonic
) -> AuditSealer:
    """What seals the audit log, its key at hand.

    Args:
        state: The state directory, where the key lies.
        transactions: Of the registry.
        now: Seconds of a clock that nobody sets: what waits is timed by it.

    Raises:
        AuditKeyError: The key is not at hand.
    """
    keys, watch = AuditKeys(state), SealingWatch(now=now)
    transactions.run(lambda uow: keys.signer(uow, at=datetime.now(UTC)))

    def look(uow: UnitOfWork) -> None:
        watch.look(uow.connection, keys.verifier(uow))

    def seal_some() -> bool:
        transactions.run(look)
        # Real time, whatever the simulated clock says: heads are proved to others.
        return transactions.run(lambda uow: seal(uow, keys, at=datetime.now(UTC))).is_more

    return AuditSealer(seal=seal_some, waits_s=watch.waits_s)
