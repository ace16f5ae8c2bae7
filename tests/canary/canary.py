"""The canary run: what the service was told of people, looked for wherever it left anything.

Owns which places are searched and which words are the service's own. How a search goes is
`scanner.py`'s.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from telco_sim.recording import REFUSED_FILE, PersonalKind, Told, read_told
from tests.canary.patterns import Pattern, patterns_of
from tests.canary.scanner import Scanned, Scanner
from tests.canary.sources import Sources
from tests.canary.tables import tables_in

_ROOT = Path(__file__).parents[2]
_OWN_SOURCES = ("identity", "biometrics", "telco_sim", "protos/subid", "docs/concepts")
_SOURCE_SUFFIXES = frozenset({".py", ".toml", ".proto", ".md", ".j2"})

_WORDS = frozenset({PersonalKind.NAME, PersonalKind.CARD_DETAILS})
"""Only words can be the service's own; nobody's number stands in its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRun:
    """What came of it.

    Attributes:
        secret_counts: How many different things the service was told, by kind.
        pattern_count: Forms of these that were searched for.
        own_word_count: Forms left out because the service's own source holds them: provinces, say.
        compressed_counts: Values that PostgreSQL had compressed, by table; they were read.
        scanned: What was read and found.
    """

    secret_counts: Mapping[str, int]
    pattern_count: int
    own_word_count: int
    scanned: Scanned
    compressed_counts: Mapping[str, int] = field(default_factory=dict)


def run_canary(
    *,
    state: Path,
    recording: Path,
    also: Iterable[Path] = (),
    said: Mapping[str, str] = MappingProxyType({}),
    sources: Sources | None = None,
) -> CanaryRun:
    """Search everything that a service left behind.

    Args:
        state: Its state directory, with the embedded database's; nobody serves from it.
        recording: Folder that `telco-sim demo --record` wrote.
        also: More files and folders, such as a report.
        said: Texts that it said elsewhere, by what they are.
        sources: Its metrics, traces and backups; one of which there is nothing counts as unread.
    """
    told = read_told(recording)
    scanner, own_word_count = scanner_for(told)
    scanned = scanner.scan_files(state)
    for path in (recording / REFUSED_FILE, *also):
        scanned += scanner.scan_files(path)
    for name, text in said.items():
        scanned += scanner.scan(text.encode(), place=name)
    if sources is not None:
        for folder in (sources.metrics, sources.traces, sources.backups):
            scanned += scanner.scan_files(folder)
        scanned += Scanned(unread=tuple(f"{name}: there is none" for name in sources.missing()))
    compressed: dict[str, int] = {}
    # Last: a server that starts writes to its files.
    for table in tables_in(state / "postgres"):
        scanned += scanner.scan(table.content, place=f"table {table.name}")
        if table.compressed_count:
            compressed[table.name] = table.compressed_count
    return CanaryRun(
        secret_counts=_counts(told),
        pattern_count=scanner.pattern_count,
        own_word_count=own_word_count,
        scanned=scanned,
        compressed_counts=compressed,
    )


def scanner_for(told: Iterable[Told]) -> tuple[Scanner, int]:
    """A scanner without the service's own words, and how many forms those were."""
    patterns = patterns_of(told)
    own = _own_words([each for each in patterns if each.kind in _WORDS])
    kept = [each for each in patterns if each.octets not in own]
    return Scanner(kept), len(patterns) - len(kept)


def _own_words(patterns: Sequence[Pattern]) -> frozenset[bytes]:
    """What stands in the service's source tells of nobody, whoever is called so by chance."""
    if not patterns:
        return frozenset()
    sources = (
        path.read_bytes()
        for folder in _OWN_SOURCES
        for path in sorted((_ROOT / folder).rglob("*"))
        if path.suffix in _SOURCE_SUFFIXES
    )
    return Scanner(patterns).words_in(sources)


def _counts(told: Iterable[Told]) -> dict[str, int]:
    counts = dict.fromkeys((each.value for each in PersonalKind), 0)
    for each in told:
        counts[each.kind.value] += 1
    return counts
