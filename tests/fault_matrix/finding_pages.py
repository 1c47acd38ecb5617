"""The generated blocks of docs/findings: the facts of a code, and rows of scenarios as examples.

A page names a scenario and the rows and columns of it that are worth seeing, in a comment:

    <!-- trips: webhook-absent | trades transact_id status | events -->
    <!-- end -->

What stands between the two comments is written by `python -m tests.fault_matrix.matrix_report`,
from the reference data and from what a close of the scenario published. `export columns` shows
those columns of its rows; `export#2` the second row only; `export` alone must have no row;
`header export` says which columns its file has, `file path` shows a file that the scenario writes
itself. Bold is what differs from a clean movement.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pool_recon.masking import mask
from tests.oracle.reference import COLUMNS

from . import SCENARIOS, Scenario

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "findings"
INDEX = PAGES / "index.md"
BLOCK = re.compile(r"<!-- (facts|trips|nearly)(?:: ([^\n]*))? -->\n.*?<!-- end -->", re.DOTALL)
PUBLISHED = (
    *("exception_id", "code", "severity", "environment", "subject_type", "subject_id"),
    *("partner_order_id", "pool_id", "quote_id", "transact_id", "event_id", "ledger_entry_id"),
    *("request_id", "asset", "amount_at_risk", "expected", "actual", "owner", "opened_on"),
    "next_review_date",
)

Exceptions = Mapping[tuple[str, str, str], Mapping[str, str]]


def registry() -> dict[str, dict[str, str]]:
    with (ROOT / "seeds" / "ref_findings.csv").open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row for row in csv.DictReader(stream)}


def pages() -> dict[str, Path]:
    return {path.stem: path for path in sorted(PAGES.glob("*.md")) if path != INDEX}


def renewed(path: Path, exceptions: Exceptions) -> str:
    """The page with its blocks as the reference data and the closes have them now."""
    code = path.stem

    def block(found: re.Match[str]) -> str:
        kind, spec = found[1], found[2] or ""
        if kind == "facts":
            lines = facts(registry()[code])
        else:
            name, *shown = (part.strip() for part in spec.split("|"))
            scenario = SCENARIOS[name]
            lines = [line for each in shown for line in rows_shown(scenario, each)]
            result = raised if kind == "trips" else not_raised
            lines += result(code, scenario, exceptions)
        head = f"<!-- {kind}: {spec} -->" if spec else f"<!-- {kind} -->"
        return "\n".join([head, *lines, "<!-- end -->"])

    return BLOCK.sub(block, path.read_text(encoding="utf-8"))


def facts(finding: Mapping[str, str]) -> list[str]:
    days = int(finding["days_to_review"])
    approvable = "can be approved" if finding["is_approvable"] == "true" else "never approved"
    return [
        finding["meaning"],
        "",
        "| severity | category | checklist rule | owner | next review | approval |",
        "|---|---|---|---|---|---|",
        f"| {finding['severity']} | {finding['category']} | {code_or_none(finding['rule_name'])} "
        f"| {finding['owner']} | after {days} day{'s' if days > 1 else ''} "
        f"| {approvable if finding['severity'] == 'blocking' else 'not needed'} |",
        "",
        f"**First action:** {finding['first_action']}",
    ]


def code_or_none(text: str) -> str:
    return f"`{text}`" if text else "none"


def rows_shown(scenario: Scenario, shown: str) -> list[str]:
    """One table of the page."""
    words = shown.split()
    if words[0] == "header":
        return ["", header(scenario, words[1])]
    if words[0] == "file":
        return ["", f"`{words[1]}`", "", "```text", scenario.files[words[1]].rstrip(), "```"]
    export, _, numbers = words[0].partition("#")
    rows = [row for row in scenario.rows.get(export, []) if not isinstance(row, str)]
    if not words[1:]:
        assert not rows, f"{scenario.name}: {export} has rows, name the columns to show"
        return ["", f"`{export}`: no row"]
    if numbers:
        rows = [rows[int(number) - 1] for number in numbers.split(",")]
    assert rows, f"{scenario.name}: {export} has no rows to show"
    known = clean_values(scenario, export)
    lines = ["", f"`{export}`", "", f"| {' | '.join(words[1:])} |", "|---" * len(words[1:]) + "|"]
    for row in rows:
        clean = known.get(row.get(id_column(export), ""))
        cells = [cell(row.get(name, ""), clean, name) for name in words[1:]]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def clean_values(scenario: Scenario, export: str) -> dict[str, Mapping[str, str]]:
    """The rows of the clean movements that the scenario began with, by their id."""
    if "orders" not in scenario.rows:
        return {}
    clean = Scenario(scenario.name)
    for suffix in ("", "-b", "-other"):
        clean.movement(suffix)
    rows = [row for row in clean.rows.get(export, []) if not isinstance(row, str)]
    return {row[id_column(export)]: row for row in rows}


def id_column(export: str) -> str:
    return next(iter(COLUMNS[export]))


def cell(value: str, clean: Mapping[str, str] | None, name: str) -> str:
    text = escaped(mask(value).strip()) or "*empty*"
    return f"**{text}**" if clean is not None and value != clean.get(name, "") else text


def escaped(text: str) -> str:
    return re.sub(r"([|_*<])", r"\\\1", text)


def header(scenario: Scenario, export: str) -> str:
    missing = sorted(scenario.absent_columns.get(export, set()))
    extra = scenario.extra_columns.get(export, [])
    without = f", without {quoted(missing)}" if missing else ""
    further = f", and further {quoted(extra)}" if extra else ""
    return f"`{export}`: every column of the export{without}{further}"


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def raised(code: str, scenario: Scenario, exceptions: Exceptions) -> list[str]:
    keys = sorted(key for key in scenario.expected if key[0] == code)
    assert keys, f"{scenario.name} does not trip {code}"
    published = exceptions[keys[0]]
    more = f" (the first of {len(keys)})" if len(keys) > 1 else ""
    lines = ["", f"The row of `exceptions.csv`{more}:", "", "| column | value |", "|---|---|"]
    lines += [
        f"| {escaped(name)} | {escaped(published[name])} |" for name in PUBLISHED if published[name]
    ]
    others = sorted({key[0] for key in scenario.expected} - {code})
    if others:
        lines += ["", f"The same rows also raise {links(others)}."]
    return lines


def not_raised(code: str, scenario: Scenario, exceptions: Exceptions) -> list[str]:
    found = sorted({key[0] for key in scenario.expected})
    assert code not in found, f"{scenario.name} trips {code}"
    assert all(key in exceptions for key in scenario.expected)
    if not found:
        return ["", "A close finds nothing here."]
    return ["", f"A close does not raise this code here; what it raises is {links(found)}."]


def links(codes: Iterable[str]) -> str:
    return ", ".join(f"[`{code}`]({code}.md)" for code in codes)
