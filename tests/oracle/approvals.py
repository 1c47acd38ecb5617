"""The exception register and the history of closes: approval, owner, opening, review date."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from .findings import Finding
from .landing import StopsTheRunError
from .reference import REVIEW_DAYS

Key = tuple[str, str, str]
History = Sequence[tuple[date, frozenset[Key]]]


@dataclass(frozen=True)
class ReviewedFinding:
    """A finding as finance sees it at one close."""

    finding: Finding
    approval: str
    approved_by: str
    owner: str
    opened_on: date
    reviewed_from: date
    next_review_date: date

    @property
    def is_approved(self) -> bool:
        return self.approval == "approved"


def read_register(register: Path | None) -> list[dict[str, str]]:
    if register is None:
        return []
    with register.open(encoding="utf-8-sig", newline="") as lines:
        return [
            {column: (text or "").strip() for column, text in row.items()}
            for row in csv.DictReader(lines)
        ]


def matches(row: dict[str, str], finding: Finding) -> bool:
    """The same code and subject; an empty environment is any."""
    return (row["code"], row["subject_type"], row["subject_id"]) == finding.key and row[
        "environment"
    ] in ("", finding.environment)


def judge(
    row: dict[str, str] | None, finding: Finding, owner: str, close_date: date, evidence: str
) -> str:
    """none, rejected before expired before stale, approved."""
    if row is None or not row["approved_by"]:
        return "none"
    is_self_approved = row["approved_by"].casefold().split() == owner.casefold().split()
    if not row["reason"] or is_self_approved or finding.code == "secret_exposed":
        return "rejected"
    if row["expires_on"] and date.fromisoformat(row["expires_on"]) < close_date:
        return "expired"
    if row.get("evidence_hash") and row["evidence_hash"] != evidence:
        return "stale"
    return "approved"


def open_since(history: History, key: Key, close_date: date) -> tuple[date, date]:
    """First close date that showed it, and that of its present unbroken run.

    Of each earlier close date the last close counts; the others do not exist.
    """
    shown = {day: key in keys for day, keys in history if day < close_date}
    opened_on = reviewed_from = close_date
    for day in sorted(shown, reverse=True):
        if not shown[day]:
            break
        reviewed_from = day
    if any(shown.values()):
        opened_on = min(day for day, is_shown in shown.items() if is_shown)
    return opened_on, reviewed_from


def review(
    findings: Sequence[Finding],
    close_date: date,
    register: Path | None = None,
    history: History = (),
    owners: Mapping[str, str] | None = None,
    evidence: Mapping[Key, str] | None = None,
) -> tuple[list[ReviewedFinding], list[dict[str, str]]]:
    """The findings with their approvals, and the register rows that match none."""
    rows = read_register(register)
    reviewed = []
    for finding in findings:
        mine = [row for row in rows if matches(row, finding)]
        if len(mine) > 1:
            raise StopsTheRunError(f"two register rows for {finding.key}")
        row = mine[0] if mine else None
        owner = (row["owner"] if row else "") or (owners or {}).get(finding.code, "the code's")
        opened_on, reviewed_from = open_since(history, finding.key, close_date)
        next_review = reviewed_from + timedelta(days=REVIEW_DAYS[finding.severity])
        if row and row["next_review_date"]:
            next_review = date.fromisoformat(row["next_review_date"])
        approval = judge(row, finding, owner, close_date, (evidence or {}).get(finding.key, ""))
        reviewed.append(
            ReviewedFinding(
                finding,
                approval,
                row["approved_by"] if row else "",
                owner,
                opened_on,
                reviewed_from,
                next_review,
            )
        )
    unmatched = [row for row in rows if not any(matches(row, finding) for finding in findings)]
    return reviewed, unmatched
