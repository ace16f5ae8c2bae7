"""The lines that an operator signs, as the contract states them."""

from hashlib import sha256

from identity.rpc.signed_text import signed_text
from subid.v1 import enforcement_service_pb2 as pb

FIRST, SECOND = "0B0D2E56-0000-4000-8000-000000000001", "0b0d2e56-0000-4000-8000-000000000002"
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def request() -> pb.AcknowledgeDirectivesRequest:
    made = pb.AcknowledgeDirectivesRequest(request_id="A", lease_id="b")
    made.acknowledgements.add(directive_id=FIRST, outcome=pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED)
    made.acknowledgements[0].execute_time.seconds = 1_760_000_000
    made.acknowledgements[0].execute_time.nanos = 5
    made.acknowledgements.add(
        directive_id=SECOND, outcome=pb.ACKNOWLEDGEMENT_OUTCOME_FAILED, failure="bận"
    )
    return made


def test_the_lines_are_those_of_the_contract() -> None:

    busy = sha256(b"b\xe1\xba\xadn").hexdigest()
    assert signed_text(request()) == (
        "subid.v1.AcknowledgeDirectives\nA\nb\n"
        f"{FIRST} 1 1760000000000000005 {NOTHING}\n"
        f"{SECOND} 2  {busy}\n"
    )


def test_whatever_is_said_otherwise_reads_otherwise() -> None:
    texts = {signed_text(request())}
    changes = (
        {"directive_id": SECOND},
        {"outcome": pb.ACKNOWLEDGEMENT_OUTCOME_FAILED},
        {"failure": "x"},
    )
    for change in changes:
        made = request()
        made.acknowledgements[0].MergeFrom(pb.Acknowledgement(**change))
        texts.add(signed_text(made))
    made = request()
    made.acknowledgements[0].ClearField("execute_time")
    texts.add(signed_text(made))
    made = request()
    made.acknowledgements.reverse()
    texts.add(signed_text(made))
    assert len(texts) == len(changes) + 3
