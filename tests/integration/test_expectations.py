"""The second reading: what the suite states, how it is run, and what its results say."""

from __future__ import annotations

import csv
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pool_recon.errors import CloseError
from pool_recon.expectations import SecondReading, report, suite, validation, write_report
from pool_recon.expectations.results import Expectation, Kind, Outcome, Result
from pool_recon.expectations.runner import evaluate

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
FORBIDDEN = ("close_violations", "close_invariant_breaches", ".is_open_blocking")


def stated(name: str, query: str, kind: Kind = Kind.MART) -> Expectation:
    return Expectation(name, kind, name, "It holds.", query)


def result(name: str, outcome: Outcome, kind: Kind = Kind.RULE, **more: object) -> Result:
    return Result(stated(name, "select 1", kind), outcome, **more)  # type: ignore[arg-type]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = duckdb.connect()
    opened.execute("create schema intermediate")
    opened.execute("create table intermediate.int_close as select date '2026-06-30' as close_date")
    yield opened
    opened.close()


def test_every_rule_of_the_registry_is_stated_once_and_in_order() -> None:
    with (SEEDS / "ref_checklist_rules.csv").open(encoding="utf-8") as stream:
        registry = [row["rule_name"] for row in csv.DictReader(stream)]
    rules = [e.subject for e in suite.expectations() if e.kind is Kind.RULE]
    assert rules == registry


def test_names_are_unique_and_statements_say_what_they_expect() -> None:
    stated_all = suite.expectations()
    names = [e.name for e in stated_all]
    assert len(names) == len(set(names))
    assert all(e.states.endswith(".") and e.query for e in stated_all)


def test_no_statement_reads_what_dbt_concluded() -> None:
    for expectation in suite.expectations():
        assert not any(word in expectation.query for word in FORBIDDEN), expectation.name
        if expectation.kind is Kind.RULE:
            assert "close_checklist" not in expectation.query
            assert ".rule_name" not in expectation.query or "approval" not in expectation.query


@pytest.mark.parametrize(
    ("export", "exempt"),
    [
        ("ledger", {"ledger_entry_id"}),
        ("quotes", {"quote_id", "accepted_at", "status"}),
        (
            "events",
            {"event_id", "received_at", "processed_at", "source", "signature_result"}
            | {"processing_attempts", "payload_ref", "request_id"},
        ),
    ],
)
def test_every_column_of_what_is_immutable_is_compared(export: str, exempt: set[str]) -> None:
    (rule,) = (e for e in suite.expectations() if e.name == "records_immutable")
    contents = next(
        part for part in rule.query.split("select distinct")[1:] if f"stg_{export} " in part
    )
    with (SEEDS / "ref_export_columns.csv").open(encoding="utf-8") as stream:
        columns = {
            row["column_name"] for row in csv.DictReader(stream) if row["export_name"] == export
        }
    compared = re.findall(r"landed\.(\w+)", contents.partition("from ")[0])
    assert set(compared[1:]) == columns - exempt


def test_without_files_only_rules_and_marts_are_judged() -> None:
    kinds = {e.kind for e in suite.expectations(with_files=False)}
    assert kinds == {Kind.RULE, Kind.MART}


def test_every_published_word_and_asset_is_known() -> None:
    words = suite.vocabularies()
    for file in suite.published_files():
        names = {column.name for column in file.columns}
        assert set(file.keys) <= names
        for column in file.columns:
            assert not column.vocabulary or words[column.vocabulary]
            assert not column.asset_column or column.asset_column in names


def test_a_statement_without_its_first_line_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "nameless.sql").write_text("select 1\n", encoding="utf-8")
    monkeypatch.setattr(suite, "_SQL", tmp_path)
    with pytest.raises(CloseError, match=re.escape("nameless.sql")):
        suite.expectations()


def test_great_expectations_tells_passed_failed_and_not_checked_apart(
    connection: duckdb.DuckDBPyConnection,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    connection.execute("create temp table amounts as select '100.10' as amount")
    with caplog.at_level(logging.DEBUG):
        problems = evaluate(
            connection,
            [
                stated("holds", "select * from amounts where amount <> '100.10'"),
                stated("broken", "select * from no_such_table"),
                stated("fails", "select * from amounts"),
                stated("own_signs", "select ':name {braces} :x' as a where ':y' = '{1}'"),
                stated("own_signs_fail", "select 'a:b {2}' as a"),
                stated("holds_after_all", "select 1 where false"),
            ],
        )
    assert set(problems) == {"broken", "fails", "own_signs_fail"}
    assert "no_such_table" in (problems["broken"] or "")
    assert problems["fails"] is None
    assert problems["own_signs_fail"] is None
    # Nothing is printed, logged or left behind, and the connection is still ours.
    assert capfd.readouterr() == ("", "")
    assert not [r for r in caplog.records if r.name.startswith("great_expectations")]
    assert list(tmp_path.iterdir()) == []
    assert connection.execute("select amount from amounts").fetchall() == [("100.10",)]


def test_charts_and_distributions_are_only_read_when_they_are_asked_for() -> None:
    judged_in_a_new_process = """
import sys, duckdb
from pool_recon.expectations.results import Expectation, Kind
from pool_recon.expectations.runner import evaluate

connection = duckdb.connect()
connection.execute("create schema intermediate; create table intermediate.int_close as select 1 a")
suite = [Expectation("one", Kind.MART, "one", "It holds.", "select 1 as a")]
assert evaluate(connection, suite) == {"one": None}
assert not [each for each in sys.meta_path if type(each).__module__.startswith("pool_recon")]
print(sorted({"altair.vegalite", "scipy.stats._stats_py"} & set(sys.modules)))

import altair
from scipy import stats

print(altair.Chart.__name__, stats.norm.cdf(0))
"""
    ran = subprocess.run(
        [sys.executable, "-c", judged_in_a_new_process],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == ["[]", "Chart 0.5"]


def test_all_unexpected_rows_are_counted_and_twenty_are_shown(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    many = stated("many", "select range as id, 0.1::decimal(4, 2) as amount from range(1234)")
    found = validation._result(connection, many, {"many": None})
    assert found.outcome is Outcome.FAILED
    assert found.unexpected_rows == 1234
    assert found.examples == [{"id": str(i), "amount": "0.10"} for i in sorted(range(20), key=str)]


def test_what_cannot_be_checked_has_a_reason(connection: duckdb.DuckDBPyConnection) -> None:
    query = stated("q", "select 1 where false")
    assert validation._result(connection, query, {}).outcome is Outcome.PASSED
    unchecked = validation._result(connection, query, {"q": "no such table"})
    assert (unchecked.outcome, unchecked.reason) == (Outcome.NOT_CHECKED, "no such table")
    assert unchecked.unexpected_rows is None
    gone = validation._result(connection, query, {"q": None})
    assert gone.outcome is Outcome.NOT_CHECKED


def test_a_rule_without_a_statement_could_not_be_checked() -> None:
    stated_rules = [e for e in suite.expectations() if e.name != "no_secrets"]
    missing = list(validation._missing_rules(tuple(stated_rules)))
    assert [r.expectation.subject for r in missing] == ["no_secrets"]
    assert missing[0].outcome is Outcome.NOT_CHECKED


def test_great_expectations_that_stops_leaves_everything_unchecked(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    problems = validation._evaluate(connection, (stated("a", "select 1"), stated("b", "select 1")))
    assert set(problems) == {"a", "b"}
    assert all("Great Expectations stopped" in (reason or "") for reason in problems.values())


@pytest.mark.parametrize(
    ("outcome", "dbt", "differs"),
    [
        (Outcome.PASSED, "holds", False),
        (Outcome.FAILED, "fails", False),
        (Outcome.PASSED, "fails", True),
        (Outcome.FAILED, "holds", True),
        (Outcome.NOT_CHECKED, "holds", False),
        (Outcome.PASSED, "not checked", False),
    ],
)
def test_readings_that_differ_are_named(outcome: Outcome, dbt: str, differs: bool) -> None:
    reading = SecondReading("2026-06-30", [result("no_secrets", outcome)], {"no_secrets": dbt})
    assert reading.disagreements == (("no_secrets",) if differs else ())
    assert reading.holds is (outcome is Outcome.PASSED and not differs)


def test_nothing_judged_is_nothing_that_holds() -> None:
    assert not SecondReading("2026-06-30", [], {}).holds


def test_the_report_is_the_same_every_time_and_hides_no_markup(tmp_path: Path) -> None:
    examples = [{"subject_id": "<script>alert(1)</script>", "problem": None}]
    reading = SecondReading(
        "2026-06-30",
        [
            result("no_secrets", Outcome.FAILED, unexpected_rows=21, examples=examples),
            result("nothing_lost", Outcome.PASSED),
            result("ledger_csv_keys", Outcome.NOT_CHECKED, Kind.FILE, reason="no such table"),
        ],
        {"no_secrets": "holds", "nothing_lost": "holds"},
    )
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        write_report(reading, folder)
    for name in (report.JSON_NAME, report.PAGE_NAME):
        assert (first / name).read_bytes() == (second / name).read_bytes()
        assert str(tmp_path) not in (first / name).read_text(encoding="utf-8")
    document = json.loads((first / report.JSON_NAME).read_text(encoding="utf-8"))
    assert document["holds"] is False
    assert document["rules"][0] == {
        "rule": "no_secrets",
        "great_expectations": "failed",
        "dbt": "holds",
        "differ": True,
    }
    assert document["expectations"][0]["examples"] == examples
    page = (first / report.PAGE_NAME).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "://" not in page
    assert "The close is blocked" in page
    assert "could not be checked" in page


def test_the_package_imports_great_expectations_late() -> None:
    code = (
        "import sys, pool_recon.expectations, pool_recon.close;"
        "sys.exit(bool({'great_expectations', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
