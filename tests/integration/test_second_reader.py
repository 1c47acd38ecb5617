"""The process of the second reading: what it answers, and that it never outlives its use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pool_recon import other_process
from pool_recon.errors import CloseError
from pool_recon.expectations import validate
from pool_recon.expectations.ahead import second_reader
from pool_recon.warehouse import memory_limit

ROOT = Path(__file__).resolve().parents[2]
STARTER = """
import subprocess, sys, time
from pool_recon.drawing import drawn_beside
from pool_recon.expectations.ahead import second_reader

class Told(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print(self.pid, flush=True)

subprocess.Popen = Told
with globals()[sys.argv[1]]():
    time.sleep(60)
"""


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started."""
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(other_process.subprocess, "Popen", Noted)
    return started


def is_there(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    # Where nobody waits for it, it stays in the table of the system as what has ended.
    return (
        "Z"
        not in subprocess.run(
            ["ps", "-o", "stat=", "-p", str(process_id)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    )


def test_an_error_is_that_of_the_same_call_here(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    warehouse = tmp_path / "none.duckdb"
    with second_reader() as read:
        # It opens nothing before it is asked.
        duckdb.connect(str(warehouse)).close()
        with pytest.raises(CloseError) as here:
            validate(warehouse, tmp_path, {})
        with pytest.raises(CloseError) as there:
            read(warehouse, tmp_path, {})
    assert str(there.value) == str(here.value)
    assert not is_there(processes[0].pid)


def test_one_that_is_killed_says_so_in_one_line(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    with second_reader() as read:
        processes[0].send_signal(signal.SIGKILL)
        with pytest.raises(CloseError, match="ended without a result, with exit status -9"):
            read(tmp_path / "w.duckdb", tmp_path, {})


@pytest.mark.parametrize("error", [CloseError("the build failed"), KeyboardInterrupt()])
def test_it_is_gone_where_nobody_asks(
    error: BaseException, processes: list[subprocess.Popen[bytes]]
) -> None:
    def build() -> None:
        with second_reader():
            assert is_there(processes[0].pid)
            raise error

    with pytest.raises(type(error)):
        build()
    assert not is_there(processes[0].pid)


@pytest.mark.parametrize("beside", ["second_reader", "drawn_beside"])
def test_it_ends_with_a_close_that_is_killed(beside: str) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, beside], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    process_id = int(starter.stdout.readline())
    assert is_there(process_id)
    starter.kill()
    starter.communicate()
    until = time.monotonic() + 30
    while is_there(process_id) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_there(process_id)


def test_what_reads_beside_another_takes_half_of_the_memory(
    monkeypatch: pytest.MonkeyPatch, processes: list[subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setenv("POOL_RECON_MEMORY_LIMIT", "3.5 GB")
    with second_reader():
        environment = b""
        until = time.monotonic() + 30
        # It is empty until the new program has begun.
        while not environment and time.monotonic() < until:
            environment = Path(f"/proc/{processes[0].pid}/environ").read_bytes()
    assert b"\0POOL_RECON_MEMORY_LIMIT=1.750000GB\0" in b"\0" + environment


@pytest.mark.parametrize(
    ("stated", "half", "mib"),
    [
        ("80%", "40.000000%", None),
        ("1GB", "0.500000GB", "476.8 MiB"),
        ("8000000B", "4000000.000000B", "3.8 MiB"),
    ],
)
def test_half_of_the_memory_is_something_that_duckdb_understands(
    stated: str, half: str, mib: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOL_RECON_MEMORY_LIMIT", stated)
    assert memory_limit(processes=2) == half
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{half}'")
        limit = connection.execute("select current_setting('memory_limit')").fetchall()[0][0]
    assert mib in {None, limit}


def test_a_limit_in_other_words_is_left_to_duckdb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOL_RECON_MEMORY_LIMIT", "-1")
    assert memory_limit(processes=2) == "-1"
