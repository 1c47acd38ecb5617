"""Landed rows to typed rows: one reader per kind of value, quarantine, duplicates, versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from .landing import LandedRow, Landing
from .reference import (
    COLUMNS,
    DEFAULT_ENVIRONMENT,
    DEFAULT_PARTNER,
    EXPORTS,
    FLAGS,
    MAY_BE_EMPTY,
    VOCABULARIES,
)

ASCII_SPACE = " \t\n\r\v\f"
AMOUNT = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,18})?")
AMOUNT_OF_ANY_LENGTH = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
WORD = re.compile(r"[A-Za-z][A-Za-z _-]*")
TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:(Z)|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)


class UnreadableError(Exception):
    """The reason why a value cannot be read exactly."""


@dataclass
class Row:
    """A typed row. `values` holds what the row itself says, None where it does not say."""

    landed: LandedRow
    values: dict[str, Any]
    resolved: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    @property
    def env(self) -> str:
        return self.resolved["environment"]

    @property
    def partner(self) -> str:
        return self.resolved["partner_id"]

    def changed(self, **values: Any) -> Row:
        return Row(self.landed, {**self.values, **values})


@dataclass
class Staged:
    """The typed rows of each export in load order, and the rows in quarantine with reasons."""

    rows: dict[str, list[Row]]
    quarantined: dict[str, list[tuple[LandedRow, list[str]]]]


def stage(landing: Landing) -> Staged:
    staged = Staged({export: [] for export in EXPORTS}, {export: [] for export in EXPORTS})
    for export in EXPORTS:
        for landed in landing.rows[export]:
            values, reasons = read_row(landed)
            if reasons:
                staged.quarantined[export].append((landed, reasons))
            else:
                staged.rows[export].append(Row(landed, values))
    return staged


def read_row(landed: LandedRow) -> tuple[dict[str, Any], list[str]]:
    """The values of a row, and every reason why it cannot be read."""
    if landed.malformed:
        return {}, ["malformed_row"]
    values: dict[str, Any] = {}
    reasons = set()
    for column, kind in COLUMNS[landed.export].items():
        text = (landed.texts.get(column) or "").strip(ASCII_SPACE)
        values[column] = None
        if text:
            try:
                values[column] = read_value(kind.lstrip("*"), text)
            except UnreadableError as reason:
                reasons.add(str(reason))
        elif kind.startswith("*") and (landed.export, column) not in MAY_BE_EMPTY:
            reasons.add("missing_required_value")
    apply_defaults(landed.export, values)
    return values, sorted(reasons)


def apply_defaults(export: str, values: dict[str, Any]) -> None:
    """What an absent value means; a side, environment or partner is resolved by joining."""
    if export == "quotes":
        values["quote_type"] = values["quote_type"] or "firm"
    if export == "events":
        values["source"] = values["source"] or "webhook"
        values["signature_result"] = values["signature_result"] or "missing"


def read_value(kind: str, text: str) -> Any:
    if kind.startswith("word:"):
        if text.lower() not in VOCABULARIES[kind[5:]]:
            raise UnreadableError("unknown_value")
        return text.lower()
    readers: dict[str, Callable[[str], Any]] = {
        "text": str,
        "state": str.lower,
        "time": read_timestamp,
        "amount": read_amount,
        "positive": read_positive,
        "balance": read_balance_after,
        "whole": read_whole,
        "flag": read_flag,
    }
    return readers[kind](text)


def read_flag(text: str) -> bool:
    if text.lower() not in FLAGS:
        raise UnreadableError("unknown_value")
    return FLAGS[text.lower()]


def read_amount(text: str) -> Decimal:
    if AMOUNT.fullmatch(text):
        return Decimal(text)
    only_length = AMOUNT_OF_ANY_LENGTH.fullmatch(text)
    raise UnreadableError("amount_out_of_range" if only_length else "invalid_amount")


def read_positive(text: str) -> Decimal:
    if AMOUNT_OF_ANY_LENGTH.fullmatch(text) and Decimal(text) <= 0:
        raise UnreadableError("invalid_amount")
    return read_amount(text)


def read_whole(text: str) -> int:
    if not WHOLE.fullmatch(text):
        only_length = re.fullmatch(r"[+-]?[0-9]+", text)
        raise UnreadableError("amount_out_of_range" if only_length else "invalid_amount")
    return int(text)


def read_balance_after(text: str) -> Decimal | None:
    if WORD.fullmatch(text) and text.lower() not in ("nan", "inf", "infinity"):
        return None
    return read_amount(text)


def read_timestamp(text: str) -> datetime:
    """An instant in UTC, to the microsecond, further digits cut."""
    match = TIMESTAMP.fullmatch(text)
    if not match:
        raise UnreadableError("invalid_timestamp")
    year, month, day, hour, minute, second, fraction, _, sign, off_hour, off_minute = match.groups()
    try:
        offset = timedelta(hours=int(off_hour or 0), minutes=int(off_minute or 0))
        if int(off_hour or 0) > 23 or int(off_minute or 0) > 59:
            raise UnreadableError("invalid_timestamp")
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            int((fraction or "").ljust(6, "0")[:6]),
            tzinfo=timezone(-offset if sign == "-" else offset),
        ).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableError("invalid_timestamp") from error


# --- ids, contents, versions -------------------------------------------------------------------

EVENT_CONTENT = (
    "transact_id",
    "quote_id",
    "status",
    "occurred_at",
    "environment",
    "partner_id",
)


def id_of(row: Row) -> tuple[Any, ...]:
    """The primary id of a row. A balance takes the default environment and partner."""
    export = row.landed.export
    if export == "funding":
        return (row["funding_reference"], row["confirmed_at"])
    if export == "balances":
        environment = row["environment"] or DEFAULT_ENVIRONMENT
        return (environment, row["partner_id"] or DEFAULT_PARTNER, row["asset"], row["as_of"])
    if export == "pools":
        return (row["environment"], row["partner_id"], row["pool_id"], row["seen_at"])
    return (row[next(iter(COLUMNS[export]))],)


def content_of(row: Row) -> tuple[Any, ...]:
    """What two rows must share to be the same: for events, their six telling columns."""
    if row.landed.export == "events":
        return tuple(row[column] for column in EVENT_CONTENT)
    if row.landed.export == "balances":
        return (*id_of(row), row["balance"])
    return tuple(row.values.values())


def terms_of(row: Row) -> tuple[Any, ...]:
    """The terms of a quote: every column but the two that are filled in later."""
    filled_later = ("accepted_at", "status")
    return tuple(value for column, value in row.values.items() if column not in filled_later)


def by_id(rows: list[Row]) -> dict[Any, list[Row]]:
    """Rows in load order under their id (a bare string where the id is one column)."""
    grouped: dict[Any, list[Row]] = {}
    for row in rows:
        key = id_of(row)
        grouped.setdefault(key[0] if len(key) == 1 else key, []).append(row)
    return grouped


def version_order(row: Row) -> tuple[Any, ...]:
    """By updated_at, absent first, then load order (funding has no updated_at)."""
    updated_at = row.values.get("updated_at")
    return (updated_at is not None, updated_at or datetime.min, row.landed.load_order)


def versions_of(rows: list[Row]) -> list[Row]:
    """The versions in order, without rows that repeat the version before them."""
    versions: list[Row] = []
    for row in sorted(rows, key=version_order):
        if not versions or content_of(versions[-1]) != content_of(row):
            versions.append(row)
    return versions


def counted_versions(rows: list[Row], cut_off: datetime) -> list[Row]:
    """The versions that count for a close; where all come too late, the earliest does."""
    versions = versions_of(rows)
    in_time = [v for v in versions if v["updated_at"] is None or v["updated_at"] < cut_off]
    return in_time or versions[:1]


def conserve(landing: Landing, staged: Staged) -> list[dict[str, Any]]:
    """Landed = staged + duplicates + superseded + quarantined, over all landed rows."""
    result = []
    for export in EXPORTS:
        grouped = by_id(staged.rows[export])
        duplicates = 0
        for rows in grouped.values():
            if export in ("orders", "trades", "funding"):
                duplicates += len(rows) - len(versions_of(rows))
            else:
                duplicates += len(rows) - len({content_of(row) for row in rows})
        result.append(
            {
                "export": export,
                "landed": len(landing.rows[export]),
                "staged": len(grouped),
                "duplicates": duplicates,
                "superseded": len(staged.rows[export]) - len(grouped) - duplicates,
                "quarantined": len(staged.quarantined[export]),
            }
        )
    return result
