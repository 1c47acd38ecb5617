"""What was built in PostgreSQL as a DuckDB file, value for value, to write the package from."""

from __future__ import annotations

from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pool_recon.long_records import ONE_READER, options_for_records
from pool_recon.postgres.server import Server, quoted
from pool_recon.progress import Progress
from pool_recon.warehouse import COPIED_FROM

if TYPE_CHECKING:
    import duckdb

# A number without a stated scale is a sum of amounts.
_TYPES: Final = {
    "text": "varchar",
    "character varying": "varchar",
    "numeric": "decimal(38, 18)",
    "timestamp without time zone": "timestamp",
}
# Of what dbt makes on its way the package, the second reading and other commands read only this.
ON_THE_WAY: Final = frozenset({"intermediate", "findings"})
READ_LATER: Final = frozenset(
    {
        "int_assets",
        "int_balances_reconciled",
        "int_close",
        "int_events_in_force",
        "int_events_joined",
        "int_funding_credited",
        "int_funding_in_force",
        "int_ledger_entries_in_force",
        "int_ledger_entries_joined",
        "int_movement_findings",
        "int_orders_in_force",
        "int_orders_reconciled",
        "int_quote_trades",
        "int_quotes_in_force",
        "int_quotes_linked",
        "int_rows_set_aside",
        "int_trades_in_force",
        "int_trades_later",
        "int_trades_reconciled",
    }
)
# Name and type.
_Column = tuple[str, str]


def mirror(
    server: Server,
    connection: duckdb.DuckDBPyConnection,
    schemas: dict[str, str],
    left_out: Container[str],
    folder: Path,
    progress: Progress,
) -> None:
    """Bring the tables and views of `schemas` into an empty DuckDB database.

    `schemas` says how a schema of the server is called there; tables of the names `left_out` stay.
    What nobody reads there is there by name, and says so to who does. `folder` is for temporary
    files.
    """
    relations = [
        (schema, name)
        for schema in schemas
        for (name,) in server.rows(
            "select table_name from information_schema.tables "
            "where table_schema = %s order by table_name",
            [schema],
        )
        if name not in left_out
    ]

    def fetched(schema: str, name: str) -> tuple[list[_Column], Path | None]:
        source = f"{quoted(schema)}.{quoted(name)}"
        if schemas[schema] in ON_THE_WAY and name not in READ_LATER:
            return _columns(server, source), None
        return _fetch(server, source, folder)

    name = server.name.replace("'", "''")
    connection.execute(f"create view {COPIED_FROM} as select '{name}' as copied_from")
    # The server writes one file while DuckDB reads the one before.
    with ThreadPoolExecutor(max_workers=1) as ahead:
        following = [ahead.submit(fetched, *each) for each in relations[:1]]
        for number, (schema, name) in enumerate(relations):
            progress.step(name, number, len(relations), "tables")
            columns, file = following.pop().result()
            following += [
                ahead.submit(fetched, *each) for each in relations[number + 1 : number + 2]
            ]
            connection.execute(f"create schema if not exists {quoted(schemas[schema])}")
            target = f"{quoted(schemas[schema])}.{quoted(name)}"
            if file is None:
                _point_to(server, connection, columns, target)
            else:
                _insert(connection, target, columns, file)


def bring(
    server: Server, connection: duckdb.DuckDBPyConnection, source: str, target: str, folder: Path
) -> None:
    """Append the rows of a relation of the server to a table, which is created where missing."""
    _insert(connection, target, *_fetch(server, source, folder))


def _fetch(server: Server, source: str, folder: Path) -> tuple[list[_Column], Path]:
    """The columns of a relation of the server, and a new file in `folder` with its rows."""
    file = folder / f"{source}.csv"
    server.copy_out(f"select * from {source}", file)
    return _columns(server, source), file


def _insert(
    connection: duckdb.DuckDBPyConnection, target: str, columns: list[_Column], file: Path
) -> None:
    """Append the rows of `file` to a table, which is created where missing; the file goes."""
    stated = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
    connection.execute(f"create table if not exists {target} ({stated})")
    path = str(file).replace("'", "''")
    texts = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(columns)))
    values = ", ".join(f"cast(c{place} as {kind})" for place, (_, kind) in enumerate(columns))
    names = ", ".join(quoted(name) for name, _ in columns)
    options = options_for_records(file) or ONE_READER
    # Only what has no quotes is null; with every value in quotes no line end can be taken amiss.
    connection.execute(
        f"insert into {target} ({names}) select {values} from read_csv('{path}', "
        f"columns = {{{texts}}}, auto_detect = false, header = false, delim = ',', quote = '\"', "
        "escape = '\"', nullstr = '', allow_quoted_nulls = false, strict_mode = true, "
        f"new_line = '\\n'{options})"
    )
    file.unlink()


def _point_to(
    server: Server, connection: duckdb.DuckDBPyConnection, columns: list[_Column], target: str
) -> None:
    """A view with the columns of a relation that raises when it is read."""
    values = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in columns)
    said = f"{target} is only in {server.name}, from which this copy was made".replace("'", "''")
    connection.execute(f"create view {target} as select {values} where error('{said}') is null")


def _columns(server: Server, relation: str) -> list[_Column]:
    """The columns of a relation with the types that DuckDB has for them."""
    columns = server.rows(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
        [relation],
    )
    return [(name, _TYPES.get(kind, kind)) for name, kind in columns]
