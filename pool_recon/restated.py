"""Balances that are no longer what an earlier close published, as every reader of a close is told.

An entry that comes late, or is read otherwise, belongs to no day that is still to be closed: it
moves the opening of the next one. That is no finding; who signed the earlier date has to know it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pool_recon.console import plural

if TYPE_CHECKING:
    import duckdb

_MART = "fct_restated_balances"


@dataclass(frozen=True)
class RestatedBalance:
    """A balance that the close of `close_date` published otherwise than the entries now give it.

    Amounts are exact texts. `cut_off_at` is when that close ended, `compared_at` the moment of
    `restated`: another one where this close goes on from a midnight of another time zone.
    """

    close_date: str
    cut_off_at: str
    compared_at: str
    environment: str
    partner_id: str
    asset: str
    published: str
    restated: str
    difference: str

    @property
    def signed(self) -> str:
        """The difference with its sign."""
        return self.difference if self.difference.startswith("-") else f"+{self.difference}"


def read_restated_balances(connection: duckdb.DuckDBPyConnection) -> list[RestatedBalance]:
    """What the last earlier close published otherwise, in the order of balances.csv.

    Nothing in a warehouse that was built before balances were kept. Raises duckdb.Error where it
    cannot be read.
    """
    there = connection.execute(
        "select 1 from information_schema.tables where table_schema = 'marts' and table_name = ?",
        [_MART],
    ).fetchone()
    if there is None:
        return []
    rows = connection.execute(
        f"""
        select
            strftime(published_on, '%Y-%m-%d'),
            strftime(published_cut_off_at, '%Y-%m-%dT%H:%M:%SZ'),
            strftime(compared_at, '%Y-%m-%dT%H:%M:%SZ'),
            environment, partner_id, asset, published_text, restated_text, difference_text
        from marts.{_MART}
        order by environment, partner_id, asset
        """
    ).fetchall()
    return [RestatedBalance(*row) for row in rows]


def why(balance: RestatedBalance) -> str:
    """What made it so, as far as the moments tell, and what states it anew: sentences."""
    if balance.compared_at == balance.cut_off_at:
        return (
            f"Entries before {balance.cut_off_at} came since that close, or are read otherwise "
            f"now. Closing {balance.close_date} again publishes it as it is now."
        )
    where = "in neither of them" if balance.cut_off_at < balance.compared_at else "in both of them"
    return (
        f"That close ended at {balance.cut_off_at} and this one begins at {balance.compared_at}, "
        f"by another time zone: what moved between the two is {where}. What else differs came "
        f"since, or is read otherwise now. Closing {balance.close_date} again, with the time zone "
        "of this close, publishes it as it is now."
    )


def headline(count: int, close_date: str) -> str:
    """How many balances of which close are no longer what it published."""
    verb = "is" if count == 1 else "are"
    balances = f"{plural(count, 'balance')} of the close of {close_date}"
    return f"{balances} {verb} no longer what it published"
