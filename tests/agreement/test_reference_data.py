"""Reference data that contradicts itself is named, row by row, and near misses are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pool_recon.close import INVARIANTS_TEST, explained
from tests.harness import Warehouse, compiled_project

CLOSE_DATE = date(2026, 6, 30)

CONTRADICTIONS = {
    "a blocking code without a rule": (
        "update reference.ref_findings set rule_name = null where code = 'orphan_event'",
        "orphan_event",
    ),
    "a code of a rule that does not exist": (
        "update reference.ref_findings set rule_name = 'no_such_rule' where code = 'orphan_event'",
        "orphan_event",
    ),
    "a code without an owner": (
        "update reference.ref_findings set owner = null where code = 'status_lag'",
        "status_lag",
    ),
    "a code of an unknown severity": (
        "update reference.ref_findings set severity = 'fatal' where code = 'status_lag'",
        "status_lag",
    ),
    "a class without a sign": (
        "update reference.ref_entry_classes set balance_sign = null where entry_class = 'fee'",
        "fee",
    ),
    "a class that touches the balance in no column": (
        "update reference.ref_entry_classes set balance_column = null where entry_class = 'fee'",
        "fee",
    ),
    "a class that touches the balance in a column that is none": (
        "update reference.ref_entry_classes set balance_column = 'gifts' where entry_class = 'fee'",
        "fee",
    ),
    "a class without a flag": (
        "update reference.ref_entry_classes set restores_debit = null where entry_class = 'fee'",
        "fee",
    ),
    "a trade state that demands what no net can be": (
        "update reference.ref_trade_states set ledger_source_demand = 'half'"
        " where status = 'failed'",
        "failed",
    ),
    "a trade state given twice": (
        "insert into reference.ref_trade_states select * from reference.ref_trade_states"
        " where status = 'failed'",
        "ref_trade_states failed",
    ),
    "a word given twice": (
        "insert into reference.ref_vocabularies select * from reference.ref_vocabularies"
        " where vocabulary = 'side' and word = 'on_ramp'",
        "ref_vocabularies side on_ramp",
    ),
    "a type of an unknown class": (
        "insert into reference.ref_entry_types values ('cashback', 'gift')",
        "cashback",
    ),
    "a type given twice": (
        "insert into reference.ref_entry_types values ('buy_debit', 'refund')",
        "ref_entry_types buy_debit",
    ),
    "a product state of an unknown class": (
        "insert into reference.ref_product_states values ('on_hold', 'waiting')",
        "on_hold",
    ),
    "a minor unit that no amount can have": (
        "insert into reference.ref_assets values ('XYZ', 19)",
        "XYZ",
    ),
    "an asset with a blank after it": (
        "update reference.ref_assets set asset = 'EUR ' where asset = 'EUR'",
        'ref_assets.asset "EUR "',
    ),
    "an asset with a no-break space before it": (
        "update reference.ref_assets set asset = chr(160) || 'EUR' where asset = 'EUR'",
        'ref_assets.asset "\u00a0EUR"',
    ),
    "an asset without a name": (
        "insert into reference.ref_assets values (null, 2)",
        'ref_assets.asset ""',
    ),
    "a product state in capitals": (
        "insert into reference.ref_product_states values ('Fulfilled', 'success')",
        'ref_product_states.product_state "Fulfilled"',
    ),
    "a type with a blank before it": (
        "insert into reference.ref_entry_types values (' cashback', 'refund')",
        'ref_entry_types.entry_type " cashback"',
    ),
    "a private word with a line end": (
        "insert into reference.ref_private_words values ('desk' || chr(10), null)",
        'ref_private_words.word "desk\n"',
    ),
}

EXTENSIONS = {
    "a new entry type of a known class": (
        "insert into reference.ref_entry_types values ('cashback', 'refund')"
    ),
    "a new product state": "insert into reference.ref_product_states values ('on_hold', 'pending')",
    "a new product state of two words": (
        "insert into reference.ref_product_states values ('on hold', 'pending')"
    ),
    "a new asset in small letters": "insert into reference.ref_assets values ('eurx', 2)",
    "a new asset of 18 decimals": "insert into reference.ref_assets values ('XYZ', 18)",
    "a warning without a rule": (
        "update reference.ref_findings set severity = 'warning', rule_name = null"
        " where code = 'orphan_event'"
    ),
}


@pytest.fixture(scope="module")
def closed() -> Iterator[Warehouse]:
    warehouse = Warehouse(compiled_project(CLOSE_DATE))
    warehouse.close(Path("samples/bad_day"))
    yield warehouse
    warehouse.close_connection()


@pytest.fixture
def warehouse(closed: Warehouse) -> Iterator[Warehouse]:
    closed.connection.execute("begin")
    yield closed
    closed.connection.execute("rollback")


def test_the_reference_data_of_the_project_is_consistent(warehouse: Warehouse) -> None:
    assert warehouse.breaches() == []


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_named(warehouse: Warehouse, name: str) -> None:
    statement, row = CONTRADICTIONS[name]
    warehouse.connection.execute(statement)
    assert row in {subject for _, subject in warehouse.breaches()}


def test_a_close_says_what_the_failed_check_found(warehouse: Warehouse) -> None:
    connection = warehouse.connection
    assert explained(connection, ["unique_x", INVARIANTS_TEST]) == ("unique_x", INVARIANTS_TEST)
    connection.execute("insert into reference.ref_assets select ' A' || i, 2 from range(7) as r(i)")
    about = "reference data: a key is to be given without blanks around it"
    assert explained(connection, ["unique_x", INVARIANTS_TEST]) == (
        "unique_x",
        *(f'{INVARIANTS_TEST}: {about}: ref_assets.asset " A{i}"' for i in range(5)),
        f"{INVARIANTS_TEST}: and 2 more",
    )


@pytest.mark.parametrize("name", EXTENSIONS)
def test_an_extension_is_no_contradiction(warehouse: Warehouse, name: str) -> None:
    warehouse.connection.execute(EXTENSIONS[name])
    assert warehouse.breaches() == []
