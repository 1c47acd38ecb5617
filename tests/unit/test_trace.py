"""How the support packet writes amounts, moments and hostile text, and what it needs to load."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from pool_recon.errors import CloseError
from pool_recon.trace import Missing, balance_text, printable, trace_text
from pool_recon.trace.balance import _moment, explain_balance
from pool_recon.trace.reader import Reader, moment_text, wanted_id


@pytest.fixture
def reader() -> Reader:
    return Reader(
        duckdb.connect(),
        date(2026, 6, 30),
        datetime(2026, 6, 30, 22),
        "Europe/Berlin",
        "live",
        "default",
        {"EUR": 2, "JPY": 0, "ETH": 18},
    )


@pytest.mark.parametrize(
    ("value", "asset", "expected"),
    [
        ("100.000000000000000000", "EUR", "100.00"),
        ("-0.100000000000000000", "EUR", "-0.10"),
        ("0.001000000000000000", "EUR", "0.001"),
        ("5.000000000000000000", "JPY", "5"),
        ("5.500000000000000000", "XAU", "5.5"),
        ("5.000000000000000000", None, "5"),
        (
            "99999999999999999999.999999999999999999",
            "ETH",
            "99999999999999999999.999999999999999999",
        ),
        ("0E-18", "EUR", "0.00"),
    ],
)
def test_amounts_are_exact_in_the_scale_of_the_asset(
    value: str, asset: str | None, expected: str, reader: Reader
) -> None:
    assert reader.amount(Decimal(value), asset) == expected
    assert reader.amount(None, asset) is None


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A warehouse of a close of 30 June 2026 in which the balance of BIG moved."""
    warehouse = tmp_path / "w.duckdb"
    entries = (
        ("1", "2026-06-29", "adjustment", "-99999999999999999999", "-99999999999999999999"),
        ("2", "2026-06-30", "adjustment", "99999999999999999999", "0"),
        ("3", "2026-06-30", "adjustment", "0.000000000000000001", "0.000000000000000001"),
        ("4", "2026-06-30", "funding", "99999999999999999999", f"{'9' * 20}.{'0' * 17}1"),
    )
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema intermediate; create schema marts")
        connection.execute(
            "create table intermediate.int_close as select date '2026-06-30' as close_date,"
            " timestamp '2026-07-01' as cut_off_at, 'UTC' as business_time_zone,"
            " 'live' as default_environment, 'default' as default_partner;"
            "create table intermediate.int_assets as select 'BIG' as asset, 2 as minor_unit;"
            "create table intermediate.int_balances_reconciled (environment text, partner_id text,"
            " asset text, as_of timestamp, balance decimal(38, 18),"
            " other_balances text, ledger_balance decimal(38, 18), row_order integer);"
            "create table marts.fct_exceptions (row_order integer, exception_id text, code text,"
            " severity text, approval text, subject_type text, environment text, partner_id text,"
            " asset text);"
            "create table marts.fct_reconciliation (movement_id text);"
            "create table marts.fct_balance_entries (entry_position integer, environment text,"
            " partner_id text, asset text, effective_at timestamp, ledger_entry_id text,"
            " entry_type text, entry_class text, delta decimal(38, 18),"
            " ledger_balance decimal(38, 18), stated_balance decimal(38, 18),"
            " joined_transact_id text, joined_quote_id text, joined_partner_order_id text,"
            " funding_reference text);"
            "create table marts.fct_balances as"
            " select 'live' as environment, 'p' as partner_id, 'BIG' as asset"
        )
        connection.executemany(
            "insert into marts.fct_balance_entries by name select $1::integer as entry_position,"
            " 'live' as environment, 'p' as partner_id, 'BIG' as asset,"
            " $2::timestamp as effective_at, $3 as entry_class, $4::decimal(38, 18) as delta,"
            " $5::decimal(38, 18) as ledger_balance",
            entries,
        )
    return warehouse


def explained(warehouse: Path, end: str) -> dict[str, Any]:
    found = explain_balance(
        warehouse, partner="p", asset="BIG", environment="live", begin="2026-06-30", end=end
    )
    assert isinstance(found, dict)
    return found


def test_a_balance_is_explained_to_the_last_digit(closed: Path) -> None:
    found = explained(closed, "2026-07-01")
    assert found["difference"] == "199999999999999999998.000000000000000001"
    assert [by["delta"] for by in found["by_class"]] == [
        "99999999999999999999.000000000000000001",
        "99999999999999999999.00",
    ]


def test_a_balance_is_found_with_blanks_around_its_names(closed: Path) -> None:
    moments = {"begin": "2026-06-30", "end": "2026-07-01"}
    names = {"partner": "p\n", "asset": " BIG\t", "environment": " Live"}
    found = explain_balance(closed, **names, **moments)
    assert found == explained(closed, "2026-07-01")
    # Assets are told apart by case, as ids are.
    for other in ({"asset": "big"}, {"partner": "P"}, {"environment": "test"}):
        assert isinstance(explain_balance(closed, **names | other, **moments), Missing)


def test_of_an_unknown_partner_the_known_ones_are_named(closed: Path) -> None:
    def missing(**given: str) -> Missing:
        names = {"partner": "p", "asset": "BIG", "environment": "live"} | given
        found = explain_balance(closed, **names, begin="2026-06-30", end="2026-07-01")
        assert isinstance(found, Missing)
        return found

    found = missing(partner="P ")
    assert found.message.startswith("partner P has no balance of BIG in live in the close of")
    assert (found.label, found.nearest) == ("known partner", ("p",))
    found = missing(asset="big")
    assert (found.label, found.nearest) == ("it has", ("BIG in live",))
    with duckdb.connect(str(closed)) as connection:
        connection.execute(
            "insert into marts.fct_balances select 'live', 'partner ' || i, 'BIG'"
            " from range(20) as many(i)"
        )
    nearest = missing(partner="Partner 1x").nearest
    assert nearest[0] == "partner 1"
    assert len(nearest) == 5


def test_a_balance_after_the_cut_off_is_not_known(closed: Path) -> None:
    for end in ("2026-07-02", "2026-07-01T00:00:00.000001Z", "2026-06-30T23:30:00-01:00"):
        with pytest.raises(CloseError) as refused:
            explained(closed, end)
        assert str(refused.value) == (
            f"--to {end} is after the cut-off 2026-07-01T00:00:00Z of the close of 2026-06-30, "
            "which knows no later entry: give an earlier one, or close a later date"
        )


def test_a_balance_says_of_which_close_it_is(closed: Path) -> None:
    found = explained(closed, "2026-07-01")
    assert found["cut_off_at"] == "2026-07-01T00:00:00Z"
    head = click.unstyle(balance_text(found)[0])
    assert head.endswith(
        ", from 2026-06-30T00:00:00Z to 2026-07-01T00:00:00Z, in the close of 2026-06-30 "
        "(cut-off 2026-07-01T00:00:00Z)"
    )


def test_half_a_build_is_not_read(closed: Path) -> None:
    begun = ("findings_of_events", "findings_of_trades", "fct_exceptions", "close_checklist")
    with duckdb.connect(str(closed)) as connection:
        connection.execute(
            "create table intermediate.unfinished_models as select $1 as unique_ids",
            [" ".join(f"model.pool_recon.{model}" for model in begun)],
        )
    with pytest.raises(CloseError) as refused:
        explained(closed, "2026-07-01")
    assert str(refused.value) == (
        f"the warehouse {closed} is half built: dbt has still to build findings_of_events, "
        "findings_of_trades, fct_exceptions, ...; run 'dbt build' or 'pool-recon close' with it "
        "again"
    )


def test_moments_are_published_in_utc() -> None:
    assert moment_text(datetime(2026, 6, 30, 1, 2, 3)) == "2026-06-30T01:02:03Z"
    assert moment_text(datetime(2026, 6, 30, 1, 2, 3, 45)) == "2026-06-30T01:02:03.000045Z"
    assert moment_text(datetime(987, 6, 30, 1, 2, 3)) == "0987-06-30T01:02:03Z"
    assert moment_text(datetime(1, 1, 1, 0, 0, 0, 500000)) == "0001-01-01T00:00:00.500000Z"
    assert moment_text(None) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-30", datetime(2026, 6, 29, 22)),
        ("2026-01-01", datetime(2025, 12, 31, 23)),
        ("2026-06-30T10:00", datetime(2026, 6, 30, 10)),
        ("2026-06-30 10:00:00.25Z", datetime(2026, 6, 30, 10, 0, 0, 250000)),
        ("2026-06-30T10:00:00+02:00", datetime(2026, 6, 30, 8)),
        ("2026-06-30T10:00:00-0530", datetime(2026, 6, 30, 15, 30)),
        ("2026-06-30T10:00:00+02", datetime(2026, 6, 30, 8)),
    ],
)
def test_a_moment_is_read_as_exports_write_it(
    text: str, expected: datetime, reader: Reader
) -> None:
    assert _moment(reader, text, "--from") == expected


@pytest.mark.parametrize(
    "text", ["", "10:00", "2026-6-30", "20260630", "2026-06-30T24:00", "2026-06-30T10:00:60Z"]
)
def test_what_is_no_moment_says_so(text: str, reader: Reader) -> None:
    with pytest.raises(CloseError, match="--to"):
        _moment(reader, text, "--to")


def test_an_empty_id_says_so() -> None:
    assert wanted_id(" txn_1\n") == "txn_1"
    with pytest.raises(CloseError, match="ID is empty"):
        wanted_id("  ")


def test_an_id_is_trimmed_as_those_of_the_exports_are() -> None:
    assert wanted_id(" \t\n\v\f\rtxn_1 \t\n\v\f\r") == "txn_1"
    for kept in ("\u00a0txn_1\u2003", "txn_1\x85", "\x1ctxn_1", "\u3000"):
        assert wanted_id(f" {kept}\n") == kept


def test_a_condition_on_one_value_or_several(reader: Reader) -> None:
    reader.connection.execute("create table ids as select unnest(['a', 'b', 'c']) as id")
    assert reader.rows_with("ids", "id", {"b"}) == [{"id": "b"}]
    assert reader.rows_with("ids", "id", {"a", "c", "x'"}) == [{"id": "a"}, {"id": "c"}]
    assert reader.rows_with("ids", "id", set()) == []


@pytest.mark.parametrize(
    "hostile", ["\x1b[31mred", "a\nb", "a\rb", "a\u202eb", "a\x9bb", "a\u2028b"]
)
def test_an_id_cannot_act_on_the_terminal(hostile: str) -> None:
    packet: dict[str, Any] = {
        "id": hostile,
        "matched_as": ["event_id"],
        "close_date": "2026-06-30",
        "cut_off_at": "2026-07-01T00:00:00Z",
        "movement_count": 0,
        "movements": [],
        "funding": [],
        "unjoined": [
            {
                "record_type": "event",
                "record_id": hostile,
                "environment": "live",
                "partner_id": hostile,
                "reason": "joins_to_no_movement",
                "quarantine_reasons": [],
                "timeline": [],
                "findings": [],
                "records": [
                    {
                        "record_type": "event",
                        "record_id": hostile,
                        "rows": [{"row": "events.csv:1", "place": "in_force"}],
                    }
                ],
            }
        ],
    }
    assert "?" in printable(hostile)
    text = click.unstyle("\n".join(trace_text(packet)))
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text.split("\n")) == 11


def test_it_loads_no_more_than_duckdb_and_click() -> None:
    code = (
        "import sys; from pool_recon.cli import _run;"
        "code = _run(['trace', 'x', '--warehouse', 'no']);"
        "heavy = {'dbt', 'pandas', 'numpy', 'pyarrow', 'great_expectations', 'pool_recon.loader'};"
        "heavy &= set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy or code != 2 else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
