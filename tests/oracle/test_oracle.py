"""The oracle itself: loads, time zones, register, history, comparison, generated exports."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.fault_matrix import CLOSE_DATE, SCENARIOS, write_alone, write_merged
from tests.oracle import OracleResult, StopsTheRunError, close, compare
from tests.oracle.generate import generate
from tests.oracle.reference import CODES

REGISTER = (
    *("code", "subject_type", "subject_id", "environment", "owner", "next_review_date"),
    *("approved_by", "approved_on", "reason", "expires_on", "evidence_hash"),
)
KEY = ("missing_webhook", "trade", "webhook-absent-t")
ROW = dict(zip(REGISTER, (*KEY, "", "ann", "", "bob", "", "seen it", "", ""), strict=True))


def alone(tmp_path: Path, name: str) -> Path:
    return write_alone(tmp_path / name, SCENARIOS[name])


def states(result: OracleResult) -> dict[str, str]:
    return {row["movement_id"]: row["reconciliation_state"] for row in result.movements}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("clean-settled", "matched"),
        ("clean-failed", "matched"),
        ("clean-reserved", "open"),
        ("clean-lapsed", "lapsed"),
        ("quote-absent-but-abandoned", "lapsed"),
        ("quote-absent-within-grace", "open"),
        ("trade-absent-accepted-at-cut-off", "open"),
        ("trade-reserved-at-cut-off", "open"),
        ("webhook-at-cut-off", "matched"),
        ("webhook-absent", "exception"),
        ("secret-in-a-row", "exception"),
        ("accepted-just-after-expiry", "exception"),
    ],
)
def test_states(tmp_path: Path, name: str, state: str) -> None:
    assert set(states(close(alone(tmp_path, name), CLOSE_DATE)).values()) == {state}


def test_environment_and_partner_come_from_what_is_joined(tmp_path: Path) -> None:
    """One step: what the quote says, for the trade as for its entries."""
    result = close(alone(tmp_path, "environment-said-once"), CLOSE_DATE)
    assert [row["environment"] for row in result.movements] == ["test"]
    assert {(row["environment"], row["partner_id"]) for row in result.balances} == {
        ("test", "environment-said-once")
    }


def test_later_content_of_a_path_is_named_by_its_hash(tmp_path: Path) -> None:
    first = alone(tmp_path, "clean-settled")
    second = write_alone(tmp_path / "second", SCENARIOS["clean-settled"])
    path = second / "balances.csv"
    path.write_text("asset,balance,as_of\nEUR,1e3,2026-06-30T10:00Z\n", encoding="utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    result = close([first, second], CLOSE_DATE)
    assert result.keys == {("quarantined_row", "export_row", f"balances.csv@{digest}:1")}
    assert close([first, second, first], CLOSE_DATE).conservation == result.conservation


def test_cut_off_of_a_time_zone(tmp_path: Path) -> None:
    exports = alone(tmp_path, "webhook-last-second")
    assert close(exports, CLOSE_DATE, time_zone="America/New_York").keys == {
        ("unprocessed_event", "event", "webhook-last-second-e")
    }
    assert close(exports, CLOSE_DATE, time_zone="Europe/Berlin").keys == {
        ("cutoff_timing_difference", "trade", "webhook-last-second-t")
    }


def test_a_required_export_without_files_stops_the_run(tmp_path: Path) -> None:
    exports = alone(tmp_path, "clean-settled")
    (exports / "events.csv").unlink()
    with pytest.raises(StopsTheRunError):
        close(exports, CLOSE_DATE)


@pytest.mark.parametrize(
    ("changes", "approval"),
    [
        ({}, "approved"),
        ({"approved_by": ""}, "none"),
        ({"reason": ""}, "rejected"),
        ({"approved_by": "ANN"}, "rejected"),
        ({"approved_by": "ann \t l", "owner": "Ann\xa0L"}, "rejected"),
        ({"approved_by": "an n"}, "approved"),
        ({"approved_by": "ΝΊΚΟΣ", "owner": "Νίκος"}, "rejected"),
        ({"approved_by": "JO WEISS", "owner": "Jo Weiß"}, "rejected"),
        ({"approved_by": "Jo Weis", "owner": "Jo Weiß"}, "approved"),
        ({"approved_by": "\xa0"}, "none"),
        ({"approved_by": "ANN", "expires_on": "2026-06-29"}, "rejected"),
        ({"expires_on": "2026-06-29"}, "expired"),
        ({"expires_on": "2026-06-29", "evidence_hash": "x"}, "expired"),
        ({"expires_on": "2026-06-30"}, "approved"),
        ({"evidence_hash": "x"}, "stale"),
        ({"environment": "live"}, "approved"),
        ({"environment": "test"}, "none"),
    ],
)
def test_register(tmp_path: Path, changes: dict[str, str], approval: str) -> None:
    register = write_csv(tmp_path / "register.csv", [{**ROW, **changes}])
    result = close(alone(tmp_path, "webhook-absent"), CLOSE_DATE, register=register)
    assert [each.approval for each in result.reviewed] == [approval]
    is_approved = approval == "approved"
    assert states(result)["webhook-absent-t"] == ("approved" if is_approved else "exception")
    assert result.checklist["webhook_gaps_confirmed"] == (is_approved, 1, int(is_approved))
    assert bool(result.unmatched_register_rows) == ("test" in changes.values())


def test_two_register_rows_for_one_finding_stop_the_run(tmp_path: Path) -> None:
    register = write_csv(tmp_path / "register.csv", [ROW, {**ROW, "environment": "live"}])
    with pytest.raises(StopsTheRunError):
        close(alone(tmp_path, "webhook-absent"), CLOSE_DATE, register=register)


def test_history(tmp_path: Path) -> None:
    days = {day: date(2026, 6, day) for day in range(20, 31)}
    shown, gone = frozenset({KEY}), frozenset[Any]()
    exports = alone(tmp_path, "webhook-absent")
    cases = [
        ([], 30, 30),
        ([(29, shown)], 29, 29),
        ([(28, shown), (29, gone)], 28, 30),
        ([(27, shown), (28, gone), (29, shown)], 27, 29),
        ([(29, shown), (29, gone)], 30, 30),
        ([(30, shown)], 30, 30),
    ]
    for closes, opened, reviewed in cases:
        history = [(days[day], keys) for day, keys in closes]
        (found,) = close(exports, CLOSE_DATE, history=history).reviewed
        assert (found.opened_on, found.reviewed_from) == (days[opened], days[reviewed]), closes
    overdue = close(exports, CLOSE_DATE, history=[(days[28], shown), (days[29], shown)])
    assert overdue.checklist["exceptions_owned_and_reviewed"][0] is False


def write_csv(path: Path, rows: list[dict[str, Any]], *columns: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns or list(rows[0]), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def publish(result: OracleResult, package: Path) -> None:
    """The files of a package that says exactly what the oracle says."""
    findings = [
        {
            "code": each.finding.code,
            "severity": each.finding.severity,
            "environment": each.finding.environment,
            "subject_type": each.finding.subject_type,
            "subject_id": each.finding.subject_id,
            "approval": each.approval,
            "opened_on": each.opened_on,
            "next_review_date": each.next_review_date,
        }
        for each in result.reviewed
    ]
    rules = [
        {"rule": rule, "holds": str(holds).lower(), "findings": count, "approved": approved}
        for rule, (holds, count, approved) in result.checklist.items()
    ]
    write_csv(package / "exceptions.csv", findings)
    write_csv(package / "reconciliation.csv", result.movements)
    write_csv(package / "checklist.csv", rules)
    write_csv(package / "balances.csv", result.balances)
    write_csv(package / "conservation.csv", result.conservation)


def test_comparison_sees_every_difference(tmp_path: Path) -> None:
    result = close(write_merged(tmp_path / "exports"), CLOSE_DATE)
    package = tmp_path / "package"
    publish(result, package)
    assert compare(package, result) == []
    for path in package.iterdir():
        kept = path.read_bytes()
        lines = kept.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
        assert compare(package, result), path.name
        path.write_bytes(kept)


def test_generated_exports_are_the_same_for_a_seed(tmp_path: Path) -> None:
    def content(directory: Path) -> dict[str, bytes]:
        files = (path for path in directory.rglob("*") if path.is_file())
        return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}

    first = content(generate(tmp_path / "a", 7, mess=0.5))
    assert first == content(generate(tmp_path / "b", 7, mess=0.5))
    assert first != content(generate(tmp_path / "c", 8, mess=0.5))


@pytest.mark.parametrize("seed", range(5))
def test_generated_without_mess_is_clean(tmp_path: Path, seed: int) -> None:
    result = close(generate(tmp_path, seed, mess=0.0), CLOSE_DATE)
    assert result.keys == frozenset()
    assert {row["reconciliation_state"] for row in result.movements} <= {
        "matched",
        "open",
        "lapsed",
    }


def test_generated_mess_reaches_every_code(tmp_path: Path) -> None:
    """Each of a hundred exports conserves its rows and settles every rule."""
    seen: Counter[str] = Counter()
    for seed in range(100):
        exports = generate(tmp_path / str(seed), seed, mess=(0.1, 0.3, 0.6, 1.0)[seed % 4])
        result = close(exports, CLOSE_DATE)
        seen.update({code for code, _, _ in result.keys})
        for row in result.conservation:
            parts = ("staged", "duplicates", "superseded", "quarantined")
            assert row["landed"] == sum(row[part] for part in parts), (seed, row)
    assert set(CODES) - set(seen) == set()
