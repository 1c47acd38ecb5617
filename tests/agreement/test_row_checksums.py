"""The checksum of a published row covers all that its text is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pool_recon.package import _days, view_columns
from tests.harness import Warehouse

IN_DAYS = {
    "pkg_events": "received_at",
    "pkg_ledger": "effective_at",
    "pkg_orders": "created_at",
    "pkg_quotes": "created_at",
    "pkg_reconciliation": "created_at",
    "pkg_trades": "reserved_at",
}
# How a value of a type is made another one; what is null becomes a value.
OTHERWISE = {
    "VARCHAR": "coalesce({column} || '~', '~')",
    "BOOLEAN": "coalesce(not {column}, true)",
    "DATE": "coalesce({column} + 3, date '2026-06-01')",
    "TIMESTAMP": "coalesce({column} + interval 3 days, timestamp '2026-06-01')",
    "INTEGER": "coalesce({column} + 1, 1)",
    "BIGINT": "coalesce({column} + 1, 1)",
    "DECIMAL": "coalesce({column} + 1, 1)",
}


# Columns that a stored checksum is not of: itself, and what an incremental build notes.
NOT_SUMMED = ("row_checksum", "_build_number")


def with_checksum(relation: str) -> str:
    """A relation with its stored checksum computed anew, of all of its other columns."""
    others = f"columns(lambda name: name not in {NOT_SUMMED})"
    return (
        f"(select others.*, cast(hash(others) >> 1 as bigint) as row_checksum"
        f" from (select {others} from {relation}) as others)"
    )


@pytest.fixture(scope="module")
def closed(warehouse: Warehouse, exports_folders: dict[str, Path]) -> Iterator[Warehouse]:
    warehouse.close(exports_folders["bad_day"])
    yield warehouse
    warehouse.run_models(IN_DAYS)


def texts_by_day(warehouse: Warehouse, view: str) -> dict[str, str]:
    published, _ = view_columns(warehouse.connection, view)
    rows = warehouse.connection.execute(
        "select coalesce(strftime(day, '%Y-%m-%d'), ''),"
        f" string_agg(row_text, chr(10) order by row_text) from"
        " (select cast(_moment as date) as day,"
        f" cast(row({', '.join(published)}) as varchar) as row_text"
        f" from package.{view}) group by all"
    ).fetchall()
    return dict(rows)


def sums_by_day(warehouse: Warehouse, view: str) -> dict[str, str]:
    return {day.name: day.checksum for day in _days(warehouse.connection, view)}


def test_the_large_files_are_in_the_order_of_days(closed: Warehouse) -> None:
    ordered = {
        view
        for view in closed.project.package_views
        if view_columns(closed.connection, view)[1][0] == 'cast("_moment" as date) nulls first'
    }
    assert ordered == set(IN_DAYS)
    for view, moment in IN_DAYS.items():
        rows = closed.connection.execute(
            f"select coalesce({moment}[:10], ''), coalesce(strftime(_moment, '%Y-%m-%d'), ''),"
            f" _checksum from package.{view}"
        ).fetchall()
        assert rows
        for of_text, of_day, checksum in rows:
            assert of_text == of_day
            assert checksum is not None


def test_a_stored_checksum_is_of_all_columns(closed: Warehouse) -> None:
    stored = closed.connection.execute(
        "select schema_name || '.' || table_name from duckdb_columns()"
        " where column_name = 'row_checksum'"
    ).fetchall()
    assert len(stored) == 5
    for (relation,) in stored:
        sums, sums_anew = (
            closed.connection.execute(
                f"select row_order, row_checksum from {source} order by all"
            ).fetchall()
            for source in (relation, with_checksum(relation))
        )
        assert sums == sums_anew
        assert len({checksum for _, checksum in sums}) == len(sums) > 10


@pytest.mark.parametrize("view", IN_DAYS)
def test_a_text_changes_only_with_its_checksum(closed: Warehouse, view: str) -> None:
    sql = closed.project.models[view].sql
    # All that is published comes through the relation of which the checksum is taken.
    assert len(re.findall(r"^from ", sql, re.MULTILINE)) == 1
    assert re.search(r"\nfrom typed\s*$", sql)
    texts, sums = texts_by_day(closed, view), sums_by_day(closed, view)
    assert texts.keys() == sums.keys()
    assert len(texts) > 1
    seen = 0
    relations = [
        model.relation for model in closed.project.models.values() if model.relation in sql
    ]
    for relation in relations:
        columns = closed.connection.execute(f"describe {relation}").fetchall()
        is_summed = "row_checksum" in (column for column, *_ in columns)
        for column, kind, *_ in columns:
            if column in NOT_SUMMED:
                continue
            value = OTHERWISE[kind.partition("(")[0]].format(column=f'"{column}"')
            changed = f'(select * replace ({value} as "{column}") from {relation})'
            if is_summed:
                changed = with_checksum(changed)
            closed.run_models([view], {view: sql.replace(relation, changed)})
            new_texts, new_sums = texts_by_day(closed, view), sums_by_day(closed, view)
            for day in texts.keys() | new_texts.keys():
                if texts.get(day) != new_texts.get(day):
                    assert sums.get(day) != new_sums.get(day), (relation, column, day)
            seen += texts != new_texts
    assert seen >= len(view_columns(closed.connection, view)[0]) - 3


# Pairs of amounts of which DuckDB's hash is the same: of the two halves of a wide number, folded
# into one, the order is lost, and of two halves that are the same nothing is left.
FOLDED = (
    ("0", "-0.000000000000000001"),
    ("18.446744073709551617", "36.893488147419103234"),
    ("18.446744073709551621", "92.233720368547758081"),
)


@pytest.mark.parametrize("pair", FOLDED)
def test_amounts_that_differ_in_the_order_of_their_halves_differ(
    closed: Warehouse, pair: tuple[str, str]
) -> None:
    execute = closed.connection.execute
    [(folded,)] = execute(
        "select count(distinct hash(amount::decimal(38, 18))) from unnest(?) as of(amount)",
        [list(pair)],
    ).fetchall()
    assert folded == 1
    relation = closed.project.models["fct_reconciliation"].relation
    columns = [
        (name, kind)
        for name, kind, *_ in execute(f"describe {relation}").fetchall()
        if kind.startswith("DECIMAL")
    ]
    assert len(columns) == 9
    for name, kind in columns:
        sums = []
        for amount in pair:
            # The same digits, of which as many are behind the point as the column has there.
            moved = Decimal(amount).scaleb(0 if kind.endswith(",18)") else 6)
            changed = f"(select * replace ('{moved:f}'::{kind} as {name}) from {relation})"
            sql = closed.project.models["pkg_reconciliation"].sql.replace(relation, changed)
            closed.run_models(["pkg_reconciliation"], {"pkg_reconciliation": sql})
            sums.append(sums_by_day(closed, "pkg_reconciliation"))
        assert all(sums[0][day] != sums[1][day] for day in sums[0]), name
