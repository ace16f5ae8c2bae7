"""Spans are sent to a receiver, and one that does not take them is told of once."""

from structlog.testing import capture_logs

from identity.telemetry.otlp import to_endpoint
from identity.telemetry.tracing import Tracing
from tests.integration.telemetry import receiving

METHOD = "ContactService/GetContact"


def test_a_receiver_that_takes_no_spans_is_told_of_once_until_it_does() -> None:
    with receiving() as receiver, capture_logs() as logged:
        processor = to_endpoint(receiver.url)
        tracing = Tracing(processor)
        # 400 is an answer that nobody tries again after (OTLP specification, failures).
        for answers in (400, 400, 200, 200):
            receiver.answers = answers
            with tracing.call(METHOD, None):
                pass
            processor.force_flush()
        tracing.close()
    assert [line["event"] for line in logged] == [
        "traces are not taken",
        "traces are taken again",
    ]
    assert len(receiver.spans) == 4
