"""Whatever happens to numbers in whatever order, they stand where a plain model says.

A machine draws what people, operators, the regulator and time do to a few numbers, has the services
do it, and compares every case and every order with `enforcement_model`. Beside that it holds what
is handed out to laws that need no model: nothing without a cause, nothing blocking after a cure, no
block before its notices, each number's orders in their order and each done once; and that a revert
changes the cases of its wave, back to what they were, and no other. At the end every operator works
off what is ordered, and its network must be as is ordered.

Everything is drawn: identifiers are counted, keys are fixed, time is a value. The examples are the
same in every run, unless they are asked for: `ENFORCEMENT_EXAMPLES=500 pytest --hypothesis-seed=1`.
"""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    run_state_machine_as_test,
)
from sqlalchemy import Engine

from identity.domain.link import LinkState
from identity.storage.database import connect
from tests.databases import own_database
from tests.properties.identity.services.enforcement_orders import Orders
from tests.properties.identity.services.enforcement_world import (
    DAY,
    OPERATORS,
)

EXAMPLES = "ENFORCEMENT_EXAMPLES"
"""Environment variable: how many examples to draw at random, instead of those that are always the
same."""


ARRIVED = (
    ("north", LinkState.LINKED),
    ("north", LinkState.LINKED),
    ("south", LinkState.MISMATCHED),
    ("north", LinkState.LINKED),
)
"""With which numbers each example begins: their operators and links."""


class Enforcement(Orders):
    """A few numbers of two operators, and all that may happen to them."""

    @initialize(stage=st.integers(0, 3), is_told=st.booleans(), limit=st.integers(1, 3))
    def begin(self, stage: int, limit: int, *, is_told: bool) -> None:
        """Five days in which users were told, or should have been, and what may have come since.

        One number is a primary, and yet has a case; the others wait for a wave with it.
        """
        self.open_country()
        for operator, link in ARRIVED:
            self.arrive(operator, link, is_in_service=True)
        self.verify(0)
        self.choose(0)
        self.see_face_under_another_id(0)
        far: tuple[Callable[[], object], ...] = (
            lambda: self.run_clock(DAY),
            lambda: self.order_wave(2, has_primaries=True),
            lambda: self.execute(0, 2),
        )
        self.pass_days(5, is_told=is_told)
        if not is_told:
            self.pull_by_two("north", limit, {0}, timedelta(), is_done=False)
        for act in far[:stage]:
            act()

    def teardown(self) -> None:
        """Everything that is ordered is done; then nothing is left behind."""
        if not hasattr(self, "connection"):
            return
        try:
            if self.model.numbers:
                self.work_off()
        finally:
            self.connection.rollback()
            self.connection.close()

    def work_off(self) -> None:
        """When everything is done that is ordered, the networks are as is ordered."""
        self.at += 3 * DAY  # every lease has ended
        for operator in OPERATORS:
            self.obey(operator)
        self.agree()
        for number in self.model.numbers:
            assert number.open_orders == []
            place = (number.operator, number.msisdn)
            if number.is_on and number.state != "inactive":
                assert self.network[place] == number.state


@pytest.fixture(scope="module")
def empty_engine(postgres_url: str) -> Iterator[Engine]:
    """A database with nothing in it but what an example puts there."""
    with own_database(postgres_url, f"model_{uuid4().hex}") as url:
        engine = connect(url)
        yield engine
        engine.dispose()


def test_numbers_stand_where_the_model_says(empty_engine: Engine) -> None:
    asked = os.environ.get(EXAMPLES)
    run_state_machine_as_test(
        type("Machine", (Enforcement,), {"engine": empty_engine}),
        settings=settings(
            max_examples=int(asked or 12),
            derandomize=asked is None,
            database=None,
            report_multiple_bugs=False,
            phases=[Phase.generate],  # shrinking takes minutes: examples are short as they are
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
