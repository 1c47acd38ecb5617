"""The records of one close: scope, what is in force, and the joins by durable ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, wraps
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from .landing import Landing
from .reference import (
    CLASS_OF_STATE,
    DEFAULT_ENVIRONMENT,
    DEFAULT_PARTNER,
    ENTRY_TYPES,
    LEGAL_STEPS,
    EntryType,
)
from .staging import Row, Staged, by_id, content_of, counted_versions, terms_of, versions_of

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

# the row's own time: the first of these that it states; funding has none
OWN_TIME = {
    "orders": ("created_at",),
    "quotes": ("created_at", "accepted_at"),
    "trades": ("reserved_at", "terminal_at"),
    "events": ("received_at",),
    "ledger": ("effective_at",),
    "funding": (),
    "balances": ("as_of",),
    "pools": ("seen_at",),
}
MAY_EQUAL_CUT_OFF = ("balances", "pools")


Answer = TypeVar("Answer")


def remembered(method: Callable[[World, Row], Answer]) -> Callable[[World, Row], Answer]:
    """Asks a join of one row only once: the records in force do not change any more."""

    @wraps(method)
    def ask(world: World, row: Row) -> Answer:
        answers: dict[int, Answer] = world.answers.setdefault(method.__name__, {})
        if id(row) not in answers:
            answers[id(row)] = method(world, row)
        return answers[id(row)]

    return ask


@dataclass
class Movement:
    """One row of the fact: of a trade, of an order, or of an accepted quote (`of`)."""

    of: Row
    trade: Row | None
    order: Row | None
    quote: Row | None


@dataclass
class World:
    """Every record that exists for one close, by id, with its joins."""

    landing: Landing
    staged: Staged
    close_date: date
    day_start: datetime
    cut_off: datetime
    in_scope: dict[str, list[Row]] = field(default_factory=dict)
    late: dict[str, list[Row]] = field(default_factory=dict)
    orders: dict[str, Row] = field(default_factory=dict)
    quotes: dict[str, Row] = field(default_factory=dict)
    trades: dict[str, Row] = field(default_factory=dict)
    events: dict[str, Row] = field(default_factory=dict)
    entries: dict[str, Row] = field(default_factory=dict)
    funding: list[Row] = field(default_factory=list)
    balances: list[Row] = field(default_factory=list)
    pools: list[Row] = field(default_factory=list)
    order_versions: dict[str, list[Row]] = field(default_factory=dict)
    trade_versions: dict[str, list[Row]] = field(default_factory=dict)
    conflicting: dict[str, set[str]] = field(default_factory=dict)
    conflicting_balances: list[tuple[Row, Row]] = field(default_factory=list)
    own_status: dict[str, str] = field(default_factory=dict)
    effective_status: dict[str, str] = field(default_factory=dict)
    joined_by: dict[str, str] = field(default_factory=dict)
    trade_of_event: dict[str, Row] = field(default_factory=dict)
    trade_of_entry: dict[str, Row] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    answers: dict[str, dict[int, Any]] = field(default_factory=dict)

    # --- joins ---------------------------------------------------------------------------------

    def quote_of_trade(self, trade: Row) -> Row | None:
        return self.quotes.get(trade["quote_id"])

    @remembered
    def order_of_quote(self, quote: Row) -> Row | None:
        """The order that it names; else the earliest order that names it."""
        if quote["partner_order_id"] in self.orders:
            return self.orders[quote["partner_order_id"]]
        naming = [o for o in self.orders.values() if o["quote_id"] == quote["quote_id"]]
        return min(naming, key=order_age, default=None)

    @remembered
    def order_of_trade(self, trade: Row) -> Row | None:
        """Its quote's order; else the order that it names; else the order that names it."""
        quote = self.quote_of_trade(trade)
        order = self.order_of_quote(quote) if quote else None
        if order is None:
            order = self.orders.get(trade["partner_order_id"])
        if order is None:
            naming = [o for o in self.orders.values() if o["transact_id"] == trade["transact_id"]]
            order = min(naming, key=order_age, default=None)
        return order

    @remembered
    def trades_of_order(self, order: Row) -> list[Row]:
        return [t for t in self.trades.values() if self.order_of_trade(t) is order]

    def trade_of_order(self, order: Row) -> Row | None:
        """The latest by reserved_at (absent first), then transact_id."""
        return max(
            self.trades_of_order(order),
            key=lambda t: (t["reserved_at"] or FIRST, t["transact_id"]),
            default=None,
        )

    @remembered
    def quotes_of_order(self, order: Row) -> list[Row]:
        return [q for q in self.quotes.values() if self.order_of_quote(q) is order]

    @remembered
    def quote_of_order(self, order: Row) -> Row | None:
        """Its trade's quote; without a trade the one it names, its accepted, its newest."""
        if trade := self.trade_of_order(order):
            return self.quote_of_trade(trade)
        if order["quote_id"] in self.quotes:
            return self.quotes[order["quote_id"]]
        quotes = self.quotes_of_order(order)
        accepted = [q for q in quotes if q["accepted_at"]]
        if accepted:
            return max(accepted, key=lambda q: (q["accepted_at"], q["quote_id"]))
        return max(quotes, key=lambda q: (q["created_at"] or FIRST, q["quote_id"]), default=None)

    def trades_of_quote(self, quote_id: str | None) -> list[Row]:
        """The trades that name this quote, the earliest first."""
        if quote_id is None:
            return []
        return sorted((t for t in self.trades.values() if t["quote_id"] == quote_id), key=trade_age)

    def trade_of_quote(self, quote_id: str | None) -> Row | None:
        return next(iter(self.trades_of_quote(quote_id)), None)

    def join_event(self, event: Row) -> Row | None:
        if event["transact_id"] in self.trades:
            return self.trades[event["transact_id"]]
        return self.trade_of_quote(event["quote_id"])

    def join_entry(self, entry: Row) -> tuple[Row | None, str]:
        """The trade of a ledger entry and the rule that found it."""
        if entry["transact_id"] in self.trades:
            return self.trades[entry["transact_id"]], "transact_id"
        if trade := self.trade_of_quote(entry["quote_id"]):
            return trade, "quote_id"
        if entry["ledger_ref"] in self.trades:
            return self.trades[entry["ledger_ref"]], "ledger_ref_trade"
        if trade := self.trade_of_quote(entry["ledger_ref"]):
            return trade, "ledger_ref_quote"
        return None, "none"

    @remembered
    def events_of(self, trade: Row) -> list[Row]:
        """The events of a trade by (occurred_at, else received_at; event_id)."""
        joined = [
            e for e in self.events.values() if self.trade_of_event.get(e["event_id"]) is trade
        ]
        return sorted(joined, key=event_order)

    def confirmations_of(self, trade: Row) -> list[Row]:
        return [event for event in self.events_of(trade) if is_trusted(event)]

    @remembered
    def entries_of(self, trade: Row) -> list[Row]:
        return [
            entry
            for entry in self.entries.values()
            if self.trade_of_entry.get(entry["ledger_entry_id"]) is trade
        ]

    # --- late rows: only for cutoff_timing_difference ------------------------------------------

    @cached_property
    def trades_to_come(self) -> dict[str, Row]:
        """Trades of which all rows are late, each as its last version has it.

        What names one, or its quote, is of that trade and of no other.
        """
        return {
            id_: versions_of(rows)[-1]
            for id_, rows in by_id(self.late["trades"]).items()
            if id_ not in self.trades
        }

    @cached_property
    def orders_to_come(self) -> dict[str, list[Row]]:
        """Likewise of orders, all rows of each."""
        return {
            id_: rows for id_, rows in by_id(self.late["orders"]).items() if id_ not in self.orders
        }

    def late_entries_of(self, trade: Row) -> list[Row]:
        """Entries that are effective at or after the cut-off, one per id, the first."""
        firsts = [
            rows[0] for id_, rows in by_id(self.late["ledger"]).items() if id_ not in self.entries
        ]
        to_come = self.trades_to_come
        quotes = {late["quote_id"] for late in to_come.values()} - {None}

        def is_of_one_to_come(entry: Row, rule: str) -> bool:
            return (
                entry["transact_id"] in to_come
                or (rule.startswith("ledger_ref") and entry["quote_id"] in quotes)
                or (rule == "ledger_ref_quote" and entry["ledger_ref"] in to_come)
            )

        return [
            entry
            for entry in firsts
            if (joined := self.join_entry(entry))[0] is trade
            and not is_of_one_to_come(entry, joined[1])
        ]

    def late_confirmations_of(self, trade: Row) -> list[Row]:
        """Deliveries received at or after the cut-off of events that will be trusted then.

        An event will be what its first row says; a row that says otherwise confirms nothing.
        """
        late: list[Row] = []
        for rows in by_id(self.staged.rows["events"]).values():
            same = [row for row in rows if content_of(row) == content_of(rows[0])]
            signed = any(row["signature_result"] == "valid" for row in same)
            if rows[0]["source"] == "status_read" or signed:
                late += [row for row in same if row["received_at"] >= self.cut_off]
        to_come = self.trades_to_come
        return [
            event
            for event in late
            if event["transact_id"] not in to_come and self.join_event(event) is trade
        ]

    def has_late_trade(self, order: Row | None, quotes: list[Row]) -> bool:
        """A trade of one of the quotes, or of the order, is known from after the cut-off alone."""
        quote_ids = {quote["quote_id"] for quote in quotes}
        for trade in self.trades_to_come.values():
            if trade["quote_id"] in quote_ids:
                return True
            if order is not None and self.order_of_late_trade(trade) is order:
                return True
        return False

    def order_of_late_trade(self, trade: Row) -> Row | None:
        """As for any trade; its quote may be late too, and then its order is one to come."""
        to_come = self.orders_to_come
        quote = self.quote_of_trade(trade)
        is_late = quote is None
        if is_late:
            late = [q for q in self.late["quotes"] if q["quote_id"] == trade["quote_id"]]
            quote = late[0] if late and trade["quote_id"] is not None else None
        if quote is not None:
            if quote["partner_order_id"] in to_come and (
                is_late or self.order_of_quote(quote) is None
            ):
                return None
            if order := self.order_of_quote(quote):
                return order
            if any(row["quote_id"] == quote["quote_id"] for o in to_come.values() for row in o):
                return None
        return None if trade["partner_order_id"] in to_come else self.order_of_trade(trade)

    # --- what a movement says ------------------------------------------------------------------

    def side_of(self, quote: Row | None, trade: Row | None, order: Row | None) -> str:
        for row in (quote, trade, order):
            if row is not None and row["side"]:
                return str(row["side"])
        return "on_ramp"

    def side_of_quote(self, quote: Row) -> str:
        """The side of the movement of a quote: that of its earliest trade."""
        trade = self.trade_of_quote(quote["quote_id"])
        order = self.order_of_trade(trade) if trade else self.order_of_quote(quote)
        return self.side_of(quote, trade, order)

    def assets_of(self, quote: Row | None, side: str) -> tuple[str | None, str | None]:
        """Source and target asset: the quote's own columns, else its FIAT-CRYPTO pool by side."""
        if quote is None:
            return None, None
        source = target = None
        if re.fullmatch(r"[A-Z]{3}-[A-Z0-9]{2,}", quote["pool_id"]):
            fiat, crypto = quote["pool_id"].split("-")
            source, target = (fiat, crypto) if side == "on_ramp" else (crypto, fiat)
        return quote["source_asset"] or source, quote["target_asset"] or target

    def is_lacking(self, trade: Row) -> bool:
        """It has no quote or no order."""
        return self.quote_of_trade(trade) is None or self.order_of_trade(trade) is None


# --- small readings of one row -----------------------------------------------------------------


def order_age(order: Row) -> tuple[Any, ...]:
    return (order["created_at"], order["partner_order_id"])


def trade_age(trade: Row) -> tuple[Any, ...]:
    return (trade["reserved_at"] or LAST, trade["transact_id"])


def event_order(event: Row) -> tuple[Any, ...]:
    return (event["occurred_at"] or event["received_at"], event["event_id"])


def entry_order(entry: Row) -> tuple[Any, ...]:
    """By effective_at, entry_seq (absent last), id."""
    seq = entry["entry_seq"]
    return (entry["effective_at"], seq is None, seq or 0, entry["ledger_entry_id"])


def is_trusted(event: Row) -> bool:
    """A webhook with a valid signature, or a status read."""
    return bool(event["source"] == "status_read" or event["signature_result"] == "valid")


def entry_type(entry: Row) -> EntryType | None:
    return ENTRY_TYPES.get(entry["entry_type"])


def class_of(entry: Row) -> str | None:
    kind = entry_type(entry)
    return kind.entry_class if kind else None


def delta_of(entry: Row) -> Decimal | None:
    """What the entry adds; an amount with a minus is taken as written."""
    kind = entry_type(entry)
    if kind is None:
        return None
    amount: Decimal = entry["amount"]
    return -amount if kind.sign < 0 and amount > 0 else amount


def touches_balance(entry: Row) -> bool:
    kind = entry_type(entry)
    return kind is not None and kind.touches_balance


def state_class(order: Row) -> str | None:
    return CLASS_OF_STATE.get(order["product_state"])


def fold_status(status: str, confirmations: list[Row]) -> str:
    """Steps from the status wherever a confirmation's step is legal."""
    for event in confirmations:
        if (status, event["status"]) in LEGAL_STEPS:
            status = event["status"]
    return status


# --- building ----------------------------------------------------------------------------------


def build(landing: Landing, staged: Staged, close_date: date, time_zone: str) -> World:
    zone = ZoneInfo(time_zone)

    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)

    cut_off = midnight(close_date + timedelta(days=1))
    world = World(landing, staged, close_date, midnight(close_date), cut_off)
    for export, rows in staged.rows.items():
        world.in_scope[export] = [row for row in rows if is_in_scope(row, cut_off)]
        world.late[export] = [row for row in rows if not is_in_scope(row, cut_off)]
    put_in_force(world)
    join(world)
    resolve_environments(world)
    find_movements(world)
    return world


def is_in_scope(row: Row, cut_off: datetime) -> bool:
    """The row's own time, where it has one, is before the cut-off."""
    export = row.landed.export
    for column in OWN_TIME[export]:
        if row[column] is not None:
            in_time = row[column] < cut_off
            return bool(in_time or (export in MAY_EQUAL_CUT_OFF and row[column] == cut_off))
    return True


def put_in_force(world: World) -> None:
    cut_off = world.cut_off
    for id_, rows in by_id(world.in_scope["orders"]).items():
        world.order_versions[id_] = counted_versions(rows, cut_off)
        world.orders[id_] = world.order_versions[id_][-1]
    for id_, rows in by_id(world.in_scope["trades"]).items():
        put_trade_in_force(world, id_, counted_versions(rows, cut_off))
    world.conflicting = {export: set() for export in ("quotes", "events", "ledger")}
    for id_, rows in by_id(world.in_scope["quotes"]).items():
        world.quotes[id_] = fill_in_quote(rows, cut_off)
        if any(terms_of(row) != terms_of(rows[0]) for row in rows):
            world.conflicting["quotes"].add(id_)
    for id_, rows in by_id(world.in_scope["events"]).items():
        world.events[id_] = merge_deliveries(rows, cut_off)
        if any(content_of(row) != content_of(rows[0]) for row in rows):
            world.conflicting["events"].add(id_)
    for id_, rows in by_id(world.in_scope["ledger"]).items():
        world.entries[id_] = rows[0]
        if any(content_of(row) != content_of(rows[0]) for row in rows):
            world.conflicting["ledger"].add(id_)
    for rows in by_id(world.in_scope["funding"]).values():
        world.funding.append(versions_of(rows)[-1])
    for rows in by_id(world.in_scope["balances"]).values():
        world.balances.append(rows[0])
        others = (row for row in rows if row["balance"] != rows[0]["balance"])
        world.conflicting_balances += [(rows[0], other) for other in others]
    for rows in by_id(world.in_scope["pools"]).values():
        world.pools.append(rows[0])


def put_trade_in_force(world: World, id_: str, versions: list[Row]) -> None:
    """A version that ended at or after the cut-off is not yet so; the one before it counts."""
    standing = [v for v in versions if v["terminal_at"] is None or v["terminal_at"] < world.cut_off]
    world.trade_versions[id_] = standing
    if standing:
        world.trades[id_] = standing[-1]
        world.own_status[id_] = standing[-1]["status"]
    else:
        # its status follows from its events, once they are joined
        world.trades[id_] = versions[-1].changed(terminal_at=None)


def fill_in_quote(rows: list[Row], cut_off: datetime) -> Row:
    """The first row's terms, the first accepted_at before the cut-off, the last status."""
    accepted = [r["accepted_at"] for r in rows if r["accepted_at"] and r["accepted_at"] < cut_off]
    statuses = [row["status"] for row in rows if row["status"]]
    return rows[0].changed(
        accepted_at=next(iter(accepted), None), status=statuses[-1] if statuses else None
    )


def merge_deliveries(rows: list[Row], cut_off: datetime) -> Row:
    """The deliveries of the first content are one event; the rest of it is the first's."""
    same = [row for row in rows if content_of(row) == content_of(rows[0])]
    processed = [
        row["processed_at"] for row in same if row["processed_at"] and row["processed_at"] < cut_off
    ]
    is_valid = any(row["signature_result"] == "valid" for row in same)
    event = rows[0].changed(
        received_at=min(row["received_at"] for row in same),
        processed_at=min(processed, default=None),
        signature_result="valid" if is_valid else rows[0]["signature_result"],
    )
    event.values["has_processed_at"] = any("processed_at" in r.landed.file_columns for r in same)
    return event


def join(world: World) -> None:
    for id_, event in world.events.items():
        if trade := world.join_event(event):
            world.trade_of_event[id_] = trade
    for id_, entry in world.entries.items():
        entry_trade, world.joined_by[id_] = world.join_entry(entry)
        if entry_trade:
            world.trade_of_entry[id_] = entry_trade
    for id_, trade in world.trades.items():
        confirmations = world.confirmations_of(trade)
        if id_ not in world.own_status:
            world.own_status[id_] = fold_status("reserved", confirmations)
        world.effective_status[id_] = fold_status(world.own_status[id_], confirmations)


def resolve_environments(world: World) -> None:
    """What the row says, else what its trade, its quote, its order say, else the default."""
    for order in world.orders.values():
        resolve(order, world.trade_of_order(order), world.quote_of_order(order), None)
    for quote in world.quotes.values():
        trade = world.trade_of_quote(quote["quote_id"])
        resolve(quote, trade, None, world.order_of_quote(quote))
    for trade in world.trades.values():
        resolve(trade, None, world.quote_of_trade(trade), world.order_of_trade(trade))
    for event in world.events.values():
        resolve_joined(world, event, world.trade_of_event.get(event["event_id"]), "")
    for entry in world.entries.values():
        ref = entry["ledger_ref"]
        resolve_joined(world, entry, world.trade_of_entry.get(entry["ledger_entry_id"]), ref)
    for row in (*world.funding, *world.balances, *world.pools):
        resolve(row, None, None, None)


def resolve_joined(world: World, row: Row, trade: Row | None, ref: str | None) -> None:
    """An event or an entry: its trade's quote and order; without a trade the quote it names."""
    if trade is not None:
        resolve(row, trade, world.quote_of_trade(trade), world.order_of_trade(trade))
    else:
        quote = world.quotes.get(row["quote_id"]) or world.quotes.get(ref or "")
        resolve(row, None, quote, world.order_of_quote(quote) if quote else None)


def resolve(row: Row, trade: Row | None, quote: Row | None, order: Row | None) -> None:
    defaults = {"environment": DEFAULT_ENVIRONMENT, "partner_id": DEFAULT_PARTNER}
    for column, default in defaults.items():
        said = [r[column] for r in (row, trade, quote, order) if r is not None and r[column]]
        row.resolved[column] = said[0] if said else default


def find_movements(world: World) -> None:
    """Every trade; every order without one; every other accepted quote without one."""
    shown = set()
    for trade in world.trades.values():
        order, quote = world.order_of_trade(trade), world.quote_of_trade(trade)
        world.movements.append(Movement(trade, trade, order, quote))
    for order in world.orders.values():
        if not world.trades_of_order(order):
            quote = world.quote_of_order(order)
            world.movements.append(Movement(order, None, order, quote))
            if quote is not None:
                shown.add(quote["quote_id"])
    for id_, quote in world.quotes.items():
        if quote["accepted_at"] and not world.trades_of_quote(id_) and id_ not in shown:
            world.movements.append(Movement(quote, None, world.order_of_quote(quote), quote))
