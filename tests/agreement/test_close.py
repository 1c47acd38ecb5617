"""Real closes, from raw files to the package on disk, against the oracle."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.closing import Ran
from tests.end_to_end.closing import close as close_by_command
from tests.fault_matrix import CLOSE_DATE, expected, merged_scenarios
from tests.fault_matrix.dsl import Expected
from tests.harness import Warehouse
from tests.oracle import close as close_by_oracle
from tests.oracle import compare, compare_amounts_at_risk

SETS = ("clean", "bad_day", "scenarios")


@pytest.fixture(scope="module")
def packages(
    clean: Ran,
    bad_day: Ran,
    exports_folders: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """The package of each set of exports, closed by the command."""
    scenarios = close_by_command(exports_folders["scenarios"], tmp_path_factory.mktemp("closed"))
    closed = {"clean": clean, "bad_day": bad_day, "scenarios": scenarios}
    assert all(ran.exit_code in {0, 1} for ran in closed.values()), scenarios.stderr
    return {name: ran.package for name, ran in closed.items()}


def published_findings(package: Path) -> list[Expected]:
    with (package / "exceptions.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [(row["code"], row["subject_type"], row["subject_id"]) for row in rows]


@pytest.mark.parametrize("name", SETS)
def test_the_package_is_what_the_oracle_says(
    name: str, packages: dict[str, Path], exports_folders: dict[str, Path]
) -> None:
    package = packages[name]
    result = close_by_oracle(exports_folders[name], CLOSE_DATE)
    assert compare(package, result) == []
    assert compare_amounts_at_risk(package, result) == []


@pytest.mark.parametrize("name", SETS)
def test_the_verdict_is_what_the_oracle_says(
    name: str, packages: dict[str, Path], exports_folders: dict[str, Path]
) -> None:
    """dbt's tests, the published checklist and the oracle say the same of every rule."""
    manifest = json.loads((packages[name] / "manifest.json").read_text(encoding="utf-8"))
    verdict: dict[str, Any] = manifest["verdict"]
    assert verdict["failed_checks"] == []
    assert verdict["disagreements"] == []
    checklist = close_by_oracle(exports_folders[name], CLOSE_DATE).checklist
    wanted = {rule: "holds" if holds else "fails" for rule, (holds, *_) in checklist.items()}
    assert verdict["rules"] == wanted


def test_the_scenarios_give_what_was_written_down(packages: dict[str, Path]) -> None:
    wanted = set().union(*(expected(scenario) for scenario in merged_scenarios()))
    found = published_findings(packages["scenarios"])
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_the_bad_day_gives_what_was_injected(
    packages: dict[str, Path], exports_folders: dict[str, Path]
) -> None:
    file = exports_folders["bad_day"] / "_expected_findings.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        wanted = {tuple(row.values()) for row in csv.DictReader(lines)}
    assert set(published_findings(packages["bad_day"])) == wanted


@pytest.mark.parametrize("name", SETS)
def test_the_harness_writes_the_same_package(
    name: str,
    packages: dict[str, Path],
    exports_folders: dict[str, Path],
    warehouse: Warehouse,
    tmp_path: Path,
) -> None:
    """Which is why the other tests may run the compiled models without dbt."""
    warehouse.close(exports_folders[name])
    package = warehouse.write_package(tmp_path / "package")
    names = sorted(path.name for path in package.glob("*.csv"))
    assert names == sorted(path.name for path in packages[name].glob("*.csv"))
    for file_name in names:
        theirs = packages[name] / file_name
        assert (package / file_name).read_bytes() == theirs.read_bytes(), file_name
