"""`pool-recon validate`, and the same reading as a step of a close: it agrees, or it says so."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest

from pool_recon import close as close_module
from pool_recon.expectations import Outcome, SecondReading, suite, validate
from pool_recon.package import Verdict
from tests.end_to_end.closing import CLOSE_DATE, Ran, pool_recon

Rows = list[list[str]]


@pytest.fixture
def closed(clean: Ran, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the clean close to tamper with: the warehouse and the package."""
    warehouse = Path(shutil.copy(clean.out / "pool_recon.duckdb", tmp_path))
    package = tmp_path / CLOSE_DATE
    shutil.copytree(clean.package, package)
    return warehouse, package


def outcomes(reading: SecondReading) -> dict[str, str]:
    """Whatever does not hold, by name."""
    return {
        result.expectation.name: result.outcome.value
        for result in reading.results
        if result.outcome is not Outcome.PASSED
    }


def examples(reading: SecondReading, name: str) -> str:
    (found,) = (r for r in reading.results if r.expectation.name == name)
    return json.dumps([dict(example) for example in found.examples])


def rewrite(file: Path, change: Callable[[Rows], Sequence[Sequence[str]]]) -> None:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(change(rows))


def tamper(warehouse: Path, relation: str, statement: str) -> None:
    """Change a relation whose constraints, or whose being a view, would forbid that."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"create table copied as select * from {relation}")
        schema, name = relation.split(".")
        found = connection.execute(
            "select table_type from information_schema.tables"
            " where table_schema = ? and table_name = ?",
            [schema, name],
        ).fetchone()
        kind = "view" if found == ("VIEW",) else "table"
        connection.execute(f"drop {kind} {relation}")
        connection.execute(f"create table {relation} as select * from copied")
        connection.execute("drop table copied")
        connection.execute(statement)


def document(ran: Ran) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((ran.package / "expectations.json").read_text("utf-8"))
    return loaded


def test_the_clean_close_is_read_the_same_a_second_time(clean: Ran) -> None:
    said = document(clean)
    assert said["holds"] is True
    assert said["close_date"] == CLOSE_DATE
    assert all(
        (rule["great_expectations"], rule["dbt"], rule["differ"]) == ("passed", "holds", False)
        for rule in said["rules"]  # type: ignore[attr-defined]
    )
    manifest = json.loads((clean.package / "manifest.json").read_text(encoding="utf-8"))
    listed = {output["file"] for output in manifest["outputs"]}
    assert {"expectations.json", "expectations.html"} <= listed
    text = (clean.package / "expectations.html").read_text(encoding="utf-8")
    assert str(clean.out) not in text
    assert "://" not in text


def test_the_bad_day_fails_the_same_rules(bad_day: Ran) -> None:
    said = document(bad_day)
    assert said["holds"] is False
    checklist = {row["rule"]: row["holds"] == "true" for row in bad_day.rows("checklist")}
    read_again = {
        rule["rule"]: rule["great_expectations"] == "passed"
        for rule in said["rules"]  # type: ignore[attr-defined]
    }
    assert read_again == checklist
    assert not all(checklist.values())
    others = [
        entry["name"]
        for entry in said["expectations"]  # type: ignore[attr-defined]
        if entry["kind"] != "rule" and entry["outcome"] != "passed"
    ]
    assert others == []


def test_a_row_with_a_secret_is_named_as_its_finding_names_it(bad_day: Ran) -> None:
    (secrets,) = (
        entry
        for entry in document(bad_day)["expectations"]  # type: ignore[attr-defined]
        if entry["name"] == "no_secrets"
    )
    found = {
        row["subject_id"] for row in bad_day.rows("exceptions") if row["code"] == "secret_exposed"
    }
    assert {example["subject_id"] for example in secrets["examples"]} == found
    assert {example["problem"] for example in secrets["examples"]} >= {"carries a secret"}


def test_the_command_exits_0_when_all_holds(clean: Ran, tmp_path: Path) -> None:
    before = sorted(clean.out.rglob("*"))
    warehouse = clean.out / "pool_recon.duckdb"
    ran = pool_recon(
        *("validate", "--warehouse", warehouse, "--package", clean.package), out=tmp_path
    )
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert re.search(r"(\d+) of \1 expectations hold", ran.stdout)
    assert sorted(clean.out.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_the_command_exits_1_and_names_what_does_not_hold(bad_day: Ran, tmp_path: Path) -> None:
    ran = pool_recon("validate", "--warehouse", bad_day.out / "pool_recon.duckdb", out=tmp_path)
    assert (ran.exit_code, ran.stderr) == (1, "")
    assert "no_secrets: " in ran.stdout


def test_the_command_as_json(bad_day: Ran, tmp_path: Path) -> None:
    warehouse = bad_day.out / "pool_recon.duckdb"
    ran = pool_recon("validate", "--warehouse", warehouse, "--json", out=tmp_path)
    assert (ran.exit_code, ran.stderr) == (1, "")
    said = json.loads(ran.stdout)
    assert said["close_date"] == CLOSE_DATE
    assert said["holds"] is False
    assert said["expectations"] == said["passed"] + len(said["failed"]) + len(said["not_checked"])
    failed = {entry["name"]: entry["unexpected_rows"] for entry in said["failed"]}
    assert {rule for rule, count in failed.items() if count} == {
        row["rule"] for row in bad_day.rows("checklist") if row["holds"] == "false"
    }


def test_a_package_of_another_close_is_refused_in_one_line(
    closed: tuple[Path, Path], tmp_path: Path
) -> None:
    warehouse, package = closed
    manifest = package / "manifest.json"
    stated = json.loads(manifest.read_text("utf-8"))
    stated["close"]["close_date"] = "2026-06-29"
    manifest.write_text(json.dumps(stated), "utf-8")
    ran = pool_recon(
        *("validate", "--warehouse", warehouse, "--package", package), out=tmp_path / "elsewhere"
    )
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "is the close of 2026-06-29, and" in ran.stderr
    assert f"built for {CLOSE_DATE}" in ran.stderr


def test_what_has_landed_since_is_told_in_one_line(
    closed: tuple[Path, Path], tmp_path: Path
) -> None:
    warehouse, _ = closed
    with duckdb.connect(str(warehouse)) as connection:
        # A file without rows, which makes an export present.
        connection.execute(
            "insert into raw.files by name select * replace"
            " (file_id + 1 as file_id, 0 as row_count, 'more.csv' as path)"
            " from raw.files order by file_id desc limit 1"
        )
        told = "select invariant, subject from marts.close_invariant_breaches"
        ((invariant, subject),) = connection.execute(told).fetchall()
        assert invariant == "file has landed since the warehouse was built"
        assert subject.endswith(" more.csv")
    ran = pool_recon("validate", "--warehouse", warehouse, out=tmp_path / "elsewhere")
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "1 file has landed since" in ran.stderr


@pytest.mark.parametrize("content", [None, b"no warehouse at all", b""])
def test_what_is_no_warehouse_is_one_line(content: bytes | None, tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    if content is not None:
        warehouse.write_bytes(content)
    ran = pool_recon("validate", "--warehouse", warehouse, out=tmp_path / "elsewhere")
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    assert "w.duckdb" in ran.stderr


def test_a_ledger_entry_gone_from_the_fact(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    tamper(
        warehouse,
        "marts.fct_ledger_entries",
        "delete from marts.fct_ledger_entries where ledger_entry_id = (select min(ledger_entry_id)"
        " from marts.fct_ledger_entries where entry_type = 'buy_debit')",
    )
    reading = validate(warehouse, package)
    failed = outcomes(reading)
    assert set(failed.values()) == {"failed"}
    assert {
        "amounts_agree_exactly",
        "balances_roll_forward",
        "fct_ledger_entries_keys",
        "ledger_csv_agrees",
    } <= set(failed)
    assert {"amounts_agree_exactly", "balances_roll_forward"} <= set(reading.disagreements)
    assert not reading.holds


def test_every_entry_of_a_trade_gone_from_the_fact(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    tamper(
        warehouse,
        "marts.fct_ledger_entries",
        "delete from marts.fct_ledger_entries where joined_transact_id = (select min(transact_id)"
        " from marts.fct_reconciliation where effective_status = 'settled')",
    )
    assert "terminal_trades_have_ledger_entries" in outcomes(validate(warehouse, package))


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (
            "update marts.fct_events set signature_result = 'invalid', source = 'webhook'"
            " where status = 'settled'",
            "webhook_gaps_confirmed",
        ),
        (
            "update marts.fct_ledger_entries set joined_transact_id = null"
            " where entry_type = 'buy_debit'",
            "ledger_entries_join",
        ),
        (
            "update marts.fct_reconciliation set source_amount = source_amount + 0.01"
            " where transact_id = (select min(transact_id) from marts.fct_reconciliation)",
            "amounts_agree_exactly",
        ),
        (
            "update marts.fct_reconciliation set effective_status = 'failed'"
            " where effective_status = 'settled'",
            "states_move_forward",
        ),
        ("update marts.fct_balances set closing = closing + 1", "balances_roll_forward"),
        ("delete from raw.orders where _row_number = 1", "nothing_lost"),
        (
            "insert into staging.stg_quotes by name select * replace"
            " (source_amount + 1 as source_amount) from staging.stg_quotes limit 5",
            "records_immutable",
        ),
        (
            "insert into staging.stg_quotes by name select * replace (null as created_at,"
            " null as accepted_at, 'other' as dest_network) from staging.stg_quotes limit 5",
            "records_immutable",
        ),
        (
            "insert into staging.stg_ledger by name select * replace ('other' as ledger_ref)"
            " from staging.stg_ledger where ledger_ref is null limit 5",
            "records_immutable",
        ),
        (
            "insert into staging.stg_events by name select * replace ('failed' as status)"
            " from staging.stg_events limit 5",
            "records_immutable",
        ),
        ("update raw.events set _has_secret = true where _row_number = 1", "no_secrets"),
        (
            "update marts.fct_events set joined_transact_id = null where status = 'settled'",
            "no_other_blocking_findings",
        ),
        (
            "insert into marts.fct_exceptions by name select 'x' as exception_id,"
            " 'status_lag' as code, 'warning' as severity, 'trade' as subject_type,"
            " 'none' as subject_id, 'none' as approval",
            "exceptions_owned_and_reviewed",
        ),
    ],
)
def test_each_rule_is_judged_from_the_facts(
    statement: str, rule: str, closed: tuple[Path, Path]
) -> None:
    warehouse, _ = closed
    relation = next(word for word in statement.split() if "." in word)
    tamper(warehouse, relation, statement)
    reading = validate(warehouse, None)
    assert outcomes(reading).get(rule) == "failed"
    assert rule in reading.disagreements


def test_an_amount_changed_in_a_file(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed

    def change(rows: Rows) -> Rows:
        column = rows[0].index("amount")
        rows[1][column] = "1" + rows[1][column]
        return rows

    rewrite(package / "ledger.csv", change)
    reading = validate(warehouse, package)
    assert outcomes(reading) == {"ledger_csv_agrees": "failed"}
    assert "amount is 1" in examples(reading, "ledger_csv_agrees")


def test_amounts_that_are_no_exact_text(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    texts = ["1e3", "1,000.00", "+5", "05.00", "5.", "5.1", "5.000", "NaN"]

    def change(rows: Rows) -> Rows:
        fiat = [row for row in rows if row[rows[0].index("asset")] in {"EUR", "USD", "GBP"}]
        for row, text in zip(fiat[::2], texts, strict=False):
            row[rows[0].index("amount")] = text
        return rows

    rewrite(package / "ledger.csv", change)
    reading = validate(warehouse, package)
    (found,) = (r for r in reading.results if r.expectation.name == "ledger_csv_values")
    assert found.outcome is Outcome.FAILED
    assert found.unexpected_rows == len(texts)
    for text in texts:
        assert json.dumps(f"amount is {text}")[1:-1] in examples(reading, "ledger_csv_values")


def test_a_required_id_left_empty(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed

    def change(rows: Rows) -> Rows:
        rows[1][0] = ""
        return rows

    rewrite(package / "reconciliation.csv", change)
    reading = validate(warehouse, package)
    assert outcomes(reading)["reconciliation_csv_values"] == "failed"
    assert "movement_id is empty" in examples(reading, "reconciliation_csv_values")


def test_a_column_dropped_from_a_file(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    rewrite(package / "balances.csv", lambda rows: [row[:-1] for row in rows])
    reading = validate(warehouse, package)
    assert outcomes(reading)["balances_csv_columns"] == "failed"
    assert "reported_balance" in examples(reading, "balances_csv_columns")


def test_columns_swapped_in_a_file(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    rewrite(package / "checklist.csv", lambda rows: [[row[1], row[0], *row[2:]] for row in rows])
    assert outcomes(validate(warehouse, package)) == {"checklist_csv_columns": "failed"}


def test_a_verdict_flipped_in_a_file(bad_day: Ran, tmp_path: Path) -> None:
    warehouse = bad_day.out / "pool_recon.duckdb"
    package = tmp_path / CLOSE_DATE
    shutil.copytree(bad_day.package, package)
    assert "checklist_csv_agrees" not in outcomes(validate(warehouse, package))

    def flip(rows: Rows) -> Rows:
        column = rows[0].index("holds")
        for row in rows[1:]:
            row[column] = {"true": "false", "false": "true"}[row[column]]
        return rows

    rewrite(package / "checklist.csv", flip)
    reading = validate(warehouse, package)
    assert outcomes(reading)["checklist_csv_agrees"] == "failed"
    told = {
        example["row_key"]: example["problem"]
        for result in reading.results
        if result.expectation.name == "checklist_csv_agrees"
        for example in result.examples
    }
    opposite = {"true": "holds is false, not true", "false": "holds is true, not false"}
    assert told == {row["rule"]: opposite[row["holds"]] for row in bad_day.rows("checklist")}


def test_a_row_twice_and_a_row_gone(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    rewrite(package / "events.csv", lambda rows: [*rows, rows[1]])
    rewrite(package / "trades.csv", lambda rows: rows[:-1])
    failed = outcomes(validate(warehouse, package))
    assert failed == {"events_csv_keys": "failed", "trades_csv_agrees": "failed"}


def test_a_file_that_is_gone_or_broken_could_not_be_checked(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    (package / "orders.csv").unlink()
    (package / "quotes.csv").write_text("quote_id,pool_id\na,b,c\n", encoding="utf-8")
    (package / "trades.csv").write_bytes(b"\xff\xfe")
    (package / "exceptions.csv").unlink()
    reading = validate(warehouse, package)
    said = outcomes(reading)
    assert said["orders_csv_columns"] == "failed"
    assert said["orders_csv_values"] == "not_checked"
    assert said["quotes_csv_columns"] == "failed"
    assert said["quotes_csv_agrees"] == "not_checked"
    reasons = {result.expectation.name: result.reason for result in reading.results}
    for name in ("values", "keys", "agrees"):
        assert reasons[f"orders_csv_{name}"] == "orders.csv is missing"
        assert reasons[f"trades_csv_{name}"] == "trades.csv has no header that can be read"
        assert reasons[f"quotes_csv_{name}"].startswith("quotes.csv cannot be read: ")
    assert reasons["checklist_counts"] == "exceptions.csv is missing"
    assert not any("Catalog" in reason or str(package) in reason for reason in reasons.values())


@pytest.mark.parametrize("file", [None, "exceptions.csv"])
def test_what_is_no_package_is_refused_in_one_line(
    file: str | None, closed: tuple[Path, Path], tmp_path: Path
) -> None:
    warehouse, _ = closed
    folder = tmp_path / "notes"
    folder.mkdir()
    if file:
        (folder / file).touch()
    ran = pool_recon(
        *("validate", "--warehouse", warehouse, "--package", folder), out=tmp_path / "elsewhere"
    )
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"pool-recon: {folder} is no close package: it has no manifest.json; name a folder such "
        "as out/2026-06-30\n"
    )


def test_findings_that_the_files_tell_differently(bad_day: Ran, tmp_path: Path) -> None:
    warehouse = bad_day.out / "pool_recon.duckdb"
    package = tmp_path / CLOSE_DATE
    shutil.copytree(bad_day.package, package)

    def settle(rows: Rows) -> Rows:
        state = rows[0].index("reconciliation_state")
        exception = next(row for row in rows if row[state] == "exception")
        exception[state] = "matched"
        return rows

    rewrite(package / "reconciliation.csv", settle)
    rewrite(package / "exceptions.csv", lambda rows: rows[:-1])
    said = outcomes(validate(warehouse, package))
    assert said["reconciliation_states"] == "failed"
    assert said["exceptions_csv_agrees"] == "failed"


def test_a_mart_that_is_gone_could_not_be_checked(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("drop table marts.fct_balances")
    reading = validate(warehouse, package)
    assert outcomes(reading)["balances_roll_forward"] == "not_checked"
    (found,) = (r for r in reading.results if r.expectation.name == "balances_roll_forward")
    assert "fct_balances" in found.reason
    assert str(warehouse.parent) not in found.reason
    assert "balances_roll_forward" not in reading.disagreements
    assert not reading.holds


def verdict_after(
    warehouse: Path, package: Path, rules: dict[str, str]
) -> tuple[Verdict, dict[str, object]]:
    verdict, entries = close_module.read_again(warehouse, package, Verdict(rules), validate)
    assert [entry["file"] for entry in entries] == ["expectations.json", "expectations.html"]
    said: dict[str, object] = json.loads((package / "expectations.json").read_text("utf-8"))
    return verdict, said


def test_a_broken_statement_blocks_the_close(
    closed: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, package = closed
    statements = tmp_path / "sql"
    shutil.copytree(suite._SQL, statements)
    broken = statements / "rules" / "nothing_lost.sql"
    broken.write_text("-- Broken.\nselect nonsense from nowhere\n", encoding="utf-8")
    (statements / "rules" / "no_secrets.sql").unlink()
    monkeypatch.setattr(suite, "_SQL", statements)
    holding = dict.fromkeys(suite.rule_names(), "holds")
    verdict, _ = verdict_after(warehouse, package, holding)
    assert set(verdict.unchecked_expectations) == {"nothing_lost", "no_secrets"}
    assert verdict.failed_expectations == ()
    assert not verdict.holds


def test_a_verdict_that_differs_blocks_the_close(closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    rules = dict.fromkeys(suite.rule_names(), "holds")
    verdict, said = verdict_after(warehouse, package, rules)
    assert verdict.holds
    assert said["holds"] is True
    verdict, said = verdict_after(warehouse, package, {**rules, "nothing_lost": "fails"})
    assert verdict.differing_readings == ("nothing_lost",)
    assert not verdict.holds
    assert said["holds"] is False
    page = (package / "expectations.html").read_text(encoding="utf-8")
    assert "dbt says otherwise of: nothing_lost" in page


def test_the_same_close_gives_the_same_bytes(clean: Ran, closed: tuple[Path, Path]) -> None:
    warehouse, package = closed
    for name in ("expectations.json", "expectations.html"):
        (package / name).unlink()
    verdict_after(warehouse, package, dict.fromkeys(suite.rule_names(), "holds"))
    for name in ("expectations.json", "expectations.html"):
        assert (package / name).read_bytes() == (clean.package / name).read_bytes()
