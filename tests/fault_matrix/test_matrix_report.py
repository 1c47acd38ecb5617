from __future__ import annotations

import csv
from pathlib import Path

from tests.fault_matrix.matrix_report import REPORT, ROOT, close_all, report


def test_the_published_matrix_is_that_of_a_run(tmp_path: Path) -> None:
    assert REPORT.read_text(encoding="utf-8") == report(close_all(tmp_path))


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
