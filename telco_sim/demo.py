"""One performance of the story.

Owns the stage: a service started for it, or one that runs already; and the report at the end. It
refuses to know options and screens.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc

from telco_sim.assertions import ISSUER, KEY_SET_FILE, AssertionIssuer
from telco_sim.cards import CardAuthority
from telco_sim.country import (
    AGENCY,
    CALLERS,
    build_world,
    found_card_authority,
    found_companions,
    open_callers,
)
from telco_sim.journal import Invariant
from telco_sim.measurements import Measurements
from telco_sim.photographs import PhotographLibrary
from telco_sim.recording import Recording
from telco_sim.report import Report, report_of
from telco_sim.scenarios import play
from telco_sim.server import (
    Service,
    ServiceStartError,
    enrol_callers,
    enrol_issuer,
    running_service,
)
from telco_sim.wire import CallerKeys, Wiretap, open_channel
from telco_sim.world import Plan

CONNECT_TIMEOUT_S = 300.0
"""Time for a person to start a service that reads the trust anchors just written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the story is played.

    Attributes:
        address: Host and port of the service.
        callers: Folder with the callers' certificates.
        authority: Issues the ID cards that the service trusts.
        service: The service when it was started for the story, or None.
        start_duration_s: What it took to set the stage.
    """

    address: str
    callers: Path
    authority: CardAuthority
    service: Service | None
    start_duration_s: float


@contextmanager
def own_stage(state: Path) -> Iterator[Stage]:
    """Start a service for the story, and stop it at the end.

    Args:
        state: Empty or absent folder for all it keeps.

    Raises:
        ServiceStartError: The service did not come up.
    """
    started_s = time.monotonic()
    callers, trust_anchors = state / "callers", state / "trust-anchors"
    callers.mkdir(parents=True)
    authority = _found_authorities(trust_anchors)
    enrol_callers(CALLERS, state=state, folder=callers)
    AssertionIssuer.of_folder(callers)
    enrol_issuer(ISSUER, keys=callers / KEY_SET_FILE, state=state)
    with running_service(state=state, trust_anchors=trust_anchors) as service:
        yield Stage(
            address=service.address,
            callers=callers,
            authority=authority,
            service=service,
            start_duration_s=time.monotonic() - started_s,
        )


def running_stage(address: str, *, callers: Path, trust_anchors: Path) -> Stage:
    """Take a service that runs, or is about to be started, with a simulated clock.

    Args:
        address: Host and port.
        callers: Folder with the certificates of `country.CALLERS`.
        trust_anchors: The folder from which the service takes its trust anchors. The story's
            card authority is put there first; then the service is waited for.

    Raises:
        ServiceStartError: Nobody listens at the address in time.
        FileNotFoundError: A caller's certificate is missing.
    """
    authority = _found_authorities(trust_anchors)
    keys = CallerKeys.read(callers, name=AGENCY)
    with open_channel(address, keys=keys) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=CONNECT_TIMEOUT_S)
        except grpc.FutureTimeoutError as error:
            raise ServiceStartError(f"nobody answers our certificate at {address}") from error
    return Stage(
        address=address, callers=callers, authority=authority, service=None, start_duration_s=0
    )


def _found_authorities(trust_anchors: Path) -> CardAuthority:
    now = datetime.now(UTC)
    authority = found_card_authority(now=now, trust_anchors=trust_anchors)
    found_companions(authority, now=now, trust_anchors=trust_anchors)
    return authority


def perform(
    plan: Plan,
    *,
    stage: Stage,
    library: PhotographLibrary,
    begin: Callable[[str], None] = lambda _: None,
    recording: Recording | None = None,
) -> Report:
    """Play the story on a stage and report.

    Args:
        plan: How large and how long.
        stage: Where; a service that was started for the story is stopped.
        library: Whose faces the citizens borrow.
        begin: Told the title of each chapter that begins.
        recording: Keeps what the service is told about people, and what it refuses with.

    Raises:
        Refusal: The service did not even say what time it is.
    """
    started_s = time.monotonic()
    wiretap = Wiretap(Measurements(), recording=recording)
    with open_callers(stage.address, folder=stage.callers, wiretap=wiretap) as callers:
        world = build_world(
            plan, callers=callers, library=library, authority=stage.authority, wiretap=wiretap
        )
        cheats = play(world, begin=begin)
    invariants = set(Invariant)
    if stage.service is None:
        invariants.remove(Invariant.STOPS_CLEANLY)
    else:
        world.journal.check_equal(
            Invariant.STOPS_CLEANLY, seen=stage.service.stop(), expected=0, subject="exit code"
        )
    return report_of(
        world,
        cheats,
        start_duration_s=stage.start_duration_s,
        duration_s=time.monotonic() - started_s,
        invariants=[each for each in Invariant if each in invariants],
    )
