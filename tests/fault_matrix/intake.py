"""Scenarios of staging and intake; those that need other files stand alone."""

from __future__ import annotations

from .dsl import CUT_OFF, Row, Scenario, at, scenario

SECRET = "whsec_" + "A1b2C3d4"
NEARLY_SECRET = "whsec_" + "A1b2C3d"


def snapshot(s: Scenario, **values: str) -> Row:
    """A capability snapshot: a row of which nothing follows, to carry one odd value."""
    return s.add("pools", **{"pool_id": f"{s.name}-pool", "seen_at": at("09:00:00"), **values})


def reported(s: Scenario, **values: str) -> Row:
    """A reported balance of nothing."""
    return s.add("balances", **{"asset": "EUR", "balance": "0", "as_of": CUT_OFF, **values})


# --- timestamps ----------------------------------------------------------------------------------

GOOD_TIMES = """\
2026-06-30T09:00
2026-06-30 09:00
2026-06-30T09:00Z
2026-06-30T09:00:00
2026-06-30T09:00:00Z
2026-06-30 09:00:00.1
2026-06-30T09:00:00.123456789Z
2026-06-30T09:00:00+02
2026-06-30T09:00:00-0230
2026-06-30T09:00:00.5+05:45
2026-06-30T09:00+14:00
2024-02-29T23:59:59.999999999Z
0001-01-02T00:00:00Z
""".splitlines()

BAD_TIMES = """\
2026-06-30
2026-06-30T24:00:00Z
2026-06-30T23:59:60Z
2026-02-29T09:00:00Z
2026-13-01T09:00:00Z
2026-00-10T09:00:00Z
2026-06-31T09:00:00Z
2026-06-30T09:60:00Z
2026-06-30T9:00:00Z
2026-6-30T09:00:00Z
26-06-30T09:00:00Z
20260630T090000Z
2026-06-30t09:00:00Z
2026-06-30T09:00:00z
2026-06-30  09:00:00
2026-06-30T09:00:00 Z
2026-06-30T09:00:00 +02:00
2026-06-30T09:00:00.Z
2026-06-30T09:00:00.1234567890Z
2026-06-30T09:00.5Z
2026-06-30T09Z
2026-06-30T09:00:00+2
2026-06-30T09:00:00+020
2026-06-30T09:00:00+02:60
2026-06-30T09:00:00+24:00
2026-06-30T09:00:00UTC
30/06/2026 09:00
1782810000
now
""".splitlines()


@scenario(nearly="quarantined_row", own_files=True)
def times_that_can_be_read(s: Scenario) -> None:
    for time in GOOD_TIMES:
        snapshot(s, seen_at=time)


@scenario(trips="quarantined_row", own_files=True)
def times_that_cannot_be_read(s: Scenario) -> None:
    for number, time in enumerate(BAD_TIMES, start=1):
        snapshot(s, seen_at=time)
        s.expect_row("quarantined_row", "pools", number)


# --- amounts -------------------------------------------------------------------------------------

GOOD_AMOUNTS = """\
0
-0
+1
-1.5
007
12345678901234567890
0.000000000000000001
-12345678901234567890.123456789012345678
""".splitlines()

BAD_AMOUNTS = """\
.5
5.
1e3
1,000
1_000
0x10
$1
1 000
--1
+-1
NaN
inf
١٢
1.2.3
EUR
""".splitlines()

LONG_AMOUNTS = """\
123456789012345678901
000000000000000000001
1.1234567890123456789
0.0000000000000000000
""".splitlines()


@scenario(nearly="quarantined_row", own_files=True)
def amounts_that_can_be_read(s: Scenario) -> None:
    for amount in GOOD_AMOUNTS:
        snapshot(s, min_source_amount=amount)


@scenario(trips="quarantined_row", own_files=True)
def amounts_that_cannot_be_read(s: Scenario) -> None:
    for number, amount in enumerate(BAD_AMOUNTS + LONG_AMOUNTS, start=1):
        snapshot(s, max_source_amount=amount)
        s.expect_row("quarantined_row", "pools", number)
    s.conserve("pools", 4, bad=len(BAD_AMOUNTS + LONG_AMOUNTS))


@scenario(trips="quarantined_row missing_quote", own_files=True)
def quote_of_nothing(s: Scenario) -> None:
    m = s.order_only()
    m.quote["source_amount"] = "0.00"
    s.again("quotes", m.quote, source_amount="100", target_amount="-107.31")
    s.expect_row("quarantined_row", "quotes", 1)
    s.expect_row("quarantined_row", "quotes", 2)
    s.expect("missing_quote", "order", m.order_id)


@scenario(trips="quarantined_row", own_files=True)
def trade_of_nothing(s: Scenario) -> None:
    m = s.movement()
    s.again("trades", m.trade, transact_id=f"{s.name}-t2", fiat_amount="-100.00")
    s.expect_row("quarantined_row", "trades", 2)


@scenario(trips="quarantined_row", own_files=True)
def sequence_of_a_fraction(s: Scenario) -> None:
    m = s.movement()
    m.debit["entry_seq"] = "-007"
    s.again("ledger", m.debit, ledger_entry_id=f"{s.name}-l3", entry_seq="1.0")
    s.expect_row("quarantined_row", "ledger", 3)


@scenario(trips="quarantined_row", own_files=True)
def balance_after_in_words(s: Scenario) -> None:
    m = s.movement()
    words = ["settled", "Not yet", "n-a_b", "NaN", "inf", "Infinity", "-", "settled!", "1e3"]
    for number, word in enumerate(words, start=3):
        s.again(
            "ledger",
            m.debit,
            ledger_entry_id=f"{s.name}-l{number}",
            entry_type="fee_debit",
            balance_after=word,
        )
        if number >= 6:
            s.expect_row("quarantined_row", "ledger", number)


# --- vocabularies and required values ------------------------------------------------------------


@scenario(nearly="quarantined_row", own_files=True)
def words_in_vocabularies(s: Scenario) -> None:
    for number, flag in enumerate(("TRUE", "False", "1", "0", "yes", "NO", "")):
        snapshot(s, entitled=flag, available=flag, seen_at=at(f"09:00:0{number}"))
    snapshot(s, environment=" LIVE\t")


@scenario(trips="quarantined_row", own_files=True)
def words_outside_vocabularies(s: Scenario) -> None:
    snapshot(s, environment="prod")
    snapshot(s, entitled="maybe")
    snapshot(s, available="t", seen_at="yesterday")
    for number in (1, 2, 3):
        s.expect_row("quarantined_row", "pools", number)


@scenario(trips="quarantined_row missing_webhook", own_files=True)
def words_of_events(s: Scenario) -> None:
    m = s.movement()
    m.event["status"] = "completed"
    s.again("events", m.event, status="settled", source="email")
    s.again("events", m.event, status="settled", signature_result="ok")
    for number in (1, 2, 3):
        s.expect_row("quarantined_row", "events", number)
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(trips="quarantined_row", own_files=True)
def words_of_records(s: Scenario) -> None:
    m = s.movement()
    s.again("orders", m.order, partner_order_id=f"{s.name}-o2", side="buy")
    s.again("quotes", m.quote, quote_type="soft")
    s.again("quotes", m.quote, status="done")
    s.again("trades", m.trade, status="pending")
    s.add("funding", funding_reference="f", asset="EUR", amount="1", status="ok")
    s.expect_row("quarantined_row", "orders", 2)
    s.expect_row("quarantined_row", "quotes", 2)
    s.expect_row("quarantined_row", "quotes", 3)
    s.expect_row("quarantined_row", "trades", 2)
    s.expect_row("quarantined_row", "funding", 1)


REQUIRED = {
    "orders": "partner_order_id created_at product_state",
    "quotes": "quote_id pool_id source_amount target_amount expires_at",
    "trades": "transact_id status",
    "events": "event_id status received_at",
    "ledger": "ledger_entry_id entry_type asset amount effective_at",
}


@scenario(trips="quarantined_row", own_files=True)
def values_that_are_required(s: Scenario) -> None:
    m = s.movement()
    row_of = {
        "orders": m.order,
        "quotes": m.quote,
        "trades": m.trade,
        "events": m.event,
        "ledger": m.debit,
    }
    for export, columns in REQUIRED.items():
        for column in columns.split():
            s.again(export, row_of[export], **{column: " \t"})
            s.expect_row("quarantined_row", export, len(s.rows[export]))
    for export, row in (
        ("funding", {"funding_reference": "f", "asset": "EUR", "amount": "1", "status": "pending"}),
        ("balances", {"asset": "EUR", "balance": "0", "as_of": CUT_OFF}),
        ("pools", {"pool_id": "p", "seen_at": CUT_OFF}),
    ):
        for column in row:
            s.add(export, **{**row, column: ""})
            s.expect_row("quarantined_row", export, len(s.rows[export]))


@scenario(trips="quarantined_row", own_files=True)
def fields_too_few_and_too_many(s: Scenario) -> None:
    s.add_raw("balances", "EUR,0")
    s.add_raw("balances", "")
    s.add_raw("balances", 'EUR,0,"2026-06-30T09:00:00Z",live,' + s.name + ",more")
    s.add_raw("balances", 'EUR,0,"2026-06-30T09:00:00Z",live,' + s.name)
    s.expect_row("quarantined_row", "balances", 1)
    s.expect_row("quarantined_row", "balances", 2)
    s.conserve("balances", 1, bad=2)


# --- secrets -------------------------------------------------------------------------------------


@scenario(trips="secret_exposed", own_files=True)
def secret_in_a_row(s: Scenario) -> None:
    m = s.movement()
    m.order["client_reference"] = f"signed with {SECRET}."
    m.event["payload_ref"] = "sk_live_________"
    s.expect_row("secret_exposed", "orders", 1)
    s.expect_row("secret_exposed", "events", 1)


@scenario(nearly="secret_exposed", own_files=True)
def nearly_secrets(s: Scenario) -> None:
    m = s.movement()
    m.order["client_reference"] = NEARLY_SECRET + "-"
    m.order["user_reference"] = "sk_prod_A1b2C3d4e5"
    m.event["payload_ref"] = "sk_live_1234-5678"


@scenario(trips="secret_exposed quarantined_row", own_files=True)
def secret_in_quarantine(s: Scenario) -> None:
    reported(s, balance=SECRET)
    s.add_raw("balances", "EUR," + "sk_test_" + "00000000")
    for number in (1, 2):
        s.expect_row("secret_exposed", "balances", number)
        s.expect_row("quarantined_row", "balances", number)


@scenario(trips="secret_exposed", separate=True)
def secret_in_unknown_column(s: Scenario) -> None:
    s.extra_columns["orders"] = ["note"]
    s.movement().order["note"] = SECRET
    s.expect("secret_exposed", "export_row", "orders.csv:1")


@scenario(trips="secret_exposed", separate=True)
def secret_in_column_name(s: Scenario) -> None:
    s.extra_columns["trades"] = [SECRET]
    s.movement()
    s.expect("secret_exposed", "export_row", "trades.csv:0")


@scenario(nearly="secret_exposed", separate=True)
def nearly_secret_in_column_name(s: Scenario) -> None:
    s.extra_columns["trades"] = [NEARLY_SECRET]
    s.movement()


# --- columns -------------------------------------------------------------------------------------


@scenario(trips="private_field_exposed", separate=True)
def private_columns(s: Scenario) -> None:
    names = [
        "venueName",
        "ROUTE",
        "treasury-wallet",
        "Market Maker terms",
        "worker_ids",
        "adapters",
    ]
    s.extra_columns["quotes"] = names
    s.movement()
    for name in names:
        s.expect("private_field_exposed", "export_row", f"quotes.csv:{name}")


@scenario(nearly="private_field_exposed", separate=True)
def nearly_private_columns(s: Scenario) -> None:
    s.extra_columns["quotes"] = ["avenue", "router", "market", "maker", "coworker", "adaptive"]
    s.movement()


DOCUMENTED = {
    "orders": "user_reference",
    "quotes": "accepted_at",
    "trades": "terminal_at",
    "events": "processed_at",
    "ledger": "transact_id",
}


@scenario(trips="documented_column_absent", nearly="unprocessed_event missing_trade", separate=True)
def documented_columns_absent(s: Scenario) -> None:
    s.movement()
    for export, column in DOCUMENTED.items():
        s.absent_columns[export] = {column}
        s.expect("documented_column_absent", "export", f"{export}.{column}")


@scenario(nearly="documented_column_absent", separate=True)
def documented_column_in_one_file(s: Scenario) -> None:
    s.movement()
    s.absent_columns["orders"] = {"user_reference"}
    s.files["orders/2026/more.csv"] = (
        "Order ID,createdAt,product-state,USER_REFERENCE,quote id\n"
        f"{s.name}-o2,2026-06-30T23:30:00Z,created,u,\n"
    )


@scenario(nearly="delivery_not_locked", separate=True)
def delivery_column_absent(s: Scenario) -> None:
    s.movement()
    s.absent_columns["quotes"] = {"dest_address", "dest_network"}


@scenario(nearly="pool_not_entitled outside_pool_limits", separate=True)
def pools_absent(s: Scenario) -> None:
    m = s.movement()
    for row in (m.order, m.quote, m.trade):
        row["pool_id"] = "EUR-NEVERSEEN"
    m.quote["target_asset"] = "USDT"
    s.absent_exports = {"pools"}


@scenario(
    nearly="unattributed_funding funding_exceeds_confirmed funding_before_confirmation"
    " balance_mismatch",
    separate=True,
)
def funding_and_balances_absent(s: Scenario) -> None:
    s.absent_exports = {"funding", "balances"}
    s.add(
        "ledger",
        ledger_entry_id=f"{s.name}-l",
        entry_type="funding_credit",
        asset="EUR",
        amount="5",
        effective_at=at("09:00:00"),
        funding_reference="unknown",
    )


@scenario(trips="unattributed_funding", separate=True)
def funding_absent_and_no_reference(s: Scenario) -> None:
    s.absent_exports = {"funding"}
    s.add(
        "ledger",
        ledger_entry_id=f"{s.name}-l",
        entry_type="funding_credit",
        asset="EUR",
        amount="5",
        effective_at=at("09:00:00"),
    )
    s.expect("unattributed_funding", "ledger_entry", f"{s.name}-l")


# --- several files and formats -------------------------------------------------------------------


@scenario(trips="quarantined_row secret_exposed private_field_exposed", separate=True)
def json_lines(s: Scenario) -> None:
    m = s.order_only()
    m.order |= {"environment": "", "partner_id": ""}
    m.quote |= {"environment": "", "partner_id": ""}
    s.files["quotes/b.jsonl"] = (
        '{"quoteId": "json-lines-q2", "pool_id": "EUR-USDT", "sourceAmount": 100.10,'
        ' "target_amount": 107.00, "quote_expires_at": "2026-06-30T10:00:40Z",'
        ' "routes": [1, {"a": 2.50}]}\n'
        "\n"
        "[1, 2]\n"
        '{"quoteId": "json-lines-q3", "pool_id": "EUR-USDT", "sourceAmount": 1e2,'
        ' "target_amount": "1", "quote_expires_at": "2026-06-30T10:00:40Z"}\n'
        '{"quoteId": "torn\n'
        '{"quoteId": "json-lines-q4", "pool_id": "EUR-USDT", "sourceAmount": "1.0",'
        ' "target_amount": 1, "quote_expires_at": "2026-06-30T10:00:40Z",'
        f' "status": null, "note": {{"deep": ["{SECRET}"]}}}}\n'
    )
    s.expect("private_field_exposed", "export_row", "quotes/b.jsonl:routes")
    for number in (2, 3, 4):
        s.expect("quarantined_row", "export_row", f"quotes/b.jsonl:{number}")
    s.expect("secret_exposed", "export_row", "quotes/b.jsonl:5")


def json_terms(quote: Row, source_amount: str) -> str:
    """An array of the quote, with its amounts as JSON numbers."""
    texts = (
        f'"{column}": "{value}"'
        for column, value in quote.items()
        if value and not column.endswith("_amount") and column not in ("spread_bps", "status")
    )
    numbers = f'"source_amount": {source_amount}, "target_amount": 107.3100, "spread_bps": 25.0'
    return f"[{{{', '.join(texts)}, {numbers}}}]"


@scenario(nearly="quote_terms_changed quarantined_row", separate=True)
def json_array_sends_again(s: Scenario) -> None:
    m = s.order_only()
    m.quote["spread_bps"] = "25"
    s.files["quotes/again.json"] = json_terms(m.quote, "100.0")


@scenario(trips="quote_terms_changed", separate=True)
def json_array_changes_the_last_digit(s: Scenario) -> None:
    m = s.order_only()
    m.quote["spread_bps"] = "25"
    s.files["quotes/again.json"] = json_terms(m.quote, "100.000000000000000001")
    s.expect("quote_terms_changed", "quote", m.quote_id)


@scenario(nearly="quarantined_row", separate=True)
def files_to_be_ignored(s: Scenario) -> None:
    s.movement()
    s.files["orders/_draft.csv"] = "nothing\n"
    s.files["orders/.hidden/a.csv"] = "nothing\n"
    s.files["orders/readme.txt"] = "nothing\n"
