"""The analyses run on a closed warehouse and say what the findings say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fault_matrix import CLOSE_DATE
from tests.fault_matrix.dsl import AFTER, LAST_SECOND, Scenario, at, write
from tests.harness import Warehouse, compiled_project

Rows = list[dict[str, Any]]


def answer(warehouse: Warehouse, name: str) -> Rows:
    found = warehouse.connection.execute(compiled_project(CLOSE_DATE).analyses[name])
    columns = [column[0] for column in found.description or []]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def closed(warehouse: Warehouse, folder: Path, scenario: Scenario) -> Warehouse:
    warehouse.close(write(folder, [scenario]))
    return warehouse


def test_every_analysis_answers(warehouse: Warehouse, exports_folders: dict[str, Path]) -> None:
    warehouse.close(exports_folders["scenarios"])
    analyses = compiled_project(CLOSE_DATE).analyses
    assert analyses
    for name in analyses:
        assert answer(warehouse, name) or name == "columns_not_carried_on", name
    regressed = warehouse.connection.execute(
        "select partner_order_id from intermediate.int_orders_in_force where times_regressed > 0"
    ).fetchall()
    versions = answer(warehouse, "order_version_history")
    assert regressed
    assert {row["partner_order_id"] for row in versions if row["goes_back"]} == {
        order_id for (order_id,) in regressed
    }
    trades = answer(warehouse, "terminal_trades_without_ledger_entries")
    assert len(trades) == len({row["transact_id"] for row in trades})
    assert all(row["code"] for row in trades)


def test_a_trade_without_entries_is_one_row_with_the_finding_about_them(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    scenario = Scenario("late")
    for suffix in ("-never", "-to-come"):
        movement = scenario.movement(suffix)
        movement.trade["terminal_at"] = movement.event["occurred_at"] = LAST_SECOND
        movement.event |= {"received_at": AFTER, "processed_at": AFTER}
        if suffix == "-never":
            scenario.drop(movement.debit, movement.settle)
        movement.debit["effective_at"] = movement.settle["effective_at"] = AFTER
    warehouse = closed(warehouse, tmp_path, scenario)
    assert warehouse.findings() >= {
        ("missing_ledger_entry", "trade", "late-never-t"),
        ("cutoff_timing_difference", "trade", "late-never-t"),
        ("cutoff_timing_difference", "trade", "late-to-come-t"),
    }
    rows = answer(warehouse, "terminal_trades_without_ledger_entries")
    assert [(row["transact_id"], row["has_later_entry"], row["code"]) for row in rows] == [
        ("late-never-t", False, "missing_ledger_entry"),
        ("late-to-come-t", True, "cutoff_timing_difference"),
    ]


# By subject: severity, approval and amount of each of its findings.
RISKS: dict[str, list[tuple[str, str, str | None]]] = {
    "open": [("blocking", "none", "5"), ("warning", "none", "7"), ("blocking", "approved", "6")],
    "warned": [("blocking", "approved", "0.000000000000000001"), ("warning", "none", None)],
    "done": [("blocking", "approved", "10"), ("warning", "approved", "30")],
    "unknown": [("warning", "stale", None)],
}


def test_what_findings_are_about_is_at_risk_once(
    warehouse: Warehouse, exports_folders: dict[str, Path]
) -> None:
    warehouse.close(exports_folders["clean"])
    connection = warehouse.connection
    connection.execute("delete from marts.fct_exceptions")
    for subject, risks in RISKS.items():
        for severity, approval, amount in risks:
            connection.execute(
                "insert into marts.fct_exceptions by name select 'trade' as subject_type,"
                " $1 as subject_id, $1 as transact_id, 'EUR' as asset, $2 as severity,"
                " $3 as approval, $4::decimal(38, 18) as amount_at_risk",
                [subject, severity, approval, amount],
            )
    # an order of the same id is something else
    connection.execute(
        "insert into marts.fct_exceptions by name select 'order' as subject_type, 'open' as"
        " subject_id, 'open' as partner_order_id, 'EUR' as asset, 'blocking' as severity,"
        " 'none' as approval, 1::decimal(38, 18) as amount_at_risk"
    )
    rows = [tuple(row.values()) for row in answer(warehouse, "money_at_risk_by_asset")]
    assert rows == [
        ("EUR", "blocking", "approved", 2, 1, 0, Decimal(30), Decimal(40)),
        ("EUR", "blocking", "not approved", 4, 2, 0, Decimal(8), Decimal(19)),
        ("EUR", "warning", "not approved", 3, 2, 2, Decimal("1e-18"), Decimal("1e-18")),
    ]


def test_settlement_times_are_times_that_occurred(warehouse: Warehouse, tmp_path: Path) -> None:
    scenario = Scenario("timed")
    for number, ended in enumerate(("10:01:21", "10:02:21", "10:03:21", "10:09:21")):
        movement = scenario.movement(f"-{number}")
        movement.trade["terminal_at"] = movement.event["occurred_at"] = at(ended)
        movement.event |= {"received_at": at(ended), "processed_at": at(ended)}
    (row,) = answer(closed(warehouse, tmp_path, scenario), "settlement_time_percentiles")
    names = ("fastest", "median", "p90", "p99", "slowest")
    assert [row[f"{name}_seconds"] for name in names] == [60, 120, 540, 540, 540]


# The versions of an order, each with its time, and which of them go back.
VERSIONS = {
    "not-at-once": (
        [("completed", "10"), ("on_hold_by_nobody", "11"), ("processing", "12")],
        {"processing"},
    ),
    "too-late": ([("completed", "10"), ("processing", "late")], set()),
    "final-too-late": ([("processing", "10"), ("completed", "late")], set()),
    "forward": ([("processing", "10"), ("completed", "11")], set()),
}


@pytest.mark.parametrize("name", VERSIONS)
def test_an_order_goes_back_where_the_finding_says_so(
    name: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    versions, back = VERSIONS[name]
    scenario = Scenario(name)
    movement = scenario.movement()
    scenario.drop(movement.order)
    scenario.rows.setdefault("orders", [])
    for state, hour in versions:
        time = AFTER if hour == "late" else at(f"{hour}:30:00")
        scenario.again("orders", movement.order, product_state=state, updated_at=time)
    # a row that came twice is no step
    scenario.again("orders", scenario.rows["orders"][0])  # type: ignore[arg-type]
    warehouse = closed(warehouse, tmp_path, scenario)
    rows = answer(warehouse, "order_version_history")
    assert len(rows) == len(versions) + 1
    assert {row["product_state"] for row in rows if row["goes_back"]} == back
    has_finding = ("order_state_regression", "order", movement.order_id) in warehouse.findings()
    assert has_finding == bool(back)
