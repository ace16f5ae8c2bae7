"""What an administrator has done to a registry at once, beside a server or without one.

Owns each such undertaking as a whole: settings in, the database opened, the use case run, its
result out. How the parts are put together is `bootstrap.py`'s.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial

from identity.bootstrap import load_face_setup, make_clock, open_current_database
from identity.config import Settings
from identity.domain.calendar_date import day_of
from identity.domain.caller import Caller, Role
from identity.domain.compliance import ComplianceReport, Days, months_until
from identity.domain.policy_book import Rules
from identity.domain.quality import QualityReport
from identity.policy_files import load_policies
from identity.services.call import COMMAND_LINE, Call
from identity.services.compliance import get_kpis, get_monthly_scores
from identity.services.count_anomalies import count_anomalies
from identity.services.draw_cohort import DrawnCohort, draw_cohort, keep_cohort
from identity.services.face_setup import read_cohort
from identity.services.link_registry import Progress as LinkProgress
from identity.services.link_registry import link_registry
from identity.services.quality import measure_quality, record_quality
from identity.services.reenrol_references import (
    Slice,
    count_outdated,
    reenrol_slice,
    templates_in,
)
from identity.services.transactions import Transactions
from identity.storage.link_runs import LinkTotals


@contextmanager
def _registry_now(settings: Settings) -> Iterator[tuple[Transactions, datetime, Rules]]:
    """The registry, the instant that it lives in, and the rules in force then."""
    policies = load_policies(settings)
    with open_current_database(settings) as database:
        transactions = Transactions(database)
        now = datetime.now(UTC)
        at = max(now, transactions.run(lambda uow: uow.cases.ran_until()) or now)
        yield transactions, at, policies.at(at)


def quality_now(
    settings: Settings, *, is_recorded: bool, trend_days: int, has_anomalies: bool = False
) -> QualityReport:
    """Measure how good the data are, by the clock that the registry lives by.

    Args:
        settings: The settings.
        is_recorded: Keep it as the measurement of the day.
        trend_days: How many days the trend goes back, this one counted.
        has_anomalies: Count anomalies too.

    Raises:
        StateError: As for `open_current_database`.
        PolicyPackError: The policy cannot be used.
    """
    with _registry_now(settings) as (transactions, at, rules):
        counts = count_anomalies(transactions, rules.holders, at=at) if has_anomalies else None
        measure = partial(
            partial(record_quality, caller=COMMAND_LINE) if is_recorded else measure_quality,
            rules=rules,
            at=at,
            trend_days=trend_days,
            anomalies=counts,
        )
        return transactions.run(measure)


def compliance_now(
    settings: Settings,
    *,
    first_day: date | None,
    last_day: date | None,
    month: date | None,
    month_count: int,
) -> ComplianceReport:
    """Count how operators obey, by the clock that the registry lives by.

    Args:
        settings: The settings.
        first_day: The first day; None for 30 days up to the last one.
        last_day: The last day; None for today.
        month: Any day of a month; None for the days given.
        month_count: How many months are scored, that of the last day counted.

    Raises:
        RequestInvalidError: As for `Days.chosen`.
        StateError: As for `open_current_database`.
        PolicyPackError: The policy cannot be used.
    """
    with _registry_now(settings) as (transactions, at, rules):
        call = Call(caller=Caller(Role.REGULATOR, COMMAND_LINE), at=at, rules=rules)
        days = (
            Days.chosen(first_day, last_day, today=day_of(at))
            if month is None
            else Days.of_month(month.year, month.month)
        )
        return ComplianceReport(
            kpis=transactions.run(partial(get_kpis, call=call, days=days)),
            months=tuple(
                transactions.run(partial(get_monthly_scores, call=call, month=each))
                for each in months_until(days.last, count=month_count)
            ),
        )


def renew_cohort(settings: Settings, *, size: int) -> DrawnCohort:
    """Draw a new cohort for the network in force, beside the one that is in use.

    A policy's demands wait until faces are judged: meeting them takes a cohort first.

    Raises:
        StateError: Too few citizens are enrolled, the network or the operating point cannot be
            used, or as for `open_current_database`.
    """
    setup = load_face_setup(settings)
    with open_current_database(settings) as database:
        return Transactions(database).run(
            partial(draw_cohort, setup=setup, size=size, at=datetime.now(UTC))
        )


def import_cohort(settings: Settings, content: bytes) -> DrawnCohort:
    """Store a cohort that was made elsewhere, such as by `biometrics calibrate`.

    Raises:
        StateError: It is no cohort, or one of another network, or as for `open_current_database`.
    """
    setup = load_face_setup(settings)
    cohort = read_cohort(setup, content)
    with open_current_database(settings) as database:
        return Transactions(database).run(
            partial(keep_cohort, cohort=cohort, setup=setup, at=datetime.now(UTC))
        )


def reenrol(
    settings: Settings, *, slice_size: int, announce: Callable[[int], None]
) -> Iterator[Slice]:
    """Enrol every citizen anew whom another network than the one in force enrolled.

    Args:
        settings: The settings.
        slice_size: Citizens of one transaction.
        announce: Told how many there are before the first is done.

    Raises:
        StateError: The network or the operating point cannot be used, or as for
            `open_current_database`.
    """
    setup = load_face_setup(settings)
    with (
        open_current_database(settings) as database,
        ThreadPoolExecutor(settings.face_workers) as threads,
    ):
        transactions = Transactions(database)
        engine = setup.make_engine()
        engine.warm_up()
        announce(count_outdated(transactions, model_digest=setup.model_digest))
        after = b""
        while done := reenrol_slice(
            transactions,
            templates_in(threads, engine),
            model_digest=setup.model_digest,
            after=after,
            at=datetime.now(UTC),
            size=slice_size,
        ):
            after = done.last_key
            yield done


def link_all(settings: Settings, *, workers: int, progress: LinkProgress) -> LinkTotals:
    """Compare every claim with the records; beside a server or without one.

    Args:
        settings: The settings.
        workers: Slices at a time.
        progress: Told of each slice that is done.

    Raises:
        StateError: As for `open_current_database`.
    """
    with open_current_database(settings) as database:
        at = make_clock(settings, database).now()
        call = Call(
            caller=Caller(Role.REGULATOR, COMMAND_LINE),
            at=at,
            rules=load_policies(settings).at(at),
        )
        return link_registry(Transactions(database), call, workers=workers, progress=progress)
