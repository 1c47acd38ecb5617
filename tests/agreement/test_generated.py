"""Generated messes against the oracle: what chance does, nobody would have written down."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.fault_matrix import CLOSE_DATE
from tests.harness import Warehouse, contradictions
from tests.oracle import close, compare, compare_amounts_at_risk
from tests.oracle.collide import collide
from tests.oracle.generate import MESSES, generate, generate_together

SETS_IN_ONE_CLOSE = 16
WORLDS_IN_ONE_CLOSE = 200
CLOSES_IN_EXHAUSTION = 50


def differences(warehouse: Warehouse, exports: Path, package: Path) -> list[str]:
    warehouse.close(exports)
    warehouse.write_package(package)
    result = close(exports, CLOSE_DATE)
    return [
        *compare(package, result),
        *compare_amounts_at_risk(package, result),
        *(f"broken: {breach}" for breach in warehouse.breaches()),
        *contradictions(package),
    ]


def differences_together(warehouse: Warehouse, folder: Path, seeds: Iterable[int]) -> list[str]:
    return differences(warehouse, generate_together(folder / "exports", seeds), folder / "package")


@pytest.mark.parametrize("seed", range(len(MESSES)))
def test_a_set_alone(seed: int, warehouse: Warehouse, tmp_path: Path) -> None:
    """Alone, an export may be absent and a column be in no file."""
    exports = generate(tmp_path / "exports", seed, mess=MESSES[seed])
    assert differences(warehouse, exports, tmp_path / "package") == []


@pytest.mark.parametrize("first", [pytest.param(100, marks=pytest.mark.slow), 200])
def test_sets_together(first: int, warehouse: Warehouse, tmp_path: Path) -> None:
    seeds = range(first, first + SETS_IN_ONE_CLOSE)
    assert differences_together(warehouse, tmp_path, seeds) == []


def test_worlds_full_of_collisions(warehouse: Warehouse, tmp_path: Path) -> None:
    exports = collide(tmp_path / "exports", range(WORLDS_IN_ONE_CLOSE))
    assert differences(warehouse, exports, tmp_path / "package") == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("batch", range(CLOSES_IN_EXHAUSTION))
def test_many_worlds_full_of_collisions(batch: int, warehouse: Warehouse, tmp_path: Path) -> None:
    first = 10_000 + batch * WORLDS_IN_ONE_CLOSE
    exports = collide(tmp_path / "exports", range(first, first + WORLDS_IN_ONE_CLOSE))
    assert differences(warehouse, exports, tmp_path / "package") == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(1000, 1100))
def test_many_sets_alone(seed: int, warehouse: Warehouse, tmp_path: Path) -> None:
    exports = generate(tmp_path / "exports", seed, mess=MESSES[seed % len(MESSES)])
    assert differences(warehouse, exports, tmp_path / "package") == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("batch", range(CLOSES_IN_EXHAUSTION))
def test_many_sets_together(batch: int, warehouse: Warehouse, tmp_path: Path) -> None:
    first = 10_000 + batch * SETS_IN_ONE_CLOSE
    seeds = range(first, first + SETS_IN_ONE_CLOSE)
    assert differences_together(warehouse, tmp_path, seeds) == []
