"""`identity import` as a process of its own: killed, interrupted, and given a large file."""

import json
import re
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from identity.domain.caller import Role
from identity.import_files.progress_file import path_for
from subid.v1 import subscription_service_pb2 as pb
from tests.e2e.import_sink import Sink, listening
from tests.e2e.server_process import ServerProcess
from tests.integration.people import People

LARGE_ROWS = 1_200_000
"""About 100 MB."""

MEMORY_MAX_MIB = 300
"""What the command may take for a file of any size. Measured 2026-11-22, one run each: 161 MiB for
120,000 rows (9 MB), 196 for 1,200,000 (93 MB), 205 for 3,600,000 (280 MB); all refused, 206 MiB for
1,200,000."""

KILLED_ROWS = 40_000
"""Eight batches: when the first is seen to be stored, most are not."""

BOOK = "msisdn,personal_id,full_name,birth_date,activated_on,point_of_sale,province_code\n"
# A shell that runs the tests in the background has them, and all that they start, ignore SIGINT.
PROGRAM = """
import atexit
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
def tell():
    with open('/proc/self/status') as status:
        print(next(line for line in status if line.startswith('VmHWM')))
atexit.register(tell)
from identity.cli import app
app()
"""


def write_book(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.write(BOOK)
        for number in range(count):
            file.write(
                f"09{number:08d},00109{number:07d},Nguyễn Văn Thành,19{number % 90 + 10}-02-28,"
                f"2020-01-31,POS-{number % 997},01\n"
            )
    return path


def start(file: Path, *, address: str, state: Path) -> subprocess.Popen[str]:
    options = ("--operator", "song-hong", "--address", address, "--state", str(state))
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "import", "subscriptions", str(file), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, errors = process.communicate(timeout=240)
    return process.returncode, out, errors


def peak_mib(out: str) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", out)
    assert found is not None, out
    return int(found[1]) // 1024


@pytest.mark.parametrize(("outcome", "rows"), [("taken", LARGE_ROWS), ("refused", LARGE_ROWS // 3)])
def test_a_large_file_takes_little_memory_whatever_becomes_of_its_rows(
    tmp_path: Path, outcome: str, rows: int
) -> None:
    file = write_book(tmp_path / "book.csv", rows)
    sink = Sink(is_refusing=outcome == "refused")
    with listening(sink, tmp_path) as address:
        code, out, errors = finish(start(file, address=address, state=tmp_path))
    assert code == (1 if outcome == "refused" else 0), errors
    assert sink.batch_sizes == [5_000] * (rows // 5_000)
    assert sink.last_marks == [False] * (rows // 5_000 - 1) + [True]
    assert peak_mib(out) < MEMORY_MAX_MIB
    rejects = tmp_path / "book.csv.rejects.csv"
    if outcome == "refused":
        with rejects.open(encoding="utf-8") as lines, file.open(encoding="utf-8") as originals:
            for number, (line, original) in enumerate(zip(lines, originals, strict=True)):
                assert number == 0 or line.replace('"', "") == (
                    f"{original.rstrip()},{number},msisdn,MSISDN_MALFORMED\n"
                )
    assert rejects.exists() == (outcome == "refused")


def test_an_interrupted_command_says_how_to_go_on(tmp_path: Path) -> None:
    file = write_book(tmp_path / "book.csv", 50_000)
    is_under_way, may_go_on = threading.Event(), threading.Event()

    def hold(batch_index: int) -> None:
        # The command is not answered before it has ended.
        if batch_index == 2:
            is_under_way.set()
            may_go_on.wait()

    with listening(Sink(on_batch=hold), tmp_path) as address:
        process = start(file, address=address, state=tmp_path)
        try:
            assert is_under_way.wait(60)
            process.send_signal(signal.SIGINT)
            code, _, errors = finish(process)
        finally:
            process.kill()  # does nothing to one that has ended
            may_go_on.set()
    assert code == 130
    assert errors == (
        "error: interrupted; what is stored stays: run the same command again, "
        "and it goes on from there\n"
    )
    assert path_for(file).exists()


def test_a_command_or_a_service_that_is_killed_costs_nothing_but_the_command_again(
    tmp_path: Path,
) -> None:
    people = People(seed=11, today=datetime.now(UTC).date())
    citizens = [people.citizen() for _ in range(20)]
    file = tmp_path / "book.csv"
    lines = [
        f"{people.msisdn()},{each.personal_id},{each.full_name},{each.birth_date.isoformat()}\n"
        for each in (citizens[number % 20] for number in range(KILLED_ROWS))
    ]
    file.write_text("msisdn,personal_id,full_name,birth_date\n" + "".join(lines))
    second = tmp_path / "second.csv"
    second.write_bytes(file.read_bytes())
    state = tmp_path / "state"
    with ServerProcess(state) as server:
        process = start(file, address=server.address, state=state)
        wait_for_a_batch(server, file)
        process.kill()
        code, _, _ = finish(process)
        assert code == -signal.SIGKILL
        process = start(second, address=server.address, state=state)
        wait_for_a_batch(server, second)
        server.kill()
        code, _, errors = finish(process)
    assert code == 3, errors
    assert "run the same command again" in errors
    assert len(errors.splitlines()) == 1
    with ServerProcess(state) as server:
        for each in (file, second):
            code, out, errors = finish(start(each, address=server.address, state=state))
            assert code == 0, errors
            assert re.search(rf"received +│ {KILLED_ROWS:,} │", out), out
            before = re.search(r"([0-9,]+) rows were stored by an earlier run", out)
            assert before is not None, out
            assert 0 < int(before[1].replace(",", "")) < KILLED_ROWS
        assert server.stop() == 0


def wait_for_a_batch(server: ServerProcess, file: Path) -> None:
    """Until the service has stored one."""
    operator = server.act_as(Role.OPERATOR, "song-hong").subscriptions
    while not path_for(file).exists():
        operator.ListSubscriptions(pb.ListSubscriptionsRequest(page_size=1))
    request = pb.GetSubscriptionImportRequest(
        import_id=json.loads(path_for(file).read_bytes())["import_id"]
    )
    while not operator.GetSubscriptionImport(request).next_batch_index:
        pass
