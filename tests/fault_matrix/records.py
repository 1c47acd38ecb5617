"""Scenarios of the findings of events, ledger entries, funding and balances."""

from __future__ import annotations

from .dsl import AFTER, CUT_OFF, LAST_SECOND, Row, Scenario, at, scenario

# --- events --------------------------------------------------------------------------------------


@scenario(trips="orphan_event")
def event_of_nothing(s: Scenario) -> None:
    m = s.movement()
    s.again(
        "events",
        m.event,
        event_id=f"{s.name}-e2",
        transact_id=f"{s.name}-nowhere",
        quote_id=f"{s.name}-nowhere",
    )
    s.expect("orphan_event", "event", f"{s.name}-e2")


@scenario(trips="orphan_event")
def event_without_ids(s: Scenario) -> None:
    m = s.movement()
    s.again("events", m.event, event_id=f"{s.name}-e2", transact_id="", quote_id="")
    s.expect("orphan_event", "event", f"{s.name}-e2")


@scenario(nearly="orphan_event missing_webhook")
def event_by_quote(s: Scenario) -> None:
    s.movement().event["transact_id"] = f"{s.name}-nowhere"


@scenario(trips="orphan_event", nearly="missing_trade")
def event_of_quote_without_trade(s: Scenario) -> None:
    m = s.order_only()
    s.add(
        "events",
        event_id=f"{s.name}-e",
        quote_id=m.quote_id,
        status="reserved",
        received_at=at("10:01:00"),
        processed_at=at("10:01:00"),
        source="status_read",
    )
    s.expect("orphan_event", "event", f"{s.name}-e")


@scenario(nearly="orphan_event")
def event_of_nothing_at_cut_off(s: Scenario) -> None:
    s.add("events", event_id=f"{s.name}-e", status="settled", received_at=CUT_OFF)


@scenario(trips="event_conflict")
def event_with_other_status(s: Scenario) -> None:
    m = s.movement()
    s.again("events", m.event, status="failed")
    s.expect("event_conflict", "event", m.event_id)
    s.conserve("events", 1, superseded=1)


@scenario(trips="event_conflict")
def event_dated_otherwise(s: Scenario) -> None:
    m = s.movement()
    s.again("events", m.event, occurred_at=at("10:05:00.000001"))
    s.expect("event_conflict", "event", m.event_id)


@scenario(nearly="event_conflict unverified_event")
def event_redelivered(s: Scenario) -> None:
    m = s.movement()
    m.event |= {"signature_result": "invalid", "occurred_at": "2026-06-30T12:05:00.0000009+02"}
    s.again(
        "events",
        m.event,
        signature_result="valid",
        occurred_at="2026-06-30 10:05",
        received_at=at("09:00:00"),
        request_id="another",
        processing_attempts="2",
        payload_ref="elsewhere",
    )
    s.conserve("events", 1, duplicates=1)


@scenario(nearly="event_conflict")
def event_with_other_status_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    s.again("events", m.event, status="failed", received_at=CUT_OFF)


@scenario(trips="cutoff_timing_difference unverified_event", nearly="missing_webhook")
def event_redelivered_valid_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    s.again("events", m.event, received_at=CUT_OFF)
    m.event["signature_result"] = "invalid"
    s.expect("cutoff_timing_difference", "trade", m.trade_id)
    s.expect("unverified_event", "event", m.event_id)


@scenario(trips="unprocessed_event")
def event_waits_too_long(s: Scenario) -> None:
    m = s.movement()
    m.event |= {"received_at": at("22:59:59.999999"), "processed_at": ""}
    s.expect("unprocessed_event", "event", m.event_id)


@scenario(nearly="unprocessed_event")
def event_waits_an_hour(s: Scenario) -> None:
    s.movement().event |= {"received_at": at("23:00:00"), "processed_at": ""}


@scenario(trips="unprocessed_event")
def event_processed_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    m.event["processed_at"] = CUT_OFF
    s.expect("unprocessed_event", "event", m.event_id)


@scenario(nearly="unprocessed_event")
def event_processed_last_second(s: Scenario) -> None:
    s.movement().event["processed_at"] = LAST_SECOND


@scenario(nearly="unprocessed_event")
def event_processed_by_redelivery(s: Scenario) -> None:
    m = s.movement()
    s.again("events", m.event)
    m.event["processed_at"] = ""


@scenario(trips="unverified_event", nearly="unprocessed_event")
def event_unverified_waits(s: Scenario) -> None:
    m = s.movement()
    s.again("events", m.event, event_id=f"{s.name}-e2", signature_result="missing", processed_at="")
    s.expect("unverified_event", "event", f"{s.name}-e2")


# --- joins of ledger entries ---------------------------------------------------------------------


def lone(s: Scenario, entry_type: str, amount: str, suffix: str = "l", **values: str) -> Row:
    """An entry that names no trade."""
    defaults = {
        "ledger_entry_id": f"{s.name}-{suffix}",
        "entry_type": entry_type,
        "asset": "EUR",
        "amount": amount,
        "effective_at": at("09:00:00"),
    }
    return s.add("ledger", **{**defaults, **values})


@scenario(trips="orphan_ledger_entry")
def entry_of_nothing(s: Scenario) -> None:
    lone(s, "buy_debit", "1", transact_id=f"{s.name}-nowhere")
    s.expect("orphan_ledger_entry", "ledger_entry", f"{s.name}-l")


@scenario(nearly="orphan_ledger_entry")
def entry_that_needs_no_trade(s: Scenario) -> None:
    lone(s, "fee_debit", "1", transact_id=f"{s.name}-nowhere")


@scenario(nearly="orphan_ledger_entry")
def entry_of_nothing_at_cut_off(s: Scenario) -> None:
    lone(s, "buy_debit", "1", effective_at=CUT_OFF)


@scenario(trips="unknown_entry_type", nearly="orphan_ledger_entry")
def entry_of_unknown_type(s: Scenario) -> None:
    lone(s, "buy_debt", "1")
    s.expect("unknown_entry_type", "ledger_entry", f"{s.name}-l")


@scenario(nearly="unknown_entry_type")
def entry_type_in_capitals(s: Scenario) -> None:
    s.movement().debit["entry_type"] = "Buy_DEBIT"


# --- unlinked_refund -----------------------------------------------------------------------------


@scenario(trips="unlinked_refund ledger_mismatch")
def refund_without_debit(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    s.drop(m.debit)
    s.expect("unlinked_refund", "ledger_entry", m.settle["ledger_entry_id"])
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="unlinked_refund")
def refund_just_before_debit(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    m.settle["effective_at"] = at("10:00:21.999999")
    s.expect("unlinked_refund", "ledger_entry", m.settle["ledger_entry_id"])


@scenario(nearly="unlinked_refund")
def refund_with_debit(s: Scenario) -> None:
    s.ended("failed", "failed").settle["effective_at"] = at("10:00:22")


@scenario(trips="unlinked_refund")
def refund_related_to_nothing(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    m.settle["related_entry_id"] = f"{s.name}-nowhere"
    s.expect("unlinked_refund", "ledger_entry", m.settle["ledger_entry_id"])


@scenario(nearly="unlinked_refund")
def refund_related_to_debit(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    m.settle["related_entry_id"] = m.debit["ledger_entry_id"]


@scenario(trips="unlinked_refund ledger_mismatch")
def refund_one_unit_high(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    m.settle["amount"] = "100.01"
    s.expect("unlinked_refund", "ledger_entry", m.settle["ledger_entry_id"])
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="unlinked_refund ledger_mismatch")
def refund_in_two_one_unit_high(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    m.settle["amount"] = "60"
    last = s.again(
        "ledger", m.settle, ledger_entry_id=f"{s.name}-l0", amount="40.01", entry_seq="3"
    )
    s.expect("unlinked_refund", "ledger_entry", last["ledger_entry_id"])
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(trips="unlinked_refund ledger_sign_conflict")
def refund_taken_back(s: Scenario) -> None:
    """What lowers the total again takes it above nothing."""
    m = s.ended("failed", "failed")
    m.settle["amount"] = "150"
    back = s.again("ledger", m.settle, ledger_entry_id=f"{s.name}-l3", amount="-50", entry_seq="3")
    s.expect("unlinked_refund", "ledger_entry", m.settle["ledger_entry_id"])
    s.expect("ledger_sign_conflict", "ledger_entry", back["ledger_entry_id"])


@scenario(nearly="unlinked_refund ledger_mismatch")
def refund_in_two(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    m.settle["amount"] = "60"
    s.again("ledger", m.settle, ledger_entry_id=f"{s.name}-l0", amount="40", entry_seq="3")


@scenario(trips="unlinked_refund")
def refund_in_another_asset(s: Scenario) -> None:
    m = s.ended("failed", "failed")
    other = s.again("ledger", m.settle, ledger_entry_id=f"{s.name}-l3", asset="USD", amount="1")
    s.expect("unlinked_refund", "ledger_entry", other["ledger_entry_id"])


@scenario(trips="unlinked_refund orphan_ledger_entry")
def refund_of_nothing(s: Scenario) -> None:
    lone(s, "buy_refund", "1")
    s.expect("unlinked_refund", "ledger_entry", f"{s.name}-l")
    s.expect("orphan_ledger_entry", "ledger_entry", f"{s.name}-l")


# --- funding -------------------------------------------------------------------------------------


def funded(s: Scenario, amount: str = "1000.00", **values: str) -> Row:
    """A top-up that was confirmed at 08:00."""
    defaults = {
        "funding_reference": f"{s.name}-f",
        "asset": "EUR",
        "amount": amount,
        "status": "confirmed",
        "confirmed_at": at("08:00:00"),
    }
    return s.add("funding", **{**defaults, **values})


def credited(s: Scenario, amount: str = "1000.00", suffix: str = "l", **values: str) -> Row:
    reference = {"funding_reference": f"{s.name}-f"}
    return lone(s, "payin_credit", amount, suffix, **{**reference, **values})


@scenario(nearly="unattributed_funding funding_exceeds_confirmed funding_not_credited")
def funding_credited(s: Scenario) -> None:
    funded(s)
    credited(s, "1000")


@scenario(trips="unattributed_funding")
def credit_without_reference(s: Scenario) -> None:
    credited(s, funding_reference="")
    s.expect("unattributed_funding", "ledger_entry", f"{s.name}-l")


@scenario(nearly="unattributed_funding")
def credit_without_reference_of_trade(s: Scenario) -> None:
    m = s.movement()
    credited(s, funding_reference="", transact_id=m.trade_id)


def expect_unattributed(s: Scenario) -> None:
    s.expect("unattributed_funding", "ledger_entry", f"{s.name}-l")


@scenario(trips="unattributed_funding")
def credit_of_unknown_reference(s: Scenario) -> None:
    funded(s, status="pending")
    credited(s, funding_reference=f"{s.name}-F")
    expect_unattributed(s)


@scenario(trips="unattributed_funding funding_not_credited")
def credit_of_another_asset(s: Scenario) -> None:
    funded(s, asset="USD")
    credited(s)
    expect_unattributed(s)
    s.expect("funding_not_credited", "funding", f"{s.name}-f")


@scenario(trips="unattributed_funding funding_not_credited")
def credit_of_another_environment(s: Scenario) -> None:
    funded(s, environment="test")
    credited(s)
    expect_unattributed(s)
    s.expect("funding_not_credited", "funding", f"{s.name}-f")


@scenario(trips="unattributed_funding funding_not_credited")
def credit_of_another_partner(s: Scenario) -> None:
    funded(s, partner_id=f"{s.name}-2")
    credited(s)
    expect_unattributed(s)
    s.expect("funding_not_credited", "funding", f"{s.name}-f")


@scenario(trips="funding_before_confirmation")
def credit_just_before_confirmation(s: Scenario) -> None:
    funded(s, confirmed_at=at("09:00:00.000001"))
    credited(s)
    s.expect("funding_before_confirmation", "ledger_entry", f"{s.name}-l")


@scenario(nearly="funding_before_confirmation")
def credit_at_confirmation(s: Scenario) -> None:
    funded(s, confirmed_at=at("09:00:00"))
    credited(s)


@scenario(nearly="funding_before_confirmation")
def credit_confirmed_undated(s: Scenario) -> None:
    funded(s, confirmed_at="")
    credited(s)


@scenario(trips="funding_before_confirmation")
def credit_in_two_the_second_early(s: Scenario) -> None:
    funded(s, "400")
    funded(s, "600", confirmed_at=at("12:00:00"))
    credited(s, "400", "l1")
    credited(s, "600", "l2", effective_at=at("11:59:59"))
    s.expect("funding_before_confirmation", "ledger_entry", f"{s.name}-l2")


@scenario(trips="funding_exceeds_confirmed")
def credit_one_unit_high(s: Scenario) -> None:
    funded(s)
    credited(s, "1000.01")
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l")


@scenario(trips="funding_exceeds_confirmed")
def credit_in_two_one_unit_high(s: Scenario) -> None:
    funded(s)
    credited(s, "600", "l2")
    credited(s, "400.01", "l1", effective_at=at("09:00:01"))
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l1")


@scenario(trips="funding_exceeds_confirmed")
def credit_to_two_partners_of_one_payment(s: Scenario) -> None:
    """The payment names no partner, and was made once."""
    funded(s, partner_id="")
    credited(s, "1000", "l1", partner_id=f"{s.name}-1")
    credited(s, "0.01", "l2", partner_id=f"{s.name}-2", effective_at=at("09:00:01"))
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l2")


@scenario(nearly="funding_exceeds_confirmed funding_not_credited")
def credit_of_one_payment_shared_by_two_partners(s: Scenario) -> None:
    funded(s, partner_id="")
    credited(s, "600", "l1", partner_id=f"{s.name}-1")
    credited(s, "400", "l2", partner_id=f"{s.name}-2", effective_at=at("09:00:01"))


@scenario(trips="funding_exceeds_confirmed")
def credit_again_without_a_partner(s: Scenario) -> None:
    """It agrees with the payment, which names one."""
    funded(s, partner_id=f"{s.name}-1")
    credited(s, "1000", "l1", partner_id=f"{s.name}-1")
    credited(s, "1000", "l2", partner_id="", effective_at=at("09:00:01"))
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l2")


@scenario(nearly="funding_exceeds_confirmed funding_not_credited")
def credit_of_two_payments_under_one_reference(s: Scenario) -> None:
    """Each partner has its own, and is credited with that."""
    for number, amount in (("1", "600"), ("2", "400")):
        partner = f"{s.name}-{number}"
        funded(s, amount, partner_id=partner, confirmed_at=at(f"08:00:0{number}"))
        credited(s, amount, f"l{number}", partner_id=partner)


@scenario(trips="funding_exceeds_confirmed")
def credit_of_two_payments_one_unit_high_for_one(s: Scenario) -> None:
    """What the other partner is still owed does not cover it."""
    for number, amount in (("1", "600.01"), ("2", "399.99")):
        partner = f"{s.name}-{number}"
        paid = "600" if number == "1" else "400"
        funded(s, paid, partner_id=partner, confirmed_at=at(f"08:00:0{number}"))
        credited(s, amount, f"l{number}", partner_id=partner)
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l1")


@scenario(trips="funding_exceeds_confirmed")
def credit_to_another_partner_of_a_payment_that_is_used_up(s: Scenario) -> None:
    """What names no partner agrees with both, and was paid once."""
    funded(s, "100", partner_id="", confirmed_at=at("08:00:00"))
    funded(s, "50", partner_id=f"{s.name}-1", confirmed_at=at("08:30:00"))
    credited(s, "150", "l1", partner_id=f"{s.name}-1")
    credited(s, "0.01", "l2", partner_id=f"{s.name}-2", effective_at=at("09:00:01"))
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l2")


@scenario(nearly="funding_exceeds_confirmed funding_not_credited")
def credit_to_another_partner_of_what_is_left(s: Scenario) -> None:
    funded(s, "100", partner_id="", confirmed_at=at("08:00:00"))
    funded(s, "50", partner_id=f"{s.name}-1", confirmed_at=at("08:30:00"))
    credited(s, "149.99", "l1", partner_id=f"{s.name}-1")
    credited(s, "0.01", "l2", partner_id=f"{s.name}-2", effective_at=at("09:00:01"))


@scenario(trips="funding_before_confirmation", nearly="funding_exceeds_confirmed")
def credit_without_a_partner_of_what_another_is_owed(s: Scenario) -> None:
    """The second payment comes too late for the two credits together, not for each."""
    funded(s, "100", partner_id=f"{s.name}-1", confirmed_at=at("08:00:00"))
    funded(s, "100", partner_id=f"{s.name}-2", confirmed_at=at("12:00:00"))
    credited(s, "100", "l1", partner_id="")
    credited(s, "100", "l2", partner_id=f"{s.name}-1", effective_at=at("09:00:01"))
    s.expect("funding_before_confirmation", "ledger_entry", f"{s.name}-l2")


@scenario(trips="funding_exceeds_confirmed")
def credit_of_pending(s: Scenario) -> None:
    funded(s, status="pending", confirmed_at="")
    credited(s)
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l")


@scenario(trips="funding_exceeds_confirmed", nearly="funding_before_confirmation")
def credit_confirmed_at_cut_off(s: Scenario) -> None:
    funded(s, confirmed_at=CUT_OFF)
    credited(s)
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l")


@scenario(trips="funding_before_confirmation", nearly="funding_exceeds_confirmed")
def credit_confirmed_last_second(s: Scenario) -> None:
    funded(s, confirmed_at=LAST_SECOND)
    credited(s)
    s.expect("funding_before_confirmation", "ledger_entry", f"{s.name}-l")


@scenario(trips="funding_exceeds_confirmed")
def credit_of_withdrawn_confirmation(s: Scenario) -> None:
    funded(s)
    funded(s, status="returned")
    credited(s)
    s.expect("funding_exceeds_confirmed", "ledger_entry", f"{s.name}-l")


@scenario(nearly="funding_exceeds_confirmed funding_not_credited")
def credit_of_confirmation_forth_and_back(s: Scenario) -> None:
    funded(s)
    funded(s, status="returned")
    funded(s)
    credited(s)
    s.conserve("funding", 1, superseded=2)


@scenario(trips="funding_not_credited")
def funding_one_unit_uncredited(s: Scenario) -> None:
    funded(s)
    credited(s, "999.99")
    s.expect("funding_not_credited", "funding", f"{s.name}-f")


@scenario(trips="funding_not_credited")
def funding_credited_at_cut_off(s: Scenario) -> None:
    funded(s)
    credited(s, effective_at=CUT_OFF)
    s.expect("funding_not_credited", "funding", f"{s.name}-f")


@scenario(nearly="funding_not_credited")
def funding_confirmed_at_cut_off(s: Scenario) -> None:
    funded(s, confirmed_at=CUT_OFF)


@scenario(nearly="funding_not_credited")
def funding_pending(s: Scenario) -> None:
    funded(s, status="pending", confirmed_at="")


# --- immutable records ---------------------------------------------------------------------------


@scenario(trips="ledger_entry_changed")
def entry_amount_changed(s: Scenario) -> None:
    m = s.movement()
    s.again("ledger", m.debit, amount="-100.01")
    s.expect("ledger_entry_changed", "ledger_entry", m.debit["ledger_entry_id"])


@scenario(trips="ledger_entry_changed")
def entry_changed_forth_and_back(s: Scenario) -> None:
    m = s.movement()
    s.again("ledger", m.debit, request_id="another")
    s.again("ledger", m.debit)
    s.expect("ledger_entry_changed", "ledger_entry", m.debit["ledger_entry_id"])
    s.conserve("ledger", 2, duplicates=1, superseded=1)


@scenario(nearly="ledger_entry_changed")
def entry_sent_again(s: Scenario) -> None:
    m = s.movement()
    s.again(
        "ledger",
        m.debit,
        amount="-100.0",
        effective_at="2026-06-30 12:00:22.0+0200",
        entry_type="BUY_DEBIT",
        balance_after="settled",
        entry_seq="+01",
    )
    s.conserve("ledger", 2, duplicates=1)


@scenario(nearly="ledger_entry_changed")
def entry_changed_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    s.again("ledger", m.debit, amount="-1", effective_at=CUT_OFF)
    s.conserve("ledger", 2, superseded=1)


@scenario(trips="quote_terms_changed")
def quote_rate_changed(s: Scenario) -> None:
    m = s.movement()
    s.again("quotes", m.quote, rate="1.07310001")
    s.expect("quote_terms_changed", "quote", m.quote_id)


@scenario(trips="quote_terms_changed")
def quote_changed_forth_and_back(s: Scenario) -> None:
    m = s.movement()
    s.again("quotes", m.quote, source_amount="100.01")
    s.again("quotes", m.quote)
    s.expect("quote_terms_changed", "quote", m.quote_id)
    s.conserve("quotes", 1, duplicates=1, superseded=1)


@scenario(nearly="quote_terms_changed missing_trade")
def quote_filled_in(s: Scenario) -> None:
    m = s.movement()
    s.again("quotes", m.quote, rate="1.073100")
    m.quote |= {"accepted_at": "", "status": "active"}
    s.again("quotes", m.quote, accepted_at=at("10:00:30"), status="expired")
    s.conserve("quotes", 1, superseded=2)


@scenario(nearly="quote_terms_changed")
def quote_changed_at_cut_off(s: Scenario) -> None:
    m = s.movement()
    s.again("quotes", m.quote, source_amount="1", created_at=CUT_OFF)


# --- signs and precision -------------------------------------------------------------------------


@scenario(trips="ledger_sign_conflict")
def credit_with_minus(s: Scenario) -> None:
    m = s.movement()
    lone(s, "payin_credit", "-0.01", transact_id=m.trade_id)
    s.expect("ledger_sign_conflict", "ledger_entry", f"{s.name}-l")


@scenario(trips="ledger_sign_conflict ledger_mismatch")
def settle_with_minus(s: Scenario) -> None:
    m = s.movement()
    m.settle["amount"] = "-107.31"
    s.expect("ledger_sign_conflict", "ledger_entry", m.settle["ledger_entry_id"])
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(nearly="ledger_sign_conflict")
def adjustment_with_minus(s: Scenario) -> None:
    lone(s, "adjustment", "-0.01")


@scenario(nearly="ledger_sign_conflict")
def credit_with_plus(s: Scenario) -> None:
    m = s.movement()
    lone(s, "payin_credit", "+0.01", transact_id=m.trade_id)


@scenario(trips="excess_precision")
def entry_beyond_minor_unit(s: Scenario) -> None:
    lone(s, "fee_debit", "0.001")
    s.expect("excess_precision", "ledger_entry", f"{s.name}-l")


@scenario(trips="excess_precision")
def yen_with_a_fraction(s: Scenario) -> None:
    lone(s, "fee_debit", "1.5", asset="JPY")
    s.expect("excess_precision", "ledger_entry", f"{s.name}-l")


@scenario(nearly="excess_precision")
def entries_within_minor_unit(s: Scenario) -> None:
    lone(s, "fee_debit", "0.010000", "l1")
    lone(s, "fee_debit", "2.000", "l2", asset="JPY")
    lone(s, "fee_debit", "0.00000001", "l3", asset="BTC")
    lone(s, "fee_debit", "0.000000000000000001", "l4", asset="ETH")
    lone(s, "fee_debit", "0.123456789", "l5", asset="XAU")
    lone(s, "fee_debit", "0.001", "l6", asset="eur")


@scenario(trips="excess_precision")
def quote_beyond_minor_unit(s: Scenario) -> None:
    m = s.movement()
    m.quote["target_amount"] = "107.3100001"
    m.trade["crypto_amount"] = ""
    s.drop(m.settle)
    s.expect("excess_precision", "quote", m.quote_id)


@scenario(trips="excess_precision amount_mismatch ledger_mismatch")
def trade_beyond_minor_unit(s: Scenario) -> None:
    m = s.movement()
    m.trade["fiat_amount"] = "100.001"
    s.expect("excess_precision", "trade", m.trade_id)
    s.expect("amount_mismatch", "trade", m.trade_id)
    s.expect("ledger_mismatch", "trade", m.trade_id)


@scenario(nearly="excess_precision", trips="amount_mismatch")
def trade_beyond_minor_unit_by_its_own_pool(s: Scenario) -> None:
    m = s.movement()
    for row in (m.order, m.quote, m.trade):
        row["pool_id"] = "EUR/USDT"
    m.quote["created_at"] = ""
    m.trade["fiat_amount"] = "100.001"
    s.expect("amount_mismatch", "trade", m.trade_id)


# --- the balance chain ---------------------------------------------------------------------------


def chain(s: Scenario, *steps: tuple[str, str, str], effective_at: str = "") -> None:
    """Adjustments: delta, balance_after, entry_seq; a second apart unless of one moment."""
    for number, (amount, after, seq) in enumerate(steps, start=1):
        lone(
            s,
            "adjustment",
            amount,
            f"l{number}",
            balance_after=after,
            entry_seq=seq,
            effective_at=effective_at or at(f"09:00:{number:02}"),
        )


def expect_break(s: Scenario, number: int) -> None:
    s.expect("balance_chain_break", "ledger_entry", f"{s.name}-l{number}")


@scenario(nearly="balance_chain_break")
def chain_holds(s: Scenario) -> None:
    chain(s, ("10", "1010.00", "1"), ("-10", "1000", "2"), ("5", "", "3"), ("5", "1010.0", "4"))


@scenario(trips="balance_chain_break")
def chain_one_unit_high(s: Scenario) -> None:
    chain(s, ("10", "10", "1"), ("-1", "9.01", "2"), ("-1", "8.01", "3"))
    expect_break(s, 2)


@scenario(trips="balance_chain_break")
def chain_breaks_after_gap(s: Scenario) -> None:
    chain(s, ("10", "10", "1"), ("-1", "settled", "2"), ("-1", "9", "3"))
    expect_break(s, 3)


@scenario(nearly="balance_chain_break")
def chain_starts_at_first_stated(s: Scenario) -> None:
    chain(s, ("10", "", "1"), ("-1", "500", "2"), ("-1", "499", "3"))


@scenario(nearly="balance_chain_break")
def chain_of_one_moment(s: Scenario) -> None:
    chain(s, ("10", "10", "9"), ("-1", "8", "11"), ("-1", "9", "10"), effective_at=at("09:00:00"))


@scenario(trips="balance_chain_break")
def chain_of_one_moment_out_of_order(s: Scenario) -> None:
    chain(s, ("10", "10", "1"), ("-1", "9", "3"), ("-1", "8", "2"), effective_at=at("09:00:00"))
    expect_break(s, 2)
    expect_break(s, 3)


@scenario(nearly="balance_chain_break")
def chain_group_holds(s: Scenario) -> None:
    lone(s, "adjustment", "10", "l0", balance_after="10", effective_at=at("08:00:00"))
    chain(s, ("-1", "9", ""), ("-2", "7", "2"), effective_at=at("09:00:00"))
    lone(s, "adjustment", "1", "l9", balance_after="8", effective_at=at("10:00:00"))


@scenario(nearly="balance_chain_break")
def chain_group_holds_in_any_order(s: Scenario) -> None:
    lone(s, "adjustment", "10", "l0", balance_after="10", effective_at=at("08:00:00"))
    chain(s, ("-1", "7", ""), ("-2", "8", ""), effective_at=at("09:00:00"))
    lone(s, "adjustment", "1", "l9", balance_after="8", effective_at=at("10:00:00"))


@scenario(trips="balance_chain_break")
def chain_group_breaks(s: Scenario) -> None:
    lone(s, "adjustment", "10", "l0", balance_after="10", effective_at=at("08:00:00"))
    chain(s, ("-1", "9", ""), ("-2", "7.01", ""), effective_at=at("09:00:00"))
    expect_break(s, 2)


@scenario(nearly="balance_chain_break")
def chain_of_other_environment_and_asset(s: Scenario) -> None:
    lone(s, "adjustment", "10", "l1", balance_after="10")
    lone(s, "adjustment", "7", "l2", balance_after="7", environment="test")
    lone(s, "adjustment", "5", "l3", balance_after="5", asset="USDT")
    lone(s, "adjustment", "3", "l4", balance_after="3", partner_id=f"{s.name}-2")


@scenario(nearly="balance_chain_break")
def chain_untouched_by_settlement(s: Scenario) -> None:
    m = s.movement()
    lone(s, "adjustment", "5", "a1", balance_after="5", asset="USDT")
    m.settle["balance_after"] = "settled"
    lone(s, "adjustment", "1", "a2", balance_after="6", asset="USDT", effective_at=at("12:00:00"))


@scenario(trips="negative_balance")
def balance_below_zero(s: Scenario) -> None:
    lone(s, "fee_debit", "1", balance_after="-0.01")
    s.expect("negative_balance", "ledger_entry", f"{s.name}-l")


@scenario(nearly="negative_balance")
def balance_of_zero(s: Scenario) -> None:
    lone(s, "fee_debit", "1", balance_after="-0.00")


@scenario(nearly="negative_balance")
def balance_below_zero_at_settlement(s: Scenario) -> None:
    s.movement().settle["balance_after"] = "-5"


# --- reported balances ---------------------------------------------------------------------------


def reported(s: Scenario, balance: str, as_of: str = CUT_OFF, **values: str) -> Row:
    return s.add("balances", **{"asset": "EUR", "balance": balance, "as_of": as_of, **values})


def expect_wrong(s: Scenario, as_of: str = CUT_OFF) -> None:
    s.expect("balance_mismatch", "balance", f"live:{s.name}:EUR:{as_of}")


@scenario(nearly="balance_mismatch")
def balance_as_posted(s: Scenario) -> None:
    lone(s, "adjustment", "1000")
    reported(s, "1000.00")
    reported(s, "1000.0")
    s.conserve("balances", 1, duplicates=1)


@scenario(trips="balance_mismatch")
def balance_one_unit_low(s: Scenario) -> None:
    lone(s, "adjustment", "1000")
    reported(s, "999.99")
    expect_wrong(s)


@scenario(nearly="balance_mismatch")
def balance_before_the_entry(s: Scenario) -> None:
    lone(s, "adjustment", "1000")
    reported(s, "0", at("09:00:00"))
    reported(s, "1000", at("09:00:00.000001"))


@scenario(trips="balance_mismatch")
def balance_at_the_entry(s: Scenario) -> None:
    lone(s, "adjustment", "1000")
    reported(s, "1000", at("09:00:00.5"))
    reported(s, "1000", at("09:00:00"))
    expect_wrong(s, at("09:00:00"))


@scenario(trips="balance_mismatch")
def balance_reported_twice(s: Scenario) -> None:
    lone(s, "adjustment", "1000")
    reported(s, "1000")
    reported(s, "1000.01")
    expect_wrong(s)
    s.conserve("balances", 1, superseded=1)


@scenario(nearly="balance_mismatch")
def balance_after_cut_off(s: Scenario) -> None:
    reported(s, "5", AFTER)


@scenario(trips="balance_mismatch")
def balance_without_entries(s: Scenario) -> None:
    reported(s, "0.01", at("12:00:00.250000"))
    expect_wrong(s, at("12:00:00.250000"))


@scenario(nearly="balance_mismatch")
def balance_after_settlement(s: Scenario) -> None:
    s.movement()
    reported(s, "-100")
    reported(s, "0", asset="USDT")
