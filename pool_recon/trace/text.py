"""Packets as text for a person. Colours are styles of click, which drops them off a terminal."""

from __future__ import annotations

from collections.abc import Iterable

import click

from pool_recon.console import printable
from pool_recon.trace.reader import Packet

_STATE_COLOURS = {"matched": "green", "approved": "green", "exception": "red"}
_SEVERITY_COLOURS = {"blocking": "red", "warning": "yellow"}
_PLACES = {
    "in_force": "in force",
    "superseded": "superseded",
    "duplicate": "exact duplicate",
    "quarantine": "in quarantine",
    "after_cut_off": "after the cut-off",
    "no_place": "lost by the models: an invariant fails",
}
_REASONS = {
    "joins_to_no_movement": "on no movement",
    "quarantine": "in quarantine: it could not be read exactly, and counts for nothing",
    "after_cut_off": "after the cut-off: it belongs to a later close",
    "no_place": "lost by the models: it counts, and an invariant of the close fails",
    "not_in_force": "not in force: another row of the same id counts",
}
# What a record says of itself, as it is called on its line.
_NAMES = {
    "environment": "environment",
    "partner_id": "partner",
    "transact_id": "trade",
    "quote_id": "quote",
    "request_id": "request",
    "payload_ref": "payload",
    "related_entry_id": "related entry",
    "ledger_ref": "ledger ref",
}


def trace_text(packet: Packet) -> list[str]:
    """The lines of a support packet."""
    lines = [
        _bold(printable(packet["id"]))
        + f", found as {', '.join(packet['matched_as'])}, {_in_the_close(packet)}"
    ]
    for movement in packet["movements"]:
        lines += ["", *_movement(movement, packet)]
    left_out = packet["movement_count"] - len(packet["movements"])
    if left_out:
        lines += ["", f"and {left_out:,} more movements: use an id that fewer of them share"]
    for funding in packet["funding"]:
        lines += ["", *_funding(funding)]
    for record in packet["unjoined"]:
        lines += ["", *_unjoined(record, packet["id"])]
    return lines


def movement_text(packet: Packet) -> list[str]:
    """The lines that say why movements are in their states."""
    lines: list[str] = []
    for movement in packet["movements"]:
        lines += ["", _title(movement), ""]
        rows = []
        for condition in movement["state_rule"]:
            mark = "->" if condition["decides"] else "  "
            answer = "yes" if condition["holds"] else "no"
            values = ", ".join(
                f"{name} {_listed(value)}" for name, value in condition["values"].items()
            )
            rows.append((mark, condition["state"], answer, condition["condition"], values))
        lines += _table(rows)
        if movement["status_steps"]:
            lines += ["", "  Effective status"]
            lines += _table(
                ("  ", step["at"], step["source"], step["status"], step["outcome"])
                for step in movement["status_steps"]
            )
        lines += _findings(movement["findings"])
    return lines[1:]


def _in_the_close(packet: Packet) -> str:
    return f"in the close of {packet['close_date']} (cut-off {packet['cut_off_at']})"


def balance_text(packet: Packet) -> list[str]:
    """The lines that say why a balance moved."""
    asset = packet["asset"]
    lines = [
        _bold(f"{printable(packet['partner_id'])} {printable(asset)} {packet['environment']}")
        + f", from {packet['from']} to {packet['to']}, {_in_the_close(packet)}",
        "",
    ]
    rows = [(packet["from"], "balance", "", "", packet["balance_from"], "")]
    rows += [
        (
            entry["at"],
            entry["entry_type"],
            entry["ledger_entry_id"],
            _signed(entry["delta"]),
            entry["balance"],
            entry["transact_id"] or entry["funding_reference"],
        )
        for entry in packet["entries"]
    ]
    rows.append(
        (
            packet["to"],
            "balance",
            _entries(len(packet["entries"])),
            _signed(packet["difference"]),
            packet["balance_to"],
            "",
        )
    )
    lines += _table(rows, right={3, 4})
    if packet["by_class"]:
        lines += ["", "  By class"]
        lines += _table(
            (
                (item["entry_class"], f"{item['entries']:,}", _signed(item["delta"]))
                for item in packet["by_class"]
            ),
            right={1, 2},
            indent="    ",
        )
    for reported in packet["reported"]:
        lines += ["", f"  {printable(_reported(reported, asset))}"]
    return lines


def _reported(reported: Packet, asset: str) -> str:
    """A balance that was reported, and by how much it is not that of the ledger."""
    text = f"reported at {reported['as_of']}: {reported['balance']} {asset}"
    difference, findings = reported["difference"], reported["findings"]
    if difference.strip("-0."):
        text += f", differs by {_signed(difference)} "
        text += f"from the {reported['ledger_balance']} of the ledger"
    elif findings:
        # Right itself, and found because another was reported beside it.
        text += ", one of several for this moment"
    codes = ", ".join(
        finding["code"] + (" (approved)" if finding["approval"] == "approved" else "")
        for finding in findings
    )
    return f"{text}: {codes}" if codes else text


def _movement(movement: Packet, packet: Packet) -> list[str]:
    # Where the id stands in one column only, the first line has said so.
    matched_as = ", ".join(movement["matched_as"]) if len(packet["matched_as"]) > 1 else None
    lines = [_title(movement), ""]
    lines += _table(
        (label, value)
        for label, value in (
            ("found as", matched_as),
            ("environment", movement["environment"]),
            ("partner", movement["partner_id"]),
            ("order", _with(movement["partner_order_id"], movement["product_state"])),
            ("quote", _with(movement["quote_id"], movement["quote_status"])),
            ("trade", _with(movement["transact_id"], _trade_status(movement))),
            ("idempotency key", movement["idempotency_key"]),
            ("request id", movement["request_id"]),
            ("pool", _with(movement["pool_id"], movement["side"])),
            ("expected", _expected(movement)),
            ("ledger net", _ledger_net(movement)),
            ("clocks", _clocks(movement)),
        )
        if value
    )
    lines += _timeline(movement["timeline"], packet["id"], movement)
    lines += _findings(movement["findings"])
    if movement["row_findings"]:
        lines += _findings(movement["row_findings"], "Findings of its rows that do not count")
    lines += _sources(movement["records"])
    return lines


def _title(movement: Packet) -> str:
    state = movement["reconciliation_state"]
    return (
        _bold(f"Movement {printable(movement['movement_id'])}")
        + f" ({movement['movement_type']})  "
        + click.style(state, fg=_STATE_COLOURS.get(state, "yellow"), bold=True)
    )


def _trade_status(movement: Packet) -> str | None:
    own, effective = movement["trade_status"], movement["effective_status"]
    return own if own == effective else f"{own}, effectively {effective}"


def _expected(movement: Packet) -> str | None:
    if movement["source_amount"] is None and movement["target_amount"] is None:
        return None
    source = f"{movement['source_amount'] or '?'} {movement['source_asset'] or ''}".rstrip()
    target = f"{movement['target_amount'] or '?'} {movement['target_asset'] or ''}".rstrip()
    return f"{source} -> {target}"


def _ledger_net(movement: Packet) -> str | None:
    parts = [
        f"{_signed(movement[f'ledger_{leg}_net'])} {movement[f'{leg}_asset'] or ''}".rstrip()
        for leg in ("source", "target")
        if movement[f"ledger_{leg}_net"] is not None
    ]
    return ", ".join(parts) or None


def _clocks(movement: Packet) -> str:
    return ", ".join(
        f"{name} {_seconds(movement[f'{name}_clock_seconds'])}"
        for name in ("quote", "execution", "settlement")
    )


def _seconds(seconds: str | None) -> str:
    return "-" if seconds is None else f"{seconds} s"


def _timeline(steps: list[Packet], wanted: str, head: Packet) -> list[str]:
    """The lines of the steps; what `head` has said of all of them is not said of each."""
    if not steps:
        return []
    rows = []
    for step in steps:
        is_usual = step["place"] == "in_force" or _is_version(step["record_type"], step["place"])
        note = "" if is_usual else f"({_PLACES[step['place']]})"
        rows.append(
            (
                "->" if wanted in (step["record_id"], step["details"]["request_id"]) else "",
                step["at"] or "no time",
                step["record_type"].replace("_", " "),
                step["record_id"],
                step["step"].replace("_", " "),
                " ".join(filter(None, (_what(step, head), note))),
            )
        )
    return ["", "  Timeline (UTC)", *_table(rows)]


def _what(step: Packet, head: Packet) -> str:
    return ", ".join(filter(None, (_happened(step), _named(step["details"], head))))


def _named(details: Packet, head: Packet) -> str:
    said = {name: head.get(name) for name in _NAMES}
    # A reference of the ledger is often the id of the trade or its quote.
    if details.get("ledger_ref") in (said["transact_id"], said["quote_id"]):
        said["ledger_ref"] = details.get("ledger_ref")
    return ", ".join(
        f"{label} {details[name]}"
        for name, label in _NAMES.items()
        if details.get(name) not in (None, said[name])
    )


def _happened(step: Packet) -> str:
    details = step["details"]
    if step["record_type"] == "order":
        return details["product_state"] or ""
    if step["record_type"] == "quote":
        return details["quote_type"] or ""
    if step["record_type"] == "trade":
        return details["status"] or ""
    if step["record_type"] == "event":
        trust = {True: "trusted", False: "not trusted", None: ""}[details["is_trusted"]]
        signature = "" if step["step"] == "status_read" else f"signature {_signature(details)}"
        received = details["received_at"]
        late = f"received {received}" if received != step["at"] else ""
        return ", ".join(filter(None, (details["status"], signature, trust, late)))
    return _entry_what(details)


def _signature(details: Packet) -> str:
    return details["signature_result"] or "missing"


def _entry_what(details: Packet) -> str:
    parts = [_moved(details)]
    if details["balance_after"] is not None:
        parts.append(f"balance {details['balance_after']}")
    if details["join_rule"]:
        parts.append(
            "joins nothing" if details["join_rule"] == "none" else f"by {details['join_rule']}"
        )
    if details["funding_reference"]:
        parts.append(f"reference {details['funding_reference']}")
    return ", ".join(parts)


def _moved(entry: Packet) -> str:
    """What an entry moves; one that is not in force moves nothing, and its amount is told."""
    moved = _signed(entry["delta"]) or f"amount {entry['amount'] or '?'}"
    return _with_asset(moved, entry["asset"])


def _findings(findings: list[Packet], title: str = "Findings") -> list[str]:
    if not findings:
        return ["", "  No findings"]
    lines = ["", f"  {title}"]
    for finding in findings:
        severity = finding["severity"]
        lines.append(
            "  "
            + click.style(severity, fg=_SEVERITY_COLOURS.get(severity))
            + f" {_bold(finding['code'])} of {finding['subject_type'].replace('_', ' ')} "
            + printable(finding["subject_id"])
        )
        at_risk = finding["amount_at_risk"]
        lines += _table(
            (
                (label, value)
                for label, value in (
                    ("expected", finding["expected"]),
                    ("actual", finding["actual"]),
                    ("at risk", at_risk and _with_asset(at_risk, finding["asset"])),
                    ("first action", finding["first_action"]),
                    ("owner", finding["owner"]),
                    (
                        "review",
                        f"next on {finding['next_review_date']}, open since "
                        f"{finding['opened_on']} (age {finding['age_days']} d)",
                    ),
                    ("approval", approval_text(finding)),
                )
                if value
            ),
            indent="    ",
        )
    return lines


def approval_text(finding: Packet) -> str:
    """What the exception register gave a finding, by whom, why and until when."""
    state, approver = finding["approval"], finding["approved_by"]
    if not approver:
        return str(state)
    row = finding["register_row"] or {}
    return "".join(
        text.format(value)
        for text, value in (
            ("{}", state),
            (" ({})", row.get("rejected_for")),
            (" by {}" if state == "approved" else ", given by {}", approver),
            (" on {}", row.get("approved_on")),
            (", until {}", row.get("expires_on")),
            (" (line {} of the register)", row.get("line_number")),
            (": {}", row.get("reason")),
        )
        if value
    )


def _sources(records: list[Packet]) -> list[str]:
    rows = [
        (
            record["record_type"].replace("_", " "),
            record["record_id"],
            ", ".join(
                source["row"] + _place_note(record["record_type"], source["place"])
                for source in record["rows"]
            ),
        )
        for record in records
    ]
    return ["", "  Landed rows", *_table(rows)] if rows else []


def _place_note(record_type: str, place: str) -> str:
    if place == "in_force":
        return ""
    return " (earlier version)" if _is_version(record_type, place) else f" ({_PLACES[place]})"


def _is_version(record_type: str, place: str) -> bool:
    return place == "superseded" and record_type in ("order", "trade", "funding")


def _funding(funding: Packet) -> list[str]:
    lines = [_bold(f"Funding reference {printable(funding['funding_reference'])}"), ""]
    lines += _table(
        (
            "total",
            f"{total['credited'] or '0'} of {total['confirmed'] or '0'} {total['asset']} credited",
            total["partner_id"],
            total["environment"],
        )
        for total in funding["totals"]
    )
    lines += ["", "  Payments"]
    lines += _table(
        (
            payment["confirmed_at"] or "no time",
            payment["status"],
            # What could not be read is in no column.
            _with_asset(payment["amount"] or "?", payment["asset"]),
            "" if payment["place"] == "in_force" else f"({_PLACES[payment['place']]})",
            payment["row"],
        )
        for payment in funding["payments"]
    )
    if not funding["payments"]:
        lines.append("  none")
    totals = funding["totals"]
    # One total says whose all entries are; of several, none does.
    head = totals[0] if len(totals) == 1 else {}
    lines += ["", "  Credits"]
    lines += _funding_entries(funding["credits"], head)
    if not funding["credits"]:
        lines.append("  none")
    if funding["other_entries"]:
        lines += ["", "  Other entries with this reference, no credits"]
        lines += _funding_entries(funding["other_entries"], head)
    return lines + _findings(funding["findings"])


def _funding_entries(entries: list[Packet], head: Packet) -> list[str]:
    return _table(
        (
            entry["at"] or "no time",
            entry["entry_type"],
            entry["ledger_entry_id"],
            _moved(entry),
            f"balance {entry['balance_before']} -> {entry['ledger_balance']}"
            if entry["ledger_balance"] is not None
            else f"({_PLACES[entry['place']]})",
            _named(entry, head),
            entry["row"],
        )
        for entry in entries
    )


def _unjoined(record: Packet, wanted: str) -> list[str]:
    name = record["record_type"].replace("_", " ").capitalize()
    lines = [
        _bold(f"{name} {printable(record['record_id'] or 'without an id')}")
        + f"  {_REASONS[record['reason']]}"
    ]
    lines += [f"  {printable(reasons)}" for reasons in record["quarantine_reasons"]]
    owner = (("environment", record["environment"]), ("partner", record["partner_id"]))
    if any(value for _, value in owner):
        lines += ["", *_table((label, value) for label, value in owner if value)]
    lines += _timeline(record["timeline"], wanted, record)
    lines += _findings(record["findings"])
    return lines + _sources(record["records"])


def _with(name: str | None, more: str | None) -> str | None:
    return f"{name} ({more})" if name and more else name or more


def _with_asset(amount: str, asset: str | None) -> str:
    return f"{amount} {asset}" if asset else amount


def _signed(amount: str | None) -> str:
    if amount is None:
        return ""
    return amount if amount.startswith("-") or not amount.strip("0.") else f"+{amount}"


def _listed(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)


def _entries(count: int) -> str:
    return f"{count:,} entry" if count == 1 else f"{count:,} entries"


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _table(
    rows: Iterable[Iterable[object]], right: Iterable[int] = (), indent: str = "  "
) -> list[str]:
    """Rows in columns as wide as they need to be; a column that is empty everywhere is left out."""
    cells = [["" if cell is None else printable(cell) for cell in row] for row in rows]
    if not cells:
        return []
    at_right = set(right)
    widths = [max(len(row[index]) for row in cells) for index in range(len(cells[0]))]
    return [
        indent
        + "  ".join(
            cell.rjust(widths[index]) if index in at_right else cell.ljust(widths[index])
            for index, cell in enumerate(row)
            if widths[index]
        ).rstrip()
        for row in cells
    ]
