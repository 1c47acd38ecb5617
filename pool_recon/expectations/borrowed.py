"""A dialect of SQLAlchemy over a DuckDB connection that is already open.

Great Expectations speaks to databases through SQLAlchemy alone. All that it needs here is to send
a text and to fetch rows; the connection belongs to whoever lent it and is neither closed nor put
into a transaction, so that one statement that cannot run spoils no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect

URL = "duckdb+borrowed://"


class BorrowedCursor:
    """The result of the last statement of the connection."""

    rowcount = -1
    lastrowid = None

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @property
    def description(self) -> Any:
        """The columns of the result."""
        return self._connection.description

    def execute(self, statement: str, _parameters: Sequence[Any] = ()) -> None:
        """Run a statement, which has no parameters."""
        self._connection.execute(statement)

    def fetchone(self) -> Any:
        """The next row, None after the last."""
        return self._connection.fetchone()

    def fetchmany(self, size: int = 1) -> Any:
        """The next rows, at most `size`."""
        return self._connection.fetchmany(size)

    def fetchall(self) -> Any:
        """All further rows."""
        return self._connection.fetchall()

    def close(self) -> None:
        """Keep the connection."""


class BorrowedConnection:
    """A connection that its user cannot close."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def cursor(self) -> BorrowedCursor:
        """A cursor on the connection itself: a new one of DuckDB would not see its tables."""
        return BorrowedCursor(self._connection)

    def commit(self) -> None:
        """Every statement commits itself."""

    def rollback(self) -> None:
        """There is nothing to take back."""

    def close(self) -> None:
        """Whoever lent the connection closes it."""


class BorrowedDialect(DefaultDialect):
    """As much of a dialect as texts without parameters need."""

    name = "duckdb"
    driver = "borrowed"
    supports_statement_cache = False
    default_paramstyle = "qmark"

    @classmethod
    def import_dbapi(cls) -> Any:
        """What SQLAlchemy asks of a driver."""
        return SimpleNamespace(paramstyle="qmark", Error=Exception)

    def initialize(self, connection: Any) -> None:
        """Nothing is to be asked of the database."""


def lending(connection: Any) -> Callable[[], BorrowedConnection]:
    """What `create_engine` calls to connect, with this dialect made known to SQLAlchemy."""
    registry.register("duckdb.borrowed", __name__, BorrowedDialect.__name__)
    return lambda: BorrowedConnection(connection)
