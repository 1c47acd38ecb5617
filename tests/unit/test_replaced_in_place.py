"""A model that cannot be built leaves what was there, although DuckDB drops that first."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pool_recon.dbt_runner import build_and_test
from pool_recon.errors import CloseError

from .small_build import small_build

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "{name: pool_recon, version: '1.0', profile: small}"


def build(folder: Path, model: str) -> None:
    """Build a project of one model with the macros of this one."""
    settings = small_build(folder, {"dbt_project.yml": PROJECT, "models/one.sql": model})
    macros = folder / "project" / "macros"
    if not macros.exists():
        macros.symlink_to(ROOT / "macros")
    build_and_test(settings)


def values(folder: Path) -> list[tuple[object]]:
    with duckdb.connect(str(folder / "small.duckdb"), read_only=True) as connection:
        return connection.execute("from one order by abs(value)").fetchall()


@pytest.mark.parametrize(
    ("config", "broken"),
    [
        # The last row cannot be computed, when the others are written.
        ("materialized='table'", "case when value = 2999 then error('late') end"),
        ("materialized='table', post_hook='select 1'", "case when value = 2999 then error('') end"),
        ("materialized='view'", "no_column"),
    ],
)
def test_what_was_there_stays_where_a_model_cannot_be_built(
    config: str, broken: str, tmp_path: Path
) -> None:
    rows = "(select range as value from range(3000))"
    model = f"{{{{ config({config}) }}}} select %s as value from {rows}"
    build(tmp_path, model % "value")
    with pytest.raises(CloseError, match="the model one cannot be built"):
        build(tmp_path, model % broken)
    assert len(values(tmp_path)) == 3000
    build(tmp_path, model % "-value")
    assert values(tmp_path)[1] == (-1,)
