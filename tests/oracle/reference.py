"""The oracle's own constants, written out by hand so that they can disagree with the seeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

EXPORTS = ("orders", "quotes", "trades", "events", "ledger", "funding", "balances", "pools")
REQUIRED_EXPORTS = EXPORTS[:5]

# column -> kind; a leading "*" marks a column that every file must have
COLUMNS: dict[str, dict[str, str]] = {
    "orders": {
        "partner_order_id": "*text",
        "created_at": "*time",
        "product_state": "*state",
        "user_reference": "text",
        "client_reference": "text",
        "environment": "word:environment",
        "partner_id": "text",
        "pool_id": "text",
        "side": "word:side",
        "quote_id": "text",
        "transact_id": "text",
        "idempotency_key": "text",
        "request_id": "text",
        "updated_at": "time",
    },
    "quotes": {
        "quote_id": "*text",
        "pool_id": "*text",
        "source_amount": "*positive",
        "target_amount": "*positive",
        "expires_at": "*time",
        "partner_order_id": "text",
        "environment": "word:environment",
        "partner_id": "text",
        "quote_type": "word:quote_type",
        "side": "word:side",
        "source_asset": "text",
        "target_asset": "text",
        "rate": "amount",
        "spread_bps": "amount",
        "fee_bps": "amount",
        "crypto_network": "text",
        "dest_address": "text",
        "dest_network": "text",
        "created_at": "time",
        "accepted_at": "time",
        "status": "word:quote_status",
        "request_id": "text",
    },
    "trades": {
        "transact_id": "*text",
        "quote_id": "*text",
        "idempotency_key": "*text",
        "status": "*word:trade_status",
        "reserved_at": "time",
        "terminal_at": "time",
        "fiat_amount": "positive",
        "crypto_amount": "positive",
        "pool_id": "text",
        "side": "word:side",
        "environment": "word:environment",
        "partner_id": "text",
        "partner_order_id": "text",
        "crypto_network": "text",
        "request_id": "text",
        "updated_at": "time",
    },
    "events": {
        "event_id": "*text",
        "transact_id": "*text",
        "status": "*word:trade_status",
        "received_at": "*time",
        "quote_id": "text",
        "occurred_at": "time",
        "processed_at": "time",
        "source": "word:source",
        "signature_result": "word:signature_result",
        "processing_attempts": "text",
        "payload_ref": "text",
        "request_id": "text",
        "environment": "word:environment",
        "partner_id": "text",
    },
    "ledger": {
        "ledger_entry_id": "*text",
        "entry_type": "*state",
        "asset": "*text",
        "amount": "*amount",
        "effective_at": "*time",
        "transact_id": "text",
        "quote_id": "text",
        "ledger_ref": "text",
        "balance_after": "balance",
        "entry_seq": "whole",
        "related_entry_id": "text",
        "funding_reference": "text",
        "environment": "word:environment",
        "partner_id": "text",
        "request_id": "text",
    },
    "funding": {
        "funding_reference": "*text",
        "asset": "*text",
        "amount": "*amount",
        "status": "*word:funding_status",
        "confirmed_at": "time",
        "environment": "word:environment",
        "partner_id": "text",
    },
    "balances": {
        "asset": "*text",
        "balance": "*amount",
        "as_of": "*time",
        "environment": "word:environment",
        "partner_id": "text",
    },
    "pools": {
        "pool_id": "*text",
        "seen_at": "*time",
        "entitled": "flag",
        "available": "flag",
        "min_source_amount": "amount",
        "max_source_amount": "amount",
        "environment": "word:environment",
        "partner_id": "text",
    },
}

# required as columns, while an empty value has a finding of its own or is allowed
MAY_BE_EMPTY = {
    ("trades", "quote_id"),
    ("trades", "idempotency_key"),
    ("events", "transact_id"),
}

# (column, other names in order of preference, exports where they apply; empty: every export)
OTHER_NAMES: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
    ("partner_order_id", ("order_id", "partner_reference"), ()),
    ("transact_id", ("trade_id", "related_trade_id"), ()),
    ("ledger_entry_id", ("ledger_id",), ()),
    ("entry_type", ("type", "reason", "ledger_entry_type"), ("ledger",)),
    ("amount", ("balance_delta",), ("ledger",)),
    ("asset", ("currency",), ()),
    ("quote_type", ("type",), ("quotes",)),
    ("expires_at", ("quote_expires_at",), ("quotes",)),
    ("status", ("trade_status", "latest_status"), ("trades",)),
    ("event_id", ("webhook_event_id",), ("events",)),
    ("request_id", ("server_request_id", "last_request_id"), ()),
    ("funding_reference", ("reference",), ("funding",)),
]

VOCABULARIES = {
    "environment": {"live", "test"},
    "side": {"on_ramp", "off_ramp"},
    "quote_type": {"firm", "indicative"},
    "quote_status": {"active", "consumed", "expired", "rejected"},
    "trade_status": {"reserved", "settled", "failed", "released", "returned"},
    "source": {"webhook", "status_read"},
    "signature_result": {"valid", "invalid", "missing"},
    "funding_status": {"pending", "confirmed", "failed", "rejected", "returned", "cancelled"},
}
FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

TERMINAL = {"settled", "failed", "released", "returned"}
LEGAL_STEPS = {(("reserved"), status) for status in TERMINAL} | {("settled", "returned")}


@dataclass(frozen=True)
class EntryType:
    """What the ledger entry type means: class, sign (+1, -1, 0 either), balance, trade."""

    entry_class: str
    sign: int
    touches_balance: bool
    needs_trade: bool


ENTRY_TYPES = {
    "payin_credit": EntryType("funding", 1, True, False),
    "funding_credit": EntryType("funding", 1, True, False),
    "buy_debit": EntryType("debit", -1, True, True),
    "sell_debit": EntryType("debit", -1, True, True),
    "trade_debit": EntryType("debit", -1, True, True),
    "trade_reserve": EntryType("reserve", -1, True, True),
    "trade_release": EntryType("release", 1, True, True),
    "buy_refund": EntryType("refund", 1, True, True),
    "sell_refund": EntryType("refund", 1, True, True),
    "trade_refund": EntryType("refund", 1, True, True),
    "trade_return": EntryType("return", 1, True, True),
    "return_credit": EntryType("return", 1, True, True),
    "trade_settle": EntryType("settle", 1, False, True),
    "fee_debit": EntryType("fee", -1, True, False),
    "adjustment": EntryType("adjustment", 0, True, False),
}

STATE_CLASSES = {
    "pending": "pending created new open initiated quoted accepted submitted processing"
    " in_progress reserved awaiting_payment awaiting_settlement",
    "success": "success succeeded successful completed complete settled delivered paid",
    "failed": "failed failure error declined rejected released",
    "returned": "returned refunded reversed",
    "abandoned": "abandoned cancelled canceled expired lapsed",
}
CLASS_OF_STATE = {state: name for name, states in STATE_CLASSES.items() for state in states.split()}

MINOR_UNITS = {
    **dict.fromkeys(("EUR", "USD", "GBP", "CHF"), 2),
    "JPY": 0,
    **dict.fromkeys(("USDT", "USDC", "EURC"), 6),
    "BTC": 8,
    **dict.fromkeys(("ETH", "DAI"), 18),
}

GRACE_PERIOD = timedelta(hours=1)
SETTLEMENT_LIMIT = timedelta(hours=24)
PROCESSING_LIMIT = timedelta(hours=1)
DEFAULT_ENVIRONMENT, DEFAULT_PARTNER = "live", "default"

RULES = (
    "terminal_trades_have_ledger_entries",
    "ledger_entries_join",
    "amounts_agree_exactly",
    "webhook_gaps_confirmed",
    "exceptions_owned_and_reviewed",
    "states_move_forward",
    "balances_roll_forward",
    "nothing_lost",
    "records_immutable",
    "no_secrets",
    "no_other_blocking_findings",
)

_BLOCKING = {
    "no_other_blocking_findings": "missing_quote missing_trade duplicate_trade_attempt"
    " accepted_after_expiry indicative_quote_executed network_mismatch pool_mismatch"
    " pool_not_entitled environment_mismatch partner_mismatch conflicting_link"
    " missing_idempotency_key orphan_event unknown_entry_type",
    "ledger_entries_join": "missing_order orphan_ledger_entry unattributed_funding",
    "webhook_gaps_confirmed": "missing_webhook",
    "terminal_trades_have_ledger_entries": "missing_ledger_entry returned_not_adjusted",
    "amounts_agree_exactly": "ledger_mismatch amount_mismatch unlinked_refund"
    " ledger_sign_conflict excess_precision",
    "states_move_forward": "ledger_without_terminal_trade terminal_state_conflict stuck_reserved"
    " premature_success product_state_conflict order_state_regression",
    "records_immutable": "event_conflict ledger_entry_changed quote_terms_changed",
    "balances_roll_forward": "funding_before_confirmation funding_exceeds_confirmed"
    " balance_chain_break negative_balance balance_mismatch",
    "nothing_lost": "quarantined_row",
    "no_secrets": "secret_exposed",
}
_WARNINGS = (
    "status_lag delivery_not_locked outside_pool_limits missing_request_id"
    " unknown_product_state quote_terms_inconsistent cutoff_timing_difference unverified_event"
    " unprocessed_event funding_not_credited private_field_exposed documented_column_absent"
)
RULE_OF_CODE = {code: rule for rule, codes in _BLOCKING.items() for code in codes.split()}
SEVERITY_OF_CODE = dict.fromkeys(RULE_OF_CODE, "blocking") | dict.fromkeys(
    _WARNINGS.split(), "warning"
)
CODES = tuple(SEVERITY_OF_CODE)
REVIEW_DAYS = {"blocking": 1, "warning": 7}

DOCUMENTED_COLUMNS = (
    ("orders", "user_reference"),
    ("quotes", "accepted_at"),
    ("trades", "terminal_at"),
    ("events", "processed_at"),
    ("ledger", "transact_id"),
)
PRIVATE_WORDS = {
    word
    for singular in ("venue", "route", "treasury", "rebalancing", "worker", "adapter")
    for word in (singular, singular + "s")
} | {"treasuries"}
