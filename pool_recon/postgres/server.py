"""The connection to a PostgreSQL server, and what has to be true of it before anything is done."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pool_recon.errors import CloseError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

OLDEST: Final = 14
RAW: Final = "raw"
# What dates look like as text, where a text without a zone is, and no time lost on compiling.
SESSION: Final = "-c DateStyle=ISO,YMD -c TimeZone=UTC -c jit=off -c client_min_messages=warning"
# Locks are named by numbers, in each database by itself: this one spells "pool_rec".
_LOCK: Final = int.from_bytes(b"pool_rec")
# As in profiles.yml, where the environment does not say.
_DEFAULTS: Final = {"PGHOST": "localhost", "PGDATABASE": "pool_recon", "PGUSER": "pool_recon"}


class Server:
    """One connection to a database. What it does is committed only by `commit`.

    The database is the one that psql finds by the variables PGHOST, PGPORT, PGDATABASE, PGUSER,
    PGPASSWORD and PGSSLMODE.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        info = connection.info
        self.name = f"the database {info.dbname} on {info.host}"
        self.version = info.server_version

    def execute(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run a statement; `%s` stands for each of `values`."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return list(cursor.fetchall())

    def copy_in(self, table: str, file: Path) -> None:
        """Append a CSV file without a header to a table; a field without quotes is null."""
        with self._connection.cursor() as cursor, file.open("rb") as stream:
            cursor.copy_expert(f"copy {table} from stdin (format csv)", stream)

    def copy_out(self, query: str, file: Path) -> None:
        """Write the rows of a query as a CSV file without a header, nulls without quotes."""
        with self._connection.cursor() as cursor, file.open("xb") as stream:
            cursor.copy_expert(f"copy ({query}) to stdout (format csv, force_quote *)", stream)

    def schemas(self) -> set[str]:
        """The names of all schemas."""
        return {name for (name,) in self.rows("select nspname from pg_namespace")}

    def tables(self, schema: str) -> set[str]:
        """The names of the tables of a schema."""
        found = self.rows("select tablename from pg_tables where schemaname = %s", [schema])
        return {name for (name,) in found}

    def commit(self) -> None:
        """Make everything since the last commit count."""
        self._connection.commit()

    def rollback(self) -> None:
        """Take back everything since the last commit."""
        self._connection.rollback()


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Connect, and lock the database against every other load and close.

    Raises CloseError where there is no such database, where it cannot serve as a warehouse, and
    where another load or close has the lock.
    """
    connection = _connect()
    try:
        found = Server(connection)
        _check(found)
        if not found.rows("select pg_try_advisory_lock(%s)", [_LOCK])[0][0]:
            raise CloseError(
                f"another close is working on {found.name}: wait until it has ended, then run "
                "this again"
            )
        found.commit()
        yield found
    finally:
        # The lock ends with the session.
        connection.close()


@contextlib.contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn what the server refuses into one line."""
    psycopg2 = _driver()
    try:
        yield
    except psycopg2.Error as error:
        raise CloseError(f"PostgreSQL stopped the {action}: {first_line(error)}") from error


def first_line(error: object) -> str:
    """The first line of what the server said."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")


def session_options() -> str:
    """The PGOPTIONS of every session that builds or reads, after those of the caller."""
    return f"{os.environ.get('PGOPTIONS', '')} {SESSION}".strip()


def quoted(name: str) -> str:
    """A name as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'


def _driver() -> Any:
    try:
        import psycopg2
    except ImportError:
        raise CloseError(
            "the target postgres needs its driver: pip install 'pool-recon[postgres]'"
        ) from None
    return psycopg2


def _connect() -> Connection:
    psycopg2 = _driver()
    given = {name: os.environ.get(name) or default for name, default in _DEFAULTS.items()}
    try:
        connection: Connection = psycopg2.connect(
            host=given["PGHOST"],
            dbname=given["PGDATABASE"],
            user=given["PGUSER"],
            options=session_options(),
            application_name="pool-recon",
        )
    except psycopg2.Error as error:
        raise CloseError(
            f"PostgreSQL cannot be reached as {given['PGUSER']} in {given['PGDATABASE']} on "
            f"{given['PGHOST']}: {first_line(error)}; set PGHOST, PGPORT, PGDATABASE, PGUSER and "
            "PGPASSWORD as for psql"
        ) from None
    connection.set_client_encoding("UTF8")
    return connection


def _check(found: Server) -> None:
    if found.version < OLDEST * 10000:
        raise CloseError(
            f"{found.name} is PostgreSQL {found.version // 10000}: expected {OLDEST} or newer"
        )
    encoding = found.rows("show server_encoding")[0][0]
    if encoding != "UTF8":
        raise CloseError(f"{found.name} is in {encoding}: create one with encoding 'UTF8'")
    if not found.rows("select 1 from pg_collation where collname = 'und-x-icu'"):
        raise CloseError(f"{found.name} knows no ICU collations: use a server built with ICU")
    may_create = "select has_database_privilege(current_database(), 'CREATE')"
    if not found.rows(may_create)[0][0]:
        raise CloseError(
            f"the role {os.environ.get('PGUSER') or _DEFAULTS['PGUSER']} may create no schema in "
            f"{found.name}: grant create on database to it"
        )
