"""Where the ids of the exports stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["own", "shared", "named"]


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

    def of_kind(self, kind: Kind) -> tuple[str, ...]:
        """The columns whose ids are the record's own, shared, or those of other records."""
        return {"own": (self.key,), "shared": self.shared, "named": self.named}[kind]


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
