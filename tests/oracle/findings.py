"""Every finding: one small function per code, over one movement, event, entry or file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from .model import (
    FIRST,
    World,
    class_of,
    delta_of,
    entry_order,
    entry_type,
    is_trusted,
    state_class,
    touches_balance,
    trade_age,
)
from .reference import (
    CLASS_OF_STATE,
    DEFAULT_ENVIRONMENT,
    DOCUMENTED_COLUMNS,
    GRACE_PERIOD,
    MINOR_UNITS,
    PROCESSING_LIMIT,
    SETTLEMENT_LIMIT,
    SEVERITY_OF_CODE,
    TERMINAL,
)
from .staging import Row
from .text import time_text

SUBJECT_TYPE = {
    "orders": "order",
    "quotes": "quote",
    "trades": "trade",
    "events": "event",
    "ledger": "ledger_entry",
    "funding": "funding",
    "balances": "balance",
}
FUNDING, CREDITS, DEBITS = {"funding"}, {"refund", "release", "return"}, {"debit", "reserve"}
SOURCE_CLASSES = DEBITS | CREDITS | {"adjustment"}


@dataclass(frozen=True)
class Finding:
    """One row of exceptions.csv."""

    code: str
    severity: str
    environment: str
    subject_type: str
    subject_id: str
    amount_at_risk: Decimal | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.code, self.subject_type, self.subject_id)


def subject_id(row: Row) -> str:
    if row.landed.export == "balances":
        return f"{row.env}:{row.partner}:{row['asset']}:{time_text(row['as_of'])}"
    return str(next(iter(row.values.values())))


def about(world: World, code: str, row: Row, amount: Decimal | None = None) -> Finding:
    """A finding whose subject is a record."""
    if amount is None:
        amount = usual_amount(world, row)
    kind = SUBJECT_TYPE[row.landed.export]
    return Finding(code, SEVERITY_OF_CODE[code], row.env, kind, subject_id(row), amount)


def usual_amount(world: World, row: Row) -> Decimal | None:
    """The source amount of an order, quote or trade; an entry's delta; an event's trade's."""
    match row.landed.export:
        case "orders":
            trade = world.trade_of_order(row)
            return source_amount(world, trade) if trade else amount_of(world.quote_of_order(row))
        case "quotes":
            return amount_of(row)
        case "trades":
            return source_amount(world, row)
        case "events":
            trade = world.trade_of_event.get(row["event_id"])
            return source_amount(world, trade) if trade else None
        case "ledger":
            delta = delta_of(row)
            return None if delta is None else abs(delta)
    return None


def amount_of(quote: Row | None) -> Decimal | None:
    return quote["source_amount"] if quote else None


# --- amounts of a trade ------------------------------------------------------------------------


def side_of_trade(world: World, trade: Row) -> str:
    return world.side_of(world.quote_of_trade(trade), trade, world.order_of_trade(trade))


def quote_fiat_and_crypto(quote: Row | None, side: str) -> tuple[Decimal | None, Decimal | None]:
    if quote is None:
        return None, None
    amounts = quote["source_amount"], quote["target_amount"]
    return amounts if side == "on_ramp" else amounts[::-1]


def fiat_and_crypto(world: World, trade: Row) -> tuple[Decimal | None, Decimal | None]:
    """Its own amounts where given, else its quote's."""
    fiat, crypto = quote_fiat_and_crypto(world.quote_of_trade(trade), side_of_trade(world, trade))
    return (
        fiat if trade["fiat_amount"] is None else trade["fiat_amount"],
        crypto if trade["crypto_amount"] is None else trade["crypto_amount"],
    )


def source_amount(world: World, trade: Row) -> Decimal | None:
    fiat, crypto = fiat_and_crypto(world, trade)
    return fiat if side_of_trade(world, trade) == "on_ramp" else crypto


def target_amount(world: World, trade: Row) -> Decimal | None:
    fiat, crypto = fiat_and_crypto(world, trade)
    return crypto if side_of_trade(world, trade) == "on_ramp" else fiat


def trade_assets(world: World, trade: Row) -> tuple[str | None, str | None]:
    return world.assets_of(world.quote_of_trade(trade), side_of_trade(world, trade))


def net(entries: Iterable[Row], classes: set[str], asset: str | None) -> Decimal | None:
    """The sum of the deltas of these classes in the asset; nothing where there are none."""
    deltas = [delta_of(e) for e in entries if class_of(e) in classes and e["asset"] == asset]
    return sum((d for d in deltas if d is not None), Decimal(0)) if deltas else None


# --- movements ---------------------------------------------------------------------------------


def missing_quote(world: World) -> Iterator[Finding]:
    for order in world.orders.values():
        trade = world.trade_of_order(order)
        has_quote = (
            order["quote_id"] in world.quotes
            or world.quotes_of_order(order)
            or (trade is not None and world.quote_of_trade(trade))
        )
        age = world.cut_off - order["created_at"]
        is_young = state_class(order) == "pending" and age <= GRACE_PERIOD
        if not has_quote and state_class(order) != "abandoned" and not is_young:
            yield about(world, "missing_quote", order)
    for trade in world.trades.values():
        if world.quote_of_trade(trade) is None:
            yield about(world, "missing_quote", world.order_of_trade(trade) or trade)


def missing_trade(world: World) -> Iterator[Finding]:
    for order in world.orders.values():
        if world.trades_of_order(order):
            continue
        shown = world.quote_of_order(order)
        quotes = world.quotes_of_order(order) + ([shown] if shown else [])
        if (
            any(quote["accepted_at"] for quote in quotes)
            or order["transact_id"]
            or state_class(order) == "success"
        ):
            is_late = world.has_late_trade(order, quotes)
            yield about(world, in_time("missing_trade", is_late), order)
    for quote in world.quotes.values():
        if quote["accepted_at"] and not world.trades_of_quote(quote["quote_id"]):
            owner = world.order_of_quote(quote)
            if owner is None or world.trades_of_order(owner):
                is_late = world.has_late_trade(None, [quote])
                yield about(world, in_time("missing_trade", is_late), quote)


def in_time(code: str, is_late: bool) -> str:
    """What is only late is a difference of timing, in place of the finding."""
    return "cutoff_timing_difference" if is_late else code


def missing_order(world: World) -> Iterator[Finding]:
    for trade in world.trades.values():
        if world.order_of_trade(trade) is None:
            yield about(world, "missing_order", trade)
    for quote in world.quotes.values():
        is_open = quote["accepted_at"] and not world.trades_of_quote(quote["quote_id"])
        if is_open and world.order_of_quote(quote) is None:
            yield about(world, "missing_order", quote)


def duplicate_trade_attempt(world: World) -> Iterator[Finding]:
    seen: set[tuple[Any, ...]] = set()
    for trade in sorted(world.trades.values(), key=trade_age):
        keys: set[tuple[Any, ...]] = set()
        if trade["idempotency_key"]:
            keys.add(("key", trade.env, trade.partner, trade["idempotency_key"]))
        if trade["quote_id"]:
            keys.add(("quote", trade["quote_id"]))
        if keys & seen:
            yield about(world, "duplicate_trade_attempt", trade)
        seen |= keys


def missing_webhook(world: World) -> Iterator[Finding]:
    for id_, trade in world.trades.items():
        own = world.own_status[id_]
        confirmed = {event["status"] for event in world.confirmations_of(trade)}
        if own in TERMINAL and own not in confirmed:
            late = {event["status"] for event in world.late_confirmations_of(trade)}
            yield about(world, in_time("missing_webhook", own in late), trade)


def missing_ledger_entry(world: World) -> Iterator[Finding]:
    for id_, trade in world.trades.items():
        needs_one = world.effective_status[id_] in ("settled", "returned", "released")
        if needs_one and not world.entries_of(trade):
            is_late = bool(world.late_entries_of(trade))
            yield about(world, in_time("missing_ledger_entry", is_late), trade)


def lacks_return_entry(world: World, trade: Row) -> bool:
    """Returned, with entries, none of which is a return or a refund."""
    entries = world.entries_of(trade)
    return (
        world.effective_status[trade["transact_id"]] == "returned"
        and bool(entries)
        and not any(class_of(entry) in ("return", "refund") for entry in entries)
    )


def returned_not_adjusted(world: World) -> Iterator[Finding]:
    for trade in world.trades.values():
        if lacks_return_entry(world, trade):
            late = world.late_entries_of(trade)
            is_late = any(class_of(entry) in ("return", "refund") for entry in late)
            yield about(world, in_time("returned_not_adjusted", is_late), trade)


def ledger_difference(world: World, trade: Row, entries: list[Row]) -> Decimal | None:
    """How far the nets are from what the effective status demands; None: they agree."""
    status = world.effective_status[trade["transact_id"]]
    (source_asset, target_asset) = trade_assets(world, trade)
    source, target = source_amount(world, trade), target_amount(world, trade)
    if source_asset is None or source is None:
        return None
    source_net = net(entries, SOURCE_CLASSES, source_asset) or Decimal(0)
    demanded = {"reserved": [-source, Decimal(0)], "settled": [-source]}.get(status, [Decimal(0)])
    difference = min(abs(source_net - each) for each in demanded)
    if difference:
        return difference
    has_settle = any(class_of(entry) == "settle" for entry in entries)
    if has_settle and target_asset is not None and target is not None:
        target_net = net(entries, {"settle"}, target_asset) or Decimal(0)
        wanted = Decimal(0) if status in ("failed", "released") else target
        return abs(target_net - wanted) or None
    return None


def ledger_mismatch(world: World) -> Iterator[Finding]:
    for trade in world.trades.values():
        entries = world.entries_of(trade)
        if not entries or lacks_return_entry(world, trade):
            continue
        difference = ledger_difference(world, trade, entries)
        if difference is not None:
            later = ledger_difference(world, trade, entries + world.late_entries_of(trade))
            if later is None:
                yield about(world, "cutoff_timing_difference", trade)
            else:
                yield about(world, "ledger_mismatch", trade, difference)


def ledger_without_terminal_trade(world: World) -> Iterator[Finding]:
    for id_, trade in world.trades.items():
        classes = {class_of(entry) for entry in world.entries_of(trade)}
        if world.effective_status[id_] == "reserved" and classes & (CREDITS | {"settle"}):
            yield about(world, "ledger_without_terminal_trade", trade)


def terminal_state_conflict(world: World) -> Iterator[Finding]:
    for id_, trade in world.trades.items():
        confirmations = world.confirmations_of(trade)
        history = [version["status"] for version in world.trade_versions[id_]]
        statuses = {world.own_status[id_], *history, *(e["status"] for e in confirmations)}
        terminal = statuses & TERMINAL
        is_several = len(terminal) > 1 and terminal != {"settled", "returned"}
        went_back = any(
            before in TERMINAL and after == "reserved" for before, after in pairwise(history)
        )
        if is_several or went_back or returned_before_settled(confirmations):
            yield about(world, "terminal_state_conflict", trade)


def returned_before_settled(confirmations: list[Row]) -> bool:
    """By the first occurred_at of each, where both have one."""

    def first(status: str) -> datetime | None:
        times = [e["occurred_at"] for e in confirmations if e["status"] == status]
        return min((time for time in times if time), default=None)

    returned, settled = first("returned"), first("settled")
    return returned is not None and settled is not None and returned < settled


def status_lag(world: World) -> Iterator[Finding]:
    for id_, trade in world.trades.items():
        if world.own_status[id_] != world.effective_status[id_]:
            yield about(world, "status_lag", trade)


def stuck_reserved(world: World) -> Iterator[Finding]:
    for id_, trade in world.trades.items():
        quote, order = world.quote_of_trade(trade), world.order_of_trade(trade)
        since = (
            trade["reserved_at"]
            or (quote["accepted_at"] if quote else None)
            or (order["created_at"] if order else None)
        )
        is_reserved = world.effective_status[id_] == "reserved"
        if is_reserved and since and world.cut_off - since > SETTLEMENT_LIMIT:
            yield about(world, "stuck_reserved", trade)


def accepted_after_expiry(world: World) -> Iterator[Finding]:
    for id_, quote in world.quotes.items():
        trade = world.trade_of_quote(id_)
        accepted = quote["accepted_at"] or (trade["reserved_at"] if trade else None)
        if accepted and accepted > quote["expires_at"]:
            yield about(world, "accepted_after_expiry", quote)


def indicative_quote_executed(world: World) -> Iterator[Finding]:
    for trade in world.trades.values():
        quote = world.quote_of_trade(trade)
        if quote and quote["quote_type"] == "indicative":
            yield about(world, "indicative_quote_executed", trade)


def amount_mismatch(world: World) -> Iterator[Finding]:
    for trade in world.trades.values():
        quote = world.quote_of_trade(trade)
        quoted = quote_fiat_and_crypto(quote, side_of_trade(world, trade))
        own = trade["fiat_amount"], trade["crypto_amount"]
        if quote and any(
            mine is not None and mine != theirs for mine, theirs in zip(own, quoted, strict=True)
        ):
            yield about(world, "amount_mismatch", trade)


def network_mismatch(world: World) -> Iterator[Finding]:
    for trade in world.trades.values():
        if differ([trade, world.quote_of_trade(trade)], "crypto_network"):
            yield about(world, "network_mismatch", trade)


def differ(rows: Iterable[Row | None], column: str) -> bool:
    """The rows name more than one value; one that does not say takes no part."""
    return len({row[column] for row in rows if row is not None and row[column]}) > 1


def delivery_not_locked(world: World) -> Iterator[Finding]:
    if "dest_address" not in world.landing.columns_present["quotes"]:
        return
    for id_, quote in world.quotes.items():
        is_delivered = quote["quote_type"] == "firm" and world.side_of_quote(quote) == "on_ramp"
        if is_delivered and world.trade_of_quote(id_) and not quote["dest_address"]:
            yield about(world, "delivery_not_locked", quote)


def groups(world: World) -> Iterator[tuple[Row, list[Row | None], list[Row]]]:
    """Subject, its order, quote and trade, its events and entries: of each trade, and of each
    order without one."""
    for trade in world.trades.values():
        rows = [world.order_of_trade(trade), world.quote_of_trade(trade), trade]
        yield trade, rows, world.events_of(trade) + world.entries_of(trade)
    for order in world.orders.values():
        if not world.trades_of_order(order):
            yield order, [order, world.quote_of_order(order)], []


def pool_mismatch(world: World) -> Iterator[Finding]:
    for subject, rows, _ in groups(world):
        if differ(rows, "pool_id") or differ(rows, "side"):
            yield about(world, "pool_mismatch", subject)


def environment_mismatch(world: World) -> Iterator[Finding]:
    for subject, rows, joined in groups(world):
        if differ([*rows, *joined], "environment"):
            yield about(world, "environment_mismatch", subject)


def partner_mismatch(world: World) -> Iterator[Finding]:
    for subject, rows, joined in groups(world):
        if differ([*rows, *joined], "partner_id"):
            yield about(world, "partner_mismatch", subject)


def snapshot_of(world: World, quote: Row) -> Row | None:
    """The last snapshot of the quote's pool, for its environment and partner, seen by then.

    What a snapshot does not name, it counts for all of.
    """
    seen = [
        pool
        for pool in world.pools
        if pool["pool_id"] == quote["pool_id"]
        and pool["seen_at"] <= quote["created_at"]
        and pool["environment"] in (None, quote.env)
        and pool["partner_id"] in (None, quote.partner)
    ]
    return max(seen, key=lambda pool: (pool["seen_at"], pool.landed.load_order), default=None)


def snapshots(world: World) -> Iterator[tuple[Row, Row | None]]:
    """Each firm quote with a known created_at, where there is a pools export."""
    if "pools" in world.landing.exports_present:
        for quote in world.quotes.values():
            if quote["quote_type"] == "firm" and quote["created_at"]:
                yield quote, snapshot_of(world, quote)


def pool_not_entitled(world: World) -> Iterator[Finding]:
    for quote, snapshot in snapshots(world):
        if snapshot is None or snapshot["entitled"] is False:
            yield about(world, "pool_not_entitled", quote)


def outside_pool_limits(world: World) -> Iterator[Finding]:
    for quote, snapshot in snapshots(world):
        if snapshot is None:
            continue
        low, high = snapshot["min_source_amount"], snapshot["max_source_amount"]
        amount = quote["source_amount"]
        if (low is not None and amount < low) or (high is not None and amount > high):
            yield about(world, "outside_pool_limits", quote)


def conflicting_link(world: World) -> Iterator[Finding]:
    for order in world.orders.values():
        quote = world.quotes.get(order["quote_id"])
        named = world.orders.get(quote["partner_order_id"]) if quote else None
        trade = world.trades.get(order["transact_id"])
        if (
            (named is not None and named is not order)
            or (trade is not None and quote_is_of_another_order(world, trade, order))
            or any(
                trade["partner_order_id"] == order["partner_order_id"]
                and quote_is_of_another_order(world, trade, order)
                for trade in world.trades.values()
            )
        ):
            yield about(world, "conflicting_link", order)


def quote_is_of_another_order(world: World, trade: Row, order: Row) -> bool:
    quote = world.quote_of_trade(trade)
    owner = world.order_of_quote(quote) if quote else None
    return owner is not None and owner is not order


def premature_success(world: World) -> Iterator[Finding]:
    for order in world.orders.values():
        trade = world.trade_of_order(order)
        status = world.effective_status[trade["transact_id"]] if trade else None
        if state_class(order) == "success" and status == "reserved":
            yield about(world, "premature_success", order)


def product_state_conflict(world: World) -> Iterator[Finding]:
    for order in world.orders.values():
        trade = world.trade_of_order(order)
        status = world.effective_status[trade["transact_id"]] if trade else None
        meaning = state_class(order)
        if (meaning == "success" and status in ("failed", "released", "returned")) or (
            meaning in ("failed", "returned", "abandoned") and status == "settled"
        ):
            yield about(world, "product_state_conflict", order)


def order_state_regression(world: World) -> Iterator[Finding]:
    """Whatever state came between does not hide the way back."""
    for id_, versions in world.order_versions.items():
        order = world.orders[id_]
        pending = [n for n, version in enumerate(versions) if state_class(version) == "pending"]
        finals = [
            version
            for version in versions[: max(pending, default=0)]
            if state_class(version) in ("success", "failed", "returned")
        ]
        if finals and not has_new_attempt(world, order, finals):
            yield about(world, "order_state_regression", order)


def has_new_attempt(world: World, order: Row, finals: list[Row]) -> bool:
    """A trade of the order was reserved at or after the last version that was final."""
    times = [final["updated_at"] for final in finals if final["updated_at"] is not None]
    return bool(times) and any(
        trade["reserved_at"] and trade["reserved_at"] >= max(times)
        for trade in world.trades_of_order(order)
    )


def missing_idempotency_key(world: World) -> Iterator[Finding]:
    for trade in world.trades.values():
        if not trade["idempotency_key"]:
            yield about(world, "missing_idempotency_key", trade)


def missing_request_id(world: World) -> Iterator[Finding]:
    for trade in world.trades.values():
        rows = (trade, world.quote_of_trade(trade), world.order_of_trade(trade))
        if not any(row is not None and row["request_id"] for row in rows):
            yield about(world, "missing_request_id", trade)


def unknown_product_state(world: World) -> Iterator[Finding]:
    for order in world.orders.values():
        if order["product_state"] not in CLASS_OF_STATE:
            yield about(world, "unknown_product_state", order)


def quote_terms_inconsistent(world: World) -> Iterator[Finding]:
    for quote in world.quotes.values():
        target_asset = world.assets_of(quote, world.side_of_quote(quote))[1]
        if quote["rate"] is not None and target_asset in MINOR_UNITS:
            unit = Decimal(1).scaleb(-MINOR_UNITS[target_asset])
            product = quote["source_amount"] * quote["rate"]
            if abs(product - quote["target_amount"]) > unit:
                yield about(world, "quote_terms_inconsistent", quote)


# --- events ------------------------------------------------------------------------------------


def orphan_event(world: World) -> Iterator[Finding]:
    for id_, event in world.events.items():
        if id_ not in world.trade_of_event:
            yield about(world, "orphan_event", event)


def unverified_event(world: World) -> Iterator[Finding]:
    for event in world.events.values():
        if event["source"] == "webhook" and event["signature_result"] != "valid":
            yield about(world, "unverified_event", event)


def event_conflict(world: World) -> Iterator[Finding]:
    for id_ in world.conflicting["events"]:
        yield about(world, "event_conflict", world.events[id_])


def unprocessed_event(world: World) -> Iterator[Finding]:
    for event in world.events.values():
        waited = world.cut_off - event["received_at"]
        if (
            is_trusted(event)
            and event["has_processed_at"]
            and event["processed_at"] is None
            and waited > PROCESSING_LIMIT
        ):
            yield about(world, "unprocessed_event", event)


# --- ledger ------------------------------------------------------------------------------------


def orphan_ledger_entry(world: World) -> Iterator[Finding]:
    for id_, entry in world.entries.items():
        trade = world.trade_of_entry.get(id_)
        kind = entry_type(entry)
        if trade is None:
            is_orphan = kind is not None and kind.needs_trade
        else:
            is_orphan = world.is_lacking(trade)
        if is_orphan:
            yield about(world, "orphan_ledger_entry", entry)


def unlinked_refund(world: World) -> Iterator[Finding]:
    for id_, entry in world.entries.items():
        if class_of(entry) not in CREDITS:
            continue
        trade = world.trade_of_entry.get(id_)
        same = [
            other
            for other in (world.entries_of(trade) if trade else [])
            if other["asset"] == entry["asset"]
        ]
        debits = [
            other
            for other in same
            if class_of(other) in DEBITS and other["effective_at"] <= entry["effective_at"]
        ]
        debited_in_all = [other for other in same if class_of(other) in DEBITS]
        refunds = [
            other
            for other in same
            if class_of(other) in CREDITS and entry_order(other) <= entry_order(entry)
        ]
        debited = -(net(debited_in_all, DEBITS, entry["asset"]) or 0)
        credited = net(refunds, CREDITS, entry["asset"]) or 0
        related = entry["related_entry_id"]
        names_none = related and related not in {d["ledger_entry_id"] for d in debits}
        goes_above = credited > debited and (delta_of(entry) or 0) > 0
        if not debits or names_none or goes_above:
            yield about(world, "unlinked_refund", entry)


def ledger_entry_changed(world: World) -> Iterator[Finding]:
    for id_ in world.conflicting["ledger"]:
        yield about(world, "ledger_entry_changed", world.entries[id_])


def quote_terms_changed(world: World) -> Iterator[Finding]:
    for id_ in world.conflicting["quotes"]:
        yield about(world, "quote_terms_changed", world.quotes[id_])


def unknown_entry_type(world: World) -> Iterator[Finding]:
    for entry in world.entries.values():
        if entry_type(entry) is None:
            yield about(world, "unknown_entry_type", entry)


def ledger_sign_conflict(world: World) -> Iterator[Finding]:
    for entry in world.entries.values():
        kind = entry_type(entry)
        if kind is not None and kind.sign > 0 and entry["amount"] < 0:
            yield about(world, "ledger_sign_conflict", entry)


def excess_precision(world: World) -> Iterator[Finding]:
    for quote in world.quotes.values():
        source, target = world.assets_of(quote, world.side_of_quote(quote))
        if is_too_fine(quote["source_amount"], source) or is_too_fine(
            quote["target_amount"], target
        ):
            yield about(world, "excess_precision", quote)
    for trade in world.trades.values():
        assets = trade_assets(world, trade)
        fiat, crypto = assets if side_of_trade(world, trade) == "on_ramp" else assets[::-1]
        if is_too_fine(trade["fiat_amount"], fiat) or is_too_fine(trade["crypto_amount"], crypto):
            yield about(world, "excess_precision", trade)
    for entry in world.entries.values():
        if is_too_fine(entry["amount"], entry["asset"]):
            yield about(world, "excess_precision", entry)


def is_too_fine(amount: Decimal | None, asset: str | None) -> bool:
    """Non-zero digits beyond the minor unit of a known asset."""
    if amount is None or asset not in MINOR_UNITS:
        return False
    units = amount.scaleb(MINOR_UNITS[asset])
    return units != units.to_integral_value()


# --- funding -----------------------------------------------------------------------------------


def agrees(entry: Row, row: Row) -> bool:
    """The funding row has the entry's reference and asset, and names no other environment or
    partner."""
    return (
        row["funding_reference"] == entry["funding_reference"]
        and row["asset"] == entry["asset"]
        and not differ([entry, row], "environment")
        and not differ([entry, row], "partner_id")
    )


def is_attributed(world: World, entry: Row) -> bool:
    return class_of(entry) == "funding" and any(agrees(entry, row) for row in world.funding)


def unattributed_funding(world: World) -> Iterator[Finding]:
    for id_, entry in world.entries.items():
        if class_of(entry) != "funding":
            continue
        if entry["funding_reference"] is None:
            is_unattributed = id_ not in world.trade_of_entry
        else:
            has_export = "funding" in world.landing.exports_present
            is_unattributed = has_export and not is_attributed(world, entry)
        if is_unattributed:
            yield about(world, "unattributed_funding", entry)


def confirmed(rows: Iterable[Row], by: datetime) -> Decimal:
    """What had been confirmed by then; without confirmed_at, from the start."""
    return sum(
        (
            row["amount"]
            for row in rows
            if row["status"] == "confirmed" and (row["confirmed_at"] or FIRST) <= by
        ),
        Decimal(0),
    )


def is_confirmed_by_cut_off(world: World, row: Row) -> bool:
    """What is confirmed at the cut-off or later is not confirmed by it."""
    in_time = (row["confirmed_at"] or FIRST) < world.cut_off
    return bool(row["status"] == "confirmed" and in_time)


def confirmed_by_cut_off(world: World, rows: Iterable[Row]) -> Decimal:
    in_time = [row for row in rows if is_confirmed_by_cut_off(world, row)]
    return confirmed(in_time, world.cut_off)


def reference_of(row: Row) -> tuple[str, str]:
    return row["funding_reference"], row["asset"]


def funding_credits(world: World) -> Iterator[Finding]:
    """The running total credited under a reference against what is confirmed, then and now.

    Per environment and partner that the funding names; and, where anything under the reference
    names none and so agrees with several, in all.
    """
    totals: dict[Any, Decimal] = {}
    credits = [
        entry
        for entry in sorted(world.entries.values(), key=entry_order)
        if is_attributed(world, entry)
    ]
    for entry in credits:
        rows = [row for row in world.funding if agrees(entry, row)]
        in_all = [row for row in world.funding if reference_of(row) == reference_of(entry)]
        # whom the funding is for, where it says so
        whose = [
            max((row[column] for row in rows if row[column]), default=None)
            for column in ("environment", "partner_id")
        ]
        names_none = any(
            not (row["environment"] and row["partner_id"])
            for row in (*in_all, *(c for c in credits if reference_of(c) == reference_of(entry)))
        )
        compared = []
        for key, of_key in (((*reference_of(entry), *whose), rows), (reference_of(entry), in_all)):
            totals[key] = totals.get(key, Decimal(0)) + (delta_of(entry) or 0)
            if of_key is rows or names_none:
                compared.append((totals[key], of_key))
        if any(total > confirmed_by_cut_off(world, rows) for total, rows in compared):
            yield about(world, "funding_exceeds_confirmed", entry)
        elif any(total > confirmed(rows, entry["effective_at"]) for total, rows in compared):
            yield about(world, "funding_before_confirmation", entry)


def funding_not_credited(world: World) -> Iterator[Finding]:
    """Per reference and asset, whichever environments and partners its rows name."""
    confirmed_rows: dict[tuple[str, str], list[Row]] = {}
    for row in world.funding:
        if is_confirmed_by_cut_off(world, row):
            confirmed_rows.setdefault((row["funding_reference"], row["asset"]), []).append(row)
    for reference, asset in sorted(confirmed_rows):
        rows = confirmed_rows[reference, asset]
        entries = [
            entry
            for entry in world.entries.values()
            if entry["funding_reference"] == reference and is_attributed(world, entry)
        ]
        missing = confirmed(rows, world.cut_off) - (net(entries, FUNDING, asset) or 0)
        if missing > 0:
            yield about(world, "funding_not_credited", min(rows, key=lambda r: r.env), missing)


# --- balances ----------------------------------------------------------------------------------


def balance_chain_break(world: World) -> Iterator[Finding]:
    for entries in chains(world).values():
        carried: Decimal | None = None
        for moment in moments(entries):
            delta = sum((delta_of(entry) or Decimal(0) for entry in moment), Decimal(0))
            stated = [e["balance_after"] for e in moment if e["balance_after"] is not None]
            expected = None if carried is None else carried + delta
            if not stated or expected in stated:
                carried = expected
                continue
            if carried is not None:
                yield about(world, "balance_chain_break", moment[-1])
            carried = stated[-1]


def chains(world: World) -> dict[Any, list[Row]]:
    """The entries that touch a balance, per environment, partner and asset, in order."""
    chained: dict[Any, list[Row]] = {}
    for entry in sorted(world.entries.values(), key=entry_order):
        if touches_balance(entry):
            chained.setdefault((entry.env, entry.partner, entry["asset"]), []).append(entry)
    return chained


def moments(entries: list[Row]) -> Iterator[list[Row]]:
    """One entry at a time, or by id all of one effective_at where any lacks entry_seq."""
    for time in dict.fromkeys(entry["effective_at"] for entry in entries):
        together = [entry for entry in entries if entry["effective_at"] == time]
        if any(entry["entry_seq"] is None for entry in together):
            yield sorted(together, key=lambda entry: str(entry["ledger_entry_id"]))
        else:
            yield from ([entry] for entry in together)


def negative_balance(world: World) -> Iterator[Finding]:
    for entry in world.entries.values():
        after = entry["balance_after"]
        if touches_balance(entry) and after is not None and after < 0:
            yield about(world, "negative_balance", entry)


def balance_mismatch(world: World) -> Iterator[Finding]:
    for balance in world.balances:
        entries = chains(world).get((balance.env, balance.partner, balance["asset"]), [])
        total = sum(
            (delta_of(e) or Decimal(0) for e in entries if e["effective_at"] < balance["as_of"]),
            Decimal(0),
        )
        others = [other for first, other in world.conflicting_balances if first is balance]
        if balance["balance"] != total or others:
            wrong = total if balance["balance"] != total else others[0]["balance"]
            yield about(world, "balance_mismatch", balance, abs(balance["balance"] - wrong))


# --- intake ------------------------------------------------------------------------------------


def intake(code: str, subject_type: str, id_: str) -> Finding:
    return Finding(code, SEVERITY_OF_CODE[code], DEFAULT_ENVIRONMENT, subject_type, id_)


def quarantined_row(world: World) -> Iterator[Finding]:
    for rows in world.staged.quarantined.values():
        for landed, _ in rows:
            yield intake("quarantined_row", "export_row", landed.name)


def secret_exposed(world: World) -> Iterator[Finding]:
    for rows in world.landing.rows.values():
        for landed in rows:
            if landed.has_secret:
                yield intake("secret_exposed", "export_row", landed.name)
    for file_name in world.landing.secret_files:
        yield intake("secret_exposed", "export_row", f"{file_name}:0")


def private_field_exposed(world: World) -> Iterator[Finding]:
    for name in world.landing.private_columns:
        yield intake("private_field_exposed", "export_row", name)


def documented_column_absent(world: World) -> Iterator[Finding]:
    for export, column in DOCUMENTED_COLUMNS:
        if column not in world.landing.columns_present[export]:
            yield intake("documented_column_absent", "export", f"{export}.{column}")


EVALUATORS = (
    missing_quote,
    missing_trade,
    missing_order,
    duplicate_trade_attempt,
    missing_webhook,
    missing_ledger_entry,
    ledger_mismatch,
    returned_not_adjusted,
    ledger_without_terminal_trade,
    terminal_state_conflict,
    status_lag,
    stuck_reserved,
    accepted_after_expiry,
    indicative_quote_executed,
    amount_mismatch,
    network_mismatch,
    delivery_not_locked,
    pool_mismatch,
    pool_not_entitled,
    outside_pool_limits,
    environment_mismatch,
    partner_mismatch,
    conflicting_link,
    premature_success,
    product_state_conflict,
    order_state_regression,
    missing_idempotency_key,
    missing_request_id,
    unknown_product_state,
    quote_terms_inconsistent,
    orphan_event,
    unverified_event,
    event_conflict,
    unprocessed_event,
    orphan_ledger_entry,
    unlinked_refund,
    unattributed_funding,
    funding_credits,
    funding_not_credited,
    ledger_entry_changed,
    quote_terms_changed,
    unknown_entry_type,
    ledger_sign_conflict,
    excess_precision,
    balance_chain_break,
    negative_balance,
    balance_mismatch,
    quarantined_row,
    secret_exposed,
    private_field_exposed,
    documented_column_absent,
)


def all_findings(world: World) -> list[Finding]:
    """One finding per code and subject, in a stable order."""
    found: dict[tuple[str, str, str], Finding] = {}
    for evaluate in EVALUATORS:
        for finding in evaluate(world):
            found.setdefault(finding.key, finding)
    return [found[key] for key in sorted(found)]
