"""The simulator against independent readings: Python's own decimals, and the oracle."""

from __future__ import annotations

import csv
import gzip
import hashlib
import shlex
import shutil
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pool_recon.errors import CloseError
from pool_recon.reference import project_dir
from pool_recon.simulate import SimulationSummary, fault_codes, simulate
from pool_recon.simulate.run import EXPECTED_FINDINGS_FILE, FILE_FORMATS
from tests.oracle.oracle import OracleResult, close
from tests.unit.cli_support import run

START = date(2026, 6, 1)
DAYS = 4

Rows = list[dict[str, str]]


def seed_rows(name: str) -> Rows:
    with (project_dir() / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read(folder: Path, export: str) -> Rows:
    """All rows of an export, in load order, each with the date of its file."""
    rows: Rows = []
    for path in sorted((folder / export).iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            rows += [{**row, "_date": path.name[:10]} for row in csv.DictReader(file)]
    return rows


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def keys(result: OracleResult) -> set[tuple[str, str, str]]:
    return {(code, kind, subject) for code, _, _, kind, subject, _ in result.findings}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "clean"
    simulate(out, orders=250, days=DAYS, seed=11, start=START)
    return out


# --- the same arguments, the same bytes -----------------------------------------------------


def test_same_arguments_give_same_bytes_in_every_format(tmp_path: Path) -> None:
    formats = dict(
        zip(("orders", "quotes", "trades", "events", "ledger"), FILE_FORMATS, strict=True)
    )
    of_files = {f"{export}/2026-06-01": form for export, form in formats.items()}
    for name, seed in (("first", 3), ("second", 3), ("other", 4)):
        summary = simulate(tmp_path / name, orders=60, days=2, seed=seed, faults=["status_lag"],
                           file_formats=of_files)  # fmt: skip
    first, second, other = (digests(tmp_path / name) for name in ("first", "second", "other"))
    assert first == second
    assert first.keys() == other.keys() == {*summary.files, EXPECTED_FINDINGS_FILE}
    for export, form in formats.items():
        name = f"{export}/2026-06-01.{form}"
        assert first[name] != other[name]


def test_summary_counts_rows_and_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    summary = simulate(out, orders=50, days=3, seed=5)
    assert sorted(summary.files) == sorted(digests(out))
    assert summary.rows == {export: len(read(out, export)) for export in summary.rows}
    assert summary.faults == ()
    assert len(summary.files) == 8 * 3


# --- structure --------------------------------------------------------------------------------


def test_rows_stand_in_the_file_of_their_day(clean: Path) -> None:
    moment = {
        "orders": "updated_at", "trades": "updated_at", "events": "received_at",
        "ledger": "effective_at", "pools": "seen_at",
    }  # fmt: skip
    for export, column in moment.items():
        rows = read(clean, export)
        assert {row["_date"] for row in rows} == {
            (START + timedelta(days)).isoformat() for days in range(DAYS)
        }
        assert all(row[column][:10] == row["_date"] for row in rows), export


def test_versions_of_orders_and_trades_move_forward(clean: Path) -> None:
    steps = {
        "orders": ("partner_order_id", "product_state", {
            ("created", "processing"), ("created", "completed"), ("created", "failed"),
            ("created", "cancelled"), ("created", "abandoned"), ("created", "expired"),
            ("processing", "completed"), ("processing", "failed"), ("processing", "cancelled"),
            ("completed", "refunded"),
        }),
        "trades": ("transact_id", "status", {
            ("reserved", "settled"), ("reserved", "failed"), ("reserved", "released"),
            ("settled", "returned"),
        }),
    }  # fmt: skip
    for export, (key, state, legal) in steps.items():
        versions = defaultdict(list)
        for row in read(clean, export):
            versions[row[key]].append(row)
        seen = {
            (before[state], after[state])
            for rows in versions.values()
            for before, after in pairwise(rows)
        }
        assert seen <= legal, export
        assert len(seen) > 2, export
        over_midnight = [rows for rows in versions.values() if len({r["_date"] for r in rows}) > 1]
        assert over_midnight, export
        for rows in versions.values():
            assert [r["updated_at"] for r in rows] == sorted(r["updated_at"] for r in rows)


def test_balances_chain_and_never_fall_below_zero(clean: Path) -> None:
    owner = {row["quote_id"]: row for row in read(clean, "quotes")}
    quote_of = {row["transact_id"]: row["quote_id"] for row in read(clean, "trades")}
    plus = {"payin_credit", "funding_credit", "buy_refund", "sell_refund", "trade_release",
            "trade_return", "return_credit", "adjustment"}  # fmt: skip
    accounts = defaultdict(list)
    for row in read(clean, "ledger"):
        named = row["quote_id"] or quote_of.get(row["transact_id"]) or row["ledger_ref"]
        quote = owner.get(quote_of.get(named, named), {})
        environment = row["environment"] or quote["environment"]
        partner = row["partner_id"] or quote["partner_id"]
        accounts[environment, partner, row["asset"]].append(row)

    assert {environment for environment, _, _ in accounts} == {"live", "test"}
    closing: dict[tuple[str, str, str, str], Decimal] = {}
    for account, rows in accounts.items():
        rows.sort(key=lambda r: (r["effective_at"], int(r["entry_seq"]), r["ledger_entry_id"]))
        assert [int(row["entry_seq"]) for row in rows] == list(range(1, len(rows) + 1))
        balance = Decimal(0)
        for row in rows:
            if row["entry_type"] == "trade_settle":
                assert row["balance_after"] in ("settled", "")
                continue
            amount = Decimal(row["amount"])
            balance += amount if row["entry_type"] in plus else -abs(amount)
            assert Decimal(row["balance_after"]) == balance
            assert balance >= 0
            closing[*account, row["_date"]] = balance
    reported = read(clean, "balances")
    assert reported
    for row in reported:
        account = (row["environment"], row["partner_id"], row["asset"])
        assert row["as_of"][:10] == (date.fromisoformat(row["_date"]) + timedelta(1)).isoformat()
        days = [day for *of, day in closing if tuple(of) == account and day <= row["_date"]]
        assert Decimal(row["balance"]) == closing[*account, max(days)]


def test_targets_are_source_times_rate_in_minor_units(clean: Path) -> None:
    scale = {row["asset"]: int(row["minor_unit"]) for row in seed_rows("ref_assets")}
    digits = set()
    with localcontext() as context:
        context.prec = 60
        for row in read(clean, "quotes"):
            if not row["target_asset"]:
                continue
            unit = Decimal(1).scaleb(-scale[row["target_asset"]])
            target = Decimal(row["source_amount"]) * Decimal(row["rate"])
            assert Decimal(row["target_amount"]) == target.quantize(unit, ROUND_HALF_UP)
            assert -Decimal(row["source_amount"]).as_tuple().exponent == scale[row["source_asset"]]
            digits.add(scale[row["source_asset"]])
    assert digits == {2, 6, 18}


def test_every_kind_of_movement_occurs(tmp_path: Path) -> None:
    simulate(tmp_path / "out", orders=2000, days=2, seed=1)
    orders, trades, events, ledger = (
        read(tmp_path / "out", name) for name in ("orders", "trades", "events", "ledger")
    )
    assert {row["status"] for row in trades} == {
        "reserved", "settled", "failed", "released", "returned"
    }  # fmt: skip
    assert {row["source"] for row in events} == {"webhook", "status_read"}
    assert len(events) > len({row["event_id"] for row in events})
    assert {row["side"] for row in orders} == {"on_ramp", "off_ramp", ""}
    assert len({row["pool_id"] for row in orders}) >= 6
    assert any(row["idempotency_key"].endswith(":accept:v2") for row in trades)
    counts = {name: len({row[key] for row in rows}) / 2000 for name, key, rows in (
        ("trades", "transact_id", trades), ("events", "event_id", events),
        ("ledger", "ledger_entry_id", ledger),
    )}  # fmt: skip
    assert 0.92 < counts["trades"] < 0.98
    assert 1.8 < counts["events"] < 2.0
    assert 1.8 < counts["ledger"] < 2.0


# --- clean is clean, and a fault is what it says ----------------------------------------------


def test_clean_set_has_no_finding_on_any_day(clean: Path, tmp_path: Path) -> None:
    so_far = tmp_path / "so_far"
    for number in range(DAYS):
        day = START + timedelta(number)
        for path in clean.glob(f"*/{day.isoformat()}.csv"):
            (so_far / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, so_far / path.parent.name)
        on_the_day, later = close(so_far, day), close(clean, day)
        assert keys(on_the_day) == keys(later) == set()
        assert on_the_day.movements == later.movements
        assert on_the_day.balances == later.balances
        assert all(holds for holds, _, _ in on_the_day.checklist.values())


@pytest.mark.parametrize(("orders", "days"), [(1, 1), (2, 5)])
def test_smallest_sets_are_clean(tmp_path: Path, orders: int, days: int) -> None:
    simulate(tmp_path / "out", orders=orders, days=days, seed=1, start=START)
    assert keys(close(tmp_path / "out", START + timedelta(days - 1))) == set()


def test_every_finding_code_is_a_fault() -> None:
    assert sorted(fault_codes()) == sorted(row["code"] for row in seed_rows("ref_findings"))


def fault_run(out: Path, *faults: str, seed: int = 1) -> tuple[SimulationSummary, OracleResult]:
    summary = simulate(out, orders=420, days=3, seed=seed, start=START, faults=faults)
    return summary, close(out, START + timedelta(2))


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 12))]
)
def test_all_faults_raise_exactly_what_is_expected(tmp_path: Path, seed: int) -> None:
    summary, result = fault_run(tmp_path / "out", "all", seed=seed)
    assert keys(result) == set(summary.faults)
    assert len(set(summary.faults)) == len(summary.faults)
    assert {code for code, _, _ in summary.faults} == set(fault_codes())
    with (tmp_path / "out" / "_expected_findings.csv").open(encoding="utf-8") as file:
        written = [tuple(row.values()) for row in csv.DictReader(file)]
    assert written == list(summary.faults)


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares DuckDB what pays only where there are many rows, and is no part of what is tested."""
    connect = duckdb.connect

    def in_memory(_file: str, **options: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(**options)
        connection.execute("set threads = 1; pragma disable_optimizer")
        return connection

    monkeypatch.setattr(duckdb, "connect", in_memory)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("code", fault_codes())
def test_each_fault_alone_raises_its_own_finding_only(tmp_path: Path, code: str) -> None:
    summary = simulate(
        tmp_path / "out", orders=24, days=2, seed=4, start=START, faults=[f"{code}:2"]
    )
    assert keys(close(tmp_path / "out", START + timedelta(1))) == set(summary.faults)
    assert [fault[0] for fault in summary.faults] == [code, code]


def test_faults_combine_and_count(tmp_path: Path) -> None:
    summary = simulate(
        tmp_path / "out", orders=40, days=2, seed=4,
        faults=["missing_webhook:2, orphan_event", "unknown_entry_type:1"],
    )  # fmt: skip
    codes = [code for code, _, _ in summary.faults]
    assert [codes.count(code) for code in sorted(set(codes))] == [2, 3, 1]


# --- bad arguments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"orders": 0}, "at least 1"),
        ({"days": 0}, "at least 1"),
        ({"start": date(9999, 12, 31), "days": 2}, "calendar"),
        ({"file_format": "xlsx"}, "xlsx"),
        ({"faults": ["missing_weebhook"]}, "unknown fault 'missing_weebhook'"),
        ({"faults": ["missing_webhook:0"]}, "count of 1 or more"),
        ({"faults": ["missing_webhook:x"]}, "count of 1 or more"),
        ({"faults": ["missing_webhook:"]}, "count of 1 or more"),
        ({"faults": ["documented_column_absent:3"]}, "2 times at most"),
        ({"faults": ["private_field_exposed:7"]}, "6 times"),
        ({"faults": ["all"]}, "too few"),
        ({"faults": ["orphan_event"], "days": 1}, "2 or more"),
    ],
)
def test_bad_arguments_are_one_line(
    tmp_path: Path, arguments: dict[str, object], words: str
) -> None:
    settings: dict[str, object] = {"orders": 10, "days": 2, "seed": 1, **arguments}
    with pytest.raises(CloseError, match=words) as caught:
        simulate(tmp_path / "out", **settings)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CloseError, match="not an empty folder"):
        simulate(tmp_path, orders=1, days=1, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CloseError, match="could not be written"):
        simulate(tmp_path / "file" / "out", orders=1, days=1, seed=1)


@pytest.mark.parametrize("is_scratch", [False, True])
def test_a_full_disk_is_one_line(
    is_scratch: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))

    def full(connection: duckdb.DuckDBPyConnection, *_: object) -> None:
        ((_, _, file),) = connection.execute("pragma database_list").fetchall()
        place = f"{file}.wal" if is_scratch else tmp_path / "e" / "orders.csv"
        message = f'Could not write file "{place}": No space left on device'
        if is_scratch:
            raise duckdb.TransactionException(f"Failed to commit: {message}")
        raise duckdb.IOException(f'Async write failed: {{"exception_message":"{message}"}}')

    monkeypatch.setattr("pool_recon.simulate.run.create_movements", full)
    with pytest.raises(CloseError) as stopped:
        simulate(tmp_path / "e", orders=3, days=1, seed=1)
    assert str(stopped.value) == (
        f"simulate: no space is left in {scratch}: make room there, or name another folder for "
        "temporary files with TMPDIR"
        if is_scratch
        else f"simulate: no space is left in {tmp_path / 'e'}: make room there, or choose another "
        "--out"
    )


def test_the_command_to_close_them_can_be_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sp ace" / "it's"
    assert run("simulate", "--orders", 1, "--days", 1, "--start", START, "--out", out) == 0
    *_, command = capsys.readouterr().out.splitlines()
    assert shlex.split(command) == [
        *("pool-recon", "close", "--exports", str(out), "--close-date", str(START)),
    ]


# --- file formats ---------------------------------------------------------------------------------


def test_formats_hold_the_same_rows(tmp_path: Path) -> None:
    for file_format in ("csv", "csv.gz", "jsonl", "parquet"):
        simulate(tmp_path / file_format, orders=30, days=1, seed=2, file_format=file_format)
    plain = (tmp_path / "csv" / "ledger" / "2026-06-01.csv").read_bytes()
    packed = gzip.decompress((tmp_path / "csv.gz" / "ledger" / "2026-06-01.csv.gz").read_bytes())
    assert packed == plain
    with duckdb.connect() as connection:
        lines, columns = (
            connection.execute(f"select * from '{tmp_path / name}'").fetchall()
            for name in ("jsonl/trades/2026-06-01.jsonl", "parquet/trades/2026-06-01.parquet")
        )
        kinds = connection.execute(
            f"describe select * from '{tmp_path / 'parquet/trades/2026-06-01.parquet'}'"
        ).fetchall()
    assert len(lines) == len(columns) == len(read(tmp_path / "csv", "trades"))
    assert {kind for _, kind, *_ in kinds} == {"VARCHAR"}


def test_moments_are_read_by_python(clean: Path) -> None:
    for row in read(clean, "events"):
        assert datetime.fromisoformat(row["received_at"]).utcoffset() == timedelta(0)
