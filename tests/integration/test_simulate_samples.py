"""The samples in the repository are what the simulator makes, and close as their page says."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pool_recon.reference import project_dir
from pool_recon.simulate import fault_codes
from pool_recon.simulate.samples import main
from tests.oracle.oracle import OracleResult, close

SAMPLES = project_dir() / "samples"
CLOSE_DATE = date(2026, 6, 30)


def contents(folder: Path) -> dict[str, object]:
    """The files below a folder; packed ones unpacked, because packers differ in bytes."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".parquet":
            with duckdb.connect() as connection:
                found[name] = connection.execute(f"select * from '{path}'").fetchall()
        elif path.suffix == ".gz":
            found[name] = gzip.decompress(path.read_bytes())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def closed(folder: Path, scratch: Path) -> OracleResult:
    """The oracle's close, parquet files given to it as CSV."""
    copy = scratch / folder.name
    shutil.copytree(folder, copy)
    for path in copy.rglob("*.parquet"):
        with duckdb.connect() as connection:
            connection.execute(
                f"copy (select * from '{path}') to '{path.with_suffix('.csv')}'"
                " (format csv, header true)"
            )
        path.unlink()
    return close(copy, CLOSE_DATE)


def test_the_command_writes_the_committed_samples_in_place_of_old_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clean" / "orders").mkdir(parents=True)
    (tmp_path / "clean" / "orders" / "old.csv").write_text("old")
    assert main([str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    for name in ("clean", "bad_day"):
        assert contents(tmp_path / name) == contents(SAMPLES / name)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> OracleResult:
    return closed(SAMPLES / "clean", tmp_path_factory.mktemp("clean"))


def test_clean_sample_closes_without_findings(clean: OracleResult) -> None:
    assert clean.findings == set()
    assert all(holds for holds, _, _ in clean.checklist.values())
    states = {row["reconciliation_state"] for row in clean.movements}
    assert states == {"matched", "open", "lapsed"}


def test_bad_day_shows_every_finding(tmp_path: Path) -> None:
    result = closed(SAMPLES / "bad_day", tmp_path)
    with (SAMPLES / "bad_day" / "_expected_findings.csv").open(encoding="utf-8") as file:
        expected = {tuple(row.values()) for row in csv.DictReader(file)}
    found = {(code, kind, subject) for code, _, _, kind, subject, _ in result.findings}
    assert found == expected
    assert {code for code, _, _ in expected} == set(fault_codes())


def test_documented_examples_reconcile(clean: OracleResult) -> None:
    rows = {row["movement_id"]: row for row in clean.movements}
    first, traced = rows["pt_test_456"], rows["pt_live_9A2"]
    assert (first["partner_order_id"], first["quote_id"], first["last_event_id"]) == (
        "order_123", "pq_test_123", "evt_789"
    )  # fmt: skip
    assert (first["fiat_amount"], first["crypto_amount"]) == ("100.00", "107.310000")
    assert traced["idempotency_key"] == "order_7841:accept:1"
    assert traced["ledger_entry_ids"] == "ledger_0pools_771;ledger_0pools_772"
    assert (traced["reserved_at"], traced["terminal_at"]) == (
        "2026-06-28T20:13:11Z", "2026-06-28T20:15:03Z"
    )  # fmt: skip
    lines = (SAMPLES / "clean" / "ledger" / "documents.jsonl").read_text(encoding="utf-8")
    stated = [json.loads(line)["balance_after"] for line in lines.splitlines()]
    assert stated[2:] == [
        "1000.00", "900.00", "1000.00", "750.00", "50000.00", "49900.00", "settled"
    ]  # fmt: skip


def test_samples_are_small() -> None:
    sizes = [path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()]
    assert sum(sizes) < 1_500_000
    assert max(sizes) < 500_000
