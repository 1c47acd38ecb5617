"""The sample closes, each run once for all the tests that look at it. They look, and no more."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.end_to_end.closing import PREVIOUS, ROOT, Ran, close, close_once, pool_recon
from tests.harness.once import once, share

# How long an example takes is a matter of the machine, and of no test.
settings.register_profile("without_deadline", deadline=None)
settings.load_profile("without_deadline")


@pytest.fixture(scope="session", autouse=True)
def _shared_by_workers(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    share(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session")
def clean() -> Ran:
    """The close of samples/clean."""
    return once("clean", lambda out: close(ROOT / "samples" / "clean", out, is_fresh=True))


@pytest.fixture(scope="session")
def bad_day() -> Ran:
    """The close of samples/bad_day."""
    return once("bad_day", lambda out: close(ROOT / "samples" / "bad_day", out, is_fresh=True))


@pytest.fixture(scope="session")
def two_days() -> Ran:
    """The bad day closed after the day before it, with a finding approved and one stray row."""
    return once("two_days", close_two_days)


def close_two_days(out: Path) -> Ran:
    exports = ROOT / "samples" / "bad_day"
    first = pool_recon(
        *("close", "--exports", exports, "--close-date", PREVIOUS, "--out", out),
        *("--workbook-rows", 5),
        out=out,
    )
    assert first.exit_code == 1, first.stderr
    with (out / PREVIOUS / "exceptions.csv").open(encoding="utf-8", newline="") as stream:
        approved = next(
            row
            for row in csv.DictReader(stream, strict=True)
            if row["severity"] == "blocking" and row["subject_type"] == "trade"
        )
    register = out / "register.csv"
    with register.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            [
                *("code", "subject_type", "subject_id", "environment", "owner"),
                *("next_review_date", "approved_by", "approved_on", "reason", "expires_on"),
            ]
        )
        common = ["", "", "2026-07-05", "Ada Controller", PREVIOUS, "Seen <b>by phone</b>.", ""]
        for subject_id in (approved["subject_id"], "no such trade"):
            writer.writerow([approved["code"], "trade", subject_id, *common])
    second = close(exports, out, "--register", register)
    assert second.exit_code == 1, second.stderr
    return second


# EUR was reported rightly at noon, before its last entry; GBP wrongly a day ago, rightly since; USD
# twice for one moment; USDC wrongly, with what the ledger has at the close; CHF never; of JPY there
# is no entry.
REPORTED = {
    "ledger": "ledger_entry_id,entry_type,asset,amount,effective_at\n"
    "e1,adjustment,EUR,500.00,2026-06-29T10:00:00Z\n"
    "e2,adjustment,EUR,-100.00,2026-06-30T01:01:00Z\n"
    "e3,adjustment,EUR,7.00,2026-06-30T15:00:00Z\n"
    "g1,adjustment,GBP,40.00,2026-06-29T10:00:00Z\n"
    "d1,adjustment,USD,60.00,2026-06-29T10:00:00Z\n"
    "c1,adjustment,USDC,30.00,2026-06-29T10:00:00Z\n"
    "c2,adjustment,USDC,5.00,2026-06-30T15:00:00Z\n"
    "f1,adjustment,CHF,1.00,2026-06-29T10:00:00Z\n",
    "balances": "asset,balance,as_of\n"
    "EUR,400.00,2026-06-30T12:00:00Z\n"
    "GBP,41.00,2026-06-29T12:00:00Z\n"
    "GBP,40.00,2026-06-30T12:00:00Z\n"
    "USD,60.00,2026-06-30T12:00:00Z\n"
    "USD,160.00,2026-06-30T12:00:00Z\n"
    "USDC,35.00,2026-06-30T12:00:00Z\n"
    "JPY,5,2026-06-30T12:00:00Z\n",
    **{
        name: f"{columns}\n"
        for name, columns in (
            ("orders", "partner_order_id,created_at,product_state"),
            ("quotes", "quote_id,pool_id,source_amount,target_amount,expires_at"),
            ("trades", "transact_id,quote_id,idempotency_key,status"),
            ("events", "event_id,transact_id,quote_id,status,received_at"),
        )
    },
}


@pytest.fixture(scope="session")
def reported() -> Ran:
    """The close of a few balances that were reported, rightly and wrongly."""

    return close_once("reported", REPORTED)


# Of the payments of the reference pay one can be read, one has no amount and one no asset; of its
# credits one holds a secret and has a second version, one is a later one, one has no amount. The
# second rows of order o1 and trade t1 cannot be read, and the event of t1 holds a secret.
FUNDED = {
    "orders": "partner_order_id,created_at,product_state\n"
    "o1,2026-06-30T10:00:00Z,pending\no1,soon,pending\n",
    "quotes": "quote_id,pool_id,source_amount,target_amount,expires_at,partner_order_id,created_at,"
    "accepted_at\n"
    "q1,EUR-USDC,100,99,2026-07-02T00:00:00Z,o1,2026-06-30T10:00:00Z,2026-06-30T10:00:00Z\n",
    "trades": "transact_id,quote_id,idempotency_key,status,reserved_at\n"
    "t1,q1,k1,reserved,2026-06-30T10:00:00Z\nt1,q1,k1,unheard of,2026-06-30T10:00:00Z\n",
    "events": "event_id,transact_id,status,received_at,signature_result,payload_ref\n"
    "v1,t1,reserved,2026-06-30T10:00:00Z,valid,sk_live_abcdefgh12345678\n",
    "ledger": "ledger_entry_id,entry_type,asset,amount,effective_at,funding_reference,request_id\n"
    "c1,payin_credit,EUR,50,2026-06-30T10:00:00Z,pay,sk_live_abcdefgh12345678\n"
    "c1,payin_credit,EUR,60,2026-06-30T10:00:00Z,pay,\n"
    "c2,payin_credit,EUR,70,2026-07-01T00:00:00Z,pay,\n"
    "c3,payin_credit,EUR,many,2026-06-30T10:00:00Z,pay,\n",
    "funding": "funding_reference,asset,amount,status,confirmed_at\n"
    "pay,EUR,50,confirmed,2026-06-30T09:00:00Z\n"
    "pay,EUR,many,confirmed,2026-06-30T09:01:00Z\n"
    "pay,,80,confirmed,2026-06-30T09:02:00Z\n",
}


@pytest.fixture(scope="session")
def funded() -> Ran:
    """The close of a funding reference, of which not every row counts."""

    return close_once("funded", FUNDED, in_brief=True)
