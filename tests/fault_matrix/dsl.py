"""Scenarios as data: small sets of exports, and the findings that they must give.

A scenario is a function that starts from clean movements and changes them. Its rows carry its
name in every id and in the partner, so that all scenarios can be closed in one run.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tests.oracle.reference import COLUMNS, EXPORTS

CLOSE_DATE = date(2026, 6, 30)
CUT_OFF = "2026-07-01T00:00:00Z"
LAST_SECOND = "2026-06-30T23:59:59Z"
AFTER = "2026-07-01T08:00:00Z"

Row = dict[str, str]
Expected = tuple[str, str, str]
Conserved = tuple[int, int, int, int]

# pools that every clean quote uses, seen by whichever environment and partner
COMMON_POOLS: list[Row] = [
    {"pool_id": pool, "seen_at": "2026-01-01T00:00:00Z", "entitled": "true", "available": "true"}
    for pool in ("EUR-USDT", "EUR-USDC", "USD-BTC", "JPY-ETH")
]


def at(time: str) -> str:
    """That time of the day that is closed."""
    return f"2026-06-30T{time}Z"


@dataclass
class Movement:
    """The rows of one clean, settled movement; a scenario changes them."""

    order: Row
    quote: Row
    trade: Row
    event: Row
    debit: Row
    settle: Row

    @property
    def order_id(self) -> str:
        return self.order["partner_order_id"]

    @property
    def quote_id(self) -> str:
        return self.quote["quote_id"]

    @property
    def trade_id(self) -> str:
        return self.trade["transact_id"]

    @property
    def event_id(self) -> str:
        return self.event["event_id"]


@dataclass
class Scenario:
    """Rows by export, the findings that they must give, and what is special in their files."""

    name: str
    trips: tuple[str, ...] = ()
    nearly: tuple[str, ...] = ()
    rows: dict[str, list[Row | str]] = field(default_factory=dict)
    expected: set[Expected] = field(default_factory=set)
    conserved: dict[str, Conserved] = field(default_factory=dict)
    has_own_files: bool = False
    is_separate: bool = False
    absent_exports: set[str] = field(default_factory=set)
    absent_columns: dict[str, set[str]] = field(default_factory=dict)
    extra_columns: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def add(self, export: str, **values: str) -> Row:
        """One more row, of this scenario's partner unless it says otherwise."""
        row = {"environment": "live", "partner_id": self.name, **values}
        self.rows.setdefault(export, []).append(row)
        return row

    def add_raw(self, export: str, line: str) -> None:
        """A line of CSV as it stands; such scenarios have files of their own."""
        self.rows.setdefault(export, []).append(line)

    def drop(self, *rows: Row) -> None:
        for row in rows:
            for kept in self.rows.values():
                kept[:] = [each for each in kept if each is not row]

    def again(self, export: str, row: Row, **changes: str) -> Row:
        """The row once more, with changes."""
        copy = {**row, **changes}
        self.rows[export].append(copy)
        return copy

    def expect(self, code: str, subject_type: str, subject_id: str) -> None:
        self.expected.add((code, subject_type, subject_id))

    def expect_row(self, code: str, export: str, number: int) -> None:
        """A finding of a row of this scenario's own file."""
        self.expect(code, "export_row", f"{export}/{self.name}.csv:{number}")

    def conserve(
        self, export: str, staged: int, duplicates: int = 0, superseded: int = 0, bad: int = 0
    ) -> None:
        """What becomes of the rows of an export, whatever their scope; `bad` is quarantined."""
        self.conserved[export] = (staged, duplicates, superseded, bad)

    def movement(self, suffix: str = "", **changes: Any) -> Movement:
        """An on_ramp movement that settled: 100.00 EUR for 107.31 USDT at 1.0731."""
        name = self.name + suffix
        order = self.add(
            "orders",
            partner_order_id=f"{name}-o",
            created_at=at("10:00:00"),
            product_state="completed",
            user_reference=f"{name}-u",
            pool_id="EUR-USDT",
            side="on_ramp",
            quote_id=f"{name}-q",
            transact_id=f"{name}-t",
            request_id=f"{name}-r",
        )
        quote = self.add(
            "quotes",
            quote_id=f"{name}-q",
            partner_order_id=f"{name}-o",
            pool_id="EUR-USDT",
            quote_type="firm",
            side="on_ramp",
            source_amount="100.00",
            target_amount="107.31",
            rate="1.0731",
            crypto_network="ethereum",
            dest_address=f"{name}-address",
            created_at=at("10:00:10"),
            accepted_at=at("10:00:20"),
            expires_at=at("10:00:40"),
            status="consumed",
        )
        trade = self.add(
            "trades",
            transact_id=f"{name}-t",
            quote_id=f"{name}-q",
            partner_order_id=f"{name}-o",
            idempotency_key=f"{name}-o:accept:1",
            status="settled",
            reserved_at=at("10:00:21"),
            terminal_at=at("10:05:00"),
            fiat_amount="100.00",
            crypto_amount="107.31",
            pool_id="EUR-USDT",
            side="on_ramp",
            crypto_network="ethereum",
        )
        event = self.add(
            "events",
            event_id=f"{name}-e",
            transact_id=f"{name}-t",
            quote_id=f"{name}-q",
            status="settled",
            occurred_at=at("10:05:00"),
            received_at=at("10:05:02"),
            processed_at=at("10:05:03"),
            source="webhook",
            signature_result="valid",
        )
        debit = self.add(
            "ledger",
            ledger_entry_id=f"{name}-l1",
            transact_id=f"{name}-t",
            quote_id=f"{name}-q",
            entry_type="buy_debit",
            asset="EUR",
            amount="-100.00",
            effective_at=at("10:00:22"),
            entry_seq="1",
        )
        settle = self.add(
            "ledger",
            ledger_entry_id=f"{name}-l2",
            transact_id=f"{name}-t",
            quote_id=f"{name}-q",
            entry_type="trade_settle",
            asset="USDT",
            amount="107.31",
            effective_at=at("10:05:04"),
            entry_seq="2",
        )
        return Movement(order, quote, trade, event, debit, settle)

    def reserved(self, suffix: str = "") -> Movement:
        """A movement that is still reserved: no event, no settle entry, the order pending."""
        movement = self.movement(suffix)
        self.drop(movement.event, movement.settle)
        movement.order["product_state"] = "processing"
        movement.trade |= {"status": "reserved", "terminal_at": ""}
        return movement

    def ended(self, status: str, state: str, suffix: str = "") -> Movement:
        """A movement that failed or was released: debited and refunded, nothing delivered."""
        movement = self.movement(suffix)
        movement.order["product_state"] = state
        movement.trade["status"] = movement.event["status"] = status
        movement.settle |= {"entry_type": "buy_refund", "asset": "EUR", "amount": "100.00"}
        return movement

    def order_only(self, suffix: str = "", state: str = "created") -> Movement:
        """An order whose firm quote was never accepted and has expired."""
        movement = self.movement(suffix)
        self.drop(movement.trade, movement.event, movement.debit, movement.settle)
        movement.order |= {"product_state": state, "transact_id": ""}
        movement.quote |= {"accepted_at": "", "status": ""}
        return movement


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    *, trips: str = "", nearly: str = "", own_files: bool = False, separate: bool = False
) -> Callable[[Callable[[Scenario], None]], Callable[[Scenario], None]]:
    """Registers a scenario under its function's name, with the codes that it is about."""

    def register(build: Callable[[Scenario], None]) -> Callable[[Scenario], None]:
        new = Scenario(
            build.__name__.replace("_", "-"),
            tuple(trips.split()),
            tuple(nearly.split()),
            has_own_files=own_files,
            is_separate=separate,
        )
        if new.name in SCENARIOS:
            raise ValueError(f"two scenarios are named {new.name}")
        build(new)
        SCENARIOS[new.name] = new
        return build

    return register


def write(directory: Path, scenarios: Iterable[Scenario]) -> Path:
    """Writes scenarios of one shape into one EXPORTS folder, the common pools first."""
    scenarios = list(scenarios)
    absent = set().union(*(each.absent_exports for each in scenarios))
    for export in EXPORTS:
        if export in absent:
            continue
        missing = set().union(*(each.absent_columns.get(export, set()) for each in scenarios))
        extra = [column for each in scenarios for column in each.extra_columns.get(export, [])]
        columns = [column for column in COLUMNS[export] if column not in missing] + extra
        shared: list[Row | str] = list(COMMON_POOLS) if export == "pools" else []
        for each in scenarios:
            if each.has_own_files and each.rows.get(export):
                path = directory / export / f"{each.name}.csv"
                write_rows(path, columns, each.rows[export])
            else:
                shared += each.rows.get(export, [])
        write_rows(directory / f"{export}.csv", columns, shared)
    for each in scenarios:
        for relative, text in each.files.items():
            path = directory / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    return directory


def write_rows(path: Path, columns: list[str], rows: list[Row | str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            if isinstance(row, str):
                lines.write(row + "\r\n")
            else:
                writer.writerow(row)
