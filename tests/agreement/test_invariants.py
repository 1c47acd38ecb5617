"""The invariants of the warehouse hold of the project, and not of one with a defect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import Warehouse

ELSEWHERE = "landed row is not in exactly one place"
MISSING = "event or entry is missing from its fact"
# By model: a defect, what it breaks, and of how many rows.
DEFECTS = {
    "int_orders_in_force": ("(select * from {m} limit 1)", "union all from {m}", ELSEWHERE, 1),
    "int_events_joined": ("from {m}", "order by row_order offset 1", MISSING, 1),
    "int_ledger_entries_joined": ("from {m}", "order by row_order offset 2", MISSING, 2),
    "int_rows_set_aside": (
        "from {m} union all select 'quotes', row_order, 'superseded'",
        "from (select row_order from staging.stg_quotes, range(2) order by row_order limit 2)",
        ELSEWHERE,
        1,
    ),
}


@pytest.fixture(scope="module")
def closed(warehouse: Warehouse, exports_folders: dict[str, Path]) -> Warehouse:
    warehouse.close(exports_folders["clean"])
    return warehouse


def test_all_invariants_hold(closed: Warehouse) -> None:
    assert closed.breaches() == []


@pytest.mark.parametrize(
    ("model", "record_id"),
    [("int_events_joined", "event_id"), ("int_ledger_entries_joined", "ledger_entry_id")],
)
def test_an_id_that_is_in_a_fact_twice_is_told(
    model: str, record_id: str, closed: Warehouse
) -> None:
    stated = closed.project.models[model].sql
    again = "select * replace (-row_order as row_order) from sound order by row_order desc limit 1"
    sql = f"with sound as ({stated}) from sound union all ({again})"
    judged = ["int_rows_misplaced", "close_invariant_breaches"]
    try:
        closed.run_models([model], {model: sql})
        [(twice,)] = closed.connection.execute(
            f"select count(*) - count(distinct {record_id}) from intermediate.{model}"
        ).fetchall()
        assert twice == 1
        closed.run_models(judged)
        assert [found for found, _ in closed.breaches()] == [ELSEWHERE]
    finally:
        closed.run_models([model, *judged])


@pytest.mark.parametrize("model", DEFECTS)
def test_a_row_that_is_lost_or_counted_twice_is_told(model: str, closed: Warehouse) -> None:
    *parts, invariant, count = DEFECTS[model]
    stated = closed.project.models[model].sql
    sql = " ".join(map(str, parts)).format(m="sound")
    judged = ["int_rows_misplaced", "close_invariant_breaches"]
    try:
        closed.run_models([model], {model: f"with sound as ({stated}) {sql}"})
        closed.run_models(judged)
        assert [found for found, _ in closed.breaches() if found == invariant] == [
            invariant
        ] * count
    finally:
        closed.run_models([model, *judged])
