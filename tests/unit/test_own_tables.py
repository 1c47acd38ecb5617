"""What the var `sources` may say, and what each mistake in it is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = ("orders", "quotes", "trades", "events", "ledger")


class RefusedError(Exception):
    """What raise_compiler_error says."""


class ReturnedValueError(Exception):
    """How a macro returns a value that is no text."""

    def __init__(self, value: object) -> None:
        self.value = value


def refuse(message: str) -> None:
    raise RefusedError(message)


def give_back(value: object) -> None:
    raise ReturnedValueError(value)


class Relation(SimpleNamespace):
    """A table as dbt hands it to a macro."""

    def incorporate(self, path: Mapping[str, str]) -> Relation:
        return Relation(**(vars(self) | path))

    def __str__(self) -> str:
        return f"{self.schema}.{self.identifier}"


class Column(SimpleNamespace):
    """A column as an adapter describes it."""


class Macros:
    """The macros that read the var, as dbt would call them for a warehouse with these tables."""

    def __init__(
        self, sources: object, tables: Mapping[str, Sequence[tuple[str, str]]] | None = None
    ) -> None:
        described = yaml.safe_load((ROOT / "models" / "sources.yml").read_text(encoding="utf-8"))
        nodes = {
            table["name"]: SimpleNamespace(
                package_name="pool_recon",
                name=table["name"],
                columns={column["name"]: column for column in table["columns"]},
            )
            for table in described["sources"][0]["tables"]
        }
        environment = jinja2.Environment(autoescape=False, extensions=["jinja2.ext.do"])
        environment.globals |= {
            "pool_recon": self,
            "return": give_back,
            "execute": True,
            "var": lambda name, default=None: {"sources": sources}.get(name, default),
            "exceptions": SimpleNamespace(raise_compiler_error=refuse),
            "modules": SimpleNamespace(re=re),
            "graph": SimpleNamespace(sources=nodes),
            "ref": lambda name: Relation(database="d", schema="own", identifier=name),
            "source": lambda _, name: Relation(database="d", schema="raw", identifier=name),
            "adapter": SimpleNamespace(
                get_columns_in_relation=lambda relation: [
                    Column(name=name, dtype=kind)
                    for name, kind in (tables or {}).get(str(relation), ())
                ]
            ),
        }
        text = [
            *("staging/export_names.sql", "staging/register_columns.sql"),
            *("landing/own_sources.sql", "landing/own_columns.sql"),
        ]
        parts = [(ROOT / "macros" / name).read_text(encoding="utf-8") for name in text]
        self._module = environment.from_string("\n".join(parts)).module

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: object, **named: object) -> Any:
            try:
                return getattr(self._module, name)(*arguments, **named)
            except ReturnedValueError as returned:
                return returned.value

        return call


def with_orders(**place: object) -> dict[str, object]:
    return {name: {} for name in REQUIRED} | {"orders": place}


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (["orders"], "the var sources is no mapping"),
        (with_orders() | {"order": {}}, "sources has the unknown key order; expected some of"),
        (
            with_orders(tabel="x", colums={}),
            "sources.orders has the unknown keys tabel, colums; expected some of database, schema,"
            " table, model, columns, extra_columns, order_by",
        ),
        (with_orders() | {"quotes": "shop.quotes"}, "sources.quotes is no mapping"),
        (with_orders() | {"funding": None}, "sources.funding is no mapping; expected such as"),
        (with_orders(model="o", table="o"), "sources.orders names a model and a table"),
        (with_orders(columns=["a"]), "sources.orders.columns is no mapping"),
        (with_orders(extra_columns="a"), "sources.orders.extra_columns is no list"),
        (with_orders(order_by={"a": "b"}), "sources.orders.order_by is no list"),
        ({"orders": {}, "quotes": {}}, "sources lacks trades, events, ledger; expected a table"),
    ],
)
def test_a_mistake_in_the_var_is_named(sources: object, said: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(said)):
        Macros(sources).own_sources()


def test_without_the_var_the_loader_fills_the_tables() -> None:
    assert Macros(None).own_sources() == {}
    assert Macros({}).own_sources() == {}
    assert Macros({}).own_relation("orders") is None


def test_a_table_is_where_its_entry_says() -> None:
    sources = with_orders(database="a", schema="b", table="c") | {"ledger": {"model": "bookings"}}
    macros = Macros(sources)
    places = [vars(macros.own_relation(name)) for name in ("orders", "quotes", "ledger")]
    assert places == [
        {"database": "a", "schema": "b", "identifier": "c"},
        {"database": "d", "schema": "raw", "identifier": "quotes"},
        {"database": "d", "schema": "own", "identifier": "bookings"},
    ]
    assert macros.own_relation("pools") is None


def read_as(sources: dict[str, object], *columns: tuple[str, str]) -> list[tuple[str, object]]:
    found = Macros(sources, {"raw.orders": columns}).own_columns("orders")
    return [(each["column"].name, each["contract_column"]) for each in found]


def test_columns_are_found_by_their_names_and_by_the_map() -> None:
    columns = [(name, "varchar") for name in ("Order No", "CREATED-AT", "poolId", "pool_id", "x")]
    mapped = with_orders(columns={"partner_order_id": "order_no", "client_reference": "x"})
    assert read_as(mapped, *columns) == [
        ("Order No", "partner_order_id"),
        ("CREATED-AT", "created_at"),
        ("poolId", None),
        ("pool_id", "pool_id"),
        ("x", "client_reference"),
    ]


def test_one_column_may_stand_for_two_and_then_not_for_its_own_name() -> None:
    mapped = with_orders(columns={"partner_order_id": "quote_id", "client_reference": "quote_id"})
    assert read_as(mapped, ("quote_id", "varchar")) == [
        ("quote_id", "partner_order_id"),
        ("quote_id", "client_reference"),
    ]


@pytest.mark.parametrize(
    ("place", "columns", "said"),
    [
        ({"columns": {"order_no": "x"}}, [], "columns has the unknown key order_no; expected"),
        ({}, [], "there is no table raw.orders for sources.orders"),
        (
            {"columns": {"side": "way"}},
            ["a", "b"],
            "sources.orders.columns.side names the column way, which raw.orders does not have; it"
            " has a, b",
        ),
    ],
)
def test_a_mistake_in_a_map_is_named(
    place: dict[str, object], columns: list[str], said: str
) -> None:
    with pytest.raises(RefusedError, match=re.escape(said)):
        read_as(with_orders(**place), *((name, "varchar") for name in columns))


@pytest.mark.parametrize("kind", ["DOUBLE", "real", "FLOAT64", "double precision"])
def test_a_table_is_refused_that_rounds_amounts_or_lacks_a_column(kind: str) -> None:
    columns = [("ledger_entry_id", "varchar"), ("amount", kind), ("note", "double")]
    macros = Macros(with_orders(), {"raw.ledger": columns})
    with pytest.raises(
        RefusedError,
        match=re.escape(f"the column amount of raw.ledger (export ledger) is of the type {kind}"),
    ):
        macros.check_own_columns("ledger", ["ledger_entry_id"], ["amount", "balance_after"])
    with pytest.raises(
        RefusedError,
        match=re.escape(
            "raw.ledger (export ledger) lacks asset, entry_type; it has ledger_entry_id, amount,"
        ),
    ):
        macros.check_own_columns("ledger", ["asset", "amount", "entry_type"], [])
    macros.check_own_columns("ledger", ["amount"], ["balance_after"])


REGISTER = (
    *("Code", "subjectType", "subject_id", "environment", "owner", "next review date"),
    *("approved_by", "approved_on", "reason", "expires_on"),
)


def with_register(*columns: str) -> Macros:
    sources = {name: {} for name in REQUIRED} | {"exception_register": {"table": "approvals"}}
    return Macros(sources, {"raw.approvals": [(name, "varchar") for name in columns]})


def test_a_register_is_refused_that_lacks_a_column() -> None:
    columns = (*REGISTER[:4], "owner_name", *REGISTER[5:9], "expiry")
    said = "raw.approvals (export exception_register) lacks owner, expires_on; it has Code,"
    with pytest.raises(RefusedError, match=re.escape(said)):
        with_register(*columns).check_own_register()


def test_a_register_may_do_without_evidence() -> None:
    with_register(*REGISTER).check_own_register()
