"""What an operator signs of its acknowledgements.

Owns the lines, as the contract states them at `AcknowledgeDirectivesRequest.signature`. Knows no
key.
"""

import hashlib

from subid.v1 import enforcement_service_pb2 as pb

HEADING = "subid.v1.AcknowledgeDirectives"

_NANOS_PER_SECOND = 1_000_000_000


def signed_text(request: pb.AcknowledgeDirectivesRequest) -> str:
    """The lines that the signature of a request is over; identifiers as they stand there."""
    lines = [HEADING, request.request_id, request.lease_id]
    lines.extend(map(_line, request.acknowledgements))
    return "".join(f"{line}\n" for line in lines)


def _line(item: pb.Acknowledgement) -> str:
    executed = ""
    if item.HasField("execute_time"):
        instant = item.execute_time
        executed = str(instant.seconds * _NANOS_PER_SECOND + instant.nanos)
    failure = hashlib.sha256(item.failure.encode()).hexdigest()
    return f"{item.directive_id} {item.outcome} {executed} {failure}"
