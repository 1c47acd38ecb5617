"""`pool-recon doctor`: every check is seen to hold and to fail, with a remedy where it fails."""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pool_recon import __version__, doctor, machine
from pool_recon.doctor import Check, SetUp
from pool_recon.loader.landing import create_tables
from pool_recon.progress import Progress
from pool_recon.register import COLUMNS
from pool_recon.spark import readiness
from tests.unit.cli_support import run, write_exports

REMEDIED = {"note", "mend"}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("POOL_RECON_"):
            monkeypatch.delenv(name)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without dbt, which takes seconds and has tests of its own."""
    monkeypatch.setattr(doctor, "_dbt_project", lambda _: iter(()))


@pytest.fixture
def set_up(tmp_path: Path) -> SetUp:
    exports = write_exports(tmp_path / "exports")
    return SetUp(exports, tmp_path / "out", tmp_path / "out" / "w.duckdb", None, None)


def with_(set_up: SetUp, **changed: object) -> SetUp:
    return SetUp(**{**vars(set_up), **changed})  # type: ignore[arg-type]


def the_check(found: Callable[[SetUp], object], set_up: SetUp) -> Check:
    (check,) = list(found(set_up))  # type: ignore[call-overload]
    assert isinstance(check, Check)
    if check.state in REMEDIED:
        assert check.remedy
    return check


@pytest.mark.usefixtures("quick")
def test_text_and_quiet(set_up: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("doctor", "--out", set_up.out)
    assert run(*arguments, "--exports", set_up.exports) == 0
    text = capsys.readouterr().out
    assert "All is well. Next: pool-recon close" in text
    given = f"--exports {set_up.exports} --out {set_up.out} --close-date YYYY-MM-DD\n"
    assert text.endswith(f"Next: pool-recon close {given}")
    assert run("doctor") == 0
    text = capsys.readouterr().out
    assert text.endswith("Next: pool-recon close --exports DIR --close-date YYYY-MM-DD\n")
    assert run(*arguments, "--quiet") == 0
    assert capsys.readouterr().out == ""
    assert run(*arguments, "--quiet", "--time-zone", "Mars/Olympus") == 1
    quiet = capsys.readouterr().out
    assert quiet.splitlines()[0].split(maxsplit=3)[:3] == ["mend", "time", "zone"]
    assert "-> give an IANA name" in quiet
    assert run(*arguments, "--time-zone", "Mars/Olympus") == 1
    assert "1 thing to mend" in capsys.readouterr().out
    assert run("doctor", "--exports", "no/such/folder") == 2


def test_a_check_that_breaks_hides_no_other(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: SetUp) -> None:
        raise ModuleNotFoundError("No module named 'duckdb'")

    monkeypatch.setattr(doctor, "_dbt_project", broken)
    checks = doctor.examine(set_up, doctor.Progress())
    (found,) = (check for check in checks if check.state == "mend")
    assert "No module named 'duckdb'" in found.finding
    assert found.remedy
    assert checks[-1].subject == "notification"


def test_dependencies(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    changed: dict[str, str] = {}

    def version(name: str) -> str:
        if changed.get(name) == "absent":
            raise importlib.metadata.PackageNotFoundError(name)
        return changed.get(name) or real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    changed["click"] = "7.0"
    check = the_check(doctor._dependencies, set_up)
    assert (check.state, "click 7.0" in check.finding) == ("mend", True)
    assert check.remedy == "pip install 'click<9,>=8.1'"
    changed["click"] = "absent"
    check = the_check(doctor._dependencies, set_up)
    assert (check.state, check.finding) == ("mend", "click is not installed")
    changed["click"] = "8.1.999"
    check = the_check(doctor._dependencies, set_up)
    assert check.state == "note"
    assert "click 8.1.999 (locked: " in check.finding


def test_the_requirements_of_an_installed_package(
    set_up: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_checkout", lambda: tmp_path)
    wanted = ["click>=8.1,<9", "no-such-thing>=1; extra == 'dev'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: wanted)
    check = the_check(doctor._dependencies, set_up)
    assert (check.state, check.finding) == ("ok", "1 at allowed versions")


class TestSpark:
    @pytest.fixture(autouse=True)
    def _chosen(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("POOL_RECON_TARGET", "spark")
        self.java(monkeypatch, tmp_path, 'openjdk version "21.0.2" 2024-01-16')

    @staticmethod
    def java(monkeypatch: pytest.MonkeyPatch, folder: Path, said: str, code: int = 0) -> None:
        program = folder / "jre" / "bin" / "java"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit {code}\n")
        program.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(folder / "jre"))

    def test_it_is_ready(self, set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "total_memory", lambda: 16 << 30)
        check = the_check(doctor._target, set_up)
        assert check.state == "ok"
        assert check.finding.endswith("on local[*], 4096m of memory for each of its processes")

    @pytest.mark.parametrize("said", ['java version "1.8.0_402"', 'openjdk version "11.0.2"'])
    def test_an_old_java(
        self, said: str, set_up: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.java(monkeypatch, tmp_path, said)
        check = the_check(doctor._target, set_up)
        assert (check.state, check.finding.split()[-1]) == ("mend", "8" if "1.8" in said else "11")
        assert "Java 17 or newer" in check.remedy

    def test_a_java_that_does_not_run(
        self, set_up: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.java(monkeypatch, tmp_path, "no", 3)
        assert "exit code 3" in the_check(doctor._target, set_up).finding

    def test_no_java(self, set_up: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        assert f"not found in JAVA_HOME, {tmp_path}" in the_check(doctor._target, set_up).finding
        monkeypatch.delenv("JAVA_HOME")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "not found on the PATH" in the_check(doctor._target, set_up).finding

    def test_a_missing_package(self, set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readiness, "_PACKAGES", ("a-package-that-is-not-there",))
        check = the_check(doctor._target, set_up)
        assert check.state == "mend"
        assert "pool-recon[spark]" in check.remedy

    @pytest.mark.parametrize(
        ("stated", "finding"),
        [("17g", "this machine has 16.0 GB"), ("much", "is 'much'"), ("0.5g", "is '0.5g'")],
    )
    def test_memory_that_is_not_there(
        self, stated: str, finding: str, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "total_memory", lambda: 16 << 30)
        monkeypatch.setenv("POOL_RECON_SPARK_MEMORY", stated)
        check = the_check(doctor._target, set_up)
        assert check.state == "mend"
        assert finding in check.finding

    def test_a_master(self, set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
        """One of two that answers will do; nothing is asked of it."""
        with socket.socket() as master, socket.socket() as silent:
            for each in (master, silent):
                each.bind(("127.0.0.1", 0))
            master.listen()
            answers, refuses = (f"127.0.0.1:{each.getsockname()[1]}" for each in (master, silent))
            monkeypatch.setenv("POOL_RECON_SPARK_MASTER", f"spark://{refuses},{answers}")
            assert the_check(doctor._target, set_up).state == "ok"
            monkeypatch.setenv("POOL_RECON_SPARK_MASTER", f"spark://{refuses}")
            check = the_check(doctor._target, set_up)
        assert (check.state, refuses in check.finding) == ("mend", True)
        assert "POOL_RECON_SPARK_MASTER" in check.remedy


@pytest.mark.usefixtures("quick")
def test_a_postgres_that_is_not_there(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the option, for which the environment does not say it."""
    monkeypatch.setenv("PGHOST", "/nowhere")
    assert run("doctor", "--target", "postgres", "--out", set_up.out, "--quiet") == 1
    said = capsys.readouterr().out
    assert "PostgreSQL cannot be reached as pool_recon in pool_recon on /nowhere: " in said
    assert "-> set PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD as for psql" in said


class TestExports:
    def checks(self, set_up: SetUp) -> dict[str, Check]:
        checks = list(doctor._exports(set_up))
        assert all(check.remedy for check in checks if check.state in REMEDIED)
        return {check.subject: check for check in checks}

    def test_each_is_found_or_absent(self, set_up: SetUp) -> None:
        assert set_up.exports
        (set_up.exports / "trades.csv").unlink()
        (set_up.exports / "Orders.xlsx").write_text("x")
        (set_up.exports / "_notes.txt").write_text("x")
        (set_up.exports / "pools").mkdir()
        (set_up.exports / "pools" / "a.zip").write_text("x")
        checks = self.checks(set_up)
        assert checks["export orders"].state == "note"
        assert "without user_reference" in checks["export orders"].finding
        assert checks["export trades"] == Check(
            "export trades", "mend", "absent, and needed", "add trades.csv or a folder trades"
        )
        assert (checks["export pools"].state, checks["export pools"].finding) == (
            "note",
            "absent, and optional",
        )
        unread = [c for c in doctor._exports(set_up) if c.subject == "exports"]
        assert [(c.state, c.finding) for c in unread] == [
            ("note", "Orders.xlsx is not read"),
            ("note", "pools/a.zip is not read"),
        ]
        assert "name it after one: orders, " in unread[0].remedy
        assert "give it as csv, csv.gz, " in unread[1].remedy

    def test_every_broken_file_is_named(self, set_up: SetUp) -> None:
        assert set_up.exports
        (set_up.exports / "trades.csv").write_text("transact_id,status\n")
        (set_up.exports / "ledger.csv").write_bytes(b"\xff\xfe,broken\n")
        (set_up.exports / "events").mkdir()
        (set_up.exports / "events" / "1.json").write_text("[{]")
        checks = self.checks(set_up)
        for name, problem in (
            ("trades", "expected quote_id"),
            ("ledger", "UTF-8"),
            ("events", "events/1.json"),
        ):
            assert checks[f"export {name}"].state == "mend"
            assert problem in checks[f"export {name}"].finding
        assert checks["export quotes"].state != "mend"

    def test_none_given(self, set_up: SetUp) -> None:
        assert self.checks(with_(set_up, exports=None))["exports"].state == "note"


class TestWarehouse:
    def test_one_of_a_newer_release(self, set_up: SetUp) -> None:
        set_up.out.mkdir()
        with duckdb.connect(str(set_up.warehouse)) as connection:
            connection.execute("create schema raw")
            connection.execute("create table raw.loads (load_id integer, tool_version varchar)")
            connection.execute("insert into raw.loads values (2, '99.0'), (1, '0.0.1')")
        check = the_check(doctor._warehouse, set_up)
        assert check.state == "mend"
        assert f"pool-recon 99.0, and this is {__version__}" in check.finding
        with duckdb.connect(str(set_up.warehouse)) as connection:
            connection.execute("drop table raw.loads")
            create_tables(connection)
            connection.execute("insert into raw.loads values (3, null, 'unheard of')")
        check = the_check(doctor._warehouse, set_up)
        assert check.state == "ok"
        assert "no close in it yet" in check.finding

    def test_one_of_another_program(self, set_up: SetUp) -> None:
        set_up.out.mkdir()
        with duckdb.connect(str(set_up.warehouse)) as connection:
            connection.execute("create schema raw")
            connection.execute("create table raw.loads (day date)")
        check = the_check(doctor._warehouse, set_up)
        assert (check.state, "no warehouse of this version" in check.finding) == ("mend", True)

    def test_one_that_is_none(self, set_up: SetUp) -> None:
        set_up.out.mkdir()
        set_up.warehouse.write_text("not a database " * 1000)
        check = the_check(doctor._warehouse, set_up)
        assert (check.state, "no DuckDB file" in check.finding) == ("mend", True)

    def test_a_log_without_one(self, set_up: SetUp) -> None:
        set_up.out.mkdir()
        log = set_up.warehouse.with_name(f"{set_up.warehouse.name}.wal")
        log.write_bytes(b"changes")
        check = the_check(doctor._warehouse, set_up)
        assert (check.state, check.finding.startswith(f"{log} is the log of")) == ("mend", True)

    def test_one_that_is_a_table(self, set_up: SetUp) -> None:
        """DuckDB would take it for a database in memory with a view of that table."""
        set_up.out.mkdir()
        table = set_up.warehouse.with_suffix(".csv")
        table.write_text("code,subject_type\n")
        check = the_check(doctor._warehouse, with_(set_up, warehouse=table))
        assert check.state == "mend"
        said = f"{table} is no DuckDB file: name another --warehouse, or move it away"
        assert check.finding == said
        # What counts is what is in a file.
        duckdb.connect(str(table.with_name("w.json"))).close()
        check = the_check(doctor._warehouse, with_(set_up, warehouse=table.with_name("w.json")))
        assert (check.state, "no close in it yet" in check.finding) == ("ok", True)

    def test_one_that_another_program_has_open(self, set_up: SetUp) -> None:
        set_up.out.mkdir()
        code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
        with subprocess.Popen(
            [sys.executable, "-c", code, str(set_up.warehouse)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other:
            assert other.stdout
            assert other.stdout.readline() == "1\n"
            check = the_check(doctor._warehouse, set_up)
            other.communicate("\n")
        assert (check.state, "in use by another program" in check.finding) == ("mend", True)

    def test_one_that_is_being_closed(self, set_up: SetUp) -> None:
        work = set_up.out / f".{set_up.warehouse.name}.work"
        work.mkdir(parents=True)
        descriptor = os.open(work, os.O_RDONLY)
        try:
            assert the_check(doctor._warehouse, set_up).state == "ok"
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            check = the_check(doctor._warehouse, set_up)
        finally:
            os.close(descriptor)
        assert (check.state, check.remedy) == ("mend", "wait until it ends")


def test_a_folder_that_cannot_be_written(set_up: SetUp, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = the_check(doctor._out, with_(set_up, out=tmp_path / "file" / "out"))
    assert (check.state, "cannot write in" in check.finding) == ("mend", True)
    assert the_check(doctor._out, set_up).state == "ok"


@pytest.mark.usefixtures("quick")
def test_a_full_disk(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    assert the_check(doctor._disk, set_up).state == "ok"
    usage = shutil.disk_usage(set_up.out.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    check = the_check(doctor._disk, set_up)
    assert (check.state, check.finding.startswith("1 MB free in ")) == ("mend", True)
    file = set_up.out.parent / "spill"
    file.touch()
    monkeypatch.setenv("POOL_RECON_TEMP_DIRECTORY", str(file))
    [check] = [check for check in doctor.examine(set_up, Progress()) if check.subject == "disk"]
    assert (check.state, check.finding.endswith("is no folder")) == ("mend", True)
    assert check.remedy.startswith("name a folder")


def test_memory(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    assert the_check(doctor._memory, set_up).state == "ok"
    monkeypatch.setattr(machine, "total_memory", lambda: 500_000_000)
    assert the_check(doctor._memory, set_up).state == "mend"
    monkeypatch.setenv("POOL_RECON_MEMORY_LIMIT", "a lot")
    check = the_check(doctor._memory, set_up)
    assert (check.state, "'a lot'" in check.finding) == ("mend", True)


def test_the_register(set_up: SetUp, tmp_path: Path) -> None:
    register = tmp_path / "register.csv"
    register.write_text("code,subject_type\n")
    check = the_check(doctor._register, with_(set_up, register=register))
    assert (check.state, "a column is missing" in check.finding) == ("mend", True)
    assert the_check(doctor._register, set_up).state == "ok"
    header = ",".join(COLUMNS)
    row = "missing_webhook,trade,t-1,,,,,,,,"
    register.write_text(f"{header}\n{row}\n{row.replace('t-1', 't-2')}\n")
    assert the_check(doctor._register, with_(set_up, register=register)).state == "ok"
    register.write_text(f"{header}\n{row}\n\n{row}\n")
    check = the_check(doctor._register, with_(set_up, register=register))
    assert check.state == "mend"
    second = "line 4 (exception register): a second row for missing_webhook of trade t-1, which"
    assert check.finding.startswith(f"{register}: {second} line 2 is about")


@pytest.mark.parametrize(
    ("variable", "value", "state"),
    [
        ("COMMAND", "true --token hush", "ok"),
        ("COMMAND", "/no/such/hook --token hush", "mend"),
        ("COMMAND", "'hush", "mend"),
        ("URL", "https://ada:hush@hooks.example.com/hush", "ok"),
        ("URL", "https://", "mend"),
    ],
)
def test_the_notification(
    variable: str, value: str, state: str, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert the_check(doctor._notification, set_up).state == "ok"
    monkeypatch.setenv(f"POOL_RECON_NOTIFY_{variable}", value)
    check = the_check(doctor._notification, set_up)
    assert check.state == state
    assert "hush" not in check.finding + check.remedy
