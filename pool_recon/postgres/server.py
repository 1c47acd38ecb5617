"""The connection to a PostgreSQL server."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pool_recon.errors import CloseError, NotReadyError, Obstacle

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

RAW: Final = "raw"
# Sorts and hash tables of a million rows, several at a time, which the 4 MB of a server that nobody
# set up would write to its disk. PGOPTIONS may say otherwise.
_ROOM: Final = "-c work_mem=64MB"
# What dates look like as text, where a text without a zone is, how a text with a backslash is read,
# and no time lost on compiling. The session that has the lock is idle while dbt builds.
SESSION: Final = (
    "-c DateStyle=ISO,YMD -c TimeZone=UTC -c jit=off -c client_min_messages=warning"
    " -c standard_conforming_strings=on -c idle_session_timeout=0"
    " -c idle_in_transaction_session_timeout=0"
)
# How many seconds a server may take to answer, where PGCONNECT_TIMEOUT does not say.
_PATIENCE: Final = 10
# As in profiles.yml, where the environment names neither these nor a service that does.
_DEFAULTS: Final = {"PGHOST": "localhost", "PGDATABASE": "pool_recon", "PGUSER": "pool_recon"}
_SERVICE: Final = "PGSERVICE"


class Server:
    """One connection to a database. What it does is committed only by `commit`.

    The database is the one that psql finds by the variables PGHOST, PGPORT, PGDATABASE, PGUSER,
    PGPASSWORD, PGSSLMODE and PGSERVICE. `environment` are those by which dbt finds it, to which a
    service means nothing.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        info = connection.info
        self.name = f"the database {info.dbname} on {info.host}"
        self.role = info.user
        self.environment = {
            "PGHOST": info.host,
            "PGPORT": str(info.port),
            "PGDATABASE": info.dbname,
            "PGUSER": info.user,
        }
        if os.environ.get(_SERVICE) and info.password:
            self.environment["PGPASSWORD"] = info.password
        self.version = info.server_version
        # As people write it: 15.13.
        self.product = info.parameter_status("server_version").split()[0]

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
def connected() -> Iterator[Server]:
    """Connect, and look at nothing. Raises CloseError where there is no such database."""
    connection = _connect()
    try:
        yield Server(connection)
    finally:
        # A lock ends with the session.
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
    """The PGOPTIONS of every session that builds or reads, with those of the caller."""
    return " ".join((_ROOM, os.environ.get("PGOPTIONS", ""), SESSION))


def quoted(name: str) -> str:
    """A name as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'


def _driver() -> Any:
    try:
        import psycopg2
    except ImportError:
        raise NotReadyError(
            Obstacle("the target postgres needs its driver", "pip install 'pool-recon[postgres]'")
        ) from None
    return psycopg2


def _connect() -> Connection:
    psycopg2 = _driver()
    service = os.environ.get(_SERVICE)
    given = {
        name: os.environ.get(name) or (None if service else default)
        for name, default in _DEFAULTS.items()
    }
    try:
        connection: Connection = psycopg2.connect(
            host=given["PGHOST"],
            dbname=given["PGDATABASE"],
            user=given["PGUSER"],
            options=session_options(),
            application_name="pool-recon",
            # A host that swallows what it is sent would be waited for for minutes.
            connect_timeout=os.environ.get("PGCONNECT_TIMEOUT") or _PATIENCE,
        )
    except psycopg2.Error as error:
        place = (
            f"by the service {service}"
            if service
            else f"as {given['PGUSER']} in {given['PGDATABASE']} on {given['PGHOST']}"
        )
        finding = f"PostgreSQL cannot be reached {place}: {first_line(error)}"
        remedy = "set PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD as for psql"
        raise NotReadyError(Obstacle(finding, remedy)) from None
    connection.set_client_encoding("UTF8")
    return connection
