"""What an approval is bound to: a finding with one cause more is not the one that was approved."""

from __future__ import annotations

import pytest

from tests.end_to_end.closing import close
from tests.fault_matrix.dsl import Movement, Row, Scenario, at, write

Evidence = dict[tuple[str, str], str]
Closes = tuple[Evidence, Evidence, Evidence]
LATER = at("12:00:00")


def without_trade(day: Scenario, suffix: str) -> Movement:
    movement = day.movement(suffix)
    day.drop(movement.trade, movement.event, movement.debit, movement.settle)
    movement.order |= {"product_state": "processing", "transact_id": ""}
    return movement


def failed(day: Scenario, suffix: str) -> Movement:
    movement = day.movement(suffix)
    day.drop(movement.debit, movement.settle)
    movement.trade["status"] = movement.event["status"] = "failed"
    return movement


def another(rows: Scenario, movement: Movement, *exports: str, **changes: str) -> None:
    """A quote, trade or event like that of `movement`, with other ids."""
    ids = {"quotes": "quote_id", "trades": "transact_id", "events": "event_id"}
    like = {"quotes": movement.quote, "trades": movement.trade, "events": movement.event}
    for export in exports:
        row = like[export]
        rows.add(export, **{**row, ids[export]: f"{row[ids[export]]}2", **changes})


def fee(rows: Scenario, movement: Movement, number: int, amount: str, **changes: str) -> Row:
    entry = {
        "ledger_entry_id": f"{movement.trade_id}-f{number}",
        "transact_id": movement.trade_id,
        "entry_type": "fee_debit",
        "asset": "EUR",
        "amount": amount,
        "effective_at": LATER,
    }
    return rows.add("ledger", **entry, **changes)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Closes:
    """Of each finding: before more has landed, after that, and where all landed at once.

    In between, one more version of each order lands, which says what the one before it said.
    """
    day, more = Scenario("ev"), Scenario("ev")
    accepted = without_trade(day, "-accepted")
    another(more, accepted, "quotes", source_amount="1000000.00", target_amount="1073100")
    offered = without_trade(day, "-offered")
    another(more, offered, "quotes", accepted_at="", status="")

    asked = without_trade(day, "-asked")
    asked.order |= {"pool_id": "AAA-USDT", "quote_id": ""}
    another(more, asked, "quotes", accepted_at=at("10:00:30"))

    unquoted = failed(day, "-unquoted")
    day.drop(unquoted.quote)
    unquoted.trade |= {"quote_id": "", "crypto_amount": ""}
    unquoted.event["quote_id"] = ""
    unquoted.order |= {"product_state": "failed", "quote_id": "", "transact_id": ""}
    changes = {"transact_id": f"{unquoted.trade_id}2"}
    another(more, unquoted, "trades", idempotency_key="ev-second")
    another(more, unquoted, "events", **changes)

    named, namer, second = (day.movement(f"-{name}") for name in ("named", "namer", "second"))
    namer.trade["partner_order_id"] = named.order_id
    more.add("trades", **second.trade | {"partner_order_id": named.order_id, "updated_at": LATER})

    told = failed(day, "-told")
    changes = {"quote_id": f"{told.quote_id}2", "transact_id": f"{told.trade_id}2"}
    another(more, told, "quotes")
    another(more, told, "trades", **changes, idempotency_key="ev-k2", reserved_at=at("10:10:00"))
    another(more, told, "events", **changes)

    elsewhere, ordinary = day.movement("-elsewhere"), day.movement("-ordinary")
    for movement in (elsewhere, ordinary):
        fee(day, movement, 1, "0.01", environment="test")
    fee(more, elsewhere, 2, "5000000", environment="test")
    another(more, ordinary, "events")

    foreign, further = day.movement("-foreign"), day.movement("-further")
    for movement in (foreign, further):
        movement.trade["partner_id"] = "zz"
    another(more, foreign, "events", partner_id="mm")
    fee(more, further, 1, "0.01", partner_id="ev")

    pooled = day.movement("-pooled")
    pooled.order["pool_id"] = "AAA-USDT"
    more.add("trades", **pooled.trade | {"pool_id": "BBB-USDT", "updated_at": LATER})

    gone, back = day.movement("-gone"), day.movement("-back")
    reserved = {"status": "reserved", "terminal_at": ""}
    day.again("trades", gone.trade, **reserved, updated_at=at("10:07:00"))
    more.add("trades", **gone.trade | {"updated_at": at("11:00:00")})
    more.add("trades", **gone.trade | reserved | {"updated_at": at("11:01:00")})
    day.again("orders", back.order, product_state="processing")
    for state in ("failed", "processing"):
        more.add("orders", **back.order | {"product_state": state})

    wrong, moved, third = (day.movement(f"-{name}") for name in ("wrong", "moved", "third"))
    wrong.order["transact_id"] = moved.trade_id
    more.add("trades", **moved.trade | {"quote_id": third.quote_id, "updated_at": LATER})

    folder = tmp_path_factory.mktemp("evidence")
    exports = write(folder / "exports", [day])
    touched = Scenario("ev")
    for order in day.rows["orders"]:
        touched.add("orders", **dict(order) | {"updated_at": LATER})

    def found(out: str) -> Evidence:
        ran = close(exports, folder / out, in_brief=True)
        assert ran.exit_code == 1, ran.stderr
        return {
            (row["code"], row["subject_id"]): f"{row['evidence_hash']} {row['actual']}"
            for row in ran.rows("exceptions")
        }

    def land(name: str, rows: Scenario) -> None:
        written = write(folder / name, [rows])
        for export in rows.rows:
            (exports / export).mkdir(exist_ok=True)
            (written / f"{export}.csv").rename(exports / export / f"{name}.csv")

    before = found("out")
    land("more", more)
    found("out")
    land("touched", touched)
    return before, found("out"), found("at once")


@pytest.mark.parametrize(
    ("code", "subject", "says"),
    [
        ("missing_trade", "accepted-o", "ev-accepted-q;ev-accepted-q2"),
        ("missing_quote", "unquoted-o", "ev-unquoted-t;ev-unquoted-t2"),
        ("conflicting_link", "named-o", "ev-namer-t;ev-second-t"),
        ("conflicting_link", "wrong-o", "trade ev-moved-t belongs to order ev-third-o"),
        ("terminal_state_conflict", "gone-t", "went back to reserved 2 times"),
        ("order_state_regression", "back-o", "of 2026-06-30T12:00:00Z, 3 times"),
        ("product_state_conflict", "told-o", "ev-told-t2"),
        ("environment_mismatch", "elsewhere-t", "live, and test in 2 of its events and entries"),
        ("partner_mismatch", "foreign-t", "quote ev, trade zz, and ev;mm in 4 of its events"),
        ("partner_mismatch", "further-t", "quote ev, trade zz, and ev in 4 of its events"),
        ("pool_mismatch", "asked-o", "AAA-USDT and EUR-USDT with quote ev-asked-q2"),
        ("pool_mismatch", "pooled-t", "order AAA-USDT, quote EUR-USDT, trade BBB-USDT"),
    ],
)
def test_one_cause_more_is_other_evidence(
    code: str, subject: str, says: str, evidence: Closes
) -> None:
    before, after = (found[code, f"ev-{subject}"] for found in evidence[:2])
    assert before.split()[0] != after.split()[0]
    assert says in after


@pytest.mark.parametrize(
    ("code", "subject"),
    [("missing_trade", "offered-o"), ("environment_mismatch", "ordinary-t")],
)
def test_what_adds_no_cause_leaves_the_evidence(code: str, subject: str, evidence: Closes) -> None:
    before, after = (found[code, f"ev-{subject}"] for found in evidence[:2])
    assert before == after


def test_evidence_is_the_same_whenever_its_rows_came(evidence: Closes) -> None:
    _, in_turn, at_once = evidence
    assert in_turn == at_once
