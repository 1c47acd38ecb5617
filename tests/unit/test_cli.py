"""What a person meets on the command line: help, exit codes, one line for every error."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pool_recon import __version__
from pool_recon import close as close_module
from pool_recon.close import judge
from pool_recon.dbt_runner import BuildSettings, NodeResult, _cannot_build, one_line
from pool_recon.errors import CloseError
from tests.unit.cli_support import (
    FakeBuild,
    close,
    content,
    model,
    rule_names,
    rule_test,
    run,
    the_line,
    write_exports,
)
from tests.unit.cli_support import build as build
from tests.unit.cli_support import exports as exports

# The package, the warehouse, and a folder for what only saves time.
WRITTEN = [".pool_recon", "2026-06-30", "pool_recon.duckdb"]


def test_help_is_quick_and_loads_no_engine() -> None:
    code = (
        "import sys; from pool_recon.cli import _run; code = _run(['--help']);"
        "heavy = {'dbt', 'duckdb', 'pandas', 'great_expectations'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy or code else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "close" in done.stdout
    assert "simulate" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["--help"], ["close", "-h"], ["load", "--help"]])
def test_help_exits_0(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 0
    assert "Usage: pool-recon" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "date",
    [
        *("", "2026-6-30", "20260630", "2026-02-30", "2026-W27-2", "30.06.2026"),
        *("2026-06-30T00:00", "9999-12-31"),
    ],
)
def test_a_bad_close_date_is_one_line(
    date: str, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert close(exports, tmp_path / "out", date=date) == 2
    assert "--close-date" in the_line(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("date", ["0001-01-01", "0001-12-31", "9999-01-01", "9999-12-31"])
def test_a_close_date_at_an_end_of_the_calendar_says_which_there_are(
    date: str, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert close(exports, tmp_path / "out", date=date) == 2
    said = the_line(capsys)
    assert f"--close-date {date} " in said
    assert "from 0002-01-01 to 9998-12-31" in said
    assert "YYYY" not in said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["close"], "--exports"),
        (["close", "--exports", "."], "--close-date"),
        (["close", "--exports", "no/such/folder", "--close-date", "2026-06-30"], "no/such/folder"),
        (["clsoe"], "clsoe"),
        (["close", "--nonsense"], "--nonsense"),
        (["load", "--exports", "no/such/folder"], "no/such/folder"),
        (["simulate", "--orders", "0", "--out", "x"], "--orders"),
        (["simulate", "--orders", "3", "--out", "x", "--start", "tomorrow"], "--start"),
    ],
)
def test_bad_arguments_are_one_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    line = the_line(capsys)
    assert line.startswith("pool-recon: ")
    assert expected in line


def test_a_close_in_which_every_rule_holds_exits_0(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert close(exports, out) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "every rule holds" in captured.out
    assert "11 of 11" in captured.out
    assert str(out / "2026-06-30") in captured.out
    assert (out / "2026-06-30" / "manifest.json").is_file()
    assert (out / "pool_recon.duckdb").is_file()
    assert sorted(path.name for path in out.iterdir()) == WRITTEN


def test_a_failing_rule_exits_1_with_everything_written(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build.failing_rules = {"no_secrets"}
    assert close(exports, tmp_path / "out") == 1
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "BLOCKED" in captured.out
    assert "10 of 11" in captured.out
    assert "\n  no_secrets  1\n" in captured.out
    assert "  10.00 EUR  2 days  missing_trade of order o1\n" in captured.out
    assert "finance: Ask for it.\n" in captured.out
    assert (tmp_path / "out" / "2026-06-30" / "exceptions.csv").is_file()


def test_any_other_failing_test_blocks_the_close_and_is_named(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build.extra_tests = [
        type(rule_test("x"))("unique_trades", "test", frozenset(), "fail", "Got 1 result", 1)
    ]
    assert close(exports, tmp_path / "out") == 1
    assert "unique_trades" in capsys.readouterr().out


def test_a_checklist_that_says_something_else_blocks_the_close(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build.failing_in_checklist = {"nothing_lost"}
    assert close(exports, tmp_path / "out") == 1
    said = "Rules of which the test and checklist.csv say different things\n  nothing_lost\n"
    assert said in capsys.readouterr().out


def test_closing_again_gives_the_same_bytes(
    build: FakeBuild, exports: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert close(exports, out) == 0
    first = content(out / "2026-06-30")
    assert close(exports, out) == 0
    assert close(exports, tmp_path / "elsewhere") == 0
    assert content(out / "2026-06-30") == first
    assert content(tmp_path / "elsewhere" / "2026-06-30") == first


def test_unreadable_exports_change_nothing(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert close(exports, out) == 0
    before = content(out)
    capsys.readouterr()
    write_exports(exports, orders=5)
    (exports / "ledger.csv").write_bytes(b"\xff\xfe,broken\n")
    assert close(exports, out) == 2
    assert "ledger" in the_line(capsys)
    assert content(out) == before
    assert sorted(path.name for path in out.iterdir()) == WRITTEN


def test_a_first_close_that_cannot_run_leaves_nothing_behind(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (exports / "trades.csv").unlink()
    assert close(exports, tmp_path / "deep" / "out") == 2
    assert "trades" in the_line(capsys)
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("error", [CloseError("the model x cannot be built"), KeyError("x")])
def test_an_error_in_the_build_changes_nothing(
    error: Exception,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert close(exports, out) == 0
    before = content(out)
    capsys.readouterr()

    def broken(settings: object) -> None:
        raise error

    monkeypatch.setattr(close_module, "build_and_test", broken)
    write_exports(exports, orders=5)
    assert close(exports, out) == 2
    assert the_line(capsys).startswith("pool-recon: ")
    assert content(out) == before


def test_two_closes_do_not_collide(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    held = out / ".pool_recon.duckdb.work"
    held.mkdir(parents=True)
    descriptor = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert close(exports, out) == 2
        assert "another close is working" in the_line(capsys)
    finally:
        os.close(descriptor)
    assert close(exports, out) == 0


def test_a_warehouse_that_another_program_writes_to_is_left_alone(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert close(exports, out) == 0
    capsys.readouterr()
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(out / "pool_recon.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        assert close(exports, out) == 2
        assert "in use by another program" in the_line(capsys)
        other.communicate("")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("raw.duckdb", "raw"),
        ("package.duckdb", "package"),
        ("main.db", "main"),
        ("a#b.duckdb", "#"),
    ],
)
def test_warehouse_names_that_the_engine_would_confuse(
    name: str,
    expected: str,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert close(exports, tmp_path / "out", "--warehouse", tmp_path / name) == 2
    assert expected in the_line(capsys)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_warehouse_is_left_alone(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not a database " * 1000, encoding="utf-8")
    assert close(exports, tmp_path / "out", "--warehouse", notes) == 2
    assert "no DuckDB file" in the_line(capsys)
    assert notes.read_text(encoding="utf-8").startswith("not a database")
    table = tmp_path / "lock.csv"
    table.write_text("code,subject_type\n", encoding="utf-8")
    for command in (
        ["close", "--exports", exports, "--close-date", "2026-06-30", "--out", tmp_path / "out"],
        ["load", "--exports", exports],
        ["trace", "t-1"],
        ["validate"],
    ):
        assert run(*command, "--warehouse", table) == 2
        assert f"{table} is no DuckDB file: name another --warehouse" in the_line(capsys)
    assert table.read_text(encoding="utf-8") == "code,subject_type\n"


def test_a_folder_that_is_no_package_is_not_replaced(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "out" / "2026-06-30" / "notes.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine", encoding="utf-8")
    assert close(exports, tmp_path / "out") == 2
    assert "no close package" in the_line(capsys)
    assert kept.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "out" / "pool_recon.duckdb").exists()


def test_no_write_access(
    build: FakeBuild, exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert close(exports, tmp_path / "file" / "out") == 2
    assert "cannot write" in the_line(capsys)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--time-zone", "Mars/Olympus"), ("--time-zone", ""), ("--register", "no/such/register.csv")],
)
def test_other_options_are_checked_first(
    option: str,
    value: str,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert close(exports, tmp_path / "out", option, value) == 2
    assert value in the_line(capsys)
    assert build.settings is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POOL_RECON_THREADS", "many"),
        ("POOL_RECON_THREADS", "0"),
        ("POOL_RECON_MEMORY_LIMIT", "much"),
        ("POOL_RECON_MEMORY_LIMIT", "4"),
        ("POOL_RECON_MEMORY_LIMIT", "120%"),
        ("POOL_RECON_MEMORY_LIMIT", "100kB"),
    ],
)
def test_a_variable_that_says_nothing_is_named(
    variable: str,
    value: str,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert close(exports, tmp_path / "out") == 2
    assert f"{variable} is {value!r}" in the_line(capsys)
    assert build.settings is None
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("variable", "option", "value"),
    [
        ("POOL_RECON_WORKBOOK_ROWS", "--workbook-rows", "few"),
        ("POOL_RECON_WORKBOOK_ROWS", "--workbook-rows", "0"),
        ("POOL_RECON_NOTIFY_ON", "--notify-on", "never"),
        ("POOL_RECON_NOTIFY_TIMEOUT", "--notify-timeout", "0"),
        ("POOL_RECON_TARGET", "--target", "oracle"),
    ],
)
def test_what_is_wrong_is_named_where_it_came_from(
    variable: str,
    option: str,
    value: str,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert close(exports, tmp_path / "out") == 2
    line = the_line(capsys)
    assert variable in line
    assert option not in line
    assert close(exports, tmp_path / "out", option, value) == 2
    line = the_line(capsys)
    assert option in line
    assert variable not in line


@pytest.mark.parametrize("kind", [duckdb.OutOfMemoryException, CloseError])
def test_too_little_memory_is_blamed_on_the_limit_where_there_is_one(
    kind: type[Exception],
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def build_and_test(_: BuildSettings) -> list[NodeResult]:
        raise kind("Out of Memory Error: could not allocate block of size 256.0 KiB")

    monkeypatch.setattr(close_module, "build_and_test", build_and_test)
    monkeypatch.delenv("POOL_RECON_MEMORY_LIMIT", raising=False)
    assert close(exports, tmp_path / "out") == 2
    line = the_line(capsys)
    assert "could not allocate block of size 256.0 KiB" in line
    assert "POOL_RECON_MEMORY_LIMIT" not in line
    monkeypatch.setenv("POOL_RECON_MEMORY_LIMIT", "1GB")
    assert close(exports, tmp_path / "out") == 2
    assert "POOL_RECON_MEMORY_LIMIT is '1GB': give it more" in the_line(capsys)


@pytest.mark.parametrize("is_within", [False, True])
def test_what_is_spilled_to_is_a_folder(
    is_within: bool,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "spill"
    file.touch()
    named = str(file / "more") if is_within else str(file)
    monkeypatch.setenv("POOL_RECON_TEMP_DIRECTORY", named)
    assert close(exports, tmp_path / "out") == 2
    assert f"POOL_RECON_TEMP_DIRECTORY is {named!r}, and {file} is no folder" in the_line(capsys)
    assert build.settings is None
    assert not (tmp_path / "out").exists()
    file.unlink()
    assert close(exports, tmp_path / "out") == 0


def test_the_build_is_told_what_to_close(build: FakeBuild, exports: Path, tmp_path: Path) -> None:
    assert close(exports, tmp_path / "out", "--time-zone", "Europe/Berlin") == 0
    assert build.settings is not None
    assert build.settings.close_date.isoformat() == "2026-06-30"
    assert build.settings.time_zone == "Europe/Berlin"


def test_load_lands_everything_or_nothing(
    exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse = tmp_path / "w.duckdb"
    assert run("load", "--exports", exports, "--warehouse", warehouse) == 0
    assert "2 rows of 5 new files" in capsys.readouterr().out
    assert run("load", "--exports", exports, "--warehouse", warehouse) == 0
    assert "nothing new, 5 files loaded before" in capsys.readouterr().out
    before = warehouse.read_bytes()
    write_exports(exports, orders=3)
    (exports / "ledger.csv").write_text("", encoding="utf-8")
    assert run("load", "--exports", exports, "--warehouse", warehouse) == 2
    assert "ledger" in the_line(capsys)
    assert warehouse.read_bytes() == before


class TestJudge:
    rules = ("one", "two")

    def judged(self, *tests: object, checklist: dict[str, bool] | None = None) -> object:
        stated = checklist if checklist is not None else dict.fromkeys(self.rules, True)
        return judge([model("m"), *tests], self.rules, stated)  # type: ignore[list-item]

    def test_every_rule_passed(self) -> None:
        verdict = self.judged(rule_test("one"), rule_test("two"))
        assert verdict.rules == {"one": "holds", "two": "holds"}
        assert verdict.holds

    def test_nothing_ran(self) -> None:
        verdict = self.judged()
        assert verdict.rules == {"one": "not checked", "two": "not checked"}
        assert not verdict.holds

    def test_no_rules_at_all_is_no_pass(self) -> None:
        assert not judge([], [], {}).holds

    @pytest.mark.parametrize("status", ["error", "skipped", "runtime error"])
    def test_a_test_that_did_not_finish(self, status: str) -> None:
        verdict = self.judged(rule_test("one", status), rule_test("two"))
        assert verdict.rules["one"] == "not checked"
        assert not verdict.holds

    @pytest.mark.parametrize("status", ["fail", "warn"])
    def test_a_warning_is_a_failure(self, status: str) -> None:
        checklist = {"one": False, "two": True}
        verdict = self.judged(rule_test("one", status), rule_test("two"), checklist=checklist)
        assert verdict.rules["one"] == "fails"
        assert not verdict.disagreements
        assert not verdict.holds

    def test_a_rule_that_ran_twice(self) -> None:
        verdict = self.judged(rule_test("one"), rule_test("one"), rule_test("two"))
        assert verdict.rules["one"] == "not checked"
        assert not verdict.holds

    def test_a_rule_test_without_the_tag_does_not_count(self) -> None:
        untagged = type(rule_test("one"))("assert_one", "test", frozenset(), "pass", "", 0)
        verdict = self.judged(untagged, rule_test("two"))
        assert verdict.rules["one"] == "not checked"

    def test_a_rule_that_the_registry_lacks(self) -> None:
        verdict = self.judged(rule_test("one"), rule_test("two"), rule_test("three"))
        assert verdict.failed_checks == ("assert_three",)
        assert not verdict.holds

    @pytest.mark.parametrize(
        "checklist",
        [{"one": True}, {"one": True, "two": False}, {"one": True, "two": True, "three": True}],
    )
    def test_the_checklist_must_agree(self, checklist: dict[str, bool]) -> None:
        verdict = self.judged(rule_test("one"), rule_test("two"), checklist=checklist)
        assert len(verdict.disagreements) == 1
        assert not verdict.holds


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "Runtime Error in model fct (models/fct.sql)\n  Binder Error: no column a\n  LINE 1",
            "Binder Error: no column a",
        ),
        ("Compilation Error\n  close_date is ''; expected one", "close_date is ''; expected one"),
        (
            "Conversion Error: Could not convert 'a'\n\nLINE 1: select",
            "Conversion Error: Could not",
        ),
        ("Runtime Error", "Runtime Error"),
        ("", "no message"),
    ],
)
def test_one_line_of_an_error(message: str, line: str) -> None:
    assert one_line(message).startswith(line)
    assert "\n" not in one_line(message)


FULL = 'Could not write file "{}": No space left on device'
UNUSABLE = (
    "FATAL Error: Failed: database has been invalidated because of a previous fatal error. The "
    "database must be restarted prior to being used again.\nOriginal error: "
    '"Failed to create checkpoint because of error: {}"'
)


def test_one_line_of_a_database_that_was_invalidated_is_what_made_it_so() -> None:
    line = "Failed to create checkpoint because of error: " + FULL.format("/o/w.duckdb")
    assert one_line(UNUSABLE.format(FULL.format("/o/w.duckdb"))) == line


@pytest.mark.parametrize("message", [FULL, UNUSABLE.format(FULL)])
@pytest.mark.parametrize("kind", [duckdb.IOException, duckdb.FatalException, OSError, CloseError])
def test_a_full_disk_is_said_to_be_full(
    message: str,
    kind: type[Exception],
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "o"

    def build_and_test(settings: BuildSettings) -> list[NodeResult]:
        try:
            raise kind(message.format(settings.warehouse))
        finally:
            raise duckdb.FatalException("FATAL Error: it cannot be used")

    monkeypatch.setattr(close_module, "build_and_test", build_and_test)
    assert close(exports, out) == 2
    line = the_line(capsys)
    assert line.startswith(f"pool-recon: the close stopped: no space is left in {out}: ")
    assert "make room there" in line


@pytest.mark.parametrize("part", ["write_tables", "write_documents", "write_to_disk"])
def test_a_full_disk_is_named_where_python_does_not(
    part: str,
    build: FakeBuild,
    exports: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, warehouse = tmp_path / "o", tmp_path / "w" / "w.duckdb"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if part == "write_to_disk":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(close_module, part, full)
    assert close(exports, out, "--warehouse", warehouse) == 2
    place = warehouse.parent if part == "write_to_disk" else out
    said = f"pool-recon: the close stopped: no space is left in {place}: "
    assert the_line(capsys).startswith(said)
    assert not out.exists()


def test_a_model_without_room_is_named_before_those_that_fail_after_it() -> None:
    broken = [
        NodeResult("one", "model", frozenset(), "error", "it cannot be used", 0),
        NodeResult("two", "model", frozenset(), "error", FULL.format("/x"), 0),
    ]
    assert "the model two cannot be built (and 1 more): Could not" in _cannot_build(broken)


def test_the_registry_has_the_rules_of_the_checklist() -> None:
    assert len(rule_names()) == len(set(rule_names())) == 11
