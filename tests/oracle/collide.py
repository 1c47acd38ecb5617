"""Tiny worlds full of collisions: few ids, few times, few amounts, every link at random."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

from tests.fault_matrix.dsl import Row, write_rows

from .generate import CORE
from .reference import COLUMNS, ENTRY_TYPES, EXPORTS, VOCABULARIES

IDS = {
    "partner_order_id": ("o1", "o2"),
    "quote_id": ("q1", "q2", "q3"),
    "transact_id": ("t1", "t2", "t3"),
    "event_id": ("e1", "e2", "e3", "e4"),
    "ledger_entry_id": ("l1", "l2", "l3", "l4", "l5"),
    "related_entry_id": ("l1", "l2"),
    "ledger_ref": ("t1", "q2", "q3"),
    "funding_reference": ("f1", "f2"),
    "idempotency_key": ("k1", "k2"),
    "partner_id": ("p1", "p2"),
}
# at the limits of the close, a moment before them, and some that tie
TIMES = (
    "2026-06-29T23:59:59.999999Z",
    "2026-06-30T00:00:00Z",
    "2026-06-30T10:00:00Z",
    "2026-06-30T10:00:00Z",
    "2026-06-30T10:00:01Z",
    "2026-06-30T22:59:59.999999Z",
    "2026-06-30T23:00:00Z",
    "2026-06-30T23:59:59.999999Z",
    "2026-07-01T00:00:00Z",
    "2026-07-01T00:00:00.000001Z",
)
AMOUNTS = ("100", "100.00", "100.000001", "50", "107.31")
SIGNED_AMOUNTS = (*AMOUNTS, "-100", "-50", "0")
BALANCES = ("", "", "100", "200", "-100", "0", "settled")
PRODUCT_STATES = ("created", "completed", "failed", "returned", "cancelled", "teleported")
WORDS = {
    "product_state": PRODUCT_STATES,
    "entry_type": (*ENTRY_TYPES, "buy_debit", "buy_refund", "trade_settle", "mystery"),
    "asset": ("EUR", "EUR", "USDT"),
    "source_asset": ("", "", "EUR", "USDT"),
    "target_asset": ("", "", "EUR", "USDT"),
    "pool_id": ("EUR-USDT", "EUR-USDT", "USD-BTC", "lane7"),
    "rate": ("", "1", "1.0731"),
    "entry_seq": ("", "1", "2", "10"),
}
# how often a column that may be empty is
EMPTINESS = {"time": 0.15, "text": 0.25, "amount": 0.5, "positive": 0.3}
ROWS = {
    "orders": (1, 3),
    "quotes": (1, 4),
    "trades": (1, 5),
    "events": (0, 6),
    "ledger": (0, 7),
    "funding": (0, 3),
    "balances": (0, 2),
    "pools": (0, 3),
}
SPARSE = ("environment", "partner_id", "side", "request_id")


class World:
    """One tiny world, whose ids carry its name."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"collide {seed}")
        self.prefix = f"w{seed}."
        # where a world names no environment and no partner, they cannot differ
        self.is_plain = self.random.random() < 0.4

    def rows(self, export: str) -> list[Row]:
        low, high = ROWS[export]
        rows: list[Row] = []
        for _ in range(self.random.randint(low, high)):
            row = {column: self.value(export, column) for column in COLUMNS[export]}
            if rows and self.random.random() < 0.4:
                # the last row again, almost
                row = dict(rows[-1])
                for column in self.random.sample(list(row), self.random.randint(0, 2)):
                    row[column] = self.value(export, column)
            rows.append(row)
        return rows

    def value(self, export: str, column: str) -> str:
        pick, chance = self.random.choice, self.random.random()
        kind = COLUMNS[export][column]
        is_required = kind.startswith("*")
        kind = kind.lstrip("*")
        if column in SPARSE and (self.is_plain or chance < 0.5):
            return self.prefix if column == "partner_id" and export not in CORE else ""
        if not is_required and chance < EMPTINESS.get(kind, 0.0):
            return ""
        if column in IDS:
            return self.prefix + pick(IDS[column])
        if column in WORDS:
            return pick(WORDS[column])
        if kind.startswith("word:"):
            words = sorted(VOCABULARIES[kind[5:]])
            return pick(words if is_required else [*words, ""])
        if kind == "time":
            return pick(TIMES)
        if kind == "flag":
            return pick(("true", "false", ""))
        if kind in ("amount", "positive"):
            return pick(AMOUNTS if kind == "positive" else SIGNED_AMOUNTS)
        if kind == "balance":
            return pick(BALANCES)
        return pick(("a", "b", ""))


def collide(directory: Path, seeds: Iterable[int]) -> Path:
    """Writes a tiny world for each seed into one EXPORTS folder, for the close of 2026-06-30."""
    worlds = [World(seed) for seed in seeds]
    for export in EXPORTS:
        rows: list[Row | str] = [row for world in worlds for row in world.rows(export)]
        write_rows(directory / f"{export}.csv", list(COLUMNS[export]), rows)
    return directory
