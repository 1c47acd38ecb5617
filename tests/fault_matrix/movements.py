"""Scenarios of the findings of movements."""

from __future__ import annotations

from .dsl import CUT_OFF, LAST_SECOND, Movement, Scenario, at, scenario


def without_entries(s: Scenario, m: Movement) -> None:
    s.drop(m.debit, m.settle)


def the_day_before(m: Movement) -> None:
    """Moves order, quote and reservation to the day before, at the same times."""
    for row in (m.order, m.quote, m.trade):
        for column, value in row.items():
            row[column] = value.replace("2026-06-30T10", "2026-06-29T10")


def wait_until_tomorrow(m: Movement) -> None:
    """The order and its quote are of the last minute, and the quote is good for another."""
    m.order["created_at"] = at("23:59:00")
    m.quote |= {"created_at": at("23:59:10"), "expires_at": "2026-07-01T00:01:00Z"}


def off_ramp(m: Movement) -> None:
    """100 USDT for 93.18 EUR."""
    for row in (m.order, m.quote, m.trade):
        row["side"] = "off_ramp"
    m.quote |= {"source_amount": "100.000000", "target_amount": "93.18", "rate": "0.9318"}
    m.trade |= {"fiat_amount": "93.18", "crypto_amount": "100"}
    m.debit |= {"entry_type": "sell_debit", "asset": "USDT", "amount": "100"}
    m.settle |= {"asset": "EUR", "amount": "93.18"}


def second_trade(s: Scenario, m: Movement, **changes: str) -> dict[str, str]:
    """A reserved trade of the same quote, with a key of its own."""
    m.order["product_state"] = "processing"
    values = {"transact_id": f"{s.name}-t2", "idempotency_key": f"{s.name}-o:accept:2"}
    values |= {"status": "reserved", "terminal_at": "", "reserved_at": at("10:00:25")}
    return s.again("trades", m.trade, **{**values, **changes})


# --- clean ---------------------------------------------------------------------------------------


@scenario(
    nearly="missing_quote missing_trade missing_order missing_webhook missing_ledger_entry"
    " ledger_mismatch amount_mismatch missing_idempotency_key missing_request_id"
)
def clean_settled(s: Scenario) -> None:
    s.movement()


@scenario(nearly="ledger_mismatch amount_mismatch delivery_not_locked excess_precision")
def clean_off_ramp(s: Scenario) -> None:
    m = s.movement()
    off_ramp(m)
    m.quote["dest_address"] = ""


@scenario(nearly="ledger_mismatch unlinked_refund product_state_conflict")
def clean_failed(s: Scenario) -> None:
    s.ended("failed", "failed")


@scenario(nearly="ledger_mismatch unlinked_refund product_state_conflict")
def clean_released(s: Scenario) -> None:
    m = s.ended("released", "cancelled")
    m.debit["entry_type"] = "trade_reserve"
    m.settle["entry_type"] = "trade_release"


@scenario(nearly="missing_webhook missing_ledger_entry stuck_reserved premature_success")
def clean_reserved(s: Scenario) -> None:
    s.reserved()


@scenario(nearly="missing_trade delivery_not_locked")
def clean_lapsed(s: Scenario) -> None:
    m = s.order_only()
    m.quote["dest_address"] = ""


# --- missing_quote -------------------------------------------------------------------------------


def order_without_quote(s: Scenario, **changes: str) -> Movement:
    m = s.order_only()
    s.drop(m.quote)
    m.order |= {"quote_id": "", **changes}
    return m


@scenario(trips="missing_quote")
def quote_absent(s: Scenario) -> None:
    m = order_without_quote(s)
    s.expect("missing_quote", "order", m.order_id)


@scenario(trips="missing_quote")
def quote_named_but_absent(s: Scenario) -> None:
    m = order_without_quote(s, quote_id="quote-named-but-absent-q")
    s.expect("missing_quote", "order", m.order_id)


@scenario(nearly="missing_quote")
def quote_absent_but_abandoned(s: Scenario) -> None:
    order_without_quote(s, product_state="Cancelled")


@scenario(nearly="missing_quote")
def quote_absent_within_grace(s: Scenario) -> None:
    order_without_quote(s, created_at=at("23:00:00"))


@scenario(trips="missing_quote")
def quote_absent_beyond_grace(s: Scenario) -> None:
    m = order_without_quote(s, created_at=at("22:59:59.999999"))
    s.expect("missing_quote", "order", m.order_id)


@scenario(trips="missing_quote unknown_product_state")
def quote_absent_state_unknown(s: Scenario) -> None:
    m = order_without_quote(s, created_at=at("23:30:00"), product_state="teleporting")
    s.expect("missing_quote", "order", m.order_id)
    s.expect("unknown_product_state", "order", m.order_id)


@scenario(nearly="missing_quote")
def quote_that_names_the_order(s: Scenario) -> None:
    m = s.order_only()
    m.order["quote_id"] = ""


@scenario(trips="missing_quote orphan_ledger_entry")
def quote_of_trade_unknown(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.quote)
    s.expect("missing_quote", "order", m.order_id)
    s.expect("orphan_ledger_entry", "ledger_entry", m.debit["ledger_entry_id"])
    s.expect("orphan_ledger_entry", "ledger_entry", m.settle["ledger_entry_id"])


@scenario(trips="missing_quote missing_order")
def quote_of_trade_empty_no_order(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.order, m.quote, m.debit, m.settle)
    m.trade |= {"quote_id": "", "status": "failed", "request_id": "r"}
    m.event["status"] = "failed"
    s.expect("missing_quote", "trade", m.trade_id)
    s.expect("missing_order", "trade", m.trade_id)


# --- missing_trade -------------------------------------------------------------------------------


@scenario(trips="missing_trade")
def trade_absent_success(s: Scenario) -> None:
    m = s.order_only(state="delivered")
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="missing_trade")
def trade_absent_accepted(s: Scenario) -> None:
    m = s.order_only()
    m.quote["accepted_at"] = at("10:00:20")
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="missing_trade")
def trade_absent_named(s: Scenario) -> None:
    m = s.order_only()
    m.order["transact_id"] = f"{s.name}-t"
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="missing_trade")
def trade_absent_accepted_last_second(s: Scenario) -> None:
    m = s.order_only()
    wait_until_tomorrow(m)
    m.quote["accepted_at"] = LAST_SECOND
    s.expect("missing_trade", "order", m.order_id)


@scenario(nearly="missing_trade")
def trade_absent_accepted_at_cut_off(s: Scenario) -> None:
    m = s.order_only()
    wait_until_tomorrow(m)
    m.quote["accepted_at"] = CUT_OFF


@scenario(nearly="missing_trade")
def quote_open_at_cut_off(s: Scenario) -> None:
    m = s.order_only()
    wait_until_tomorrow(m)
    # longer ago than an order may be without a quote
    m.order["created_at"] = at("10:00:00")


@scenario(trips="missing_trade")
def trade_absent_other_quote_accepted(s: Scenario) -> None:
    m = s.order_only()
    s.again("quotes", m.quote, quote_id=f"{s.name}-q2", accepted_at=at("10:00:20"))
    s.expect("missing_trade", "order", m.order_id)
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="missing_trade missing_order")
def trade_and_order_absent(s: Scenario) -> None:
    m = s.order_only()
    s.drop(m.order)
    m.quote["accepted_at"] = at("10:00:20")
    s.expect("missing_trade", "quote", m.quote_id)
    s.expect("missing_order", "quote", m.quote_id)


@scenario(nearly="missing_trade missing_order")
def trade_and_order_absent_unaccepted(s: Scenario) -> None:
    s.drop(s.order_only().order)


@scenario(trips="missing_trade")
def trade_absent_order_has_another(s: Scenario) -> None:
    m = s.movement()
    s.again("quotes", m.quote, quote_id=f"{s.name}-q2")
    s.expect("missing_trade", "quote", f"{s.name}-q2")


@scenario(trips="cutoff_timing_difference", nearly="missing_trade")
def trade_reserved_at_cut_off(s: Scenario) -> None:
    m = s.reserved()
    wait_until_tomorrow(m)
    m.order["product_state"] = "processing"
    m.quote["accepted_at"] = LAST_SECOND
    m.trade["reserved_at"] = CUT_OFF
    s.drop(m.debit)
    s.expect("cutoff_timing_difference", "order", m.order_id)


@scenario(nearly="cutoff_timing_difference missing_trade")
def trade_reserved_last_second(s: Scenario) -> None:
    m = s.reserved()
    wait_until_tomorrow(m)
    m.quote["accepted_at"] = LAST_SECOND
    m.trade["reserved_at"] = LAST_SECOND
    s.drop(m.debit)


@scenario(trips="missing_trade", nearly="cutoff_timing_difference")
def later_trade_of_another_order(s: Scenario) -> None:
    m = s.order_only()
    m.quote["accepted_at"] = at("10:00:20")
    other = s.reserved("-b")
    s.drop(other.order, other.quote, other.debit)
    other.trade["reserved_at"] = CUT_OFF
    s.expect("missing_trade", "order", m.order_id)


# --- missing_order -------------------------------------------------------------------------------


@scenario(trips="missing_order orphan_ledger_entry")
def order_absent(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.order)
    m.trade["request_id"] = "r"
    s.expect("missing_order", "trade", m.trade_id)
    s.expect("orphan_ledger_entry", "ledger_entry", m.debit["ledger_entry_id"])
    s.expect("orphan_ledger_entry", "ledger_entry", m.settle["ledger_entry_id"])


@scenario(nearly="missing_order")
def order_by_quote_only(s: Scenario) -> None:
    m = s.movement()
    m.order |= {"quote_id": "", "transact_id": ""}
    m.trade["partner_order_id"] = ""


@scenario(nearly="missing_order")
def order_that_names_the_quote(s: Scenario) -> None:
    m = s.movement()
    m.order["transact_id"] = ""
    m.quote["partner_order_id"] = m.trade["partner_order_id"] = ""


@scenario(nearly="missing_order")
def order_named_by_the_trade(s: Scenario) -> None:
    m = s.movement()
    m.order |= {"quote_id": "", "transact_id": ""}
    m.quote["partner_order_id"] = f"{s.name}-nowhere"


@scenario(nearly="missing_order")
def order_that_names_the_trade(s: Scenario) -> None:
    m = s.movement()
    m.order["quote_id"] = ""
    m.quote["partner_order_id"] = m.trade["partner_order_id"] = ""


@scenario(trips="missing_trade", nearly="missing_order conflicting_link")
def orders_that_name_one_quote(s: Scenario) -> None:
    m = s.movement()
    m.quote["partner_order_id"] = m.trade["partner_order_id"] = ""
    s.again(
        "orders",
        m.order,
        partner_order_id=f"{s.name}-o2",
        created_at=at("10:00:01"),
        transact_id="",
        product_state="cancelled",
    )
    # the later order shows the accepted quote, which belongs to the earlier one
    s.expect("missing_trade", "order", f"{s.name}-o2")


# --- duplicate_trade_attempt ---------------------------------------------------------------------


def same_key(s: Scenario) -> tuple[Movement, Movement]:
    first, second = s.movement(), s.movement("-b")
    second.trade["idempotency_key"] = first.trade["idempotency_key"]
    second.trade["reserved_at"] = at("10:00:22")
    return first, second


def tell(m: Movement, **values: str) -> None:
    for row in (m.order, m.quote, m.trade, m.event, m.debit, m.settle):
        row |= values


@scenario(trips="duplicate_trade_attempt")
def idempotency_key_shared(s: Scenario) -> None:
    _, second = same_key(s)
    s.expect("duplicate_trade_attempt", "trade", second.trade_id)


@scenario(nearly="duplicate_trade_attempt")
def idempotency_key_shared_environments(s: Scenario) -> None:
    tell(same_key(s)[1], environment="test")


@scenario(nearly="duplicate_trade_attempt")
def idempotency_key_shared_partners(s: Scenario) -> None:
    tell(same_key(s)[1], partner_id=f"{s.name}-2")


@scenario(trips="missing_idempotency_key", nearly="duplicate_trade_attempt")
def idempotency_keys_empty(s: Scenario) -> None:
    first, second = same_key(s)
    first.trade["idempotency_key"] = second.trade["idempotency_key"] = " "
    s.expect("missing_idempotency_key", "trade", first.trade_id)
    s.expect("missing_idempotency_key", "trade", second.trade_id)


@scenario(trips="duplicate_trade_attempt")
def quote_with_two_trades(s: Scenario) -> None:
    m = s.movement()
    second_trade(s, m)
    m.event["transact_id"] = m.debit["transact_id"] = m.settle["transact_id"] = ""
    # what names only the quote belongs to the earliest trade
    s.expect("duplicate_trade_attempt", "trade", f"{s.name}-t2")


@scenario(trips="duplicate_trade_attempt")
def quote_with_two_trades_at_once(s: Scenario) -> None:
    m = s.movement()
    second_trade(s, m, transact_id=f"{s.name}-s", reserved_at=m.trade["reserved_at"])
    s.expect("duplicate_trade_attempt", "trade", m.trade_id)


@scenario(trips="duplicate_trade_attempt")
def quote_with_undated_trade(s: Scenario) -> None:
    m = s.movement()
    second_trade(s, m, transact_id=f"{s.name}-a", reserved_at="")
    s.expect("duplicate_trade_attempt", "trade", f"{s.name}-a")


@scenario(nearly="duplicate_trade_attempt")
def trade_sent_again(s: Scenario) -> None:
    m = s.movement()
    s.again("trades", m.trade)
    s.again("trades", m.trade, updated_at=at("11:00:00"))
    s.conserve("trades", 1, duplicates=1, superseded=1)


# --- missing_webhook -----------------------------------------------------------------------------


@scenario(trips="missing_webhook")
def webhook_absent(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.event)
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(nearly="missing_webhook unverified_event")
def webhook_gap_read(s: Scenario) -> None:
    s.movement().event |= {"source": "status_read", "signature_result": ""}


@scenario(trips="missing_webhook unverified_event")
def webhook_unverified(s: Scenario) -> None:
    m = s.movement()
    m.event["signature_result"] = "invalid"
    s.expect("missing_webhook", "trade", m.trade_id)
    s.expect("unverified_event", "event", m.event_id)


@scenario(trips="missing_webhook unverified_event")
def webhook_signature_not_said(s: Scenario) -> None:
    m = s.movement()
    m.event |= {"signature_result": "", "source": ""}
    s.expect("missing_webhook", "trade", m.trade_id)
    s.expect("unverified_event", "event", m.event_id)


@scenario(nearly="missing_webhook cutoff_timing_difference")
def webhook_last_second(s: Scenario) -> None:
    s.movement().event |= {"received_at": LAST_SECOND, "processed_at": ""}


@scenario(trips="cutoff_timing_difference", nearly="missing_webhook")
def webhook_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    m.event |= {"received_at": CUT_OFF, "processed_at": ""}
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="missing_webhook", nearly="cutoff_timing_difference")
def webhook_late_of_another_status(s: Scenario) -> None:
    m = s.movement()
    m.event |= {"received_at": CUT_OFF, "processed_at": "", "status": "returned"}
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(trips="missing_webhook", nearly="cutoff_timing_difference")
def webhook_late_and_unverified(s: Scenario) -> None:
    m = s.movement()
    m.event |= {"received_at": CUT_OFF, "signature_result": "invalid"}
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(trips="missing_webhook terminal_state_conflict")
def webhook_of_another_status(s: Scenario) -> None:
    m = s.movement()
    m.event["status"] = "failed"
    s.expect("missing_webhook", "trade", m.trade_id)
    s.expect("terminal_state_conflict", "trade", m.trade_id)


# --- missing_ledger_entry ------------------------------------------------------------------------


@scenario(trips="missing_ledger_entry")
def ledger_absent(s: Scenario) -> None:
    m = s.movement()
    without_entries(s, m)
    s.expect("missing_ledger_entry", "trade", m.trade_id)


@scenario(trips="missing_ledger_entry")
def ledger_absent_released(s: Scenario) -> None:
    m = s.ended("released", "released")
    without_entries(s, m)
    s.expect("missing_ledger_entry", "trade", m.trade_id)


@scenario(trips="missing_ledger_entry", nearly="returned_not_adjusted")
def ledger_absent_returned(s: Scenario) -> None:
    m = s.ended("returned", "returned")
    without_entries(s, m)
    s.expect("missing_ledger_entry", "trade", m.trade_id)


@scenario(trips="missing_ledger_entry status_lag")
def ledger_absent_by_events(s: Scenario) -> None:
    m = s.movement()
    without_entries(s, m)
    m.trade |= {"status": "reserved", "terminal_at": ""}
    s.expect("missing_ledger_entry", "trade", m.trade_id)
    s.expect("status_lag", "trade", m.trade_id)


@scenario(nearly="missing_ledger_entry")
def ledger_absent_failed(s: Scenario) -> None:
    without_entries(s, s.ended("failed", "failed"))


@scenario(trips="cutoff_timing_difference", nearly="missing_ledger_entry")
def ledger_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    m.debit["effective_at"] = m.settle["effective_at"] = CUT_OFF
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(nearly="cutoff_timing_difference missing_ledger_entry")
def ledger_last_second(s: Scenario) -> None:
    m = s.movement()
    m.debit["effective_at"] = m.settle["effective_at"] = LAST_SECOND


@scenario(nearly="missing_ledger_entry orphan_ledger_entry")
def ledger_by_quote_id(s: Scenario) -> None:
    m = s.movement()
    m.debit["transact_id"] = m.settle["transact_id"] = f"{s.name}-nowhere"


@scenario(nearly="missing_ledger_entry orphan_ledger_entry")
def ledger_by_ref_of_trade(s: Scenario) -> None:
    m = s.movement()
    for entry in (m.debit, m.settle):
        entry |= {"transact_id": "", "quote_id": f"{s.name}-nowhere", "ledger_ref": m.trade_id}


@scenario(nearly="missing_ledger_entry orphan_ledger_entry")
def ledger_by_ref_of_quote(s: Scenario) -> None:
    m = s.movement()
    for entry in (m.debit, m.settle):
        entry |= {"transact_id": "", "quote_id": "", "ledger_ref": m.quote_id}


# --- ledger_mismatch -----------------------------------------------------------------------------


def debited(s: Scenario, amount: str) -> Movement:
    m = s.movement()
    m.debit["amount"] = amount
    return m


@scenario(trips="ledger_mismatch")
def debit_one_unit_low(s: Scenario) -> None:
    m = debited(s, "-99.99")
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="ledger_mismatch")
def debit_one_unit_high(s: Scenario) -> None:
    m = debited(s, "100.01")
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(nearly="ledger_mismatch ledger_sign_conflict excess_precision")
def debit_written_otherwise(s: Scenario) -> None:
    debited(s, " +0100.000000 ")


@scenario(trips="ledger_mismatch")
def settle_one_unit_low(s: Scenario) -> None:
    m = s.movement()
    m.settle["amount"] = "107.309999"
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="ledger_mismatch")
def settle_in_another_asset(s: Scenario) -> None:
    m = s.movement()
    m.settle["asset"] = "USDC"
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(nearly="ledger_mismatch")
def settle_absent(s: Scenario) -> None:
    s.drop(s.movement().settle)


@scenario(trips="ledger_mismatch")
def debit_absent(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.debit)
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(nearly="ledger_mismatch")
def debit_and_adjustment(s: Scenario) -> None:
    m = debited(s, "-99.99")
    s.again(
        "ledger", m.debit, ledger_entry_id=f"{s.name}-l3", entry_type="adjustment", amount="-0.01"
    )


@scenario(trips="ledger_mismatch")
def debit_and_fee(s: Scenario) -> None:
    m = debited(s, "-99.99")
    s.again(
        "ledger", m.debit, ledger_entry_id=f"{s.name}-l3", entry_type="fee_debit", amount="0.01"
    )
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="ledger_mismatch")
def debit_of_reserved_in_part(s: Scenario) -> None:
    m = s.reserved()
    m.debit["amount"] = "-50.00"
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(nearly="ledger_mismatch")
def debit_of_reserved_none_but_fee(s: Scenario) -> None:
    s.reserved().debit |= {"entry_type": "fee_debit", "amount": "0.10"}


@scenario(trips="ledger_mismatch")
def debit_of_failed_kept(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    s.drop(m.settle)
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="ledger_mismatch")
def settle_of_released(s: Scenario) -> None:
    m = s.ended("released", "released")
    s.add(
        "ledger",
        ledger_entry_id=f"{s.name}-l3",
        transact_id=m.trade_id,
        entry_type="trade_settle",
        asset="USDT",
        amount="107.31",
        effective_at=at("10:05:05"),
    )
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(nearly="ledger_mismatch quote_terms_inconsistent excess_precision")
def assets_unknown(s: Scenario) -> None:
    m = debited(s, "-1.00")
    for row in (m.order, m.quote, m.trade):
        row["pool_id"] = "eur-usdt"
    m.quote["rate"] = "7"
    s.add("pools", pool_id="eur-usdt", seen_at=at("00:00:00"))


@scenario(trips="cutoff_timing_difference", nearly="ledger_mismatch")
def debit_in_part_later(s: Scenario) -> None:
    m = debited(s, "-60.00")
    s.again(
        "ledger", m.debit, ledger_entry_id=f"{s.name}-l3", amount="-40.00", effective_at=CUT_OFF
    )
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="ledger_mismatch", nearly="cutoff_timing_difference")
def debit_in_part_later_one_unit_low(s: Scenario) -> None:
    m = debited(s, "-60.00")
    s.again(
        "ledger", m.debit, ledger_entry_id=f"{s.name}-l3", amount="-39.99", effective_at=CUT_OFF
    )
    s.expect("ledger_mismatch", "trade", m.trade_id)


# --- returned_not_adjusted -----------------------------------------------------------------------


def returned(s: Scenario) -> Movement:
    """Settled at 10:05, returned at 11:00; nothing is posted for the return."""
    m = s.movement()
    m.order["product_state"] = "returned"
    m.trade |= {"status": "returned", "terminal_at": at("11:00:00")}
    s.again(
        "events",
        m.event,
        event_id=f"{s.name}-e2",
        status="returned",
        occurred_at=at("11:00:00"),
        received_at=at("11:00:01"),
        processed_at=at("11:00:02"),
    )
    return m


def give_back(s: Scenario, m: Movement, entry_type: str, effective_at: str) -> None:
    s.again(
        "ledger",
        m.debit,
        ledger_entry_id=f"{s.name}-l3",
        entry_type=entry_type,
        amount="100.00",
        effective_at=effective_at,
        entry_seq="3",
    )


@scenario(trips="returned_not_adjusted", nearly="ledger_mismatch")
def return_not_posted(s: Scenario) -> None:
    m = returned(s)
    s.expect("returned_not_adjusted", "trade", m.trade_id)


@scenario(nearly="returned_not_adjusted terminal_state_conflict ledger_mismatch")
def return_posted(s: Scenario) -> None:
    give_back(s, returned(s), "return_credit", LAST_SECOND)


@scenario(nearly="returned_not_adjusted")
def return_posted_as_refund(s: Scenario) -> None:
    give_back(s, returned(s), "trade_refund", at("11:00:05"))


@scenario(trips="returned_not_adjusted")
def return_posted_as_release(s: Scenario) -> None:
    m = returned(s)
    give_back(s, m, "trade_release", at("11:00:05"))
    s.expect("returned_not_adjusted", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="returned_not_adjusted")
def return_posted_at_cut_off(s: Scenario) -> None:
    m = returned(s)
    give_back(s, m, "return_credit", CUT_OFF)
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="returned_not_adjusted", nearly="cutoff_timing_difference")
def return_posted_late_as_release(s: Scenario) -> None:
    m = returned(s)
    give_back(s, m, "trade_release", CUT_OFF)
    s.expect("returned_not_adjusted", "trade", m.trade_id)


# --- ledger_without_terminal_trade ---------------------------------------------------------------


@scenario(trips="ledger_without_terminal_trade")
def settle_while_reserved(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.event)
    m.order["product_state"] = "processing"
    m.trade |= {"status": "reserved", "terminal_at": ""}
    s.expect("ledger_without_terminal_trade", "trade", m.trade_id)


@scenario(trips="ledger_without_terminal_trade")
def refund_while_reserved(s: Scenario) -> None:
    m = s.ended("failed", "processing")
    s.drop(m.event)
    m.trade |= {"status": "reserved", "terminal_at": ""}
    s.expect("ledger_without_terminal_trade", "trade", m.trade_id)


@scenario(nearly="ledger_without_terminal_trade")
def adjusted_while_reserved(s: Scenario) -> None:
    m = s.reserved()
    s.again(
        "ledger", m.debit, ledger_entry_id=f"{s.name}-l3", entry_type="adjustment", amount="100"
    )


# --- terminal_state_conflict ---------------------------------------------------------------------


def also(s: Scenario, m: Movement, status: str, **changes: str) -> None:
    s.again("events", m.event, **{"event_id": f"{s.name}-e2", "status": status, **changes})


@scenario(trips="terminal_state_conflict")
def settled_and_failed(s: Scenario) -> None:
    m = s.movement()
    also(s, m, "failed", occurred_at=at("10:06:00"))
    s.expect("terminal_state_conflict", "trade", m.trade_id)


@scenario(trips="unverified_event", nearly="terminal_state_conflict")
def settled_and_failed_unverified(s: Scenario) -> None:
    also(s, s.movement(), "failed", signature_result="invalid")
    s.expect("unverified_event", "event", f"{s.name}-e2")


@scenario(nearly="terminal_state_conflict")
def settled_and_reserved(s: Scenario) -> None:
    also(s, s.movement(), "reserved", occurred_at=at("10:06:00"))


@scenario(trips="terminal_state_conflict")
def returned_before_settled(s: Scenario) -> None:
    m = returned(s)
    give_back(s, m, "return_credit", at("11:00:05"))
    m.event["occurred_at"] = at("11:00:00.000001")
    s.expect("terminal_state_conflict", "trade", m.trade_id)


@scenario(nearly="terminal_state_conflict")
def returned_when_settled(s: Scenario) -> None:
    m = returned(s)
    give_back(s, m, "return_credit", at("11:00:05"))
    m.event["occurred_at"] = at("11:00:00")


@scenario(nearly="terminal_state_conflict")
def returned_and_settled_undated(s: Scenario) -> None:
    m = returned(s)
    give_back(s, m, "return_credit", at("11:00:05"))
    m.event |= {"occurred_at": "", "received_at": at("12:00:00")}


@scenario(trips="terminal_state_conflict status_lag")
def trade_back_to_reserved(s: Scenario) -> None:
    m = s.movement()
    m.trade["updated_at"] = at("10:05:00")
    s.again("trades", m.trade, status="reserved", terminal_at="", updated_at=at("10:06:00"))
    s.expect("terminal_state_conflict", "trade", m.trade_id)
    s.expect("status_lag", "trade", m.trade_id)


@scenario(trips="terminal_state_conflict")
def trade_forth_and_back(s: Scenario) -> None:
    m = s.movement()
    s.again("trades", m.trade, status="failed")
    s.again("trades", m.trade)
    s.expect("terminal_state_conflict", "trade", m.trade_id)
    s.conserve("trades", 1, superseded=2)


@scenario(nearly="terminal_state_conflict status_lag")
def trade_versions_out_of_order(s: Scenario) -> None:
    m = s.movement()
    m.trade["updated_at"] = at("10:05:00")
    s.again("trades", m.trade, status="reserved", terminal_at="", updated_at=at("10:00:21"))


@scenario(nearly="terminal_state_conflict")
def trade_version_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    s.again("trades", m.trade, status="failed", updated_at=CUT_OFF)
    s.conserve("trades", 1, superseded=1)


@scenario(trips="terminal_state_conflict")
def trade_version_last_second(s: Scenario) -> None:
    m = s.movement()
    m.trade["updated_at"] = at("10:05:00")
    s.again("trades", m.trade, status="failed", updated_at=at("23:59:58"))
    s.again("trades", m.trade, status="settled", updated_at=LAST_SECOND)
    s.expect("terminal_state_conflict", "trade", m.trade_id)


@scenario(nearly="terminal_state_conflict missing_trade")
def trade_whose_only_version_is_late(s: Scenario) -> None:
    s.movement().trade["updated_at"] = CUT_OFF


# --- a trade that ended at or after the cut-off --------------------------------------------------


@scenario(nearly="missing_webhook stuck_reserved premature_success")
def ended_at_cut_off(s: Scenario) -> None:
    m = s.reserved()
    m.trade |= {"status": "settled", "terminal_at": CUT_OFF}


@scenario(trips="missing_webhook")
def ended_last_second(s: Scenario) -> None:
    m = s.reserved()
    m.trade |= {"status": "settled", "terminal_at": LAST_SECOND}
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(nearly="returned_not_adjusted missing_webhook")
def returned_at_cut_off_by_events(s: Scenario) -> None:
    m = s.movement()
    m.trade |= {"status": "returned", "terminal_at": CUT_OFF}


@scenario(trips="status_lag", nearly="returned_not_adjusted terminal_state_conflict")
def returned_at_cut_off_by_versions(s: Scenario) -> None:
    m = s.movement()
    s.again("trades", m.trade, status="returned", terminal_at=CUT_OFF, updated_at=LAST_SECOND)
    m.trade |= {"status": "reserved", "terminal_at": "", "updated_at": at("10:00:21")}
    s.expect("status_lag", "trade", m.trade_id)


# --- status_lag, stuck_reserved ------------------------------------------------------------------


@scenario(trips="status_lag")
def status_behind_webhook(s: Scenario) -> None:
    m = s.movement()
    m.trade |= {"status": "reserved", "terminal_at": ""}
    s.expect("status_lag", "trade", m.trade_id)


@scenario(nearly="status_lag", trips="unverified_event premature_success")
def status_behind_unverified_webhook(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.settle)
    m.trade |= {"status": "reserved", "terminal_at": ""}
    m.event["signature_result"] = "missing"
    s.expect("unverified_event", "event", m.event_id)
    s.expect("premature_success", "order", m.order_id)


@scenario(trips="stuck_reserved")
def reserved_over_a_day(s: Scenario) -> None:
    m = s.reserved()
    the_day_before(m)
    m.trade["reserved_at"] = "2026-06-29T23:59:59.999999Z"
    s.expect("stuck_reserved", "trade", m.trade_id)


@scenario(nearly="stuck_reserved")
def reserved_exactly_a_day(s: Scenario) -> None:
    m = s.reserved()
    the_day_before(m)
    m.trade["reserved_at"] = "2026-06-30T00:00:00Z"


@scenario(trips="stuck_reserved")
def reserved_undated_accepted_over_a_day(s: Scenario) -> None:
    m = s.reserved()
    the_day_before(m)
    m.trade["reserved_at"] = ""
    s.expect("stuck_reserved", "trade", m.trade_id)


@scenario(trips="stuck_reserved")
def reserved_undated_ordered_over_a_day(s: Scenario) -> None:
    m = s.reserved()
    the_day_before(m)
    m.trade["reserved_at"] = m.quote["accepted_at"] = ""
    s.expect("stuck_reserved", "trade", m.trade_id)


# --- quotes --------------------------------------------------------------------------------------


@scenario(nearly="accepted_after_expiry")
def accepted_at_expiry(s: Scenario) -> None:
    s.movement().quote |= {"accepted_at": at("10:00:40"), "expires_at": at("10:00:40")}


@scenario(trips="accepted_after_expiry")
def accepted_just_after_expiry(s: Scenario) -> None:
    m = s.movement()
    m.quote["accepted_at"] = at("10:00:40.000001")
    s.expect("accepted_after_expiry", "quote", m.quote_id)


@scenario(nearly="accepted_after_expiry")
def accepted_after_expiry_at_cut_off(s: Scenario) -> None:
    s.order_only().quote["accepted_at"] = CUT_OFF


@scenario(trips="accepted_after_expiry")
def reserved_after_expiry(s: Scenario) -> None:
    m = s.movement()
    m.quote |= {"accepted_at": "", "expires_at": at("10:00:20")}
    s.expect("accepted_after_expiry", "quote", m.quote_id)


@scenario(nearly="accepted_after_expiry")
def reserved_at_expiry(s: Scenario) -> None:
    s.movement().quote |= {"accepted_at": "", "expires_at": at("10:00:21")}


@scenario(nearly="accepted_after_expiry")
def reserved_after_expiry_accepted_before(s: Scenario) -> None:
    s.movement().quote |= {"accepted_at": at("10:00:20"), "expires_at": at("10:00:20")}


@scenario(trips="indicative_quote_executed")
def quote_indicative(s: Scenario) -> None:
    m = s.movement()
    m.quote["quote_type"] = "Indicative"
    s.expect("indicative_quote_executed", "trade", m.trade_id)


@scenario(nearly="indicative_quote_executed")
def quote_type_not_said(s: Scenario) -> None:
    s.movement().quote["quote_type"] = ""


@scenario(nearly="indicative_quote_executed")
def quote_indicative_not_executed(s: Scenario) -> None:
    s.order_only().quote["quote_type"] = "indicative"


@scenario(trips="delivery_not_locked")
def delivery_open(s: Scenario) -> None:
    m = s.movement()
    m.quote["dest_address"] = ""
    s.expect("delivery_not_locked", "quote", m.quote_id)


@scenario(trips="indicative_quote_executed", nearly="delivery_not_locked")
def delivery_open_indicative(s: Scenario) -> None:
    m = s.movement()
    m.quote |= {"dest_address": "", "quote_type": "indicative"}
    s.expect("indicative_quote_executed", "trade", m.trade_id)


@scenario(trips="quote_terms_inconsistent")
def rate_off_by_two_units(s: Scenario) -> None:
    m = s.movement()
    m.quote["rate"] = "1.0731000100001"
    s.expect("quote_terms_inconsistent", "quote", m.quote_id)


@scenario(nearly="quote_terms_inconsistent")
def rate_off_by_one_unit(s: Scenario) -> None:
    s.movement().quote["rate"] = "1.07310001"


@scenario(nearly="quote_terms_inconsistent")
def rate_not_said(s: Scenario) -> None:
    s.movement().quote["rate"] = ""


# --- amounts, networks, pools, environments, partners --------------------------------------------


@scenario(trips="amount_mismatch")
def fiat_one_unit_high(s: Scenario) -> None:
    m = debited(s, "-100.01")
    m.trade["fiat_amount"] = "100.01"
    s.expect("amount_mismatch", "trade", m.trade_id)


@scenario(trips="amount_mismatch ledger_mismatch")
def crypto_one_unit_low(s: Scenario) -> None:
    m = s.movement()
    m.trade["crypto_amount"] = "107.309999"
    s.expect("amount_mismatch", "trade", m.trade_id)
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(nearly="amount_mismatch")
def amounts_written_otherwise(s: Scenario) -> None:
    s.movement().trade |= {"fiat_amount": "100.0", "crypto_amount": "000107.310000000"}


@scenario(nearly="amount_mismatch ledger_mismatch")
def amounts_not_said(s: Scenario) -> None:
    s.movement().trade |= {"fiat_amount": "", "crypto_amount": ""}


@scenario(trips="network_mismatch")
def networks_differ(s: Scenario) -> None:
    m = s.movement()
    m.trade["crypto_network"] = "Ethereum"
    s.expect("network_mismatch", "trade", m.trade_id)


@scenario(nearly="network_mismatch")
def network_said_by_quote_only(s: Scenario) -> None:
    s.movement().trade["crypto_network"] = ""


@scenario(nearly="network_mismatch")
def network_said_by_trade_only(s: Scenario) -> None:
    s.movement().quote["crypto_network"] = ""


@scenario(trips="pool_mismatch")
def pools_differ(s: Scenario) -> None:
    m = s.movement()
    m.trade["pool_id"] = "EUR-USDC"
    s.expect("pool_mismatch", "trade", m.trade_id)


@scenario(trips="pool_mismatch")
def sides_differ(s: Scenario) -> None:
    m = s.movement()
    m.order["side"] = "off_ramp"
    s.expect("pool_mismatch", "trade", m.trade_id)


@scenario(nearly="pool_mismatch")
def pools_said_once(s: Scenario) -> None:
    m = s.movement()
    for row in (m.order, m.trade):
        row |= {"pool_id": "", "side": ""}


@scenario(nearly="pool_mismatch amount_mismatch ledger_mismatch")
def side_said_by_order_only(s: Scenario) -> None:
    m = s.movement()
    off_ramp(m)
    m.quote["side"] = m.trade["side"] = ""


@scenario(trips="pool_mismatch")
def pools_differ_without_trade(s: Scenario) -> None:
    m = s.order_only()
    m.order["pool_id"] = "EUR-USDC"
    s.expect("pool_mismatch", "order", m.order_id)


@scenario(nearly="pool_mismatch environment_mismatch partner_mismatch")
def quote_not_shown_differs(s: Scenario) -> None:
    m = s.order_only()
    s.again(
        "quotes",
        m.quote,
        quote_id=f"{s.name}-q2",
        pool_id="EUR-USDC",
        environment="test",
        partner_id=f"{s.name}-2",
    )


@scenario(trips="pool_mismatch")
def pools_differ_two_trades(s: Scenario) -> None:
    m = s.movement()
    m.order["pool_id"] = "EUR-USDC"
    other = s.movement("-b")
    s.drop(other.order)
    other.quote["partner_order_id"] = other.trade["partner_order_id"] = m.order_id
    s.expect("pool_mismatch", "trade", m.trade_id)
    s.expect("pool_mismatch", "trade", other.trade_id)


@scenario(trips="environment_mismatch")
def event_of_test(s: Scenario) -> None:
    m = s.movement()
    m.event["environment"] = "TEST"
    s.expect("environment_mismatch", "trade", m.trade_id)


@scenario(trips="environment_mismatch")
def entry_of_test(s: Scenario) -> None:
    m = s.movement()
    m.debit["environment"] = "test"
    s.expect("environment_mismatch", "trade", m.trade_id)


@scenario(trips="environment_mismatch")
def order_of_test_without_trade(s: Scenario) -> None:
    m = s.order_only()
    m.order["environment"] = "test"
    s.expect("environment_mismatch", "order", m.order_id)


@scenario(nearly="environment_mismatch")
def environment_said_once(s: Scenario) -> None:
    m = s.movement()
    tell(m, environment="")
    m.quote["environment"] = "test"


@scenario(nearly="environment_mismatch")
def event_of_test_at_cut_off(s: Scenario) -> None:
    also(s, s.movement(), "settled", environment="test", received_at=CUT_OFF)


@scenario(trips="partner_mismatch")
def trade_of_another_partner(s: Scenario) -> None:
    m = s.movement()
    m.trade["partner_id"] = f"{s.name}-2"
    s.expect("partner_mismatch", "trade", m.trade_id)


@scenario(trips="partner_mismatch")
def quote_of_another_partner_without_trade(s: Scenario) -> None:
    m = s.order_only()
    m.quote["partner_id"] = f"{s.name}-2"
    s.expect("partner_mismatch", "order", m.order_id)


@scenario(nearly="partner_mismatch")
def partner_said_once(s: Scenario) -> None:
    m = s.movement()
    tell(m, partner_id="")
    m.trade["partner_id"] = s.name


# --- pools ---------------------------------------------------------------------------------------


def in_pool(s: Scenario) -> Movement:
    """A movement in a pool that only this scenario uses; its assets are said."""
    m = s.movement()
    for row in (m.order, m.quote, m.trade):
        row["pool_id"] = f"{s.name}-pool"
    m.quote |= {"source_asset": "EUR", "target_asset": "USDT"}
    return m


def seen(s: Scenario, seen_at: str, **values: str) -> None:
    s.add("pools", **{"pool_id": f"{s.name}-pool", "seen_at": seen_at, **values})


@scenario(trips="pool_not_entitled")
def pool_never_seen(s: Scenario) -> None:
    m = in_pool(s)
    s.expect("pool_not_entitled", "quote", m.quote_id)


@scenario(trips="pool_not_entitled")
def pool_seen_just_after(s: Scenario) -> None:
    m = in_pool(s)
    seen(s, at("10:00:10.000001"), entitled="true")
    s.expect("pool_not_entitled", "quote", m.quote_id)


@scenario(nearly="pool_not_entitled")
def pool_seen_just_then(s: Scenario) -> None:
    in_pool(s)
    seen(s, at("10:00:10"), entitled="YES")


@scenario(trips="pool_not_entitled")
def pool_denied(s: Scenario) -> None:
    m = in_pool(s)
    seen(s, at("09:00:00"), entitled="1")
    seen(s, at("09:30:00"), entitled="No")
    s.expect("pool_not_entitled", "quote", m.quote_id)


@scenario(nearly="pool_not_entitled")
def pool_denied_before(s: Scenario) -> None:
    in_pool(s)
    seen(s, at("09:30:00"), entitled="true", available="false")
    seen(s, at("09:00:00"), entitled="false")


@scenario(nearly="pool_not_entitled")
def pool_entitlement_not_said(s: Scenario) -> None:
    in_pool(s)
    seen(s, at("09:30:00"))


@scenario(nearly="pool_not_entitled outside_pool_limits")
def pool_seen_twice_at_once(s: Scenario) -> None:
    in_pool(s)
    seen(s, at("09:30:00"), entitled="true")
    seen(s, at("09:30:00"), entitled="false", min_source_amount="500")
    seen(s, at("09:30:00"), entitled="yes")
    # four more are the pools that all scenarios share
    s.conserve("pools", 5, duplicates=1, superseded=1)


@scenario(trips="pool_not_entitled")
def pool_seen_by_another_partner(s: Scenario) -> None:
    m = in_pool(s)
    seen(s, at("09:30:00"), partner_id=f"{s.name}-2")
    seen(s, at("09:30:00"), environment="test")
    s.expect("pool_not_entitled", "quote", m.quote_id)


@scenario(nearly="pool_not_entitled")
def pool_seen_by_all(s: Scenario) -> None:
    in_pool(s)
    seen(s, at("09:30:00"), environment="", partner_id="")


@scenario(trips="indicative_quote_executed", nearly="pool_not_entitled")
def pool_of_indicative_quote(s: Scenario) -> None:
    m = in_pool(s)
    m.quote["quote_type"] = "indicative"
    s.expect("indicative_quote_executed", "trade", m.trade_id)


@scenario(nearly="pool_not_entitled")
def pool_of_undated_quote(s: Scenario) -> None:
    in_pool(s).quote["created_at"] = ""


@scenario(trips="outside_pool_limits")
def below_the_minimum(s: Scenario) -> None:
    m = in_pool(s)
    seen(s, at("09:30:00"), min_source_amount="100.01")
    s.expect("outside_pool_limits", "quote", m.quote_id)


@scenario(trips="outside_pool_limits")
def above_the_maximum(s: Scenario) -> None:
    m = in_pool(s)
    seen(s, at("09:30:00"), max_source_amount="99.999999999999999999")
    s.expect("outside_pool_limits", "quote", m.quote_id)


@scenario(nearly="outside_pool_limits")
def at_the_limits(s: Scenario) -> None:
    in_pool(s)
    seen(s, at("09:00:00"), min_source_amount="500", max_source_amount="50")
    seen(s, at("09:30:00"), min_source_amount="100", max_source_amount="100.000")


# --- links, states, ids --------------------------------------------------------------------------


@scenario(trips="conflicting_link missing_trade")
def order_names_anothers_quote(s: Scenario) -> None:
    m, other = s.order_only(), s.movement("-b")
    s.drop(m.quote)
    m.order["quote_id"] = other.quote_id
    s.expect("conflicting_link", "order", m.order_id)
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="conflicting_link missing_trade")
def order_names_anothers_trade(s: Scenario) -> None:
    m, other = s.order_only(), s.movement("-b")
    m.order["transact_id"] = other.trade_id
    s.expect("conflicting_link", "order", m.order_id)
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="conflicting_link")
def trade_names_another_order(s: Scenario) -> None:
    m, other = s.order_only(), s.movement("-b")
    other.trade["partner_order_id"] = m.order_id
    s.expect("conflicting_link", "order", m.order_id)


@scenario(nearly="conflicting_link")
def link_to_unknown_order(s: Scenario) -> None:
    m = s.movement()
    m.quote["partner_order_id"] = f"{s.name}-nowhere"
    m.trade["partner_order_id"] = f"{s.name}-nowhere"


@scenario(trips="premature_success")
def success_while_reserved(s: Scenario) -> None:
    m = s.reserved()
    m.order["product_state"] = "PAID"
    s.expect("premature_success", "order", m.order_id)


@scenario(trips="product_state_conflict")
def success_though_failed(s: Scenario) -> None:
    m = s.ended("failed", "completed")
    s.expect("product_state_conflict", "order", m.order_id)


@scenario(trips="product_state_conflict")
def abandoned_though_settled(s: Scenario) -> None:
    m = s.movement()
    m.order["product_state"] = "expired"
    s.expect("product_state_conflict", "order", m.order_id)


@scenario(trips="product_state_conflict")
def success_though_returned(s: Scenario) -> None:
    m = returned(s)
    give_back(s, m, "return_credit", at("11:00:05"))
    m.order["product_state"] = "completed"
    s.expect("product_state_conflict", "order", m.order_id)


@scenario(nearly="product_state_conflict")
def pending_though_settled(s: Scenario) -> None:
    s.movement().order["product_state"] = "awaiting_settlement"


@scenario(nearly="product_state_conflict")
def returned_though_failed(s: Scenario) -> None:
    s.ended("failed", "refunded")


def versions(s: Scenario, m: Movement, *states: str) -> None:
    """One version of the order for each state, a minute apart from 10:06."""
    m.order |= {"product_state": states[0], "updated_at": at("10:06:00")}
    for minute, state in enumerate(states[1:], start=7):
        s.again("orders", m.order, product_state=state, updated_at=at(f"10:{minute:02}:00"))


@scenario(trips="order_state_regression")
def order_back_to_pending(s: Scenario) -> None:
    m = s.movement()
    versions(s, m, "completed", "processing")
    s.expect("order_state_regression", "order", m.order_id)


@scenario(trips="order_state_regression")
def order_back_and_forth(s: Scenario) -> None:
    m = s.movement()
    versions(s, m, "completed", "processing", "completed")
    s.expect("order_state_regression", "order", m.order_id)
    s.conserve("orders", 1, superseded=2)


@scenario(nearly="order_state_regression")
def order_forwards(s: Scenario) -> None:
    versions(s, s.movement(), "created", "processing", "completed", "paid")


@scenario(nearly="order_state_regression")
def order_back_from_abandoned(s: Scenario) -> None:
    versions(s, s.movement(), "cancelled", "processing", "completed")


@scenario(nearly="order_state_regression")
def order_back_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    versions(s, m, "completed")
    s.again("orders", m.order, product_state="processing", updated_at=CUT_OFF)


@scenario(trips="order_state_regression")
def order_back_last_second(s: Scenario) -> None:
    m = s.movement()
    versions(s, m, "completed")
    s.again("orders", m.order, product_state="processing", updated_at=LAST_SECOND)
    s.expect("order_state_regression", "order", m.order_id)


def tried_again(s: Scenario, reserved_at: str) -> Movement:
    """A first trade failed, the order went back to pending, a second trade is reserved."""
    m = s.ended("failed", "failed")
    versions(s, m, "failed", "processing")
    other = s.reserved("-b")
    s.drop(other.order)
    other.quote |= {"partner_order_id": m.order_id, "expires_at": at("10:10:00")}
    other.trade |= {"partner_order_id": m.order_id, "reserved_at": reserved_at}
    return m


@scenario(nearly="order_state_regression")
def order_tried_again(s: Scenario) -> None:
    tried_again(s, at("10:06:00"))


@scenario(trips="order_state_regression")
def order_tried_again_before(s: Scenario) -> None:
    m = tried_again(s, at("10:05:59.999999"))
    s.expect("order_state_regression", "order", m.order_id)


@scenario(trips="missing_idempotency_key")
def idempotency_key_absent(s: Scenario) -> None:
    m = s.movement()
    m.trade["idempotency_key"] = ""
    s.expect("missing_idempotency_key", "trade", m.trade_id)


@scenario(trips="missing_request_id")
def request_id_absent(s: Scenario) -> None:
    m = s.movement()
    m.order["request_id"] = "\t"
    s.expect("missing_request_id", "trade", m.trade_id)


@scenario(nearly="missing_request_id")
def request_id_on_quote(s: Scenario) -> None:
    m = s.movement()
    m.order["request_id"] = ""
    m.quote["request_id"] = "r"


@scenario(trips="unknown_product_state")
def state_unknown(s: Scenario) -> None:
    m = s.movement()
    m.order["product_state"] = "done"
    s.expect("unknown_product_state", "order", m.order_id)


@scenario(nearly="unknown_product_state")
def state_in_capitals(s: Scenario) -> None:
    s.movement().order["product_state"] = " COMPLETED "
