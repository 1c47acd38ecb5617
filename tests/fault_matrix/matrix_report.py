"""The fault matrix as a table, from a run: what was injected, what the warehouse found.

`python -m tests.fault_matrix.matrix_report` writes docs/fault-matrix.md anew, the list of findings
and the generated blocks of their pages.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from docsite.build import finding_list
from tests.harness import FindingKey, Warehouse, compiled_project
from tests.harness.once import once

from . import CLOSE_DATE, Scenario, merged_scenarios, separate_scenarios, write_alone, write_merged
from .finding_pages import INDEX, pages, registry, renewed

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "docs" / "fault-matrix.md"
HEAD = """\
# Fault matrix

Every finding has been seen raised and has been seen not raised. `tests/fault_matrix` holds {total}
small sets of exports, each with the findings that it must give written beside it: {tripping} trip
findings, the others are clean or only nearly trip one (the amount off by one unit in the last
digit, the webhook at the cut-off or a second before it, the version that goes back). They are
closed from raw files to `exceptions.csv`: {merged} of them together in one close, {separate} alone,
because they need files of their own.

What each code means, with an example: the pages in [findings](findings/index.md).

This page is written by a run: `python -m tests.fault_matrix.matrix_report`. A test runs it again
and compares.

- **tripped by**: sets of exports that inject the fault.
- **nearly by**: sets that come as near to it as can be without it.
- **injected**, **detected**: findings that these sets must give, and those that a close gave.
- **false alarms**: findings of the code that no set asked for, over all sets.
- **rule that failed**: the rule of the close checklist that names the subject of the finding as
  what breaks it. Warnings break none.

| code | severity | tripped by | nearly by | injected | detected | false alarms | rule that failed |
|---|---|---:|---:|---:|---:|---:|---|
"""


@dataclass(frozen=True)
class Closed:
    """One close of scenarios: what was found and published, which codes broke which rule."""

    scenarios: list[Scenario]
    exports: Path
    package: Path
    found: set[FindingKey]
    broken_rules: set[tuple[str, str]]
    exceptions: dict[FindingKey, dict[str, str]]
    breaches: list[tuple[str, str]]


def closes_of_all() -> list[Closed]:
    """Those of `close_all`, once for all tests."""
    return once("closes_of_scenarios", close_all)


def close_all(folder: Path) -> list[Closed]:
    """Closes the merged scenarios together and each of the others alone."""
    warehouse = Warehouse(compiled_project(CLOSE_DATE))
    merged = merged_scenarios()
    closed = [close_one(warehouse, merged, write_merged(folder / "merged"))]
    for scenario in separate_scenarios():
        exports = write_alone(folder / scenario.name, scenario)
        closed.append(close_one(warehouse, [scenario], exports))
    warehouse.close_connection()
    return closed


def close_one(warehouse: Warehouse, scenarios: list[Scenario], exports: Path) -> Closed:
    warehouse.close(exports)
    rows = warehouse.connection.execute("""
        select distinct violations.rule_name, exceptions.code
        from marts.close_violations as violations
        inner join marts.fct_exceptions as exceptions
            using (rule_name, subject_type, subject_id)
    """).fetchall()
    broken_rules = {(str(rule), str(code)) for rule, code in rows}
    return Closed(
        *(scenarios, exports),
        warehouse.write_package(exports.with_name(f"{exports.name}_package")),
        *(warehouse.findings(), broken_rules, published(warehouse), warehouse.breaches()),
    )


def published(warehouse: Warehouse) -> dict[FindingKey, dict[str, str]]:
    """The rows of exceptions.csv by code and subject; what is empty there is empty here."""
    rows = warehouse.connection.execute("select * from package.pkg_exceptions")
    names = [column[0] for column in rows.description]
    dicts = [{n: str(v or "") for n, v in zip(names, row, strict=True)} for row in rows.fetchall()]
    return {(row["code"], row["subject_type"], row["subject_id"]): row for row in dicts}


def all_exceptions(closes: Iterable[Closed]) -> dict[FindingKey, dict[str, str]]:
    return {key: row for closed in closes for key, row in closed.exceptions.items()}


def report(closes: Iterable[Closed]) -> str:
    """The page: one row for each code of the registry, in its order."""
    closes = list(closes)
    scenarios = [scenario for closed in closes for scenario in closed.scenarios]
    lines = []
    with (ROOT / "seeds" / "ref_findings.csv").open(encoding="utf-8", newline="") as stream:
        for code in csv.DictReader(stream):
            lines.append(row_of(code["code"], code["severity"], closes))
    head = HEAD.format(
        total=len(scenarios),
        tripping=sum(bool(scenario.trips) for scenario in scenarios),
        merged=len(closes[0].scenarios),
        separate=len(closes) - 1,
    )
    return head + "\n".join(lines) + "\n"


def row_of(code: str, severity: str, closes: list[Closed]) -> str:
    injected = detected = false_alarms = tripped_by = nearly_by = 0
    rules: set[str] = set()
    for closed in closes:
        wanted = {
            key for scenario in closed.scenarios for key in scenario.expected if key[0] == code
        }
        found = {key for key in closed.found if key[0] == code}
        injected += len(wanted)
        detected += len(wanted & found)
        false_alarms += len(found - wanted)
        tripped_by += sum(code in scenario.trips for scenario in closed.scenarios)
        nearly_by += sum(code in scenario.nearly for scenario in closed.scenarios)
        rules |= {rule for rule, broken_by in closed.broken_rules if broken_by == code}
    counts = (tripped_by, nearly_by, injected, detected, false_alarms)
    failed = ", ".join(f"`{rule}`" for rule in sorted(rules)) or "none"
    return " | ".join((f"| `{code}`", severity, *map(str, counts), f"{failed} |"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        closes = close_all(Path(folder))
    INDEX.write_text(finding_list(registry().values()), encoding="utf-8")
    REPORT.write_text(report(closes), encoding="utf-8")
    for page in pages().values():
        page.write_text(renewed(page, all_exceptions(closes)), encoding="utf-8")


if __name__ == "__main__":
    main()
