"""Why a balance moved between two moments."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from pool_recon.blanks import BLANK
from pool_recon.errors import CloseError
from pool_recon.exact import EXACT, total
from pool_recon.midnights import midnight
from pool_recon.trace.nearest import LIMIT
from pool_recon.trace.reader import (
    SCHEMA_VERSION,
    Missing,
    Packet,
    Reader,
    Row,
    moment_text,
    reading,
)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)


def explain_balance(
    warehouse: Path, *, partner: str, asset: str, environment: str, begin: str, end: str
) -> Packet | Missing:
    """The entries that make up the difference of a balance between two moments, exactly.

    A balance at a moment is the sum of all deltas before it, so an entry at `begin` counts and one
    at `end` does not. A date alone is the start of that date in the business time zone. Names are
    trimmed as those of the exports are, and of the environment the case does not count.

    Raises:
        CloseError: a moment cannot be read, `begin` is after `end`, `end` is after the cut-off of
            the close, or there is no closed warehouse.
    """
    partner, asset = partner.strip(BLANK), asset.strip(BLANK)
    environment = environment.strip(BLANK).lower()
    with reading(warehouse, partner) as reader:
        first, last = _moment(reader, begin, "--from"), _moment(reader, end, "--to")
        if first > last:
            raise CloseError(f"--from {begin} is after --to {end}: swap them")
        # Entries after the cut-off may have landed, but do not exist for the close: the sum of the
        # others is no balance at a later moment.
        if last > reader.cut_off_at:
            raise CloseError(
                f"--to {end} is after the cut-off {moment_text(reader.cut_off_at)} of the close of "
                f"{reader.close_date}, which knows no later entry: give an earlier one, or close "
                "a later date"
            )
        entries = reader.rows(
            "select * from marts.fct_balance_entries where environment = $environment "
            "and partner_id = $partner and asset = $asset and effective_at < $last "
            "order by entry_position",
            environment=environment,
            partner=partner,
            asset=asset,
            last=last,
        )
        if not entries:
            missing = _no_such_balance(reader, environment, partner, asset)
            if missing:
                return missing
        inside = [entry for entry in entries if entry["effective_at"] >= first]
        before = entries[: len(entries) - len(inside)]
        opening = before[-1]["ledger_balance"] if before else Decimal(0)
        closing = entries[-1]["ledger_balance"] if entries else Decimal(0)
        by_class: dict[str, list[Decimal]] = defaultdict(list)
        for entry in inside:
            by_class[entry["entry_class"]].append(entry["delta"])
        return {
            "schema_version": SCHEMA_VERSION,
            "close_date": reader.close_date.isoformat(),
            "cut_off_at": moment_text(reader.cut_off_at),
            "environment": environment,
            "partner_id": partner,
            "asset": asset,
            "from": moment_text(first),
            "to": moment_text(last),
            "balance_from": reader.amount(opening, asset),
            "balance_to": reader.amount(closing, asset),
            "difference": reader.amount(EXACT.subtract(closing, opening), asset),
            "by_class": [
                {
                    "entry_class": entry_class,
                    "entries": len(deltas),
                    "delta": reader.amount(total(deltas), asset),
                }
                for entry_class, deltas in sorted(by_class.items())
            ],
            "entries": [_entry(reader, entry, asset) for entry in inside],
            "reported": _reported(reader, environment, partner, asset, first, last),
        }


def _entry(reader: Reader, entry: Row, asset: str) -> Packet:
    return {
        "at": moment_text(entry["effective_at"]),
        "ledger_entry_id": entry["ledger_entry_id"],
        "entry_type": entry["entry_type"],
        "entry_class": entry["entry_class"],
        "delta": reader.amount(entry["delta"], asset),
        "balance": reader.amount(entry["ledger_balance"], asset),
        "stated_balance": reader.amount(entry["stated_balance"], asset),
        "transact_id": entry["joined_transact_id"],
        "quote_id": entry["joined_quote_id"],
        "partner_order_id": entry["joined_partner_order_id"],
        "funding_reference": entry["funding_reference"],
    }


def _reported(
    reader: Reader, environment: str, partner: str, asset: str, first: datetime, last: datetime
) -> list[Packet]:
    """Every balance that was reported, beside that of the ledger and what was found of them."""
    rows = reader.rows(
        "select as_of, balance, other_balances, ledger_balance, row_order "
        "from intermediate.int_balances_reconciled "
        "where environment = $environment and partner_id = $partner "
        "and asset = $asset and as_of between $first and $last order by as_of",
        environment=environment,
        partner=partner,
        asset=asset,
        first=first,
        last=last,
    )
    findings: dict[int, list[Packet]] = defaultdict(list)
    for row in reader.rows(
        "select row_order, exception_id, code, severity, approval from marts.fct_exceptions "
        "where subject_type = 'balance' and environment = $environment "
        "and partner_id = $partner and asset = $asset order by code",
        environment=environment,
        partner=partner,
        asset=asset,
    ):
        findings[row.pop("row_order")].append(row)
    return [
        {
            "as_of": moment_text(row["as_of"]),
            "balance": reader.amount(balance, asset),
            "ledger_balance": reader.amount(row["ledger_balance"], asset),
            "difference": reader.amount(EXACT.subtract(balance, row["ledger_balance"]), asset),
            "findings": findings[row["row_order"]],
        }
        for row in rows
        for balance in _balances(row)
    ]


def _balances(row: Row) -> list[Decimal]:
    """What was reported for one moment: what came first, then the others."""
    others = row["other_balances"]
    return [row["balance"], *(Decimal(text) for text in (others.split(";") if others else ()))]


def _moment(reader: Reader, text: str, option: str) -> datetime:
    try:
        if _DATE.fullmatch(text):
            return midnight(date.fromisoformat(text), reader.business_time_zone)
        if not _MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise CloseError(
            f"{option} {text} is no moment: write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ"
        ) from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _no_such_balance(reader: Reader, environment: str, partner: str, asset: str) -> Missing | None:
    known = reader.rows(
        "select environment, asset from marts.fct_balances "
        "where partner_id = $partner order by environment, asset",
        partner=partner,
    )
    if {"environment": environment, "asset": asset} in known:
        return None
    message = (
        f"partner {partner} has no balance of {asset} in {environment} in the close of "
        f"{reader.close_date}"
    )
    if not known:
        return Missing(message, _nearest_partners(reader, partner), "known partner")
    return Missing(
        message,
        tuple(f"{row['asset']} in {row['environment']}" for row in known),
        "it has",
    )


def _nearest_partners(reader: Reader, partner: str) -> tuple[str, ...]:
    """Up to five of the partners that have a balance, those with the most similar names first."""
    found = reader.rows(
        "select partner_id from marts.fct_balances group by partner_id "
        "order by levenshtein(lower(partner_id), lower($partner)), partner_id limit $limit",
        partner=partner,
        limit=LIMIT,
    )
    return tuple(row["partner_id"] for row in found)
