"""Scenarios of the corners of conditions, each found by a change to a condition that lived."""

from __future__ import annotations

from .dsl import AFTER, CUT_OFF, Movement, Row, Scenario, at, scenario

# --- a webhook that is late, of each status ------------------------------------------------------


@scenario(trips="cutoff_timing_difference", nearly="missing_webhook")
def webhook_of_failure_late(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    m.event |= {"received_at": CUT_OFF, "processed_at": ""}
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="missing_webhook")
def webhook_of_release_late(s: Scenario) -> None:
    m = s.ended("released", "released")
    m.event |= {"received_at": CUT_OFF, "processed_at": ""}
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="missing_webhook", nearly="cutoff_timing_difference")
def webhook_of_failure_late_for_a_release(s: Scenario) -> None:
    m = s.ended("released", "released")
    m.event |= {"received_at": CUT_OFF, "processed_at": "", "status": "failed"}
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(trips="missing_webhook", nearly="cutoff_timing_difference event_conflict")
def webhook_late_with_other_content(s: Scenario) -> None:
    """Its event has said something else, and the first stays in force."""
    m = s.movement()
    m.event["status"] = "reserved"
    s.again("events", m.event, status="settled", received_at=CUT_OFF, processed_at="")
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(trips="missing_webhook", nearly="cutoff_timing_difference")
def webhook_late_twice_and_the_first_says_otherwise(s: Scenario) -> None:
    m = s.movement()
    m.event |= {"status": "failed", "received_at": CUT_OFF, "processed_at": ""}
    s.again("events", m.event, status="settled", received_at=AFTER)
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="missing_webhook")
def webhook_late_twice_and_only_the_second_says_otherwise(s: Scenario) -> None:
    m = s.movement()
    m.event |= {"received_at": CUT_OFF, "processed_at": ""}
    s.again("events", m.event, status="failed", received_at=AFTER)
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference unverified_event", nearly="missing_webhook")
def webhook_late_again_with_a_signature(s: Scenario) -> None:
    """The same content as the delivery without one, so that the event will be trusted."""
    m = s.movement()
    m.event["signature_result"] = "invalid"
    s.again("events", m.event, signature_result="valid", received_at=CUT_OFF, processed_at="")
    s.expect("cutoff_timing_difference", "trade", m.trade_id)
    s.expect("unverified_event", "event", m.event_id)


# --- nets that later entries complete ------------------------------------------------------------


def in_part(s: Scenario, m: Movement) -> None:
    """Only 60 of the 100 that are due have been debited."""
    m.debit["amount"] = "-60.00"


def later(s: Scenario, entry: Row, **changes: str) -> None:
    """Another entry like this one, after the cut-off."""
    number = len(s.rows["ledger"]) + 1
    id_ = f"{s.name}-l{number}"
    values = {"ledger_entry_id": id_, "entry_seq": str(number), "effective_at": AFTER}
    s.again("ledger", entry, **{**values, **changes})


@scenario(trips="cutoff_timing_difference", nearly="ledger_mismatch")
def reserved_in_part_and_refunded_later(s: Scenario) -> None:
    m = s.reserved()
    in_part(s, m)
    later(s, m.debit, entry_type="buy_refund", amount="60.00")
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="ledger_mismatch", nearly="cutoff_timing_difference")
def reserved_in_part_and_refunded_in_part_later(s: Scenario) -> None:
    m = s.reserved()
    in_part(s, m)
    later(s, m.debit, entry_type="buy_refund", amount="30.00")
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference ledger_without_terminal_trade", nearly="ledger_mismatch")
def reserved_but_settled_in_part_and_the_rest_later(s: Scenario) -> None:
    """Nothing is debited, now or later, which is one of the two nets of a reserved trade."""
    m = s.reserved()
    m.debit |= {"entry_type": "trade_settle", "asset": "USDT", "amount": "50"}
    later(s, m.debit, amount="57.31")
    for code in ("cutoff_timing_difference", "ledger_without_terminal_trade"):
        s.expect(code, "trade", m.trade_id)


@scenario(nearly="ledger_mismatch")
def settle_of_failed_in_another_asset(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    s.again(
        "ledger",
        m.settle,
        ledger_entry_id=f"{s.name}-l3",
        entry_type="trade_settle",
        asset="USDC",
        amount="1",
    )


@scenario(trips="ledger_mismatch", nearly="cutoff_timing_difference")
def settled_in_part_and_refunded_later(s: Scenario) -> None:
    m = s.movement()
    in_part(s, m)
    later(s, m.debit, entry_type="buy_refund", amount="60.00")
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="ledger_mismatch")
def debit_later_than_settle(s: Scenario) -> None:
    m = s.movement()
    m.debit["effective_at"] = CUT_OFF
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="ledger_mismatch")
def settle_in_part_and_the_rest_later(s: Scenario) -> None:
    m = s.movement()
    m.settle["amount"] = "50"
    later(s, m.settle, amount="57.31")
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="ledger_mismatch", nearly="cutoff_timing_difference")
def settle_in_part_and_too_little_later(s: Scenario) -> None:
    m = s.movement()
    m.settle["amount"] = "50"
    later(s, m.settle, amount="57.309999")
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="ledger_mismatch")
def debit_completed_later_without_settle(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.settle)
    in_part(s, m)
    later(s, m.debit, amount="-40.00")
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="ledger_mismatch", nearly="cutoff_timing_difference")
def debit_completed_later_but_settle_wrong(s: Scenario) -> None:
    m = s.movement()
    in_part(s, m)
    m.settle["amount"] = "107.30"
    later(s, m.debit, amount="-40.00")
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="ledger_mismatch")
def debit_completed_and_settled_later(s: Scenario) -> None:
    m = s.movement()
    in_part(s, m)
    m.settle["effective_at"] = AFTER
    later(s, m.debit, amount="-40.00")
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="ledger_mismatch", nearly="cutoff_timing_difference")
def debit_completed_but_settled_wrong_later(s: Scenario) -> None:
    m = s.movement()
    in_part(s, m)
    m.settle |= {"effective_at": AFTER, "amount": "107.30"}
    later(s, m.debit, amount="-40.00")
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="ledger_mismatch")
def debit_completed_later_in_an_unknown_lane(s: Scenario) -> None:
    """The target asset is not known, so that nothing can be demanded of the settle entry."""
    m = s.movement()
    for row in (m.order, m.quote, m.trade):
        row["pool_id"] = f"{s.name}-lane"
    m.quote["source_asset"] = "EUR"
    s.add("pools", pool_id=f"{s.name}-lane", seen_at=at("00:00:00"))
    in_part(s, m)
    m.settle["amount"] = "1"
    later(s, m.debit, amount="-40.00")
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


# --- states --------------------------------------------------------------------------------------


def earlier_version(s: Scenario, m: Movement, status: str) -> None:
    m.trade["updated_at"] = at("12:00:00")
    s.again("trades", m.trade, status=status, updated_at=at("11:00:00"))


@scenario(trips="terminal_state_conflict")
def settled_before_failed(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    earlier_version(s, m, "settled")
    s.expect("terminal_state_conflict", "trade", m.trade_id)


@scenario(trips="terminal_state_conflict")
def returned_before_failed(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    earlier_version(s, m, "returned")
    s.expect("terminal_state_conflict", "trade", m.trade_id)


@scenario(trips="terminal_state_conflict")
def released_before_settled(s: Scenario) -> None:
    m = s.movement()
    earlier_version(s, m, "released")
    s.expect("terminal_state_conflict", "trade", m.trade_id)


@scenario(trips="terminal_state_conflict")
def failed_but_return_confirmed(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    s.again("events", m.event, event_id=f"{s.name}-e2", status="returned")
    s.expect("terminal_state_conflict", "trade", m.trade_id)


@scenario(trips="terminal_state_conflict missing_webhook")
def returned_by_its_only_version_to_come(s: Scenario) -> None:
    """No version counts yet, so that the earliest does, and its status is contradicted."""
    m = s.ended("returned", "returned")
    m.settle["entry_type"] = "trade_return"
    m.event["status"] = "failed"
    m.trade["updated_at"] = AFTER
    s.expect("terminal_state_conflict", "trade", m.trade_id)
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(nearly="stuck_reserved")
def reserved_since_its_acceptance(s: Scenario) -> None:
    """The order is older than the limit, the acceptance is not."""
    m = s.reserved()
    m.order["created_at"] = "2026-06-29T23:59:59Z"
    m.quote |= {"created_at": "2026-06-29T23:59:59Z", "accepted_at": at("00:00:00")}
    m.trade["reserved_at"] = ""


@scenario(trips="product_state_conflict")
def success_of_a_released_trade(s: Scenario) -> None:
    m = s.ended("released", "completed")
    s.expect("product_state_conflict", "order", m.order_id)


@scenario(trips="order_state_regression")
def order_pending_again_without_a_trade(s: Scenario) -> None:
    m = s.order_only(state="failed")
    m.order["updated_at"] = at("11:00:00")
    s.again("orders", m.order, product_state="created", updated_at=at("12:00:00"))
    s.expect("order_state_regression", "order", m.order_id)


@scenario(trips="order_state_regression")
def order_pending_again_by_way_of_another_state(s: Scenario) -> None:
    """An abandoned version between the final and the pending one hides nothing."""
    m = s.order_only(state="failed")
    m.order["updated_at"] = at("11:00:00")
    s.again("orders", m.order, product_state="cancelled", updated_at=at("12:00:00"))
    s.again("orders", m.order, product_state="created", updated_at=at("13:00:00"))
    s.expect("order_state_regression", "order", m.order_id)


@scenario(trips="pool_not_entitled", nearly="outside_pool_limits")
def not_entitled_at_the_limits(s: Scenario) -> None:
    m = s.movement()
    for row in (m.order, m.quote, m.trade):
        row["pool_id"] = f"{s.name}-lane"
    m.quote |= {"source_asset": "EUR", "target_asset": "USDT"}
    limits = {"min_source_amount": "100", "max_source_amount": "100.000"}
    s.add(
        "pools",
        pool_id=f"{s.name}-lane",
        seen_at=at("00:00:00"),
        entitled="false",
        **limits,
    )
    s.expect("pool_not_entitled", "quote", m.quote_id)


# --- what is not said, and digits ----------------------------------------------------------------


@scenario(nearly="pool_mismatch")
def side_said_by_nobody(s: Scenario) -> None:
    m = s.movement()
    for row in (m.order, m.quote, m.trade):
        row["side"] = ""


@scenario(trips="excess_precision amount_mismatch")
def crypto_of_a_trade_too_precise(s: Scenario) -> None:
    m = s.movement()
    m.trade["crypto_amount"] = "107.3100001"
    m.settle["amount"] = "107.3100001"
    for code in ("excess_precision", "amount_mismatch"):
        s.expect(code, "trade", m.trade_id)
    s.expect("excess_precision", "ledger_entry", m.settle["ledger_entry_id"])


@scenario(trips="excess_precision")
def source_of_a_quote_too_precise(s: Scenario) -> None:
    m = s.order_only()
    m.quote |= {"source_amount": "100.001", "rate": ""}
    s.expect("excess_precision", "quote", m.quote_id)


@scenario(nearly="ledger_sign_conflict")
def credit_of_nothing(s: Scenario) -> None:
    s.add(
        "ledger",
        ledger_entry_id=f"{s.name}-l1",
        entry_type="adjustment",
        asset="EUR",
        amount="-0.00",
        effective_at=at("09:00:00"),
    )
    s.add("funding", funding_reference=f"{s.name}-f", asset="EUR", amount="0", status="confirmed")
    s.add(
        "ledger",
        ledger_entry_id=f"{s.name}-l2",
        entry_type="funding_credit",
        asset="EUR",
        amount="0.00",
        funding_reference=f"{s.name}-f",
        effective_at=at("09:00:01"),
    )


@scenario(trips="quote_terms_inconsistent")
def rate_below_zero(s: Scenario) -> None:
    m = s.movement()
    m.quote["rate"] = "-1.0731"
    s.expect("quote_terms_inconsistent", "quote", m.quote_id)


# --- bugs that generated exports have found ------------------------------------------------------


def csv_text(columns: list[str], row: Row) -> str:
    return "".join(",".join(line) + "\n" for line in (columns, [row[c] for c in columns]))


@scenario(nearly="missing_trade delivery_not_locked")
def side_of_the_order_that_only_the_trade_names(s: Scenario) -> None:
    """The quote joins to no order; its trade's order says off_ramp."""
    m = s.movement()
    m.order |= {"quote_id": "", "side": "off_ramp"}
    m.quote |= {"partner_order_id": "", "side": "", "dest_address": "", "pool_id": "lane"}
    m.quote |= {"source_asset": "EUR", "target_asset": "USDT"}
    m.trade |= {"side": "", "fiat_amount": "107.31", "crypto_amount": "100.00"}
    for row in (m.order, m.trade):
        row["pool_id"] = "lane"
    s.add("pools", environment="", partner_id="", pool_id="lane", seen_at=at("00:00:00"))


# --- what is of a record to come, and of none that exists ----------------------------------------


def with_a_trade_to_come(s: Scenario, m: Movement, **changes: str) -> str:
    """A second trade of the quote that is reserved at the cut-off; its id."""
    to_come = {"transact_id": f"{s.name}-t2", "reserved_at": CUT_OFF, "terminal_at": AFTER}
    return s.again("trades", m.trade, **{**to_come, **changes})["transact_id"]


@scenario(trips="missing_ledger_entry", nearly="cutoff_timing_difference")
def entry_late_of_a_trade_to_come(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.settle)
    m.debit |= {"transact_id": with_a_trade_to_come(s, m), "effective_at": AFTER}
    s.expect("missing_ledger_entry", "trade", m.trade_id)


@scenario(trips="missing_ledger_entry", nearly="cutoff_timing_difference")
def entry_late_that_refers_to_a_trade_to_come(s: Scenario) -> None:
    """Its reference is an id of that trade, and of the quote of another one."""
    m = s.movement()
    s.drop(m.settle)
    for row in (m.order, m.quote, m.trade, m.event):
        row["quote_id"] = f"{s.name}-t2"
    with_a_trade_to_come(s, m, reserved_at="", quote_id="", partner_order_id="")
    to_come = {"ledger_ref": f"{s.name}-t2", "effective_at": AFTER}
    m.debit |= {"transact_id": "", "quote_id": "", **to_come}
    s.expect("missing_ledger_entry", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="missing_ledger_entry")
def entry_late_of_a_trade_that_never_came(s: Scenario) -> None:
    m = s.movement()
    s.drop(m.settle)
    m.debit |= {"transact_id": f"{s.name}-t2", "effective_at": AFTER}
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


@scenario(trips="missing_webhook", nearly="cutoff_timing_difference")
def webhook_late_of_a_trade_to_come(s: Scenario) -> None:
    m = s.movement()
    m.event |= {
        "transact_id": with_a_trade_to_come(s, m),
        "received_at": AFTER,
        "processed_at": "",
    }
    s.expect("missing_webhook", "trade", m.trade_id)


@scenario(trips="missing_trade", nearly="cutoff_timing_difference")
def trade_to_come_of_an_order_to_come(s: Scenario) -> None:
    """The order names the trade, which is of an order that comes with it."""
    m = s.order_only()
    s.drop(m.quote)
    m.order |= {"quote_id": "", "product_state": "abandoned", "transact_id": f"{s.name}-t2"}
    s.again("orders", m.order, partner_order_id=f"{s.name}-o2", created_at=CUT_OFF)
    s.add(
        "trades",
        transact_id=f"{s.name}-t2",
        quote_id="",
        partner_order_id=f"{s.name}-o2",
        idempotency_key=f"{s.name}-k",
        status="reserved",
        reserved_at=AFTER,
    )
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="missing_trade", nearly="cutoff_timing_difference")
def trade_to_come_of_a_quote_of_an_order_to_come(s: Scenario) -> None:
    m = s.order_only()
    m.order |= {"product_state": "abandoned", "transact_id": f"{s.name}-t2"}
    m.quote |= {"created_at": CUT_OFF, "partner_order_id": f"{s.name}-o2"}
    s.again("orders", m.order, partner_order_id=f"{s.name}-o2", created_at=CUT_OFF)
    s.add(
        "trades",
        transact_id=f"{s.name}-t2",
        quote_id=m.quote_id,
        idempotency_key=f"{s.name}-k",
        status="reserved",
        reserved_at=AFTER,
    )
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="cutoff_timing_difference", nearly="missing_trade")
def trade_to_come_without_a_reservation(s: Scenario) -> None:
    """That it ended after the cut-off is all that is known of when it was."""
    m = s.movement()
    s.drop(m.event, m.debit, m.settle)
    m.trade |= {"reserved_at": "", "terminal_at": CUT_OFF}
    s.expect("cutoff_timing_difference", "order", m.order_id)


def debited_for_a_quote_of_a_trade_to_come(s: Scenario) -> Movement:
    """A movement whose only entry is late and names the quote of a trade that comes with it."""
    m = s.movement()
    s.drop(m.settle)
    other = s.movement("-b")
    s.drop(other.event, other.debit, other.settle)
    other.order |= {"product_state": "pending", "transact_id": ""}
    other.quote["accepted_at"] = AFTER
    other.trade |= {"reserved_at": AFTER, "terminal_at": AFTER}
    m.debit |= {"transact_id": "", "quote_id": other.quote_id, "effective_at": AFTER}
    return m


@scenario(trips="missing_ledger_entry", nearly="cutoff_timing_difference")
def entry_late_of_a_quote_of_a_trade_to_come_that_refers_to_a_quote(s: Scenario) -> None:
    m = debited_for_a_quote_of_a_trade_to_come(s)
    m.debit["ledger_ref"] = m.quote_id
    s.expect("missing_ledger_entry", "trade", m.trade_id)


@scenario(trips="missing_ledger_entry", nearly="cutoff_timing_difference")
def entry_late_of_a_quote_of_a_trade_to_come_that_refers_to_a_trade(s: Scenario) -> None:
    m = debited_for_a_quote_of_a_trade_to_come(s)
    m.debit["ledger_ref"] = m.trade_id
    s.expect("missing_ledger_entry", "trade", m.trade_id)


@scenario(trips="cutoff_timing_difference", nearly="missing_ledger_entry")
def entry_late_of_an_unknown_quote_that_refers_to_a_quote(s: Scenario) -> None:
    m = debited_for_a_quote_of_a_trade_to_come(s)
    m.debit |= {"quote_id": f"{s.name}-unknown", "ledger_ref": m.quote_id}
    s.expect("cutoff_timing_difference", "trade", m.trade_id)


def with_an_order_to_come(s: Scenario, **changes: str) -> Movement:
    """An order that names a trade to come, whose quote it does not name, and another one."""
    m = s.movement()
    s.drop(m.event, m.debit, m.settle)
    s.again("orders", m.order, partner_order_id=f"{s.name}-o2", created_at=CUT_OFF, **changes)
    m.order |= {"product_state": "abandoned", "quote_id": ""}
    m.quote |= {"accepted_at": "", "status": "", "partner_order_id": ""}
    m.trade |= {"reserved_at": AFTER, "terminal_at": AFTER}
    return m


@scenario(trips="missing_trade", nearly="cutoff_timing_difference")
def trade_to_come_of_a_quote_that_names_an_order_to_come(s: Scenario) -> None:
    m = with_an_order_to_come(s, quote_id="")
    m.quote["partner_order_id"] = f"{s.name}-o2"
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="missing_trade", nearly="cutoff_timing_difference")
def trade_to_come_of_a_quote_that_an_order_to_come_names(s: Scenario) -> None:
    m = with_an_order_to_come(s)
    s.expect("missing_trade", "order", m.order_id)


@scenario(trips="cutoff_timing_difference", nearly="missing_trade")
def trade_to_come_of_a_quote_of_no_order(s: Scenario) -> None:
    m = with_an_order_to_come(s, quote_id="")
    s.expect("cutoff_timing_difference", "order", m.order_id)


@scenario(nearly="quote_terms_inconsistent")
def rate_below_zero_for_an_unknown_asset(s: Scenario) -> None:
    """What nobody asks for is not multiplied: the product would be too large for any number."""
    m = s.order_only()
    for row in (m.order, m.quote):
        row |= {"pool_id": "lane7", "side": ""}
    m.quote |= {"source_amount": "1000", "target_amount": "1", "rate": "-1000000000000000000"}
    m.quote |= {"source_asset": "", "target_asset": ""}
    s.add("pools", environment="", partner_id="", pool_id="lane7", seen_at=at("00:00:00"))


@scenario(trips="unprocessed_event")
def unprocessed_in_the_second_file(s: Scenario) -> None:
    """The first delivery's file lacks the column; the second's has it, empty."""
    m = s.movement()
    delivery = {**m.event, "received_at": at("10:06:00"), "processed_at": ""}
    columns = [column for column in delivery if column != "processed_at"]
    s.drop(m.event)
    s.files = {
        f"events/{s.name}-1.csv": csv_text(columns, delivery),
        f"events/{s.name}-2.csv": csv_text([*columns, "processed_at"], delivery),
    }
    s.expect("unprocessed_event", "event", m.event_id)


@scenario(trips="missing_trade", nearly="cutoff_timing_difference")
def later_trade_of_the_order_of_its_quote(s: Scenario) -> None:
    """It names this order, but its quote belongs to another one."""
    m = s.order_only(state="completed")
    other = s.order_only("-other")
    s.add(
        "trades",
        transact_id=f"{s.name}-t",
        quote_id=other.quote_id,
        partner_order_id=m.order_id,
        idempotency_key=f"{s.name}-k",
        status="reserved",
        reserved_at=AFTER,
    )
    s.expect("missing_trade", "order", m.order_id)
