"""`pool-recon diff`: what changed between two packages, exactly, and why."""

from __future__ import annotations

import json
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pool_recon.audit import compare
from pool_recon.audit.text import TOP_ROWS, difference_json, difference_text
from pool_recon.errors import CloseError
from tests.end_to_end.closing import Ran, documented_keys, pool_recon
from tests.end_to_end.packages import Rows, copied, edit, manifest_of, sign


def told(a: Path, b: Path) -> dict[str, Any]:
    """The whole difference, as --json has it."""
    with compare(a, b) as difference:
        content: dict[str, Any] = json.loads("".join(difference_json(difference)))
        return content


def said(a: Path, b: Path) -> list[str]:
    """The difference as a person reads it."""
    with compare(a, b) as difference:
        return difference_text(difference)


def causes(a: Path, b: Path) -> dict[str, str]:
    with compare(a, b) as difference:
        return {cause.kind: cause.message for cause in difference.causes}


@pytest.fixture
def before(bad_day: Ran, tmp_path: Path) -> Path:
    return copied(bad_day.package, tmp_path / "before")


@pytest.fixture
def after(bad_day: Ran, tmp_path: Path) -> Path:
    return copied(bad_day.package, tmp_path / "after")


def test_the_same_package_twice(before: Path, after: Path, tmp_path: Path) -> None:
    ran = pool_recon("diff", before, after, out=tmp_path)
    assert ran.exit_code == 0, ran.stderr
    assert "No difference: every file is the same, byte for byte." in ran.stdout
    content = told(before, after)
    assert content["different"] is False
    assert not any(content["rows"].values())


def test_movements(before: Path, after: Path) -> None:
    kept: Rows = []
    edit(before, "reconciliation", lambda rows: kept.extend(dict(row) for row in rows))
    gone, moved_before, other_before, trade = [row for row in kept if row["trade_status"]][:4]
    amount = moved_before["source_amount"]
    order = trade | {
        "movement_id": trade["partner_order_id"],
        "transact_id": "",
        "trade_status": "",
        "reconciliation_state": "exception",
    }
    edit(before, "reconciliation", lambda _rows: [gone, moved_before, other_before, order])
    edit(
        after,
        "reconciliation",
        lambda _rows: [
            moved_before
            | {
                "reconciliation_state": "lapsed",
                "source_amount": f"{amount}5",
                "ledger_source_net": "",
            },
            other_before | {"product_state": "another"},
            trade
            | {
                "movement_id": "t_new",
                "transact_id": "t_new",
                "reconciliation_state": "matched",
            },
        ],
    )
    content = told(sign(before), sign(after))
    assert content["counts"]["movements"] == {
        "new": 1,
        "gone": 2,
        "changed": 2,
        "as before": 0,
        "live on": 1,
        "state changed": 1,
    }
    rows = {row["movement_id"]: row for row in content["rows"]["movements"]}
    moved = rows[moved_before["movement_id"]]
    differences = {entry["column"]: entry for entry in moved["differences"]}
    assert differences["source_amount"]["a"] == amount
    exact = Decimal(f"{amount}5") - Decimal(amount)
    assert differences["source_amount"]["difference"] == str(exact)
    assert differences["ledger_source_net"]["b"] is None
    assert "difference" not in differences["ledger_source_net"]
    assert differences["reconciliation_state"]["b"] == "lapsed"
    assert rows[other_before["movement_id"]]["differences"] == [
        {"column": "product_state", "a": other_before["product_state"], "b": "another"}
    ]
    (heir,) = (row["lives_on_as"] for row in rows.values() if row["lives_on_as"])
    assert heir == "t_new"
    states = {"reconciliation_state_a": "exception", "lives_on_state": "matched"}
    assert rows[order["movement_id"]].items() >= states.items()
    line = f"gone     order {order['movement_id']} (exception), lives on as t_new (matched)"
    assert f"  {line}" in said(before, after)
    # What changed its state comes first.
    assert content["rows"]["movements"][0]["movement_id"] == moved_before["movement_id"]


def test_findings(before: Path, after: Path) -> None:
    kept: Rows = []
    edit(before, "exceptions", lambda rows: kept.extend(dict(row) for row in rows))
    changed, resolved, new, reopened = kept[:4]
    edit(before, "exceptions", lambda _rows: [changed, resolved])
    later = dict(
        changed,
        owner="Ada",
        approval="approved",
        approved_by="Bob",
        age_days="9",
        amount_at_risk="7.50",
    )
    edit(
        after,
        "exceptions",
        lambda _rows: [later, dict(new), dict(reopened, opened_on="2026-06-01")],
    )
    content = told(sign(before), sign(after))
    assert content["counts"]["findings"] == {
        "new": 1,
        "reopened": 1,
        "resolved": 1,
        "changed": 1,
        "as before": 0,
    }
    rows = {row["exception_id"]: row for row in content["rows"]["findings"]}
    assert rows[new["exception_id"]]["change"] == "new"
    assert rows[reopened["exception_id"]]["change"] == "reopened"
    assert rows[resolved["exception_id"]]["change"] == "resolved"
    columns = {entry["column"] for entry in rows[changed["exception_id"]]["differences"]}
    # An age alone is no change, and is not told with others.
    assert columns == {"owner", "approval", "approved_by", "amount_at_risk"}
    risk = [row for row in content["money_at_risk"] if row["standing"] == "approved"]
    assert [(row["a"], row["b"], row["difference"]) for row in risk] == [(None, "7.50", "7.50")]
    edit(before, "exceptions", lambda _rows: [changed])
    edit(after, "exceptions", lambda _rows: [dict(changed, age_days="9")])
    assert not told(sign(before), sign(after))["rows"]["findings"]


def test_the_largest_of_every_asset_comes_first(before: Path, after: Path) -> None:
    kept: Rows = []
    edit(before, "exceptions", lambda rows: kept.extend(dict(row) for row in rows))
    amounts = (("ETH", "16"), ("USDC", "5056"), ("USDC", "4000"), ("ETH", "15"), ("", ""))
    others = [
        row | {"asset": asset, "amount_at_risk": amount, "severity": "blocking", "approval": "none"}
        for row, (asset, amount) in zip(kept[1:], amounts, strict=False)
    ]
    edit(before, "exceptions", lambda _rows: [kept[0]])
    edit(after, "exceptions", lambda _rows: [kept[0], *others])
    lines = said(sign(before), sign(after))
    shown = re.findall(r", (\d+ [A-Z]+), ", "\n".join(lines))
    assert shown[:2] in (["16 ETH", "5056 USDC"], ["5056 USDC", "16 ETH"])
    assert set(shown[2:]) == {"4000 USDC", "15 ETH"}


def test_control_totals_say_that_approved_findings_are_in_them(before: Path, after: Path) -> None:
    edit(after, "exceptions", lambda rows: rows[1:])

    def other(manifest: dict[str, Any]) -> None:
        manifest["control_totals"] |= {"findings.blocking": "1", "findings.warning": "2"}

    lines = said(before, sign(after, other))
    for severity in ("blocking", "warning"):
        start = f"  findings.{severity} (approved ones too): "
        assert any(line.startswith(start) for line in lines)


def test_rules_balances_and_records(before: Path, after: Path) -> None:
    edit(after, "checklist", lambda rows: rows[0].update(holds="true", findings="0"))
    edit(after, "balances", lambda rows: rows[0].update(closing="-0.01"))
    edit(after, "quotes", lambda rows: rows[1:])
    edit(after, "events", lambda rows: rows[0].update(processed_at="2026-06-30T00:00:00Z"))
    content = told(before, sign(after))
    (rule,) = content["rows"]["rules"]
    assert (rule["holds_a"], rule["holds_b"]) == ("false", "true")
    (balance,) = content["rows"]["balances"]
    (closing,) = balance["differences"]
    assert closing["column"] == "closing"
    exact = Decimal(closing["b"]) - Decimal(closing["a"])
    assert closing["difference"] == str(exact)
    assert content["counts"]["quotes"]["gone"] == 1
    assert content["counts"]["events"]["changed"] == 1
    assert (
        content["counts"]["orders"]["as before"]
        == len((after / "orders.csv").read_text(encoding="utf-8").splitlines()) - 1
    )
    text = said(before, after)
    assert f"  {rule['rule']}: does not hold -> holds" in text
    assert any(line.startswith("  quotes ") and "1 gone" in line for line in text)


def test_equal_register_rows(before: Path, after: Path) -> None:
    row = {"code": "missing_trade", "subject_type": "order", "subject_id": "o1", "matched": "false"}

    def register(package: Path, *reasons: str, first: int = 2) -> Path:
        lines = enumerate(reasons, start=first)
        rows = [row | {"line_number": str(line), "reason": reason} for line, reason in lines]
        edit(package, "register", lambda _rows: rows)
        return sign(package)

    def counts() -> dict[str, int]:
        found: dict[str, int] = told(before, after)["counts"]["register"]
        return found

    register(before, "seen", "seen")
    # A line above them is no change of them.
    register(after, "seen", "seen", first=3)
    assert counts() == {"new": 0, "gone": 0, "changed": 0, "as before": 2}
    # The tenth line comes after the ninth.
    register(after, "seen", "heard", "seen", first=9)
    assert counts() == {"new": 1, "gone": 0, "changed": 1, "as before": 1}
    changed, new = told(before, after)["rows"]["register"]
    assert (new["occurrence"], changed["occurrence"]) == (3, 2)
    assert [each["column"] for each in changed["differences"]] == ["reason"]
    register(after, "seen")
    assert counts() == {"new": 0, "gone": 1, "changed": 0, "as before": 1}


def test_why(before: Path, after: Path) -> None:
    # Nothing that a manifest names: one of them was changed, and its manifest with it.
    edit(after, "orders", lambda rows: rows[1:])
    assert list(causes(before, sign(after))) == ["unknown"]
    sign(after, lambda manifest: manifest["close"].update(close_date="2026-07-01"))
    assert list(causes(before, after)) == ["date", "nothing else"]

    def other(manifest: dict[str, Any]) -> None:
        inputs = manifest["inputs"]
        inputs[0].update(sha256="0" * 64)
        inputs.append(dict(inputs[1], path="orders/new.csv", rows=1))
        del inputs[2]
        manifest["register"] = {"file": "r.csv", "rows": 2, "sha256": "ab" * 32, "size_bytes": 1}
        manifest["settings"]["grace_period_seconds"] = 60
        for name in ("seeds/ref_findings.csv", "macros", "pool_recon"):
            manifest["project"][name] = "0" * 64
        manifest["versions"] = {"duckdb": "9", "zlib": "1"}
        manifest["close"]["time_zone"] = "Asia/Tokyo"

    found = causes(before, sign(after, other))
    assert found["time zone"] == "UTC -> Asia/Tokyo"
    assert found["new files"].endswith("landed in B and not in A: orders 1 (1 row)")
    assert found["newer versions of files"].startswith("1 landed in B with another content")
    assert found["files not there"].startswith("2 landed in A and not in B")
    assert found["register"] == "none -> r.csv (rows: 2, SHA-256 abababab)"
    assert found["settings"] == "grace_period_seconds 3600 -> 60"
    assert found["reference data"] == "seeds/ref_findings.csv"
    assert found["rules"] == "macros"
    assert found["program"] == "pool_recon"
    versions = manifest_of(before)["versions"]
    assert f"duckdb {versions['duckdb']} -> 9" in found["versions"]
    assert f"dbt-core {versions['dbt-core']} -> none" in found["versions"]
    assert found["versions"].endswith(", zlib none -> 1")


def test_a_damaged_package_is_compared_as_it_is_and_named(before: Path, after: Path) -> None:
    edit(after, "orders", lambda rows: rows[1:])
    content = told(before, after)
    assert content["counts"]["orders"]["gone"] == 1
    assert any("orders.csv was changed" in note for note in content["notes"])
    (after / "trades.csv").unlink()
    content = told(before, after)
    assert any("trades.csv is missing" in note for note in content["notes"])
    assert "trades" not in content["counts"]
    lines = said(before, after)
    assert any(line.startswith("  orders ") for line in lines)
    assert not any(line.startswith("No row ") for line in lines)
    manifest = after / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"UTC", b"UTD"))
    with pytest.raises(CloseError, match=r"manifest\.json was changed"):
        told(before, after)


def test_what_is_not_compared_is_not_said_to_be_equal(before: Path, after: Path) -> None:
    edit(after, "orders", lambda rows: [*rows[1:], rows[0]])
    assert "No row of any file differs." in said(before, sign(after))
    (after / "trades.csv").unlink()
    lines = said(before, after)
    assert "No row of any file differs." not in lines
    assert "No row differs in the files that could be compared: see the notes." in lines


def test_a_short_text_and_the_whole_of_it(before: Path, after: Path, tmp_path: Path) -> None:
    edit(after, "reconciliation", lambda rows: [row | {"finding_codes": "x"} for row in rows])
    sign(after)
    ran = pool_recon("diff", before, after, out=tmp_path)
    assert ran.exit_code == 1, ran.stderr
    lines = ran.stdout.splitlines()
    assert sum(line.startswith("  changed  ") for line in lines) == TOP_ROWS
    count = manifest_of(before)["control_totals"]["movements"]
    assert f"Movements  0 new, 0 gone, {count} changed, 0 as before" in lines
    assert f"  and {int(count) - TOP_ROWS} more" in lines
    ran = pool_recon("diff", before, after, "--json", out=tmp_path)
    assert ran.exit_code == 1
    told = json.loads(ran.stdout)
    assert list(told) == [
        *("schema_version", "command", "different", "a", "b", "why", "notes", "files", "counts"),
        *("states", "money_at_risk", "control_totals", "restated_balances", "rows"),
    ]
    assert (told["schema_version"], told["command"]) == (1, "diff")
    assert documented_keys("diff") >= {*told, *told["why"][0]}
    assert len(told["rows"]["movements"]) == int(count)
    ran = pool_recon("diff", before, tmp_path, out=tmp_path)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert os.fspath(tmp_path) in ran.stderr
