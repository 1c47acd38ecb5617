"""From an id of any kind to the landed rows that carry it and the movements that they are on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from pool_recon.trace.reader import Reader, Row


@dataclass(frozen=True)
class Stream:
    """Where the ids of an export stand.

    `key` is its own id, `shared` are ids that several records may carry, `named` are the ids of
    other records. `own_time` is the moment that decides on which day a row counts, `in_force` the
    table with the record's partner and the row that is in force.
    """

    record_type: str
    key: str
    shared: tuple[str, ...]
    named: tuple[str, ...]
    own_time: str
    in_force: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column with an id."""
        return (self.key, *self.shared, *self.named)


# More rows than this carry no id that anybody would trace; it bounds memory.
HIT_LIMIT = 10_000

STREAMS = {
    "orders": Stream(
        "order",
        "partner_order_id",
        ("idempotency_key", "request_id"),
        ("quote_id", "transact_id"),
        "created_at",
        "int_orders_reconciled",
    ),
    "quotes": Stream(
        "quote",
        "quote_id",
        ("request_id",),
        ("partner_order_id",),
        "coalesce(created_at, accepted_at)",
        "int_quotes_linked",
    ),
    "trades": Stream(
        "trade",
        "transact_id",
        ("idempotency_key", "request_id"),
        ("quote_id", "partner_order_id"),
        "coalesce(reserved_at, terminal_at)",
        "int_trades_reconciled",
    ),
    "events": Stream(
        "event",
        "event_id",
        ("request_id",),
        ("transact_id", "quote_id"),
        "received_at",
        "int_events_joined",
    ),
    "ledger": Stream(
        "ledger_entry",
        "ledger_entry_id",
        ("ledger_ref", "funding_reference", "request_id"),
        ("transact_id", "quote_id", "related_entry_id"),
        "effective_at",
        "int_ledger_entries_joined",
    ),
    "funding": Stream("funding", "funding_reference", (), (), "null", "int_funding_in_force"),
}


@dataclass
class Hits:
    """The landed rows that carry an id, per export, and as which of their columns."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    matched_as: set[str] = field(default_factory=set)

    def keys(self, export: str, columns: Collection[str]) -> set[str]:
        """The records of `export` that carry the id in one of `columns`."""
        key = STREAMS[export].key
        return {
            row[key]
            for row in self.rows[export]
            if row[key] is not None and any(row[f"is_{column}"] for column in columns)
        }

    @property
    def has_any(self) -> bool:
        """Whether anything carries the id."""
        return any(self.rows.values())


def locate(reader: Reader, wanted: str) -> tuple[Hits, list[Row]]:
    """The rows that carry the id `wanted`, and the movements that they are on, by id.

    A record's own id decides, and then no other column is looked at. Where no record has it as
    its own, or that record is on no movement, the records that share or name it count too; their
    orders and quotes only where nothing nearer to the money has led to a movement of theirs.

    An id that is another partner's own is not there for the reader's partner, though its rows
    name it.
    """
    own, is_foreign = _hits(reader, wanted, lambda stream: (stream.key,))
    found = _Found(reader)
    found.add_joined(_keys(own, "events", "key"), _keys(own, "ledger", "key"))
    found.add("transact_id", _keys(own, "trades", "key"))
    found.add_quotes(_keys(own, "quotes", "key"))
    found.add("partner_order_id", _keys(own, "orders", "key"))
    if found.found or is_foreign:
        return own, found.sorted()
    every, _ = _hits(reader, wanted, lambda stream: stream.columns)
    for kind in ("shared", "named"):
        found.add_joined(_keys(every, "events", kind), _keys(every, "ledger", kind))
        found.add("transact_id", _keys(every, "trades", kind))
        found.add_quotes(_keys(every, "quotes", kind) - found.known("quote_id"))
        found.add(
            "partner_order_id", _keys(every, "orders", kind) - found.known("partner_order_id")
        )
    return every, found.sorted()


def _hits(
    reader: Reader, wanted: str, columns_of: Callable[[Stream], tuple[str, ...]]
) -> tuple[Hits, bool]:
    """The rows with the id in these columns, and whether it only stands in other partners' rows."""
    hits = Hits()
    has_hidden = False
    for export, stream in STREAMS.items():
        columns = columns_of(stream)
        flags = ", ".join(
            f"{f'coalesce({column} = $wanted, false)' if column in columns else 'false'} "
            f"as is_{column}"
            for column in stream.columns
        )
        condition = " or ".join(f"{column} = $wanted" for column in columns)
        rows = reader.rows(
            f"select {stream.key}, partner_id, quarantine_reasons, row_order, {flags} "
            f"from staging.stg_{export} where {condition} order by row_order limit {HIT_LIMIT}",
            wanted=wanted,
        )
        hits.rows[export] = visible(reader, export, rows)
        has_hidden |= len(hits.rows[export]) < len(rows)
        hits.matched_as |= {
            column for column in columns if any(row[f"is_{column}"] for row in hits.rows[export])
        }
    return hits, has_hidden and not hits.has_any


def _keys(hits: Hits, export: str, kind: str) -> set[str]:
    stream = STREAMS[export]
    columns = (stream.key,) if kind == "key" else getattr(stream, kind)
    return hits.keys(export, columns)


def partners(reader: Reader, export: str, rows: Collection[Row]) -> dict[str, str]:
    """The partner of each record in force that these rows of `export` are about."""
    stream = STREAMS[export]
    keys = {row[stream.key] for row in rows if row[stream.key] is not None}
    records = reader.rows_with(f"intermediate.{stream.in_force}", stream.key, keys)
    return {record[stream.key]: record["partner_id"] for record in records if record["partner_id"]}


def visible(reader: Reader, export: str, rows: list[Row]) -> list[Row]:
    """Drop the rows of other partners; a row that states none has the partner of its record."""
    if reader.partner is None:
        return rows
    of_record = partners(reader, export, rows)
    key = STREAMS[export].key
    return [
        row
        for row in rows
        if (row["partner_id"] or of_record.get(row[key]) or reader.default_partner)
        == reader.partner
    ]


class _Found:
    """Movements in the making, by type and id."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.found: dict[tuple[str, str], Row] = {}

    def add(self, column: str, ids: Collection[str]) -> None:
        for row in self.reader.rows_with("marts.fct_reconciliation", column, ids):
            if self.reader.is_visible(row["partner_id"]):
                self.found[row["movement_type"], row["movement_id"]] = row

    def add_quotes(self, ids: Collection[str]) -> None:
        """Add the movements of quotes; of those that are on none, the movements of their order."""
        self.add("quote_id", ids)
        rest = set(ids) - self.known("quote_id")
        quotes = self.reader.rows_with("intermediate.int_quotes_linked", "quote_id", rest)
        self.add("partner_order_id", _present(row["partner_order_id"] for row in quotes))

    def add_joined(self, event_ids: Collection[str], entry_ids: Collection[str]) -> None:
        """Add the movements that events and ledger entries join to."""
        events = self.reader.rows_with("marts.fct_events", "event_id", event_ids)
        entries = self.reader.rows_with("marts.fct_ledger_entries", "ledger_entry_id", entry_ids)
        self.add("transact_id", _present(row["joined_transact_id"] for row in events + entries))

    def known(self, column: str) -> set[str]:
        return _present(row[column] for row in self.found.values())

    def sorted(self) -> list[Row]:
        return [self.found[key] for key in sorted(self.found, key=lambda key: (key[1], key[0]))]


def _present(values: Iterable[str | None]) -> set[str]:
    return {value for value in values if value is not None}
