"""`pool-recon close` on the sample exports, from raw files to the package on disk."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shlex
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pool_recon.audit import verify
from tests.end_to_end.closing import CLOSE_DATE, ROOT, Ran, close, pool_recon
from tests.end_to_end.packages import files
from tests.harness.forking import clean_environment, run

HEADERS = {
    "reconciliation": (
        "movement_id environment partner_id partner_order_id pool_id side quote_id transact_id"
        " idempotency_key request_id product_state quote_status trade_status effective_status"
        " source_asset source_amount target_asset target_amount fiat_amount crypto_amount"
        " ledger_source_net ledger_target_net ledger_entry_count ledger_entry_ids last_event_id"
        " event_count created_at accepted_at expires_at reserved_at terminal_at"
        " quote_clock_seconds execution_clock_seconds settlement_clock_seconds"
        " reconciliation_state finding_codes"
    ),
    "exceptions": (
        "exception_id code severity environment subject_type subject_id partner_order_id pool_id"
        " quote_id transact_id event_id ledger_entry_id request_id asset amount_at_risk expected"
        " actual first_action owner opened_on age_days next_review_date approval approved_by"
        " evidence_hash"
    ),
    "checklist": "rule holds findings approved description",
    "balances": (
        "environment partner_id asset opening funding debits refunds returns fees adjustments"
        " closing reported_balance"
    ),
    "conservation": "export landed staged duplicates superseded quarantined",
}
ARTIFACT_COLUMNS = {
    "orders": "partner_order_id user_reference created_at product_state",
    "quotes": "quote_id pool_id source_amount target_amount expires_at accepted_at",
    "trades": "transact_id quote_id idempotency_key terminal_at",
    "events": "event_id transact_id status received_at processed_at",
    "ledger": "ledger_entry_id transact_id entry_type asset amount effective_at",
}
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6})?Z")
AMOUNT = re.compile(r"-?\d+(\.\d+)?")


def tree(folder: Path) -> dict[str, str]:
    """Every file of a folder but dbt's own, by path and content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".pool_recon" not in path.relative_to(folder).parts
    }


def rules(ran: Ran) -> dict[str, str]:
    return {row["rule"]: row["holds"] for row in ran.rows("checklist")}


def registry() -> list[str]:
    seed = ROOT / "seeds" / "ref_checklist_rules.csv"
    with seed.open(encoding="utf-8", newline="") as stream:
        return [row["rule_name"] for row in csv.DictReader(stream)]


def test_the_clean_period_closes(clean: Ran) -> None:
    assert clean.stderr == ""
    assert clean.exit_code == 0, clean.stdout
    assert "every rule holds" in clean.stdout
    assert rules(clean) == dict.fromkeys(registry(), "true")
    assert {row["severity"] for row in clean.rows("exceptions")} <= {"warning"}


def test_the_bad_day_is_blocked_and_everything_is_written(bad_day: Ran, clean: Ran) -> None:
    assert bad_day.stderr == ""
    assert bad_day.exit_code == 1, bad_day.stdout
    failing = [rule for rule, holds in rules(bad_day).items() if holds == "false"]
    assert failing
    for rule in failing:
        assert f"  {rule}  " in bad_day.stdout
    assert "Checks of the warehouse that fail" not in bad_day.stdout
    assert "disagree" not in bad_day.stdout
    assert tree(bad_day.package).keys() == tree(clean.package).keys()


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_the_columns_that_finance_receives(name: str, clean: Ran, bad_day: Ran) -> None:
    assert clean.header(name) == HEADERS[name].split()
    assert bad_day.header(name) == HEADERS[name].split()


@pytest.mark.parametrize("name", sorted(ARTIFACT_COLUMNS))
def test_the_finance_artifacts_have_their_columns(name: str, clean: Ran) -> None:
    assert set(clean.header(name)) >= set(ARTIFACT_COLUMNS[name].split())


@pytest.mark.parametrize("sample", ["clean", "bad_day"])
def test_the_notation_of_what_is_published(sample: str, request: pytest.FixtureRequest) -> None:
    ran: Ran = request.getfixturevalue(sample)
    for path in ran.package.glob("*.csv"):
        text = path.read_bytes()
        assert not text.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in text
        for row in ran.rows(path.stem):
            for column, value in row.items():
                if value and column.endswith("_at"):
                    assert TIMESTAMP.fullmatch(value), (path.name, column, value)
                if value and column.endswith(("_amount", "_net")):
                    assert AMOUNT.fullmatch(value), (path.name, column, value)


@pytest.mark.parametrize("sample", ["clean", "bad_day"])
def test_the_manifest_agrees_with_the_files(sample: str, request: pytest.FixtureRequest) -> None:
    ran: Ran = request.getfixturevalue(sample)
    manifest = json.loads((ran.package / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["close"]["close_date"] == CLOSE_DATE
    assert manifest["verdict"]["holds"] is (ran.exit_code == 0)
    outputs = {entry["file"]: entry for entry in manifest["outputs"]}
    assert {*outputs, "manifest.json"} == set(files(ran.package))
    for name, entry in outputs.items():
        data = (ran.package / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["size_bytes"] == len(data)
        if name.endswith(".csv"):
            assert entry["rows"] == len(ran.rows(name.removesuffix(".csv")))
    for entry in manifest["inputs"]:
        data = (ROOT / "samples" / sample / entry["path"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["control_totals"]
    assert verify(ran.package).problems == []


def test_dashboards_get_typed_values(clean: Ran) -> None:
    kinds = {}
    with duckdb.connect() as connection:
        for path in sorted((clean.package / "parquet").iterdir()):
            rows = connection.execute(f"describe from read_parquet('{path}')").fetchall()
            kinds |= {f"{path.stem}.{row[0]}": row[1] for row in rows}
            codecs = connection.execute(
                f"select distinct compression from parquet_metadata('{path}')"
            ).fetchall()
            # A mart without rows has nothing that is compressed.
            assert codecs in ([("ZSTD",)], [])
    assert {name.partition(".")[0] for name in kinds} == {
        *("close_checklist", "fct_balance_entries", "fct_balances", "fct_close_trend"),
        *("fct_conservation", "fct_exceptions", "fct_finding_history", "fct_reconciliation"),
    }
    assert not {kind for kind in kinds.values() if kind in {"DOUBLE", "FLOAT", "TIMESTAMP"}}
    assert kinds["fct_reconciliation.source_amount"] == "DECIMAL(38,18)"
    assert kinds["fct_reconciliation.created_at"] == "TIMESTAMP WITH TIME ZONE"
    assert kinds["fct_exceptions.opened_on"] == "DATE"
    # How often a date was closed, and in how many loads its files landed, would change the bytes of
    # the same close.
    assert not {"fct_close_trend.run_number", "fct_exceptions.row_order"} & kinds.keys()


def test_conservation_holds_for_every_export(bad_day: Ran) -> None:
    rows = bad_day.rows("conservation")
    assert len(rows) == 8
    for row in rows:
        parts = ("staged", "duplicates", "superseded", "quarantined")
        assert int(row["landed"]) == sum(int(row[part]) for part in parts)


def test_every_movement_is_in_exactly_one_row(clean: Ran, bad_day: Ran) -> None:
    for ran in (clean, bad_day):
        keys = [
            (row["environment"], row["partner_id"], row["movement_id"], row["transact_id"])
            for row in ran.rows("reconciliation")
        ]
        assert keys
        assert len(keys) == len(set(keys))


def test_a_person_is_told_what_to_look_at_first(bad_day: Ran) -> None:
    """Of every asset the largest amount of the findings that block, as in exceptions.csv."""
    blocking = [row for row in bad_day.rows("exceptions") if row["severity"] == "blocking"]
    largest: dict[str, Decimal] = {}
    for row in blocking:
        if row["amount_at_risk"]:
            amount = Decimal(row["amount_at_risk"])
            largest[row["asset"]] = max(amount, largest.get(row["asset"], amount))
    text = bad_day.stdout
    shown = text[text.index("Look at these first") : text.index("\nNext")]
    told = re.findall(r"^ +([0-9.]+) ([A-Z]+)  (?=\S)", shown, re.MULTILINE)
    assert {asset: Decimal(amount) for amount, asset in told} == largest
    counted = sum(int(n) for n in re.findall(r"and ([0-9]+) more (?:blocking )?finding", shown))
    assert counted + len(re.findall(r"  new  \S", shown)) == len(blocking)


def test_the_commands_that_come_next_run(bad_day: Ran, tmp_path: Path) -> None:
    lines = bad_day.stdout[bad_day.stdout.index("\nNext") :].splitlines()[3:]
    commands = [shlex.split(line)[1:] for line in lines]
    assert [words[0] for words in commands] == ["trace", "approve"]
    for words in commands:
        if words[0] == "approve":
            words += ["--register", str(tmp_path / "register.csv")]
        ran = pool_recon(*words, out=tmp_path)
        assert (ran.exit_code, ran.stderr) == (0, ""), words


def test_the_doctor_knows_the_last_close(clean: Ran, tmp_path: Path) -> None:
    warehouse = clean.out / "pool_recon.duckdb"
    exports = ("--exports", ROOT / "samples" / "clean")
    ran = pool_recon("doctor", *exports, "--warehouse", warehouse, "--json", out=tmp_path)
    assert (ran.exit_code, ran.stderr) == (0, "")
    checks = {check["subject"]: check["finding"] for check in json.loads(ran.stdout)["checks"]}
    assert f"last closed for {CLOSE_DATE}" in checks["warehouse"]
    landed = {row["export"]: row["landed"] for row in clean.rows("conservation")}
    for export, rows in landed.items():
        assert checks[f"export {export}"].startswith(f"{int(rows):,} row")
    assert list(tmp_path.iterdir()) == []


def test_closing_again_gives_the_same_bytes(clean: Ran, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(clean.out, out)
    again = close(ROOT / "samples" / "clean", out)
    assert again.exit_code == 0, again.stderr
    assert "nothing new" in again.stdout
    assert tree(again.package) == tree(clean.package)


@pytest.mark.parametrize("file_name", ["ledger.csv", "funding.jsonl"])
def test_unreadable_exports_change_nothing(file_name: str, clean: Ran, tmp_path: Path) -> None:
    exports, out = tmp_path / "exports", tmp_path / "out"
    shutil.copytree(ROOT / "samples" / "clean", exports)
    shutil.copytree(clean.out, out)
    before = tree(out)
    (exports / file_name).write_bytes(b"\xff\xfe broken")
    ran = close(exports, out)
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    assert file_name in ran.stderr
    assert tree(out) == before


def test_dbt_runs_by_itself_on_a_loaded_warehouse(tmp_path: Path) -> None:
    """With settings of its own, on which no unit test of a model depends."""
    warehouse = tmp_path / "w.duckdb"
    settings = "default_environment: test, default_partner: somebody" + "".join(
        f", {limit}_seconds: 172800"
        for limit in ("grace_period", "settlement_limit", "processing_limit")
    )
    environment = clean_environment() | {
        "POOL_RECON_WAREHOUSE": str(warehouse),
        "POOL_RECON_TIME_ZONE": "Pacific/Kiritimati",
        "DBT_TARGET_PATH": str(tmp_path / "target"),
        "DBT_LOG_PATH": str(tmp_path / "logs"),
        "DBT_LOG_LEVEL_FILE": "none",
    }

    def dbt(*command: str, close_date: object = CLOSE_DATE) -> tuple[int, str]:
        folders = ("--project-dir", str(ROOT), "--profiles-dir", str(ROOT))
        variables = f"{{close_date: {close_date}, {settings}}}"
        arguments = (*command, *folders, "--vars", variables, "--no-use-colors")
        done = run("dbt.cli.main", arguments, tmp_path, environment)
        return done.returncode, done.stdout

    exit_code, said = dbt("build")
    assert exit_code == 2, said
    assert (
        f"nothing has landed in {warehouse}: it has no table raw.files; run 'pool-recon lo" in said
    )
    exports = ("--exports", ROOT / "samples" / "clean")
    loaded = pool_recon("load", *exports, "--warehouse", warehouse, out=tmp_path)
    assert loaded.exit_code == 0, loaded.stderr
    # The build has run the unit tests.
    for command in (["build"], ["test", "--exclude-resource-type", "unit_test"]):
        exit_code, said = dbt(*command)
        assert exit_code == 0, said
        assert "ERROR=0" in said
    # Models of two dates would make a close that never was.
    exit_code, said = dbt("run", "--select", "int_events_in_force+", close_date="2026-06-29")
    assert exit_code == 2, said
    assert "was built for the close of 2026-06-30 in Pacific/Kiritimati" in said
    # What a build found of the rules is not what is tested by day.
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "delete from intermediate.int_ledger_entries_joined where joined_transact_id ="
            " (select min(transact_id) from intermediate.int_trades_reconciled"
            " where effective_status = 'settled')"
        )
    for command in (["test"], ["build"]):
        exit_code, said = dbt(*command, "--select", "assert_terminal_trades_have_ledger_entries")
        assert exit_code == 1, said
        assert " ERROR=1 " in said
