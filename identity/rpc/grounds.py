"""The grounds of an agency's access, from the wire.

Owns the reading of `Grounds` for every method that has them. Decides nothing: what is allowed is
the domain's.
"""

from identity.domain.agency import Access, Purpose
from identity.rpc import decode
from identity.services.call import Call
from subid.v1 import agency_pb2 as pb

PURPOSES = {
    pb.PURPOSE_SERVICE_DELIVERY: Purpose.SERVICE_DELIVERY,
    pb.PURPOSE_LEGAL_NOTICE: Purpose.LEGAL_NOTICE,
    pb.PURPOSE_PUBLIC_SAFETY: Purpose.PUBLIC_SAFETY,
    pb.PURPOSE_RECORD_UPKEEP: Purpose.RECORD_UPKEEP,
    pb.PURPOSE_IDENTITY_CHECK: Purpose.IDENTITY_CHECK,
}


def access_of(grounds: pb.Grounds, call: Call, *, people_count: int = 1) -> Access:
    """The access that a call asks for.

    Raises:
        RequestInvalidError: The end of the embargo is no instant.
    """
    has_embargo = grounds.HasField("shown_time")
    field = "grounds.shown_time"
    return Access(
        caller=call.caller,
        at=call.at,
        purpose=PURPOSES[grounds.purpose],
        legal_basis=grounds.legal_basis,
        case_id=grounds.case_id,
        shown_from=decode.instant(grounds.shown_time, field=field) if has_embargo else None,
        people_count=people_count,
    )
