"""Exports full of what engines read, order and write in ways of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MOMENTS = (
    "0000-12-31T23:30:00-01:00",
    "0000-12-31T23:30:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:30:00+01:00",
    "0001-01-01 00:00:00.000001",
    "1582-10-10T12:00:00Z",
    "1900-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z",
    "2024-02-29T23:59:59.9999999Z",
    "2025-02-29T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-06-30T10:00",
    "2026-06-30T10:00Z",
    "2026-06-30T10:00+0530",
    "2026-06-30T10:00:01-23:59",
    "2026-06-28T10:00:01+23:59",
    "2026-06-28T10:00:01.5+16",
    "2026-06-28 10:00:01.123456789",
    "2026-06-28 10:00:01.000000999Z",
    "2026-06-28T23:59:59.999999500+00:00",
    "2026-06-28T24:00:00Z",
    "2026-06-28T10:00:60Z",
    "2026-06-28",
    "2026-13-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:30:00-01:00",
)
# In the order of bytes A comes before _ before a before é, and Z before a.
IDS = (
    "a",
    "B",
    "_",
    "é",
    "Z",
    "z",
    "-",
    "aa",
    "Aa",
    "10",
    "9",
    "ß",
    "\U0001d538",
    "\u00a0",
    "~",
    "#",
)
STATES = ("PENDING", "Settled", "ΟΔΟΣ", "İSTANBUL", "STRAẞE", "Ǆ", "K", "ﬀ", "É", "É", "𐐀", "Ⅷ")
AMOUNTS = (
    "99999999999999999999.999999999999999999",
    "-99999999999999999999",
    "+00000000000000000001.10",
    "0.000000000000000001",
    "-0.000000000000000001",
    "-0",
    "-0.5",
    "100",
    "100.10",
    "1e3",
    "1_000",
    "0x10",
    "NaN",
    "Infinity",
    ".5",
    "5.",
    "١٢",
    "123456789012345678901",
    "1.1234567890123456789",
)
WORDS = ("settled", "not-yet settled", "NaN", "infinity", "Inf", "x1", "a b_c")
BLANKS = " \t\u000b\u000c\n\r"


def write_edges(folder: Path) -> Path:
    """Write five exports as JSON lines, which hold any character."""
    made: dict[str, list[dict[str, Any]]] = {
        "orders": [order(f"edge-moment-{n}", created_at=m) for n, m in enumerate(MOMENTS)],
        "quotes": [],
        "trades": [],
        "events": [],
        "ledger": [],
    }
    made["orders"] += [order(f"edge-state-{n}", product_state=s) for n, s in enumerate(STATES)]
    made["orders"] += [
        order(
            f"{BLANKS}edge-blank{BLANKS}", user_reference=BLANKS, client_reference="\u00a0x\u2003"
        ),
        # What is in quarantine shows its text, and JSON writes some characters by a name.
        order(
            "edge-text",
            created_at="never",
            user_reference="\\u000b"
            + "".join(map(chr, range(1, 33)))
            + '"\\/<>&\u007f\u0085\u2028é\U0001d538',
        ),
    ]
    for number, moment in enumerate(MOMENTS):
        made["orders"].append(order(f"edge-version-{number % 3}", updated_at=moment))
    for place, letter in enumerate(IDS):
        made["orders"].append(order(f"edge-{letter}", quote_id="edge-quote"))
        made["quotes"].append(quote(f"edge-{letter}", partner_order_id="edge-a"))
        made["trades"] += [
            trade(f"edge-{letter}", quote_id="edge-quote"),
            trade(
                f"edge-{letter}{letter}", quote_id=f"edge-{letter}", pool_id=f"{letter}-{letter}"
            ),
        ]
        made["events"] += [
            event(f"edge-{letter}", "edge-a", environment=("live", "test")[place % 2]),
            event(f"edge-{letter}-x", "edge-B", partner_id=f"partner {letter}"),
        ]
        made["ledger"].append(
            entry(f"edge-{letter}", transact_id="edge-a", balance_after=str(place), asset="EUR")
        )
        made["ledger"].append(entry(f"edge-{letter}-p", partner_id=f"partner {letter}"))
    made["quotes"].append(quote("edge-quote"))
    for number, amount in enumerate(AMOUNTS):
        asset = f"A{number}"
        made["quotes"].append(quote(f"edge-amount-{number}", source_amount=amount, rate=amount))
        made["ledger"] += [
            entry(f"edge-amount-{number}", amount=amount, asset=asset, entry_seq=str(number)),
            entry(f"edge-after-{number}", balance_after=amount, asset=asset),
            entry(f"edge-seq-{number}", entry_seq=amount, asset=asset),
        ]
    for number, word in enumerate(WORDS):
        made["ledger"].append(entry(f"edge-word-{number}", balance_after=word, asset="GBP"))
    for export, rows in made.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / export).mkdir(parents=True)
        (folder / export / "edges.jsonl").write_text(lines, encoding="utf-8")
    return folder


def order(partner_order_id: str, **values: str) -> dict[str, str]:
    return {
        "partner_order_id": partner_order_id,
        "created_at": "2026-06-28T10:00:00Z",
        "product_state": "pending",
        "user_reference": "",
        "client_reference": "",
        "quote_id": "",
        "updated_at": "",
        **values,
    }


def quote(quote_id: str, **values: str) -> dict[str, str]:
    return {
        "quote_id": quote_id,
        "pool_id": "EUR-BTC",
        "source_amount": "100",
        "target_amount": "0.0012",
        "rate": "0.000012",
        "expires_at": "2026-06-28T11:00:00Z",
        "partner_order_id": "",
        **values,
    }


def trade(transact_id: str, **values: str) -> dict[str, str]:
    return {
        "transact_id": transact_id,
        "quote_id": "",
        "idempotency_key": "edge-key",
        "status": "settled",
        "pool_id": "EUR-BTC",
        "reserved_at": "2026-06-28T10:05:00Z",
        **values,
    }


def event(event_id: str, transact_id: str, **values: str) -> dict[str, str]:
    return {
        "event_id": event_id,
        "transact_id": transact_id,
        "status": "settled",
        "received_at": "2026-06-28T10:06:00Z",
        "signature_result": "valid",
        "environment": "live",
        "partner_id": "",
        **values,
    }


def entry(ledger_entry_id: str, **values: str) -> dict[str, str]:
    return {
        "ledger_entry_id": ledger_entry_id,
        "entry_type": "funding",
        "asset": "EUR",
        "amount": "10.5",
        "effective_at": "2026-06-28T10:07:00Z",
        "transact_id": "",
        "balance_after": "",
        "entry_seq": "",
        "partner_id": "",
        **values,
    }
