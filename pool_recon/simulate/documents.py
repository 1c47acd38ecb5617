"""The example records of the network's own documentation, completed into whole movements.

Three stories, each with a balance of its own:

- ``order_123`` (test): 100.00 EUR to 107.31 USDT at 1.0731, settled.
- the prefunded hour (live, ``partner_123``): 1000.00, a debit and its refund, a later debit that
  stays, 750.00.
- ``order_7841`` (live, ``partner_456``): 50000.00 funded, 100.00 reserved, 107.42 USDT delivered.

The ledger keeps the column names of the documented example, so that the sample shows them too.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

Record = Mapping[str, str]

_TEST: Record = {"environment": "test", "partner_id": "partner_123"}
_HOUR: Record = {"environment": "live", "partner_id": "partner_123"}
_LIVE: Record = {"environment": "live", "partner_id": "partner_456"}
_LANE: Record = {"pool_id": "EUR-USDT", "side": "on_ramp"}


def _movement(
    owner: Record, order_id: str, quote_id: str, transact_id: str, key: str, request_id: str,
    amounts: tuple[str, str, str], quoted: tuple[str, str], accepted: str, created: str,
    ended: tuple[str, str, str], product_state: str, events: tuple[str, str],
) -> dict[str, list[Record]]:  # fmt: skip
    """The order, quote, trade and events of one on-ramp movement."""
    source, target, rate = amounts
    quoted_at, expires_at = quoted
    reserved_at, ended_at, status = ended
    ids = {"quote_id": quote_id, "transact_id": transact_id, "idempotency_key": key}
    event: Record = {
        **owner, "transact_id": transact_id, "quote_id": quote_id, "source": "webhook",
        "signature_result": "valid", "processing_attempts": "1",
    }  # fmt: skip
    return {
        "orders": [{
            **owner, **_LANE, **ids, "partner_order_id": order_id, "created_at": created,
            "product_state": product_state, "user_reference": f"user_of_{order_id}",
            "request_id": request_id, "updated_at": ended_at,
        }],
        "quotes": [{
            **owner, **_LANE, "quote_id": quote_id, "partner_order_id": order_id,
            "quote_type": "firm", "source_asset": "EUR", "target_asset": "USDT",
            "source_amount": source, "target_amount": target, "rate": rate, "spread_bps": "25",
            "fee_bps": "30", "crypto_network": "ethereum",
            "dest_address": "0x71c7656ec7ab88b098defb751b7401b5f6d8976f",
            "dest_network": "ethereum", "created_at": quoted_at, "expires_at": expires_at,
            "accepted_at": accepted, "status": "consumed", "request_id": request_id,
        }],
        "trades": [{
            **owner, **_LANE, **ids, "partner_order_id": order_id, "status": status,
            "reserved_at": reserved_at, "terminal_at": ended_at, "fiat_amount": source,
            "crypto_amount": target, "crypto_network": "ethereum", "request_id": request_id,
            "updated_at": ended_at,
        }],
        "events": [
            {**event, "event_id": events[0], "status": "reserved", "occurred_at": reserved_at,
             "received_at": reserved_at, "processed_at": reserved_at},
            {**event, "event_id": events[1], "status": status, "occurred_at": ended_at,
             "received_at": ended_at, "processed_at": ended_at},
        ],
    }  # fmt: skip


_MOVEMENTS = (
    _movement(
        _TEST, "order_123", "pq_test_123", "pt_test_456", "order_123:accept:v1",
        "req_01HZY0POOLS", ("100.00", "107.31", "1.0731"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:15Z"), "2026-01-01T00:00:08Z",
        "2025-12-31T23:59:58Z", ("2026-01-01T00:00:08Z", "2026-01-01T00:01:02Z", "settled"),
        "completed", ("evt_788", "evt_789"),
    ),
    _movement(
        _HOUR, "order_124", "pool_quote_123", "pool_trade_456", "order_124:accept:v1",
        "req_abc", ("100.00", "107.31", "1.0731"),
        ("2026-06-29T09:14:50Z", "2026-06-29T09:15:05Z"), "2026-06-29T09:15:00Z",
        "2026-06-29T09:14:45Z", ("2026-06-29T09:15:00Z", "2026-06-29T09:17:00Z", "released"),
        "cancelled", ("evt_790", "evt_791"),
    ),
    _movement(
        _HOUR, "order_125", "pool_quote_125", "pool_trade_458", "order_125:accept:v1",
        "req_abd", ("250.00", "268.275", "1.0731"),
        ("2026-06-29T10:04:50Z", "2026-06-29T10:05:05Z"), "2026-06-29T10:05:00Z",
        "2026-06-29T10:04:45Z", ("2026-06-29T10:05:00Z", "2026-06-29T10:06:30Z", "settled"),
        "completed", ("evt_792", "evt_793"),
    ),
    _movement(
        _LIVE, "order_7841", "pq_live_01J4", "pt_live_9A2", "order_7841:accept:1",
        "req_7841", ("100.00", "107.42", "1.0742"),
        ("2026-06-28T20:13:00Z", "2026-06-28T20:14:30Z"), "2026-06-28T20:13:10Z",
        "2026-06-28T20:12:40Z", ("2026-06-28T20:13:11Z", "2026-06-28T20:15:03Z", "settled"),
        "completed", ("evt_7841_1", "evt_7841_2"),
    ),
)  # fmt: skip

# id, type, trade, quote, asset, amount, balance_after, effective_at, number, owner, the rest
_LEDGER: Sequence[Record] = (
    {**_TEST, "ledger_id": "led_100", "type": "payin_credit", "asset": "EUR",
     "amount": "100.00", "balance_after": "100.00", "effective_at": "2025-12-31T23:30:00Z",
     "entry_seq": "1", "funding_reference": "REF-partner_123-test"},
    {**_TEST, "ledger_id": "led_101", "type": "buy_debit", "trade_id": "pt_test_456",
     "ledger_ref": "pq_test_123", "asset": "EUR", "amount": "-100.00", "balance_after": "0.00",
     "effective_at": "2026-01-01T00:00:08Z", "entry_seq": "2"},
    {**_HOUR, "ledger_id": "ple_788", "type": "payin_credit", "asset": "EUR",
     "amount": "+1000.00", "balance_after": "1000.00", "effective_at": "2026-06-29T09:00:00Z",
     "entry_seq": "1", "funding_reference": "REF-partner_123"},
    {**_HOUR, "ledger_id": "ple_789", "type": "buy_debit", "trade_id": "pool_trade_456",
     "quote_id": "pool_quote_123", "ledger_ref": "pool_trade_456", "asset": "EUR",
     "amount": "-100.00", "balance_after": "900.00", "effective_at": "2026-06-29T09:15:00Z",
     "entry_seq": "2", "request_id": "req_abc"},
    {**_HOUR, "ledger_id": "ple_790", "type": "buy_refund", "trade_id": "pool_trade_456",
     "ledger_ref": "pool_trade_456", "asset": "EUR", "amount": "+100.00",
     "balance_after": "1000.00", "effective_at": "2026-06-29T09:17:00Z", "entry_seq": "3",
     "related_entry_id": "ple_789"},
    {**_HOUR, "ledger_id": "ple_791", "type": "buy_debit", "trade_id": "pool_trade_458",
     "ledger_ref": "pool_quote_125", "asset": "EUR", "amount": "-250.00",
     "balance_after": "750.00", "effective_at": "2026-06-29T10:05:00Z", "entry_seq": "4"},
    {**_LIVE, "ledger_id": "ledger_0pools_770", "type": "funding_credit", "asset": "EUR",
     "amount": "50000.00", "balance_after": "50000.00", "effective_at": "2026-06-28T09:00:00Z",
     "entry_seq": "1", "funding_reference": "REF-partner_456"},
    {**_LIVE, "ledger_id": "ledger_0pools_771", "type": "trade_reserve",
     "trade_id": "pt_live_9A2", "asset": "EUR", "amount": "100.00", "balance_after": "49900.00",
     "effective_at": "2026-06-28T20:13:11Z", "entry_seq": "2"},
    {**_LIVE, "ledger_id": "ledger_0pools_772", "type": "trade_settle",
     "trade_id": "pt_live_9A2", "asset": "USDT", "amount": "107.42", "balance_after": "settled",
     "effective_at": "2026-06-28T20:15:03Z", "entry_seq": "3"},
)  # fmt: skip

_FUNDING: Sequence[Record] = (
    {**_TEST, "funding_reference": "REF-partner_123-test", "asset": "EUR", "amount": "100.00",
     "status": "confirmed", "confirmed_at": "2025-12-31T23:25:00Z"},
    {**_HOUR, "funding_reference": "REF-partner_123", "asset": "EUR", "amount": "1000.00",
     "status": "confirmed", "confirmed_at": "2026-06-29T08:55:00Z"},
    {**_LIVE, "funding_reference": "REF-partner_456", "asset": "EUR", "amount": "50000.00",
     "status": "confirmed", "confirmed_at": "2026-06-28T08:50:00Z"},
)  # fmt: skip

_BALANCES: Sequence[Record] = (
    {**_TEST, "asset": "EUR", "balance": "0.00", "as_of": "2026-07-01T00:00:00Z"},
    {**_HOUR, "asset": "EUR", "balance": "750.00", "as_of": "2026-07-01T00:00:00Z"},
    {**_LIVE, "asset": "EUR", "balance": "49900.00", "as_of": "2026-07-01T00:00:00Z"},
)

_POOLS: Sequence[Record] = tuple(
    {**owner, "pool_id": "EUR-USDT", "seen_at": seen_at, "entitled": "true",
     "available": "true", "min_source_amount": "1.00", "max_source_amount": "50000.00"}
    for owner, seen_at in (
        (_TEST, "2025-12-31T23:00:00Z"),
        (_HOUR, "2026-06-28T08:00:00Z"),
        (_LIVE, "2026-06-28T08:00:00Z"),
    )
)  # fmt: skip


def write_documents(out: Path, columns: Mapping[str, Sequence[str]]) -> None:
    """Write ``documents.csv`` (the ledger: ``documents.jsonl``) into each export below ``out``.

    ``columns`` gives the columns of every export, in order.
    """
    records: dict[str, list[Record]] = {
        "funding": list(_FUNDING),
        "balances": list(_BALANCES),
        "pools": list(_POOLS),
    }
    for movement in _MOVEMENTS:
        for export, rows in movement.items():
            records.setdefault(export, []).extend(rows)
    for export, rows in records.items():
        (out / export).mkdir(parents=True, exist_ok=True)
        with (out / export / "documents.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns[export], restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    (out / "ledger").mkdir(parents=True, exist_ok=True)
    with (out / "ledger" / "documents.jsonl").open("w", encoding="utf-8", newline="") as file:
        for entry in _LEDGER:
            file.write(json.dumps(entry) + "\n")
