"""What `pool-recon validate` says: to a person as text, to a machine as one JSON object."""

from __future__ import annotations

from typing import Any

from pool_recon.console import plural
from pool_recon.expectations.results import Outcome, SecondReading

SUMMARY_VERSION = 1


def reading_summary(reading: SecondReading) -> dict[str, Any]:
    """The outcome of a second reading, as one JSON object."""
    return {
        "schema_version": SUMMARY_VERSION,
        "command": "validate",
        "close_date": reading.close_date,
        "holds": reading.holds,
        "expectations": len(reading.results),
        "passed": _passed(reading),
        "failed": [
            {"name": result.expectation.name, "unexpected_rows": result.unexpected_rows}
            for result in reading.results
            if result.outcome is Outcome.FAILED
        ],
        "not_checked": [
            {"name": result.expectation.name, "reason": result.reason}
            for result in reading.results
            if result.outcome is Outcome.NOT_CHECKED
        ],
        "differing_readings": list(reading.disagreements),
    }


def reading_text(reading: SecondReading) -> list[str]:
    """The outcome of a second reading, as lines."""
    count = plural(len(reading.results), "expectation")
    lines = [f"Close of {reading.close_date}: {_passed(reading)} of {count} hold"]
    for result in reading.results:
        if result.outcome is Outcome.FAILED:
            rows = plural(result.unexpected_rows or 0, "unexpected row")
            lines.append(f"  {result.expectation.name}: {rows}")
        elif result.outcome is Outcome.NOT_CHECKED:
            lines.append(f"  {result.expectation.name}: could not be checked: {result.reason}")
    return [*lines, *(f"  {rule}: dbt says otherwise" for rule in reading.disagreements)]


def _passed(reading: SecondReading) -> int:
    return len(reading.results) - len(reading.failed) - len(reading.not_checked)
