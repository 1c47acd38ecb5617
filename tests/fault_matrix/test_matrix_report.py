from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.fault_matrix.finding_pages import BLOCK, pages, registry, renewed
from tests.fault_matrix.matrix_report import (
    REPORT,
    ROOT,
    Closed,
    all_exceptions,
    closes_of_all,
    report,
)
from tests.harness import contradictions


@pytest.fixture(scope="module")
def closes() -> list[Closed]:
    return closes_of_all()


def test_the_published_matrix_is_that_of_a_run(closes: list[Closed]) -> None:
    assert REPORT.read_text(encoding="utf-8") == report(closes)


def test_the_examples_of_the_pages_are_those_of_a_run(closes: list[Closed]) -> None:
    exceptions = all_exceptions(closes)
    stale = [
        code
        for code, page in pages().items()
        if page.read_text(encoding="utf-8") != renewed(page, exceptions)
    ]
    assert stale == [], "python -m tests.fault_matrix.matrix_report writes them anew"


def test_the_files_of_a_close_say_the_same_of_a_record(closes: list[Closed]) -> None:
    assert {
        c.scenarios[0].name: found for c in closes if (found := contradictions(c.package))
    } == {}


def test_every_code_has_its_page_and_every_page_its_code() -> None:
    assert sorted(pages()) == sorted(registry())
    for code, page in pages().items():
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {code}\n"), code
        assert [found[1] for found in BLOCK.finditer(text)] == ["facts", "trips", "nearly"], code


def test_a_stale_example_is_seen(closes: list[Closed], tmp_path: Path) -> None:
    page = tmp_path / "missing_webhook.md"
    text = pages()["missing_webhook"].read_text(encoding="utf-8")
    for old, new in (
        ("| amount\\_at\\_risk | 100.00 |", "| amount\\_at\\_risk | 100.01 |"),
        ("| webhook-absent-t | settled |", "| webhook-absent-t | failed |"),
        ("| blocking | movements |", "| warning | movements |"),
        ("A close finds nothing here.", ""),
    ):
        assert old in text
        page.write_text(text.replace(old, new), encoding="utf-8")
        assert renewed(page, all_exceptions(closes)) == text


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("trips: webhook-gap-read | events event_id", "does not trip missing_webhook"),
        ("nearly: webhook-absent | events", "trips missing_webhook"),
        ("trips: webhook-absent | trades", "trades has rows"),
        ("trips: webhook-absent | events event_id", "events has no rows"),
    ],
)
def test_an_example_that_is_none_is_refused(
    closes: list[Closed], tmp_path: Path, block: str, expected: str
) -> None:
    page = tmp_path / "missing_webhook.md"
    page.write_text(f"<!-- {block} -->\n<!-- end -->\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=expected):
        renewed(page, all_exceptions(closes))


def test_every_fault_is_detected_without_false_alarms() -> None:
    with (ROOT / "seeds" / "ref_findings.csv").open(encoding="utf-8", newline="") as lines:
        registry = {row["code"]: row["rule_name"] for row in csv.DictReader(lines)}
    codes = []
    for line in REPORT.read_text(encoding="utf-8").splitlines():
        if not line.startswith("| `"):
            continue
        code, severity, *counts, rule = (cell.strip(" `") for cell in line.strip("|").split("|"))
        tripped_by, nearly_by, injected, detected, false_alarms = map(int, counts)
        codes.append(code)
        assert tripped_by, code
        assert nearly_by, code
        assert injected == detected > 0, code
        assert false_alarms == 0, code
        assert rule == (registry[code] or "none"), code
        assert (rule == "none") == (severity == "warning"), code
    assert codes == list(registry)
