from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fault_matrix import CLOSE_DATE, write_merged
from tests.harness import Warehouse, compiled_project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def warehouse() -> Iterator[Warehouse]:
    """One warehouse in memory for all closes, one after another."""
    made = Warehouse(compiled_project(CLOSE_DATE))
    yield made
    made.close_connection()


@pytest.fixture(scope="session")
def exports_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample exports, and every scenario that can be merged in one folder."""
    return {
        "clean": ROOT / "samples" / "clean",
        "bad_day": ROOT / "samples" / "bad_day",
        "scenarios": write_merged(tmp_path_factory.mktemp("scenarios")),
    }
