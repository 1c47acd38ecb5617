"""What `dbt test` by itself reads tells of a warehouse that was changed since it was built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Warehouse

JOINED = "intermediate.int_ledger_entries_joined"
AN_ENTRY = f"(select min(ledger_entry_id) from {JOINED} where touches_balance)"
# What somebody does, and the rule that breaks; a build looks at none of it again.
CHANGES = [
    ("delete from raw.ledger where _row_number = 1", "nothing_lost"),
    ("insert into raw.orders from raw.orders limit 1", "nothing_lost"),
    ("delete from staging.stg_quotes where row_number = 1", "nothing_lost"),
    ("insert into staging.stg_pools from staging.stg_pools limit 1", "nothing_lost"),
    (
        f"update {JOINED} set delta = delta - 0.01 where ledger_entry_id = {AN_ENTRY}",
        "balances_roll_forward",
    ),
    (
        f"insert into {JOINED} from {JOINED} where ledger_entry_id = {AN_ENTRY}",
        "balances_roll_forward",
    ),
    (f"delete from {JOINED} where ledger_entry_id = {AN_ENTRY}", "balances_roll_forward"),
    ("delete from marts.fct_balances", "balances_roll_forward"),
    (
        "update marts.fct_balances set opening = opening + 1, funding = funding - 1",
        "balances_roll_forward",
    ),
    (
        "update marts.fct_balances set debits = debits + 1, fees = fees - 1",
        "balances_roll_forward",
    ),
]


@pytest.fixture(scope="module")
def closed(warehouse: Warehouse, exports_folders: dict[str, Path]) -> Warehouse:
    warehouse.close(exports_folders["clean"])
    return warehouse


@pytest.fixture
def changed(closed: Warehouse) -> Iterator[Warehouse]:
    """The closed warehouse, which is as it was afterwards."""
    closed.connection.execute("begin")
    yield closed
    closed.connection.execute("rollback")


def broken_rules(warehouse: Warehouse) -> list[str]:
    rules = "select distinct rule_name from marts.close_violations"
    return [rule for (rule,) in warehouse.connection.execute(rules).fetchall()]


def test_nothing_is_told_where_nothing_was_changed(closed: Warehouse) -> None:
    assert broken_rules(closed) == []


@pytest.mark.parametrize(("change", "rule"), CHANGES)
def test_a_change_breaks_its_rule(change: str, rule: str, changed: Warehouse) -> None:
    changed.connection.execute(change)
    assert broken_rules(changed) == [rule]
