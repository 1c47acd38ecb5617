from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault_matrix import (
    CLOSE_DATE,
    SCENARIOS,
    Scenario,
    expected,
    merged_scenarios,
    write_alone,
    write_merged,
)
from tests.fault_matrix.dsl import Expected
from tests.oracle import close
from tests.oracle.reference import CODES


def found(directory: Path) -> set[Expected]:
    return set(close(directory, CLOSE_DATE).keys)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda each: each.name)
def test_alone(scenario: Scenario, tmp_path: Path) -> None:
    assert found(write_alone(tmp_path, scenario)) == expected(scenario)


def test_merged(tmp_path: Path) -> None:
    wanted = set().union(*(expected(scenario) for scenario in merged_scenarios()))
    assert found(write_merged(tmp_path)) == wanted


@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in SCENARIOS.values() if scenario.conserved],
    ids=lambda each: each.name,
)
def test_conservation_alone(scenario: Scenario, tmp_path: Path) -> None:
    result = close(write_alone(tmp_path, scenario), CLOSE_DATE)
    parts = ("staged", "duplicates", "superseded", "quarantined")
    found = {row["export"]: tuple(row[part] for part in parts) for row in result.conservation}
    assert scenario.conserved.items() <= found.items()


def test_conservation(tmp_path: Path) -> None:
    for row in close(write_merged(tmp_path), CLOSE_DATE).conservation:
        parts = ("staged", "duplicates", "superseded", "quarantined")
        assert row["landed"] == sum(row[part] for part in parts), row


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_tripped_and_nearly_tripped(code: str) -> None:
    assert any(code in scenario.trips for scenario in SCENARIOS.values())
    assert any(code in scenario.nearly for scenario in SCENARIOS.values())


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda each: each.name)
def test_claims_are_what_is_expected(scenario: Scenario) -> None:
    tripped = {code for code, _, _ in expected(scenario)}
    assert tripped == set(scenario.trips)
    assert not tripped & set(scenario.nearly)
    assert set(scenario.trips + scenario.nearly) <= set(CODES)
