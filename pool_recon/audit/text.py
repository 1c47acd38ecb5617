"""Verifications and differences as text for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pool_recon.audit.diff import RECORDS, Difference, section_names
from pool_recon.audit.verification import Outcome, Verification
from pool_recon.console import printable

_MARKS = {Outcome.PROVEN: "ok", Outcome.NOT_PROVEN: "FAIL", Outcome.NOT_CHECKED: "-"}
_MOST_PROBLEMS = 50
# How many rows of a section a person is shown.
TOP_ROWS = 10
_NOT_THERE = "none"
# What a person is told of a movement with its values, beside the names of all that changed.
_OF_MOVEMENTS = (
    *("reconciliation_state", "effective_status", "finding_codes", "source_amount"),
    *("target_amount", "ledger_source_net", "ledger_target_net"),
)

# Control totals that count what was approved, which the pages do not.
_WITH_APPROVED = frozenset({"findings.blocking", "findings.warning"})
_APPROVED_TOO = " (approved ones too)"


def verification_text(result: Verification) -> list[str]:
    """The lines that say what is proven of a package, and what is not."""
    of_date = f" of {result.close_date}" if result.close_date else ""
    title = "proven" if result.is_proven else "NOT PROVEN"
    lines = [f"Package{of_date} in {printable(result.package)}: {title}"]
    for check in result.checks:
        count = len(check.problems)
        detail = check.detail or (f"{count:,} problem" + ("s" if count > 1 else ""))
        lines.append(f"  {_MARKS[check.outcome]:<5} {check.name:<10} {printable(detail)}")
    lines += [f"  note  {printable(note)}" for note in result.notes]
    problems = result.problems
    if problems:
        lines += ["", "What is not proven:"]
        lines += [
            f"  {printable(problem.subject)}: {printable(problem.message)}"
            for problem in problems[:_MOST_PROBLEMS]
        ]
        if len(problems) > _MOST_PROBLEMS:
            lines.append(f"  and {len(problems) - _MOST_PROBLEMS:,} more: see --json")
    return lines


def difference_text(difference: Difference) -> list[str]:
    """The lines that say what changed between two packages, and why: the most important rows."""
    a, b = difference.side(difference.a), difference.side(difference.b)
    lines = [
        f"A  close of {a['close_date']} in {printable(a['package'])}: {_verdict(a)}",
        f"B  close of {b['close_date']} in {printable(b['package'])}: {_verdict(b)}",
    ]
    lines += [f"note  {printable(note)}" for note in difference.notes]
    if difference.is_empty:
        return [*lines, "", "No difference: every file is the same, byte for byte."]
    lines += ["", "Why"]
    width = max(len(cause.kind) for cause in difference.causes)
    lines += [f"  {cause.kind:<{width}}  {printable(cause.message)}" for cause in difference.causes]
    if not difference.counts:
        return [*lines, "", "No row can be compared."]
    lines += _rules(difference)
    lines += _movements(difference)
    lines += _findings(difference)
    lines += _amounts(difference)
    lines += _records(difference)
    if not any(_changed(counts) for counts in difference.counts.values()):
        are_all = len(difference.counts) == len(section_names())
        some = "No row differs in the files that could be compared: see the notes."
        lines += ["", "No row of any file differs." if are_all else some]
    if difference.files:
        shown = ", ".join(difference.files[:TOP_ROWS])
        more = len(difference.files) - TOP_ROWS
        lines += ["", f"Files that differ: {shown}" + (f" and {more} more" if more > 0 else "")]
    return [*lines, "Every row: --json"]


def difference_json(difference: Difference) -> Iterator[str]:
    """The whole difference as parts of one JSON object, row by row."""
    yield "{\n"
    for name, value in difference.summary().items():
        yield f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False, indent=2)},\n"
    yield '"rows": {'
    for number, name in enumerate(section_names()):
        yield f"{',' if number else ''}\n{json.dumps(name)}: ["
        for place, row in enumerate(difference.rows(name)):
            yield f"{',' if place else ''}\n{json.dumps(row, ensure_ascii=False)}"
        yield "]"
    yield "}\n}\n"


def _verdict(side: Mapping[str, Any]) -> str:
    return "every rule holds" if side["holds"] else "BLOCKED"


def _changed(counts: Mapping[str, int]) -> int:
    return sum(
        count
        for kind, count in counts.items()
        if kind in {"new", "gone", "changed", "reopened", "resolved"}
    )


def _counted(counts: Mapping[str, int], kinds: Sequence[str]) -> str:
    return ", ".join(f"{counts[kind]:,} {kind}" for kind in kinds if kind in counts)


def _rules(difference: Difference) -> list[str]:
    rows = list(difference.rows("rules"))
    flipped = [row for row in rows if row["holds_a"] != row["holds_b"]]
    words = {"true": "holds", "false": "does not hold"}
    return [
        line
        for number, row in enumerate(flipped)
        for line in (
            *(["", "Rules"] if not number else []),
            f"  {printable(row['rule'])}: {words.get(row['holds_a'], _NOT_THERE)} -> "
            f"{words.get(row['holds_b'], _NOT_THERE)}",
        )
    ]


def _movements(difference: Difference) -> list[str]:
    counts = difference.counts.get("movements")
    if not counts or not _changed(counts):
        return []
    lines = ["", f"Movements  {_counted(counts, ('new', 'gone', 'changed', 'as before'))}"]
    if counts["live on"]:
        verb = "lives" if counts["live on"] == 1 else "live"
        lines.append(
            f"  {counts['live on']:,} of those gone {verb} on as a movement with another id"
        )
    for flow in difference.states:
        before, after = flow["a"] or "not there", flow["b"] or "not there"
        lines.append(f"  {flow['movements']:>7,}  {printable(before)} -> {printable(after)}")
    shown = 0
    for row in difference.rows("movements", TOP_ROWS):
        # Those that are new and need nothing are counted above; the rows come in order of weight.
        if row["change"] == "new" and row["reconciliation_state_b"] != "exception":
            break
        shown += 1
        heir = (
            f", lives on as {row['lives_on_as']} ({row['lives_on_state']})"
            if row["lives_on_as"]
            else ""
        )
        state = row["reconciliation_state_a"] or row["reconciliation_state_b"]
        lines.append(
            f"  {row['change']:<8} {row['movement_type']} {printable(row['movement_id'])}"
            f"{_changes(row, _OF_MOVEMENTS) or printable(f' ({state})')}{printable(heir)}"
        )
    return lines + _more(_changed(counts), shown)


def _findings(difference: Difference) -> list[str]:
    counts = difference.counts.get("findings")
    if not counts or not _changed(counts):
        return []
    kinds = ("new", "reopened", "resolved", "changed", "as before")
    lines = ["", f"Findings  {_counted(counts, kinds)}"]
    shown = 0
    for row in difference.rows("findings", TOP_ROWS):
        shown += 1
        risk = f", {row['amount_at_risk']} {row['asset'] or ''}" if row["amount_at_risk"] else ""
        lines.append(
            f"  {row['change']:<8} {row['severity']} {row['code']} of {row['subject_type']} "
            f"{printable(row['subject_id'])}{printable(risk)}, {printable(row['owner'])}"
            f"{_changes(row)}"
        )
    return lines + _more(_changed(counts), shown)


def _amounts(difference: Difference) -> list[str]:
    lines: list[str] = []
    counts = difference.counts.get("balances")
    if counts and _changed(counts):
        lines += ["", f"Balances  {_counted(counts, ('new', 'gone', 'changed', 'as before'))}"]
        shown = 0
        for row in difference.rows("balances", TOP_ROWS):
            shown += 1
            name = f"{row['partner_id']} {row['asset']} ({row['environment']})"
            told = _changes(row, ("closing",)) or f": closing {_step_of(row, 'closing')}"
            lines.append(f"  {row['change']:<8} {printable(name)}{told}")
        lines += _more(_changed(counts), shown)
    lines += _restated(difference)
    for title, rows, name in (
        ("Money at risk over findings", difference.at_risk, "standing"),
        ("Control totals", difference.totals, "name"),
    ):
        if not rows:
            continue
        lines += ["", title]
        for row in rows[: 2 * TOP_ROWS]:
            what = f"{row[name]} {row.get('asset', '')}".rstrip()
            what += _APPROVED_TOO if name == "name" and what in _WITH_APPROVED else ""
            lines.append(f"  {printable(what)}: {_step(row)}")
        lines += _more(len(rows), min(len(rows), 2 * TOP_ROWS))
    return lines


def _restated(difference: Difference) -> list[str]:
    rows = difference.restated
    if not rows:
        return []
    lines = ["", "Balances that A published otherwise than the entries of B give them"]
    for row in rows[:TOP_ROWS]:
        name = f"{row['partner_id']} {row['asset']} ({row['environment']})"
        lines.append(f"  {printable(name)}: {_step(row)}")
    return lines + _more(len(rows), min(len(rows), TOP_ROWS))


def _records(difference: Difference) -> list[str]:
    lines = []
    for name in (*RECORDS, "conservation", "register"):
        counts = difference.counts.get(name)
        if counts and _changed(counts):
            told = _counted(counts, ("new", "gone", "changed", "as before"))
            lines.append(f"  {name:<13} {told}")
    return ["", "Records", *lines] if lines else []


def _changes(row: Mapping[str, Any], most: Sequence[str] = ()) -> str:
    """What changed in a row: the columns of `most` with their values, or all where there is none.

    Of the others the names are told.
    """
    changes = row["differences"]
    told = [change for change in changes if change["column"] in most] if most else changes
    steps = [f"{change['column']} {_step(change)}" for change in told]
    others = [change["column"] for change in changes if change not in told]
    if others:
        steps.append(f"{'also ' if steps else ''}{', '.join(others)}")
    return printable(f": {'; '.join(steps)}") if steps else ""


def _step_of(row: Mapping[str, Any], column: str) -> str:
    return _step({"a": row[f"{column}_a"], "b": row[f"{column}_b"]})


def _step(change: Mapping[str, Any]) -> str:
    before, after = (
        _NOT_THERE if change[side] is None else str(change[side]) for side in ("a", "b")
    )
    difference = change.get("difference")
    if difference is None:
        return f"{before} -> {after}"
    sign = "" if difference.startswith("-") else "+"
    return f"{before} -> {after} ({sign}{difference})"


def _more(total: int, shown: int) -> list[str]:
    return [f"  and {total - shown:,} more"] if total > shown else []
