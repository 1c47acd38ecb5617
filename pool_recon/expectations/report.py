"""The results as finance keeps them: JSON for programs, a page for people, the same bytes again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from pool_recon.expectations.results import Kind, Outcome, Result, SecondReading

JSON_NAME = "expectations.json"
PAGE_NAME = "expectations.html"

_TITLES = {
    Kind.RULE: "Rules of the close checklist",
    Kind.MART: "What every mart promises",
    Kind.FILE: "What the files of the package promise",
}
_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.NOT_CHECKED: "could not be checked",
}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; }
body { padding: 0 1rem; color: #1b1b1b; background: #fff }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
th, td { border-bottom: 1px solid #d5d5d5; padding: .3rem .6rem .3rem 0; text-align: left }
th, td { vertical-align: top; overflow-wrap: anywhere }
td.outcome { white-space: nowrap; font-weight: 600 }
.passed { color: #17632f } .failed, .differs { color: #a31515 } .not_checked { color: #8a5a00 }
details table { margin: .3rem 0; font-size: 13px }
"""


def write_report(reading: SecondReading, folder: Path) -> tuple[Path, Path]:
    """Write both forms into `folder` and return their paths. Raises OSError."""
    as_json, page = folder / JSON_NAME, folder / PAGE_NAME
    text = json.dumps(as_document(reading), indent=2, ensure_ascii=False)
    as_json.write_text(text + "\n", encoding="utf-8", newline="\n")
    page.write_text(as_page(reading), encoding="utf-8", newline="\n")
    return as_json, page


def as_document(reading: SecondReading) -> dict[str, Any]:
    """The results as plain data, without anything that differs from run to run."""
    disagreements = set(reading.disagreements)
    return {
        "close_date": reading.close_date,
        "holds": reading.holds,
        "rules": [
            {
                "rule": rule,
                "great_expectations": outcome.value,
                "dbt": reading.dbt_verdicts.get(rule, "not checked"),
                "differ": rule in disagreements,
            }
            for rule, outcome in reading.rules.items()
        ],
        "expectations": [_entry(result) for result in reading.results],
    }


def _entry(result: Result) -> dict[str, Any]:
    return {
        "name": result.expectation.name,
        "kind": result.expectation.kind.value,
        "subject": result.expectation.subject,
        "states": result.expectation.states,
        "outcome": result.outcome.value,
        "unexpected_rows": result.unexpected_rows,
        "examples": [dict(example) for example in result.examples],
        "reason": result.reason,
    }


def as_page(reading: SecondReading) -> str:
    """One page without scripts, images or links."""
    return "\n".join(_page(reading)) + "\n"


def _page(reading: SecondReading) -> Iterator[str]:
    title = f"Second reading of the close of {escape(reading.close_date)}"
    counts = ", ".join(
        f"{sum(result.outcome is outcome for result in reading.results)} {word}"
        for outcome, word in _WORDS.items()
    )
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield f"<style>{_STYLE}</style></head><body>"
    yield f"<h1>{title}</h1>"
    yield (
        "<p>Great Expectations states the rules, the marts and the files of this package on its"
        f" own, beside the tests of dbt. {len(reading.results)} expectations: {counts}.</p>"
    )
    if reading.disagreements:
        named = ", ".join(escape(rule) for rule in reading.disagreements)
        yield f'<p class="differs">dbt says otherwise of: {named}. The close is blocked.</p>'
    for kind, heading in _TITLES.items():
        results = [result for result in reading.results if result.expectation.kind is kind]
        if results:
            yield f"<h2>{heading}</h2>"
            yield from _table(results, reading)
    yield "</body></html>"


def _table(results: Sequence[Result], reading: SecondReading) -> Iterator[str]:
    yield "<table><tr><th>Outcome</th><th>Expectation</th></tr>"
    for result in results:
        expectation, outcome = result.expectation, result.outcome
        yield f'<tr><td class="outcome {outcome.value}">{_WORDS[outcome]}</td>'
        yield f"<td><b>{escape(expectation.name)}</b><br>{escape(expectation.states)}"
        if expectation.kind is Kind.RULE:
            said = reading.dbt_verdicts.get(expectation.subject, "not checked")
            differs = expectation.subject in reading.disagreements
            marked = ' class="differs"' if differs else ""
            yield f"<br><span{marked}>dbt: {escape(said)}</span>"
        if result.reason:
            yield f"<br>{escape(result.reason)}"
        if result.unexpected_rows:
            yield from _examples(result.unexpected_rows, result.examples)
        yield "</td></tr>"
    yield "</table>"


def _examples(count: int, examples: Sequence[Mapping[str, str | None]]) -> Iterator[str]:
    shown = f", the first {len(examples)}" if len(examples) < count else ""
    yield f"<details open><summary>{count:,} unexpected rows{shown}</summary><table>"
    for position, example in enumerate(examples):
        if position == 0:
            yield "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in example) + "</tr>"
        cells = "".join(f"<td>{escape(value or '')}</td>" for value in example.values())
        yield f"<tr>{cells}</tr>"
    yield "</table></details>"
