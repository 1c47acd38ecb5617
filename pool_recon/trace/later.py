"""What landed for a later close, and what it will join to there.

A trade, an event or a ledger entry whose own time is at or after the cut-off does not exist for
this close, so no model joins it; its trade may exist for this close or be as late itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from pool_recon.trace.reader import Reader, Row, one_of
from pool_recon.trace.streams import STREAMS

# The columns by which events and ledger entries join.
LINKS = ("transact_id", "quote_id", "ledger_ref")
# The column of a movement, and its value there.
Link = tuple[str, str]
# Type and id of a movement.
Key = tuple[str, str]

# An order awaits the later trades of its own and of the quote that it shows, a quote its own.
_AWAITED = """
    select movements.movement_type, movements.movement_id, trades.transact_id
    from intermediate.int_trades_later as trades
    inner join marts.fct_reconciliation as movements on trades.quote_id = movements.quote_id
    where movements.transact_id is null
    union
    select movements.movement_type, movements.movement_id, trades.transact_id
    from intermediate.int_trades_later as trades
    inner join marts.fct_reconciliation as movements
        on trades.partner_order_id = movements.partner_order_id
    where movements.movement_type = 'order'
"""


def later_joins(
    reader: Reader, export: str, columns: Iterable[str], ids: Collection[str]
) -> dict[str, Link]:
    """What the later records of `export` with one of `ids` in one of `columns` will join to.

    By the id of the record: its trade, else the quote that it names. `export` is events or ledger.
    """
    if not ids:
        return {}
    stream = STREAMS[export]
    conditions = [one_of(column, ids) for column in columns]
    found = reader.rows(
        f"select distinct {stream.key} from staging.stg_{export} "
        f"where {stream.own_time} >= $cut_off and quarantine_reasons is null "
        f"and ({' or '.join(condition for condition, _ in conditions)})",
        cut_off=reader.cut_off_at,
        **conditions[0][1],
    )
    keys = {row[stream.key] for row in found}
    in_force = reader.rows_with(f"intermediate.{stream.in_force}", stream.key, keys)
    keys -= {row[stream.key] for row in in_force}
    landed = reader.rows_with(f"staging.stg_{export}", stream.key, keys)
    landed = [row for row in landed if row["quarantine_reasons"] is None]
    landed.sort(key=lambda row: row["row_order"], reverse=True)
    # The first row is the one that will be in force.
    first = {row[stream.key]: row for row in landed}
    return _joins(reader, first)


def _joins(reader: Reader, records: dict[str, Row]) -> dict[str, Link]:
    named = {
        row[column] for row in records.values() for column in LINKS if row.get(column) is not None
    }
    # A record belongs to the trade that it names from when that has landed, however late it is.
    trades = {
        row["transact_id"]: row["transact_id"]
        for row in reader.rows_with("staging.stg_trades", "transact_id", named)
        if row["quarantine_reasons"] is None
    }
    # Which of several later trades has a quote makes no difference: they are on the same movements.
    quote_trades = {
        row["quote_id"]: row["transact_id"]
        for table in ("intermediate.int_trades_later", "intermediate.int_quote_trades")
        for row in reader.rows_with(table, "quote_id", named)
    }
    joins: dict[str, Link] = {}
    for key, row in records.items():
        quote_id, ledger_ref = row["quote_id"], row.get("ledger_ref")
        trade = (
            trades.get(row["transact_id"])
            or quote_trades.get(quote_id)
            or trades.get(ledger_ref)
            or quote_trades.get(ledger_ref)
        )
        if trade is not None:
            joins[key] = ("transact_id", trade)
        elif (named_quote := quote_id or ledger_ref) is not None:
            joins[key] = ("quote_id", named_quote)
    return joins


def awaited_trades(reader: Reader, column: str, ids: Collection[str]) -> dict[Key, set[str]]:
    """The later trades of movements that have none: those whose `column` is one of `ids`.

    `column` is movement_id, or transact_id of the later trades.
    """
    awaited: dict[Key, set[str]] = defaultdict(set)
    for row in reader.rows_with(f"({_AWAITED})", column, ids):
        awaited[row["movement_type"], row["movement_id"]].add(row["transact_id"])
    return awaited
