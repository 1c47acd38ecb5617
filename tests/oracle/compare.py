"""The oracle's result against the CSV files of a close package."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from .oracle import OracleResult
from .reference import MINOR_UNITS

# published amount -> the column with its asset
ASSET_OF = {
    "source_amount": "source_asset",
    "target_amount": "target_asset",
    "ledger_source_net": "source_asset",
    "ledger_target_net": "target_asset",
}
NUMBERS = {
    "fiat_amount",
    "crypto_amount",
    "quote_clock_seconds",
    "execution_clock_seconds",
    "settlement_clock_seconds",
}


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def compare(package_dir: Path, result: OracleResult) -> list[str]:
    """One line per difference between a package (OUT/YYYY-MM-DD) and the oracle; none: agree."""
    return [
        *compare_findings(read_csv(package_dir / "exceptions.csv"), result),
        *compare_movements(read_csv(package_dir / "reconciliation.csv"), result),
        *compare_checklist(read_csv(package_dir / "checklist.csv"), result),
        *compare_rows(
            "balances",
            read_csv(package_dir / "balances.csv"),
            result.balances,
            ("environment", "partner_id", "asset"),
        ),
        *compare_rows(
            "conservation",
            read_csv(package_dir / "conservation.csv"),
            [{key: str(value) for key, value in row.items()} for row in result.conservation],
            ("export",),
        ),
    ]


def compare_findings(rows: list[dict[str, str]], result: OracleResult) -> list[str]:
    columns = ("code", "subject_type", "subject_id", "environment", "severity", "approval")
    dates = ("opened_on", "next_review_date")
    got: Counter[tuple[str, ...]] = Counter(tuple(row[c] for c in columns + dates) for row in rows)
    wanted: Counter[tuple[str, ...]] = Counter(
        (
            *each.finding.key,
            each.finding.environment,
            each.finding.severity,
            each.approval,
            each.opened_on.isoformat(),
            each.next_review_date.isoformat(),
        )
        for each in result.reviewed
    )
    return [
        *(f"finding only in the oracle: {key}" for key in sorted((wanted - got).elements())),
        *(f"finding only in the package: {key}" for key in sorted((got - wanted).elements())),
    ]


def compare_amounts_at_risk(package_dir: Path, result: OracleResult) -> list[str]:
    """Of the findings that both have: amounts at risk that are not the same number."""
    published = {
        (row["code"], row["subject_type"], row["subject_id"]): row["amount_at_risk"]
        for row in read_csv(package_dir / "exceptions.csv")
    }
    differences = []
    for each in result.reviewed:
        wanted, got = each.finding.amount_at_risk, published.get(each.finding.key)
        if got is not None and wanted != (Decimal(got) if got else None):
            differences.append(f"{each.finding.key}: {got!r} at risk, the oracle has {wanted}")
    return differences


def compare_movements(rows: list[dict[str, str]], result: OracleResult) -> list[str]:
    return compare_rows(
        "movement", rows, result.movements, ("movement_id", "environment", "transact_id")
    )


def compare_checklist(rows: list[dict[str, str]], result: OracleResult) -> list[str]:
    wanted = [
        {
            "rule": rule,
            "holds": str(holds).lower(),
            "findings": str(findings),
            "approved": str(approved),
        }
        for rule, (holds, findings, approved) in result.checklist.items()
    ]
    return compare_rows("checklist", rows, wanted, ("rule",))


def compare_rows(
    what: str, got: list[dict[str, str]], wanted: list[dict[str, str]], key: tuple[str, ...]
) -> list[str]:
    """Rows paired by their key, in the order in which several share one; then every column."""
    differences = []

    def grouped(rows: list[dict[str, str]]) -> dict[tuple[str, ...], list[dict[str, str]]]:
        result: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for row in rows:
            result.setdefault(tuple(row[column] for column in key), []).append(row)
        return result

    mine, theirs = grouped(wanted), grouped(got)
    for id_ in sorted(set(mine) | set(theirs)):
        ours, others = mine.get(id_, []), theirs.get(id_, [])
        if len(ours) != len(others):
            differences.append(f"{what} {id_}: {len(others)} rows, the oracle has {len(ours)}")
            continue
        for wanted_row, row in zip(ours, others, strict=True):
            differences += [
                f"{what} {id_}: {column} is {row.get(column)!r}, the oracle has {value!r}"
                for column, value in wanted_row.items()
                if not is_same(column, row.get(column), value, wanted_row)
            ]
    return differences


def is_same(column: str, got: str | None, wanted: str, row: dict[str, Any]) -> bool:
    """The same text; a figure without a known scale may be padded with zeros."""
    if got == wanted:
        return True
    has_scale = column in ASSET_OF and row.get(ASSET_OF[column]) in MINOR_UNITS
    if got and wanted and not has_scale and (column in ASSET_OF or column in NUMBERS):
        try:
            return Decimal(got) == Decimal(wanted)
        except InvalidOperation:
            return False
    return False
