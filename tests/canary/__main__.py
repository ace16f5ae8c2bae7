"""`make canary`: play the whole simulation, then look for its people in all that the service left.

Owns the command line. Exit code 0: nothing of anybody was found, and the story ended well; 1
otherwise. With --state and --record it searches what an earlier simulation left.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.canary.canary import CanaryRun, run_canary
from tests.canary.sources import collecting


def main(arguments: Sequence[str]) -> int:
    """Play, search, and say what was found."""
    options, demo_options = _parser().parse_known_args(arguments)
    if options.state is not None:
        if options.record is None:
            _parser().error("--state needs --record")
        return _tell(run_canary(state=options.state, recording=options.record, also=options.also))
    with tempfile.TemporaryDirectory(prefix="subid-canary-") as folder:
        return _play_and_search(Path(folder), demo_options, also=options.also)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.canary",
        description=__doc__,
        epilog="Any other option goes to `telco-sim demo`.",
    )
    parser.add_argument("--state", type=Path, help="state directory of an earlier simulation")
    parser.add_argument("--record", type=Path, help="what that simulation wrote with --record")
    parser.add_argument(
        "--also", type=Path, action="append", default=[], help="another file or folder to search"
    )
    return parser


def _play_and_search(folder: Path, demo_options: Sequence[str], *, also: Sequence[Path]) -> int:
    state, record, report = folder / "state", folder / "record", folder / "report.json"
    places = ("--state", str(state), "--record", str(record), "--report", str(report))
    with collecting(folder / "left") as sources:
        played = subprocess.run(
            [sys.executable, "-m", "telco_sim.cli", "demo", *demo_options, *places],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=sources.environment,
            text=True,
            check=False,
        )
    print(played.stdout)
    if not record.is_dir():
        return 1
    sources.back_up(state)
    said = {"output of the simulation": played.stdout}
    also = [report, *also]
    found = run_canary(state=state, recording=record, also=also, said=said, sources=sources)
    return _tell(found) or played.returncode


def _tell(run: CanaryRun) -> int:
    scanned = run.scanned
    told = ", ".join(f"{count} of kind {kind}" for kind, count in run.secret_counts.items())
    print(f"The service was told: {told}.")
    print(
        f"Searched for {run.pattern_count:,} forms of it in {scanned.place_count:,} places,"
        f" {scanned.octet_count / 1e6:,.0f} MB, {scanned.stream_count:,} compressed streams;"
        f" {run.own_word_count:,} forms are words of the service's own."
    )
    for table, count in run.compressed_counts.items():
        print(f"PostgreSQL had compressed {count} values of {table}; they were read.")
    for (place, kind, encoding), count in sorted(scanned.summary().items()):
        print(f"FOUND {count} x {kind}, {encoding}: {place}")
    for place in scanned.unread:
        print(f"NOT READ: {place}")
    print("Nothing of anybody was found." if scanned.is_clean else "This is not clean.")
    return 0 if scanned.is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
