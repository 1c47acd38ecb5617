"""The warehouse of a close, opened to be read."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pool_recon.blanks import BLANK
from pool_recon.errors import CloseError
from pool_recon.warehouse import connect, refuse_half_built

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
Packet = dict[str, Any]

SCHEMA_VERSION = 1
# As many values are compared one by one, more as a list.
FEW_VALUES = 100


@dataclass(frozen=True)
class Missing:
    """Nothing was found: `message` says what was looked for, `nearest` what there is instead."""

    message: str
    nearest: tuple[str, ...] = ()
    label: str = "nearest"


@dataclass(frozen=True)
class Reader:
    """A warehouse that a close has built. Moments are UTC, without a time zone of their own.

    With `partner`, rows of other partners do not exist.
    """

    connection: duckdb.DuckDBPyConnection
    close_date: date
    cut_off_at: datetime
    business_time_zone: str
    default_environment: str
    default_partner: str
    minor_units: dict[str, int]
    partner: str | None = None

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """The rows of a query as dictionaries, its `$name`s filled from `parameters`.

        What is no text, though a person gave it for one, is equal to nothing that has landed.
        """
        filled = {name: None if _is_no_text(value) else value for name, value in parameters.items()}
        found = self.connection.execute(sql, filled)
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def rows_with(self, table: str, column: str, values: Collection[Any]) -> list[Row]:
        """The rows of `table` whose `column` is one of `values`."""
        if not values:
            return []
        condition, parameters = one_of(column, values)
        return self.rows(f"select * from {table} where {condition}", **parameters)

    def is_visible(self, partner_id: str | None) -> bool:
        """Whether a row that states this partner may be shown; one that states none may."""
        return self.partner is None or partner_id is None or partner_id == self.partner

    def amount(self, value: Decimal | None, asset: str | None = None) -> str | None:
        """An amount as exact text: the decimals of its asset, more where they are not zero."""
        if value is None:
            return None
        whole, _, decimals = f"{value:f}".partition(".")
        decimals = decimals.rstrip("0").ljust(self.minor_units.get(asset or "", 0), "0")
        return f"{whole}.{decimals}" if decimals else whole


def _is_no_text(value: object) -> bool:
    """Whether `value` stands for bytes that are not UTF-8, as Python hands them on."""
    return isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value)


def one_of(column: str, values: Collection[Any]) -> tuple[str, dict[str, object]]:
    """The condition that `column` is one of `values`, and its parameters.

    A plain comparison goes down into a view to the scan of its tables, a subquery does not.
    """
    if len(values) == 1:
        return f"{column} = $wanted", {"wanted": next(iter(values))}
    if len(values) > FEW_VALUES:
        return f"{column} in (select unnest($wanted))", {"wanted": sorted(values)}
    parameters = {f"wanted_{place}": value for place, value in enumerate(sorted(values))}
    return f"{column} in ({', '.join(f'${name}' for name in parameters)})", parameters


def moment_text(moment: datetime | None) -> str | None:
    """A UTC moment as the close package writes it."""
    if moment is None:
        return None
    # A year before 1000 gets its zeros; strftime leaves that to the system.
    return f"{moment.isoformat()}Z"


def wanted_id(text: str) -> str:
    """The id that a person gave, trimmed as the ids of the exports are.

    Raises:
        CloseError: it is empty.
    """
    wanted = text.strip(BLANK)
    if not wanted:
        raise CloseError("the ID is empty: give the id of an order, a quote, a trade or the like")
    return wanted


@contextlib.contextmanager
def reading(warehouse: Path, partner: str | None = None) -> Iterator[Reader]:
    """Open `warehouse` for reading.

    Raises:
        CloseError: there is no such file, it cannot be opened, or no build of it was finished.
    """
    import duckdb

    if not warehouse.is_file():
        raise CloseError(
            f"there is no warehouse {warehouse}: run 'pool-recon close' first, or name another "
            "--warehouse"
        )
    with contextlib.closing(connect(warehouse, read_only=True)) as connection:
        try:
            yield _reader(connection, warehouse, partner)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise CloseError(
                f"the warehouse {warehouse} lacks what a close of this version builds: run "
                f"'pool-recon close' again ({str(error).splitlines()[0]})"
            ) from error


def _reader(connection: duckdb.DuckDBPyConnection, warehouse: Path, partner: str | None) -> Reader:
    built = connection.execute(
        "select count(*) from information_schema.tables where (table_schema, table_name) in "
        "(('intermediate', 'int_close'), ('marts', 'fct_reconciliation'))"
    ).fetchone()
    if built != (2,):
        raise CloseError(
            f"the warehouse {warehouse} holds no close yet: run 'pool-recon close' with it first"
        )
    refuse_half_built(connection, warehouse)
    close = connection.execute(
        "select close_date, cut_off_at, business_time_zone, default_environment, default_partner "
        "from intermediate.int_close"
    ).fetchone()
    if close is None:
        raise CloseError(f"the warehouse {warehouse} holds no close date: close it again")
    units = connection.execute("select asset, minor_unit from intermediate.int_assets").fetchall()
    close_date, cut_off_at, time_zone, environment, default_partner = close
    return Reader(
        connection,
        close_date,
        cut_off_at,
        time_zone,
        environment,
        default_partner,
        dict(units),
        partner,
    )
