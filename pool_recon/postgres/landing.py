"""Exports into schema ``raw`` of a PostgreSQL database, by COPY.

DuckDB reads the files, in a database of its own that begins with what the server knows of earlier
loads; the server is then given the rows that are new. What a close lands is marked as unfinished
until that close is published, and taken away again where it never is.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pool_recon import reference
from pool_recon.loader import LoadSummary, load_exports
from pool_recon.loader.landing import create_tables
from pool_recon.postgres.mirror import bring
from pool_recon.postgres.server import RAW, Server, quoted
from pool_recon.progress import Progress
from pool_recon.register import replace_register
from pool_recon.warehouse import connect

if TYPE_CHECKING:
    import duckdb

    from pool_recon.register import Register

# Compared by their bytes, whatever language the database is in.
_TYPES: Final = {"VARCHAR": 'text collate "C"'}
_UNFINISHED: Final = "unfinished_loads"
_REGISTER: Final = "exception_register"
_REGISTER_BEFORE: Final = "exception_register_before"
# By this number the register is among what is unfinished; loads count from 1.
_REGISTER_LOAD: Final = 0
# What counts only until a close is finished.
PASSING: Final = frozenset({_UNFINISHED, _REGISTER_BEFORE})


def land(
    server: Server,
    exports: Path,
    folder: Path,
    progress: Progress,
    state: Path | None = None,
) -> LoadSummary:
    """Land every file of `exports` that is not loaded yet; the caller commits.

    What is read anew stays so, whatever becomes of the close that did it: it depends on nothing but
    the files and the reference data.

    `folder` is an empty one for temporary files, `state` where digests of files are kept.

    Raises:
        CloseError: a file cannot be loaded; nothing was changed.
    """
    with contextlib.closing(connect(folder / "landing.duckdb")) as connection:
        create_tables(connection)
        _create_tables(server, connection)
        for table in ("loads", "files", "file_columns"):
            bring(server, connection, f"{RAW}.{table}", f"{RAW}.{table}", folder)
        last = connection.execute(f"select coalesce(max(file_id), 0) from {RAW}.files").fetchone()
        loaded = load_exports(connection, exports, progress=progress, state=state)
        if loaded.load_id is not None or loaded.read_again:
            progress("copying what is new into PostgreSQL")
            _copy_new(server, connection, last[0] if last else 0, loaded, folder)
    return loaded


def load_register(server: Server, register: Register | None, folder: Path) -> None:
    """Let the database hold `register`, and keep the one that it held until `finish`.

    Rows are replaced, not tables: a backup reads those for hours, and nobody waits for it.
    """
    with contextlib.closing(connect(folder / "register.duckdb")) as connection:
        connection.execute(f"create schema {RAW}")
        replace_register(connection, register)
        _keep_register(server, connection)
        server.execute(f"insert into {RAW}.{_UNFINISHED} values (%s)", [_REGISTER_LOAD])
        server.execute(f"delete from {RAW}.{_REGISTER}")
        _copy(server, connection, _REGISTER, "true", folder)


def mark_unfinished(server: Server, loaded: LoadSummary) -> None:
    """Let what was just landed count only once `finish` says so."""
    if loaded.load_id is not None:
        server.execute(f"insert into {RAW}.{_UNFINISHED} values (%s)", [loaded.load_id])


def finish(server: Server) -> None:
    """Let what was landed and loaded count; the caller commits."""
    server.execute(f"delete from {RAW}.{_UNFINISHED}")
    server.execute(f"delete from {RAW}.{_REGISTER_BEFORE}")


def discard_unfinished(server: Server) -> None:
    """Take away what a run that was never finished left in schema raw; the caller commits."""
    if _UNFINISHED not in server.tables(RAW):
        return
    if (_REGISTER_LOAD,) in server.rows(f"select load_id from {RAW}.{_UNFINISHED}"):
        _replace_rows(server, _REGISTER, _REGISTER_BEFORE)
        server.execute(f"delete from {RAW}.{_REGISTER_BEFORE}")
    unfinished = f"load_id in (select load_id from {RAW}.{_UNFINISHED})"
    files = f"select file_id from {RAW}.files where {unfinished}"
    found = server.rows(f"select distinct export_name from {RAW}.files where {unfinished}")
    for (export_name,) in found:
        server.execute(f"delete from {RAW}.{quoted(export_name)} where _file_id in ({files})")
    server.execute(f"delete from {RAW}.file_columns where file_id in ({files})")
    server.execute(f"delete from {RAW}.files where {unfinished}")
    server.execute(f"delete from {RAW}.loads where {unfinished}")
    server.execute(f"delete from {RAW}.{_UNFINISHED}")


def _create_tables(server: Server, connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of schema raw, in the image of that of `connection`."""
    if RAW not in server.schemas():
        server.execute(f"create schema {RAW}")
    there = server.tables(RAW)
    made = connection.execute(
        "select table_name from duckdb_tables() where schema_name = ? order by table_name", [RAW]
    ).fetchall()
    for (table,) in made:
        if table not in there:
            _create(server, connection, table)
    if _UNFINISHED not in there:
        server.execute(f"create table {RAW}.{_UNFINISHED} (load_id integer not null)")


def _keep_register(server: Server, connection: duckdb.DuckDBPyConnection) -> None:
    """Have the rows of the register beside it, and both tables with the columns of this version."""
    stated = _stated(connection, _REGISTER)
    found = _columns(server, _REGISTER)
    if found != stated:
        server.execute(f"drop table if exists {RAW}.{_REGISTER_BEFORE}")
        server.execute(f"alter table if exists {RAW}.{_REGISTER} rename to {_REGISTER_BEFORE}")
        _create(server, connection, _REGISTER)
        names = ", ".join(quoted(name) for name, _ in stated if name in dict(found))
        if names:
            server.execute(
                f"insert into {RAW}.{_REGISTER} ({names}) "
                f"select {names} from {RAW}.{_REGISTER_BEFORE}"
            )
    if _columns(server, _REGISTER_BEFORE) != stated:
        server.execute(f"drop table if exists {RAW}.{_REGISTER_BEFORE}")
        server.execute(f"create table {RAW}.{_REGISTER_BEFORE} (like {RAW}.{_REGISTER})")
    _replace_rows(server, _REGISTER_BEFORE, _REGISTER)


def _columns(server: Server, table: str) -> list[tuple[str, str]]:
    """The columns of a table of schema raw as they are stated; none where there is no table."""
    return server.rows(
        "select attname, format_type(atttypid, atttypmod) "
        "|| coalesce(' collate ' || quote_ident(collname), '') from pg_attribute "
        "left join pg_collation on pg_collation.oid = attcollation "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        [f"{RAW}.{table}"],
    )


def _replace_rows(server: Server, table: str, source: str) -> None:
    server.execute(f"delete from {RAW}.{table}")
    server.execute(f"insert into {RAW}.{table} select * from {RAW}.{source}")


def _create(server: Server, connection: duckdb.DuckDBPyConnection, table: str) -> None:
    stated = ", ".join(f"{quoted(name)} {kind}" for name, kind in _stated(connection, table))
    server.execute(f"create table {RAW}.{quoted(table)} ({stated})")


def _stated(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where schema_name = ? and table_name = ? order by column_index",
        [RAW, table],
    ).fetchall()
    return [(name, _TYPES.get(kind, kind.lower())) for name, kind in columns]


def _copy_new(
    server: Server,
    connection: duckdb.DuckDBPyConnection,
    last_file: int,
    loaded: LoadSummary,
    folder: Path,
) -> None:
    if loaded.load_id is not None:
        _copy(server, connection, "loads", f"load_id = {loaded.load_id}", folder)
        _copy(server, connection, "files", f"file_id > {last_file}", folder)
    again = ", ".join(map(str, loaded.read_again))
    is_copied = f"file_id > {last_file}"
    if again:
        is_copied += f" or file_id in ({again})"
        server.execute(f"delete from {RAW}.file_columns where file_id in ({again})")
    _copy(server, connection, "file_columns", is_copied, folder)
    for export in reference.exports():
        if again:
            server.execute(f"delete from {RAW}.{quoted(export.name)} where _file_id in ({again})")
        _copy(server, connection, export.name, "true", folder)
        server.execute(f"analyze {RAW}.{quoted(export.name)}")


def _copy(
    server: Server, connection: duckdb.DuckDBPyConnection, table: str, condition: str, folder: Path
) -> None:
    file = folder / f"{table}.csv"
    columns = connection.execute(
        "select string_agg('\"' || column_name || '\"', ', ' order by column_index) "
        "from duckdb_columns() where schema_name = ? and table_name = ?",
        [RAW, table],
    ).fetchone()
    names = columns[0] if columns else ""
    path = str(file).replace("'", "''")
    # A text that is empty is in quotes, so that it is none of the nulls.
    connection.execute(
        f"copy (select {names} from {RAW}.{quoted(table)} where {condition}) to '{path}' "
        "(format csv, header false, delimiter ',', quote '\"', escape '\"', nullstr '')"
    )
    server.copy_in(f"{RAW}.{quoted(table)} ({names})", file)
    file.unlink()
