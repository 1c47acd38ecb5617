"""The support packet of an id: everything that a close knows about it, as one plain object.

Its keys are always there, null or empty where there is nothing. Amounts are exact texts, moments
are UTC texts in the form of the close package.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pool_recon.trace.later import LINKS, Link, awaited_trades, later_joins
from pool_recon.trace.lookup import Hits, locate, visible
from pool_recon.trace.nearest import findings_called, nearest_ids
from pool_recon.trace.reader import (
    SCHEMA_VERSION,
    Missing,
    Packet,
    Reader,
    Row,
    moment_text,
    one_of,
    reading,
    wanted_id,
)
from pool_recon.trace.streams import STREAMS
from pool_recon.warehouse import files_landed_since

MOVEMENT_LIMIT = 50
AFTER_CUT_OFF = "after_cut_off"
IN_FORCE = "in_force"
DUPLICATE = "duplicate"
# Of a row that counts and that the models lost: the close fails an invariant.
NO_PLACE = "no_place"
QUARANTINE = "quarantine"
VERSION = "version"
# Columns of a movement that its quote states, by their beginnings.
_FROM_QUOTE = (
    *("quote_status", "quote_clock", "execution_clock", "accepted", "expires", "created"),
    *("source_", "target_", "fiat_", "crypto_", "ledger_source", "ledger_target"),
)
_STATED_MOMENTS = ("created", "reserved", "terminal")


def trace(warehouse: Path, wanted: str, partner: str | None = None) -> Packet | Missing:
    """Everything about the id `wanted`; with `partner`, nothing of any other partner.

    Raises:
        CloseError: the id is empty, there is no warehouse, or no close has built it.
    """
    wanted = wanted_id(wanted)
    with reading(warehouse, partner) as reader:
        hits, found = locate(reader, wanted)
        if not found and not hits.has_any:
            return unknown_id(reader, wanted)
        records = Records(reader)
        shown = movement_packets(reader, records, found[:MOVEMENT_LIMIT])
        matched_as = _matched_as(records, hits, found)
        funding = _funding(reader, records, hits, wanted)
        return {
            "schema_version": SCHEMA_VERSION,
            "id": wanted,
            "matched_as": sorted(matched_as),
            "partner_filter": partner,
            "close_date": reader.close_date.isoformat(),
            "cut_off_at": moment_text(reader.cut_off_at),
            "movement_count": len(found),
            "movements": shown,
            "funding": funding,
            "unjoined": _unjoined(reader, records, hits) if len(found) <= MOVEMENT_LIMIT else [],
        }


def unknown_id(reader: Reader, wanted: str) -> Missing:
    """What is said about an id that no record carries; it may still be of a finding."""
    of_partner = f" of partner {reader.partner}" if reader.partner else ""
    message = f"no record{of_partner} has the id {wanted} in the close of {reader.close_date}"
    if landed := files_landed_since(reader.connection):
        message += f" ({landed}: close again to look into them)"
    findings, ids = findings_called(reader, wanted)
    if findings:
        message += f"; it is that of a finding: {', '.join(findings)}"
        return Missing(message, ids, label="record of the finding")
    return Missing(message, nearest_ids(reader, wanted))


class Records:
    """Landed rows by export, with where they went at the close and the name of their row.

    Remembers which rows it has given out, and which partners it kept back.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.given: set[int] = set()
        self.hidden_partners: set[str] = set()
        self._file_names: dict[int, str] = {}

    def of(self, export: str, column: str, values: Collection[Any]) -> list[Row]:
        """The rows of `export` whose `column` is one of `values`, in the order of landing."""
        if not values:
            return []
        stream = STREAMS[export]
        table = f"staging.stg_{export}"
        condition, parameters = one_of(column, values)
        # Looking for the narrow row_order first spares reading every column of every row.
        rows = self.reader.rows(
            f"select *, coalesce({stream.own_time} >= $cut_off, false) as _is_later from {table} "
            f"where row_order in (select row_order from {table} where {condition}) "
            "order by row_order",
            cut_off=self.reader.cut_off_at,
            **parameters,
        )
        seen = visible(self.reader, export, rows)
        kept = {row["row_order"] for row in seen}
        self.hidden_partners |= {
            row["partner_id"] for row in rows if row["row_order"] not in kept and row["partner_id"]
        }
        self._place(export, seen)
        self.given |= kept
        return seen

    def _place(self, export: str, rows: list[Row]) -> None:
        """Add to each row its place, its name and the values of its record in force."""
        if not rows:
            return
        reader, stream = self.reader, STREAMS[export]
        orders = {row["row_order"] for row in rows}
        in_force = {
            row["row_order"]: row
            for row in reader.rows_with(f"intermediate.{stream.in_force}", "row_order", orders)
        }
        set_aside = {
            row["row_order"]: row["disposition"]
            for row in reader.rows_with("intermediate.int_rows_set_aside", "row_order", orders)
        }
        missing = {row["file_id"] for row in rows} - self._file_names.keys()
        for file in reader.rows_with("raw.files", "file_id", missing):
            self._file_names[file["file_id"]] = file["row_name"]
        for row in rows:
            order = row["row_order"]
            version_later = any(
                (row.get(moment) or datetime.min) >= reader.cut_off_at
                for moment in ("updated_at", "terminal_at")
            )
            row["_row"] = f"{self._file_names[row['file_id']]}:{row['row_number']}"
            row["_in_force"] = in_force.get(order)
            if row["quarantine_reasons"] is not None:
                row["_place"] = QUARANTINE
            elif order in in_force:
                row["_place"] = IN_FORCE
            elif row["_is_later"] or version_later:
                row["_place"] = AFTER_CUT_OFF
            else:
                row["_place"] = set_aside.get(order, NO_PLACE)


def movement_packets(reader: Reader, records: Records, found: list[Row]) -> list[Packet]:
    """The packet of each movement, with few queries for all of them together."""
    awaited = awaited_trades(reader, "movement_id", _values(found, "movement_id"))
    trades = _values(found, "transact_id").union(*awaited.values())
    quotes = _values(found, "quote_id")
    joins = {export: _joins(reader, export, trades, quotes) for export in ("events", "ledger")}
    by_export = {
        "orders": records.of("orders", "partner_order_id", _values(found, "partner_order_id")),
        "quotes": records.of("quotes", "quote_id", quotes),
        "trades": records.of("trades", "transact_id", trades),
        "events": records.of("events", "event_id", joins["events"].keys()),
        "ledger": records.of("ledger", "ledger_entry_id", joins["ledger"].keys()),
    }
    links = reader.rows_with(
        "intermediate.int_movement_findings", "movement_id", _values(found, "movement_id")
    )
    findings = _findings(reader, records, "exception_id", {link["exception_id"] for link in links})
    landed = [row for rows in by_export.values() for row in rows]
    row_findings = _findings(reader, records, "subject_id", _row_names(landed), "export_row")
    packets = []
    for movement in found:
        key = movement["movement_type"], movement["movement_id"]
        transact_id, quote_id = movement["transact_id"], movement["quote_id"]
        mine = {transact_id} if transact_id is not None else awaited.get(key, set())
        mine_links = {("transact_id", trade) for trade in mine}
        if transact_id is None and quote_id is not None:
            mine_links.add(("quote_id", quote_id))
        rows = {
            "orders": _where(by_export["orders"], "partner_order_id", movement["partner_order_id"]),
            "quotes": _where(by_export["quotes"], "quote_id", quote_id),
            "trades": [row for row in by_export["trades"] if row["transact_id"] in mine],
            **{
                export: [
                    row
                    for row in by_export[export]
                    if joined[row[STREAMS[export].key]] in mine_links
                ]
                for export, joined in joins.items()
            },
        }
        mine_findings = {
            link["exception_id"]
            for link in links
            if (link["movement_type"], link["movement_id"]) == key
        }
        mine_rows = _row_names(row for landed in rows.values() for row in landed)
        packets.append(
            {
                **_identity(
                    reader, _of_rows(movement, rows) if records.hidden_partners else movement
                ),
                "findings": [f for f in findings if f["exception_id"] in mine_findings],
                # Of a row that does not count: they change nothing in the movement's state.
                "row_findings": [
                    finding
                    for finding in row_findings
                    if finding["subject_id"] in mine_rows
                    and finding["exception_id"] not in mine_findings
                ],
                "timeline": _timeline(reader, rows),
                "records": _record_packets(rows),
            }
        )
    return packets


def _matched_as(records: Records, hits: Hits, found: list[Row]) -> set[str]:
    """The columns that led to movements, and those in which the id stands in other records."""
    return {column for row in found for column in row["_matched_as"]} | {
        column
        for export, rows in hits.rows.items()
        for row in rows
        if row["row_order"] not in records.given
        for column in STREAMS[export].columns
        if row[f"is_{column}"]
    }


def _joins(
    reader: Reader, export: str, trades: Collection[str], quotes: Collection[str]
) -> dict[str, Link]:
    """The events or ledger entries of these trades and quotes, by id, with what each joins to."""
    stream = STREAMS[export]
    columns = [column for column in LINKS if column in stream.columns]
    joins = later_joins(reader, export, columns, {*trades, *quotes})
    in_force = reader.rows_with(f"intermediate.{stream.in_force}", "joined_transact_id", trades)
    return joins | {row[stream.key]: ("transact_id", row["joined_transact_id"]) for row in in_force}


def _of_rows(movement: Row, rows: dict[str, list[Row]]) -> Row:
    """The movement without what only rows that are kept back say about it."""
    said = {
        row[column]
        for export, landed in rows.items()
        for row in landed
        for column in STREAMS[export].columns
    }
    dropped = {
        name
        for name in ("partner_order_id", "quote_id", "idempotency_key", "request_id")
        if movement[name] not in said
    }
    if not rows["orders"]:
        dropped |= {"product_state", "created_at"}
    if not rows["quotes"]:
        dropped |= {name for name in movement if name.startswith(_FROM_QUOTE)}
    return {name: None if name in dropped else value for name, value in movement.items()}


def _identity(reader: Reader, movement: Row) -> Packet:
    source, target = movement["source_asset"], movement["target_asset"]
    is_on_ramp = movement["side"] == "on_ramp"
    return {
        "movement_id": movement["movement_id"],
        "movement_type": movement["movement_type"],
        "matched_as": movement["_matched_as"],
        **{
            name: movement[name]
            for name in (
                *("reconciliation_state", "environment", "partner_id", "partner_order_id"),
                *("pool_id", "side", "quote_id", "transact_id", "idempotency_key", "request_id"),
                *("product_state", "quote_status", "trade_status", "effective_status"),
            )
        },
        "source_asset": source,
        "source_amount": reader.amount(movement["source_amount"], source),
        "target_asset": target,
        "target_amount": reader.amount(movement["target_amount"], target),
        "fiat_amount": reader.amount(movement["fiat_amount"], source if is_on_ramp else target),
        "crypto_amount": reader.amount(movement["crypto_amount"], target if is_on_ramp else source),
        "ledger_source_net": reader.amount(movement["ledger_source_net"], source),
        "ledger_target_net": reader.amount(movement["ledger_target_net"], target),
        **{
            name: moment_text(movement[name])
            for name in ("created_at", "accepted_at", "expires_at", "reserved_at", "terminal_at")
        },
        **{
            name: reader.amount(movement[name])
            for name in (
                *("quote_clock_seconds", "execution_clock_seconds"),
                "settlement_clock_seconds",
            )
        },
    }


def _timeline(reader: Reader, rows: dict[str, list[Row]]) -> list[Packet]:
    """What happened, in the order of time; what has no time comes last."""
    makers = {
        "orders": _order_steps,
        "quotes": _quote_steps,
        "trades": _trade_steps,
        "events": _event_steps,
        "ledger": _ledger_steps,
    }
    found: list[tuple[datetime, int, int, Packet]] = []
    for position, (export, make) in enumerate(makers.items()):
        for row in rows.get(export, []):
            if row["_place"] in (DUPLICATE, QUARANTINE):
                continue
            for moment, step, details in make(reader, row):
                packet = {
                    "at": moment_text(moment),
                    "record_type": STREAMS[export].record_type,
                    "record_id": row[STREAMS[export].key],
                    "step": step,
                    "place": row["_place"],
                    "row": _source(rows, export, step, row)["_row"],
                    "details": details,
                }
                found.append((moment or datetime.max, position, row["row_order"], packet))
    versions = {
        (packet["record_type"], packet["record_id"], packet["at"])
        for *_, packet in found
        if packet["step"] == VERSION
    }
    found.sort(key=lambda item: item[:3])
    # The moment of a version says it all: no second line for what it states about that moment.
    return [
        packet
        for *_, packet in found
        if packet["step"] not in _STATED_MOMENTS
        or (packet["record_type"], packet["record_id"], packet["at"]) not in versions
    ]


def _source(rows: dict[str, list[Row]], export: str, step: str, row: Row) -> Row:
    """The row that states a step: an acceptance is often filled in by a later row of the quote."""
    if export != "quotes" or step != "accepted":
        return row
    stating = (
        other
        for other in rows[export]
        if other["quote_id"] == row["quote_id"] and other["accepted_at"] is not None
    )
    return next(stating, row)


# The row's own words: the record in force has the request id of its trade where it gives none.
_NAMED = ("transact_id", "quote_id", "request_id")

Step = tuple[datetime | None, str, Packet]


def _order_steps(reader: Reader, row: Row) -> Iterable[Step]:
    moment = row["updated_at"] or row["created_at"]
    details = {"product_state": row["product_state"], "request_id": row["request_id"]}
    if row["_place"] == IN_FORCE:
        yield row["created_at"], "created", {**details, "product_state": None}
    yield moment, VERSION, details


def _quote_steps(reader: Reader, row: Row) -> Iterable[Step]:
    # The row in force is the first; what later rows filled in stands in the record.
    quote = row["_in_force"]
    if quote is None:
        return
    details = {
        "quote_type": quote["quote_type"],
        "status": quote["status"],
        "rate": reader.amount(quote["rate"]),
        "request_id": row["request_id"],
    }
    for name in ("created_at", "accepted_at", "expires_at"):
        if quote[name] is not None:
            yield quote[name], name.removesuffix("_at"), details


def _trade_steps(reader: Reader, row: Row) -> Iterable[Step]:
    details = {"status": row["status"], "request_id": row["request_id"]}
    moment = row["updated_at"] or row["terminal_at"] or row["reserved_at"]
    yield moment, VERSION, details
    if row["_place"] == IN_FORCE:
        for name in ("reserved_at", "terminal_at"):
            if row[name] is not None:
                yield row[name], name.removesuffix("_at"), {**details, "status": None}


def _event_steps(reader: Reader, row: Row) -> Iterable[Step]:
    event = row["_in_force"] or row
    details = {name: event[name] for name in ("status", "source", "signature_result")}
    details["is_trusted"] = row["_in_force"]["is_trusted"] if row["_in_force"] else None
    for name in ("occurred_at", "received_at", "processed_at"):
        details[name] = moment_text(event[name])
    details |= _owner(row)
    details |= {name: row[name] for name in (*_NAMED, "payload_ref")}
    yield event["occurred_at"] or event["received_at"], event["source"] or "webhook", details


def _ledger_steps(reader: Reader, row: Row) -> Iterable[Step]:
    yield row["effective_at"], row["entry_type"], _entry_details(reader, row)


def _entry_details(reader: Reader, row: Row) -> Packet:
    entry, asset = row["_in_force"] or {}, row["asset"]
    return {
        "entry_class": entry.get("entry_class"),
        "asset": asset,
        "amount": reader.amount(row["amount"], asset),
        "delta": reader.amount(entry.get("delta"), asset),
        "balance_after": reader.amount(row["balance_after"], asset),
        "join_rule": entry.get("join_rule"),
        **_owner(row),
        **{
            name: row[name]
            for name in (*_NAMED, "related_entry_id", "ledger_ref", "funding_reference")
        },
    }


def _owner(row: Row) -> Packet:
    """The environment and partner that a row counts under, or else what it says itself."""
    record = row["_in_force"] or row
    return {name: record[name] for name in ("environment", "partner_id")}


def _record_packets(rows: dict[str, list[Row]]) -> list[Packet]:
    """Which landed rows each record came from, and what became of them."""
    records: dict[tuple[str, str], list[Packet]] = defaultdict(list)
    for export, landed in rows.items():
        for row in landed:
            stream = STREAMS[export]
            records[stream.record_type, row[stream.key]].append(
                {"row": row["_row"], "place": row["_place"]}
            )
    return [
        {"record_type": record_type, "record_id": record_id, "rows": landed}
        for (record_type, record_id), landed in records.items()
    ]


def _funding(reader: Reader, records: Records, hits: Hits, wanted: str) -> list[Packet]:
    """The payments, credits and other entries under a funding reference, and what they moved."""
    is_reference = any(row["is_funding_reference"] for row in hits.rows["ledger"])
    if not hits.rows["funding"] and not is_reference:
        return []
    payments = records.of("funding", "funding_reference", {wanted})
    entries = records.of("ledger", "funding_reference", {wanted})
    entry_ids = {row["ledger_entry_id"] for row in entries if row["_in_force"]}
    balances = {
        row["ledger_entry_id"]: row
        for row in _balance_rows(reader, entries)
        if row["ledger_entry_id"] in entry_ids
    }
    # By its type, because an entry that is not in force has no class of its own.
    funding_types = {
        row["entry_type"]
        for row in reader.rows_with("reference.ref_entry_types", "entry_class", {"funding"})
    }
    credits = [row for row in entries if row["entry_type"] in funding_types]
    others = [row for row in entries if row["entry_type"] not in funding_types]
    sums = [
        row
        for row in reader.rows_with(
            "intermediate.int_funding_credited", "funding_reference", {wanted}
        )
        if reader.is_visible(row["partner_id"])
    ]
    findings = [
        *_findings(reader, records, "subject_id", {wanted}, "funding"),
        *_findings(reader, records, "subject_id", entry_ids, "ledger_entry"),
        *_findings(reader, records, "subject_id", _row_names(payments + entries), "export_row"),
    ]
    return [
        {
            "funding_reference": wanted,
            "totals": [
                {
                    "environment": row["environment"],
                    "partner_id": row["partner_id"],
                    "asset": row["asset"],
                    "confirmed": reader.amount(row["confirmed_amount"], row["asset"]),
                    "credited": reader.amount(row["credited_amount"], row["asset"]),
                }
                for row in sums
            ],
            "payments": [
                {
                    "confirmed_at": moment_text(row["confirmed_at"]),
                    "status": row["status"],
                    "asset": row["asset"],
                    "amount": reader.amount(row["amount"], row["asset"]),
                    "environment": row["environment"],
                    "partner_id": row["partner_id"],
                    "place": row["_place"],
                    "row": row["_row"],
                }
                for row in payments
            ],
            "credits": [_funding_entry(reader, balances, row) for row in credits],
            "other_entries": [_funding_entry(reader, balances, row) for row in others],
            "findings": findings,
        }
    ]


def _funding_entry(reader: Reader, balances: dict[str, Row], row: Row) -> Packet:
    return {
        "at": moment_text(row["effective_at"]),
        "ledger_entry_id": row["ledger_entry_id"],
        "entry_type": row["entry_type"],
        **_entry_details(reader, row),
        "balance_before": _balance(reader, balances, row, "balance_before"),
        "ledger_balance": _balance(reader, balances, row, "ledger_balance"),
        "place": row["_place"],
        "row": row["_row"],
    }


def _balance_rows(reader: Reader, entries: list[Row]) -> list[Row]:
    moved = {
        (entry["environment"], entry["partner_id"], entry["asset"])
        for entry in (row["_in_force"] for row in entries)
        if entry and entry["touches_balance"]
    }
    rows = []
    for environment, partner_id, asset in sorted(moved):
        rows += reader.rows(
            "select ledger_entry_id, balance_before, ledger_balance from marts.fct_balance_entries "
            "where environment = $environment and partner_id = $partner and asset = $asset",
            environment=environment,
            partner=partner_id,
            asset=asset,
        )
    return rows


def _balance(reader: Reader, balances: dict[str, Row], row: Row, name: str) -> str | None:
    found = balances.get(row["ledger_entry_id"])
    return reader.amount(found[name], row["asset"]) if found and row["_in_force"] else None


def _unjoined(reader: Reader, records: Records, hits: Hits) -> list[Packet]:
    """The records that carry the id and are on none of the movements shown."""
    packets = []
    for export, stream in STREAMS.items():
        keys = {row[stream.key] for row in hits.rows[export] if row[stream.key] is not None}
        orders = {row["row_order"] for row in hits.rows[export]} - records.given
        if not orders:
            continue
        rows = [row for row in records.of(export, stream.key, keys) if row["row_order"] in orders]
        rows += [row for row in records.of(export, "row_order", orders) if row[stream.key] is None]
        by_key: dict[str | None, list[Row]] = defaultdict(list)
        for row in rows:
            by_key[row[stream.key]].append(row)
        for key, landed in by_key.items():
            packets.append(_unjoined_record(reader, records, export, key, landed))
    return packets


def _unjoined_record(
    reader: Reader, records: Records, export: str, key: str | None, landed: list[Row]
) -> Packet:
    stream = STREAMS[export]
    places = {row["_place"] for row in landed}
    if IN_FORCE in places:
        reason = "joins_to_no_movement"
    elif places <= {QUARANTINE}:
        reason = QUARANTINE
    elif AFTER_CUT_OFF in places:
        reason = AFTER_CUT_OFF
    elif NO_PLACE in places:
        reason = NO_PLACE
    else:
        reason = "not_in_force"
    findings = [
        *_findings(reader, records, "subject_id", {key} if key else set(), stream.record_type),
        *_findings(reader, records, "subject_id", _row_names(landed), "export_row"),
    ]
    return {
        "record_type": stream.record_type,
        "record_id": key,
        **_owner(next((row for row in landed if row["_in_force"]), landed[0])),
        "reason": reason,
        "quarantine_reasons": sorted(
            {row["quarantine_reasons"] for row in landed if row["quarantine_reasons"]}
        ),
        "timeline": _timeline(reader, {export: landed}),
        "records": _record_packets({export: landed}),
        "findings": findings,
    }


def _findings(
    reader: Reader,
    records: Records,
    column: str,
    values: Collection[str],
    subject_type: str | None = None,
) -> list[Packet]:
    """Findings of this close, blocking ones first; those of other partners' records are left out.

    The finding of a row has no partner of its own: it is shown with its row.
    """
    found = []
    for row in reader.rows_with("marts.fct_exceptions", column, values):
        if subject_type is not None and row["subject_type"] != subject_type:
            continue
        if row["subject_type"] == "export_row":
            if row["row_order"] not in records.given:
                continue
        elif not reader.is_visible(row["partner_id"]):
            continue
        found.append(row)
    found.sort(key=lambda row: (not row["is_blocking"], row["code"], row["subject_id"]))
    registered = {
        row["exception_id"]: row
        for row in reader.rows_with(
            "marts.fct_register_rows", "exception_id", _values(found, "exception_id")
        )
    }
    return [_finding(reader, records, row, registered.get(row["exception_id"])) for row in found]


def _finding(reader: Reader, records: Records, row: Row, registered: Row | None) -> Packet:
    return {
        **{
            name: row[name]
            for name in ("exception_id", "code", "severity", "subject_type", "subject_id")
        },
        "expected": _without(row["expected"], records.hidden_partners),
        "actual": _without(row["actual"], records.hidden_partners),
        "asset": row["asset"],
        "amount_at_risk": reader.amount(row["amount_at_risk"], row["asset"]),
        "owner": row["owner"],
        "opened_on": row["opened_on"].isoformat(),
        "age_days": row["age_days"],
        "next_review_date": row["next_review_date"].isoformat(),
        "approval": row["approval"],
        "approved_by": row["approved_by"],
        "register_row": (
            {
                "line_number": registered["line_number"],
                "approved_on": _day_text(registered["approved_on"]),
                "expires_on": _day_text(registered["expires_on"]),
                "reason": _without(registered["reason"], records.hidden_partners),
                "rejected_for": registered["rejected_for"],
            }
            if registered
            else None
        ),
        "first_action": row["first_action"],
    }


def _day_text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _without(text: str | None, partners: Collection[str]) -> str | None:
    """The text, in which partners whose rows are not shown are not named either."""
    for partner in sorted(partners, key=len, reverse=True):
        text = text.replace(partner, "another partner") if text else text
    return text


def _values(rows: Iterable[Row], column: str) -> set[str]:
    return {row[column] for row in rows if row[column] is not None}


def _row_names(rows: Iterable[Row]) -> set[str]:
    return {row["_row"] for row in rows}


def _where(rows: list[Row], column: str, value: Any) -> list[Row]:
    return [row for row in rows if value is not None and row[column] == value]
