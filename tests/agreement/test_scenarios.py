"""Scenarios that need files of their own, each closed alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault_matrix import CLOSE_DATE, Scenario, expected, separate_scenarios, write_alone
from tests.harness import Warehouse
from tests.oracle import close, compare, compare_amounts_at_risk


@pytest.mark.parametrize("scenario", separate_scenarios(), ids=lambda each: each.name)
def test_a_separate_scenario(scenario: Scenario, warehouse: Warehouse, tmp_path: Path) -> None:
    exports = write_alone(tmp_path / "exports", scenario)
    warehouse.close(exports)
    package = warehouse.write_package(tmp_path / "package")
    result = close(exports, CLOSE_DATE)
    assert compare(package, result) == []
    assert compare_amounts_at_risk(package, result) == []
    assert warehouse.findings() == expected(scenario)
    assert warehouse.breaches() == []
