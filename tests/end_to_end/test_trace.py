"""The support packet of an id, and why a balance or a movement is as it is, on the bad day."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pool_recon import cli
from pool_recon.commands.shared import WAREHOUSE_NAME
from pool_recon.trace.movement import explain_movement
from pool_recon.trace.reader import Missing
from pool_recon.warehouse import working_copy
from tests.end_to_end.closing import ROOT, Ran, close_once, documented_keys, pool_recon

PUBLISHED_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d{6})?Z")

MOVEMENT_KEYS = [
    *("movement_id", "movement_type", "matched_as", "reconciliation_state", "environment"),
    "partner_id",
    *("partner_order_id", "pool_id", "side", "quote_id", "transact_id", "idempotency_key"),
    *("request_id", "product_state", "quote_status", "trade_status", "effective_status"),
    *("source_asset", "source_amount", "target_asset", "target_amount", "fiat_amount"),
    *("crypto_amount", "ledger_source_net", "ledger_target_net", "created_at", "accepted_at"),
    *("expires_at", "reserved_at", "terminal_at", "quote_clock_seconds"),
    *("execution_clock_seconds", "settlement_clock_seconds", "findings", "row_findings"),
    *("timeline", "records"),
]
FINDING_KEYS = [
    *("exception_id", "code", "severity", "subject_type", "subject_id", "expected", "actual"),
    *("asset", "amount_at_risk", "owner", "opened_on", "age_days", "next_review_date"),
    *("approval", "approved_by", "register_row", "first_action"),
]
STEP_KEYS = ["at", "record_type", "record_id", "step", "place", "row", "details"]
DETAIL_KEYS = {
    "order": ["product_state", "request_id"],
    "quote": ["quote_type", "status", "rate", "request_id"],
    "trade": ["status", "request_id"],
    "event": [
        *("status", "source", "signature_result", "is_trusted"),
        *("occurred_at", "received_at", "processed_at"),
        *("environment", "partner_id", "transact_id", "quote_id", "request_id", "payload_ref"),
    ],
    "ledger_entry": [
        *("entry_class", "asset", "amount", "delta", "balance_after", "join_rule"),
        *("environment", "partner_id", "transact_id", "quote_id", "request_id"),
        *("related_entry_id", "ledger_ref", "funding_reference"),
    ],
}


# Orders o1 to o9 with quotes q1 to q9 and trades t1 to t9: t8 lies after the cut-off, and q9 has a
# second trade there. t2 and t3 share an idempotency key, which is the id of order o2; rt1 is the id
# of an event and the request id of a trade. Of partner pz in test are an entry and an event that
# join nothing, a top-up, and an entry of t3 with a request id of its own.
TODAY, TOMORROW = "2026-06-30T10:00:00Z", "2026-07-01T00:00:00Z"
LINKED = {
    "orders": "partner_order_id,created_at,product_state\n"
    + "".join(f"o{n},{TODAY},pending\n" for n in range(1, 10)),
    "quotes": "quote_id,pool_id,source_amount,target_amount,expires_at,partner_order_id,created_at,"
    "accepted_at\n"
    + "".join(
        f"q{n},EUR-USDC,100,99,2026-07-02T00:00:00Z,o{n},{TODAY},{TODAY}\n" for n in range(1, 10)
    ),
    "trades": "transact_id,quote_id,idempotency_key,status,reserved_at,terminal_at,request_id\n"
    + "".join(
        f"t{n},q{n},{'o2' if n in (2, 3) else f'k{n}'},settled,{TODAY},{TODAY},r{n}\n"
        for n in (2, 3, 4, 5, 6, 7, 9)
    )
    + f"t1,q1,k1,settled,{TODAY},{TODAY},rt1\n"
    + "".join(
        f"{t},{q},k{t},reserved,{TOMORROW},,r{t}\n" for t, q in (("t8", "q8"), ("t9b", "q9"))
    ),
    "events": "event_id,transact_id,quote_id,status,received_at,signature_result,request_id,"
    "payload_ref,environment,partner_id\n"
    f"rt1,t7,,settled,{TODAY},valid,,,,\n"
    f"e6,nowhere,q6,settled,{TOMORROW},valid,,,,\n"
    f"e8,t8,,reserved,{TOMORROW},valid,,,,\n"
    f"eo,absent,absent_quote,settled,{TODAY},valid,reo,payload_eo,test,pz\n",
    "ledger": "ledger_entry_id,entry_type,asset,amount,effective_at,transact_id,quote_id,"
    "ledger_ref,funding_reference,related_entry_id,request_id,environment,partner_id\n"
    f"lo,buy_debit,EUR,5,{TODAY},absent,absent_quote,absent_ref,,absent_entry,rlo,test,pz\n"
    f"lf,payin_credit,EUR,50,{TODAY},,,,pay_1,,rlf,test,pz\n"
    f"l3,fee_debit,EUR,1,{TODAY},t3,q3,,,,rl3,test,pz\n"
    + "".join(
        f"{entry},buy_debit,EUR,100,{TOMORROW},{ids},,,,,\n"
        for entry, ids in {
            "l4": ",,t4",
            "l5": "t5,,",
            "l6": "nowhere,q6,",
            "l7": ",,q7",
            "l8": "t8,q8,",
            "l9": "t9b,q9,",
            "l0": "nowhere,,",
        }.items()
    ),
}


@pytest.fixture(scope="session")
def linked() -> Ran:
    """The close of a few records that are linked in every way."""

    return close_once("linked", LINKED, in_brief=True)


def shown(found: dict[str, Any]) -> dict[str, set[tuple[str, str]]]:
    """The records in the timeline of each movement of a packet, with their places."""
    return {
        movement["movement_id"]: {
            (step["record_id"], step["place"]) for step in movement["timeline"]
        }
        for movement in found["movements"]
    }


def run(day: Ran, *arguments: object) -> Ran:
    """Run a command on the warehouse of a close: in this process, because it is done so often."""
    out, err = io.StringIO(), io.StringIO()
    words = [str(word) for word in (*arguments, "--warehouse", day.out / "pool_recon.duckdb")]
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        cli.main(words)
    return Ran(int(left.value.code or 0), out.getvalue(), err.getvalue(), day.out)


def packet(day: Ran, *arguments: object, command: str = "trace") -> dict[str, Any]:
    done = run(day, *command.split(), *arguments, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def query(day: Ran, sql: str) -> list[Any]:
    file = str(day.out / "pool_recon.duckdb")
    with contextlib.closing(duckdb.connect(file, read_only=True)) as connection:
        return connection.execute(sql).fetchall()


def movement_with(day: Ran, code: str) -> dict[str, str]:
    """A movement of reconciliation.csv on which a finding is."""
    return next(
        row for row in day.rows("reconciliation") if code in row["finding_codes"].split(";")
    )


def subject_of(day: Ran, code: str) -> str:
    return next(row["subject_id"] for row in day.rows("exceptions") if row["code"] == code)


def test_every_kind_of_id_finds_its_movement(bad_day: Ran) -> None:
    row = next(
        row
        for row in bad_day.rows("reconciliation")
        if row["reconciliation_state"] == "matched"
        and row["ledger_entry_ids"]
        and row["last_event_id"]
    )
    entry = row["ledger_entry_ids"].split(";")[0]
    wanted = {
        "partner_order_id": row["partner_order_id"],
        "quote_id": row["quote_id"],
        "transact_id": row["transact_id"],
        "idempotency_key": row["idempotency_key"],
        "request_id": row["request_id"],
        "event_id": row["last_event_id"],
        "ledger_entry_id": entry,
    }
    for kind, identifier in wanted.items():
        found = packet(bad_day, identifier)
        assert found["matched_as"] == [kind]
        assert [m["movement_id"] for m in found["movements"]] == [row["movement_id"]], kind
        assert found["unjoined"] == [], kind


def test_a_ledger_ref_finds_its_movement(bad_day: Ran) -> None:
    reference, transact_id = query(
        bad_day,
        "select ledger_ref, joined_transact_id from marts.fct_ledger_entries "
        "where join_rule like 'ledger_ref%' order by all limit 1",
    )[0]
    assert transact_id in {m["movement_id"] for m in packet(bad_day, reference)["movements"]}


def test_the_packet_says_what_the_close_package_says(bad_day: Ran) -> None:
    for row in bad_day.rows("reconciliation")[::6]:
        movements = packet(bad_day, row["movement_id"])["movements"]
        movement = next(m for m in movements if m["movement_id"] == row["movement_id"])
        for column in movement.keys() & row.keys():
            assert (movement[column] or "") == row[column], column
        codes = {finding["code"] for finding in movement["findings"]}
        assert ";".join(sorted(codes)) == row["finding_codes"]
        entries = {
            step["record_id"]
            for step in movement["timeline"]
            if step["record_type"] == "ledger_entry" and step["place"] == "in_force"
        }
        assert ";".join(sorted(entries)) == row["ledger_entry_ids"]
        events = {
            step["record_id"]
            for step in movement["timeline"]
            if step["record_type"] == "event" and step["place"] == "in_force"
        }
        assert str(len(events)) == row["event_count"]


def test_findings_say_what_exceptions_csv_says(bad_day: Ran) -> None:
    movement = movement_with(bad_day, "ledger_mismatch")
    findings = packet(bad_day, movement["movement_id"])["movements"][0]["findings"]
    published = {row["exception_id"]: row for row in bad_day.rows("exceptions")}
    assert findings
    for finding in findings:
        row = published[finding["exception_id"]]
        for column in finding.keys() & row.keys():
            value = finding[column]
            assert ("" if value is None else str(value)) == row[column], column


def test_the_json_keeps_its_keys(bad_day: Ran) -> None:
    found = packet(bad_day, movement_with(bad_day, "terminal_state_conflict")["movement_id"])
    assert found["schema_version"] == 1
    assert documented_keys("trace") >= set(found)
    assert list(found) == [
        *("schema_version", "id", "matched_as", "partner_filter", "close_date", "cut_off_at"),
        *("movement_count", "movements", "funding", "unjoined"),
    ]
    movement = found["movements"][0]
    assert list(movement) == MOVEMENT_KEYS
    assert list(movement["findings"][0]) == FINDING_KEYS
    assert {step["record_type"] for step in movement["timeline"]} == set(DETAIL_KEYS)
    for step in movement["timeline"]:
        assert list(step) == STEP_KEYS
        assert list(step["details"]) == DETAIL_KEYS[step["record_type"]]
        assert PUBLISHED_MOMENT.fullmatch(step["at"])
    moments = [step["at"].rstrip("Z") for step in movement["timeline"]]
    assert moments == sorted(moments)
    for record in movement["records"]:
        assert list(record) == ["record_type", "record_id", "rows"]
        assert [list(row) for row in record["rows"]] == [["row", "place"]] * len(record["rows"])


def test_no_landed_row_is_without_a_place(bad_day: Ran) -> None:
    """No invariant tells a row that `fct_row_places` lacks: none of its joins can lose one."""
    counted = "(select count(*) from marts.fct_row_places where place is not null)"
    landed = "(select sum(row_count) from raw.files)"
    [(has_all,)] = query(bad_day, f"select {counted} = {landed}")
    assert has_all


def test_every_landed_row_is_named_with_its_place(bad_day: Ran) -> None:
    places = {
        (f"{file}:{number}", place)
        for file, number, place in query(
            bad_day,
            "select files.row_name, places.row_number, places.place "
            "from marts.fct_row_places as places join raw.files using (file_id) "
            "where places.export_name in ('orders', 'quotes', 'trades', 'events', 'ledger')",
        )
    }
    in_force = {"movement", "event", "ledger_entry", "awaiting_movement"}
    for code in ("ledger_entry_changed", "event_conflict", "cutoff_timing_difference"):
        for record in packet(bad_day, movement_with(bad_day, code)["movement_id"])["movements"][0][
            "records"
        ]:
            for row in record["rows"]:
                words = in_force if row["place"] == "in_force" else {row["place"]}
                assert any((row["row"], word) in places for word in words), row


def test_several_movements_of_one_id(bad_day: Ran) -> None:
    repeated = subject_of(bad_day, "duplicate_trade_attempt")
    row = next(r for r in bad_day.rows("reconciliation") if r["transact_id"] == repeated)
    of_order = {
        r["movement_id"]
        for r in bad_day.rows("reconciliation")
        if r["partner_order_id"] == row["partner_order_id"]
    }
    found = packet(bad_day, row["partner_order_id"])
    assert len(of_order) > 1
    assert found["movement_count"] == len(of_order)
    assert {m["movement_id"] for m in found["movements"]} == of_order
    assert [m["movement_id"] for m in packet(bad_day, repeated)["movements"]] == [repeated]


@pytest.mark.parametrize(
    ("code", "record_type"),
    [("orphan_event", "event"), ("orphan_ledger_entry", "ledger_entry")],
)
def test_what_joins_to_nothing_is_shown_with_its_finding(
    code: str, record_type: str, bad_day: Ran
) -> None:
    found = packet(bad_day, subject_of(bad_day, code))
    assert found["movements"] == []
    [record] = found["unjoined"]
    assert (record["record_type"], record["reason"]) == (record_type, "joins_to_no_movement")
    assert code in {finding["code"] for finding in record["findings"]}
    assert record["records"][0]["rows"][0]["place"] == "in_force"
    assert record["timeline"]


def test_a_row_in_quarantine_is_found_and_not_quoted(bad_day: Ran) -> None:
    identifier, text = query(
        bad_day,
        "select event_id, original_text from staging.stg_events "
        "where quarantine_reasons is not null",
    )[0]
    done = run(bad_day, "trace", identifier, "--json")
    [record] = json.loads(done.stdout)["unjoined"]
    assert record["reason"] == "quarantine"
    assert [finding["code"] for finding in record["findings"]] == ["quarantined_row"]
    assert text not in done.stdout


def test_what_the_cut_off_leaves_out_is_marked(bad_day: Ran) -> None:
    later = query(
        bad_day,
        "select ledger_entry_id, transact_id from staging.stg_ledger "
        "where effective_at >= (select cut_off_at from intermediate.int_close)",
    )[0]
    [movement] = packet(bad_day, later[1])["movements"]
    [step] = [step for step in movement["timeline"] if step["record_id"] == later[0]]
    assert step["place"] == "after_cut_off"
    assert step["details"]["delta"] is None


@pytest.mark.parametrize(
    ("movement", "record"),
    [
        *(("t4", "l4"), ("t5", "l5"), ("t6", "l6"), ("t6", "e6"), ("t7", "l7")),
        *(("o8", "t8"), ("o8", "l8"), ("o8", "e8")),
    ],
)
def test_what_is_later_is_on_the_movement_that_it_will_join(
    movement: str, record: str, linked: Ran
) -> None:
    assert (record, "after_cut_off") in shown(packet(linked, movement))[movement]
    found = packet(linked, record)
    assert (record, "after_cut_off") in shown(found)[movement]
    assert len(found["movements"]) == 1
    assert found["unjoined"] == []


@pytest.mark.parametrize("record", ["l9", "t9b", "l0"])
def test_what_only_a_later_close_can_join_is_on_no_movement(record: str, linked: Ran) -> None:
    found = packet(linked, record)
    assert found["movements"] == []
    assert (record, "after_cut_off") in {(r["record_id"], r["reason"]) for r in found["unjoined"]}
    assert not any(record == shown_id for shown_id, _ in shown(packet(linked, "q9"))["t9"])


def test_an_id_that_is_two_things_is_found_as_both(linked: Ran) -> None:
    for wanted, expected in {
        "o2": [("t2", ["partner_order_id"]), ("t3", ["idempotency_key"])],
        "rt1": [("t7", ["event_id"]), ("t1", ["request_id"])],
        "t4": [("t4", ["transact_id"])],
    }.items():
        found = packet(linked, wanted)
        assert [(m["movement_id"], m["matched_as"]) for m in found["movements"]] == expected
        assert found["matched_as"] == sorted({name for _, names in expected for name in names})
        explained = packet(linked, wanted, command="explain movement")
        assert [(m["movement_id"], m["matched_as"]) for m in explained["movements"]] == expected
    said = run(linked, "trace", "o2").stdout
    assert "duplicate_trade_attempt" in said
    assert [line.split(None, 2)[2] for line in said.splitlines() if "found as  " in line] == [
        "partner_order_id",
        "idempotency_key",
    ]
    assert "found as  " not in run(linked, "trace", "o4").stdout


@pytest.mark.parametrize(
    ("record", "named"),
    [
        (
            "lo",
            {
                "trade": "absent",
                "quote": "absent_quote",
                "request": "rlo",
                "related entry": "absent_entry",
                "ledger ref": "absent_ref",
            },
        ),
        (
            "eo",
            {
                "trade": "absent",
                "quote": "absent_quote",
                "request": "reo",
                "payload": "payload_eo",
            },
        ),
        ("lf", {"request": "rlf", "reference": "pay_1"}),
    ],
)
def test_a_record_on_no_movement_says_whose_it_is_and_what_it_names(
    record: str, named: dict[str, str], linked: Ran
) -> None:
    for more in ((), ("--partner", "pz")):
        [shown_record] = packet(linked, record, *more)["unjoined"]
        assert (shown_record["environment"], shown_record["partner_id"]) == ("test", "pz")
        [step] = shown_record["timeline"]
        assert set(named.values()) | {"test", "pz"} <= set(step["details"].values())
    said = run(linked, "trace", record).stdout
    assert "\n  environment  test\n  partner      pz\n" in said
    [line] = [line for line in said.splitlines() if line.startswith("  ->")]
    for label, name in named.items():
        assert f"{label} {name}" in line
    assert "partner pz" not in line


def test_a_request_id_of_an_entry_alone_is_shown_and_marked(linked: Ran) -> None:
    [movement] = packet(linked, "rl3")["movements"]
    requests = {step["record_id"]: step["details"]["request_id"] for step in movement["timeline"]}
    assert (movement["request_id"], requests["l3"], requests["t3"]) == ("r3", "rl3", "r3")
    for wanted, marked in {"rl3": "l3", "r3": "t3", "l3": "l3"}.items():
        lines = run(linked, "trace", wanted).stdout.splitlines()
        found = [line for line in lines if line.startswith("  ->")]
        assert found
        assert all(f"  {marked} " in line for line in found)
    [line] = [line for line in lines if "fee debit" in line]
    # What the head of the movement says is not said again.
    assert line.endswith(", environment test, partner pz, request rl3")


def test_the_credits_of_a_reference_say_what_they_name(linked: Ran) -> None:
    [credit] = packet(linked, "pay_1")["funding"][0]["credits"]
    assert (credit["environment"], credit["partner_id"]) == ("test", "pz")
    assert credit["request_id"] == "rlf"
    [line] = [line for line in run(linked, "trace", "pay_1").stdout.splitlines() if "+50" in line]
    # No payment of this reference has landed, so that no total says whose it is.
    assert "environment test, partner pz, request rlf" in line


def test_a_funding_reference_shows_payments_credits_and_balances(bad_day: Ran) -> None:
    reference = query(
        bad_day,
        "select funding_reference from marts.fct_balance_entries where funding_reference in "
        "(select funding_reference from staging.stg_funding) "
        "group by all order by count(*) desc, 1 limit 1",
    )[0][0]
    [funding] = packet(bad_day, reference)["funding"]
    assert funding["payments"]
    assert len(funding["credits"]) > 1
    for credit in funding["credits"]:
        before, delta = Decimal(credit["balance_before"]), Decimal(credit["delta"])
        assert before + delta == Decimal(credit["ledger_balance"])
    credited = sum(Decimal(credit["delta"]) for credit in funding["credits"])
    assert credited == sum(Decimal(total["credited"]) for total in funding["totals"])
    uncredited = subject_of(bad_day, "funding_not_credited")
    [funding] = packet(bad_day, uncredited)["funding"]
    assert funding["credits"] == []
    assert [f["code"] for f in funding["findings"]] == ["funding_not_credited"]


def test_what_was_found_of_the_rows_of_a_reference_is_told(funded: Ran) -> None:
    [funding] = packet(funded, "pay")["funding"]
    found = {(f["code"], f["subject_id"]) for f in funding["findings"]}
    of_rows = {
        (row["code"], row["subject_id"])
        for row in funded.rows("exceptions")
        if row["subject_type"] == "export_row"
        and row["subject_id"].startswith(("funding.csv:", "ledger.csv:"))
    }
    assert {code for code, _ in of_rows} == {"secret_exposed", "quarantined_row"}
    assert found >= of_rows
    assert "No findings" not in run(funded, "trace", "pay").stdout


def lines_with(funded: Ran, text: str) -> list[str]:
    lines = run(funded, "trace", "pay").stdout.splitlines()
    return [" ".join(line.split()) for line in lines if text in line]


def test_a_payment_that_cannot_be_read_is_told_without_an_amount(funded: Ran) -> None:
    assert lines_with(funded, "  2026-06-30T09:") == [
        "2026-06-30T09:00:00Z confirmed 50.00 EUR funding.csv:1",
        "2026-06-30T09:01:00Z confirmed ? EUR (in quarantine) funding.csv:2",
        "2026-06-30T09:02:00Z confirmed 80 (in quarantine) funding.csv:3",
    ]


def test_a_credit_that_is_not_in_force_is_told_with_its_amount(funded: Ran) -> None:
    lines = lines_with(funded, "  payin_credit  ")
    assert [line.partition("payin_credit ")[2] for line in lines] == [
        "c1 +50.00 EUR balance 0.00 -> 50.00 request sk_live_*** ledger.csv:1",
        "c1 amount 60.00 EUR (superseded) ledger.csv:2",
        "c2 amount 70.00 EUR (after the cut-off) ledger.csv:3",
        "c3 amount ? EUR (in quarantine) ledger.csv:4",
    ]


def test_what_was_found_of_the_rows_of_a_movement_stands_apart(funded: Ran) -> None:
    [movement] = packet(funded, "t1")["movements"]
    # The event counts, and so does what was found of its row.
    assert ("secret_exposed", "events.csv:1") in {
        (finding["code"], finding["subject_id"]) for finding in movement["findings"]
    }
    assert [(f["code"], f["subject_id"]) for f in movement["row_findings"]] == [
        ("quarantined_row", "orders.csv:2"),
        ("quarantined_row", "trades.csv:2"),
    ]
    lines = run(funded, "trace", "t1").stdout.splitlines()
    at = lines.index("  Findings of its rows that do not count")
    assert lines[at + 1] == "  blocking quarantined_row of export row orders.csv:2"


def test_what_is_no_credit_is_shown_as_another_entry(bad_day: Ran, tmp_path: Path) -> None:
    (reference,) = query(
        bad_day,
        "select funding_reference from marts.fct_balance_entries "
        "where funding_reference is not null order by 1 limit 1",
    )[0]
    (fee,) = query(
        bad_day,
        "select ledger_entry_id from marts.fct_balance_entries "
        "where entry_type = 'fee_debit' order by 1 limit 1",
    )[0]
    [before] = packet(bad_day, reference)["funding"]
    assert before["other_entries"] == []
    day = replace(bad_day, out=tmp_path)
    shutil.copy(bad_day.out / "pool_recon.duckdb", tmp_path)
    with contextlib.closing(duckdb.connect(str(tmp_path / "pool_recon.duckdb"))) as connection:
        connection.execute(
            "update staging.stg_ledger set funding_reference = ? where ledger_entry_id = ?",
            [reference, fee],
        )
    [funding] = packet(day, reference)["funding"]
    assert funding["credits"] == before["credits"]
    [other] = funding["other_entries"]
    assert (other["ledger_entry_id"], other["entry_class"]) == (fee, "fee")
    assert other["delta"].startswith("-")
    said = run(day, "trace", reference).stdout.partition("  Credits")[2]
    credits, _, others = said.partition("Other entries with this reference, no credits")
    assert fee in others
    assert fee not in credits


def test_nothing_heavy_is_imported(bad_day: Ran) -> None:
    """A minute of support is not spent on starting what only a close needs."""
    heavy = {"dbt", "great_expectations", "pandas", "numpy", "xlsxwriter", "jinja2", "altair"}
    code = (
        "import sys; from pool_recon.cli import _run; code = _run(sys.argv[1:]);"
        f"sys.exit(code or str(sorted({heavy!r} & set(sys.modules))))"
    )
    known = bad_day.rows("trades")[0]["transact_id"]
    warehouse = bad_day.out / "pool_recon.duckdb"
    done = subprocess.run(
        [sys.executable, "-c", code, "trace", known, "--warehouse", str(warehouse)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert known in done.stdout
    assert done.stderr == "[]\n"


def test_an_unknown_id_names_the_nearest(bad_day: Ran) -> None:
    known = bad_day.rows("trades")[3]["transact_id"]
    for slip in (f"{known}x", known[1:], known.upper(), known[:-3]):
        done = run(bad_day, "trace", slip, "--json")
        assert (done.exit_code, done.stdout) == (1, "")
        first, *nearest = done.stderr.splitlines()
        assert slip in first
        assert 1 <= len(nearest) <= 5
    done = run(bad_day, "trace", f"{known}x")
    assert done.stderr.splitlines()[1] == f"  nearest: {known}"


@pytest.mark.parametrize("command", [("trace",), ("explain", "movement")])
def test_an_id_that_is_no_text_is_unknown(command: tuple[str, ...], bad_day: Ran) -> None:
    known = bad_day.rows("trades")[3]["transact_id"]
    for wanted in (os.fsdecode(b"\xff\xfe"), os.fsdecode(known.encode() + b"\xff")):
        done = run(bad_day, *command, wanted)
        assert (done.exit_code, done.stdout) == (1, "")
        first, *nearest = done.stderr.splitlines()
        asked = wanted.translate({0xDCFE: "?", 0xDCFF: "?"})
        assert first == f"pool-recon: no record has the id {asked} in the close of 2026-06-30"
        assert len(nearest) <= 5
    assert nearest[0] == f"  nearest: {known}"
    done = run(bad_day, *command, known, "--partner", os.fsdecode(b"\xff"))
    assert done.exit_code == 1
    assert done.stderr.startswith(f"pool-recon: no record of partner ? has the id {known} in")


@pytest.mark.parametrize("option", ["--partner", "--asset", "--environment"])
def test_a_balance_of_what_is_no_text_is_unknown(option: str, bad_day: Ran) -> None:
    given = {"--partner": "p", "--asset": "EUR", "--environment": "live"}
    options = [word for pair in (given | {option: os.fsdecode(b"\xff")}).items() for word in pair]
    moments = ("--from", "2026-06-30", "--to", "2026-07-01")
    done = run(bad_day, "explain", "balance", *options, *moments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert " has no balance of " in done.stderr


def test_an_unknown_id_may_be_in_files_that_no_close_has_looked_at(
    bad_day: Ran, tmp_path: Path
) -> None:
    day = replace(bad_day, out=tmp_path)
    warehouse = shutil.copy(bad_day.out / "pool_recon.duckdb", tmp_path)
    assert "landed since" not in run(day, "trace", "tr_unknown").stderr
    later = "select * replace (file_id + 1 as file_id) from raw.files order by file_id desc limit 1"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"insert into raw.files by name {later}")
    first, *_ = run(day, "trace", "tr_unknown").stderr.splitlines()
    assert first.endswith(" (1 file has landed since: close again to look into them)")


def test_a_row_that_the_models_lost_is_no_duplicate(bad_day: Ran, tmp_path: Path) -> None:
    day = replace(bad_day, out=tmp_path)
    warehouse = shutil.copy(bad_day.out / "pool_recon.duckdb", tmp_path)
    with duckdb.connect(str(warehouse)) as connection:
        [(lost,)] = connection.execute(
            "delete from intermediate.int_events_joined"
            " where row_order = (select min(row_order) from intermediate.int_events_joined)"
            " returning event_id"
        ).fetchall()
    [record] = json.loads(run(day, "trace", lost, "--json").stdout)["unjoined"]
    assert record["reason"] == "no_place"
    assert {row["place"] for of in record["records"] for row in of["rows"]} == {"no_place"}
    assert "lost by the models" in run(day, "trace", lost).stdout


def test_a_warehouse_of_another_version_is_told_in_one_line(bad_day: Ran, tmp_path: Path) -> None:
    day = replace(bad_day, out=tmp_path)
    warehouse = shutil.copy(bad_day.out / "pool_recon.duckdb", tmp_path)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("alter table intermediate.int_close drop column last_file_id")
    done = run(day, "trace", "tr_unknown")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "lacks what a close of this version builds" in done.stderr


def test_what_only_a_finding_is_called_names_the_finding(bad_day: Ran) -> None:
    rows = bad_day.rows("exceptions")
    balance = next(row for row in rows if row["code"] == "balance_mismatch")
    (said,) = run(bad_day, "trace", balance["subject_id"]).stderr.splitlines()
    assert said.endswith(
        f"; it is that of a finding: balance_mismatch of balance {balance['subject_id']}"
    )
    entry = next(row for row in rows if row["code"] == "negative_balance")
    done = run(bad_day, "trace", entry["exception_id"])
    assert done.exit_code == 1
    said, *records = done.stderr.splitlines()
    assert said.endswith(f"negative_balance of ledger_entry {entry['subject_id']}")
    assert f"  record of the finding: {entry['subject_id']}" in records


def test_a_secret_is_never_repeated(bad_day: Ran) -> None:
    done = run(bad_day, "trace", "sk_live_abcdefgh12345678")
    assert done.exit_code == 1
    assert "abcdefgh" not in done.stderr


def test_another_partner_does_not_exist(bad_day: Ran) -> None:
    partners = {row["partner_id"] for row in bad_day.rows("reconciliation")}
    assert len(partners) > 1
    ids_of: dict[str, set[str]] = {partner: set() for partner in partners}
    for row in bad_day.rows("reconciliation"):
        ids_of[row["partner_id"]].add(row["movement_id"])
    for partner in partners:
        foreign = min(next(ids_of[other] for other in partners if other != partner))
        done = run(bad_day, "trace", foreign, "--partner", partner)
        assert (done.exit_code, done.stdout) == (1, "")
        nearest = {line.split(": ")[1] for line in done.stderr.splitlines()[1:]}
        others = set().union(*(ids_of[other] for other in partners if other != partner))
        assert nearest
        assert not nearest & others
        own = packet(bad_day, min(ids_of[partner]), "--partner", partner)
        assert own["movement_count"] == 1


def test_a_mismatched_movement_shows_one_partner_alone(bad_day: Ran) -> None:
    movement = movement_with(bad_day, "partner_mismatch")
    [(other, order)] = query(
        bad_day,
        "select distinct partner_id, partner_order_id from staging.stg_orders "
        f"where partner_order_id = '{movement['partner_order_id']}'",
    )
    assert other != movement["partner_id"]
    done = run(bad_day, "trace", movement["movement_id"], "--partner", movement["partner_id"])
    assert done.exit_code == 0
    assert other not in done.stdout
    assert f"order         {order}" not in done.stdout
    assert "partner_mismatch" in done.stdout
    # The order of the other partner names the trade, which is not theirs to see.
    done = run(bad_day, "trace", movement["movement_id"], "--partner", other)
    assert done.exit_code == 1


def test_a_person_can_read_it(bad_day: Ran) -> None:
    row = movement_with(bad_day, "cutoff_timing_difference")
    done = run(bad_day, "trace", row["transact_id"])
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    for heading in ("Movement ", "  Timeline (UTC)", "  Findings", "  Landed rows"):
        assert f"\n{heading}" in done.stdout
    amounts = f"{row['source_amount']} {row['source_asset']} -> {row['target_amount']}"
    assert amounts in done.stdout
    assert f"quote {row['quote_clock_seconds']} s" in done.stdout
    assert "first action  " in done.stdout
    assert "(after the cut-off)" in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_a_close_that_runs_does_not_stand_in_the_way(bad_day: Ran) -> None:
    file = bad_day.out / "pool_recon.duckdb"
    before = file.stat().st_mtime_ns
    identifier = movement_with(bad_day, "status_lag")["movement_id"]
    with working_copy(file) as copy, contextlib.closing(duckdb.connect(str(copy.file))):
        done = pool_recon("trace", identifier, "--warehouse", file, out=bad_day.out / "reading")
    assert (done.exit_code, done.stderr) == (0, "")
    assert file.stat().st_mtime_ns == before


def test_a_warehouse_that_holds_no_close_exits_2(bad_day: Ran, tmp_path: Path) -> None:
    for command in (("trace", "x"), ("explain", "movement", "x")):
        for file in (tmp_path / "absent.duckdb", tmp_path / "empty.duckdb"):
            if file.stem == "empty":
                duckdb.connect(str(file)).close()
            done = pool_recon(*command, "--warehouse", file, out=tmp_path)
            assert (done.exit_code, done.stdout) == (2, "")
            assert done.stderr.count("\n") == 1
            assert "pool-recon close" in done.stderr


def test_a_balance_is_explained_exactly(bad_day: Ran) -> None:
    for row in bad_day.rows("balances"):
        found = packet(
            bad_day,
            *("--partner", row["partner_id"], "--asset", row["asset"]),
            *("--environment", row["environment"], "--from", "2026-06-30", "--to", "2026-07-01"),
            command="explain balance",
        )
        assert found["balance_from"] == row["opening"]
        assert found["balance_to"] == row["closing"]
        deltas = [Decimal(entry["delta"]) for entry in found["entries"]]
        difference = Decimal(found["difference"])
        assert sum(deltas, Decimal(0)) == difference
        assert Decimal(row["closing"]) - Decimal(row["opening"]) == difference
        assert sum(Decimal(c["delta"]) for c in found["by_class"]) == difference


def test_every_balance_that_was_reported_is_held_against_the_ledger(reported: Ran) -> None:
    def asked(asset: str) -> tuple[str, ...]:
        which = ("--partner", "default", "--asset", asset)
        return (*which, "--from", "2026-06-29", "--to", "2026-07-01")

    def said(asset: str) -> list[str]:
        lines = run(reported, "explain", "balance", *asked(asset)).stdout.splitlines()
        return [line.strip() for line in lines if "reported" in line]

    at_noon = "reported at 2026-06-30T12:00:00Z"
    assert said("CHF") == []
    assert said("EUR") == [f"{at_noon}: 400.00 EUR"]
    assert said("GBP") == [
        "reported at 2026-06-29T12:00:00Z: 41.00 GBP, differs by +1.00 from the 40.00 of the "
        "ledger: balance_mismatch",
        f"{at_noon}: 40.00 GBP",
    ]
    assert said("USD") == [
        f"{at_noon}: 60.00 USD, one of several for this moment: balance_mismatch",
        f"{at_noon}: 160.00 USD, differs by +100.00 from the 60.00 of the ledger: balance_mismatch",
    ]
    assert said("USDC") == [
        f"{at_noon}: 35.000000 USDC, differs by +5.000000 from the 30.000000 of the ledger: "
        "balance_mismatch",
    ]
    assert said("JPY") == [
        f"{at_noon}: 5 JPY, differs by +5 from the 0 of the ledger: balance_mismatch",
    ]
    (once,) = packet(reported, *asked("EUR"), command="explain balance")["reported"]
    assert once == {
        "as_of": "2026-06-30T12:00:00Z",
        "balance": "400.00",
        "ledger_balance": "400.00",
        "difference": "0.00",
        "findings": [],
    }
    both = packet(reported, *asked("USD"), command="explain balance")["reported"]
    assert [(each["balance"], each["difference"]) for each in both] == [
        ("60.00", "0.00"),
        ("160.00", "100.00"),
    ]
    (finding,) = (r for r in reported.rows("exceptions") if r["asset"] == "USD")
    assert [each["findings"] for each in both] == [
        [{name: finding[name] for name in ("exception_id", "code", "severity", "approval")}]
    ] * 2


def test_the_first_moment_counts_and_the_second_does_not(bad_day: Ran) -> None:
    row = bad_day.rows("balances")[0]
    which = (
        *("--partner", row["partner_id"], "--asset", row["asset"]),
        *("--environment", row["environment"]),
    )
    day = packet(
        bad_day, *which, "--from", "2026-06-01", "--to", "2026-07-01", command="explain balance"
    )
    moment = day["entries"][0]["at"]
    after = packet(
        bad_day, *which, "--from", moment, "--to", "2026-07-01", command="explain balance"
    )
    before = packet(
        bad_day, *which, "--from", "2026-06-01", "--to", moment, command="explain balance"
    )
    assert after["entries"] == day["entries"]
    assert before["entries"] == []


@pytest.mark.parametrize(
    ("more", "exit_code", "expected"),
    [
        (("--from", "2026-07-01", "--to", "2026-06-30"), 2, "swap"),
        (("--from", "yesterday", "--to", "2026-06-30"), 2, "yesterday"),
        (("--from", "2026-06-31", "--to", "2026-07-01"), 2, "2026-06-31"),
    ],
)
def test_moments_that_cannot_be_are_one_line(
    more: tuple[str, ...], exit_code: int, expected: str, bad_day: Ran
) -> None:
    row = bad_day.rows("balances")[0]
    done = run(
        bad_day,
        *("explain", "balance", "--partner", row["partner_id"], "--asset", row["asset"]),
        *more,
    )
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert done.stderr.count("\n") == 1
    assert expected in done.stderr


def test_a_balance_that_is_not_there_names_those_that_are(bad_day: Ran) -> None:
    row = bad_day.rows("balances")[0]
    done = run(
        bad_day,
        *("explain", "balance", "--partner", row["partner_id"], "--asset", "NONE"),
        *("--from", "2026-06-29", "--to", "2026-06-30"),
    )
    assert done.exit_code == 1
    assert f"it has: {row['asset']} in {row['environment']}" in done.stderr


def test_the_state_rule_decides_as_the_close_did(bad_day: Ran, clean: Ran) -> None:
    decided: Counter[str] = Counter()
    for day in (bad_day, clean):
        for row in day.rows("reconciliation"):
            if day is clean and decided[row["reconciliation_state"]]:
                continue
            explained = explain_movement(day.out / WAREHOUSE_NAME, row["movement_id"])
            assert not isinstance(explained, Missing)
            [movement] = [
                movement
                for movement in explained["movements"]
                if movement["movement_id"] == row["movement_id"]
            ]
            [deciding] = [c for c in movement["state_rule"] if c["decides"]]
            assert deciding["holds"]
            assert deciding["state"] == row["reconciliation_state"]
            reached = [row["trade_status"]]
            for step in movement["status_steps"]:
                reached += [step["status"]] if " to " in step["outcome"] else []
            assert reached[-1] == row["effective_status"]
            decided[row["reconciliation_state"]] += 1
    assert {"exception", "matched", "lapsed", "open"} <= decided.keys()


def test_the_steps_lead_to_the_effective_status(bad_day: Ran) -> None:
    row = movement_with(bad_day, "status_lag")
    assert row["trade_status"] != row["effective_status"]
    [movement] = packet(bad_day, row["movement_id"], command="explain movement")["movements"]
    steps = movement["status_steps"]
    assert steps[0]["status"] == row["trade_status"]
    assert steps[-1]["outcome"] == f"{row['trade_status']} to {row['effective_status']}"
    done = run(bad_day, "explain", "movement", row["movement_id"])
    assert "  Effective status" in done.stdout


def test_a_record_on_no_movement_has_no_state(bad_day: Ran) -> None:
    done = run(bad_day, "explain", "movement", subject_of(bad_day, "orphan_event"))
    assert done.exit_code == 1
    assert "on no movement" in done.stderr
