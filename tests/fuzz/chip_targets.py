"""What is fuzzed, and what must hold for any octets at all.

Owns the four targets (EF.SOD, DG1, DG2, DG13), their seeds and the promise: only coded errors, at
most 50 ms of processor time and 64 MB of memory for one input. Knows no fuzzer: both of them, and
the tests, call `Target.examine`.
"""

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from biometrics.chip.codes import CheckResult, ChipError
from biometrics.chip.dg1 import parse_dg1
from biometrics.chip.dg2 import parse_dg2
from biometrics.chip.dg13 import CitizenField, parse_dg13, read_fields
from biometrics.chip.report import ChipReport, ChipVerdict
from biometrics.chip.verify import ChipFiles, verify_chip
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.forging import profile_of

CORPUS = Path(__file__).parent / "corpus"
"""Inputs that reached new code in earlier runs. Made by fuzzers from synthetic cards only."""

TIME_S_MAX = 0.05
MEMORY_OCTETS_MAX = 64 * 1024 * 1024


class BrokenPromiseError(Exception):
    """An input was answered with something else than a code, or cost too much."""


def memory_octets() -> int:
    """The most that this process has held so far (`ru_maxrss` is in KiB on Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@dataclass
class Measurements:
    """What the inputs of one run cost.

    Attributes:
        n: Inputs examined.
        refused: Those answered with a code.
        time_s_worst: Most processor time for one input.
        memory_octets_worst: Most by which one input raised the peak of the process.
    """

    n: int = 0
    refused: int = 0
    time_s_worst: float = 0.0
    memory_octets_worst: int = 0

    def add(self, *, was_refused: bool, time_s: float, memory_octets: int) -> None:
        """Count one input, and complain of one that cost too much.

        Raises:
            BrokenPromiseError: it did.
        """
        self.n += 1
        self.refused += was_refused
        self.time_s_worst = max(self.time_s_worst, time_s)
        self.memory_octets_worst = max(self.memory_octets_worst, memory_octets)
        if time_s > TIME_S_MAX:
            raise BrokenPromiseError(f"{time_s * 1000:.0f} ms for one input")
        if memory_octets > MEMORY_OCTETS_MAX:
            raise BrokenPromiseError(f"{memory_octets >> 20} MB for one input")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One kind of file.

    Attributes:
        name: As on the command line and in the corpus.
        answer: Reads the octets; True when they are refused with a code.
        seeds: Files in order, from a synthetic card.
    """

    name: str
    answer: Callable[[bytes], bool]
    seeds: tuple[bytes, ...]

    def examine(self, octets: bytes, measurements: Measurements) -> None:
        """Read the octets and measure it.

        Raises:
            BrokenPromiseError: they cost too much. Any other exception is one without a code.
        """
        held = memory_octets()
        was_refused, time_s = self._time(octets)
        if time_s > TIME_S_MAX:
            # Once more: what is slow by the input stays slow, a disturbed clock does not.
            was_refused, time_s = self._time(octets)
        measurements.add(
            was_refused=was_refused, time_s=time_s, memory_octets=memory_octets() - held
        )

    def _time(self, octets: bytes) -> tuple[bool, float]:
        started = time.process_time()
        was_refused = self.answer(octets)
        return was_refused, time.process_time() - started

    def corpus(self) -> tuple[bytes, ...]:
        """The seeds, and what was kept of earlier runs."""
        kept = sorted((CORPUS / self.name).glob("*"))
        return (*self.seeds, *(path.read_bytes() for path in kept))


def _is_refused(parse: Callable[[bytes], object], octets: bytes) -> bool:
    try:
        parse(octets)
    except ChipError as error:
        return bool(error.evidence)
    return False


def _is_whole(report: ChipReport) -> bool:
    return all(
        check.code is not None
        for check in report.checks
        if check.result in (CheckResult.FAILED, CheckResult.UNDETERMINED)
    )


CARD = chip.make_card()
TRUST = profile_of(CARD, crls=[state.make_crl(CARD.authority, 7)])
_GENUINE = verify_chip(CARD.files, trust=TRUST, at=state.NOW, active=CARD.active)


def verify_sod(octets: bytes) -> bool:
    """Verify the good card with this EF.SOD, and tell whether it did not pass."""
    report = verify_chip(
        ChipFiles(sod=octets, data_groups=CARD.files.data_groups),
        trust=TRUST,
        at=state.NOW,
        active=CARD.active,
    )
    assert _is_whole(report)
    if report.verdict is ChipVerdict.AUTHENTIC:
        # What nobody signed may differ; who signed what may not.
        assert report.document_digest == _GENUINE.document_digest
        return False
    return True


def parse_dg13_wholly(octets: bytes) -> object:
    """Read DG13 as identification does, and every field besides."""
    read_fields(octets, wanted=frozenset(CitizenField))
    return parse_dg13(octets)


def _parsed(parse: Callable[[bytes], object]) -> Callable[[bytes], bool]:
    return lambda octets: _is_refused(parse, octets)


TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target(
            name="sod",
            answer=verify_sod,
            seeds=(
                CARD.files.sod,
                chip.SODDraft(
                    content=chip.security_object(CARD.data_groups),
                    signer=CARD.signer,
                    signer_version=3,
                    signer_identifier=asn1.der(0x80, bytes(20)),
                    unsigned_attributes=asn1.der(0xA1, chip.attribute("1.2.3", asn1.NULL)),
                ).encode(),
            ),
        ),
        Target(
            name="dg1",
            answer=_parsed(parse_dg1),
            seeds=(
                chip.make_dg1(),
                chip.dg1_around(chip.passport_zone(optional="ABC123")),
            ),
        ),
        Target(
            name="dg2",
            answer=_parsed(parse_dg2),
            seeds=(
                chip.make_dg2(chip.picture("JPEG", 24, 32)),
                chip.make_dg2(chip.picture("JPEG2000", 24, 32)),
                chip.make_dg2_39794(chip.picture("JPEG2000", 24, 32)),
            ),
        ),
        Target(name="dg13", answer=_parsed(parse_dg13_wholly), seeds=(CARD.data_groups[13],)),
    )
}
