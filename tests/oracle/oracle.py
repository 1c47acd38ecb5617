"""A second, naive reading of the close: every record by hand, one rule at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

from .approvals import History, Key, ReviewedFinding, review
from .findings import (
    SOURCE_CLASSES,
    Finding,
    all_findings,
    amount_of,
    chains,
    fiat_and_crypto,
    net,
    quote_fiat_and_crypto,
    source_amount,
    subject_id,
    target_amount,
)
from .landing import land
from .model import Movement, World, build, class_of, delta_of, state_class
from .reference import RULE_OF_CODE, RULES, TERMINAL
from .staging import Row, conserve, stage
from .text import amount_text, seconds_text, time_text

BALANCE_COLUMN_OF_CLASS = {
    "funding": "funding",
    "debit": "debits",
    "reserve": "debits",
    "refund": "refunds",
    "release": "refunds",
    "return": "returns",
    "fee": "fees",
    "adjustment": "adjustments",
}
BALANCE_COLUMNS = tuple(dict.fromkeys(BALANCE_COLUMN_OF_CLASS.values()))


@dataclass
class OracleResult:
    """What a close of these exports must publish."""

    findings: set[tuple[str, str, str, str, str, Decimal | None]]
    reviewed: list[ReviewedFinding]
    unmatched_register_rows: list[dict[str, str]]
    movements: list[dict[str, str]]
    checklist: dict[str, tuple[bool, int, int]]
    balances: list[dict[str, str]]
    conservation: list[dict[str, Any]]
    joined_by: dict[str, str]
    quarantine: dict[str, list[str]]

    @property
    def keys(self) -> frozenset[Key]:
        """(code, subject type, subject id) of every finding, as the history keeps them."""
        return frozenset(each.finding.key for each in self.reviewed)


def close(
    exports_dir: Path | Sequence[Path],
    close_date: date,
    *,
    time_zone: str = "UTC",
    register: Path | None = None,
    history: History = (),
    owners: Mapping[str, str] | None = None,
    evidence: Mapping[Key, str] | None = None,
) -> OracleResult:
    """Closes the date on one folder of exports, or on several runs of it in load order.

    `history` has the earlier closes in the order in which they ran, each with its date and the
    `keys` of its result. Raises `StopsTheRunError` where nothing can be read.
    """
    loads = [exports_dir] if isinstance(exports_dir, Path) else list(exports_dir)
    with localcontext() as context:
        context.prec = 120
        landing = land(loads)
        staged = stage(landing)
        world = build(landing, staged, close_date, time_zone)
        findings = all_findings(world)
        reviewed, unmatched = review(findings, close_date, register, history, owners, evidence)
        balances = balance_rows(world)
        conservation = conserve(landing, staged)
        return OracleResult(
            findings={as_tuple(finding) for finding in findings},
            reviewed=reviewed,
            unmatched_register_rows=unmatched,
            movements=[movement_row(world, m, reviewed) for m in world.movements],
            checklist=checklist(reviewed, balances, conservation, close_date),
            balances=[publish_balance(row) for row in balances],
            conservation=conservation,
            joined_by=world.joined_by,
            quarantine={
                landed.name: reasons
                for rows in staged.quarantined.values()
                for landed, reasons in rows
            },
        )


def as_tuple(finding: Finding) -> tuple[str, str, str, str, str, Decimal | None]:
    return (
        finding.code,
        finding.severity,
        finding.environment,
        finding.subject_type,
        finding.subject_id,
        finding.amount_at_risk,
    )


# --- movements ---------------------------------------------------------------------------------


def movement_row(
    world: World, movement: Movement, reviewed: list[ReviewedFinding]
) -> dict[str, str]:
    """One row of reconciliation.csv."""
    trade, order, quote = movement.trade, movement.order, movement.quote
    side = world.side_of(quote, trade, order)
    source_asset, target_asset = world.assets_of(quote, side)
    fiat_asset, crypto_asset = (
        (source_asset, target_asset) if side == "on_ramp" else (target_asset, source_asset)
    )
    entries = world.entries_of(trade) if trade else []
    events = world.events_of(trade) if trade else []
    on_it = findings_on(world, movement, entries, events, reviewed)
    if trade:
        source, target = source_amount(world, trade), target_amount(world, trade)
        fiat, crypto = fiat_and_crypto(world, trade)
    else:
        source, target = amount_of(quote), quote["target_amount"] if quote else None
        fiat, crypto = quote_fiat_and_crypto(quote, side)
    created_at = first_stated("created_at", order, quote)
    accepted_at, expires_at = said(quote, "accepted_at"), said(quote, "expires_at")
    reserved_at, terminal_at = said(trade, "reserved_at"), said(trade, "terminal_at")
    id_ = trade["transact_id"] if trade else None
    return {
        "movement_id": subject_id(movement.of),
        "environment": movement.of.env,
        "partner_id": movement.of.partner,
        **shown_ids(movement),
        "pool_id": first_stated("pool_id", quote, trade, order) or "",
        "side": side,
        "idempotency_key": first_stated("idempotency_key", trade, order) or "",
        "request_id": first_stated("request_id", trade, quote, order) or "",
        "product_state": said(order, "product_state") or "",
        "quote_status": quote_status(world, quote) if quote else "",
        "trade_status": world.own_status[id_] if id_ else "",
        "effective_status": world.effective_status[id_] if id_ else "",
        "source_asset": source_asset or "",
        "source_amount": amount_text(source, source_asset),
        "target_asset": target_asset or "",
        "target_amount": amount_text(target, target_asset),
        "fiat_amount": amount_text(fiat, fiat_asset),
        "crypto_amount": amount_text(crypto, crypto_asset),
        "ledger_source_net": amount_text(net(entries, SOURCE_CLASSES, source_asset), source_asset),
        "ledger_target_net": amount_text(net(entries, {"settle"}, target_asset), target_asset),
        "ledger_entry_count": str(len(entries)),
        "ledger_entry_ids": ";".join(sorted(entry["ledger_entry_id"] for entry in entries)),
        "last_event_id": events[-1]["event_id"] if events else "",
        "event_count": str(len(events)),
        "created_at": time_text(created_at),
        "accepted_at": time_text(accepted_at),
        "expires_at": time_text(expires_at),
        "reserved_at": time_text(reserved_at),
        "terminal_at": time_text(terminal_at),
        "quote_clock_seconds": quote_clock(world, quote),
        "execution_clock_seconds": seconds_text(accepted_at, reserved_at),
        "settlement_clock_seconds": seconds_text(reserved_at, terminal_at),
        "reconciliation_state": reconciliation_state(world, movement, on_it),
        "finding_codes": ";".join(sorted({each.finding.code for each in on_it})),
    }


def said(row: Row | None, column: str) -> Any:
    return row[column] if row else None


def first_stated(column: str, *rows: Row | None) -> Any:
    return next((row[column] for row in rows if row and row[column] is not None), None)


def shown_ids(movement: Movement) -> dict[str, str]:
    """The ids of what it joins to, else those that it names."""
    trade, order, quote = movement.trade, movement.order, movement.quote
    return {
        "partner_order_id": said(order, "partner_order_id")
        or first_stated("partner_order_id", quote, trade)
        or "",
        "quote_id": said(quote, "quote_id") or said(trade or order, "quote_id") or "",
        "transact_id": said(trade, "transact_id") or "",
    }


def quote_status(world: World, quote: Row) -> str:
    """Derived: rejected, bound to a trade, past its expiry at the cut-off, or active."""
    if quote["status"] == "rejected":
        return "rejected"
    if world.trades_of_quote(quote["quote_id"]):
        return "consumed"
    return "expired" if quote["expires_at"] <= world.cut_off else "active"


def quote_clock(world: World, quote: Row | None) -> str:
    """From its creation to its acceptance, else to its first reservation, else to its expiry."""
    if quote is None:
        return ""
    end = quote["accepted_at"]
    trade = world.trade_of_quote(quote["quote_id"])
    if end is None and trade is not None:
        end = trade["reserved_at"]
    elif end is None and quote["expires_at"] <= world.cut_off:
        end = quote["expires_at"]
    return seconds_text(quote["created_at"], end)


def findings_on(
    world: World,
    movement: Movement,
    entries: list[Row],
    events: list[Row],
    reviewed: list[ReviewedFinding],
) -> list[ReviewedFinding]:
    """Those of its trade, order, quote, events and entries, and of these rows in force."""
    subjects = set()
    for row, kind in (
        (movement.trade, "trade"),
        (movement.order, "order"),
        (movement.quote, "quote"),
        *((entry, "ledger_entry") for entry in entries),
        *((event, "event") for event in events),
    ):
        if row is not None:
            subjects.add((kind, subject_id(row)))
            subjects.add(("export_row", row.landed.name))
    return [
        each
        for each in reviewed
        if (each.finding.subject_type, each.finding.subject_id) in subjects
    ]


def reconciliation_state(world: World, movement: Movement, on_it: list[ReviewedFinding]) -> str:
    blocking = [each for each in on_it if each.finding.severity == "blocking"]
    if any(not each.is_approved for each in blocking):
        return "exception"
    if blocking:
        return "approved"
    if movement.trade:
        status = world.effective_status[movement.trade["transact_id"]]
        return "matched" if status in TERMINAL else "open"
    quote, order = movement.quote, movement.order
    has_lapsed = (
        quote is not None
        and quote["accepted_at"] is None
        and quote_status(world, quote) in ("expired", "rejected")
    )
    gave_up = order is not None and state_class(order) in ("failed", "abandoned")
    return "lapsed" if has_lapsed or gave_up else "open"


# --- checklist ---------------------------------------------------------------------------------


def checklist(
    reviewed: list[ReviewedFinding],
    balances: list[dict[str, Any]],
    conservation: list[dict[str, Any]],
    close_date: date,
) -> dict[str, tuple[bool, int, int]]:
    """rule -> (holds, findings, approved)."""
    result = {}
    for rule in RULES:
        if rule == "exceptions_owned_and_reviewed":
            mine = [r for r in reviewed if not r.owner or r.next_review_date < close_date]
            holds = not mine
        else:
            mine = [r for r in reviewed if RULE_OF_CODE.get(r.finding.code) == rule]
            holds = all(each.is_approved for each in mine)
        if rule == "balances_roll_forward":
            holds = holds and all(
                row["opening"] + sum(row[c] for c in BALANCE_COLUMNS) == row["closing"]
                for row in balances
            )
        if rule == "nothing_lost":
            holds = holds and all(
                row["landed"]
                == row["staged"] + row["duplicates"] + row["superseded"] + row["quarantined"]
                for row in conservation
            )
        if rule == "no_secrets":
            holds = not mine
        result[rule] = (holds, len(mine), sum(each.is_approved for each in mine))
    return result


# --- balances ----------------------------------------------------------------------------------


def balance_rows(world: World) -> list[dict[str, Any]]:
    """Per environment, partner and asset with an entry or a reported balance."""
    chained = chains(world)
    reported = {(row.env, row.partner, row["asset"]) for row in world.balances}
    rows = []
    for key in sorted(set(chained) | reported):
        environment, partner_id, asset = key
        row: dict[str, Any] = dict.fromkeys(("opening", *BALANCE_COLUMNS, "closing"), Decimal(0))
        for entry in chained.get(key, []):
            delta = delta_of(entry) or Decimal(0)
            row["closing"] += delta
            if entry["effective_at"] < world.day_start:
                row["opening"] += delta
            else:
                row[BALANCE_COLUMN_OF_CLASS[class_of(entry) or ""]] += delta
        balances = [r for r in world.balances if (r.env, r.partner, r["asset"]) == key]
        latest = max(balances, key=lambda r: r["as_of"], default=None)
        row |= {
            "environment": environment,
            "partner_id": partner_id,
            "asset": asset,
            "reported_balance": latest["balance"] if latest else None,
        }
        rows.append(row)
    return rows


def publish_balance(row: dict[str, Any]) -> dict[str, str]:
    return {
        column: value if isinstance(value, str) else amount_text(value, row["asset"])
        for column, value in row.items()
    }
