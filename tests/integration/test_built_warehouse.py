"""What dbt built is read in the file that it left open, while the log of the file is folded in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pool_recon import dbt_runner
from pool_recon.dbt_runner import BuildSettings, build_and_test, built_warehouse
from pool_recon.errors import CloseError
from tests.integration.small_build import small_build

# More than DuckDB writes past the log at once, and less than it folds in by itself.
ROWS = 50_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all tests have in common, so that dbt parses it once."""
    return tmp_path_factory.mktemp("built")


@pytest.fixture
def settings(project: Path, monkeypatch: pytest.MonkeyPatch) -> BuildSettings:
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    files = {
        "models/many.sql": "{{ config(materialized='table') }}"
        f" select range as one from range({ROWS})",
        "tests/holds.sql": "select * from {{ ref('many') }} where one < 0",
    }
    built = replace(small_build(project, files), leaves_open=True)
    built.warehouse.unlink(missing_ok=True)
    return built


def log_of(settings: BuildSettings) -> Path:
    return settings.warehouse.with_name("small.duckdb.wal")


def another_process_can_write(file: Path) -> bool:
    statement = f"import duckdb; duckdb.connect({str(file)!r}).execute('create table t(a int)')"
    return not subprocess.run([sys.executable, "-c", statement], check=False).returncode


def count(connection: duckdb.DuckDBPyConnection) -> int:
    (rows,) = connection.execute("select count(*) from main.many").fetchall()
    return int(rows[0])


def test_what_was_built_is_read_and_folded_in(settings: BuildSettings) -> None:
    build_and_test(settings)
    assert log_of(settings).stat().st_size > ROWS
    with built_warehouse(settings.warehouse) as connection:
        assert count(connection) == ROWS
        assert connection.execute("select current_setting('TimeZone')").fetchall() == [("UTC",)]
    assert not log_of(settings).exists()
    assert another_process_can_write(settings.warehouse)
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        assert count(connection) == ROWS


def test_nothing_has_it_open_after_an_error(settings: BuildSettings) -> None:
    build_and_test(settings)
    with pytest.raises(OSError, match="disk is full"), built_warehouse(settings.warehouse):
        raise OSError("the disk is full")
    assert another_process_can_write(settings.warehouse)


def test_a_log_that_cannot_be_folded_in_is_an_error(
    settings: BuildSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def cursor(self) -> Full:
            return self

        def execute(self, _statement: str) -> None:
            raise duckdb.IOException("no space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(dbt_runner, "_left_open", lambda _file: Full())
    with pytest.raises(duckdb.IOException, match="no space"), built_warehouse(settings.warehouse):
        pass


@pytest.mark.parametrize(
    "spoil",
    [
        lambda project: (project / "models" / "many.sql").write_text("select nothing"),
        lambda project: (project / "models" / "many.sql").write_text("{{ nothing"),
    ],
)
def test_a_build_that_fails_leaves_nothing_open(
    settings: BuildSettings, spoil: Callable[[Path], object]
) -> None:
    spoil(settings.project_dir)
    with pytest.raises(CloseError):
        build_and_test(settings)
    assert another_process_can_write(settings.warehouse)


def test_a_file_that_dbt_does_not_have_open_is_opened(
    settings: BuildSettings, tmp_path: Path
) -> None:
    build_and_test(settings)
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("create table main.many as select 1 as one")
    with built_warehouse(other) as connection:
        assert count(connection) == 1
    assert another_process_can_write(other)
    assert another_process_can_write(settings.warehouse)
